//! What a reviewer is told of a query follows from its text and the signed policy.

use domain::{Manifest, Pair};
use serde_json::{Value, json};
use trust::Policy;

use super::words;
use super::*;
use crate::out::Out;

const MANIFEST: &str = "[script]\nname = \"s\"\nversion = \"1.0.0\"\nsummary = \"counts only\"\n\
    [targets.shop]\nengine = \"ENGINE\"\nunmask = [\"shop.people.phone\"]\n\
    [[query]]\nname = \"q\"\ntarget = \"shop\"\nfile = \"queries/q.sql\"\n\
    params = [{ name = \"since\", type = \"timestamptz\" }, { name = \"batch\", type = \"int8\" }]\n\
    calls_max = 20\nrows_total_max = 5000\n";

fn target(id: &str, engine: &str) -> Value {
    let limits = json!({ "fuel_max": 1, "memory_bytes_max": 1, "wall_ms_max": 1,
        "output_bytes_max": 1 << 20, "host_calls_max": 1 });
    let quorum = json!({ "required": 1, "groups": [], "from_each": [] });
    let is_postgres = engine == "postgres";
    let identity = match is_postgres {
        true => {
            json!({ "postgres": { "system_identifier": "7", "database": "shop", "role": "r" } })
        }
        false => json!({ "sqlite": { "application_id": 7 } }),
    };
    let name = |table: &str| if is_postgres { format!("shop.{table}") } else { table.to_owned() };
    let mask = |column: &str, mask: Value, unmask: bool| json!({ "table": name("people"), "column": column, "mask": mask, "unmask": unmask });
    let postgres_only = |n: u64| is_postgres.then_some(n);
    json!({
        "id": id, "engine": engine, "prod": false, "groups": [], "identity": identity, "runners": [],
        "callers": [], "reviews": quorum, "reviews_unchanged": null, "approvals": quorum,
        "self_serve": null, "break_glass": null, "limits": limits,
        "query": { "calls_max": 10, "rows_total_max": 2000, "bytes_total_max": 1 << 20 },
        "reads": [
            { "table": name("orders"), "columns": ["id", "person", "paid_at", "status"] },
            { "table": name("people"), "columns": ["id", "email", "phone"] },
        ],
        "denied": [{ "table": name("people"), "column": "ssn" }],
        "masks": [
            mask("email", json!({ "kind": "email" }), false),
            mask("phone", json!({ "kind": "full" }), is_postgres),
        ],
        "row_filters": [{ "table": name("people"), "filter": "id > 0" }], "recursion": false, "recording": "full",
        "statement_ms_max": 1, "cost_max": postgres_only(1), "lag_s_max": postgres_only(1),
        "readers": [], "retention_days": 1
    })
}

fn policy(engine: &str, ids: &[&str]) -> Policy {
    let targets: Vec<Value> = ids.iter().map(|id| target(id, engine)).collect();
    let header = json!({
        "trust_domain": "shop.example", "id": "pol_0198f0c0-0000-7000-8000-000000000000",
        "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z",
        "salt": "01010101010101010101010101010101",
    });
    let digest = format!("sha256:{}", "0".repeat(64));
    serde_json::from_value(json!({
        "header": header, "version": 1, "previous": null,
        "keyring": { "version": 1, "digest": digest }, "targets": targets, "runners": [],
        "scripts": [],
    }))
    .unwrap()
}

fn blast_on(engine: &str, ids: &[&str], sql: &str) -> Blast {
    let policy = policy(engine, ids);
    let manifest = MANIFEST.replace("ENGINE", engine);
    let manifest = match engine {
        "sqlite" => manifest.replace("unmask = [\"shop.people.phone\"]\n", ""),
        _ => manifest,
    };
    let manifest = Manifest::parse(manifest.as_bytes()).unwrap();
    let files = [("queries/q.sql".parse().unwrap(), sql.as_bytes().to_vec())].into();
    let pair = |id: &&str| Pair { logical: "shop".parse().unwrap(), target: id.parse().unwrap() };
    let pairs: Vec<Pair> = ids.iter().map(pair).collect();
    let ceiling = under(&policy, &manifest.asks(&pairs));
    of(Script { manifest: &manifest, files: &files }, &policy, &ceiling)
}

fn blast(sql: &str) -> Blast {
    blast_on("postgres", &["replica"], sql)
}

