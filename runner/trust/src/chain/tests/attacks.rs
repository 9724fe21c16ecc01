//! People who try to be two, and documents that try to be something else.

use super::*;

fn by(n: u8, doc: &impl Document) -> crate::Envelope {
    sign(doc, &key(n)).unwrap()
}

/// Two reviews and two approvals are needed.
fn two_of_each(directory: &Directory) -> (Runner, Policy) {
    let mut two = policy();
    two.targets[0].reviews.required = 2;
    two.targets[0].approvals.required = 2;
    (Runner::under(authority_with(directory, &two)), two)
}

fn adjusted(directory: &Directory, policy: &Policy, approval: Approval) -> Approval {
    Approval {
        directory: crate::VersionRef { version: 1, digest: digest_of(directory) },
        policy: crate::VersionRef { version: 1, digest: digest_of(policy) },
        ..approval
    }
}

#[test]
fn two_keys_of_one_person_are_one_reviewer() {
    let mut with_two_keys = directory();
    with_two_keys.people[1].keys[1].status = KeyStatus::Active;
    let (runner, policy) = two_of_each(&with_two_keys);
    let mut order = documents();
    let second = Review { header: header("rev", 40), ..review() };
    order.reviews.push(by(12, &second));
    order.approvals = vec![by(RUTH, &adjusted(&with_two_keys, &policy, approval()))];
    let facts = runner.facts(&order).unwrap();
    let told = decide(&facts).unwrap_err();
    assert_eq!(told.rule, Rule::ReviewMissing);
    assert!(told.fact.starts_with("1 of 2 reviews"), "{told}");
}

#[test]
fn one_person_in_two_groups_is_one_person() {
    let mut both = directory();
    both.people[1].groups = vec![t("reviewers"), t("authors")];
    let mut split = policy();
    split.targets[0].reviews.groups = vec![t("reviewers"), t("authors")];
    split.targets[0].reviews.from_each = vec![t("reviewers"), t("authors")];
    let runner = Runner::under(authority_with(&both, &split));
    let mut order = documents();
    order.approvals = vec![by(RUTH, &adjusted(&both, &split, approval()))];
    let told = decide(&runner.facts(&order).unwrap()).unwrap_err();
    assert_eq!(told.rule, Rule::ReviewMissing);
    assert!(told.fact.contains("nobody is left to stand for the group"), "{told}");
}

#[test]
fn a_second_submitter_is_an_author_and_reviews_nothing() {
    let mut order = documents();
    let mut by_carol = submission();
    (by_carol.header, by_carol.author) = (header("sub", 41), t("carol"));
    order.submissions.push(by(CAROL, &by_carol));
    let told = decide(&Runner::new().facts(&order).unwrap()).unwrap_err();
    assert!(told.rule == Rule::ReviewMissing && told.fact.contains("carol is an author"), "{told}");
}

#[test]
fn an_agent_does_not_speak_for_its_owner() {
    let mut grouped = directory();
    grouped.people[4].groups.extend([t("reviewers"), t("approvers")]);
    let runner = Runner::under(authority_with(&grouped, &policy()));
    let mut by_bot = review();
    by_bot.reviewer = t("bot");
    let mut order = documents();
    order.reviews = vec![by(BOT, &by_bot)];
    let mine = |a: Approval| adjusted(&grouped, &policy(), a);
    order.approvals =
        vec![by(RUTH, &mine(Approval { reviews: vec![digest_of(&by_bot)], ..approval() }))];
    assert_eq!(runner.denies(&order), Some(Rule::ReviewMissing), "agents never review");
    let mut order = documents();
    order.approvals = vec![by(BOT, &mine(Approval { approver: t("bot"), ..approval() }))];
    assert_eq!(runner.denies(&order), Some(Rule::ApprovalMissing), "nor approve");
}

#[test]
fn a_stop_of_the_owner_stops_the_agent() {
    let mut run = run_request();
    (run.request, run.use_number, run.caller) = (None, 0, t("bot"));
    let order = ChainDocuments { run_request: by(BOT, &run), ..self_serve() };
    assert_eq!(Runner::new().denies(&order), None);
    let runner = Runner::stopped(StopSubject::Person(t("otto")));
    assert_eq!(runner.denies(&order), Some(Rule::Stopped));
    let runner = Runner::stopped(StopSubject::Request(id("req", 6)));
    assert_eq!(runner.denies(&documents()), Some(Rule::Stopped));
}

