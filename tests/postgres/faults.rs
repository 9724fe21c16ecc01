//! What befalls a replica while it is read, and its primary is written to all the time: each ends in
//! its named outcome, within its deadline, and leaves no query on the server.
//!
//! `cargo xtask faults` plays each many times, and those that take long.

use std::future::Future;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use targets::postgres::{PostgresSpec, Relation, check};
use targets::{Caps, Session, Spool, TargetError};
use tests::postgres::cluster::{Network, Server};
use tests::postgres::{at, open, roomy, shop, text};

use crate::between::between;
use crate::cancel::Watcher;

/// Far more than any deadline of the product.
const PATIENCE: Duration = Duration::from_secs(120);
const SCHEMA: &str = "
    CREATE TABLE work (id int PRIMARY KEY, body text, secret text);
    INSERT INTO work SELECT n, repeat('b', 200), 'canary' FROM generate_series(1, 5000) n;
    CREATE TABLE churn (id int PRIMARY KEY, n int);
    INSERT INTO churn SELECT n, 0 FROM generate_series(1, 100) n;
    ANALYZE;";
/// It would run for hours, and holds no row for long.
const SLOW: &str = "select count(*) n from work a, work b, work c where a.id < b.id";
const QUICK: &str = "select count(*) n from work";
const ROWS: &str = "select a.id, b.body from work a, work b";

/// A target of one's own, whose primary is busy.
struct Place {
    spec: PostgresSpec,
    busy: bool,
    writer: Option<JoinHandle<()>>,
}

impl Place {
    fn new(name: &str) -> Self {
        let relation = |name: &str, all: &[&str]| {
            let columns = all.iter().map(|c| (*c).to_owned()).collect();
            Relation::plain("public", name, columns)
        };
        let reads = vec![relation("work", &["id", "body"]), relation("churn", &["id", "n"])];
        let mut spec = shop().own(name, SCHEMA, reads);
        spec.lag_s_max = 600;
        let database = name.to_owned();
        let load = "DO $$ BEGIN LOOP UPDATE churn SET n = n + 1 WHERE id < 10; COMMIT; \
                    PERFORM pg_sleep(0.002); END LOOP; END $$";
        // Ends when it is ended at the server.
        let writer =
            std::thread::spawn(move || drop(shop().cluster.primary().sql(&database, load)));
        Self { spec, busy: true, writer: Some(writer) }
    }

    /// The database, the role and what `pg_stat_activity` shows have one name.
    fn name(&self) -> &str {
        &self.spec.identity.database
    }

    fn primary(&self, sql: &str) -> String {
        shop().cluster.primary().sql(self.name(), sql).unwrap()
    }

    /// The same target on a standby of its own, with these settings.
    fn standby(&mut self, settings: &[&str]) -> Server {
        let standby = shop().cluster.standby(&Network::None).unwrap();
        for setting in settings {
            standby.sql("postgres", &format!("ALTER SYSTEM SET {setting}")).unwrap();
        }
        standby.sql("postgres", "SELECT pg_reload_conf()").unwrap();
        self.spec = at(&self.spec, &standby);
        standby
    }

    /// Ends the load.
    fn rest(&mut self) {
        if std::mem::take(&mut self.busy) {
            let end = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = '{}' AND query LIKE 'DO %'",
                self.name()
            );
            while self.writer.as_ref().is_some_and(|writer| !writer.is_finished()) {
                shop().cluster.primary().sql("postgres", &end).unwrap();
            }
            self.writer.take().map(JoinHandle::join).transpose().unwrap();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.rest();
    }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(PATIENCE, future).await;
    result.unwrap_or_else(|_| panic!("{what} is beyond its deadline"))
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what}");
    }
}

async fn ask(session: &mut Box<dyn Session>, sql: &str) -> Result<Spool, TargetError> {
    within(sql, session.query(sql, &[], roomy())).await
}

/// The code of an outcome that must be an error.
fn code(outcome: Result<Spool, TargetError>) -> &'static str {
    outcome.unwrap_err().code()
}

/// Nobody's query is left at the server.
async fn nothing_is_left(server: &Server, place: &Place) {
    let watcher = Watcher::of(server, place.name()).await;
    within("the end of all queries", watcher.until_idle()).await;
}

