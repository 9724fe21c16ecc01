//! Whoever stops waiting leaves nothing running at the server. Seen from another connection there,
//! by the order of events; how fast it is, the benches measure.

use std::future::Future;
use std::time::Duration;

use targets::Session;
use targets::postgres::PostgresSpec;
use tests::postgres::cluster::{SUPERUSER, Server};
use tests::postgres::{open, roomy, shop};
use tokio_postgres::{Client, NoTls};

/// It would run for hours.
pub(crate) const SLOW: &str =
    "select count(*) n from shop.items a, shop.items b, shop.items c where a.price < b.price";
/// Far more than anything here needs; a test that waits for it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who looks at the server from outside.
pub(crate) struct Watcher {
    client: Client,
    application: String,
}

impl Watcher {
    /// Of a session whose `application_name` is this.
    pub(crate) async fn of(server: &Server, application: &str) -> Self {
        let mut config = tokio_postgres::Config::new();
        config.host_path(server.socket_directory()).port(server.port());
        let config = config.user(SUPERUSER).dbname("postgres");
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        Self { client, application: application.to_owned() }
    }

    async fn state(&self) -> Option<String> {
        let sql = "SELECT state FROM pg_stat_activity WHERE application_name = $1";
        let row = self.client.query_opt(sql, &[&self.application]).await.unwrap();
        row.map(|row| row.get(0))
    }

    /// Until the slow statement runs.
    pub(crate) async fn until_active(&self) {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 \
                   AND state = 'active' AND query LIKE '%items%'";
        let look = async {
            while self.client.query_one(sql, &[&self.application]).await.unwrap().get::<_, i64>(0)
                == 0
            {}
        };
        tokio::time::timeout(PATIENCE, look).await.unwrap();
    }

    /// Until a statement of it runs that names this.
    pub(crate) async fn until_running(&self, part: &str) {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 \
                   AND state = 'active' AND position($2 in query) > 0 AND query NOT LIKE 'EXPLAIN%'";
        let running = async || {
            let row = self.client.query_one(sql, &[&self.application, &part]).await.unwrap();
            row.get::<_, i64>(0) > 0
        };
        let look = async { while !running().await {} };
        tokio::time::timeout(PATIENCE, look).await.unwrap();
    }

    /// Until no statement of it runs.
    pub(crate) async fn until_idle(&self) {
        let sql = "SELECT count(*) FROM pg_stat_activity \
                   WHERE application_name = $1 AND state <> 'idle'";
        let busy = async || {
            let row = self.client.query_one(sql, &[&self.application]).await.unwrap();
            row.get::<_, i64>(0) > 0
        };
        let look = async { while busy().await {} };
        tokio::time::timeout(PATIENCE, look).await.unwrap();
    }

    /// Until the session is gone from the server.
    pub(crate) async fn until_gone(&self) {
        let look = async { while self.state().await.is_some() {} };
        tokio::time::timeout(PATIENCE, look).await.unwrap();
    }
}

/// The shared standby, by a name of one's own.
pub(crate) fn named(application: &str) -> PostgresSpec {
    let shop = shop();
    let mut spec = shop.spec(&shop.standby);
    spec.access.application_name = application.into();
    spec
}

async fn session_and_watcher(application: &str) -> (Box<dyn Session>, Watcher) {
    let session = open(&named(application)).await.unwrap();
    (session, Watcher::of(&shop().standby, application).await)
}

#[tokio::test]
async fn a_cancelled_statement_ends_at_the_server() {
    let (mut session, watcher) = session_and_watcher("cancelled").await;
    let canceller = session.canceller();
    let cancel = async {
        watcher.until_active().await;
        canceller.cancel();
    };
    let (answer, ()) = tokio::join!(session.query(SLOW, &[], roomy()), cancel);
    assert_eq!(answer.unwrap_err().code(), "cancelled");
    watcher.until_gone().await;
    // There is no way back.
    let again = session.query("select 1 n", &[], roomy()).await;
    assert_eq!(again.unwrap_err().code(), "cancelled");
}

#[tokio::test]
async fn a_dropped_future_ends_the_statement_at_the_server() {
    let (mut session, watcher) = session_and_watcher("dropped-future").await;
    tokio::select! {
        _ = session.query(SLOW, &[], roomy()) => unreachable!("it takes hours"),
        () = watcher.until_active() => {}
    }
    watcher.until_gone().await;
}

#[tokio::test]
async fn a_dropped_session_leaves_the_server() {
    let (session, watcher) = session_and_watcher("dropped-session").await;
    assert_eq!(watcher.state().await.as_deref(), Some("idle"));
    drop(session);
    watcher.until_gone().await;
}

#[tokio::test]
async fn an_aborted_task_ends_its_statement() {
    let (mut session, watcher) = session_and_watcher("aborted").await;
    let run = tokio::spawn(async move { session.query(SLOW, &[], roomy()).await });
    watcher.until_active().await;
    run.abort();
    watcher.until_gone().await;
}

#[tokio::test]
async fn when_the_whole_runtime_is_gone_the_server_notices_by_itself() {
    let watcher = Watcher::of(&shop().standby, "no-runtime").await;
    let other = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let run = other.spawn(async {
        let mut session = open(&named("no-runtime")).await.unwrap();
        session.query(SLOW, &[], roomy()).await
    });
    watcher.until_active().await;
    // Nobody is left to send a cancel request; the connection just closes.
    other.shutdown_background();
    watcher.until_gone().await;
    // The task dies with its runtime, or first hears that the driver of its connection did.
    match run.await {
        Ok(answer) => assert_eq!(answer.unwrap_err().code(), "disconnected"),
        Err(ended) => assert!(ended.is_cancelled()),
    }
}

#[tokio::test]
async fn a_statement_s_time_ends_it_and_not_the_session() {
    let (mut session, _) = session_and_watcher("out-of-time").await;
    let caps = targets::Caps { time_ms_max: 50, ..roomy() };
    let error = within(session.query(SLOW, &[], caps)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the statement took longer than 50 ms; narrow it or use an index"
    );
    within(session.query("select 1 n", &[], roomy())).await.unwrap();
}

#[tokio::test]
async fn the_target_s_own_limit_of_time_holds_for_every_caller() {
    // Opening a session takes statements, too, and a busy machine takes its time for them.
    let spec = PostgresSpec { statement_ms_max: 1_000, ..named("target-time") };
    let mut session = open(&spec).await.unwrap();
    let error = within(session.query(SLOW, &[], roomy())).await.unwrap_err();
    assert_eq!(error.code(), "statement-time");
}

#[tokio::test]
async fn somebody_else_s_cancel_is_no_matter_of_time() {
    let (mut session, watcher) = session_and_watcher("by-the-dba").await;
    let dba = async {
        watcher.until_active().await;
        let sql = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
        watcher.client.query_one(sql, &[&watcher.application]).await.unwrap();
    };
    let (answer, ()) = tokio::join!(session.query(SLOW, &[], roomy()), dba);
    assert_eq!(answer.unwrap_err().code(), "cancelled");
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap()
}
