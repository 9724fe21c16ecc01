//! A standby that changes under a session: promoted, behind, crashed. Each has a standby of its own.

use std::time::Duration;

use targets::postgres::PostgresSpec;
use targets::{Session, Spool, TargetError};
use tests::postgres::cluster::Network;
use tests::postgres::{DATABASE, open, roomy, shop, text};
use tokio::runtime::Handle;

async fn one(session: &mut Box<dyn Session>) -> Result<Spool, TargetError> {
    session.query("select count(*) n from shop.items", &[], roomy()).await
}

#[tokio::test]
async fn a_primary_is_no_target() {
    let shop = shop();
    let error = open(&shop.spec(shop.cluster.primary())).await.err().unwrap();
    assert_eq!(error, TargetError::NotReplica);
}

#[tokio::test]
async fn a_standby_that_is_promoted_between_two_statements_is_left() {
    let shop = shop();
    let standby = shop.cluster.standby(&Network::None).unwrap();
    let mut session = open(&shop.spec(&standby)).await.unwrap();
    one(&mut session).await.unwrap();
    standby.promote().unwrap();
    assert_eq!(one(&mut session).await.unwrap_err(), TargetError::NotReplica);
    assert_eq!(open(&shop.spec(&standby)).await.err().unwrap(), TargetError::NotReplica);
}

#[tokio::test]
async fn a_standby_that_is_too_far_behind_is_not_read() {
    let shop = shop();
    let primary = shop.cluster.primary();
    let standby = shop.cluster.standby(&Network::None).unwrap();
    let mut spec = shop.spec(&standby);
    spec.lag_s_max = 0;
    let write = "INSERT INTO shop.beat VALUES (now())";
    primary.sql(DATABASE, write).unwrap();
    shop.cluster.catch_up(&standby).unwrap();
    // Everything is replayed: no lag at all, however long ago the last write was.
    let mut session = fresh(&spec).await;

    standby.sql("postgres", "SELECT pg_wal_replay_pause()").unwrap();
    let behind = "SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn() \
                  AND pg_get_wal_replay_pause_state() = 'paused'";
    while standby.sql("postgres", behind).unwrap().trim() != "t" {
        primary.sql(DATABASE, write).unwrap();
    }
    let error = one(&mut session).await.unwrap_err();
    assert!(matches!(error, TargetError::Lag { found_s: Some(1..), s_max: 0 }), "{error:?}");
    assert_eq!(open(&spec).await.err().unwrap().code(), "lag");

    standby.sql("postgres", "SELECT pg_wal_replay_resume()").unwrap();
    fresh(&spec).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_catches_up_while_it_is_looked_at_is_not_read_as_it_was_before() {
    let shop = shop();
    let primary = shop.cluster.primary();
    let standby = shop.cluster.standby(&Network::None).unwrap();
    let mut spec = shop.spec(&standby);
    spec.lag_s_max = 1;
    // The look may be over before the replay goes on; then it was refused, and that is right, too.
    for id in 1_000.. {
        primary.sql(DATABASE, "INSERT INTO shop.beat VALUES (now())").unwrap();
        shop.cluster.catch_up(&standby).unwrap();
        let mut session = fresh(&spec).await;
        standby.sql("postgres", "SELECT pg_wal_replay_pause()").unwrap();
        let paused = "SELECT pg_get_wal_replay_pause_state() = 'paused'";
        while standby.sql("postgres", paused).unwrap().trim() != "t" {
            primary.sql(DATABASE, "INSERT INTO shop.beat VALUES (now())").unwrap();
        }
        let write = format!("INSERT INTO shop.documents VALUES ({id}, 'new')");
        primary.sql(DATABASE, &write).unwrap();
        let behind = "SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn() \
                      AND now() - pg_last_xact_replay_timestamp() > '2 s'";
        while standby.sql("postgres", behind).unwrap().trim() != "t" {}
        let read = format!("select count(*) n from shop.documents where id = {id}");
        let (read, resumed) = std::thread::scope(|scope| {
            let resume = "SELECT pg_wal_replay_resume()";
            let resumed = scope.spawn(|| standby.sql("postgres", resume));
            let read = session.query(&read, &[], roomy());
            let read = tokio::task::block_in_place(|| Handle::current().block_on(read));
            (read, resumed.join().unwrap())
        });
        resumed.unwrap();
        match read {
            Ok(spool) => {
                assert_eq!(text(spool), "Int64(1)\n", "what came seconds before is there");
                return;
            }
            Err(error) => assert_eq!(error.code(), "lag"),
        }
    }
}

/// A session at a moment without lag; other tests' backups write to the primary as well.
async fn fresh(spec: &PostgresSpec) -> Box<dyn Session> {
    let look = async {
        loop {
            if let Ok(session) = open(spec).await {
                return session;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), look).await.unwrap()
}

#[tokio::test]
async fn a_server_that_crashes_under_a_session_is_named_and_the_session_is_over() {
    let shop = shop();
    let standby = shop.cluster.standby(&Network::None).unwrap();
    let mut session = open(&shop.spec(&standby)).await.unwrap();
    one(&mut session).await.unwrap();
    standby.crash().unwrap();
    let error = one(&mut session).await.unwrap_err();
    assert!(["disconnected", "session-lost"].contains(&error.code()), "{error:?}");
    assert_eq!(one(&mut session).await.unwrap_err().code(), "session-lost");
    // A new session, on the server that came back, works.
    one(&mut open(&shop.spec(&standby)).await.unwrap()).await.unwrap();
}
