//! Masks of a SQLite target, from the chair of a script whose author wants the raw values.

use domain::mask::DateUnit;
use domain::{Mask, Outcome};
use executor::{Ended, RunEvent};
use tests::rig::{Rig, Story};
use trust::{ColumnMask, Policy, RowFilter};

/// Asks for everything that there is about a customer and her orders.
const ORDERS: &str = "
    SELECT coalesce(c.name, 'absent') AS number, coalesce(c.email, 'absent') AS status,
           coalesce(c.phone, 'absent') AS currency, o.total_cents, o.placed_at
    FROM orders AS o JOIN customers AS c ON c.id = o.customer_id
    WHERE o.number = $1 OR c.id = $2 ORDER BY o.id";
/// Looks for values that it knows already, and for hidden rows.
const TIMELINE: &str = "
    SELECT c.placed_at AS at, count(*) AS \"order\", 'oracle' AS source,
           'rows: ' || count(*) AS what, max(p.email) AS detail
    FROM orders AS c JOIN customers AS p ON p.id = c.customer_id
    WHERE (c.number = $1 OR p.id = $2)
      AND (p.email LIKE 'chiara.%' OR p.name = 'Chiara Brandt' OR p.phone LIKE '%554353%'
           OR c.total_cents IN (17290, 13340, 19190) OR c.placed_at LIKE '%:27:21Z')
    GROUP BY 1";
/// What customer 1 of the sample shop is made of. Her input says who she is, and nothing of these.
const RAW: &[&str] = &["Chiara", "Brandt", "chiara.brandt", "+49 30", "T03:27", "T22:19"];
/// Numbers of hers, which could be part of any digest.
const RAW_NUMBERS: &[&str] = &["55435370", "17290", "13340", "19190"];

/// A company whose policy opens the personal columns, each with a mask.
async fn rig(masks: Vec<(&str, &str, Mask)>, filter: Option<&str>) -> Rig {
    let change = |policy: &mut Policy| {
        let target = &mut policy.targets[0];
        let customers = target.reads.iter_mut().find(|r| r.table == "customers").unwrap();
        customers.columns.extend(["name", "email", "phone"].map(str::to_owned));
        let mask = |(table, column, mask): (&str, &str, Mask)| ColumnMask {
            table: table.to_owned(),
            column: column.to_owned(),
            mask,
            unmask: false,
        };
        target.masks = masks.into_iter().map(mask).collect();
        let (table, filter) = ("customers".to_owned(), filter.map(str::to_owned));
        target.row_filters = filter.map(|filter| RowFilter { table, filter }).into_iter().collect();
    };
    Rig::founded_with("masks", |_, policy| change(policy)).await
}

