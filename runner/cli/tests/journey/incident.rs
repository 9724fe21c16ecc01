//! After the incident: everything with its ticket as one timeline, verified by whoever reads it, and a
//! folder for the post-mortem that proves itself without any server.

use serde_json::Value;

use super::lies::Liar;
use super::team::{ASKS, Team, flat};
use super::ways::self_serve;

const RUN: [&str; 4] = ["run", "--input", "input.json", "--request"];
/// What somebody writes who wants to be believed more than they should.
const TRICK: &str = "see | `rm` | <img src=x> [click](http://evil.example) @everyone \u{1b}[2J";

fn asks(team: &Team, more: &[&str]) -> String {
    let filed = team.json("alice", &[&ASKS[..6], more].concat());
    filed[0]["id"].as_str().unwrap().to_owned()
}

/// Alice asks with a ticket, bob approves, alice runs twice; then alice stops it, and carol is told.
fn incident(team: &Team) -> String {
    team.reviewed(&["--comment", "looks fine"]);
    let why = ["--reason", TRICK, "--ticket", "INC-2041", "--uses", "2"];
    let request = asks(team, &why);
    team.json("bob", &["approve", &request, "--yes"]);
    for _ in 0..2 {
        team.json("alice", &[&RUN[..], &[&request]].concat());
    }
    team.json("alice", &["stop", "request", &request, "--reason", "enough seen"]);
    request
}

