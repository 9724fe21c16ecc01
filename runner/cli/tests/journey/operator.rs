//! Whoever runs the server, and whoever cannot get through to it: what is wrong is said in one look,
//! with what helps.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rusqlite::Connection;

use super::receiver::{Answer, Receiver, until};
use super::team::{Team, flat};

fn set_application_id(team: &Team, id: i64) -> i64 {
    let db = Connection::open(team.m.path("shop.sqlite")).unwrap();
    let was = db.query_row("PRAGMA application_id", [], |row| row.get(0)).unwrap();
    db.execute_batch(&format!("PRAGMA application_id = {id}")).unwrap();
    was
}

#[test]
fn an_operator_sees_what_each_target_can_be_reached_as_while_the_server_is_at_work() {
    let team = Team::found(|_, _, _| {});
    let check = ["check", "--config", "server"];
    let (code, told) = team.m.told(&check);
    assert_eq!(code, 0, "{told}");
    for wanted in
        ["✓ shop-replica: sqlite, not production", "as policy pins it", "orders (", "hidden"]
    {
        assert!(told.contains(wanted), "{wanted} in {told}");
    }
    let found = team.m.json(&check);
    assert_eq!((&found[0]["target"], &found[0]["ok"]), (&"shop-replica".into(), &true.into()));

    // Another database under the same name.
    let was = set_application_id(&team, 5);
    let (code, told) = team.m.told(&check);
    let told = flat(&told);
    assert_eq!(code, 5, "{told}");
    assert!(told.contains("✗ shop-replica") && told.contains("application id is 5"), "{told}");
    assert!(told.contains("sign a policy with the new application id"), "what helps: {told}");
    set_application_id(&team, was);

    // None at all.
    let (there, gone) = (team.m.path("shop.sqlite"), team.m.path("gone.sqlite"));
    fs::rename(&there, &gone).unwrap();
    let (code, told) = team.m.told(&check);
    let told = flat(&told);
    assert!(code == 5 && told.contains("check that the file exists"), "{code} {told}");
    fs::rename(&gone, &there).unwrap();

    // No way in the configuration, and a way to nothing.
    let config = team.m.path("server/borescope.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("shop-replica", "shop-replicas")).unwrap();
    let (code, told) = team.m.told(&check);
    let told = flat(&told);
    assert!(code == 5 && told.contains("add [targets.shop-replica]"), "{code} {told}");
    assert!(told.contains("the policy has no target shop-replicas"), "{told}");
    fs::write(&config, text).unwrap();

    let (code, told) = team.m.told(&["check", "nowhere", "--config", "server"]);
    assert!(code == 2 && told.contains("it has shop-replica"), "{code} {told}");
    assert_eq!(team.m.told(&check).0, 0);
}

#[test]
fn a_doctor_looks_at_everything_and_names_what_helps() {
    let team = Team::found(|_, _, _| {});
    let told = flat(&team.good("alice", &["doctor"]));
    for wanted in [
        "✓ key SHA256:",
        "✓ server http://127.0.0.1:",
        "✓ this clock and the server's are",
        "✓ logged in as alice",
        "✓ keyring version 1 is the one that you pin",
        "✓ the directory has this key as alice's",
        "✓ keyring, directory and policy are valid until",
    ] {
        assert!(told.contains(wanted), "{wanted} in {told}");
    }
    let told = flat(&team.good("alice", &["doctor", "--config", "server"]));
    assert!(
        told.contains("left for") && told.contains("borescope check --config server"),
        "{told}"
    );
    assert!(told.contains("! nobody is told"), "{told}");

    let token = team.m.path(".config/borescope/alice.token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    let told = flat(&team.refused(2, "alice", &["doctor"]));
    assert!(told.contains("others may read") && told.contains("chmod 600"), "{told}");
    assert!(told.contains("✓ logged in as alice"), "it goes on: {told}");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();

    let receipts = team.m.path("server/data/runner/receipt-key");
    fs::set_permissions(&receipts, fs::Permissions::from_mode(0o644)).unwrap();
    let told = flat(&team.refused(2, "alice", &["doctor", "--config", "server"]));
    assert!(told.contains("chmod go-rwx") && told.contains("receipt-key"), "{told}");

    let lines = team.m.output(&[], &["--context", "bob", "doctor", "--json"]);
    let lines = String::from_utf8(lines.stdout).unwrap();
    assert!(lines.lines().all(|l| l.contains("\"state\":\"ok\"")), "{lines}");

    // Nobody at the address any more.
    let m = team.without_server();
    let (code, told) = m.told(&["--context", "alice", "doctor"]);
    assert!(code == 5 && told.contains("✗ server"), "{code} {told}");
    let (code, told) = m.told(&["--context", "nobody", "doctor"]);
    assert!(code == 2 && told.contains("no context \"nobody\""), "{code} {told}");
}

#[test]
fn a_webhook_that_takes_nothing_is_seen_by_everybody() {
    let receiver = Receiver::new(Answer::status("500 Internal Server Error"));
    let hook =
        format!("[[notify]]\nname = \"on-call\"\nurl = \"{}\"\nformat = \"slack\"\n", receiver.url);
    let team = Team::configured(&hook, |_, _, _| {});
    team.reviewed(&[]);
    let mut told = String::new();
    until("everybody sees that it takes nothing", || {
        told = flat(&team.good("bob", &["doctor"]));
        told.contains("! webhook on-call takes nothing since")
    });
    assert!(told.contains("the receiver answers 500"), "{told}");
    assert!(!told.contains("hook-with-a-secret-path"), "its address is a secret: {told}");
    receiver.answers(Answer::status("200 OK"));
    until("it works again", || team.good("bob", &["doctor"]).contains("✓ webhook on-call:"));
}
