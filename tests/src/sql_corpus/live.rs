//! A corpus against servers: the reference database on a primary, and the target, its standby.
//!
//! What the gate lets pass is executed through the real connector as the least-privilege role. Then
//! nothing may have changed on either server, and nothing may run there any more.

use std::io;
use std::time::{Duration, Instant};

use domain::{ParamType, Value};
use targets::postgres::{Access, Host, Identity, PostgresSpec, Tls};
use targets::{Caps, HashKeys, TargetError};

use super::{Grant, Statement};
use crate::postgres::cluster::{Cluster, Network, Programs, Server};

const SETUP: &str = include_str!("../../cases/sql-corpus/postgres.sql");
/// The database of the corpora.
pub(crate) const DATABASE: &str = "app";
const READER: &str = "reader";
/// Milliseconds of a statement; the bombs of a corpus are to reach it.
const STATEMENT_MS_MAX: u64 = 2_000;
/// What the planner may expect of a statement, as policies have it that do not say.
const COST_MAX: u64 = 10_000_000;
/// Milliseconds in which a statement has ended, and the server with it.
const ENDED_MS_MAX: u64 = STATEMENT_MS_MAX + 4_000;
const CAPS: Caps = Caps { rows_max: 10_000, bytes_max: 16 << 20, time_ms_max: STATEMENT_MS_MAX };

/// What a statement could leave behind on a primary; one line.
const PRIMARY_STATE: &str = "
    SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc),
           (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM pg_replication_slots),
           (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), (SELECT count(*) FROM pg_roles),
           (SELECT md5(string_agg(name || '=' || setting, ',' ORDER BY name)) FROM pg_settings
            WHERE source = 'configuration file'),
           (SELECT count(*) FROM vault.secrets), (SELECT count(*) FROM lockme),
           (SELECT last_value FROM seq1), pg_notification_queue_usage()";
/// The same on a standby, with what still runs there.
const STANDBY_STATE: &str = "
    SELECT pg_is_in_recovery(), pg_is_wal_replay_paused(),
           (SELECT count(*) FROM pg_replication_slots),
           (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
           (SELECT md5(string_agg(name || '=' || setting, ',' ORDER BY name)) FROM pg_settings
            WHERE source = 'configuration file'),
           (SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND state <> 'idle')";

/// The servers.
pub struct Servers {
    cluster: Cluster,
    standby: Server,
    spec: PostgresSpec,
    state: String,
}

/// What became of a statement that was sent.
pub(super) struct Lived {
    /// The rows, or the error as a script and its caller see it.
    pub(super) answer: Result<String, String>,
    /// What is wrong with the servers since.
    pub(super) damage: Option<String>,
}

impl Servers {
    /// Starts and provisions them.
    ///
    /// # Errors
    /// When PostgreSQL's programs are missing, or what they said.
    pub fn start(grant: &Grant) -> io::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "the search path is the environment's")]
        let path = std::env::var("PATH").unwrap_or_default();
        let missing = "the programs of a PostgreSQL server are missing: apt-get install postgresql";
        let programs = Programs::find(&path).ok_or_else(|| io::Error::other(missing))?;
        let cluster = Cluster::start(programs)?;
        let primary = cluster.primary();
        primary.sql("postgres", "CREATE DATABASE app")?;
        primary.sql(DATABASE, SETUP)?;
        let system =
            primary.sql("postgres", "SELECT system_identifier FROM pg_control_system()")?;
        let system_identifier = system.trim().parse().map_err(io::Error::other)?;
        let standby = cluster.standby(&Network::None)?;
        let spec = PostgresSpec {
            access: Access {
                host: Host::Socket(standby.socket_directory().to_owned()),
                port: standby.port(),
                tls: Tls::Off,
                password: None,
                application_name: "borescope".into(),
            },
            identity: Identity {
                system_identifier,
                database: DATABASE.into(),
                role: READER.into(),
            },
            reads: grant.relations.clone(),
            recursion: grant.recursion,
            keys: HashKeys::new(),
            statement_ms_max: STATEMENT_MS_MAX,
            cost_max: COST_MAX,
            lag_s_max: 30,
            prod: false,
        };
        let mut servers = Self { cluster, standby, spec, state: String::new() };
        servers.state = servers.now()?;
        Ok(servers)
    }

    /// The primary, which is nobody's target.
    #[must_use]
    pub fn primary(&self) -> &Server {
        self.cluster.primary()
    }

    fn now(&self) -> io::Result<String> {
        let primary = self.cluster.primary().sql(DATABASE, PRIMARY_STATE)?;
        let standby = self.standby.sql(DATABASE, STANDBY_STATE)?;
        Ok(format!("{} / {}", primary.trim(), standby.trim()))
    }

    /// Runs a statement that the gate lets pass.
    pub(super) async fn run(&self, statement: &Statement) -> Lived {
        let started = Instant::now();
        let answer = self.answer(statement).await.map_err(|e| e.to_string());
        let damage = self.damage(started);
        Lived { answer, damage }
    }

    async fn answer(&self, statement: &Statement) -> Result<String, TargetError> {
        let mut session = crate::postgres::open(&self.spec).await?;
        let params: Vec<_> = statement.params.iter().map(param).collect();
        let spool = session.query(&statement.sql, &params, CAPS).await?;
        Ok(crate::postgres::text(spool))
    }

    /// Looks until the servers are as they were, or the time is up.
    fn damage(&self, started: Instant) -> Option<String> {
        loop {
            let now = self.now().unwrap_or_else(|e| e.to_string());
            let is_late = started.elapsed() > Duration::from_millis(ENDED_MS_MAX);
            match (now == self.state, is_late) {
                (true, false) => return None,
                (true, true) => {
                    return Some(format!("it took {} ms", started.elapsed().as_millis()));
                }
                (false, true) => {
                    return Some(format!("the servers changed: {now}; before: {}", self.state));
                }
                (false, false) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

/// A parameter of the type that its JSON has.
pub(super) fn param(value: &serde_json::Value) -> (ParamType, Value) {
    use serde_json::Value as Json;
    match value {
        Json::Null => (ParamType::Text, Value::Null),
        Json::Bool(b) => (ParamType::Bool, Value::Boolean(*b)),
        Json::Number(n) => match n.as_i64() {
            Some(i) => (ParamType::Int8, Value::Int64(i)),
            None => (ParamType::Float8, Value::Float64(n.as_f64().unwrap_or(0.0))),
        },
        Json::String(s) => (ParamType::Text, Value::Text(s.clone())),
        other => (ParamType::Json, Value::Json(other.to_string())),
    }
}
