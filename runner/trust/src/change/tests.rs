//! What a signer reads. Each test is a change that somebody would rather not have noticed.

use proptest::prelude::*;

use super::*;
use crate::testing::generated::{directories, keyrings, policies};
use crate::testing::{directory, key, keyring, person, policy, t};
use crate::{KeyStatus, KeyringKey, PersonKey, PersonKind, Role, RoleRule};

fn said(changes: &[Change]) -> String {
    let one = |c: &Change| {
        let mark = if c.grave { "!" } else { " " };
        format!("{mark} {} {}\n", c.effect, c.what)
    };
    changes.iter().map(one).collect()
}

proptest! {
    #[test]
    fn policies_without_a_difference_say_the_same(a in policies(), b in policies()) {
        prop_assert_eq!(of_policy(&a, &b).is_empty(), a == b);
        prop_assert!(of_policy(&a, &a).is_empty());
    }

    #[test]
    fn directories_without_a_difference_say_the_same(a in directories(), b in directories()) {
        prop_assert_eq!(of_directory(&a, &b).is_empty(), a == b);
        prop_assert!(of_directory(&a, &a).is_empty());
    }

    #[test]
    fn keyrings_without_a_difference_say_the_same(a in keyrings(), b in keyrings()) {
        prop_assert_eq!(of_keyring(&a, &b).is_empty(), a == b);
        prop_assert!(of_keyring(&a, &a).is_empty());
    }
}

