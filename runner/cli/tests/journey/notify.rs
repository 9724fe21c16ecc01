//! People elsewhere hear what wants their attention: by webhooks that tell no value, survive whatever
//! happens to the server, and hold up nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::machine::{Machine, Server, copy_bundle, free_port, text as field};
use super::receiver::{Answer, Receiver, until};
use super::shop;

/// Text that must never leave: in the input, in the reason, in a comment.
const CANARIES: [&str; 3] =
    ["2026-11-03T03:03:03Z", "customer Kowalski called", "looks fine to me"];
/// What the script answers with.
const ROWS: [&str; 3] = ["never-scanned", "payment-not-captured", "samples"];
const SECRET: &str = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTE=";

/// Logins and signatures come at times of their own.
const WITHOUT_KEYS: &str = "secret_file = \"notify.secret\"\n\
     kinds = [\"review.wanted\", \"approval.wanted\", \"run.finished\"]";

/// A shop whose server tells `hooks`, with alice and bob logged in.
fn found(m: &Machine, hooks: &str) -> Server {
    shop::create(&m.path("shop.sqlite")).unwrap();
    let input = format!(r#"{{"since":"{}","paid_before":"2026-11-21T00:00:00Z"}}"#, CANARIES[0]);
    fs::write(m.path("input.json"), input).unwrap();
    copy_bundle("stuck-orders", &m.path("stuck-orders"));
    let listen = format!("127.0.0.1:{}", free_port());
    let init = ["init", "server", "--trust-domain", "shop.example/dev", "--person", "alice"];
    let more = ["--person", "bob", "--target", "shop-replica=shop.sqlite", "--listen", &listen];
    m.json(&[&init[..], &more].concat());
    secret(m, "server/notify.secret", SECRET);
    let config = m.path("server/borescope.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n{hooks}")).unwrap();
    let server = m.serve();
    for person in ["alice", "bob"] {
        let (key, url) = (format!("server/keys/{person}"), format!("http://{listen}"));
        let who = ["login", "--context", person, "--url", &url, "--as", person];
        m.json(&[&who[..], &["--key", &key, "--trust", "server/trust.toml"]].concat());
    }
    server
}

fn secret(m: &Machine, name: &str, text: &str) {
    fs::write(m.path(name), format!("{text}\n")).unwrap();
    fs::set_permissions(m.path(name), fs::Permissions::from_mode(0o600)).unwrap();
}

fn hook(name: &str, url: &str, more: &str) -> String {
    format!("[[notify]]\nname = \"{name}\"\nurl = \"{url}\"\n{more}\n")
}

/// Alice asks, bob approves, alice runs; the access request and the run.
fn story(m: &Machine) -> (String, String) {
    let (alice, bob) = (["--context", "alice"], ["--context", "bob"]);
    let ask = ["request", "stuck-orders", "--on", "shop=shop-replica", "--input", "input.json"];
    let why = ["--reason", CANARIES[1], "--ticket", "INC-2041"];
    let asked = m.json(&[&alice[..], &ask, &why].concat());
    let request = field(&asked[0], "id").to_owned();
    m.json(&[&bob[..], &["approve", &request, "--yes"]].concat());
    let run = ["run", "--request", &request, "--input", "input.json"];
    let ran = m.json(&[&alice[..], &run].concat());
    (request, field(&ran.last().unwrap()["run"], "id").to_owned())
}

fn reviewed(m: &Machine) {
    m.json(&["--context", "alice", "submit", "stuck-orders"]);
    let review = ["review", "stuck-orders", "--target", "shop=shop-replica", "--approve", "--yes"];
    m.json(&[&["--context", "bob"][..], &review, &["--comment", CANARIES[2]]].concat());
}

