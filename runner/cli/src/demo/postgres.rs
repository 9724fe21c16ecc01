//! The sample shop on PostgreSQL: a primary with the rows of the SQLite shop, a streaming standby that
//! the runner reads, and a login role that may read what the policy names.

#[expect(unreachable_pub, dead_code, reason = "the scenarios include it too, and use all of it")]
mod cluster;
mod shop;

use std::path::Path;

use anyhow::Context as _;
use domain::manifest::Engine;
use targets::postgres::{Identity, Relation, RoleSql};

use super::shop::READS;
use crate::config::search_path;
use crate::exit::Failure;
use crate::server_config::PostgresConfig;
use cluster::{Cluster, Network, Programs, Server};

/// The runner's role.
const ROLE: &str = "borescope_reader";
/// The database.
const DATABASE: &str = "shop";
/// Milliseconds of one statement, as policies have it that say nothing.
const STATEMENT_MS_MAX: u64 = 5_000;
/// `UNION` is not supported on PostgreSQL yet; this query of `customer-timeline` does without.
const TIMELINE: (&str, &str, &str) =
    ("customer-timeline", "queries/timeline.sql", include_str!("postgres/timeline.sql"));

/// The servers; they stop when this is dropped, however the process ends.
pub(super) struct PostgresShop {
    // In this order: a standby whose primary is gone would only complain.
    standby: Server,
    _cluster: Cluster,
    system_identifier: String,
}

impl PostgresShop {
    /// Starts a primary and a standby, and fills them with the rows of the shop at `sqlite`.
    pub(super) fn start(sqlite: &Path) -> anyhow::Result<Self> {
        let programs = Programs::find(&search_path()).ok_or_else(|| {
            Failure::usage(
                "no PostgreSQL server is installed here",
                "install one, as by `apt-get install postgresql`, or play on SQLite: borescope demo",
            )
        })?;
        let cluster = Cluster::start(programs).context("the primary does not start")?;
        let primary = cluster.primary();
        primary.sql("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
        primary.sql(DATABASE, &shop::script(sqlite)?)?;
        let system = "SELECT system_identifier FROM pg_control_system()";
        let system_identifier = primary.sql("postgres", system)?.trim().to_owned();
        primary.sql(DATABASE, &role(&system_identifier)?)?;
        let standby = cluster.standby(&Network::None).context("the standby does not start")?;
        Ok(Self { standby, _cluster: cluster, system_identifier })
    }

    /// The lines of the policy that say which database it is.
    pub(super) fn policy(&self) -> String {
        format!(
            "engine = \"postgres\"\nlag_s_max = 60\nidentity = {{ postgres = {{ \
             system_identifier = \"{}\", database = \"{DATABASE}\", role = \"{ROLE}\" }} }}",
            self.system_identifier
        )
    }

    /// The way to the standby.
    pub(super) fn way(&self) -> PostgresConfig {
        PostgresConfig {
            socket: Some(self.standby.socket_directory().to_owned()),
            port: Some(self.standby.port()),
            ..PostgresConfig::default()
        }
    }
}

/// The SQL that makes the role, as `borescope target grant-sql` prints it.
fn role(system_identifier: &str) -> anyhow::Result<String> {
    let relation = |(table, columns): &(&str, &[&str])| {
        Relation::plain("public", table, columns.iter().map(|c| (*c).to_owned()).collect())
    };
    let reads: Vec<Relation> = READS.iter().map(relation).collect();
    let identity = Identity {
        system_identifier: system_identifier.parse()?,
        database: DATABASE.to_owned(),
        role: ROLE.to_owned(),
    };
    let sql = RoleSql {
        target: "shop",
        policy: "the demo's policy",
        identity: &identity,
        reads: &reads,
        statement_ms_max: STATEMENT_MS_MAX,
        views: None,
    };
    Ok(sql.text())
}

/// The text of a bundle's file on `engine`: the scripts' queries are written for both engines, but
/// for one.
pub(super) fn file<'a>(engine: Engine, script: &str, path: &str, bytes: &'a [u8]) -> &'a [u8] {
    let (other_script, other_path, text) = TIMELINE;
    let replaced = engine == Engine::Postgres && (script, path) == (other_script, other_path);
    if replaced { text.as_bytes() } else { bytes }
}