#[test]
fn a_ticket_is_one_timeline_and_every_line_of_it_is_verified() {
    let team = Team::found(|_, _, _| {});
    let request = incident(&team);
    let told = flat(&team.good("bob", &["show", "INC-2041"]));
    assert!(told.contains("1 access request, 2 runs, 1 stop"), "{told}");
    let mut rest = told.as_str();
    for wanted in [
        "alice submits stuck-orders@",
        "bob accepts stuck-orders@",
        "alice asks to run stuck-orders@1.0.0 on shop-replica, 2 times",
        "bob approves",
        "alice runs stuck-orders@1.0.0 on shop-replica (use 1)",
        "succeeded: read",
        "alice runs",
        "succeeded: read",
        "alice STOPS",
    ] {
        let at = rest.find(wanted).unwrap_or_else(|| panic!("{wanted} in its place in {told}"));
        rest = &rest[at + 1..];
    }
    assert!(told.contains(&request) && told.contains("enough seen"), "{told}");
    assert!(!told.contains('\u{1b}'), "{told}");

    let mut lines = team.json("bob", &["show", "INC-2041"]);
    // Who read what a run left is in the log, but signed by nobody.
    lines.retain(|line| line["kind"] != "run-read");
    assert_eq!(lines.len(), 9);
    for line in &lines {
        assert_eq!(line["proof"], "verified", "{line}");
        assert!(line["id"].as_str().unwrap().contains('_') && line["at_ms"].as_u64() > Some(0));
    }
    let times: Vec<u64> = lines.iter().map(|l| l["at_ms"].as_u64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");

    // A ticket may stand in the reason only; and a stop of something else is no part of it.
    let other = asks(&team, &["--reason", "INC-77: the same again"]);
    let told = team.good("carol", &["show", "INC-77"]);
    assert!(told.contains(&other) && !told.contains(&request), "{told}");
    assert!(told.contains("0 stops"), "{told}");
    let told = team.refused(2, "carol", &["show", "INC-78"]);
    assert!(told.contains("no script, revision or ticket") && told.contains("--ticket"), "{told}");
}

#[test]
fn a_run_without_an_access_request_says_itself_what_it_is_about() {
    let team = Team::found(|keyring, _, policy| self_serve(keyring, policy));
    team.reviewed(&["--self-serve", "engineers:5"]);
    let open = ["run", "stuck-orders", "--on", "shop-replica", "--input", "input.json"];
    for reason in ["INC-99 parcels again", "INC-100 something else"] {
        team.good("alice", &[&open[..], &["--reason", reason]].concat());
    }
    let told = flat(&team.good("bob", &["show", "INC-99"]));
    assert!(told.contains("0 access requests, 1 run, 0 stops"), "{told}");
    let run = "✓ alice runs stuck-orders@1.0.0 on shop-replica (open to them without an approval)";
    for part in [run, "INC-99 parcels again", "alice submits stuck-orders@1.0.0", "succeeded: read"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn what_a_lying_server_adds_to_a_timeline_is_marked() {
    let team = Team::found(|_, _, _| {});
    let request = incident(&team);
    let other = asks(&team, &["--reason", "no ticket"]);
    let liar = Liar::before(&team.listen);
    liar.answers_for(&team.m, "bob");
    // Another person's approval, made of a real one.
    liar.lies(|path, answer| {
        if path.starts_with("/v1/access-requests/") && answer["approvals"][0].is_object() {
            let payload = &mut answer["approvals"][0]["envelope"]["payload"];
            let changed = payload.as_str().unwrap().replacen('a', "b", 1);
            *payload = changed.into();
        }
    });
    let told = team.refused(7, "bob", &["show", "INC-2041"]);
    assert!(told.contains("✗"), "{told}");
    // An outcome that no receipt bears out.
    liar.lies(|path, answer| {
        if path.starts_with("/v1/runs/run_") && answer["state"]["phase"] == "ended" {
            answer["state"]["outcome"] = serde_json::json!({ "state": "failed" });
        }
    });
    let told = flat(&team.refused(7, "bob", &["show", "INC-2041"]));
    assert!(told.contains("the server says failed, and the receipt does not"), "{told}");
    // An access request that has nothing to do with it.
    let stranger = other.clone();
    liar.lies(move |path, answer| {
        if path.starts_with("/v1/audit?subject=INC-2041") {
            answer["events"][0]["subjects"][0] = Value::String(stranger.clone());
        }
    });
    let told = team.told("bob", &["show", "INC-2041"]).1;
    assert!(told.contains("left out") && !told.contains("no ticket\""), "{told}");
    drop(request);
}

#[test]
fn the_post_mortem_gets_a_table_and_evidence_that_needs_no_server() {
    let team = Team::found(|_, _, _| {});
    let request = incident(&team);
    let export = ["audit", "export", "--ticket", "INC-2041", "--markdown"];
    let printed = team.good("bob", &export);
    assert!(printed.contains("| when | what |"), "{printed}");
    team.good("bob", &[&export[..], &["--out", "inc"]].concat());
    let text = std::fs::read_to_string(team.m.path("inc/timeline.md")).unwrap();
    assert!(text.contains(&request) && text.contains("sha256:"), "{text}");
    let rows = text.lines().filter(|l| l.starts_with("| 20") && !l.contains("reads the")).count();
    assert_eq!(rows, 9, "one line each, whatever the reason says: {text}");
    // Text of others stands in code spans only, with its bars escaped; no value is there at all.
    assert!(text.contains("see \\| ") && !text.contains("see | "), "{text}");
    for word in ["never-scanned", "payment-not-captured", "2026-11-21", "\u{1b}"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    let offline = team.m.path("offline");
    std::fs::rename(team.m.path("inc"), &offline).unwrap();
    let m = team.without_server();
    let verify = ["verify", "offline", "--trust", "server/trust.toml"];
    let (code, told) = m.told(&verify);
    assert_eq!((code, told.matches("authenticated: signed by").count()), (0, 4), "{told}");
    let one = std::fs::read_dir(&offline).unwrap().map(|e| e.unwrap().path());
    let one = one.into_iter().find(|p| p.to_string_lossy().ends_with(".evidence.json")).unwrap();
    let evidence = std::fs::read_to_string(&one).unwrap();
    let changed = evidence.replacen("\"payload\": \"e", "\"payload\": \"f", 1);
    assert_ne!(evidence, changed);
    std::fs::write(&one, changed).unwrap();
    let (code, told) = m.told(&verify);
    assert!(code == 7 && told.contains("does not hold"), "{code} {told}");
}
