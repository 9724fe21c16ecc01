//! Attacks on the store: SQL in the file of a server that serves from it, or of one that is down and is
//! started again.

use std::path::Path;
use std::time::Duration;

use api::Client;
use api::types::{RunOrdered, RunView};
use domain::Rule;
use domain::decide::StopSubject;
use executor::evidence::parse;
use tests::company::{RUNNER, p};
use tests::rig::STUCK_ORDERS_INPUT;
use tests::served::{Granted, Served, wire};

/// What has to come of it.
pub(super) enum Then {
    /// The server does not start, and says this.
    Refuses(&'static str),
    /// The runner denies the next run.
    Denies(Rule),
    /// The server has nothing to order the next run with.
    RefusesTheOrder,
    /// Nothing that was spent is there again.
    SpendsNothingAgain,
    /// What the server shows of the first run does not stand `verify`.
    IsFoundOut,
    /// Whoever borrows a session signs nothing with it.
    SignsNothing,
    /// All goes on as if nothing had been done.
    ChangesNothing,
}

/// When the store is changed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum When {
    /// Before the server is started again.
    Down,
    /// While the server serves from it.
    Up,
}

/// A server on which Alice has spent one use of two, and Carol has stopped a target.
struct World {
    served: Served,
    granted: Granted,
    first: RunOrdered,
    mallory: String,
}

async fn world() -> World {
    let served = Served::start().await;
    let granted = served.granted("stuck-orders", STUCK_ORDERS_INPUT, |_| {}).await;
    let (alice, carol) = (served.login("alice").await, served.login("carol").await);
    let stop = served.company.stop(StopSubject::Target(p("nowhere")));
    carol.stop(&wire(&served.company.sign("carol", &stop))).await.unwrap();
    let first = served.order(&granted, 1);
    let run = ordered(&alice, &first).await.unwrap();
    assert_eq!(run.state.code(), "succeeded", "{run:?}");
    let mallory = served.token("mallory").await;
    World { served, granted, first, mallory }
}

async fn ordered(client: &Client, order: &RunOrdered) -> Result<RunView, api::ClientError> {
    client.order_run(order, Duration::from_secs(60), None).await
}

/// Changes the store, starts the server again where it was down, and looks.
pub(super) async fn attacked(when: When, sql: String, then: Then) {
    let World { served, granted, first, mallory } = world().await;
    let sessions = served.seen.sessions();
    let served = if when == When::Up {
        execute(&served.dir().join("store.sqlite"), &sql);
        Ok(served)
    } else {
        let down = served.down().await;
        execute(&down.dir().join("store.sqlite"), &sql);
        down.up().await
    };
    let served = match (served, &then) {
        (Err(said), Then::Refuses(says)) => {
            assert!(said.contains(says), "{said} does not say {says}");
            return;
        }
        (Err(said), _) => panic!("it does not start: {said}"),
        (Ok(_), Then::Refuses(_)) => panic!("it started"),
        (Ok(served), _) => served,
    };
    let world = World { served, granted, first, mallory };
    let reached = match then {
        Then::Refuses(_) => 0,
        Then::Denies(rule) => denies(&world, rule).await,
        Then::RefusesTheOrder => refuses_the_order(&world).await,
        Then::SpendsNothingAgain => spends_nothing_again(&world).await,
        Then::IsFoundOut => is_found_out(&world).await,
        Then::SignsNothing => signs_nothing(&world).await,
        Then::ChangesNothing => changes_nothing(&world).await,
    };
    let World { served, .. } = world;
    assert_eq!(served.seen.sessions(), sessions + reached, "sessions on the target");
    served.close().await;
}

fn execute(store: &Path, sql: &str) {
    let store = rusqlite::Connection::open(store).unwrap();
    store.busy_timeout(Duration::from_secs(5)).unwrap();
    let before = store.total_changes();
    store.execute_batch(sql).unwrap();
    assert!(store.total_changes() > before, "nothing was changed by {sql}");
}

/// The envelope of one kind in the row of another.
pub(super) fn swap(from: &str, to: &str) -> String {
    format!(
        "UPDATE documents SET envelope = (SELECT envelope FROM documents WHERE kind = '{from}') \
         WHERE kind = '{to}'"
    )
}

/// How often the target may be reached now is what each of these gives.
async fn denies(world: &World, rule: Rule) -> u64 {
    let alice = world.served.login("alice").await;
    let run = world.served.ran(&alice, &world.granted, 2).await;
    assert_eq!(run.denial.as_ref().map(|d| d.rule), Some(rule), "{run:?}");
    0
}

async fn refuses_the_order(world: &World) -> u64 {
    let alice = world.served.login("alice").await;
    let order = world.served.order(&world.granted, 2);
    let answer = ordered(&alice, &order).await;
    assert!(answer.is_err(), "{answer:?}");
    0
}