fn story(rig: &Rig) -> Story {
    let uploaded = rig.upload("customer-timeline", |files| {
        for (path, bytes) in files {
            match path.as_str() {
                "queries/orders.sql" => *bytes = ORDERS.into(),
                "queries/timeline.sql" => *bytes = TIMELINE.into(),
                _ => {}
            }
        }
    });
    rig.story_of(uploaded, r#"{"customer":1}"#)
}

/// Runs it, and looks for raw values wherever the run left anything.
async fn run(rig: &Rig, story: &Story, use_number: u64) -> Ended {
    let (run, order) = rig.order_use(story, use_number, |_, _| {});
    let (events, ended) = rig.run(&run, &order).await;
    let places = [
        ("events", format!("{events:?}").into_bytes()),
        ("the end with the output", format!("{ended:?}").into_bytes()),
        ("the recording", rig.recording(&run).await),
    ];
    for (place, bytes) in &places {
        let text = String::from_utf8_lossy(bytes);
        for raw in RAW {
            assert!(!text.contains(raw), "{raw} is in {place}: {text}");
        }
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            assert!(!RAW_NUMBERS.contains(&word), "{word} is in {place}: {text}");
        }
    }
    for entry in walk(rig.dir()) {
        let bytes = std::fs::read(&entry).unwrap();
        for raw in RAW {
            let found = bytes.windows(raw.len()).any(|w| w == raw.as_bytes());
            assert!(!found, "{raw} is in {}", entry.display());
        }
    }
    assert!(matches!(events.first(), Some(RunEvent::Started { .. })));
    ended
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

fn rows(rig: &Rig, ended: &Ended, table: &str) -> String {
    let output = rig.output(ended);
    let found = output.result.tables.into_iter().find(|t| t.name == table).unwrap();
    serde_json::to_string(&found.rows).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_gets_masked_values_and_nothing_else_has_raw_ones() {
    let rig = rig(
        vec![
            ("customers", "name", Mask::Full),
            ("customers", "email", Mask::Email),
            ("customers", "phone", Mask::Partial { keep_first: 0, keep_last: 4 }),
            ("orders", "total_cents", Mask::Bucket { width: 10_000 }),
            ("orders", "placed_at", Mask::DateTruncate { unit: DateUnit::Month }),
        ],
        None,
    )
    .await;
    let story = story(&rig);
    let ended = run(&rig, &story, 1).await;
    assert_eq!(ended.outcome, Outcome::Succeeded, "{ended:?}");
    expect_test::expect![[r#"[[{"text":"***"},{"text":"c***@example.com"},{"text":"***5370"},{"int64":10000},{"text":"2026-08-01T00:00:00Z"}],[{"text":"***"},{"text":"c***@example.com"},{"text":"***5370"},{"int64":10000},{"text":"2026-09-01T00:00:00Z"}],[{"text":"***"},{"text":"c***@example.com"},{"text":"***5370"},{"int64":10000},{"text":"2026-11-01T00:00:00Z"}]]"#]].assert_eq(&rows(&rig, &ended, "orders"));
    expect_test::expect!["[]"].assert_eq(&rows(&rig, &ended, "timeline"));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hashes_are_equal_within_a_grant_and_tell_nothing_beyond() {
    let class = || Mask::KeyedHash { class: "customer".parse().unwrap() };
    let rig = rig(
        vec![
            ("customers", "name", Mask::Null),
            ("customers", "email", class()),
            ("customers", "phone", class()),
            ("orders", "total_cents", Mask::Bucket { width: 1_000_000 }),
            ("orders", "placed_at", Mask::DateTruncate { unit: DateUnit::Year }),
        ],
        None,
    )
    .await;
    let first = story(&rig);
    let one = rows(&rig, &run(&rig, &first, 1).await, "orders");
    let again = rows(&rig, &run(&rig, &first, 2).await, "orders");
    let other = rows(&rig, &run(&rig, &story(&rig), 1).await, "orders");
    assert_eq!(one, again, "runs of one grant can be compared");
    assert_ne!(one, other, "those of two cannot");
    assert!(one.contains("absent"), "{one}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_behind_a_row_filter_is_not_there() {
    let hidden = vec![
        ("customers", "name", Mask::Full),
        ("customers", "email", Mask::Full),
        ("customers", "phone", Mask::Full),
    ];
    let rig = rig(hidden, Some("phone NOT LIKE '%55435370' AND country = 'CH'")).await;
    let story = story(&rig);
    let ended = run(&rig, &story, 1).await;
    assert_eq!(ended.outcome, Outcome::Failed, "{ended:?}");
    let error = rig.output(&ended).error.unwrap().message;
    assert!(error.contains("there is no such order, or the customer has none"), "{error}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_filter_that_is_more_than_a_condition_stops_the_run() {
    let rig = rig(vec![], Some("1) UNION SELECT name, 1, 1 FROM customers WHERE (1")).await;
    let mut story = story(&rig);
    // Nobody can see such a filter's analysis; these reviewers signed one.
    let (scope, digest) = (&story.review.ceiling, rig.blobs.put(br#"{"queries":[]}"#));
    let seen = |pair: domain::Pair| domain::AnalysisRef {
        logical: pair.logical,
        target: pair.target,
        digest,
    };
    story.review.analysis = scope.pairs().map(seen).collect();
    let (run, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    let denial = ended.denial.unwrap().to_string();
    assert!(denial.contains("closes a parenthesis that it did not open"), "{denial}");
    assert_eq!(rig.seen.sessions(), 0);
    rig.close().await;
}
