//! Who may run what, in the words of the program: what reviewers opened, emergencies, what is said
//! against a script and its end; and why.

use std::time::{Duration, Instant};

use domain::decide::{BreakGlassRules, Quorum, SelfServeRules};
use domain::{Limits, QueryLimits};
use trust::{Keyring, Policy, Role};

use super::machine::text as field;
use super::team::{ASKS, RUNS, Team};

fn engineers() -> Quorum {
    let groups = vec!["engineers".parse().unwrap()];
    Quorum { required: 1, groups, from_each: vec![] }
}

/// Reviewers may open scripts, three runs a day.
pub(crate) fn self_serve(keyring: &mut Keyring, policy: &mut Policy) {
    keyring.floors.self_serve = true;
    let rules = SelfServeRules { groups: engineers().groups, runs_per_day: 3 };
    policy.targets[0].self_serve = Some(rules);
}

/// Emergencies of at most two uses, which somebody must have looked at a second after the first.
fn emergencies(policy: &mut Policy) {
    policy.targets[0].break_glass = Some(BreakGlassRules {
        approvals: engineers(),
        groups: engineers().groups,
        duration_s_max: 900,
        uses_max: 2,
        limits: Limits::DEFAULT,
        query: QueryLimits { calls_max: 50, rows_total_max: 5000, bytes_total_max: 4 << 20 },
        after_review_s: 1,
        after_review: engineers(),
    });
}

