//! What is imagined is decided as it would be of documents: nobody's wish counts more here.

use domain::decide::Quorum;

use super::expected::{Expect, parse};
use super::rights::consequences;
use super::who::{Act, may, of_target};
use super::*;
use crate::testing::{directory, keyring, person, policy, t};
use crate::{Effect, PersonKind};

/// Anna writes, carol reviews, otto (or his bot) calls, ruth approves; each can be changed.
struct Trial {
    keyring: Keyring,
    directory: Directory,
    policy: Policy,
    scene: Scene,
}

impl Trial {
    fn new() -> Self {
        let scene = Scene {
            target: t("shop"),
            authors: vec![t("anna")],
            reviewers: vec![t("carol")],
            reviewed_before: vec![],
            caller: t("otto"),
            approvers: vec![t("ruth")],
            break_glass: false,
            self_serve: false,
        };
        Self { keyring: keyring(), directory: directory(), policy: policy(), scene }
    }

    fn ground(&self) -> Ground<'_> {
        Ground { keyring: &self.keyring, directory: &self.directory, policy: &self.policy }
    }

    fn joins(&mut self, id: &str, group: &str) {
        let groups =
            &mut self.directory.people.iter_mut().find(|p| p.id.as_str() == id).unwrap().groups;
        groups.push(t(group));
    }
}

/// The rule that says no after `change`; `None`: allowed.
fn after(change: impl FnOnce(&mut Trial)) -> Option<Rule> {
    let mut trial = Trial::new();
    change(&mut trial);
    let decided = trial.scene.decide(&trial.ground()).err().map(|d| d.rule);
    let told = trial.scene.explain(&trial.ground());
    assert_eq!(decided, told.iter().find(|s| !s.satisfied).map(|s| s.rule));
    decided
}

#[test]
fn the_ordinary_way_needs_the_right_people() {
    assert_eq!(after(|_| {}), None);
    assert_eq!(after(|t| t.scene.authors.clear()), Some(Rule::SubmissionMissing));
    assert_eq!(after(|t| t.scene.reviewers.clear()), Some(Rule::ReviewMissing));
    assert_eq!(after(|t| t.scene.approvers.clear()), Some(Rule::ApprovalMissing));
    assert_eq!(after(|t| t.scene.target = "shop-2".parse().unwrap()), Some(Rule::TargetUnknown));
    assert_eq!(after(|t| t.scene.caller = "anna".parse().unwrap()), Some(Rule::CallerNotAllowed));
    let authors_review = |t: &mut Trial| {
        t.joins("anna", "reviewers");
        t.scene.reviewers = vec!["anna".parse().unwrap()];
    };
    assert_eq!(after(authors_review), Some(Rule::ReviewMissing));
    let callers_approve = |t: &mut Trial| {
        t.joins("otto", "approvers");
        t.scene.approvers = vec!["otto".parse().unwrap()];
    };
    assert_eq!(after(callers_approve), Some(Rule::ApprovalMissing));
}

#[test]
fn an_agent_counts_as_its_owner_and_never_approves() {
    let bot_calls = |t: &mut Trial| t.scene.caller = "bot".parse().unwrap();
    assert_eq!(after(bot_calls), None);
    let owner_approves = |t: &mut Trial| {
        bot_calls(t);
        t.joins("otto", "approvers");
        t.scene.approvers = vec!["otto".parse().unwrap()];
    };
    assert_eq!(after(owner_approves), Some(Rule::ApprovalMissing));
    let bot_approves = |t: &mut Trial| {
        t.joins("bot", "approvers");
        t.scene.approvers = vec!["bot".parse().unwrap()];
        t.scene.caller = "anna".parse().unwrap();
        t.joins("anna", "oncall");
    };
    assert_eq!(after(bot_approves), Some(Rule::ApprovalMissing));
}

#[test]
fn whoever_has_left_says_nothing() {
    assert_eq!(
        after(|t| t.directory.people.retain(|p| p.id.as_str() != "carol")),
        Some(Rule::DocumentInvalid)
    );
    let revoked = |t: &mut Trial| t.directory.people[3].keys[0].status = KeyStatus::Retired;
    assert_eq!(after(revoked), Some(Rule::DocumentInvalid));
}

