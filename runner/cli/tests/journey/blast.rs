//! What a query can touch and return is said to whoever decides on it, in words that follow from its text
//! and the signed policy; what its author says of it and calls things is another matter.

use std::fs;

use domain::Mask;
use domain::manifest::Engine;
use serde_json::{Value, json};
use trust::{ColumnMask, Denied, Policy, RowFilter};

use super::machine::text as field;
use super::standby::Fleet;
use super::team::{Team, flat};

/// People have masks, some of them do not exist, and what an order cost is nobody's business.
fn hide(policy: &mut Policy) {
    let target = &mut policy.targets[0];
    let name = |table: &str| match target.engine {
        Engine::Postgres => format!("public.{table}"),
        Engine::Sqlite => table.to_owned(),
    };
    let (customers, orders) = (name("customers"), name("orders"));
    for read in &mut target.reads {
        if read.table == customers {
            read.columns.extend(["email", "phone"].map(str::to_owned));
            read.columns.sort();
            read.columns.dedup();
        }
        read.columns.retain(|column| column != "total_cents" || read.table != orders);
    }
    let mask = |column: &str, mask| {
        let unmask = column == "phone";
        ColumnMask { table: customers.clone(), column: column.to_owned(), mask, unmask }
    };
    target.masks = vec![mask("email", Mask::Email), mask("phone", Mask::Full)];
    let filter = "country <> 'XX'".to_owned();
    target.row_filters = vec![RowFilter { table: customers.clone(), filter }];
    target.denied = vec![Denied { table: orders, column: "total_cents".to_owned() }];
}

/// Writes a script that is only these queries into a folder.
fn write(team: &Team, name: &str, engine: &str, unmask: &str, queries: &[(&str, &str, &str)]) {
    team.good("alice", &["new", name, "--sql"]);
    let dir = team.m.path(name);
    for entry in ["fixtures", "queries"] {
        fs::remove_dir_all(dir.join(entry)).unwrap();
    }
    fs::create_dir(dir.join("queries")).unwrap();
    let mut manifest = format!(
        "[script]\nname = \"{name}\"\nversion = \"1.0.0\"\nsummary = \"Counts only, of nobody's rows\"\n\
         input = \"input.schema.json\"\n[targets.shop]\nengine = \"{engine}\"\n{unmask}\n"
    );
    for (query, params, sql) in queries {
        manifest.push_str(&format!(
            "[[query]]\nname = \"{query}\"\ntarget = \"shop\"\nfile = \"queries/{query}.sql\"\n\
             calls_max = 4\nparams = [{params}]\n"
        ));
        fs::write(dir.join(format!("queries/{query}.sql")), sql).unwrap();
    }
    fs::write(dir.join("script.toml"), manifest).unwrap();
}

const SINCE: &str = "{ name = \"since\", type = \"timestamptz\", from = \"/since\" }";
const REVIEW: [&str; 4] = ["review", "people", "--target", "shop=shop-replica"];

