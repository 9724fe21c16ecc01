//! What policy masks stays where it is: a raw value leaves the target by no way, and a column is raw
//! only in a run that everybody who has a say said yes to. Real servers, a real guest.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

use domain::Mask;
use domain::mask::DateUnit;
use trust::{ColumnMask, Denied, Policy, RowFilter};

use super::machine::text as field;
use super::receiver::{Answer, Receiver, until};
use super::standby::{Fleet, servers};
use super::team::flat;

/// In every raw value of the rows that the test writes.
const CANARY: &str = "kanarek";
/// The number among them.
const CANARY_CENTS: &str = "42424242";
const EMAIL: &str = "kanarek.nowak@example.com";

const ROWS: &str = "
    INSERT INTO customers VALUES
        (900001, 'kanarek nowak', 'kanarek.nowak@example.com', '+48 kanarek 77', 'kanarek-land',
            '2026-04-24 04:24:42Z'),
        (900002, 'kanarek hidden', 'hidden.kanarek@example.com', '+48 kanarek 78', 'XX', now());
    INSERT INTO payments
        SELECT 900001, min(id), 'capture', 'succeeded', 42424242, 'EUR', 'kanarek-ref', now()
        FROM orders;";

/// Each kind of mask on some column of the shop, a denied column, and a row filter.
fn hide(policy: &mut Policy) {
    let target = &mut policy.targets[0];
    let more =
        [("customers", ["name", "email", "phone"].as_slice()), ("payments", &["provider_ref"])];
    for (table, columns) in more {
        let table = format!("public.{table}");
        let read = target.reads.iter_mut().find(|r| r.table == table).unwrap();
        read.columns.extend(columns.iter().map(|c| (*c).to_owned()));
        read.columns.sort();
        read.columns.dedup();
    }
    let mask = |table: &str, column: &str, mask| ColumnMask {
        table: format!("public.{table}"),
        column: column.to_owned(),
        mask,
        unmask: column == "email",
    };
    target.masks = vec![
        mask("customers", "name", Mask::Full),
        mask("customers", "email", Mask::Email),
        mask("customers", "phone", Mask::Partial { keep_first: 0, keep_last: 2 }),
        mask("customers", "country", Mask::Null),
        mask("customers", "created_at", Mask::DateTruncate { unit: DateUnit::Month }),
        mask("payments", "provider_ref", Mask::KeyedHash { class: "payment".parse().unwrap() }),
        mask("payments", "amount_cents", Mask::Bucket { width: 1_000_000 }),
    ];
    let (table, filter) = ("public.customers".to_owned(), "country <> 'XX'".to_owned());
    target.row_filters = vec![RowFilter { table, filter }];
    let orders = target.reads.iter_mut().find(|r| r.table == "public.orders").unwrap();
    orders.columns.retain(|c| c != "currency");
    target.denied = vec![Denied { table: orders.table.clone(), column: "currency".to_owned() }];
}

/// A fleet whose standby has the rows.
fn hiding(name: &str, more: &str) -> Fleet {
    let fleet = Fleet::found(name, more, |_, policy| hide(policy));
    fleet.on_primary(ROWS);
    // Its scripts take no input.
    fs::write(fleet.team.m.path("nothing.json"), "{}").unwrap();
    fleet
}

/// Writes a script that is only these queries, and submits it.
fn submit(fleet: &Fleet, name: &str, unmask: &str, queries: &[(&str, &str)]) {
    let team = &fleet.team;
    team.good("alice", &["new", name, "--sql"]);
    let dir = team.m.path(name);
    for entry in ["fixtures", "queries"] {
        fs::remove_dir_all(dir.join(entry)).unwrap();
    }
    fs::remove_file(dir.join("input.schema.json")).unwrap();
    fs::create_dir(dir.join("queries")).unwrap();
    let mut manifest = format!(
        "[script]\nname = \"{name}\"\nversion = \"1.0.0\"\nsummary = \"People who paid\"\n\
         [targets.shop]\nengine = \"postgres\"\n{unmask}\n"
    );
    for (query, sql) in queries {
        manifest.push_str(&format!(
            "[[query]]\nname = \"{query}\"\ntarget = \"shop\"\nfile = \"queries/{query}.sql\"\n"
        ));
        fs::write(dir.join(format!("queries/{query}.sql")), sql).unwrap();
    }
    fs::write(dir.join("script.toml"), manifest).unwrap();
    team.json("alice", &["submit", name]);
}

