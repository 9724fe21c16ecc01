//! Attacks and ordinary use against real SQLite files.

mod attacks;
mod capacity;
mod corpus;
mod drift;
mod limits;
mod masked;
mod opening;
mod reads;
mod types;
mod views;

use domain::{ParamType, Value};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{SqliteConnector, SqliteSpec, TableReads};
use crate::{Caps, Connector, HashKeys, Session, Spool, TargetError};

/// A made-up id of the test database.
const APPLICATION_ID: i32 = 0x0b0e_5c09;

const SETUP: &str = "
    create table users(id integer primary key, email text, country text, ssn text, created_at text);
    create table orders(id integer primary key, user_id int, total real);
    create table secrets(v text, id int);
    create table keyless(a text, hidden text);
    insert into keyless values ('x', 'y');
    insert into secrets values ('hunter2', 1);
    create view v_secrets as select * from secrets;
    create view v_users as select * from users;
    create view v_open as select id, country from users;
    create view v_joined as select u.id from users u join secrets s on u.id = s.id;
    create index users_ssn on users(ssn);
    with recursive t(n) as (select 1 union all select n + 1 from t where n < 1000)
    insert into users select n, 'user' || n || '@example.com', 'DE', 'ssn' || n, '2026-01-01' from t;
    insert into orders select id, id, id * 1.5 from users;
    analyze;";

fn roomy() -> Caps {
    Caps { rows_max: 100_000, bytes_max: 100 << 20, time_ms_max: 10_000 }
}

fn reads(table: &str, columns: &[&str]) -> TableReads {
    TableReads::plain(table, columns.iter().map(|c| (*c).into()).collect())
}

/// A database file with what queries may see of it.
struct Shop {
    dir: TempDir,
    spec: SqliteSpec,
}

impl Shop {
    fn new() -> Self {
        let granted = vec![
            reads("users", &["id", "country", "created_at"]),
            reads("orders", &["id", "user_id", "total"]),
            reads("keyless", &["a"]),
            reads("v_open", &["id", "country"]),
            reads("v_joined", &["id"]),
        ];
        Self::with(SETUP, granted)
    }

    fn with(setup: &str, reads: Vec<TableReads>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(setup).unwrap();
        conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        let spec = SqliteSpec {
            path,
            application_id: APPLICATION_ID,
            reads,
            recursion: true,
            keys: HashKeys::new(),
            statement_ms_max: 10_000,
        };
        Self { dir, spec }
    }

    /// A connection with no guard at all: shows that an attack works without us.
    fn plain(&self) -> Connection {
        Connection::open(&self.spec.path).unwrap()
    }

    async fn session(&self) -> Box<dyn Session> {
        SqliteConnector::new(self.spec.clone()).open_session().await.unwrap()
    }

    async fn query(&self, sql: &str) -> Result<Spool, TargetError> {
        self.query_with(sql, &[], roomy()).await
    }

    async fn query_with(
        &self,
        sql: &str,
        params: &[(ParamType, Value)],
        caps: Caps,
    ) -> Result<Spool, TargetError> {
        self.session().await.query(sql, params, caps).await
    }

    /// All rows as text, or the error's code.
    async fn outcome(&self, sql: &str) -> String {
        match self.query(sql).await {
            Ok(mut spool) => format!("{:?}", spool.next(usize::MAX).0),
            Err(e) => e.code().into(),
        }
    }
}
