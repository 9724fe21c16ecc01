//! The server is not what policy names, the role can do too much, or the grant does not fit: a named
//! error before any statement.

use std::fmt::Write as _;

use expect_test::expect;
use targets::postgres::PostgresSpec;
use tests::postgres::{open, relation, shop};

async fn refusal(change: impl FnOnce(&mut PostgresSpec)) -> String {
    let shop = shop();
    let mut spec = shop.spec(&shop.standby);
    change(&mut spec);
    match open(&spec).await {
        Ok(_) => "opened".into(),
        Err(e) => format!("{}: {e}", e.code()),
    }
}

#[tokio::test]
async fn another_cluster_database_or_role_is_named() {
    let system = refusal(|s| s.identity.system_identifier = 7).await;
    assert!(
        system.starts_with(
            "identity: the target is not what policy names: its system identifier is "
        )
    );
    assert!(system.contains(", expected 7; correct the address"), "{system}");
    let mut seen = String::new();
    for refused in [
        refusal(|s| s.identity.database = "shoppe".into()).await,
        refusal(|s| s.identity.database = "postgres".into()).await,
        refusal(|s| s.identity.role = "nobody-of-this-name".into()).await,
    ] {
        writeln!(seen, "{refused}").unwrap();
    }
    expect![[r#"
        identity: the target is not what policy names: its database is absent, expected shoppe; correct the address, or sign a policy with the new database
        missing: the target has no table shop.customers, which policy grants; correct the policy or the schema
        unreachable: the target cannot be opened: the server refuses the role: check that it exists, its password file, and pg_hba.conf
    "#]].assert_eq(&seen);
}

#[tokio::test]
async fn a_role_that_can_do_more_than_read_is_refused() {
    let mut seen = String::new();
    for role in ["boss", "copier", "see_all", "watcher", "owner", "writer", "stranger"] {
        let refused = refusal(|s| {
            s.identity.role = role.into();
            s.reads = vec![relation("items", &["sku"])];
        });
        writeln!(seen, "{}", refused.await).unwrap();
    }
    expect![[r#"
        role: the role boss is a superuser; give the target a role that can only read what is granted
        role: the role copier may replicate the whole cluster; give the target a role that can only read what is granted
        role: the role see_all bypasses row security; give the target a role that can only read what is granted
        role: the role watcher is a member of a role with powers; give the target a role that can only read what is granted
        role: the role owner owns relations, functions or the like; give the target a role that can only read what is granted
        role: the role writer may write; give the target a role that can only read what is granted
        ungrantable: policy grants table shop.items, but the role may not use its schema; GRANT USAGE ON SCHEMA to the role
    "#]].assert_eq(&seen);
}

#[tokio::test]
async fn a_grant_that_does_not_fit_the_schema_is_refused() {
    let mut seen = String::new();
    for read in [
        relation("absent", &["id"]),
        relation("items", &["sku", "colour"]),
        relation("items", &["ctid"]),
        relation("customers", &["id", "ssn"]),
        relation("v_keys", &["secret"]),
        relation("orders_customer", &["customer_id"]),
        relation("spread", &["id"]),
        relation("spread_1", &["id"]),
    ] {
        writeln!(seen, "{}", refusal(|s| s.reads = vec![read]).await).unwrap();
    }
    expect![[r#"
        missing: the target has no table shop.absent, which policy grants; correct the policy or the schema
        missing: the target has no column shop.items.colour, which policy grants; correct the policy or the schema
        missing: the target has no column shop.items.ctid, which policy grants; correct the policy or the schema
        ungrantable: policy grants column shop.customers.ssn, but the role may not read it; GRANT SELECT on it to the role
        ungrantable: policy grants column shop.v_keys.secret, but the role may not read it; GRANT SELECT on it to the role
        ungrantable: policy grants table shop.orders_customer, but it is, or has parts that are, not a table or view of this server; grant something else
        ungrantable: policy grants table shop.spread, but it is, or has parts that are, not a table or view of this server; grant something else
        ungrantable: policy grants table shop.spread_1, but it is, or has parts that are, not a table or view of this server; grant something else
    "#]].assert_eq(&seen);
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_named() {
    let refused = refusal(|s| s.access.port = 1).await;
    assert_eq!(
        refused,
        "unreachable: the target cannot be opened: nothing answers there: check the host, the \
         port, and that the server accepts connections"
    );
}
