//! A shop on PostgreSQL: a primary with the schema of `cases/postgres`, and a standby that streams
//! from it, which is what targets are.
//!
//! One for each test process, started by whoever needs it first. It stops when the process ends,
//! however it ends.

use std::sync::OnceLock;

use domain::{ParamType, Value};
use targets::postgres::{
    Access, Host, Identity, MaskViews, PostgresConnector, PostgresSpec, Relation, RoleSql,
    Sessions, Tls,
};
use targets::{Caps, Connector as _, HashKeys, Session, Spool, TargetError};

#[path = "../../runner/cli/src/demo/postgres/cluster/mod.rs"]
pub mod cluster;

use cluster::{Cluster, Network, Programs, Server};

const SCHEMA: &str = include_str!("../cases/postgres/schema.sql");
const PEOPLE: &str = include_str!("../cases/postgres/people.sql");
/// The database.
pub const DATABASE: &str = "shop";
/// The least-privilege role of `cases/postgres/schema.sql`.
pub const READER: &str = "reader";
/// Its password, which the network asks for.
pub const PASSWORD: &str = "reader-password";
/// In everything that no query may see.
pub const CANARY: &str = "canary";

/// What policy grants of the schema.
const READS: &[(&str, &[&str])] = &[
    ("customers", &["id", "country", "created_at", "tags", "settings"]),
    ("orders", &["id", "customer_id", "status", "total", "placed_at", "paid_at"]),
    ("items", &["order_id", "sku", "quantity", "price"]),
    ("payments", &["id", "order_id", "state", "amount", "meta"]),
    ("documents", &["id", "body"]),
    ("stuck", &["id", "total", "country"]),
    ("daily", &["day", "orders", "total"]),
];

/// The running shop.
#[derive(Debug)]
pub struct Shop {
    /// The primary.
    pub cluster: Cluster,
    /// The standby that most tests read; to be left as it is.
    pub standby: Server,
    system_identifier: u64,
}

/// The shop of this process.
///
/// # Panics
/// Where PostgreSQL's server programs are missing: a test that cannot run has not passed.
#[must_use]
pub fn shop() -> &'static Shop {
    // Kept even when it failed: the next test would wait for the same.
    static SHOP: OnceLock<Result<Shop, String>> = OnceLock::new();
    match SHOP.get_or_init(|| Shop::start().map_err(|e| e.to_string())) {
        Ok(shop) => shop,
        Err(problem) => panic!("there is no PostgreSQL to test with: {problem}"),
    }
}

/// A cluster that is not the shop's.
///
/// # Errors
/// When the server's programs are missing, or it does not start.
#[expect(clippy::disallowed_methods, reason = "the search path is the environment's")]
pub fn another_cluster() -> std::io::Result<Cluster> {
    let path = std::env::var("PATH").unwrap_or_default();
    let missing = "the server's programs (postgres, initdb, pg_basebackup, psql) are neither on the \
                   PATH nor under /usr/lib/postgresql; install them: apt-get install postgresql";
    let programs = Programs::find(&path).ok_or_else(|| std::io::Error::other(missing))?;
    Cluster::start(programs)
}

impl Shop {
    fn start() -> std::io::Result<Self> {
        let cluster = another_cluster()?;
        let primary = cluster.primary();
        primary.sql("postgres", "CREATE DATABASE shop")?;
        primary.sql(DATABASE, SCHEMA)?;
        primary.sql(DATABASE, PEOPLE)?;
        let system = "SELECT system_identifier FROM pg_control_system()";
        let system = primary.sql("postgres", system)?;
        let system_identifier = system.trim().parse().map_err(std::io::Error::other)?;
        let standby = cluster.standby(&Network::None)?;
        Ok(Self { cluster, standby, system_identifier })
    }