#[test]
fn the_other_ways_have_rules_of_their_own() {
    let self_serve = |t: &mut Trial| {
        t.scene.self_serve = true;
        t.scene.approvers.clear();
    };
    assert_eq!(after(self_serve), None);
    let floor = |t: &mut Trial| {
        self_serve(t);
        t.keyring.floors.self_serve = false;
    };
    assert_eq!(after(floor), Some(Rule::SelfServeNotAllowed));
    let broken = |t: &mut Trial| {
        t.scene.break_glass = true;
        t.scene.approvers = vec!["carol".parse().unwrap()];
    };
    assert_eq!(after(broken), None);
    let none = |t: &mut Trial| {
        broken(t);
        t.policy.targets[0].break_glass = None;
    };
    assert_eq!(after(none), Some(Rule::BreakGlassNotAllowed));
}

#[test]
fn fewer_reviews_suffice_where_only_the_component_changed() {
    let two = |t: &mut Trial| {
        t.directory.people.push(person("cleo", 20, PersonKind::Human, &["reviewers"]));
        t.policy.targets[0].reviews.required = 2;
    };
    assert_eq!(after(two), Some(Rule::ReviewMissing));
    let before = |t: &mut Trial| {
        two(t);
        t.scene.reviewed_before = vec!["carol".parse().unwrap(), "cleo".parse().unwrap()];
    };
    assert_eq!(after(before), None);
}