async fn spends_nothing_again(world: &World) -> u64 {
    let alice = world.served.login("alice").await;
    // The very order that was executed, as at-least-once delivery would bring it again.
    if let Ok(run) = ordered(&alice, &world.first).await {
        assert_ne!(run.state.code(), "succeeded", "{run:?}");
    }
    let run = world.served.ran(&alice, &world.granted, 1).await;
    assert_eq!(run.denial.as_ref().map(|d| d.rule), Some(Rule::UseSpent), "{run:?}");
    let run = world.served.ran(&alice, &world.granted, 2).await;
    assert_eq!(run.state.code(), "succeeded", "{run:?}");
    1
}

/// What `borescope run` looks at before it shows a result.
async fn shown(world: &World, alice: &Client) -> Result<(), String> {
    let told = |e: &dyn std::error::Error| tests::rig::told(e);
    let run = world.first_run();
    let view = alice.run(&run).await.map_err(|e| told(&e))?;
    let evidence = alice.evidence(&run).await.map_err(|e| told(&e))?;
    let evidence = parse(&evidence).map_err(|e| told(&e))?;
    let verified = evidence.verify(Some(&world.trust_file())).map_err(|e| told(&e))?;
    if verified.receipt.run != run {
        return Err("the evidence is of another run".to_owned());
    }
    if verified.receipt.outcome.code() != view.state.code() {
        return Err(format!("the run is said to have {}", view.state.code()));
    }
    let output = alice.result(&run).await.map_err(|e| told(&e))?;
    verified.check_output(&output).map_err(|e| told(&e))?;
    let recording = alice.recording(&run).await.map_err(|e| told(&e))?;
    verified.check_recording(&recording).map_err(|e| told(&e))
}

async fn is_found_out(world: &World) -> u64 {
    let alice = world.served.login("alice").await;
    assert!(shown(world, &alice).await.is_err(), "nobody notices");
    0
}

async fn signs_nothing(world: &World) -> u64 {
    let Granted { manifest, request, input } = &world.granted;
    let company = &world.served.company;
    let borrowed = world.served.client().with_token(&world.mallory);
    let order = company.run_request(manifest, request, *input, 2);
    let forged = wire(&company.sign("mallory", &order));
    let answer = ordered(&borrowed, &RunOrdered { run_request: forged, input: None }).await;
    match answer {
        Err(_) => {}
        Ok(run) => assert_eq!(run.denial.map(|d| d.rule), Some(Rule::DocumentInvalid)),
    }
    let mut review = company.review(manifest, order.revision);
    review.reviewer = p("alice");
    assert!(borrowed.review(&wire(&company.sign("mallory", &review))).await.is_err());
    0
}

async fn changes_nothing(world: &World) -> u64 {
    let alice = world.served.login("alice").await;
    assert_eq!(alice.status().await.unwrap().stops, 1, "the stop is in force");
    let run = world.served.ran(&alice, &world.granted, 2).await;
    assert_eq!(run.state.code(), "succeeded", "{run:?}");
    shown(world, &alice).await.unwrap();
    1
}

impl World {
    fn first_run(&self) -> domain::RunId {
        let envelope = trust::Envelope::from_json(self.first.run_request.get().as_bytes()).unwrap();
        trust::read_unverified::<trust::RunRequest>(&envelope).unwrap().run
    }

    fn trust_file(&self) -> ledger::TrustFile {
        let c = &self.served.company;
        let text = format!(
            "trust_domain = \"{}\"\nkeyring = \"{}\"\n[[log]]\nvkey = \"{}\"\n",
            c.domain,
            c.keyring.payload_digest(),
            c.log_key().verifier()
        );
        assert!(text.contains(RUNNER), "the log is the runner's");
        ledger::TrustFile::parse(&text).unwrap()
    }
}

macro_rules! stores {
    (@then refuses($says:literal)) => { $crate::adversary::stores::Then::Refuses($says) };
    (@then denies($rule:ident)) => { $crate::adversary::stores::Then::Denies(domain::Rule::$rule) };
    (@then refuses_the_order()) => { $crate::adversary::stores::Then::RefusesTheOrder };
    (@then spends_nothing_again()) => { $crate::adversary::stores::Then::SpendsNothingAgain };
    (@then is_found_out()) => { $crate::adversary::stores::Then::IsFoundOut };
    (@then signs_nothing()) => { $crate::adversary::stores::Then::SignsNothing };
    (@then changes_nothing()) => { $crate::adversary::stores::Then::ChangesNothing };
    ($when:ident; $($name:ident: $sql:expr => $then:ident($($arg:tt)*);)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let then = stores!(@then $then($($arg)*));
            let when = $crate::adversary::stores::When::$when;
            $crate::adversary::stores::attacked(when, ($sql).to_string(), then).await;
        }
    )*};
}
pub(super) use stores;