    /// A target on the shared standby with a database and a role of its own: `schema` makes what is
    /// there, and the printed SQL the role.
    #[must_use]
    pub fn own(&self, name: &str, schema: &str, reads: Vec<Relation>) -> PostgresSpec {
        let primary = self.cluster.primary();
        primary.sql("postgres", &format!("CREATE DATABASE {name}")).unwrap();
        primary.sql(name, schema).unwrap();
        let mut spec = self.spec(&self.standby);
        spec.identity.database = name.into();
        spec.identity.role = name.into();
        spec.reads = reads;
        spec.access.application_name = name.into();
        primary.sql(name, &role_sql(&spec)).unwrap();
        self.cluster.catch_up(&self.standby).unwrap();
        spec
    }

    /// The target as policy and configuration describe it, by the socket of a server.
    #[must_use]
    pub fn spec(&self, server: &Server) -> PostgresSpec {
        let mut reads: Vec<Relation> = READS.iter().map(|(n, c)| relation(n, c)).collect();
        let columns = "SELECT attname FROM pg_attribute WHERE attrelid = 'shop.every_type'::regclass \
                       AND attnum > 0 ORDER BY attnum";
        let columns = self.cluster.primary().sql(DATABASE, columns).unwrap();
        reads.push(relation("every_type", &columns.lines().collect::<Vec<_>>()));
        PostgresSpec {
            access: Access {
                host: Host::Socket(server.socket_directory().to_owned()),
                port: server.port(),
                tls: Tls::Off,
                password: None,
                application_name: "borescope".into(),
            },
            identity: Identity {
                system_identifier: self.system_identifier,
                database: DATABASE.into(),
                role: READER.into(),
            },
            reads,
            keys: HashKeys::new(),
            statement_ms_max: 60_000,
            lag_s_max: 30,
            recursion: false,
            cost_max: u64::MAX,
            prod: false,
        }
    }
}

/// The SQL that makes a target's role.
#[must_use]
pub fn role_sql(spec: &PostgresSpec) -> String {
    role_sql_with(spec, None)
}

/// The same, with views of what is hidden.
#[must_use]
pub fn role_sql_with(spec: &PostgresSpec, views: Option<&MaskViews>) -> String {
    let sql = RoleSql {
        target: "shop-replica",
        policy: "policy version 1",
        identity: &spec.identity,
        reads: &spec.reads,
        statement_ms_max: spec.statement_ms_max,
        views,
    };
    sql.text()
}

/// The same target, behind another server.
#[must_use]
pub fn at(spec: &PostgresSpec, server: &Server) -> PostgresSpec {
    let mut spec = spec.clone();
    spec.access.host = Host::Socket(server.socket_directory().to_owned());
    spec.access.port = server.port();
    spec
}

/// A relation of the schema `shop`.
#[must_use]
pub fn relation(name: &str, columns: &[&str]) -> Relation {
    Relation::plain("shop", name, columns.iter().map(|c| (*c).to_owned()).collect())
}

/// Caps that nothing reaches.
#[must_use]
pub fn roomy() -> Caps {
    Caps { rows_max: 1_000_000, bytes_max: 512 << 20, time_ms_max: 60_000 }
}

/// Opens a session.
///
/// # Errors
/// As the connector.
pub async fn open(spec: &PostgresSpec) -> Result<Box<dyn Session>, TargetError> {
    PostgresConnector::new(spec.clone(), Sessions::at_most(1)).open_session().await
}

/// One statement in a session of its own on the shop's standby.
///
/// # Errors
/// As the session.
pub async fn query(sql: &str, params: &[(ParamType, Value)]) -> Result<Spool, TargetError> {
    let shop = shop();
    open(&shop.spec(&shop.standby)).await?.query(sql, params, roomy()).await
}

/// All rows as text, one a line; or the error.
pub async fn outcome(sql: &str) -> String {
    match query(sql, &[]).await {
        Ok(spool) => text(spool),
        Err(e) => format!("{}: {e}\n", e.code()),
    }
}

/// Rows as text, one a line.
#[must_use]
pub fn text(mut spool: Spool) -> String {
    let (rows, _) = spool.next(usize::MAX);
    let line = |row: Vec<Value>| {
        let cells: Vec<String> = row.iter().map(|v| format!("{v:?}")).collect();
        format!("{}\n", cells.join(" | "))
    };
    rows.into_iter().map(line).collect()
}