#[track_caller]
fn has(told: &str, parts: &[&str]) {
    let told = flat(told);
    for part in parts {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_reviewer_reads_what_the_text_does_whatever_its_author_says() {
    let fleet = Fleet::found("blast_radius", "", |_, policy| hide(policy));
    let team = &fleet.team;
    let contacts = "SELECT c.email AS number_of_customers, c.phone, count(*) AS n
        FROM customers AS c JOIN orders AS o ON o.customer_id = c.id
        WHERE o.paid_at >= $1 GROUP BY c.email, c.phone LIMIT 50";
    write(
        team,
        "people",
        "postgres",
        "unmask = [\"public.customers.phone\"]",
        &[
            ("contacts", SINCE, contacts),
            (
                "everybody",
                "",
                "SELECT id AS \"one; counts only\n    at most 0 rows\" FROM customers",
            ),
            ("revenue", "", "SELECT sum(total_cents) AS counted FROM orders"),
        ],
    );
    team.json("alice", &["submit", "people"]);
    let told = team.good("bob", &REVIEW);
    has(
        &told,
        &[
            "$1 since timestamptz: from the approved input at /since",
            "on shop-replica: reads public.customers: email (masked: ",
            "first letter and domain of an e-mail address), id, phone (RAW, WITHOUT ITS MASK), only rows with country <> 'XX'",
            "rows of public.orders by conditions that name paid_at; of public.customers by a join or a \
         condition around",
            "returns number_of_customers (is public.customers.email masked); public.customers: phone \
         (RAW); n (a count)",
            "at most 50 rows a call; 200 rows and",
            "no condition leaves out any row of public.customers: all may be read",
            "would be refused: queries/revenue.sql: line 1, column 12: policy denies the column total_cents",
            "in all 3 queries read 2 tables: public.customers, public.orders would be refused: revenue \
         may read every row of public.customers",
            "RAW, WITHOUT THEIR MASKS: public.customers.phone",
        ],
    );
    assert!(!flat(&told).contains("returns counts only"), "{told}");
    let begins = |line: &&str| line.trim_start().starts_with("at most 0 rows");
    assert_eq!(told.lines().filter(begins).count(), 0, "{told}");

    let json = &team.json("bob", &REVIEW)[0]["blast"];
    let contacts = &json["queries"][0]["on"][0];
    assert_eq!(contacts["targets"], json!(["shop-replica"]));
    assert_eq!(contacts["rows_max"], 200);
    assert_eq!(contacts["returns"][0]["from"], json!([["public.customers", "email"]]));
    assert_eq!(json["totals"]["raw"], json!(["public.customers.phone"]));
    assert!(json["queries"][2]["on"][0]["refused"].is_string(), "{json}");
    // With its mask in place nothing is raw.
    let narrowed = [&REVIEW[..], &["--approve", "--yes", "--without", "revenue"]].concat();
    team.json("bob", &narrowed);
}

#[test]
fn an_approver_reads_what_all_uses_come_to() {
    let team = Team::found(|_, _, policy| hide(policy));
    let sql = "SELECT c.id, c.email FROM customers AS c JOIN orders AS o ON o.customer_id = c.id
        WHERE o.paid_at >= $1 LIMIT 7";
    write(&team, "people", "sqlite", "", &[("contacts", SINCE, sql)]);
    team.json("alice", &["submit", "people"]);
    team.json("bob", &[&REVIEW[..], &["--approve", "--yes"]].concat());
    fs::write(team.m.path("ask.json"), r#"{"since":"2026-11-01T00:00:00Z"}"#).unwrap();
    let ask = ["request", "people", "--on", "shop=shop-replica", "--input", "ask.json"];
    let ask = [&ask[..], &["--uses", "3", "--reason", "a customer waits"]].concat();
    let request = field(&team.json("alice", &ask)[0], "id").to_owned();
    let told = team.good("bob", &["approve", &request, "--yes", "--calls", "contacts=2"]);
    has(
        &told,
        &[
            "reads 1 query reads 2 tables: customers, orders",
            "at most 14 rows and",
            "; 42 rows in all 3 uses",
        ],
    );
}

#[test]
fn an_author_reads_without_any_server_what_reviewers_will() {
    let mut team = Team::found(|_, _, policy| hide(policy));
    let sql = "SELECT c.id, c.email FROM customers AS c LIMIT 7";
    write(&team, "people", "sqlite", "", &[("contacts", "", sql)]);
    fs::remove_file(team.m.path("people/input.schema.json")).unwrap();
    let manifest = team.m.path("people/script.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("input = \"input.schema.json\"\n", "")).unwrap();

    let told = team.good("alice", &["plan", "people"]);
    has(&told, &["people 1.0.0 on shop=shop-replica, by policy version 1"]);
    let page = &told[told.find("query contacts").unwrap()..];
    team.json("alice", &["submit", "people"]);
    let reviewed = team.good("bob", &REVIEW);
    assert!(reviewed.contains(page.trim_end()), "{page}\n{reviewed}");
    assert_eq!(team.good("alice", &["plan", "people@1.0.0", "--on", "shop-replica"]), told);

    let source = team.good("alice", &["policy", "source"]);
    fs::write(team.m.path("targets.toml"), source).unwrap();
    team.kill_server();
    let offline = ["plan", "people", "--policy", "targets.toml"];
    let (code, told) = team.m.told(&offline);
    assert_eq!(code, 0, "{told}");
    has(
        &told,
        &[
            "on shop=shop-replica, by targets.toml",
            "on shop-replica: reads customers: email (masked: first letter and domain of an e-mail \
         address), id, only rows with country <> 'XX'",
            "no condition leaves out any row of customers: all may be read",
            "returns id, email",
            "at most 7 rows a call; 28 rows and",
            "no masked column is read raw",
        ],
    );
    let query = team.m.path("people/queries/contacts.sql");
    fs::write(&query, "SELECT total_cents FROM orders").unwrap();
    let (code, told) = team.m.told(&offline);
    assert_eq!(code, 1, "{told}");
    has(
        &told,
        &["would be refused: queries/contacts.sql: the statement is not allowed: policy denies"],
    );
    let (code, told) = team.m.told(&[&["--json"], &offline[..]].concat());
    let json: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert!(code == 1 && json["passes"] == false, "{code} {told}");
    assert_eq!(json["blast"]["totals"]["refused"], json!(["contacts"]));
    let (code, told) = team.m.told(&["plan", "nowhere-at-all", "--policy", "targets.toml"]);
    assert_ne!(code, 0, "{told}");
}

#[test]
fn a_query_that_reads_more_than_the_approved_one_is_wider_under_the_same_ceiling() {
    let team = Team::found(|_, _, policy| hide(policy));
    let sql = "SELECT o.id FROM orders AS o WHERE o.paid_at >= $1";
    write(&team, "people", "sqlite", "", &[("contacts", SINCE, sql)]);
    team.json("alice", &["submit", "people"]);
    team.json("bob", &[&REVIEW[..], &["--approve", "--yes"]].concat());
    let dir = team.m.path("people");
    let text = fs::read_to_string(dir.join("script.toml")).unwrap();
    fs::write(dir.join("script.toml"), text.replace("1.0.0", "1.0.1")).unwrap();
    let sql = "SELECT c.id, c.email AS paid_at, $1 AS since FROM customers AS c";
    fs::write(dir.join("queries/contacts.sql"), sql).unwrap();
    team.json("alice", &["submit", "people"]);
    let told = team.good("carol", &REVIEW);
    has(
        &told,
        &["queries: contacts changed; WIDER: reads customers (email, id), may read every row of \
         customers; narrower: no longer reads orders (id, paid_at)"],
    );
    assert!(!told.contains("may do as much"), "{told}");
    let json = &team.json("carol", &REVIEW)[0];
    assert_eq!(
        json["wider"],
        json!(["reads customers (email, id)", "may read every row of customers"])
    );
}