#[test]
fn every_kind_of_document_is_refused_in_another_ones_place() {
    let runner = Runner::new();
    let others = [
        by(CAROL, &review()),
        by(RUTH, &approval()),
        by(ANNA, &submission()),
        by(OTTO, &run_request()),
        by(RUTH, &stop()),
        by(RUTH, &after_review()),
        by(CAROL, &withdrawal()),
        sign_all(&lift(), &[&key(RUTH), &key(ROOT2)]).unwrap(),
        by(ROOT2, &status()),
    ];
    type Place = fn(&mut ChainDocuments, crate::Envelope);
    let places: [(&str, Place); 9] = [
        ("review", |d, e| d.reviews = vec![e]),
        ("approval", |d, e| d.approvals = vec![e]),
        ("submission", |d, e| d.submissions = vec![e]),
        ("run-request", |d, e| d.run_request = e),
        ("stop", |d, e| d.stops = vec![e]),
        ("after-review", |d, e| d.after_reviews = vec![e]),
        ("withdrawal", |d, e| d.withdrawals = vec![e]),
        ("lift", |d, e| d.lifts = vec![e]),
        ("status", |d, e| d.status = Some(e)),
    ];
    for (kind, place) in places {
        for other in &others {
            let mut order = documents();
            place(&mut order, other.clone());
            let own = other.payload_type() == format!("application/vnd.borescope.{kind}.v1+json");
            match runner.facts(&order) {
                Ok(_) => assert!(own, "{} was taken for a {kind}", other.payload_type()),
                Err(e) => assert!(!own && e.to_string().contains("the envelope carries"), "{e}"),
            }
        }
    }
}

#[test]
fn what_the_run_depends_on_is_everybody_and_every_key() {
    let runner = Runner::new();
    let order = documents();
    let chain = runner.chain(&order).unwrap();
    assert_eq!(chain.run_request, order.run_request.payload_digest());
    for who in ["otto", "carol", "ruth", "anna"] {
        assert!(chain.depends_on.contains(&StopSubject::Person(t(who))), "{who}");
    }
    for n in [OTTO, CAROL, RUTH, ANNA] {
        let key = StopSubject::Key(key(n).fingerprint().to_string());
        assert!(chain.depends_on.contains(&key), "{key}");
    }
    for other in [
        StopSubject::Everything,
        StopSubject::Revision(revision()),
        StopSubject::Request(id("req", 6)),
        StopSubject::Target(t("shop")),
    ] {
        assert!(chain.depends_on.contains(&other), "{other}");
    }
    assert!(!chain.depends_on.contains(&StopSubject::Person(t("bot"))));
}

#[test]
fn what_an_agent_wrote_rests_on_whoever_answers_for_it() {
    let mut others = directory();
    others.people.push(person("dora", 60, crate::PersonKind::Human, &["authors"]));
    others.people[4].owner = Some(t("dora"));
    let runner = Runner::under(authority_with(&others, &policy()));
    let mut order = documents();
    order.approvals = vec![by(RUTH, &adjusted(&others, &policy(), approval()))];
    let mut by_bot = submission();
    by_bot.author = t("bot");
    order.submissions.push(sign(&by_bot, &key(BOT)).unwrap());
    let chain = runner.chain(&order).unwrap();
    assert!(chain.depends_on.contains(&StopSubject::Person(t("dora"))));
}

#[test]
fn a_security_key_that_nobody_touched_says_nothing() {
    let (token, mut with_token) = (SecurityKey::new(30), directory());
    with_token.people[1].keys[0].key = token.public();
    let runner = Runner::under(authority_with(&with_token, &policy()));
    let mut order = documents();
    order.approvals = vec![by(RUTH, &adjusted(&with_token, &policy(), approval()))];
    order.reviews = vec![token.sign(&review(), 0x01)];
    assert_eq!(runner.denies(&order), None);
    order.reviews = vec![token.sign(&review(), 0x00)];
    assert!(runner.refusal(&order).contains("without being touched"));
}
