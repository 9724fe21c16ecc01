//! Runs that go on while somebody watches: events, resume, cancel, shutdown.

use std::time::Duration;

use api::types::RunView;
use app::AppLimits;
use domain::{Outcome, RunId, RunState};
use server::ServerLimits;
use store::Store;
use tests::raw_http::Connection;
use tests::served::{Granted, Served};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;

/// A guest that computes for minutes unless it is ended.
pub(super) async fn endless(served: &Served) -> Granted {
    let change = |files: &mut Vec<(String, Vec<u8>)>| {
        let manifest = files.iter_mut().find(|(path, _)| path == "script.toml").unwrap();
        let text = String::from_utf8(manifest.1.clone()).unwrap();
        let endless =
            text.replace("fuel = 200_000_000", "fuel = 200_000_000_000\nwall = \"10min\"");
        assert_ne!(text, endless);
        manifest.1 = endless.into_bytes();
    };
    served.granted("fuel-burner", "{}", change).await
}

/// A stream of events by hand.
struct Stream(Connection);

impl Stream {
    async fn open(served: &Served, token: &str, run: &RunId, last: Option<u64>) -> Self {
        let mut head =
            format!("GET /v1/runs/{run}/events HTTP/1.1\r\nauthorization: Bearer {token}");
        if let Some(last) = last {
            head.push_str(&format!("\r\nlast-event-id: {last}"));
        }
        let mut connection = Connection::send(served.address, &head, b"").await;
        let (status, headers) = connection.head().await;
        assert_eq!((status, headers["content-type"].as_str()), (200, "text/event-stream"));
        Self(connection)
    }

    /// Number and kind of the next event; `None` when the stream ends as it should.
    async fn next(&mut self) -> Option<(u64, String)> {
        let mut id = None;
        loop {
            let line = self.0.line().await?;
            if let Some(n) = line.strip_prefix("id: ") {
                id = Some(n.parse().unwrap());
            } else if let Some(kind) = line.strip_prefix("event: ") {
                // Either order of the two lines is an event.
                let number = match id {
                    Some(id) => id,
                    None => self.0.line().await?.strip_prefix("id: ").unwrap().parse().unwrap(),
                };
                return Some((number, kind.to_owned()));
            } else if line == "0" {
                return None;
            }
        }
    }
}

async fn start(served: &Served, granted: &Granted) -> RunView {
    let alice = served.login("alice").await;
    alice.order_run(&served.order(granted, 1), Duration::ZERO, None).await.unwrap()
}