const PEOPLE: &[(&str, &str)] = &[
    (
        "people",
        "SELECT id, name, email, phone, country, created_at FROM customers WHERE id >= 900000",
    ),
    ("payments", "SELECT id, provider_ref, amount_cents FROM payments WHERE id = 900001"),
    (
        "oracle",
        "SELECT count(*) FILTER (WHERE email = 'kanarek.nowak@example.com') AS by_email,
            count(*) FILTER (WHERE name LIKE 'kanarek%') AS by_name,
            count(*) FILTER (WHERE country IS NOT NULL) AS by_country,
            max(phone) AS most, min(email) AS least
        FROM customers WHERE id >= 900000",
    ),
];

fn on<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[name, "--on", "shop=shop-replica"], more].concat()
}

/// Asks, approves and runs; what alice is told, with everything in the folder `result`.
fn answered(fleet: &Fleet, name: &str) -> (i32, String) {
    let team = &fleet.team;
    let ask = [vec!["request"], on(name, &["--reason", "a customer waits"])].concat();
    let asked = team.json("alice", &ask);
    let request = field(&asked[0], "id").to_owned();
    team.json("bob", &["approve", &request, "--yes"]);
    drop(fs::remove_dir_all(team.m.path("result")));
    team.told(
        "alice",
        &["run", "--request", &request, "--input", "nothing.json", "--out", "result"],
    )
}

fn review(fleet: &Fleet, name: &str, more: &[&str]) {
    let words = ["review", name, "--target", "shop=shop-replica", "--approve", "--yes"];
    fleet.team.json("bob", &[&words[..], more].concat());
}

/// Every file below a folder that has the word; what is not there any more has none. A link leads away,
/// here to the target itself.
fn files_with(folder: &Path, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            found.extend(files_with(&path, word));
        } else if kind.is_file() && has(&fs::read(&path).unwrap_or_default(), word) {
            found.push(path.display().to_string());
        }
    }
    found
}

fn has(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|w| w == word.as_bytes())
}

