//! What was reviewed is what runs: a catalog or policy that has changed since the reviews refuses the run,
//! says how it differs, and a new review makes it run again.

use std::fs;

use super::machine::text as field;
use super::team::{RUNS, Team, flat};

/// Alice's approved access request; she runs it as often as she likes.
fn granted(team: &Team) -> String {
    let id = team.asks("alice", &["--uses", "9"]);
    team.good("carol", &["approve", &id, "--yes"]);
    id
}

fn works(team: &Team) {
    let told = team.good("alice", &RUNS);
    assert!(told.contains("never-scanned"), "{told}");
}

const APPROVES: [&str; 6] =
    ["review", "stuck-orders", "--target", "shop=shop-replica", "--approve", "--yes"];

/// The incident: a migration made a column of the reviewed query something else, and the answer at
/// three in the morning was about other values than those that the reviewer had in mind.
#[test]
fn a_query_on_a_changed_schema_is_refused_with_the_difference_until_it_is_reviewed_again() {
    let team = Team::found(|_, _, _| {});
    team.json("alice", &["submit", "stuck-orders"]);
    let told = team.good("bob", &APPROVES);
    assert!(flat(&told).contains("on shop=shop-replica, as its catalog is now"), "{told}");
    assert!(flat(&told).contains("paid_at TEXT"), "{told}");
    let before = granted(&team);
    works(&team);

    let db = rusqlite::Connection::open(team.m.path("shop.sqlite")).unwrap();
    let becomes = |was: &str, is: &str| {
        let change = format!(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, 'paid_at      {was}', 'paid_at      {is}')
             WHERE name = 'orders';
             PRAGMA writable_schema = RESET; PRAGMA schema_version = {}",
            if is == "ANY" { 1001 } else { 1002 }
        );
        db.execute_batch(&change).unwrap();
    };
    becomes("TEXT", "ANY");
    let told = flat(&team.refused(5, "alice", &RUNS));
    assert!(told.contains("the catalog is not what was reviewed"), "{told}");
    assert!(told.contains("orders.paid_at was TEXT and is ANY"), "{told}");
    assert!(told.contains("read 0 rows"), "{told}");

    // Carol looks at it as it is, and learns that Bob's word was about something else.
    let told = flat(&team.good("carol", &APPROVES));
    let parts =
        ["bob approved it", "does not count together", "orders.paid_at was TEXT and is ANY"];
    for part in parts {
        assert!(told.contains(part), "{part}: {told}");
    }
    // Who approved the run relied on Bob's.
    let again = ["run", "--request", &before, "--input", "input.json"];
    let told = team.refused(3, "alice", &again);
    assert!(told.contains("approval-missing"), "{told}");
    let id = team.asks("alice", &["--uses", "9"]);
    team.good("bob", &["approve", &id, "--yes"]);
    works(&team);

    // It is all the same when it is as it was: what counts is what the newest reviewer saw.
    becomes("ANY", "TEXT");
    let told = flat(&team.refused(5, "alice", &RUNS));
    assert!(told.contains("orders.paid_at was ANY and is TEXT"), "{told}");
}

/// The incident: policy hid a column better after the review; the script still ran, on values that its
/// reviewer had never thought of.
#[test]
fn a_run_after_policy_has_changed_what_the_query_sees_is_refused_before_it_starts() {
    let team = Team::found(|_, _, _| {});
    team.reviewed(&[]);
    granted(&team);
    works(&team);
    let source = team.good("alice", &["policy", "source"]);
    let masked = source.replacen(
        "[[target]]",
        "[[target]]\nmask = [{ table = \"orders\", column = \"number\", kind = \"full\" }]",
        1,
    );
    fs::write(team.m.path("targets.toml"), masked).unwrap();
    let proposed = team.json("alice", &["policy", "propose", "targets.toml", "--yes"]);
    let digest = proposed.iter().find_map(|line| line["digest"].as_str()).unwrap();
    team.json("alice", &["policy", "adopt", digest, "--yes"]);
    let (code, told) = team.told("alice", &RUNS);
    let told = flat(&told);
    assert!(code == 3 && told.contains("analysis-differs"), "{code} {told}");
    assert!(told.contains("orders.number was raw and is hidden"), "{told}");
    assert!(told.contains("have it reviewed again"), "{told}");
}

/// Who read a catalog is on record, as who read a result is.
#[test]
fn whoever_reads_a_catalog_is_in_the_audit() {
    let team = Team::found(|_, _, _| {});
    team.reviewed(&[]);
    let told = team.json("alice", &["audit", "--kind", "catalog-read"]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(field(&told[0], "person"), "bob");
    assert!(told[0]["subjects"].to_string().contains("shop-replica"), "{told:?}");
}