#[test]
fn whoever_comes_is_read_first() {
    let (before, mut after) = (directory(), directory());
    after.people.push(person("mallory", 20, PersonKind::Human, &["approvers", "reviewers"]));
    after.people[0].groups = vec![];
    after.people[1].keys[1].status = KeyStatus::Active;
    after.people[2].keys.push(PersonKey {
        key: key(21).public().clone(),
        status: KeyStatus::Active,
        since: None,
    });
    after.people[4].owner = Some(t("anna"));
    expect_test::expect![[r#"
        ! widens the key SHA256:MyywqLAP8mf5V+lqguH2tv47kye1HNP18mAXTVRwdr4 of carol signs again; it was retired
        ! widens otto gets the key SHA256:AVClTvWgXEolKWcHEcUxJSIs44sDGtNJ5xliK7332fo (active)
        ! widens bot is an agent called "BOT", counted as anna instead of an agent called "BOT", counted as otto
        ! widens mallory comes: a human called "MALLORY", in approvers, reviewers
        ! widens mallory has the key SHA256:Sy7Qz9Ql8tk5vYkt3wypNP4pnGftzz06aeXKZcuFbxw (active)
          narrows groups of anna: authors goes out
    "#]].assert_eq(&said(&of_directory(&before, &after)));
    expect_test::expect![[r#"
        ! widens bot is an agent called "BOT", counted as otto instead of an agent called "BOT", counted as anna
          widens groups of anna: authors comes in
          narrows the key SHA256:MyywqLAP8mf5V+lqguH2tv47kye1HNP18mAXTVRwdr4 of carol signs no more: retired since 2026-11-23T19:59:00Z
          narrows otto has the key SHA256:AVClTvWgXEolKWcHEcUxJSIs44sDGtNJ5xliK7332fo no more
          narrows mallory goes: nothing that they signed counts any more
    "#]].assert_eq(&said(&of_directory(&after, &before)));
}

#[test]
fn a_name_cannot_draw() {
    let (before, mut after) = (directory(), directory());
    after.people[0].name = "ANNA\u{1b}[2K\u{202e}\nnarrows nothing".to_owned();
    let told = said(&of_directory(&before, &after));
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("\\u{1b}[2K\\u{202e}\\nnarrows"), "{told}");
}

#[test]
fn fewer_signatures_and_other_holders_are_grave() {
    let (before, mut after) = (keyring(), keyring());
    after.roles[0] = RoleRule { role: Role::Root, threshold: 1, people: vec![t("ruth"), t("eve")] };
    after.roles[3].people = vec![t("rosa")];
    after.keys.push(KeyringKey { person: t("eve"), key: key(30).public().clone() });
    after.floors.self_serve = false;
    after.floors.reviews_required = 0;
    after.roles.remove(4);
    expect_test::expect![[r#"
        ! widens people of the role root who have to sign: 1 instead of 2
        ! widens eve gets the role root
        ! widens rosa gets the role stop
        ! widens eve may sign with SHA256:JiQeoWIlzhZc60YoXRNeEpBKyF4d/89J6wr8E9u/dO0 for: root
        ! widens the fewest reviews that a policy may ask for: 0 instead of 1
          widens ruth loses the role stop
          narrows rosa loses the role root
          narrows nobody holds the role lift any more: ruth, rosa
          narrows no policy may allow runs without an approval
    "#]]
    .assert_eq(&said(&of_keyring(&before, &after)));
}

#[test]
fn a_target_that_becomes_easier_says_so_line_by_line() {
    let (before, mut after) = (policy(), policy());
    let target = &mut after.targets[0];
    target.approvals.required = 0;
    target.reviews.groups.push(t("everybody"));
    target.reads[0].columns.push("card_number\u{200b}".to_owned());
    target.reads[0].columns.retain(|c| c != "state");
    target.limits.wall_ms_max /= 2;
    target.break_glass = None;
    target.self_serve.as_mut().unwrap().runs_per_day = 1000;
    target.retention_days = 1;
    expect_test::expect![[r#"
        ! widens shop: approvals: people needed: 0 instead of 1
        ! widens shop: orders (card_number\u{200b}) may be read
          widens shop: reviews: who counts: everybody comes in
          widens shop: runs without an approval: a day: 1000 instead of 20
          widens shop: recordings are kept 1 days instead of 30
          narrows shop: emergencies: nobody may
          narrows shop: milliseconds of a run: 15000 instead of 30000
          narrows shop: orders (state) may not be read any more
    "#]]
    .assert_eq(&said(&of_policy(&before, &after)));
    expect_test::expect![[r#"
        ! widens shop: emergencies: oncall may, with 1 approvals by approvers, reviewers
        ! widens shop: orders (state) may be read
          widens shop: milliseconds of a run: 30000 instead of 15000
          widens shop: recordings are kept 30 days instead of 1
          narrows shop: reviews: who counts: everybody goes out
          narrows shop: approvals: people needed: 1 instead of 0
          narrows shop: runs without an approval: a day: 20 instead of 1000
          narrows shop: orders (card_number\u{200b}) may not be read any more
    "#]]
    .assert_eq(&said(&of_policy(&after, &before)));
}

#[test]
fn another_database_under_the_same_name_is_grave() {
    let (before, mut after) = (policy(), policy());
    after.targets[0].identity =
        crate::TargetIdentity::Sqlite(crate::SqliteIdentity { application_id: 8 });
    after.runners[0].key = key(31).public().clone();
    after.targets.push(crate::PolicyTarget { id: t("new"), ..before.targets[0].clone() });
    expect_test::expect![[r#"
        ! widens shop is another database: SQLite, application id 8 instead of SQLite, application id 7
        ! widens new is a new target: SQLite, application id 7, not production, callers oncall, 1 reviews by reviewers, 1 approvals by approvers
        ! widens new: runs without an approval by oncall
        ! widens new: emergencies by oncall
        ! widens receipts of local are signed by SHA256:8hEgUtr1YNrSoFp6+8m2o2phk9LGkSq+GAODR5gUSjQ instead of SHA256:doxiASlJnKSD9j+JpVoWpfEFHjUrsF9ZYr+cir4FYjo
          widens new: orders (id, state) may be read
    "#]].assert_eq(&said(&of_policy(&before, &after)));
}

/// A PostgreSQL target that hides something of everything.
fn hiding() -> crate::Policy {
    let mut policy = policy();
    let target = &mut policy.targets[0];
    target.engine = domain::manifest::Engine::Postgres;
    target.reads[0].columns.push("email".to_owned());
    let (table, filter) = ("orders".to_owned(), "region = 'eu'".to_owned());
    target.masks = vec![crate::ColumnMask {
        table: table.clone(),
        column: "email".to_owned(),
        mask: domain::Mask::Email,
        unmask: false,
    }];
    target.denied = vec![crate::Denied { table: table.clone(), column: "card".to_owned() }];
    target.row_filters = vec![crate::RowFilter { table, filter }];
    policy
}

#[test]
fn whatever_is_hidden_no_longer_is_read_first() {
    let (before, mut after) = (hiding(), hiding());
    let target = &mut after.targets[0];
    target.masks[0].mask = domain::Mask::Partial { keep_first: 8, keep_last: 8 };
    target.denied.clear();
    target.row_filters[0].filter = "true".to_owned();
    expect_test::expect![[r#"
        ! widens shop: orders.email is masked: its first 8 and last 8 characters, of long values instead of first letter and domain of an e-mail address
        ! widens shop: orders.card is denied no more
        ! widens shop: orders shows only rows with true instead of region = 'eu'
    "#]]
    .assert_eq(&said(&of_policy(&before, &after)));
    let mut after = hiding();
    after.targets[0].masks[0].unmask = true;
    after.targets[0].row_filters.clear();
    expect_test::expect![[r#"
        ! widens shop: a grant may unmask orders.email
        ! widens shop: orders shows all rows, no more only those with region = 'eu'
    "#]]
    .assert_eq(&said(&of_policy(&before, &after)));
    after.targets[0].masks.clear();
    expect_test::expect![[r#"
        ! widens shop: orders.email is masked no more; it was first letter and domain of an e-mail address
        ! widens shop: orders shows all rows, no more only those with region = 'eu'
    "#]]
    .assert_eq(&said(&of_policy(&before, &after)));
    let mut new = hiding();
    new.targets[0].id = t("new");
    let told = said(&of_policy(&policy(), &new));
    assert!(told.contains("narrows new: orders.email is masked: first letter"), "{told}");
    assert!(told.contains("narrows new: orders.card is denied"), "{told}");
    assert!(told.contains("narrows new: orders shows only rows with region = 'eu'"), "{told}");
}