fn metrics(fleet: &Fleet) -> String {
    let mut server = std::net::TcpStream::connect(&fleet.team.listen).unwrap();
    let host = &fleet.team.listen;
    let head = format!("GET /metrics HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    server.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_raw_value_leaves_by_no_way() {
    let hook = Receiver::new(Answer::status("200 OK"));
    let notify =
        format!("[[notify]]\nname = \"chat\"\nurl = \"{}\"\nformat = \"slack\"\n", hook.url);
    let fleet = hiding("leaves_by_no_way", &notify);
    submit(&fleet, "people", "", PEOPLE);
    review(&fleet, "people", &[]);
    let (code, told) = answered(&fleet, "people");
    assert_eq!(code, 0, "{told}");
    let flat_told = flat(&told);
    for shown in ["***", "k***@example.com", "***77", "2026-04-01", "42000000"] {
        assert!(flat_told.contains(shown), "{shown}: {told}");
    }
    assert!(!told.contains(CANARY) && !told.contains("424242"), "{told}");
    assert!(!told.contains("900002"), "the row filter hides it: {told}");
    let tables: serde_json::Value =
        serde_json::from_slice(&fs::read(fleet.team.m.path("result/output.json")).unwrap())
            .unwrap();
    let text = tables.to_string();
    assert!(text.contains("oracle") && !text.contains(CANARY), "{text}");

    // What fails on a masked value says so to nobody; the evidence quotes the masked one.
    let fails = [("fails", "SELECT email::int AS n FROM customers WHERE id = 900001")];
    submit(&fleet, "failing", "", &fails);
    review(&fleet, "failing", &[]);
    let (code, told) = answered(&fleet, "failing");
    assert!(code != 0 && !told.contains("example.com"), "{code} {told}");

    until("both runs are told", || {
        hook.got()
            .iter()
            .filter(|m| m.body.contains("people") || m.body.contains("failing"))
            .count()
            >= 2
    });
    // The recording, the ledger, the store, the server's configuration and everybody's folders.
    let masked = "k***@example.com";
    let recordings = fleet.team.m.path("server/data/runner/recordings");
    assert!(!files_with(&recordings, masked).is_empty(), "a search finds what is recorded");
    let home = fleet.team.m.path("");
    let ours = fleet.team.m.path("people/queries");
    for word in [CANARY, CANARY_CENTS] {
        let found = files_with(&home, word);
        // The script's own text has one of the words, wherever its files are kept.
        let strangers: Vec<_> = found.iter().filter(|path| !is_of_script(path, &ours)).collect();
        assert!(strangers.is_empty(), "{word}: {strangers:?}");
    }
    let log = fleet.team.log();
    for (what, bytes) in [("metrics", metrics(&fleet).into_bytes()), ("the server's log", log)] {
        assert!(!has(&bytes, CANARY), "{what}: {}", String::from_utf8_lossy(&bytes));
    }
    for message in hook.got() {
        assert!(!message.body.contains(CANARY), "{}", message.body);
    }
    // PostgreSQL logs every statement here, and no value of any.
    let log = servers().standby.log().unwrap();
    assert!(log.contains("leaves_by_no_way") || log.contains("provider_ref"), "it logs statements");
    assert!(!log.contains("kanarek nowak") && !log.contains("kanarek-ref"), "its log has a value");
    assert!(!log.contains("\\x36363636"), "its log has a key");
}

/// Whether a file is one of the script's own, or a copy of one: the text of a query, and nothing else of
/// the canary.
fn is_of_script(path: &str, queries: &Path) -> bool {
    let own = fs::read(queries.join("oracle.sql")).unwrap();
    let bytes = fs::read(path).unwrap();
    let rest = match bytes.windows(own.len()).position(|w| w == own) {
        Some(at) => [&bytes[..at], &bytes[at + own.len()..]].concat(),
        None => bytes,
    };
    !has(&rest, CANARY) && !has(&rest, CANARY_CENTS)
}

#[test]
fn a_column_is_raw_only_where_everybody_says_so() {
    let fleet = hiding("raw_only_where", "");
    let asks = "unmask = [\"public.customers.email\", \"public.customers.name\"]";
    let query = [("people", "SELECT name, email FROM customers WHERE id = 900001")];
    submit(&fleet, "people", asks, &query);
    // The reviewer reads what would be raw before anything else, and that policy gives less.
    let words = ["review", "people", "--target", "shop=shop-replica"];
    let told = flat(&fleet.team.good("bob", &words));
    for part in [
        "asks to read WITHOUT THEIR MASKS: public.customers.email, public.customers.name",
        "email (RAW, WITHOUT ITS MASK)",
        "name (masked: hidden)",
        "only rows with country <> 'XX'",
        "public.customers.name stays masked",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    review(&fleet, "people", &["--self-serve", "engineers:5"]);

    // Without an approval nothing is raw, whatever reviewers opened.
    let told = fleet.team.good("alice", &[vec!["run"], on("people", &[])].concat());
    assert!(told.contains("k***@example.com") && !told.contains(CANARY), "{told}");

    // An approver who keeps the mask has the last word.
    let ask = [vec!["request"], on("people", &["--reason", "a customer waits"])].concat();
    let asked = fleet.team.json("alice", &ask);
    let request = field(&asked[0], "id").to_owned();
    let told = flat(&fleet.team.told("bob", &["approve", &request]).1);
    let raw = "RAW, WITHOUT THEIR MASKS: public.customers.email, public.customers.name on \
               shop=shop-replica";
    assert!(told.contains(raw), "{told}");
    assert!(flat(&fleet.team.good("alice", &["show", &request])).contains(raw));
    let keep = ["--masked", "public.customers.email", "--masked", "public.customers.name"];
    fleet.team.json("bob", &[&["approve", &request, "--yes"][..], &keep].concat());
    let told = fleet.team.good("alice", &["run", "--request", &request, "--input", "nothing.json"]);
    assert!(told.contains("k***@example.com") && !told.contains(CANARY), "{told}");

    // And with everybody's yes it is raw: that column, and no other; the receipt says so.
    let (code, told) = answered(&fleet, "people");
    assert!(code == 0 && told.contains(EMAIL), "{code} {told}");
    assert!(!told.contains("kanarek nowak"), "policy lets nobody unmask the name: {told}");
    let told = flat(&told);
    assert!(
        told.contains("raw RAW, WITHOUT THEIR MASKS: public.customers.email on shop=shop-replica"),
        "{told}"
    );
}

/// The hash among what a run told.
fn hash_in(told: &str) -> String {
    let mut words = told.split(|c: char| !c.is_ascii_hexdigit());
    words.find(|word| word.len() == 64).unwrap_or_else(|| panic!("no hash in {told}")).to_owned()
}

#[test]
fn a_hash_is_the_same_within_a_grant_and_another_beyond_it() {
    let mut fleet = hiding("hash_within_a_grant", "");
    let query = [("refs", "SELECT provider_ref FROM payments WHERE id = 900001")];
    submit(&fleet, "refs", "", &query);
    review(&fleet, "refs", &["--self-serve", "engineers:5"]);
    let granted = |fleet: &Fleet| {
        let more = ["--reason", "a customer waits", "--uses", "3"];
        let asked = fleet.team.json("alice", &[vec!["request"], on("refs", &more)].concat());
        let request = field(&asked[0], "id").to_owned();
        fleet.team.json("bob", &["approve", &request, "--yes"]);
        request
    };
    let run = |fleet: &Fleet, request: &str| {
        let words = ["run", "--request", request, "--input", "nothing.json"];
        hash_in(&fleet.team.good("alice", &words))
    };
    let (one, other) = (granted(&fleet), granted(&fleet));
    let first = run(&fleet, &one);
    assert_eq!(run(&fleet, &one), first);
    assert_ne!(run(&fleet, &other), first, "another grant has another key");
    // Nobody keeps what two runs without an approval saw together.
    let served = |fleet: &Fleet| {
        hash_in(&fleet.team.good("alice", &[vec!["run"], on("refs", &[])].concat()))
    };
    let (a, b) = (served(&fleet), served(&fleet));
    assert!(a != b && a != first && b != first);
    // The runner's secret outlives it.
    fleet.team.kill_server();
    fleet.team.start_server();
    assert_eq!(run(&fleet, &one), first);
}

#[test]
fn a_denied_column_and_a_bad_filter_are_said() {
    let fleet = hiding("denied_and_bad", "");
    submit(&fleet, "numbers", "", &[("numbers", "SELECT currency FROM orders LIMIT 1")]);
    let words = ["review", "numbers", "--target", "shop=shop-replica"];
    let told = flat(&fleet.team.good("bob", &words));
    let denied = "policy denies the column currency of public.orders";
    assert!(told.contains(denied), "{told}");

    let told = flat(&fleet.team.good("bob", &["policy", "show"]));
    for part in [
        "masks public.customers.email: first letter and domain of an e-mail address; a grant may \
         unmask it",
        "denies public.orders.currency",
        "rows public.customers, only with country <> 'XX'",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let (code, told) = fleet.checked();
    assert!(code == 0 && told.contains("masks public.payments.amount_cents"), "{code} {told}");

    // What no gate lets pass is signed by nobody.
    let source = fleet.team.good("alice", &["policy", "source"]);
    let worse = source.replace("country <> 'XX'", "country <> 'XX'; DROP TABLE orders");
    assert_ne!(source, worse);
    fs::write(fleet.team.m.path("targets.toml"), worse).unwrap();
    let (code, told) = fleet.team.told("alice", &["policy", "propose", "targets.toml", "--yes"]);
    let told = flat(&told);
    assert!(code == 2 && told.contains("the row filter of public.customers"), "{code} {told}");
    // And taking a mask away is read before anything else.
    let bare = source.replace("kind = \"email\"", "kind = \"partial\"\nkeep_first = 8");
    fs::write(fleet.team.m.path("targets.toml"), bare).unwrap();
    let (_, told) = fleet.team.told("alice", &["policy", "propose", "targets.toml"]);
    let told = flat(&told);
    assert!(told.contains("public.customers.email is masked: its first 8 characters"), "{told}");
}
