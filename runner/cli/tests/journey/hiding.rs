//! A server that hides what is said against runs, shows an old word on what is in force, or other
//! documents than were asked for. On production the signed status gives it away; nothing is signed.

use std::sync::{Arc, Mutex};

use domain::decide::StopSubject;
use domain::{Clock as _, Timestamp};
use executor::SystemClock;
use serde_json::{Value, json};
use trust::{Envelope, InForce, Negative};

use super::lies::Liar;
use super::machine::text as field;
use super::team::{RUNS, Team, digest, post};

/// A team whose shop is production, and carol behind a liar.
fn production() -> (Team, Liar) {
    let team = Team::found(|_, _, policy| policy.targets[0].prod = true);
    // Its catalog is read only while somebody says what is in force.
    told_what_is_in_force(&team, &InForce::default());
    team.reviewed(&[]);
    let liar = Liar::before(&team.listen);
    liar.answers_for(&team.m, "carol");
    (team, liar)
}

/// Hands the server what is in force, for five minutes.
fn told_what_is_in_force(team: &Team, in_force: &InForce) -> Envelope {
    let status = team.status(in_force, soon(290));
    let answer = post(team, "alice", "/v1/status", &status);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    status
}

fn soon(seconds: i64) -> Timestamp {
    SystemClock.now().plus_s(seconds)
}

#[test]
fn who_approves_for_production_is_not_kept_from_a_stop() {
    let (team, liar) = production();
    let id = team.asks("alice", &[]);
    let stop = ["stop", "person", "mallory", "--reason", "laptop stolen"];
    let stopped = digest(&team.json("alice", &stop)[0]);
    let mut in_force = InForce::default();
    in_force.apply(Negative::Stop(stopped, StopSubject::Person("mallory".parse().unwrap())));
    told_what_is_in_force(&team, &in_force);
    liar.lies(|path, answer| {
        if path.starts_with("/v1/against") {
            answer["documents"] = json!([]);
        }
    });
    let told = team.refused(3, "carol", &["approve", &id, "--yes"]);
    assert!(told.contains("status-differs"), "{told}");
    liar.lies(|_, _| {});
    team.good("carol", &["approve", &id, "--yes"]);
    let told = team.good("alice", &RUNS);
    assert!(told.contains("never-scanned"), "{told}");
}

#[test]
fn who_approves_for_production_is_not_kept_from_a_rejection_or_a_lift() {
    let (team, liar) = production();
    let id = team.asks("alice", &[]);
    let no = ["review", "stuck-orders", "--target", "shop=shop-replica", "--reject", "--yes"];
    let no = team.json("bob", &no);
    let rejected = digest(&no[0]);
    let review = team.json("alice", &["show", field(&no[0], "id")]);
    let envelope = Envelope::from_json(review[0]["envelope"].to_string().as_bytes()).unwrap();
    let rejection = trust::Rejection::of(&trust::read_unverified(&envelope).unwrap()).unwrap();
    let mut in_force = InForce::default();
    in_force.apply(Negative::Rejection(rejected, rejection));
    told_what_is_in_force(&team, &in_force);
    let told = team.refused(3, "carol", &["approve", &id, "--yes"]);
    assert!(told.contains("review-rejected"), "{told}");
    let hidden = field(&no[0], "id").to_owned();
    liar.lies(move |_, answer| {
        if let Some(said) = answer.get_mut("documents").and_then(Value::as_array_mut) {
            said.retain(|d| d["id"] != hidden.as_str());
        }
    });
    let told = team.refused(3, "carol", &["approve", &id, "--yes"]);
    assert!(told.contains("status-differs"), "{told}");

    // The other way round: what hides an end only bars longer.
    let lift = ["lift", field(&no[0], "id"), "--reason", "a mistake", "--yes"];
    team.json("alice", &lift);
    let lifted: Value = team.json("alice", &["stops"]).into_iter().collect();
    assert_eq!(lifted, json!([]));
    told_what_is_in_force(&team, &InForce::default());
    let kept = review[0].clone();
    liar.lies(move |path, answer| {
        if path == "/v1/against?from=0" {
            answer["documents"] = json!([kept]);
        }
    });
    let told = team.refused(3, "carol", &["approve", &id, "--yes"]);
    assert!(told.contains("status-differs") || told.contains("review-rejected"), "{told}");
}

