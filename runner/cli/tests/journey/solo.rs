//! One person alone: everything works, and everything says that nobody else has looked.

use super::machine::{Machine, copy_bundle, free_port, text as field};
use super::team::RUNS;
use super::{INPUT, shop};

#[test]
fn one_person_goes_from_init_to_a_run_and_every_word_says_so() {
    let m = Machine::new();
    shop::create(&m.path("shop.sqlite")).unwrap();
    std::fs::write(m.path("input.json"), INPUT).unwrap();
    copy_bundle("stuck-orders", &m.path("stuck-orders"));
    let listen = format!("127.0.0.1:{}", free_port());
    let init = ["init", "server", "--solo", "--person", "alice", "--listen", &listen];
    let (code, told) = m.told(&[&init[..], &["--target", "shop-replica=shop.sqlite"]].concat());
    assert!(code == 0 && told.contains("ready for solo/alice"), "{code} {told}");
    assert!(told.contains("receipts prove no second person"), "{told}");
    let _server = m.serve();
    let (url, key) = (format!("http://{listen}"), "server/keys/alice");
    let who = ["login", "--url", &url, "--as", "alice", "--key", key];
    m.json(&[&who[..], &["--trust", "server/trust.toml"]].concat());

    m.json(&["submit", "stuck-orders"]);
    assert!(m.told(&["inbox"]).1.contains("borescope review"), "her own wait for her");
    let review = ["review", "stuck-orders", "--target", "shop=shop-replica", "--approve"];
    m.json(&[&review[..], &["--yes", "--self-serve", "engineers:9"]].concat());
    let (code, told) = m.told(&[&RUNS[..], &["--out", "result"]].concat());
    assert!(code == 0 && told.contains("never-scanned"), "{code} {told}");
    assert!(told.contains("proves no second one"), "{told}");
    let (_, told) = m.told(&["show", "stuck-orders"]);
    assert!(told.contains("one person holds every role"), "{told}");

    // The ordinary way, alone as well.
    let ask = ["request", "stuck-orders", "--on", "shop=shop-replica", "--input", "input.json"];
    let asked = m.json(&[&ask[..], &["--reason", "parcels are late"]].concat());
    let id = field(&asked[0], "id");
    let (code, told) = m.told(&["approve", id, "--yes"]);
    assert!(code == 0 && told.contains("nobody else has looked"), "{code} {told}");
    let (code, told) = m.told(&["run", "--request", id, "--input", "input.json"]);
    assert!(code == 0 && told.contains("1 approval"), "{code} {told}");
    let verify = ["verify", "result/evidence.json", "--trust", "server/trust.toml"];
    let (code, told) = m.told(&verify);
    assert!(code == 0 && told.contains("proves no second one"), "{code} {told}");
}

#[test]
fn one_person_reaches_no_production() {
    let m = Machine::new();
    shop::create(&m.path("shop.sqlite")).unwrap();
    let init = ["init", "server", "--solo", "--person", "alice"];
    let place = ["--target", "shop-replica=shop.sqlite"];
    std::fs::create_dir_all(m.path("server/policy")).unwrap();
    let prod = "[[target]]\nid = \"shop-replica\"\nengine = \"sqlite\"\n\
                identity = { sqlite = { application_id = 1 } }\nrunners = [\"runner-1\"]\n";
    std::fs::write(m.path("server/policy/targets.toml"), prod).unwrap();
    let (code, told) = m.told(&[&init[..], &place].concat());
    assert!(code == 2 && told.contains("marked prod"), "{code} {told}");
    assert!(!m.path("server/data/documents.json").exists());
}
