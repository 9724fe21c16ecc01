//! Defaults exist in the source only, and each is the careful one.

mod masking;
mod round_trip;

use super::*;
use crate::testing::header;
use crate::testing::{key, keyring_ref};

fn issue<I: std::str::FromStr>(prefix: &str) -> Issue<I>
where
    I::Err: std::fmt::Debug,
{
    Issue { header: header(prefix, 1), version: 1, previous: None, keyring: keyring_ref() }
}

const BARE: &str = "[[target]]\nid = \"shop\"\nengine = \"sqlite\"\nidentity = { sqlite = { application_id = 7 } }\n";

#[test]
fn a_bare_target_is_prod_and_open_to_nobody() {
    let target = policy(BARE, issue("pol")).unwrap().targets.remove(0);
    assert!(target.prod);
    assert!(target.callers.is_empty() && target.runners.is_empty() && target.reads.is_empty());
    assert_eq!(target.reviews, Quorum { required: 1, groups: vec![], from_each: vec![] });
    assert_eq!(target.approvals, Quorum { required: 1, groups: vec![], from_each: vec![] });
    assert_eq!((target.limits, target.query), (Limits::DEFAULT, QueryLimits::DEFAULT));
    assert!(target.self_serve.is_none() && target.break_glass.is_none());
    assert_eq!(target.reviews_unchanged, None);
}

#[test]
fn mistakes_are_named() {
    let said = |text: &str| policy(text, issue("pol")).unwrap_err().to_string();
    assert!(said(&format!("{BARE}prd = false\n")).contains("unknown field `prd`"));
    assert!(said(&format!("{BARE}{BARE}")).contains("field `targets`: shop is listed twice"));
    assert!(said(&format!("{BARE}runners = [\"x\"]\n")).contains("x is not in `runners`"));
    assert!(said("[[target]]\nid = \"shop\"\nengine = \"oracle\"\n").contains("oracle"));
}

#[test]
fn a_postgres_target_says_which_cluster_and_how_late_it_may_be() {
    let identity = |system: &str| {
        format!(
            "identity = {{ postgres = {{ system_identifier = \"{system}\", database = \"shop\", role = \"debug\" }} }}\n"
        )
    };
    let target = |engine: &str, system: &str, more: &str| {
        format!("[[target]]\nid = \"pg\"\nengine = \"{engine}\"\n{}{more}", identity(system))
    };
    let read = "lag_s_max = 30\nreads = [{ table = \"public.orders\", columns = [\"id\"] }]\n";
    const SYSTEM: &str = "7423847238472384723";
    let whole = policy(&target("postgres", SYSTEM, read), issue("pol")).unwrap();
    assert_eq!(whole.targets[0].reads[0].schema_and_name(), Some(("public", "orders")));
    assert_eq!(whole.targets[0].cost_max, Some(10_000_000), "finite where nothing is said");
    let said = |text: String| policy(&text, issue("pol")).unwrap_err().to_string();
    expect_test::expect![[r#"
        policy/targets.toml: field `targets.0.lag_s_max`: a standby lags: write how many seconds are bearable, as `lag_s_max = 30`
        policy/targets.toml: field `targets.0.cost_max`: is null or 0; 10000000 stops what scans for minutes
        policy/targets.toml: field `targets.0.identity.postgres.system_identifier`: "+7" is not a system identifier: 64 bits in decimal digits
        policy/targets.toml: field `targets.0.identity`: is of postgres, and `engine` is sqlite
        policy/targets.toml: field `targets.0.reads`: orders names no schema; write it as schema.table"#]]
    .assert_eq(
        &[
            said(target("postgres", SYSTEM, "")),
            said(target("postgres", SYSTEM, &format!("cost_max = 0\n{read}"))),
            said(target("postgres", "+7", read)),
            said(target("sqlite", SYSTEM, read)),
            said(target("postgres", SYSTEM, &read.replace("public.", ""))),
        ]
        .join("\n"),
    );
}

#[test]
fn a_directory_takes_lines_of_pub_files() {
    let person = |id: &str, n: u8, more: &str| {
        let key = key(n).public().to_string();
        format!(
            "[[person]]\nid = \"{id}\"\nname = \"N\"\n{more}\n[[person.key]]\nkey = \"{key} laptop\"\nstatus = \"active\"\n"
        )
    };
    let human = "kind = \"human\"\ngroups = [\"oncall\"]";
    let read = directory(&person("otto", 3, human), issue("dir")).unwrap();
    assert_eq!(read.people[0].keys[0].key, *key(3).public());
    let said = |text: &str| directory(text, issue("dir")).unwrap_err().to_string();
    assert!(said(&person("bot", 3, "kind = \"agent\"")).contains("names the human who answers"));
    let twice = format!("{}{}", person("otto", 3, human), person("anna", 3, human));
    assert!(said(&twice).contains("otto has this key already"));
    let owned = format!(
        "{}{}",
        person("otto", 3, human),
        person("bot", 4, "kind = \"agent\"\nowner = \"bot\"")
    );
    assert!(said(&owned).contains("bot is no human"));
}

#[test]
fn an_emergency_is_short_unless_somebody_says_otherwise() {
    let text = format!(
        "{BARE}[target.break_glass]\ngroups = [\"oncall\"]\nafter_review = {{ groups = [\"leads\"] }}\n"
    );
    let rules = policy(&text, issue("pol")).unwrap().targets.remove(0).break_glass.unwrap();
    assert_eq!((rules.duration_s_max, rules.uses_max), (3_600, 3));
    assert_eq!((rules.approvals.required, rules.after_review.required), (1, 1));
    assert_eq!((rules.limits, rules.query), (Limits::DEFAULT, QueryLimits::DEFAULT));
    assert_eq!(rules.after_review_s, AFTER_REVIEW_S_DEFAULT);
}

#[test]
fn what_would_open_nothing_or_everything_is_named() {
    let said =
        |more: &str| policy(&format!("{BARE}{more}\n"), issue("pol")).unwrap_err().to_string();
    expect_test::expect![[r#"
        policy/targets.toml: field `targets.0.reviews.from_each`: sre is not in `groups`
        policy/targets.toml: field `targets.0.reviews.from_each`: dev is listed twice
        policy/targets.toml: field `targets.0.reviews_unchanged`: is 0; a revision needs a review
        policy/targets.toml: field `targets.0.reviews_unchanged`: is 2, more than the 1 reviews
        policy/targets.toml: field `targets.0.self_serve.groups`: is empty; name a group, or leave the whole out
        policy/targets.toml: field `targets.0.self_serve.runs_per_day`: is 0; leave the whole out
        policy/targets.toml: field `targets.0.break_glass.after_review.required`: is 0; somebody has to look"#]]
    .assert_eq(
        &[
            said("reviews = { groups = [\"dev\"], from_each = [\"sre\"] }"),
            said("reviews = { groups = [\"dev\"], from_each = [\"dev\", \"dev\"] }"),
            said("reviews_unchanged = 0"),
            said("reviews_unchanged = 2"),
            said("self_serve = { groups = [], runs_per_day = 1 }"),
            said("self_serve = { groups = [\"dev\"], runs_per_day = 0 }"),
            said("break_glass = { groups = [\"dev\"], after_review = { required = 0, groups = [\"dev\"] } }"),
        ]
        .join("\n"),
    );
}
