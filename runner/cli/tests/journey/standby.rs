//! The shop on PostgreSQL, as companies have it: a primary, standbys that stream from it, and a team
//! whose only target is one of these. One primary a process, a database of its own for each test.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::OnceLock;

use domain::decide::SelfServeRules;
use domain::manifest::Engine;
use serde_json::json;
use trust::{Keyring, Policy, PostgresIdentity, Read, TargetIdentity};

use super::cluster::{Cluster, Network, Programs, Server};
use super::team::Team;
use super::{shop, shop_rows};

/// The database that the others are copies of.
const TEMPLATE: &str = "shop";

/// The servers of this process.
pub(crate) struct Servers {
    /// The primary.
    pub(crate) cluster: Cluster,
    /// The standby of tests that leave it as it is.
    pub(crate) standby: Server,
    system_identifier: String,
}

/// The servers of this process, started by whoever needs them first.
pub(crate) fn servers() -> &'static Servers {
    static SERVERS: OnceLock<Servers> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let rows = dir.path().join("shop.sqlite");
        shop::create(&rows).unwrap();
        let cluster = Cluster::start(programs()).unwrap();
        let primary = cluster.primary();
        primary.sql("postgres", &format!("CREATE DATABASE {TEMPLATE}")).unwrap();
        let script = shop_rows::script(&rows).unwrap();
        primary.sql(TEMPLATE, &script).unwrap();
        let standby = cluster.standby(&Network::None).unwrap();
        let system_identifier = system_identifier(primary);
        Servers { cluster, standby, system_identifier }
    })
}

/// PostgreSQL's programs; a test that cannot run has not passed.
pub(crate) fn programs() -> Programs {
    let path = std::env::var_os("PATH").unwrap();
    let found = Programs::find(path.to_str().unwrap());
    assert!(
        found.is_some(),
        "PostgreSQL's server programs are missing: apt-get install postgresql"
    );
    found.unwrap()
}

pub(crate) fn system_identifier(server: &Server) -> String {
    let system = "SELECT system_identifier FROM pg_control_system()";
    server.sql("postgres", system).unwrap().trim().to_owned()
}

/// A team whose target is a standby.
pub(crate) struct Fleet {
    pub(crate) team: Team,
    /// The target's database, which is the test's own; and the role that reads it.
    pub(crate) name: String,
}

impl Fleet {
    /// A team whose reviewers have opened the script to everybody. Its target is what is behind an
    /// address that stays, and at first the shared standby. `more` are lines of the configuration.
    pub(crate) fn found(
        name: &str,
        more: &str,
        change: impl FnOnce(&mut Keyring, &mut Policy),
    ) -> Self {
        let servers = servers();
        let copy = format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}");
        servers.cluster.primary().sql("postgres", &copy).unwrap();
        let identity = TargetIdentity::Postgres(PostgresIdentity {
            system_identifier: servers.system_identifier.clone(),
            database: name.to_owned(),
            role: name.to_owned(),
        });
        let team = Team::reconfigured(
            |text| way(&text, more),
            |keyring, _, policy| {
                keyring.floors.self_serve = true;
                let target = &mut policy.targets[0];
                target.engine = Engine::Postgres;
                target.identity = identity;
                target.lag_s_max = Some(60);
                target.cost_max = Some(10_000_000);
                target.reads = reads();
                let groups = vec!["engineers".parse().unwrap()];
                target.self_serve = Some(SelfServeRules { groups, runs_per_day: 50 });
                change(keyring, policy);
            },
        );
        let fleet = Self { team, name: name.to_owned() };
        let printed = ["target", "grant-sql", "shop-replica", "--config", "server"];
        let (code, printed) = fleet.team.m.told(&printed);
        assert_eq!(code, 0, "{printed}");
        fleet.on_primary(&printed);
        fleet.leads_to(servers.standby.socket_directory());
        let manifest = fleet.team.m.path("stuck-orders/script.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        let text = text.replace("engine = \"sqlite\"", "engine = \"postgres\"");
        let text = text.replace("wall = \"20s\"", "wall = \"2min\"");
        fs::write(&manifest, text).unwrap();
        fleet.team.reviewed(&["--self-serve", "engineers:50"]);
        fleet
    }

    /// From now on the target's address leads there.
    pub(crate) fn leads_to(&self, socket_directory: &Path) {
        let address = self.team.m.path("behind-the-name");
        drop(fs::remove_file(&address));
        symlink(socket_directory, address).unwrap();
    }

    /// What the operator sees.
    pub(crate) fn checked(&self) -> (i32, String) {
        let (code, told) = self.team.m.told(&["check", "--config", "server"]);
        (code, super::team::flat(&told))
    }

    /// Runs SQL on the primary, in the target's database, and waits until the shared standby has it.
    pub(crate) fn on_primary(&self, sql: &str) {
        let Servers { cluster, standby, .. } = servers();
        cluster.primary().sql(&self.name, sql).unwrap();
        cluster.catch_up(standby).unwrap();
    }
}

/// What the policy grants.
fn reads() -> Vec<Read> {
    let read = |(table, columns): &(&str, &[&str])| Read {
        table: format!("public.{table}"),
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
    };
    shop::READS.iter().map(read).collect()
}

/// The configuration with a standby in place of the file, and more.
fn way(text: &str, more: &str) -> String {
    let mut config: toml::Table = text.parse().unwrap();
    let standby = json!({ "shop-replica": { "postgres": { "socket": "../behind-the-name" } } });
    config.insert("targets".into(), toml::Value::try_from(standby).unwrap());
    config.extend(more.parse::<toml::Table>().unwrap());
    config.to_string()
}