fn cancelled() -> RunState {
    RunState::Ended { outcome: Outcome::Cancelled }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_stream_is_resumed_and_gives_each_event_once_and_in_order() {
    let served = Served::start().await;
    let granted = endless(&served).await;
    let run = start(&served, &granted).await;
    let token = served.token("alice").await;
    let mut first = Stream::open(&served, &token, &run.id, None).await;
    assert_eq!(first.next().await, Some((0, "started".to_owned())));
    drop(first);
    let mut second = Stream::open(&served, &token, &run.id, Some(0)).await;
    let bob = served.login("bob").await;
    let refused = bob.cancel(&run.id).await;
    assert!(refused.is_ok(), "bob holds the role stop: {refused:?}");
    assert_eq!(second.next().await, Some((1, "ended".to_owned())));
    assert_eq!(second.next().await, None, "the stream ends with its run");
    assert_eq!(bob.run(&run.id).await.unwrap().state, cancelled());
    let mut late = Stream::open(&served, &token, &run.id, Some(1)).await;
    assert_eq!(late.next().await, None, "nothing came after the last one");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_follows_a_run_from_its_start_to_its_end() {
    let served = Served::start().await;
    let granted = served.granted("echo", "{}", |_| {}).await;
    let run = start(&served, &granted).await;
    let alice = served.login("alice").await;
    let mut events = alice.events(&run.id, None);
    let mut kinds = Vec::new();
    while let Some(event) = events.next().await.unwrap() {
        let json: serde_json::Value = serde_json::from_str(event.event.get()).unwrap();
        kinds.push((event.seq, json["event"].as_str().unwrap().to_owned()));
    }
    let kinds: Vec<_> = kinds.iter().map(|(n, kind)| (*n, kind.as_str())).collect();
    assert_eq!(kinds, [(0, "started"), (1, "progress"), (2, "progress"), (3, "ended")]);
    let stranger = served.login("mallory").await;
    assert!(stranger.events(&run.id, None).next().await.is_err(), "it does not exist for others");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_event_id_that_is_no_number_is_refused() {
    let served = Served::start().await;
    let granted = served.granted("echo", "{}", |_| {}).await;
    let alice = served.login("alice").await;
    let run = served.ran(&alice, &granted, 1).await;
    let token = format!("authorization: Bearer {}", served.token("alice").await);
    for last in ["x", "-1", "99999999999999999999"] {
        let line = format!("GET /v1/runs/{}/events", run.id);
        let refused = served.raw(&line, &[&token, &format!("last-event-id: {last}")], b"").await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "bad-request"), "{last}");
    }
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_shutdown_a_live_run_is_cancelled_with_its_record_and_its_stream_ends_cleanly() {
    let limits = ServerLimits { drain_s: 0, ..ServerLimits::DEFAULT };
    let served = Served::with(AppLimits::DEFAULT, limits).await;
    let granted = endless(&served).await;
    let run = start(&served, &granted).await;
    let token = served.token("alice").await;
    let mut stream = Stream::open(&served, &token, &run.id, None).await;
    assert_eq!(stream.next().await.unwrap().1, "started");
    let watched = tokio::spawn(async move { (stream.next().await, stream.next().await) });
    let dir = served.stop_and_keep().await;
    assert_eq!(watched.await.unwrap(), (Some((1, "ended".to_owned())), None));
    let store = Store::open(&dir.path().join("store.sqlite")).await.unwrap();
    let kept = store.run(&run.id).await.unwrap().unwrap();
    assert!(kept.state == cancelled() && kept.receipt.is_some(), "{kept:?}");
    let report = ledger::verify_journal(&dir.path().join("ledger"), None).unwrap();
    assert_eq!(report.runs_open, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_shutdown_a_live_run_that_ends_in_time_is_not_cancelled() {
    let limits = ServerLimits { drain_s: 60, ..ServerLimits::DEFAULT };
    let served = Served::with(AppLimits::DEFAULT, limits).await;
    let granted = served.granted("fuel-burner", "{}", |_| {}).await;
    let run = start(&served, &granted).await;
    let token = served.token("alice").await;
    let mut stream = Stream::open(&served, &token, &run.id, None).await;
    assert_eq!(stream.next().await.unwrap().1, "started");
    let dir = served.stop_and_keep().await;
    let store = Store::open(&dir.path().join("store.sqlite")).await.unwrap();
    let kept = store.run(&run.id).await.unwrap().unwrap();
    assert_eq!(kept.state.code(), "limit-exceeded", "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_no_events_holds_a_stream_for_a_while_and_no_longer() {
    let limits = ServerLimits { streams_max: 1, stream_stall_s_max: 1, ..ServerLimits::DEFAULT };
    let served = Served::with(AppLimits::DEFAULT, limits).await;
    let granted = served.granted("echo", "{}", |_| {}).await;
    let alice = served.login("alice").await;
    let run = served.ran(&alice, &granted, 1).await;
    // More than the kernel's buffers take from a server whose client does not read.
    let store = Store::open(&served.dir().join("store.sqlite")).await.unwrap();
    let body = format!(r#"{{"event":"progress","percent":1,"note":"{}"}}"#, "x".repeat(64 << 10));
    for _ in 0..400 {
        store.append_event(&run.id, 1, &body).await.unwrap();
    }
    let token = format!("authorization: Bearer {}", served.token("alice").await);
    let line = format!("GET /v1/runs/{}/events", run.id);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut slow = socket.connect(served.address).await.unwrap();
    let head = format!("{line} HTTP/1.1\r\nhost: x\r\n{token}\r\n\r\n");
    slow.write_all(head.as_bytes()).await.unwrap();
    slow.readable().await.unwrap();
    let full = served.raw(&line, &[&token], b"").await;
    assert_eq!((full.status, full.code().as_str()), (503, "unavailable"));
    let after = loop {
        let answer = served.raw(&line, &[&token], b"").await;
        if answer.status == 200 {
            break answer;
        }
    };
    assert!(after.body.len() > 400 * (64 << 10), "an honest client gets everything");
    drop(slow);
    served.close().await;
}