/// Starts the slow statement in a session that lives on, and runs `then` when it runs at the server.
async fn during(
    place: &Place,
    server: &Server,
    ms_max: u64,
    then: impl FnOnce() + Send + 'static,
) -> (Box<dyn Session>, Result<Spool, TargetError>) {
    let mut session = open(&place.spec).await.unwrap();
    let watcher = Watcher::of(server, place.name()).await;
    let caps = Caps { time_ms_max: ms_max, ..roomy() };
    let fault = async {
        watcher.until_running("work").await;
        tokio::task::spawn_blocking(then).await.unwrap();
    };
    let both = async { tokio::join!(session.query(SLOW, &[], caps), fault) };
    let (outcome, ()) = within("the fault", both).await;
    (session, outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_in_the_middle_of_a_statement_ends_the_run_on_that_server() {
    let mut place = Place::new("promoted");
    let standby = std::sync::Arc::new(place.standby(&[]));
    let promoted = std::sync::Arc::clone(&standby);
    let promote = move || promoted.promote().unwrap();
    let (mut session, outcome) = during(&place, &standby, 15_000, promote).await;
    // It began on a replica, reads what was there then, and has its time like any other.
    assert_eq!(code(outcome), "statement-time");
    assert_eq!(code(ask(&mut session, QUICK).await), "not-a-replica");
    assert_eq!(
        within("a new session", open(&place.spec)).await.err().unwrap().code(),
        "not-a-replica"
    );
    nothing_is_left(&standby, &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_cut_in_the_middle_of_a_row_ends_both_ends() {
    let place = Place::new("cut");
    let mut spec = place.spec.clone();
    // Inside of the rows, whose beginning the client has.
    between(&mut spec, &shop().standby, 1 << 20).await;
    let mut session = within("the session", open(&spec)).await.unwrap();
    let outcome = ask(&mut session, ROWS).await;
    assert_eq!(code(outcome), "disconnected");
    assert_eq!(code(ask(&mut session, QUICK).await), "session-lost");
    nothing_is_left(&shop().standby, &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_that_needs_what_is_read_wins_and_says_so() {
    let mut place = Place::new("conflict");
    let standby = place.standby(&["max_standby_streaming_delay = '50ms'"]);
    let name = place.name().to_owned();
    let migrate = move || {
        let migration = "ALTER TABLE work ADD COLUMN more int; DROP TABLE churn CASCADE";
        shop().cluster.primary().sql(&name, migration).unwrap();
    };
    let (mut session, outcome) = during(&place, &standby, 60_000, migrate).await;
    let error = outcome.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the replica cancelled the statement in favour of replay; try again"
    );
    // The table that is gone is missed by name; the session itself is in order, unless replay met it
    // between two statements of a transaction: then the server ends the session with the same code.
    shop().cluster.catch_up(&standby).unwrap();
    match ask(&mut session, QUICK).await {
        Ok(_) => {
            assert_eq!(code(ask(&mut session, "select n from churn").await), "not-allowed");
        }
        Err(error) => assert_eq!(error.code(), "session-lost"),
    }
    assert_eq!(open(&place.spec).await.err().unwrap().code(), "missing");
    nothing_is_left(&standby, &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_replay_holds_is_locked_for_a_moment_and_found_by_check() {
    let mut place = Place::new("locked");
    place.rest();
    let standby = place.standby(&[]);
    let mut session = open(&place.spec).await.unwrap();
    ask(&mut session, QUICK).await.unwrap();
    let held = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let lock = "BEGIN; LOCK TABLE work IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3600)";
        scope.spawn(|| {
            drop(shop().cluster.primary().sql(place.name(), lock));
            held.store(true, Ordering::SeqCst);
        });
        let locked = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted \
                      AND relation = 'work'::regclass";
        until("the standby holds the table", || {
            place.primary("UPDATE churn SET n = n + 1 WHERE id = 1");
            standby.sql(place.name(), locked).unwrap().trim() == "1"
        });
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let error = ask(&mut session, QUICK).await.unwrap_err();
                assert_eq!(error.code(), "locked");
                let found = within("check", check(&place.spec)).await.unwrap().findings;
                let held = found.iter().find(|f| f.what.contains("replay holds granted tables"));
                assert!(
                    held.is_some_and(|f| f.warns && f.what.contains("public.work")),
                    "{found:?}"
                );
            });
        });
        until("the migration ends", || {
            place.primary(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE query LIKE '%pg_sleep(3600)%' AND pid <> pg_backend_pid()",
            );
            held.load(Ordering::SeqCst)
        });
    });
    shop().cluster.catch_up(&standby).unwrap();
    ask(&mut session, QUICK).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_falls_behind_under_a_session_is_left_when_it_is_too_far() {
    let mut place = Place::new("behind");
    let standby = place.standby(&[]);
    place.spec.lag_s_max = 1;
    let mut session = within("a fresh moment", async {
        loop {
            if let Ok(session) = open(&place.spec).await {
                return session;
            }
        }
    })
    .await;
    standby.sql("postgres", "SELECT pg_wal_replay_pause()").unwrap();
    // The lag grows while the session asks again and again; each answer says how large it was.
    let error = within("a lag that is too large", async {
        loop {
            match session.query(QUICK, &[], roomy()).await {
                Ok(spool) => assert!(spool.lag_s().unwrap() <= 1),
                Err(error) => return error,
            }
        }
    })
    .await;
    assert!(matches!(error, TargetError::Lag { found_s: Some(2..), s_max: 1 }), "{error:?}");
    nothing_is_left(&standby, &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_in_the_middle_of_a_statement_is_named() {
    let mut place = Place::new("crashed");
    let standby = std::sync::Arc::new(place.standby(&[]));
    let crashed = std::sync::Arc::clone(&standby);
    let crash = move || crashed.crash().unwrap();
    let (mut session, outcome) = during(&place, &standby, 60_000, crash).await;
    assert_eq!(code(outcome), "disconnected");
    assert_eq!(code(ask(&mut session, QUICK).await), "session-lost");
    ask(&mut within("a new session", open(&place.spec)).await.unwrap(), QUICK).await.unwrap();
    nothing_is_left(&standby, &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_hangs_costs_the_statement_s_time_and_no_more() {
    let mut place = Place::new("hangs");
    let standby = std::sync::Arc::new(place.standby(&[]));
    let hanging = std::sync::Arc::clone(&standby);
    let name = place.name().to_owned();
    let hang = move || hanging.signal_sessions(&name, "STOP").unwrap();
    let (mut session, outcome) = during(&place, &standby, 10_000, hang).await;
    assert_eq!(code(outcome), "statement-time");
    assert!(["session-lost", "cancelled"].contains(&code(ask(&mut session, QUICK).await)));
    standby.signal_sessions(place.name(), "CONT").unwrap();
    nothing_is_left(&standby, &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_used_up_are_told_and_one_s_own_can_still_be_ended() {
    let place = Place::new("exhausted");
    place.primary("ALTER ROLE exhausted CONNECTION LIMIT 1");
    shop().cluster.catch_up(&shop().standby).unwrap();
    let spec = place.spec.clone();
    let other = move || {
        let refused = tokio::runtime::Runtime::new().unwrap().block_on(open(&spec)).err().unwrap();
        assert_eq!(
            refused.to_string(),
            "the target cannot be opened: the server has too many connections; try again"
        );
    };
    let (session, outcome) = during(&place, &shop().standby, 15_000, other).await;
    assert_eq!(code(outcome), "statement-time");
    drop(session);
    nothing_is_left(&shop().standby, &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_changes_after_the_checks_shows_nothing_else_than_what_was_granted() {
    let mut place = Place::new("changed");
    place.rest();
    let standby = place.standby(&[]);
    let mut sessions = Vec::new();
    for _ in 0..4 {
        sessions.push(open(&place.spec).await.unwrap());
    }
    // The hidden column takes a granted one's name.
    place.primary(
        "ALTER TABLE work RENAME COLUMN body TO old; ALTER TABLE work RENAME COLUMN secret TO body",
    );
    shop().cluster.catch_up(&standby).unwrap();
    for (session, sql) in sessions.iter_mut().zip([
        "select body from work limit 1",
        "select upper(body) b from work limit 1",
        "select id from work where body like 'canary%'",
        "select count(*) n from work w where w is not null",
    ]) {
        assert_eq!(code(ask(session, sql).await), "not-allowed", "{sql}");
    }
    // Even where somebody has granted the role the whole table: the bare column is not the one.
    place.primary("GRANT SELECT ON work TO changed");
    shop().cluster.catch_up(&standby).unwrap();
    let bare = ask(&mut sessions[0], "select body from work limit 1").await;
    assert_eq!(code(bare), "not-allowed");
    nothing_is_left(&standby, &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_s_vacuum_waits_for_a_statement_and_for_nothing_else() {
    let mut place = Place::new("vacuumed");
    place.rest();
    let feedback = ["hot_standby_feedback = on", "wal_receiver_status_interval = '1s'"];
    let standby = place.standby(&feedback);
    let found = check(&place.spec).await.unwrap().findings;
    assert!(found.iter().any(|f| !f.warns && f.what == "hot_standby_feedback is on"), "{found:?}");
    let name = place.name().to_owned();
    let dead = |name: &str| {
        let primary = shop().cluster.primary();
        primary.sql(name, "VACUUM churn").unwrap();
        let dead = "SELECT pg_stat_get_dead_tuples('churn'::regclass)";
        primary.sql(name, dead).unwrap().trim().parse::<u64>().unwrap()
    };
    let vacuum = move || {
        // The primary hears of the statement, and then keeps what it might read.
        until("the statement holds rows back", || {
            shop().cluster.primary().sql(&name, "UPDATE churn SET n = n + 1").unwrap();
            dead(&name) > 0
        });
    };
    let (session, outcome) = during(&place, &standby, 20_000, vacuum).await;
    assert_eq!(code(outcome), "statement-time");
    // The session is still there, idle, and holds nothing back.
    until("nothing is held back", || dead(place.name()) == 0);
    drop(session);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_rows_arrive_while_the_primary_is_busy() {
    let place = Place::new("many");
    let mut session = open(&place.spec).await.unwrap();
    let sql = "select a.id, b.id as other from work a, work b";
    let caps = Caps { rows_max: 1_000_000, ..roomy() };
    let spool = within("a million rows", session.query(sql, &[], caps)).await.unwrap();
    assert_eq!(spool.rows(), 1_000_000);
    let answer = ask(&mut session, QUICK).await.unwrap();
    assert_eq!(text(answer), "Int64(5000)\n", "and the session goes on");
}

/// What takes long is for `cargo xtask faults`.
fn takes_long(what: &str) -> bool {
    let is_asked = std::env::var_os("BORESCOPE_FAULTS").is_some();
    if !is_asked {
        let told =
            format!("left out, because it takes long: {what}; cargo xtask faults plays it\n");
        std::io::stderr().write_all(told.as_bytes()).unwrap();
    }
    is_asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_accepts_and_does_not_answer_costs_the_time_of_connecting() {
    if !takes_long("a server that accepts connections and does not answer") {
        return;
    }
    let mut place = Place::new("silent");
    let standby = place.standby(&[]);
    standby.signal("STOP").unwrap();
    let refused = within("the session", open(&place.spec)).await.err().unwrap();
    standby.signal("CONT").unwrap();
    assert_eq!(
        refused.to_string(),
        "the target cannot be opened: the server did not answer in time; check that it is not \
         overloaded"
    );
    ask(&mut within("a session", open(&place.spec)).await.unwrap(), QUICK).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_nearly_a_gigabyte_stays_at_the_server() {
    if !takes_long("a value of 900 MB") {
        return;
    }
    let place = Place::new("huge");
    place.primary("UPDATE work SET body = repeat('x', 900 << 20) WHERE id = 1");
    shop().cluster.catch_up(&shop().standby).unwrap();
    let mut spec = place.spec.clone();
    let received = between(&mut spec, &shop().standby, u64::MAX).await;
    let mut session = open(&spec).await.unwrap();
    let huge = ask(&mut session, "select body from work where id = 1").await;
    assert_eq!(code(huge), "too-big");
    ask(&mut session, QUICK).await.unwrap();
    assert!(received.load(Ordering::SeqCst) < 1 << 20, "{received:?}");
    nothing_is_left(&shop().standby, &place).await;
}
