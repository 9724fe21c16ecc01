//! What must not be read or written: refused by the gate, and with the gate out of the way by the
//! role and the session, as far as PostgreSQL can.

use targets::postgres::startup_options;
use tests::postgres::cluster::Server;
use tests::postgres::{CANARY, DATABASE, READER, outcome, shop};

/// Statements that reach for hidden data. The role refuses all of these by itself.
const READS: &[&str] = &[
    "select ssn from shop.customers",
    "select c.email from shop.customers c",
    "select c from shop.customers c",
    "select c.row_to_json from shop.customers c",
    "select id from shop.customers where name like 'c%'",
    "select id from shop.customers order by ssn",
    "select count(*) from shop.customers a join shop.customers b using (ssn)",
    "select * from shop.customers natural join (select 'canary-7' as ssn) x",
    "select card from shop.payments",
    "select note from shop.orders",
    "select note from shop.orders_2026_11",
    "select * from vault.api_keys",
    "select * from shop.v_keys",
    "with stuck as (select * from shop.v_keys) select * from stuck",
    "select id, (select secret from vault.api_keys limit 1) from shop.items",
    "select id from shop.customers limit (select count(*) from vault.api_keys)",
    "select query_to_xml('select secret from vault.api_keys', true, false, '')",
    "select ('select to_tsvector(ssn) from shop.customers'::text).ts_stat",
    "select rolpassword from pg_authid",
    "select ('/etc/passwd'::text).pg_read_file",
    "select pg_read_file('/etc/passwd')",
    "select <!> 1",
    "select leak(1)",
    "table vault.api_keys",
];

/// Whole rows: every column of the table for PostgreSQL, which the role therefore refuses; the granted
/// ones for the gate, which puts them in the table's place.
const WHOLE_ROWS: &[&str] =
    &["select row_to_json(c) from shop.customers c", "select json_agg(c) from shop.customers c"];

/// Statements that would change something, here or elsewhere.
const WRITES: &[&str] = &[
    "insert into shop.items values (1, 'x', 1, 1)",
    "update shop.items set quantity = 0",
    "delete from shop.items",
    "with gone as (delete from shop.items returning *) select * from gone",
    "select * from shop.items for update",
    "select * into shop.copy from shop.items",
    "create table shop.mine (id int)",
    "create temp table mine (id int)",
    "truncate shop.items",
    "copy shop.items to program 'touch /tmp/borescope-was-here'",
    "copy shop.items to stdout",
    "select lo_create(0)",
    "select pg_promote()",
    "select pg_wal_replay_pause()",
    "select pg_create_physical_replication_slot('mine')",
    "select pg_reload_conf()",
    "select txid_current()",
    "select nextval('shop.customers_id_seq')",
    "notify everybody",
    "vacuum",
    "set session authorization boss",
    "set role boss",
    "alter system set port = 1",
];

/// What the role and the session cannot stop: the gate alone does. The first leaks a secret.
const ONLY_THE_GATE: &[&str] = &[
    "select shop.leak(1)",
    "select (1).leak",
    "select 1 operator(shop.<!>) 1",
    "select pg_sleep(0)",
    "select x.pg_sleep from generate_series(0, 0) x",
    "select set_config('statement_timeout', '0', false)",
    "select pg_advisory_lock(1)",
    "select pg_advisory_unlock_all()",
    "select pg_cancel_backend(0)",
    "select rolname from pg_roles",
    "select prosrc from pg_proc limit 1",
    "select current_setting('data_directory', true)",
    "do $$ begin perform 1; end $$",
    "begin",
    "commit",
    "show all",
    "explain select 1",
    "select 1; select 2",
    "",
];

#[tokio::test]
async fn the_gate_refuses_all_of_it() {
    for sql in READS.iter().chain(WRITES).chain(ONLY_THE_GATE) {
        let seen = outcome(sql).await;
        assert!(seen.starts_with("not-allowed: "), "{sql}: {seen}");
    }
}

#[tokio::test]
async fn a_whole_row_is_the_granted_columns() {
    for sql in WHOLE_ROWS {
        let seen = outcome(sql).await;
        assert!(seen.contains("country"), "{sql}: {seen}");
        for hidden in [CANARY, "ssn", "email", "name"] {
            assert!(!seen.contains(hidden), "{sql}: {seen}");
        }
    }
}

#[tokio::test]
async fn with_the_gate_out_of_the_way_the_role_and_the_session_still_refuse() {
    let client = ungated(&shop().standby).await;
    for sql in READS.iter().chain(WHOLE_ROWS).chain(WRITES) {
        client.batch_execute("BEGIN READ ONLY; SELECT 1").await.unwrap();
        let answer = client.simple_query(sql).await;
        assert!(answer.is_err(), "{sql}: {answer:?}");
        client.batch_execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test]
async fn without_the_gate_a_definer_s_function_leaks() {
    // That is why there is a gate. It runs with its owner's rights, and everybody may call it.
    let client = ungated(&shop().standby).await;
    let row = client.query_one("select shop.leak(1)", &[]).await.unwrap();
    assert!(row.get::<_, String>(0).contains(CANARY));
    assert!(!outcome("select shop.leak(1)").await.contains(CANARY));
}

#[tokio::test]
async fn without_pinned_names_an_operator_of_the_schema_would_be_found() {
    let shop = shop();
    let open = connect(&shop.standby, "-c search_path=shop").await;
    assert!(open.query_one("select <!> 1", &[]).await.is_ok());
    let pinned = ungated(&shop.standby).await;
    assert!(pinned.query_one("select <!> 1", &[]).await.is_err());
}

/// The login role with a session's start-up options, but without everything else of ours.
async fn ungated(server: &Server) -> tokio_postgres::Client {
    connect(server, &startup_options(10_000)).await
}

async fn connect(server: &Server, options: &str) -> tokio_postgres::Client {
    let mut config = tokio_postgres::Config::new();
    config.host_path(server.socket_directory()).port(server.port());
    config.user(READER).dbname(DATABASE).options(options);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
