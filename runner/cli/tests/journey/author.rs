//! From an idea to an answer without a toolchain: new, build, submit; and what is refused on the way.

use std::fs;

use super::machine::text as field;
use super::team::Team;

const ASK: &str = r#"{"since":"2026-11-01T00:00:00Z"}"#;

/// A team where alice has begun the script `late-orders`.
fn began() -> Team {
    let team = Team::found(|_, _, _| {});
    let told = team.good("alice", &["new", "late-orders", "--sql"]);
    assert!(told.contains("next: borescope build late-orders"), "{told}");
    fs::write(team.m.path("ask.json"), ASK).unwrap();
    team
}

/// Replaces text in a file of the script.
fn edit(team: &Team, file: &str, from: &str, to: &str) {
    let path = team.m.path("late-orders").join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file}: {text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

const REVIEW: [&str; 4] = ["review", "late-orders", "--target", "shop=shop-replica"];

#[test]
fn from_an_idea_to_submitted_in_three_commands_and_to_an_answer_that_replays() {
    let team = began();
    let built = team.json("alice", &["build", "late-orders"]);
    let submitted = team.json("alice", &["submit", "late-orders"]);
    let revision = field(&built[0], "revision");
    assert_eq!(revision, field(&submitted[0], "revision"), "the same files, the same digest");
    assert_eq!(submitted[0]["warnings"], serde_json::json!([]));
    let again = team.json("bob", &["build", "late-orders"]);
    assert_eq!(revision, field(&again[0], "revision"), "whoever builds it");

    let stock = format!("stock component of {}", env!("CARGO_PKG_VERSION"));
    let told = team.good("bob", &REVIEW);
    assert!(told.contains(&stock) && told.contains("from the approved input at /since"), "{told}");
    assert!(!told.contains("chosen by the script"), "{told}");
    assert!(team.good("carol", &["show", revision]).contains(&stock));
    team.json("bob", &[&REVIEW[..], &["--approve", "--yes"]].concat());

    let on = ["late-orders", "--on", "shop=shop-replica", "--input", "ask.json"];
    let ask = [&["request"], &on[..], &["--reason", "parcels are late"]].concat();
    let asked = team.json("alice", &ask);
    let request = field(&asked[0], "id");
    team.json("bob", &["approve", request, "--yes"]);
    let run = ["run", "--request", request, "--input", "ask.json", "--out", "result"];
    let told = team.good("alice", &run);
    assert!(told.contains("late-orders") && told.contains("total_cents"), "{told}");
    assert!(told.contains("complete"), "{told}");

    let bundle = "late-orders/target/bundle";
    let replay = ["replay", "result/recording.rec", "--bundle", bundle];
    let (code, told) = team.m.told(&replay);
    assert_eq!(code, 0, "{told}");
}

#[test]
fn a_ceiling_that_leaves_a_query_out_shows_the_others() {
    let team = began();
    let more = "\n[[query]]\nname = \"customers\"\ntarget = \"shop\"\n\
                file = \"queries/customers.sql\"\n\n[limits]";
    edit(&team, "script.toml", "\n[limits]", more);
    let sql = "SELECT c.country, count(*) AS customers FROM customers AS c GROUP BY c.country\n";
    fs::write(team.m.path("late-orders/queries/customers.sql"), sql).unwrap();
    team.good("alice", &["submit", "late-orders"]);
    team.json("bob", &[&REVIEW[..], &["--approve", "--yes", "--without", "customers"]].concat());
    let on = ["late-orders", "--on", "shop=shop-replica", "--input", "ask.json"];
    let ask = [&["request"], &on[..], &["--reason", "parcels are late"]].concat();
    let asked = team.json("alice", &ask);
    let request = field(&asked[0], "id");
    team.json("bob", &["approve", request, "--yes"]);
    let run = ["run", "--request", request, "--input", "ask.json"];
    let told = team.good("alice", &run);
    assert!(told.contains("total_cents") && !told.contains("country"), "{told}");
}

#[test]
fn an_exchanged_component_is_an_unlisted_build() {
    let team = began();
    team.good("alice", &["build", "late-orders"]);
    let other = fs::read(team.m.path("stuck-orders/component.wasm")).unwrap();
    fs::write(team.m.path("late-orders/target/bundle/component.wasm"), other).unwrap();
    team.good("alice", &["submit", "late-orders/target/bundle"]);
    let told = team.good("bob", &REVIEW);
    assert!(told.contains("unlisted build") && !told.contains("stock component of"), "{told}");
    assert!(team.good("bob", &["show", "late-orders"]).contains("unlisted build"));
    // The folder itself is built anew: what lies in it cannot exchange the component.
    let built = team.json("alice", &["build", "late-orders"]);
    assert_eq!(field(&built[0], "stock"), env!("CARGO_PKG_VERSION"));
}

#[test]
fn what_cannot_work_is_refused_at_build_with_file_and_line() {
    let team = began();
    edit(&team, "script.toml", ", from = \"/since\"", "");
    for command in ["build", "submit"] {
        let told = team.refused(2, "alice", &[command, "late-orders"]);
        let place = "late-orders/script.toml:19: nobody fills parameter since of query late-orders";
        assert!(told.contains(place) && told.contains("from = \"/since\""), "{told}");
    }
    edit(&team, "script.toml", "\"timestamptz\"", "\"timestamptz\", from = \"/since\"");
    edit(
        &team,
        "queries/late-orders.sql",
        "FROM orders AS o",
        "FROM orders AS o; DROP TABLE orders",
    );
    let told = team.refused(2, "alice", &["build", "late-orders"]);
    assert!(told.contains("queries/late-orders.sql: ") && told.contains("line 9: "), "{told}");
    assert!(!team.m.path("late-orders/target").exists(), "nothing was written");
    let told = team.refused(2, "alice", &["new", "late-orders", "--sql"]);
    assert!(told.contains("late-orders is there already"), "{told}");
}

#[test]
fn a_foreign_folder_is_not_removed() {
    let team = began();
    let mine = team.m.path("late-orders/target/bundle/mine.txt");
    fs::create_dir_all(mine.parent().unwrap()).unwrap();
    fs::write(&mine, "mine").unwrap();
    let told = team.refused(2, "alice", &["build", "late-orders"]);
    assert!(told.contains("is no bundle of an earlier build") && mine.exists(), "{told}");
}
