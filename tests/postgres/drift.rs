//! The catalog changes between the review and the run: what the query would now read or compute is not
//! what somebody looked at.

use domain::QueryAnalysis;
use targets::postgres::gate::{Grant, gate};
use targets::postgres::{
    Filter, Hidden, PostgresConnector, PostgresSpec, Relation, Sessions, analyse,
};
use targets::{Connector as _, Session, TargetError};
use tests::postgres::cluster::Network;
use tests::postgres::{open, roomy, shop};

const SETUP: &str = "
    CREATE SCHEMA app;
    CREATE TYPE app.state AS ENUM ('new', 'paid');
    CREATE DOMAIN app.country AS text CHECK (VALUE ~ '^[A-Z]{2}$');
    CREATE TABLE app.orders (id bigint, total numeric, state app.state, country app.country, note text);
    INSERT INTO app.orders VALUES (1, 2.50, 'paid', 'DE', 'canary');
    CREATE FUNCTION app.net(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 1.19';
    CREATE VIEW app.inner_view AS SELECT id, app.net(total) AS net, country FROM app.orders;
    CREATE VIEW app.sums AS SELECT country, sum(net) AS net FROM app.inner_view GROUP BY country;
    GRANT USAGE ON SCHEMA app TO reader;
    GRANT SELECT (id, total, state, country, note) ON app.orders TO reader;
    GRANT SELECT ON app.sums TO reader;";

const SQL: &str = "SELECT o.id, upper(o.country) AS country, o.total, o.state, s.net \
                   FROM app.orders o JOIN app.sums s ON s.country = o.country";

async fn analysed(spec: &PostgresSpec) -> QueryAnalysis {
    let catalog =
        PostgresConnector::new(spec.clone(), Sessions::at_most(1)).catalog().await.unwrap();
    let gated = gate(SQL, &[], &Grant::of(spec.reads.clone())).unwrap();
    analyse("orders".parse().unwrap(), &gated, &catalog)
}

async fn runs(
    session: &mut Box<dyn Session>,
    reviewed: &QueryAnalysis,
) -> Result<u64, TargetError> {
    let spool = session.query_as_reviewed(SQL, &[], roomy(), Some(reviewed)).await?;
    Ok(spool.rows())
}

#[tokio::test]
async fn a_query_runs_on_the_catalog_that_was_reviewed_and_on_no_other() {
    let shop = shop();
    let primary = shop.cluster.primary();
    primary.sql("postgres", "CREATE DATABASE drift").unwrap();
    primary.sql("drift", SETUP).unwrap();
    let standby = shop.cluster.standby(&Network::None).unwrap();
    let mut spec = shop.spec(&standby);
    spec.identity.database = "drift".into();
    let relation = |name: &str, columns: &[&str]| {
        Relation::plain("app", name, columns.iter().map(|c| (*c).to_owned()).collect())
    };
    spec.reads = vec![
        relation("orders", &["id", "total", "state", "country"]),
        relation("sums", &["country", "net"]),
    ];
    // A column that queries do not see, and a function that none of them calls.
    let filter = Some(Filter::parse("note IS NULL OR lower(note) <> 'gone'").unwrap());
    spec.reads[0].hidden = Hidden { filter, ..Hidden::default() };
    let changed = |sql: &str| {
        primary.sql("drift", sql).unwrap();
        shop.cluster.catch_up(&standby).unwrap();
    };

    let reviewed = analysed(&spec).await;
    assert_eq!(reviewed.catalog.functions.len(), 2, "{reviewed:?}");
    let mut session = open(&spec).await.unwrap();
    assert_eq!(runs(&mut session, &reviewed).await, Ok(1));

    for harmless in [
        "ANALYZE app.orders",
        "INSERT INTO app.orders VALUES (2, 3, 'new', 'DE', 'x')",
        "CREATE INDEX ON app.orders (country)",
        "ALTER TABLE app.orders ADD COLUMN more int",
        "COMMENT ON COLUMN app.orders.total IS 'gross'",
        "CREATE TABLE app.other (id int)",
    ] {
        changed(harmless);
        assert!(runs(&mut session, &reviewed).await.is_ok(), "{harmless}");
        assert_eq!(analysed(&spec).await, reviewed, "{harmless}");
    }

    let view = "the view app.sums, or what it rests on, has another definition";
    for (change, told) in [
        (
            "ALTER TABLE app.orders ALTER note TYPE varchar(9)",
            "app.orders.note was text and is character varying(9)",
        ),
        ("ALTER TYPE app.state ADD VALUE 'lost'", "the type app.state of app.orders.state has"),
        (
            "ALTER DOMAIN app.country ADD CONSTRAINT known CHECK (VALUE <> 'XX')",
            "the type app.country of app.orders.country has",
        ),
        (
            "CREATE OR REPLACE FUNCTION app.net(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE \
             AS 'SELECT $1 / 1.07'",
            view,
        ),
        (
            "CREATE OR REPLACE VIEW app.inner_view AS SELECT id, length(note)::numeric AS net, country \
             FROM app.orders",
            view,
        ),
        (
            "CREATE OR REPLACE VIEW app.sums AS SELECT country, max(net) AS net \
             FROM app.inner_view GROUP BY country",
            view,
        ),
        (
            "ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY; \
             CREATE POLICY mine ON app.orders USING (country = 'DE')",
            "app.orders has other policies of row security",
        ),
        (
            "ALTER POLICY mine ON app.orders USING (true)",
            "app.orders has other policies of row security",
        ),
        (
            "DROP VIEW app.sums; ALTER TABLE app.orders RENAME total TO was; \
             ALTER TABLE app.orders ADD COLUMN total float8; \
             CREATE VIEW app.sums AS SELECT country, count(*)::numeric AS net FROM app.orders GROUP BY 1; \
             GRANT SELECT ON app.sums TO reader; GRANT SELECT (total) ON app.orders TO reader",
            "app.orders.total was numeric and is double precision",
        ),
    ] {
        let reviewed = analysed(&spec).await;
        let mut session = open(&spec).await.unwrap();
        assert!(runs(&mut session, &reviewed).await.is_ok(), "before {change}");
        changed(change);
        let error = runs(&mut session, &reviewed).await.unwrap_err();
        assert!(error.code() == "drift" && error.to_string().contains(told), "{change}: {error}");
        // Whoever reviews what is there now lets it run; in a new session, because one that was open
        // reads no column that took a granted one's name.
        let again = analysed(&spec).await;
        let mut session = open(&spec).await.unwrap();
        let ran = runs(&mut session, &again).await;
        assert!(ran.is_ok(), "after {change}: {ran:?}");
    }
}
