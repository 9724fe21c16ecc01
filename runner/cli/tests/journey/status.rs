//! Production, and who says what is in force: the server itself, or a keeper beside it that is told of
//! stops directly and closes production when the server hides one.

use crate::lies::Liar;
use crate::machine::{Machine, Server, copy_bundle, free_port, text as field};
use crate::{INPUT, shop};

/// A shop whose replica is production, with two people; the server's address.
fn found(m: &Machine) -> String {
    shop::create(&m.path("shop.sqlite")).unwrap();
    std::fs::write(m.path("input.json"), INPUT).unwrap();
    copy_bundle("stuck-orders", &m.path("stuck-orders"));
    let listen = format!("127.0.0.1:{}", free_port());
    let people = ["--trust-domain", "shop.example/dev", "--person", "alice", "--person", "bob"];
    let place = ["--target", "shop-replica=shop.sqlite", "--listen", &listen];
    m.json(&[&["init", "draft"][..], &people, &place].concat());
    let policy = std::fs::read_to_string(m.path("draft/policy/targets.toml")).unwrap();
    std::fs::create_dir_all(m.path("server/policy")).unwrap();
    // The runner's entry is that of another folder.
    let (targets, _) = policy.split_once("[[runner]]").unwrap();
    let prod = targets.replace("prod = false", "prod = true");
    assert_ne!(prod, targets);
    std::fs::write(m.path("server/policy/targets.toml"), prod).unwrap();
    m.json(&[&["init", "server"][..], &people, &place].concat());
    format!("http://{listen}")
}

fn log_in(m: &Machine, url: &str, person: &str, further: &[&str]) {
    let key = format!("server/keys/{person}");
    let who = ["login", "--context", person, "--url", url, "--as", person, "--key", &key];
    m.json(&[&who[..], &["--trust", "server/trust.toml"], further].concat());
}

/// Alice's approved access request for `uses` runs.
fn granted(m: &Machine, uses: &str) -> String {
    m.json(&["--context", "alice", "submit", "stuck-orders"]);
    let review = ["review", "stuck-orders", "--target", "shop=shop-replica", "--approve", "--yes"];
    m.json(&[&["--context", "bob"][..], &review].concat());
    let ask = ["request", "stuck-orders", "--on", "shop=shop-replica", "--input", "input.json"];
    let ask = [&ask[..], &["--reason", "parcels are late", "--uses", uses]].concat();
    let asked = m.json(&[&["--context", "alice"][..], &ask].concat());
    let request = field(&asked[0], "id").to_owned();
    m.json(&["--context", "bob", "approve", &request, "--yes"]);
    request
}

fn run(m: &Machine, request: &str) -> (i32, String) {
    let run = ["run", "--request", request, "--input", "input.json"];
    m.told(&[&["--context", "alice"][..], &run].concat())
}

/// Runs until the answer has these words: what was signed meanwhile arrives a moment later.
fn run_until(m: &Machine, request: &str, exit: i32, words: &str) {
    let mut last = String::new();
    // Minutes: long after anything that is on its way would have come.
    for _ in 0..400 {
        let (code, told) = run(m, request);
        if code == exit && told.contains(words) {
            return;
        }
        assert_eq!(code, 3, "{told}");
        last = told;
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    panic!("`{words}` was never said: {last}");
}

/// Takes the status key out of the server's hands.
fn without_status(m: &Machine) {
    let path = m.path("server/borescope.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let rest = text.replace("[status]\nkey_file = \"data/status-key\"\n", "");
    assert_ne!(rest, text);
    std::fs::write(path, rest).unwrap();
    std::fs::rename(m.path("server/data/status-key"), m.path("status-key")).unwrap();
}

/// A keeper, and where it takes stops.
fn keep(m: &Machine, port: u16) -> (Server, String) {
    let listen = format!("127.0.0.1:{port}");
    let keep = ["status", "keep", "--status-key", "status-key", "--dir", "kept"];
    let all = [&["--context", "bob"][..], &keep, &["--listen", &listen]].concat();
    (m.start(&all), format!("http://{listen}"))
}

#[test]
fn production_is_open_while_the_server_says_what_is_in_force() {
    let m = Machine::new();
    let url = found(&m);
    let _server = m.serve();
    log_in(&m, &url, "alice", &[]);
    log_in(&m, &url, "bob", &[]);
    let request = granted(&m, "2");
    let (code, told) = run(&m, &request);
    assert_eq!(code, 0, "{told}");
}

#[test]
fn production_is_closed_while_nobody_says_what_is_in_force() {
    let m = Machine::new();
    let url = found(&m);
    without_status(&m);
    let _server = m.serve();
    log_in(&m, &url, "alice", &[]);
    log_in(&m, &url, "bob", &[]);
    m.json(&["--context", "alice", "submit", "stuck-orders"]);
    let review = ["review", "stuck-orders", "--target", "shop=shop-replica", "--approve", "--yes"];
    let review = [&["--context", "bob"][..], &review].concat();
    let (code, told) = m.told(&review);
    assert!(code == 5 && told.contains("marked prod"), "its catalog is not read: {code} {told}");
    let ask = ["request", "stuck-orders", "--on", "shop=shop-replica", "--input", "input.json"];
    let ask = [&ask[..], &["--reason", "parcels are late"]].concat();
    let asked = m.json(&[&["--context", "alice"][..], &ask].concat());
    let request = field(&asked[0], "id").to_owned();
    let (code, told) = m.told(&["--context", "bob", "approve", &request, "--yes"]);
    assert!(code == 3 && told.contains("status"), "{code} {told}");
    // With a keeper it opens.
    let (_keeper, _) = keep(&m, free_port());
    m.json(&review);
    m.json(&["--context", "bob", "approve", &request, "--yes"]);
    let (code, told) = run(&m, &request);
    assert_eq!(code, 0, "{told}");
}

#[test]
fn a_server_that_hides_a_stop_closes_production() {
    let m = Machine::new();
    let url = found(&m);
    without_status(&m);
    let _server = m.serve();
    let port = free_port();
    log_in(&m, &url, "bob", &[]);
    let (keeper, door) = keep(&m, port);
    log_in(&m, &url, "alice", &["--keeper", &door]);
    let request = granted(&m, "3");
    assert_eq!(run(&m, &request).0, 0);

    // Somebody has taken over the server, and swallows stops.
    let address = url.strip_prefix("http://").unwrap();
    let liar = Liar::before(address);
    liar.instead.lock().unwrap().push(("POST /v1/stops".to_owned(), "POST /v1/no".to_owned()));
    let config = m.path(".config/borescope/config.toml");
    let contexts = std::fs::read_to_string(&config).unwrap();
    let moved = contexts.replacen(&url, &format!("http://{}", liar.address), 1);
    assert!(contexts.find("contexts.alice") < contexts.find("contexts.bob") && contexts != moved);
    std::fs::write(&config, moved).unwrap();
    let stop = ["stop", "revision", "stuck-orders", "--reason", "reads too much"];
    let stop = [&["--context", "alice"][..], &stop].concat();
    let (code, told) = m.told(&stop);
    assert!(code == 5 && told.contains("a keeper has it"), "{code} {told}");
    run_until(&m, &request, 3, "status");

    // It has not forgotten when it comes back.
    drop(keeper);
    let (_keeper, _) = keep(&m, port);
    run_until(&m, &request, 3, "status");

    // When the runner hears of it, the runner says so itself.
    liar.instead.lock().unwrap().clear();
    m.json(&stop);
    run_until(&m, &request, 3, "stopped");
}