#[test]
fn who_may_do_what_and_why_not() {
    let trial = Trial::new();
    let mut told = String::new();
    for act in Act::ALL {
        told.push_str(&format!("{}:", act.words()));
        for p in &trial.directory.people {
            match may(&trial.ground(), &p.id, act, &trial.scene.target) {
                Ok(()) => told.push_str(&format!(" {}", p.id)),
                Err(no) => {
                    let rule = no.rule.map_or("no rule", Rule::code);
                    told.push_str(&format!(" ({} {rule})", p.id));
                }
            }
        }
        told.push('\n');
    }
    expect_test::expect![[r#"
        run what is reviewed and approved: (anna caller-not-allowed) (carol caller-not-allowed) otto (ruth caller-not-allowed) bot
        run without an approval what reviewers opened: (anna caller-not-allowed) (carol caller-not-allowed) otto (ruth caller-not-allowed) bot
        break the glass: (anna caller-not-allowed) (carol caller-not-allowed) otto (ruth caller-not-allowed) bot
        review scripts: (anna review-missing) carol (otto review-missing) (ruth review-missing) (bot review-missing)
        approve access requests: (anna approval-missing) (carol approval-missing) (otto approval-missing) ruth (bot approval-missing)
        approve emergencies: (anna approval-missing) carol (otto approval-missing) ruth (bot approval-missing)
        look at emergencies afterwards: (anna no rule) (carol no rule) (otto no rule) ruth (bot no rule)
        read results of others: (anna no rule) (carol no rule) (otto no rule) (ruth no rule) (bot no rule)
    "#]].assert_eq(&told);
}

/// One person's answer is what the decision is with that person in the role, whoever it is.
#[test]
fn an_answer_is_the_decision_with_that_person_in_the_role() {
    let mut trial = Trial::new();
    for (id, group) in [("anna", "oncall"), ("ruth", "reviewers"), ("carol", "approvers")] {
        trial.joins(id, group);
    }
    for p in &trial.directory.people {
        for act in [Act::Call, Act::Review, Act::Approve, Act::ApproveBreakGlass] {
            // Nobody else of the scene is the same person.
            let other = |ids: [&str; 2]| {
                let mine = |id: &&str| *id != p.counted().as_str();
                vec![ids.into_iter().find(mine).unwrap().parse::<PersonId>().unwrap()]
            };
            let mut scene = Scene {
                authors: vec![t("bot")],
                reviewers: other(["carol", "ruth"]),
                approvers: other(["ruth", "carol"]),
                caller: other(["otto", "anna"]).remove(0),
                ..trial.scene.clone()
            };
            match act {
                Act::Call => scene.caller = p.id.clone(),
                Act::Review => scene.reviewers = vec![p.id.clone()],
                Act::Approve => scene.approvers = vec![p.id.clone()],
                _ => {
                    scene.break_glass = true;
                    scene.approvers = vec![p.id.clone()];
                }
            }
            // The bot's owner is an author: somebody else has to be one when otto reviews.
            if p.counted().as_str() == "otto" {
                scene.authors = vec![t("anna")];
            }
            let answer = may(&trial.ground(), &p.id, act, &scene.target).is_ok();
            let decided = scene.decide(&trial.ground());
            assert_eq!(answer, decided.is_ok(), "{} {act:?}: {decided:?}", p.id);
        }
    }
}

#[test]
fn what_nobody_can_bring_about_is_said() {
    let mut trial = Trial::new();
    trial.policy.targets[0].reviews =
        Quorum { required: 2, groups: vec![t("reviewers"), t("sre")], from_each: vec![t("sre")] };
    let acts = of_target(&trial.ground(), &trial.scene.target).unwrap();
    let reviews = acts.iter().find(|a| a.act == Act::Review).unwrap();
    assert_eq!(
        reviews.impossible.as_deref(),
        Some("1 of 2 people there are, and nobody stands for sre")
    );
    assert!(of_target(&trial.ground(), &t("nowhere")).is_err());
}

#[test]
fn a_change_says_what_it_means_for_people() {
    let (before, mut after) = (Trial::new(), Trial::new());
    after.joins("otto", "approvers");
    after.directory.people[1].groups.clear();
    after.policy.targets[0].self_serve = None;
    after.directory.people.push(person("mia", 20, PersonKind::Human, &["oncall"]));
    let told: String = consequences(&before.ground(), &after.ground())
        .iter()
        .map(|c| format!("{}{} {}\n", if c.grave { "! " } else { "  " }, c.effect, c.what))
        .collect();
    expect_test::expect![[r#"
        ! widens mia may now run what is reviewed and approved on shop
        ! widens mia may now break the glass on shop
        ! widens otto may now approve access requests on shop
        ! widens otto may now approve emergencies on shop
        ! widens otto may now look at emergencies afterwards on shop
          widens carol may no longer review scripts on shop, and what they rejected there is barred no more
          narrows bot may no longer run without an approval what reviewers opened on shop
          narrows carol may no longer approve emergencies on shop
          narrows otto may no longer run without an approval what reviewers opened on shop
    "#]].assert_eq(&told);
    let back = consequences(&after.ground(), &before.ground());
    assert!(back.iter().any(|c| c.effect == Effect::Widens && c.what.contains("carol may now")));
}

const TESTS: &str = r#"
[[test]]
name = "two people are enough"
target = "shop"
authors = ["anna"]
reviewers = ["carol"]
caller = "otto"
approvers = ["ruth"]
expect = "allowed"

[[test]]
name = "nobody approves their own"
target = "shop"
authors = ["anna"]
reviewers = ["carol"]
caller = "otto"
approvers = ["otto"]
expect = "approval-missing"
"#;

#[test]
fn a_policy_that_decides_otherwise_fails_its_tests() {
    let mut trial = Trial::new();
    let tests = parse(TESTS).unwrap();
    let all = |trial: &Trial| -> Vec<bool> {
        tests.iter().map(|test| test.play(&trial.ground()).passed).collect()
    };
    assert_eq!(all(&trial), [true, true]);
    trial.policy.targets[0].approvals.required = 2;
    assert_eq!(all(&trial), [false, true]);
    let failed = tests[0].play(&trial.ground());
    assert!(failed.steps.iter().any(|s| s.rule == Rule::ApprovalMissing && !s.satisfied));
    assert_eq!(tests[1].expect, Expect::Denied(Rule::ApprovalMissing));
}

#[test]
fn an_expectation_that_says_nothing_is_refused() {
    let said = |from: &str, to: &str| parse(&TESTS.replacen(from, to, 1)).unwrap_err().to_string();
    assert!(said("\"allowed\"", "\"alowed\"").contains("expected \"allowed\" or one of: stopped"));
    assert!(said("authors", "author").contains("unknown field `author`"));
    assert!(said("caller = \"otto\"", "").contains("missing field `caller`"));
    let both = said("caller = \"otto\"", "caller = \"otto\"\nself_serve = true");
    assert!(both.contains("nobody asks"), "{both}");
    assert!(parse("").unwrap().is_empty());
}
