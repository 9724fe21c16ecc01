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
    expect_test::expect![[r#""#]].assert_eq(&said(&of_directory(&before, &after)));
    expect_test::expect![[r#""#]].assert_eq(&said(&of_directory(&after, &before)));
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
    expect_test::expect![[r#""#]].assert_eq(&said(&of_keyring(&before, &after)));
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
    expect_test::expect![[r#""#]].assert_eq(&said(&of_policy(&before, &after)));
    expect_test::expect![[r#""#]].assert_eq(&said(&of_policy(&after, &before)));
}

#[test]
fn another_database_under_the_same_name_is_grave() {
    let (before, mut after) = (policy(), policy());
    after.targets[0].identity =
        crate::TargetIdentity::Sqlite(crate::SqliteIdentity { application_id: 8 });
    after.runners[0].key = key(31).public().clone();
    after.targets.push(crate::PolicyTarget { id: t("new"), ..before.targets[0].clone() });
    expect_test::expect![[r#""#]].assert_eq(&said(&of_policy(&before, &after)));
}