/// What stands on the page, without the page's width.
fn told(blast: &Blast) -> String {
    let query = words::of_queries(blast, Out::plain()).into_values().flatten();
    let lines: Vec<String> = query.chain(words::totals(blast, Out::plain())).collect();
    lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn has(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_page_says_what_is_read_returned_and_how_much() {
    let told = told(&blast(
        "SELECT o.id, p.email AS status, count(*) AS n, string_agg(p.phone, ',') AS all_of_them
         FROM orders o JOIN people p ON p.id = o.person
         WHERE o.paid_at > $1 GROUP BY o.id, p.email LIMIT 100",
    ));
    has(
        &told,
        &[
            "on replica: reads shop.orders: id, person, paid_at; shop.people: id, email (masked: first letter and domain of an e-mail address), phone (RAW, WITHOUT ITS MASK), only rows with id > 0",
            "rows of shop.orders by conditions that name paid_at; of shop.people by a join or a condition around",
            "returns shop.orders: id; status (is shop.people.email masked), n (a count), all_of_them (computed from shop.people.phone RAW)",
            "at most 100 rows a call; 1,000 rows and 1 MiB a run, in 10 calls",
            "calls the functions count, string_agg; string_agg puts many values into one cell",
            "in all 1 query reads 2 tables: shop.orders, shop.people",
            "1,000 rows and 1 MiB a run, of which at most 1 MiB leave the sandbox",
            "RAW, WITHOUT THEIR MASKS: shop.people.phone",
            "its text does not use $2 batch",
        ],
    );
}

/// The summary says "counts only".
#[test]
fn what_an_author_claims_is_not_what_is_told() {
    let raw = told(&blast("SELECT phone AS count FROM people -- counts only"));
    assert!(!raw.contains("counts only") && !raw.contains("a count"), "{raw}");
    has(&raw, &["count (is shop.people.phone RAW)", "may read every row of shop.people"]);
    let counts = told(&blast("SELECT count(*) AS rows FROM people"));
    has(&counts, &["returns counts only: rows (a count)", "at most 1 row a call; 10 rows"]);
}

#[test]
fn a_refused_query_is_told_as_one_and_counts_for_nothing() {
    let refused = blast("SELECT ssn FROM people");
    assert!(!refused.passes());
    assert_eq!((refused.totals.rows_max, refused.totals.tables.len()), (0, 0));
    let told = told(&refused);
    has(
        &told,
        &[
            "on replica: would be refused: queries/q.sql: line 1, column 8: policy denies the column ssn",
            "would be refused: q",
        ],
    );
}

#[test]
fn no_name_of_a_query_forges_a_word_or_a_line() {
    let sql = "SELECT id AS \"x; counts only: n (a count)\n    at most 0 rows\", \
               id AS \"\u{202e}\u{1b}[2K\" FROM orders";
    let blast = blast(sql);
    let lines: Vec<String> =
        words::of_queries(&blast, Out::plain()).into_values().flatten().collect();
    let most = lines.iter().filter(|line| line.trim_start().starts_with("at most")).count();
    assert_eq!(most, 1, "{lines:#?}");
    let text = lines.join("\n");
    assert!(text.contains("\"x;␣counts␣only:␣n␣(a␣count)\\n␣␣␣␣at␣most␣0␣rows\""), "{text}");
    assert!(!text.contains(['\u{202e}', '\u{1b}']), "{text}");
}

#[test]
fn targets_that_give_the_same_are_told_once() {
    let blast = blast_on("postgres", &["a", "b"], "SELECT id FROM orders LIMIT $2");
    assert_eq!(blast.queries[0].on.len(), 1);
    has(
        &told(&blast),
        &["on a, b: reads shop.orders: id", "as many rows a call as $2 says; 2,000"],
    );
    assert_eq!(blast.totals.rows_max, 2000, "a run is on one of them");
}

#[test]
fn of_sqlite_only_is_told_what_is_known() {
    let of = |sql| told(&blast_on("sqlite", &["file"], sql));
    let with =
        of("SELECT o.id, lower(p.email) AS mail FROM orders o JOIN people p ON p.id = o.person");
    has(
        &with,
        &[
            "reads orders: id, person; people: id, email (masked: first letter",
            "returns id, mail",
            "at most 2,000 rows a call; 2,000 rows and 1 MiB a run",
            "calls the function lower",
        ],
    );
    assert!(!with.contains("rows of") && !with.contains("leaves out"), "{with}");
    let without = of("SELECT id FROM orders LIMIT 3");
    has(&without, &["no condition leaves out any row of orders", "at most 3 rows a call; 30 rows"]);
    has(
        &of("SELECT ssn FROM people"),
        &["would be refused: queries/q.sql: ", "denies the column ssn"],
    );
}

/// Of the corpus of hostile and harmless statements: whatever the gate lets pass is told whole.
#[test]
fn every_relation_that_the_gate_reads_is_in_the_words() {
    const CORPUS: &str = include_str!("../../../targets/src/postgres/gate/tests/corpus.json");
    let mut policy = policy("postgres", &["replica"]);
    let target = &mut policy.targets[0];
    (target.masks, target.denied, target.row_filters) = (Vec::new(), Vec::new(), Vec::new());
    let read = |(table, columns): (&str, &str)| trust::Read {
        table: format!("public.{table}"),
        columns: columns.split(' ').map(str::to_owned).collect(),
    };
    target.reads = [
        ("users", "id country created_at tags email"),
        ("orders", "id user_id status total placed_at"),
        ("big", "id pad"),
        ("lockme", "id v"),
        ("events", "id kind at"),
    ]
    .map(read)
    .to_vec();
    let manifest = MANIFEST.replace("ENGINE", "postgres").replace("shop.people.phone", "a.b.c");
    let manifest = Manifest::parse(manifest.as_bytes()).unwrap();
    let pair = Pair { logical: "shop".parse().unwrap(), target: "replica".parse().unwrap() };
    let ceiling = under(&policy, &manifest.asks(&[pair]));
    let relations = executor::ports::postgres_reads(&policy.targets[0], &BTreeSet::new()).unwrap();
    let grant = targets::postgres::gate::Grant { relations, recursion: false };
    let types: Vec<_> = manifest.queries[0].params.iter().map(|p| p.param_type).collect();
    let statements: Vec<Value> = serde_json::from_str(CORPUS).unwrap();
    let mut passed = 0;
    for statement in &statements {
        let sql = statement["sql"].as_str().unwrap();
        let files = [("queries/q.sql".parse().unwrap(), sql.as_bytes().to_vec())].into();
        let blast = of(Script { manifest: &manifest, files: &files }, &policy, &ceiling);
        let gated = targets::postgres::gate::gate(sql, &types, &grant);
        assert_eq!(blast.passes(), gated.is_ok(), "{sql}");
        let Ok(gated) = gated else { continue };
        passed += 1;
        let told = told(&blast);
        for read in &gated.reads {
            has(&told, &[&format!("{}.{}", read.schema, read.name)]);
        }
    }
    assert!(passed >= 30, "{passed}");
}