#[test]
fn what_reviewers_opened_runs_in_one_command_and_others_hear_what_to_ask_for() {
    let team = Team::found(|keyring, _, policy| self_serve(keyring, policy));
    let review = team.reviewed(&["--self-serve", "engineers:5"]);
    let told = team.good("alice", &[&RUNS[..], &["--out", "result"]].concat());
    assert!(told.contains("never-scanned") && told.contains("no approval is needed"), "{told}");
    assert!(told.contains("1 review, 0 approvals"), "{told}");
    let runs = team.json("alice", &["runs"]);
    let why = team.good("alice", &["show", field(&runs[0], "id"), "--why"]);
    assert!(why.contains(&format!("review   {review} by bob ✓")), "{why}");
    assert!(why.contains("✓ self-serve-not-reviewed") && why.contains(": allowed"), "{why}");

    // The policy lets her do that three times a day; then an approval is needed.
    team.good("alice", &RUNS);
    team.good("alice", &RUNS);
    let told = team.refused(3, "alice", &RUNS);
    assert!(told.contains("self-serve-spent: alice started 3 of 3"), "{told}");
    assert!(told.contains("ask for it: borescope --context alice run stuck-orders"), "{told}");

    // Bob does not open it to himself. He hears the rule, the fact, and what to ask for.
    let told = team.refused(3, "bob", &RUNS);
    for part in ["self-serve-not-reviewed", "0 of 1 reviews by others", "shop=shop-replica to bob"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    // Without a reason nothing was asked for; the same words with one ask, and wait.
    let ask = told.split_once("ask for it: borescope ").unwrap().1.lines().next().unwrap();
    let ask = ask.replace("TEXT", "parcels --wait 1s");
    let (code, asked) = team.m.told(&ask.split(' ').collect::<Vec<_>>());
    assert!(code == 6 && asked.contains("alice or carol approves it"), "{code} {asked}");
    let id = asked.split_once("borescope approve ").unwrap().1.lines().next().unwrap();
    let why = told.split_once("why:  borescope ").unwrap().1.lines().next().unwrap();
    let why = team.good("bob", &why.split(' ').collect::<Vec<_>>());
    assert!(why.contains("✗ self-serve-not-reviewed") && why.contains("help: "), "{why}");
    let as_bob = ["show", "stuck-orders", "--why", "--on", "shop=shop-replica"];
    let derived = team.json("alice", &[&as_bob[..], &["--as-caller", "bob"]].concat());
    assert_eq!(derived[0]["allowed"], false);

    // It waits for somebody; approved, the same command runs under it.
    let told = team.refused(6, "bob", &[&RUNS[..], &["--wait", "1s"]].concat());
    assert!(told.contains(id) && told.contains("approval-missing"), "{told}");
    team.json("alice", &["approve", id, "--yes"]);
    let told = team.good("bob", &RUNS);
    assert!(told.contains(&format!("under {id}")) && told.contains("never-scanned"), "{told}");
}

#[test]
fn an_emergency_has_one_approver_is_loud_and_owes_a_look() {
    let team = Team::found(|_, _, policy| emergencies(policy));
    team.reviewed(&[]);
    let glass = [&ASKS[..], &["--break-glass"]].concat();
    let told = team.refused(3, "alice", &[&glass[..], &["--uses", "9"]].concat());
    assert!(told.contains("break-glass-too-wide") && told.contains("at most 2 uses"), "{told}");

    let told = team.good("alice", &glass);
    assert!(told.contains("EMERGENCY") && told.contains("somebody else must look"), "{told}");
    let id = told.split_once("access request ").unwrap().1.lines().next().unwrap().to_owned();
    assert!(team.good("bob", &["inbox"]).contains("EMERGENCY to approve"));
    let told = team.refused(3, "alice", &["approve", &id, "--yes"]);
    assert!(told.contains("approval-missing"), "{told}");
    let told = team.good("bob", &["approve", &id, "--yes"]);
    assert!(told.contains("EMERGENCY") && told.contains("for 15m"), "{told}");
    let run = ["run", "--request", &id, "--input", "input.json"];
    let told = team.good("alice", &run);
    assert!(told.contains("never-scanned") && told.contains("somebody else must look"), "{told}");
    assert!(team.good("alice", &["runs"]).contains("EMERGENCY"));
    assert!(team.good("alice", &["show", &id]).contains("EMERGENCY"));
    let run = team.json("alice", &["runs"])[0]["id"].as_str().unwrap().to_owned();
    assert!(team.good("alice", &["show", &run]).contains("EMERGENCY"));

    // It is due a second after the run; the deadline is only there so that a bug does not hang.
    let begun = Instant::now();
    while !team.good("alice", &["inbox"]).contains("OVERDUE") {
        assert!(begun.elapsed() < Duration::from_secs(60), "the look is never due");
    }
    let told = team.refused(3, "alice", &glass);
    assert!(told.contains("after-review-overdue") && told.contains(&id), "{told}");
    assert!(told.contains("next: borescope after-review"), "{told}");
    // Whether or not it is taken down: nobody settles what they owe themselves.
    let own = ["after-review", &id, "--justified", "--yes"];
    drop(team.told("alice", &own));
    let told = team.refused(3, "alice", &glass);
    assert!(told.contains("after-review-overdue"), "her own look: {told}");

    assert!(team.good("bob", &["inbox"]).contains("EMERGENCY to look at"));
    let told = team.good("bob", &own);
    assert!(told.contains("alice broke the glass") && told.contains("succeeded"), "{told}");
    assert!(!team.good("bob", &["inbox"]).contains("EMERGENCY to look at"));
    team.good("alice", &glass);
}

#[test]
fn a_rejection_bars_whatever_others_say_until_its_reviewer_withdraws_it() {
    let team = Team::found(|keyring, _, policy| self_serve(keyring, policy));
    team.reviewed(&["--self-serve", "engineers:5"]);
    let no = ["review", "stuck-orders", "--target", "shop=shop-replica", "--reject", "--yes"];
    let told = team.good("carol", &[&no[..], &["--comment", "reads every customer"]].concat());
    assert!(told.contains("it is barred there from now on"), "{told}");
    let id = told.split_once("signed ").unwrap().1.split_once(':').unwrap().0.to_owned();

    let told = team.refused(3, "alice", &RUNS);
    assert!(told.contains("review-rejected") && told.contains("carol rejected"), "{told}");
    let listed = team.good("bob", &["stops"]);
    for part in [id.as_str(), "is rejected for shop=shop-replica", "carol since", "every customer"]
    {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let told = team.refused(3, "bob", &["withdraw", &id, "--reason", "x", "--yes"]);
    assert!(told.contains("only its reviewer"), "{told}");
    team.good("carol", &["withdraw", &id, "--reason", "I misread it", "--yes"]);
    assert!(team.good("bob", &["stops"]).contains("nothing is rejected"));
    assert!(team.good("alice", &RUNS).contains("never-scanned"));
}

#[test]
fn a_stop_bars_until_as_many_as_the_keyring_asks_for_have_lifted_it() {
    let team = Team::found(|keyring, directory, policy| {
        self_serve(keyring, policy);
        let bob = directory.people.iter().find(|p| p.id.as_str() == "bob").unwrap();
        let key = bob.keys[0].key.clone();
        keyring.keys.push(trust::KeyringKey { person: bob.id.clone(), key });
        let lift = keyring.roles.iter_mut().find(|r| r.role == Role::Lift).unwrap();
        lift.people.push(bob.id.clone());
        lift.threshold = 2;
    });
    team.reviewed(&["--self-serve", "engineers:5"]);
    let stop = ["stop", "revision", "stuck-orders", "--reason", "reads too much"];
    let id = field(&team.json("alice", &stop)[0], "id").to_owned();
    let told = team.refused(3, "alice", &RUNS);
    assert!(told.contains("stopped:") && told.contains("next: borescope stops"), "{told}");
    let listed = team.good("carol", &["stops"]);
    assert!(listed.contains(&id) && listed.contains("alice since"), "{listed}");
    assert!(listed.contains("reads too much"), "{listed}");

    let lift = ["lift", &id, "--reason", "fixed", "--yes"];
    let told = team.refused(3, "carol", &[&lift[..], &["--out", "lift.json"]].concat());
    assert!(told.contains("does not hold the role"), "{told}");
    let told = team.refused(2, "alice", &lift);
    assert!(told.contains("signatures of 1 more"), "{told}");
    team.refused(6, "alice", &[&lift[..], &["--out", "lift.json"]].concat());
    team.refused(3, "alice", &RUNS);
    let told = team.refused(1, "alice", &["lift", "--add", "lift.json", "--yes"]);
    assert!(told.contains("two signatures"), "she has signed: {told}");
    let told = team.good("bob", &["lift", "--add", "lift.json", "--yes"]);
    assert!(told.contains(&format!("this ends {id}")) && told.contains("fixed"), "{told}");
    assert!(team.good("carol", &["stops"]).contains("nothing is stopped"));
    assert!(team.good("alice", &RUNS).contains("never-scanned"));
}

#[test]
fn who_can_says_whom_a_stop_bars_now() {
    let team = Team::found(|_, _, _| {});
    let stop = ["stop", "person", "carol", "--reason", "lost a laptop"];
    let id = field(&team.json("alice", &stop)[0], "id").to_owned();
    let ends = format!("stopped now: person carol, by alice ({id})");
    for about in [["--target", "shop-replica"], ["--person", "carol"]] {
        let told = team.good("bob", &[&["policy", "who-can"][..], &about].concat());
        assert!(told.contains(&ends), "{told}");
    }
    let told = team.good("bob", &["policy", "who-can", "--person", "bob"]);
    assert!(!told.contains("stopped now"), "{told}");
}

#[test]
fn an_approver_signs_less_than_what_was_asked_for_and_never_more() {
    let team = Team::found(|_, _, policy| policy.targets[0].approvals.required = 2);
    team.reviewed(&[]);
    let id = team.asks("alice", &["--uses", "2"]);
    let told = team.refused(2, "bob", &["approve", &id, "--yes", "--wall", "1d"]);
    assert!(told.contains("at most"), "{told}");
    let told = team.refused(2, "bob", &["approve", &id, "--yes", "--for", "30d"]);
    assert!(told.contains("cannot widen"), "{told}");
    let run = ["run", "--request", &id, "--input", "input.json"];
    let told = team.refused(3, "alice", &run);
    let why = told.split_once("why:  borescope ").unwrap().1.lines().next().unwrap();
    let why = team.good("alice", &why.split(' ').collect::<Vec<_>>());
    for part in ["the runner denied it by", "✗ approval-missing", "0 of 2 approvals", "help: "] {
        assert!(why.contains(part), "{part}: {why}");
    }
    let less = ["approve", &id, "--yes", "--for", "30m", "--fuel", "1000"];
    let told = team.good("bob", &less);
    assert!(told.contains("you sign") && told.contains("1 of 2 approvals"), "{told}");
    let why = team.good("alice", &["show", &id, "--why"]);
    assert!(
        why.contains("denied by approval-missing") && why.contains("1 of 2 approvals"),
        "{why}"
    );
    assert!(why.contains("next: borescope approve REQUEST"), "{why}");
    team.good("carol", &["approve", &id, "--yes"]);
    let (code, told) = team.told("alice", &run);
    assert!(code == 4 && told.contains("fuel"), "bob's bound binds: {code} {told}");
}

#[test]
fn an_approver_counts_the_reviews_of_an_unchanged_earlier_revision_as_the_runner_does() {
    let team = Team::found(|_, _, policy| {
        policy.targets[0].reviews.required = 2;
        policy.targets[0].reviews_unchanged = Some(1);
    });
    team.reviewed(&[]);
    // Only the component changes: an empty custom section, and the version.
    let component = team.m.path("stuck-orders/component.wasm");
    let mut bytes = std::fs::read(&component).unwrap();
    bytes.extend([0, 2, 1, b'x']);
    std::fs::write(&component, bytes).unwrap();
    let manifest = team.m.path("stuck-orders/script.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let (before, rest) = text.split_once("version = \"").unwrap();
    let (first, after) = rest.split_once('"').unwrap();
    std::fs::write(&manifest, format!("{before}version = \"99.0.0\"{after}")).unwrap();
    team.reviewed(&[]);
    let id = team.asks("alice", &[]);
    let told = team.refused(3, "carol", &["approve", &id, "--yes"]);
    assert!(told.contains("does not help: 1 of 2 reviews of it count"), "{told}");

    let earlier = format!("stuck-orders@{first}");
    let review = ["review", &earlier, "--target", "shop=shop-replica", "--approve", "--yes"];
    team.json("carol", &review);
    let why = team.good("carol", &["show", &id, "--why"]);
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(why.contains("only the component changed"), "{why}");
    team.good("carol", &["approve", &id, "--yes"]);
    let told = team.good("alice", &RUNS);
    assert!(told.contains("never-scanned"), "{told}");
}
