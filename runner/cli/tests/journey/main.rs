//! The daily path through the real program: a fresh HOME, a server's folder, two people, one answer,
//! and its proof after the server is gone. The other modules walk parts of it with other keys, and
//! with a script that attacks whoever reads its output.

#![expect(clippy::unwrap_used, reason = "a journey that cannot be set up has failed")]

mod author;
mod authority;
mod blast;
mod drift;
mod failing;
mod hiding;
mod incident;
mod keys;
mod lies;
mod machine;
mod manners;
mod masks;
mod notify;
mod oncall;
mod operator;
mod postgres;
mod readme;
mod receiver;
mod reviewer;
mod solo;
mod standby;
mod status;
mod team;
mod terminal;
mod text;
mod tls;
mod token;
mod typed;
mod ways;

use machine::{Machine, copy_bundle, free_port, text as field};

#[expect(unreachable_pub, dead_code, reason = "the scenarios include it too, and use all of it")]
#[path = "../../src/demo/postgres/cluster/mod.rs"]
mod cluster;
#[path = "../../src/demo/shop/mod.rs"]
mod shop;
#[path = "../../src/demo/postgres/shop.rs"]
mod shop_rows;

const INPUT: &str = r#"{"since":"2026-11-01T00:00:00Z","paid_before":"2026-11-21T00:00:00Z"}"#;

#[test]
fn from_an_empty_home_to_a_proven_answer() {
    let m = Machine::new();
    shop::create(&m.path("shop.sqlite")).unwrap();
    std::fs::write(m.path("input.json"), INPUT).unwrap();
    copy_bundle("stuck-orders", &m.path("stuck-orders"));
    let listen = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{listen}");

    m.json(&[
        "init",
        "server",
        "--trust-domain",
        "shop.example/dev",
        "--person",
        "alice",
        "--person",
        "bob",
        "--target",
        "shop-replica=shop.sqlite",
        "--listen",
        &listen,
    ]);
    let server = m.serve();
    for person in ["alice", "bob"] {
        let key = format!("server/keys/{person}");
        m.json(&[
            "login",
            "--context",
            person,
            "--url",
            &url,
            "--as",
            person,
            "--key",
            &key,
            "--trust",
            "server/trust.toml",
        ]);
    }
    let (alice, bob) = (["--context", "alice"], ["--context", "bob"]);
    let with = |who: [&'static str; 2], args: &[&'static str]| [&who[..], args].concat();

    let submitted = m.json(&with(alice, &["submit", "stuck-orders"]));
    assert!(m.path("stuck-orders/bundle.sha256").exists());
    let revision = field(&submitted[0], "revision").to_owned();
    m.json(&with(
        bob,
        &["review", "stuck-orders", "--target", "shop=shop-replica", "--approve", "--yes"],
    ));
    let asked = m.json(&with(
        alice,
        &[
            "request",
            "stuck-orders",
            "--on",
            "shop=shop-replica",
            "--input",
            "input.json",
            "--reason",
            "parcels are late",
        ],
    ));
    let request = field(&asked[0], "id").to_owned();

    let run = [
        "--context",
        "alice",
        "run",
        "--request",
        &request,
        "--input",
        "input.json",
        "--out",
        "result",
    ];
    let (code, told) = m.told(&run);
    assert!(code == 3 && told.contains("approval"), "not approved yet: {code} {told}");
    let (code, told) = m.told(&["--context", "alice", "approve", &request, "--yes"]);
    assert!(code != 0 && told.contains("alice"), "callers do not approve their own: {told}");
    m.json(&["--context", "bob", "approve", &request, "--yes"]);
    let (code, told) = m.told(&run);
    assert!(code == 0 && told.contains("never-scanned"), "{code} {told}");
    let (code, told) = m.told(&run);
    assert!(code == 3 && told.contains("use"), "one use was granted: {code} {told}");

    assert!(m.told(&["--context", "alice", "runs"]).1.contains("succeeded"));
    assert!(m.told(&["--context", "alice", "show", &revision]).1.contains("stuck"));
    drop(server);

    let verify = [
        "verify",
        "result/evidence.json",
        "--output",
        "result/output.json",
        "--recording",
        "result/recording.rec",
    ];
    let (code, told) = m.told(&[&verify[..], &["--trust", "server/trust.toml"]].concat());
    assert_eq!(code, 0, "{told}");
    let (code, told) = m.told(&verify);
    assert!(code == 7 && told.contains("NOT authenticated"), "{code} {told}");
    let (code, told) = m.told(&["replay", "result/recording.rec", "--bundle", "stuck-orders"]);
    assert_eq!(code, 0, "{told}");

    let mut output = std::fs::read(m.path("result/output.json")).unwrap();
    let middle = output.len() / 2;
    output[middle] ^= 1;
    std::fs::write(m.path("result/output.json"), output).unwrap();
    let (code, told) = m.told(&[&verify[..], &["--trust", "server/trust.toml"]].concat());
    assert!(code == 7 && told.contains("output"), "{code} {told}");
}