#[test]
fn everybody_hears_what_wants_them_signed_and_without_a_value() {
    let m = Machine::new();
    let (all, bobs) =
        (Receiver::new(Answer::status("200 OK")), Receiver::new(Answer::status("200 OK")));
    secret(&m, "bob.url", &bobs.url);
    let hooks = [
        hook("all", &all.url, "secret_file = \"notify.secret\""),
        "[[notify]]\nname = \"bob\"\nurl_file = \"../bob.url\"\nformat = \"slack\"\n\
         people = [\"bob\"]\nkinds = [\"approval.wanted\", \"key.used\", \"stop\"]\n"
            .to_owned(),
    ];
    let server = found(&m, &hooks.concat());
    reviewed(&m);
    let (request, run) = story(&m);
    m.json(&["--context", "alice", "stop", "person", "bob", "--reason", CANARIES[1]]);
    let kinds = |messages: &[super::receiver::Message]| -> Vec<String> {
        messages.iter().map(super::receiver::Message::kind).collect()
    };
    // The last that there is to tell.
    let told = all.wait("the stop", |got| got.iter().any(|m| m.body.contains("signed a stop")));

    for wanted in ["review.wanted", "approval.wanted", "run.finished", "key.used"] {
        assert!(kinds(&told).contains(&wanted.to_owned()), "{wanted} in {:?}", kinds(&told));
    }
    let of = |kind: &str| told.iter().find(|m| m.kind() == kind).unwrap().json();
    let approval = of("approval.wanted");
    assert_eq!(approval["data"]["command"], format!("borescope approve {request}"));
    assert_eq!(approval["data"]["ticket"], "INC-2041");
    assert_eq!(approval["data"]["for"], serde_json::json!(["bob"]));
    let url = approval["data"]["url"].as_str().unwrap();
    assert!(url.ends_with(&format!("/v1/access-requests/{request}")), "{url}");
    let finished = of("run.finished");
    assert_eq!(finished["data"]["command"], format!("borescope show {run}"));
    assert_eq!(finished["data"]["outcome"], "succeeded");
    assert_eq!(finished["data"]["targets"], serde_json::json!(["shop-replica"]));
    // Login, submission, access request, order and stop are alice's; login, review and approval bob's.
    let used = |who: &str| {
        told.iter().filter(|m| m.kind() == "key.used" && m.json()["data"]["by"] == who).count()
    };
    assert_eq!((used("alice"), used("bob")), (5, 3));

    for message in &told {
        assert!(message.is_signed_with(SECRET), "{message:?}");
        assert!(message.header("webhook-id").starts_with("msg_"));
        let data = &message.json()["data"];
        assert!(data["command"].as_str().unwrap().starts_with("borescope "), "{data}");
        assert!(data["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{data}");
    }
    assert!(!told[0].is_signed_with("whsec_YW5vdGhlci1hbm90aGVyLWFub3RoZXItYW5vdGhlcg=="));

    let for_bob = bobs.wait("the stop", |got| got.iter().any(|m| m.body.contains("STOP")));
    let texts: Vec<_> =
        for_bob.iter().map(|m| m.json()["text"].as_str().unwrap().to_owned()).collect();
    assert!(texts.iter().any(|t| t.contains("approval wanted: alice asks to run stuck-orders@")));
    assert!(texts.iter().all(|t| !t.contains("alice's key")), "{texts:?}");
    assert!(texts.iter().any(|t| t.contains("bob's key")), "{texts:?}");

    let everything = all.got().into_iter().chain(bobs.got());
    for message in everything {
        for word in CANARIES.iter().chain(&ROWS) {
            assert!(!message.body.contains(word), "{word} in {}", message.body);
        }
    }
    let log = String::from_utf8_lossy(&server.log()).into_owned();
    for word in [SECRET, "c2VjcmV0", "hook-with-a-secret-path"] {
        assert!(!log.contains(word), "{word} in the log");
    }
}

#[test]
fn a_server_that_dies_in_the_middle_tells_it_again_and_forgets_nothing() {
    let m = Machine::new();
    let receiver = Receiver::new(Answer::Silence);
    let server = found(&m, &hook("all", &receiver.url, WITHOUT_KEYS));
    reviewed(&m);
    // The receiver is silent, and nobody waits for it.
    let (_, run) = story(&m);
    until("the first message is on its way", || !receiver.got().is_empty());
    let first = receiver.got()[0].clone();
    assert_eq!(receiver.got().len(), 1, "one at a time");
    // As `kill -9`.
    drop(server);
    receiver.answers(Answer::status("503 Service Unavailable"));
    let server = m.serve();
    until("it is tried again", || receiver.got().len() > 2);
    let (code, told) = m.told(&["--context", "alice", "runs"]);
    assert!(code == 0 && told.contains("succeeded"), "{told}");
    drop(server);
    receiver.answers(Answer::status("200 OK"));
    let _server = m.serve();
    let taken = receiver.wait("the run", |got| got.iter().any(|m| m.body.contains(&run)));
    assert_eq!(taken[0].id(), first.id(), "the same message under the same id");
    assert_eq!(taken[0].body, first.body);
    assert_eq!(taken[0].kind(), "review.wanted");
    let mut ids: Vec<_> = taken.iter().map(|m| m.id().to_owned()).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "none twice, once it was taken");
}

#[test]
fn a_redirect_is_not_followed_and_what_nobody_takes_is_seen() {
    let m = Machine::new();
    let elsewhere = Receiver::new(Answer::status("200 OK"));
    let moved = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {}\r\ncontent-length: 0\r\n\
         connection: close\r\n\r\n",
        elsewhere.url
    );
    let receiver = Receiver::new(Answer::Head(moved));
    let server = found(&m, &hook("all", &receiver.url, WITHOUT_KEYS));
    reviewed(&m);
    let log = || String::from_utf8_lossy(&server.log()).into_owned();
    until("it is said once, and tried again", || {
        log().contains("a webhook is not told") && receiver.got().len() > 1
    });
    assert!(log().contains("the receiver answers 307"), "{}", log());
    assert!(elsewhere.got().is_empty(), "it was followed");
    // Corrected: what was said meanwhile comes in its order.
    receiver.answers(Answer::status("200 OK"));
    let taken = receiver.wait("what was said meanwhile", |got| !got.is_empty());
    assert_eq!(taken[0].kind(), "review.wanted");
    until("the log says that it works", || log().contains("a webhook is told again"));
}
