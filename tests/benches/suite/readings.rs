//! The database that the benches read: id, time, sensor and value, in SQLite and in PostgreSQL, as
//! policy and runner know it and as a plain program reads it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use executor::Connectors;
use executor::ports::{TargetAccess, Ways};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use targets::postgres::{Access, Host, Tls};
use tests::company::{TARGET, p};
use tests::postgres::cluster::{Cluster, Network, Programs, Server};
use trust::{PostgresIdentity, SqliteIdentity, TargetIdentity};

use super::Scale;
use super::bed::workshop;

/// The query of `meter`.
pub(super) const READINGS: &str =
    "SELECT r.id, r.at, r.sensor, r.value FROM readings AS r ORDER BY r.id LIMIT $1";

/// `PRAGMA application_id` of the SQLite file.
const APPLICATION_ID: u32 = 0x5245_4144;
/// The role of the plain program and of the runner at PostgreSQL.
const ROLE: &str = "reader";
/// What the runner calls itself there.
pub(super) const APPLICATION: &str = "borescope";

/// How many readings there are.
pub(super) fn size(scale: Scale) -> u64 {
    scale.pick(1_000_000, 1_000)
}

/// A target with readings.
pub(super) struct Readings {
    pub(super) identity: TargetIdentity,
    /// The table as policy names it.
    pub(super) table: &'static str,
    pub(super) lag_s_max: Option<u64>,
    pub(super) connectors: Arc<dyn Connectors>,
    access: TargetAccess,
}

impl Readings {
    fn new(identity: TargetIdentity, table: &'static str, access: TargetAccess) -> Self {
        let lag_s_max = matches!(identity, TargetIdentity::Postgres(_)).then_some(30);
        let connectors = Arc::new(Ways([(p(TARGET), access.clone())].into()));
        Self { identity, table, lag_s_max, connectors, access }
    }

    /// A file with so many readings; made once, then only read.
    pub(super) fn sqlite(rows: u64) -> Self {
        let identity = SqliteIdentity { application_id: APPLICATION_ID };
        let path = sqlite_file(rows);
        Self::new(TargetIdentity::Sqlite(identity), "readings", TargetAccess::Sqlite(path))
    }

    /// A standby with so many readings; an error says why there is none here.
    pub(super) fn postgres(rows: u64) -> Result<Self, String> {
        let standby = postgres_standby(rows)?;
        let system = "SELECT system_identifier FROM pg_control_system()";
        let system = standby.sql("postgres", system).map_err(|e| e.to_string())?;
        let identity = PostgresIdentity {
            system_identifier: system.trim().to_owned(),
            database: "readings".to_owned(),
            role: ROLE.to_owned(),
        };
        let access = Access {
            host: Host::Socket(standby.socket_directory().to_owned()),
            port: standby.port(),
            tls: Tls::Off,
            password: None,
            application_name: APPLICATION.to_owned(),
        };
        let access = TargetAccess::Postgres(access, targets::postgres::Sessions::at_most(64));
        Ok(Self::new(TargetIdentity::Postgres(identity), "public.readings", access))
    }

    /// What the rows of the table call it.
    pub(super) fn engine(&self) -> &'static str {
        match self.access {
            TargetAccess::Sqlite(_) => "SQLite",
            TargetAccess::Postgres(..) => "PostgreSQL",
        }
    }

    /// The path of the SQLite file.
    pub(super) fn file(&self) -> &Path {
        match &self.access {
            TargetAccess::Sqlite(path) => path,
            TargetAccess::Postgres(..) => panic!("PostgreSQL has no one file"),
        }
    }

    /// A plain connection to PostgreSQL, as the role that the runner has there; by sqlx, because that
    /// is what a plain program would take.
    pub(super) async fn postgres_sqlx(&self) -> PgConnection {
        let (socket, port) = self.socket();
        let options = PgConnectOptions::new_without_pgpass();
        let options = options.socket(socket).port(port).username(ROLE).database("readings");
        options.connect().await.unwrap()
    }

    /// A plain connection to PostgreSQL by the driver of the connector, which can cancel.
    pub(super) async fn postgres_client(&self, role: &str) -> tokio_postgres::Client {
        let (socket, port) = self.socket();
        let mut config = tokio_postgres::Config::new();
        config.host_path(socket).port(port).user(role).dbname("readings");
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    fn socket(&self) -> (&Path, u16) {
        match &self.access {
            TargetAccess::Postgres(Access { host: Host::Socket(socket), port, .. }, _) => {
                (socket, *port)
            }
            _ => panic!("SQLite has no server"),
        }
    }
}

fn sqlite_file(rows: u64) -> PathBuf {
    let path = workshop().join(format!("readings-{rows}.sqlite"));
    if !path.exists() {
        // Two processes may make it at once; each moves a whole one into place.
        let making = tempfile::tempdir_in(workshop()).unwrap();
        let partial = making.path().join("readings.sqlite");
        let db = rusqlite::Connection::open(&partial).unwrap();
        db.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID};
             CREATE TABLE readings (id INTEGER PRIMARY KEY, at TIMESTAMP NOT NULL,
                                    sensor TEXT NOT NULL, value REAL NOT NULL);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             INSERT INTO readings
             SELECT i, datetime(1700000000 + i, 'unixepoch'), 'sensor-' || (i % 97), i * 0.37 FROM n;"
        ))
        .unwrap();
        drop(db);
        std::fs::rename(partial, &path).unwrap();
    }
    path
}

/// The servers of this process; they stop when it ends.
#[expect(clippy::disallowed_methods, reason = "the search path is the environment's")]
fn postgres_standby(rows: u64) -> Result<&'static Server, String> {
    static SERVERS: OnceLock<Result<(Cluster, Server), String>> = OnceLock::new();
    let start = || {
        let path = std::env::var("PATH").unwrap_or_default();
        let programs = Programs::find(&path).ok_or("PostgreSQL's server programs are not here")?;
        start_postgres(programs, rows).map_err(|e| e.to_string())
    };
    SERVERS.get_or_init(start).as_ref().map(|(_, standby)| standby).map_err(Clone::clone)
}

fn start_postgres(programs: Programs, rows: u64) -> std::io::Result<(Cluster, Server)> {
    let cluster = Cluster::start(programs)?;
    let primary = cluster.primary();
    primary.sql("postgres", "CREATE DATABASE readings")?;
    let fill = format!(
        "CREATE TABLE readings (id int8 PRIMARY KEY, at timestamptz NOT NULL, sensor text NOT NULL,
                                value float8 NOT NULL);
         INSERT INTO readings SELECT i, to_timestamp(1700000000 + i), 'sensor-' || (i % 97), i * 0.37
         FROM generate_series(1, {rows}) AS i;
         CREATE ROLE {ROLE} LOGIN;
         GRANT SELECT ON readings TO {ROLE};
         ANALYZE;"
    );
    primary.sql("readings", &fill)?;
    let standby = cluster.standby(&Network::None)?;
    Ok((cluster, standby))
}