#[test]
fn an_old_word_on_what_is_in_force_is_none() {
    let (team, liar) = production();
    let id = team.asks("alice", &[]);
    let old = team.status(&InForce::default(), soon(-1));
    let fresh = told_what_is_in_force(&team, &InForce::default());
    let old: Value = serde_json::from_slice(&old.to_json().unwrap()).unwrap();
    liar.lies(move |path, answer| {
        if path == "/v1/status/signed" {
            answer["envelope"] = old.clone();
        }
    });
    let told = team.refused(3, "carol", &["approve", &id, "--yes"]);
    assert!(told.contains("status-expired"), "{told}");

    // One that nobody of the role has signed is none either.
    let status: trust::Status = trust::read_unverified(&fresh).unwrap();
    let forged = trust::sign(&status, &team.key("bob")).unwrap();
    let forged: Value = serde_json::from_slice(&forged.to_json().unwrap()).unwrap();
    liar.lies(move |path, answer| {
        if path == "/v1/status/signed" {
            answer["envelope"] = forged.clone();
        }
    });
    let told = team.refused(3, "carol", &["approve", &id, "--yes"]);
    assert!(told.contains("status-missing"), "{told}");
}

#[test]
fn nothing_is_signed_about_another_document_than_was_asked_for() {
    let team = Team::found(|_, _, _| {});
    let review = team.reviewed(&[]);
    let liar = Liar::before(&team.listen);
    liar.answers_for(&team.m, "carol");
    let (asked, other) = (team.asks("alice", &[]), team.asks("alice", &["--uses", "9"]));
    let swap = |from: &str, to: &str| {
        *liar.instead.lock().unwrap() = vec![(from.to_owned(), to.to_owned())];
    };
    swap(&asked, &other);
    let told = team.refused(7, "carol", &["approve", &asked, "--yes"]);
    assert!(told.contains("sign nothing"), "{told}");
    let told = team.refused(7, "carol", &["show", &asked, "--why"]);
    assert!(told.contains("sign nothing"), "{told}");
    let told = team.refused(7, "carol", &["after-review", &asked, "--justified", "--yes"]);
    assert!(told.contains("sign nothing"), "{told}");

    let no = ["review", "stuck-orders", "--target", "shop=shop-replica", "--reject", "--yes"];
    let no = team.json("carol", &no);
    swap(field(&no[0], "id"), &review);
    let withdraw = ["withdraw", field(&no[0], "id"), "--reason", "x", "--yes"];
    let told = team.refused(7, "carol", &withdraw);
    assert!(told.contains("sign nothing"), "{told}");
    liar.instead.lock().unwrap().clear();

    // A review of another revision does not become one of this.
    let stray: Arc<Mutex<Option<Value>>> = Arc::default();
    let kept = Arc::clone(&stray);
    liar.lies(move |_, answer| {
        if let Some(said) = answer.get_mut("documents").and_then(Value::as_array_mut) {
            said.extend(kept.lock().unwrap().clone());
        }
    });
    let manifest = std::fs::read_to_string(team.m.path("stuck-orders/script.toml")).unwrap();
    let (before, rest) = manifest.split_once("version = \"").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    let next = format!("{before}version = \"99.0.0\"{after}");
    std::fs::write(team.m.path("stuck-orders/script.toml"), next).unwrap();
    let later = team.reviewed(&[]);
    *stray.lock().unwrap() = Some(team.json("alice", &["show", &later])[0].clone());
    team.good("carol", &["withdraw", field(&no[0], "id"), "--reason", "x", "--yes"]);
    let told = team.refused(7, "carol", &["approve", &asked, "--yes"]);
    assert!(told.contains("about something else"), "{told}");
}

#[test]
fn a_run_is_not_explained_by_the_order_of_another() {
    let team = Team::found(|_, _, _| {});
    team.reviewed(&[]);
    let id = team.asks("alice", &["--uses", "2"]);
    team.json("bob", &["approve", &id, "--yes"]);
    for _ in 0..2 {
        team.good("alice", &RUNS);
    }
    let runs = team.json("alice", &["runs"]);
    let (one, other) = (field(&runs[0], "id"), runs[1]["run_request"].clone());
    let liar = Liar::before(&team.listen);
    liar.answers_for(&team.m, "carol");
    let why = ["show", one, "--why"];
    assert!(team.good("carol", &why).contains(": allowed"));
    liar.lies(move |path, answer| {
        if path.starts_with("/v1/runs/run_") && answer.get("run_request").is_some() {
            answer["run_request"] = other.clone();
        }
    });
    let told = team.refused(7, "carol", &why);
    assert!(told.contains("do not rely on what it shows"), "{told}");
}
