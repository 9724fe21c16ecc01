//! From an idea to an answer without a toolchain: new, build, submit; and what is refused on the way.

use std::fs;

use super::machine::text as field;
use super::team::Team;
use super::terminal::Terminal;

const ASK: &str = r#"{"since":"2026-11-01T00:00:00Z"}"#;

/// A team where alice has begun the script `late-orders`.
fn began() -> Team {
    let team = Team::found(|_, _, _| {});
    let told = team.good("alice", &["new", "late-orders", "--sql"]);
    assert!(told.contains("next: borescope test late-orders"), "{told}");
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
    let told = team.good("alice", &["test", "late-orders"]);
    assert!(told.contains("ok     first (3 rows") && told.contains("late-orders: rows"), "{told}");
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
fn whoever_watches_sees_each_change_tested_also_one_that_is_wrong() {
    let team = began();
    let words = ["--context", "alice", "test", "late-orders", "--watch"];
    let mut alice = Terminal::open(&team.m, &[], &words);
    alice.sees("ok     first (3 rows");
    alice.sees("watching; Ctrl-C ends it");
    edit(&team, "queries/late-orders.sql", "FROM orders", "FROM order");
    alice.sees("queries/late-orders.sql");
    alice.sees("watching; Ctrl-C ends it");
    edit(&team, "queries/late-orders.sql", "FROM order", "FROM orders");
    alice.sees("ok     first (3 rows");
    alice.sees("watching; Ctrl-C ends it");
    alice.interrupts();
    assert_ne!(alice.ends().0, 0);
}

#[test]
fn a_reviewer_runs_the_fixtures_and_signs_nothing_that_fails_them() {
    let team = began();
    team.good("alice", &["submit", "late-orders"]);
    let told = team.good("bob", &["review", "late-orders", "--test"]);
    assert!(told.contains("ok     first (3 rows"), "{told}");
    edit(&team, "script.toml", "1.0.0", "1.1.0");
    edit(&team, "queries/late-orders.sql", ">= $1", "<= $1");
    team.good("alice", &["submit", "late-orders"]);
    let approve = ["review", "late-orders", "--test", "--approve", "--yes"];
    let told = team.refused(1, "bob", &approve);
    assert!(told.contains("FAILED first") && told.contains("nothing was signed"), "{told}");
    assert!(!team.good("bob", &["show", "late-orders"]).contains("approve by bob"));
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
    assert!(told.contains("late-orders/queries/late-orders.sql:9: "), "{told}");
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

#[test]
fn a_test_fails_until_its_output_is_kept_and_says_where_a_query_is_wrong() {
    let team = began();
    edit(&team, "queries/late-orders.sql", "ORDER BY o.paid_at, o.id", "ORDER BY o.total_cents");
    let told = team.refused(1, "alice", &["test", "late-orders"]);
    assert!(told.contains("FAILED first") && told.contains("  +         ["), "{told}");
    assert!(told.contains("keep it: borescope test late-orders --update"), "{told}");
    let told = team.good("alice", &["test", "late-orders", "--update"]);
    assert!(told.contains("kept   first"), "{told}");
    let tested = team.json("alice", &["test", "late-orders"]);
    assert_eq!((&tested[0]["ok"], &tested[0]["expected"]), (&true.into(), &"same".into()));
    assert_eq!(tested[0]["queries"]["late-orders"]["rows"], 3);
    edit(&team, "queries/late-orders.sql", "o.total_cents,", "o.totl_cents,");
    let told = team.refused(1, "alice", &["test", "late-orders"]);
    let place = "queries/late-orders.sql:7: no such column: o.totl_cents";
    assert!(told.contains(place), "{told}");
    // The server knows the policy, and warns with the same words.
    let told = team.good("alice", &["submit", "late-orders"]);
    assert!(told.contains("shop-replica would not run it: line 7: no such column"), "{told}");
}

/// The toolchain that people keep outside their HOME's usual place; the registry is not asked.
fn toolchain() -> Vec<(&'static str, String)> {
    let home = std::env::home_dir().unwrap();
    let set = |name: &str, folder: &str| {
        let default = || home.join(folder).to_str().unwrap().to_owned();
        std::env::var_os(name).map_or_else(default, |v| v.into_string().unwrap())
    };
    vec![
        ("CARGO_HOME", set("CARGO_HOME", ".cargo")),
        ("RUSTUP_HOME", set("RUSTUP_HOME", ".rustup")),
        ("CARGO_NET_OFFLINE", "true".to_owned()),
    ]
}

#[test]
fn a_script_in_rust_from_nothing_to_submitted_whose_source_builds_the_same_bytes_again() {
    let team = Team::found(|_, _, _| {});
    team.good("alice", &["new", "late-totals"]);
    let toolchain = toolchain();
    let env: Vec<(&str, &str)> = toolchain.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let (code, told) = team.m.told_with(&env, &["test", "late-totals"]);
    assert!(code == 0 && told.contains("ok     first"), "{code} {told}");
    let submit = ["--context", "alice", "submit", "late-totals"];
    let submitted = team.m.json_with(&env, &submit);
    let revision = field(&submitted[0], "revision");

    // Whoever has nothing but the bundle can build it.
    let bundle = team.m.path("late-totals/target/bundle");
    let again = team.m.path("again");
    let status = std::process::Command::new("cp").arg("-r").arg(&bundle).arg(&again).status();
    assert!(status.unwrap().success());
    fs::remove_file(again.join("component.wasm")).unwrap();
    let mut tar = std::process::Command::new("tar");
    let status = tar.arg("-xf").arg(again.join("source.tar")).arg("-C").arg(&again).status();
    assert!(status.unwrap().success());
    let built = team.m.json_with(&env, &["build", "again"]);
    assert_eq!(field(&built[0], "revision"), revision, "elsewhere, from the bundle alone");

    let told = team.good("bob", &["review", "late-totals", "--target", "shop=shop-replica"]);
    assert!(told.contains("unlisted build") && told.contains("chosen by the script"), "{told}");

    another_component_than_the_source_gives_is_found_by_building_it(&team, &env);

    // The compiler's words are shown, and nothing is left that could be submitted for it.
    let lib = team.m.path("again/src/lib.rs");
    let text = fs::read_to_string(&lib).unwrap();
    fs::write(&lib, text.replace("samples.unwrap_or(3)", "samples.unwrap_or(\"3\")")).unwrap();
    let (code, told) = team.m.told_with(&env, &["build", "again"]);
    assert!(code == 2 && told.contains("mismatched types") && told.contains("lib.rs:"), "{told}");
    let reads = "\nconst INPUT: &str = include_str!(\"../../input.json\");\n";
    fs::write(&lib, format!("{text}{reads}")).unwrap();
    let (code, told) = team.m.told_with(&env, &["build", "again"]);
    assert!(code == 2 && told.contains("input.json, which is not in source.tar"), "{told}");

    let (code, told) = team.m.told_with(&[("PATH", "/nowhere")], &["build", "again"]);
    assert!(code == 2 && told.contains("rustup.rs") && told.contains("--sql"), "{told}");
}

/// Bob builds what he read. Then alice puts in a component that her source does not give.
fn another_component_than_the_source_gives_is_found_by_building_it(
    team: &Team,
    env: &[(&str, &str)],
) {
    // Lines end where the terminal does.
    let flat = |told: String| told.split_whitespace().collect::<Vec<_>>().join(" ");
    let review = |version: &str, verdict: &[&str]| {
        let script = format!("late-totals@{version}");
        let mut words = vec!["--context", "bob", "review", &script];
        words.extend(["--target", "shop=shop-replica", "--rebuild"]);
        words.extend(verdict);
        let (code, told) = team.m.told_with(env, &words);
        (code, flat(told))
    };
    let (code, told) = review("1.0.0", &["--approve", "--yes"]);
    assert!(code == 0 && told.contains("the same component, byte for byte"), "{code} {told}");
    let told = flat(team.good("carol", &["review", "late-totals"]));
    assert!(told.contains("rebuilt it: the same"), "{told}");

    let source = team.m.path("late-totals/src/lib.rs");
    let honest = fs::read_to_string(&source).unwrap();
    fs::write(&source, honest.replace("samples.unwrap_or(3)", "samples.unwrap_or(9)")).unwrap();
    let manifest = team.m.path("late-totals/script.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("\"1.0.0\"", "\"1.0.1\"")).unwrap();
    team.m.json_with(env, &["build", "late-totals"]);
    let bundle = team.m.path("late-totals/target/bundle");
    let other = fs::read(bundle.join("component.wasm")).unwrap();
    fs::write(&source, honest).unwrap();
    team.m.json_with(env, &["build", "late-totals"]);
    fs::write(bundle.join("component.wasm"), other).unwrap();
    team.good("alice", &["submit", "late-totals/target/bundle"]);

    let (code, told) = review("1.0.1", &["--approve", "--yes"]);
    assert!(code == 1 && told.contains("does not come of its source"), "{code} {told}");
    assert!(told.contains("another component from the same source"), "the opening says so: {told}");
    let (code, told) = review("1.0.1", &["--request-changes", "--comment", "build it", "--yes"]);
    assert_eq!(code, 0, "{told}");
    let told = flat(team.good("carol", &["review", "late-totals@1.0.1"]));
    assert!(told.contains("rebuilt it: ANOTHER component"), "{told}");
}

#[test]
fn a_schema_comes_from_the_policy_and_begins_a_fixture() {
    let team = began();
    let told = team.good("alice", &["schema", "pull", "shop-replica"]);
    assert!(told.contains("CREATE TABLE orders (") && told.contains("    paid_at,"), "{told}");
    assert!(told.contains("policy version 1, sha256:"), "{told}");
    let told = team.refused(2, "alice", &["schema", "pull", "orders-replica"]);
    assert!(told.contains("it has: shop-replica"), "{told}");
    let out = ["schema", "pull", "shop-replica", "--out", "late-orders/fixtures/shop.sql"];
    let told = team.refused(2, "alice", &out);
    assert!(told.contains("cannot be written"), "what somebody wrote is kept: {told}");
    fs::remove_file(team.m.path("late-orders/fixtures/shop.sql")).unwrap();
    team.good("alice", &out);
    // An empty shop is a shop: the query runs, and finds nothing.
    let told = team.refused(1, "alice", &["test", "late-orders"]);
    assert!(
        told.contains("FAILED first (0 rows") && told.contains("+       \"rows\": []"),
        "{told}"
    );
}

#[test]
fn a_pull_request_is_uploaded_by_a_token_and_signed_where_the_key_is() {
    let team = began();
    let token = fs::read_to_string(team.m.path(".config/borescope/alice.token")).unwrap();
    let url = format!("http://{}", team.listen);
    let env = [("BORESCOPE_TOKEN", token.trim()), ("BORESCOPE_URL", &url), ("HOME", "/nowhere")];
    let ci = ["submit", "late-orders", "--ci"];
    let (code, told) = team.m.told_with(&env, &ci);
    assert!(code == 0 && told.contains("Tests: 1 of 1 passed"), "{code} {told}");
    let words = "since ← `/since`, status ← `/status` | 1 call, 500 rows";
    assert!(told.contains(words) && told.contains("the server has no other revision"), "{told}");
    let sign = "borescope submit --sign sha256:";
    let at = told.find(sign).unwrap() + sign.len();
    let revision = format!("sha256:{}", &told[at..at + 64]);
    let told = team.good("alice", &["scripts"]);
    assert!(!told.contains("late-orders"), "nothing is submitted yet: {told}");

    let told = team.refused(3, "alice", &["submit", "--sign", &revision]);
    assert!(told.contains("nothing was signed") && told.contains("FROM orders AS o"), "{told}");
    let signed = team.json("alice", &["submit", "--sign", &revision, "--yes"]);
    assert_eq!(field(&signed[0], "revision"), revision);
    assert!(team.good("bob", &["scripts"]).contains("late-orders"));

    // The next one says what changed; one that fails its own test is not uploaded.
    edit(&team, "script.toml", "version = \"1.0.0\"", "version = \"1.1.0\"");
    edit(&team, "queries/late-orders.sql", "o.id,\n    ", "");
    let (code, told) = team.m.told_with(&env, &ci);
    assert!(code == 1 && told.contains("Not uploaded"), "{code} {told}");
    assert!(told.contains("- failed: `first`: `its output is not the expected one`"), "{told}");
    team.good("alice", &["test", "late-orders", "--update"]);
    let (code, told) = team.m.told_with(&env, &ci);
    assert!(code == 0 && told.contains("changed since 1.0.0"), "{code} {told}");
    assert!(told.contains("| `late-orders` (changed) |"), "{told}");
    let (code, told) = team.m.told_with(&env[..1], &ci);
    assert!(code == 2 && told.contains("BORESCOPE_URL"), "{code} {told}");
}
