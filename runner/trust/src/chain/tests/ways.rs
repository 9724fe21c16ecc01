//! Self-serve, emergencies and production, from documents to the decision.

use super::*;
use crate::{Header, Pinned, Seen, VersionRef};
use domain::Way;

#[test]
fn what_carol_opened_runs_without_an_approval() {
    let mut runner = Runner::new();
    let facts = runner.facts(&self_serve()).unwrap();
    assert_eq!(decide(&facts).unwrap().way, Way::SelfServe);
    let run = SelfServeRun { target: t("shop"), at: at(-60) };
    runner.runs = vec![run; 5];
    assert_eq!(runner.denies(&self_serve()), Some(Rule::SelfServeSpent));
}

#[test]
fn an_agent_is_its_owner_also_without_an_approval() {
    // The bot's owner reviewed it: for the bot that is its own review.
    let mut with_otto = directory();
    with_otto.people[2].groups.push(t("reviewers"));
    let runner = Runner::under(authority_with(&with_otto, &policy()));
    let mut run = run_request();
    (run.request, run.use_number, run.caller) = (None, 0, t("bot"));
    let mut mine = review();
    mine.reviewer = t("otto");
    let order = ChainDocuments {
        run_request: sign(&run, &key(BOT)).unwrap(),
        reviews: vec![sign(&mine, &key(OTTO)).unwrap()],
        ..self_serve()
    };
    assert_eq!(runner.denies(&order), Some(Rule::SelfServeNotReviewed));
}

#[test]
fn documents_of_a_request_do_not_ride_along() {
    let order = ChainDocuments { access_request: documents().access_request, ..self_serve() };
    assert!(Runner::new().refusal(&order).contains("the run request names none"));
    let order = ChainDocuments { approvals: documents().approvals, ..self_serve() };
    assert!(Runner::new().refusal(&order).starts_with("approval 1 of the order belongs to"));
}

#[test]
fn the_keyring_may_forbid_self_serve_and_bounds_emergencies() {
    let mut closed = keyring();
    closed.floors.self_serve = false;
    let refused = establish_under(&closed, &policy()).unwrap_err().to_string();
    assert!(refused.contains("target shop has `self_serve`"), "{refused}");
    let mut low = policy();
    low.targets[0].break_glass.as_mut().unwrap().approvals.required = 0;
    let refused = establish_under(&keyring(), &low).unwrap_err().to_string();
    assert!(
        refused.contains("needs 0 approvals in an emergency, the keyring's floor is 1"),
        "{refused}"
    );
    let mut high = keyring();
    high.floors.reviews_required = 2;
    let mut two = policy();
    two.targets[0].reviews.required = 2;
    let refused = establish_under(&high, &two).unwrap_err().to_string();
    assert!(refused.contains("needs 1 reviews of an unchanged script"), "{refused}");
}

/// Otto breaks the glass; carol approves, who may not approve otherwise.
fn emergency() -> ChainDocuments {
    let mut request = access_request();
    request.break_glass = true;
    let mut run = run_request();
    run.request = Some(digest_of(&request));
    let mut by_carol = approval();
    (by_carol.approver, by_carol.request) = (t("carol"), digest_of(&request));
    ChainDocuments {
        run_request: sign(&run, &key(OTTO)).unwrap(),
        access_request: Some(sign(&request, &key(OTTO)).unwrap()),
        approvals: vec![sign(&by_carol, &key(CAROL)).unwrap()],
        ..documents()
    }
}

fn owed(due_s: i64) -> OwedAfterReview {
    OwedAfterReview {
        request: digest_of(&access_request()),
        request_id: id("req", 6),
        caller: t("otto"),
        targets: vec![t("shop")],
        due: at(due_s),
        reviewers: vec![],
    }
}

#[test]
fn who_broke_the_glass_waits_for_somebody_to_look() {
    let mut runner = Runner::new();
    assert_eq!(runner.denies(&emergency()), None);
    runner.owed = vec![owed(1)];
    assert_eq!(runner.denies(&emergency()), None, "it is not late");
    runner.owed = vec![OwedAfterReview { caller: t("anna"), ..owed(-1) }];
    assert_eq!(runner.denies(&emergency()), None, "somebody else's");
    runner.owed = vec![owed(-1)];
    assert_eq!(runner.denies(&emergency()), Some(Rule::AfterReviewOverdue));
    assert_eq!(runner.denies(&documents()), None, "the ordinary way stays open");

    let with = |reviewer: &str, n: u8| {
        let looked = AfterReview { reviewer: t(reviewer), ..after_review() };
        ChainDocuments { after_reviews: vec![sign(&looked, &key(n)).unwrap()], ..emergency() }
    };
    assert_eq!(runner.denies(&with("ruth", RUTH)), None);
    let late = Some(Rule::AfterReviewOverdue);
    assert_eq!(runner.denies(&with("otto", OTTO)), late, "their own doing");
    assert_eq!(runner.denies(&with("bot", BOT)), late, "nor their agent's");
    assert_eq!(runner.denies(&with("carol", CAROL)), late, "not in the group");
    runner.owed[0].reviewers = vec![t("ruth")];
    assert_eq!(runner.denies(&emergency()), None, "the runner knows of it");
    runner.in_force.apply(Negative::Stop(Digest::of(b"s"), StopSubject::Person(t("ruth"))));
    assert_eq!(runner.denies(&emergency()), late);
}

fn prod() -> (Runner, Policy) {
    let mut prod = policy();
    prod.targets[0].prod = true;
    (Runner::under(authority_with(&directory(), &prod)), prod)
}

fn on_prod(policy: &Policy, stops: Digest) -> ChainDocuments {
    let mut approved = approval();
    approved.policy.digest = digest_of(policy);
    let mut status = status_of(stops);
    status.policy.digest = digest_of(policy);
    ChainDocuments {
        approvals: vec![sign(&approved, &key(RUTH)).unwrap()],
        status: Some(sign(&status, &key(ROOT2)).unwrap()),
        ..documents()
    }
}

#[test]
fn production_needs_a_status_that_knows_what_the_runner_knows() {
    let (mut runner, policy) = prod();
    let none = InForce::default().digest();
    let order = on_prod(&policy, none);
    assert_eq!(runner.denies(&order), None);
    assert_eq!(
        runner.denies(&ChainDocuments { status: None, ..order.clone() }),
        Some(Rule::StatusMissing)
    );
    runner.in_force.apply(Negative::Stop(Digest::of(b"s"), StopSubject::Target(t("other"))));
    assert_eq!(runner.denies(&order), Some(Rule::StatusDiffers));
    assert_eq!(runner.denies(&on_prod(&policy, runner.in_force.digest())), None);
    // A stop that comes with the order counts as known.
    let mut elsewhere = stop();
    elsewhere.subject = StopSubject::Target(t("elsewhere"));
    let stops = vec![sign(&elsewhere, &key(RUTH)).unwrap()];
    let order = ChainDocuments { stops, ..on_prod(&policy, runner.in_force.digest()) };
    assert_eq!(runner.denies(&order), Some(Rule::StatusDiffers));

    let (runner, policy) = prod();
    let wrong = |change: fn(&mut Status)| {
        let mut status = status();
        status.policy.digest = digest_of(&policy);
        change(&mut status);
        let order = on_prod(&policy, none);
        let status = Some(sign(&status, &key(ROOT2)).unwrap());
        let facts = runner.facts(&ChainDocuments { status, ..order }).unwrap();
        decide(&facts).unwrap_err().fact
    };
    assert!(wrong(|s| s.keyring.version = 2).contains("names another keyring"));
    assert!(wrong(|s| s.directory.version = 2).contains("names another directory"));
    assert!(wrong(|s| s.policy.version = 2).contains("names another policy"));
    assert!(wrong(|s| s.header.not_after = at(-1)).contains("and it is"));
}

#[test]
fn a_status_is_the_roles_and_short() {
    let (runner, policy) = prod();
    let order = on_prod(&policy, InForce::default().digest());
    let status = Some(sign(&status(), &key(RUTH)).unwrap());
    let refused = runner.refusal(&ChainDocuments { status, ..order });
    assert!(refused.starts_with("the status of the order is refused"), "{refused}");
    let mut long = crate::testing::status();
    long.header.not_after = at(591);
    assert!(sign(&long, &key(ROOT2)).unwrap_err().to_string().contains("more than 600 s"));
}

/// A trust domain in which ruth does everything.
fn alone(prod: bool) -> (Runner, ChainDocuments) {
    fn here<I>(mut header: Header<I>) -> Header<I> {
        header.trust_domain = t("solo/ruth");
        header
    }
    let ruth = key(RUTH);
    let mut keyring = keyring();
    keyring.header = here(keyring.header);
    keyring.roles.iter_mut().for_each(|r| (r.people, r.threshold) = (vec![t("ruth")], 1));
    let keyring_ref = VersionRef { version: 1, digest: digest_of(&keyring) };
    let mut people = directory();
    (people.header, people.keyring) = (here(people.header), keyring_ref);
    people.people[3].groups = vec![t("oncall"), t("reviewers"), t("approvers")];
    let mut targets = policy();
    (targets.header, targets.keyring) = (here(targets.header), keyring_ref);
    targets.targets[0].prod = prod;
    let pinned = Pinned { trust_domain: t("solo/ruth"), keyring: keyring_ref };
    let signed = (sign(&keyring, &ruth), sign(&people, &ruth), sign(&targets, &ruth));
    let (k, d, p) = (signed.0.unwrap(), signed.1.unwrap(), signed.2.unwrap());
    let authority =
        Authority::establish(&k, &[], &d, &p, &pinned, &Seen::default(), now()).unwrap();

    let submission =
        Submission { header: here(header("sub", 4)), author: t("ruth"), ..submission() };
    let review = Review { header: here(header("rev", 5)), reviewer: t("ruth"), ..review() };
    let request =
        AccessRequest { header: here(header("req", 6)), caller: t("ruth"), ..access_request() };
    let approval = Approval {
        header: here(header("apr", 7)),
        request: digest_of(&request),
        reviews: vec![digest_of(&review)],
        keyring: keyring_ref,
        directory: authority.directory_ref(),
        policy: authority.policy_ref(),
        ..approval()
    };
    let run = RunRequest {
        header: here(run_request().header),
        caller: t("ruth"),
        request: Some(digest_of(&request)),
        ..run_request()
    };
    let order = ChainDocuments {
        run_request: sign(&run, &ruth).unwrap(),
        access_request: Some(sign(&request, &ruth).unwrap()),
        approvals: vec![sign(&approval, &ruth).unwrap()],
        submissions: vec![sign(&submission, &ruth).unwrap()],
        reviews: vec![sign(&review, &ruth).unwrap()],
        ..documents()
    };
    (Runner::under(authority), order)
}

#[test]
fn alone_one_person_does_everything_but_production() {
    let (runner, order) = alone(false);
    let facts = runner.facts(&order).unwrap();
    assert!(decide(&facts).unwrap().solo);
    let (runner, order) = alone(true);
    assert_eq!(runner.denies(&order), Some(Rule::SoloProd));
}

#[test]
fn a_look_at_another_emergency_settles_nothing() {
    let mut runner = Runner::new();
    runner.owed = vec![owed(-1)];
    let elsewhere = AfterReview { request: Digest::of(b"another"), ..after_review() };
    let after_reviews = vec![sign(&elsewhere, &key(RUTH)).unwrap()];
    let order = ChainDocuments { after_reviews, ..emergency() };
    assert_eq!(runner.denies(&order), Some(Rule::AfterReviewOverdue));
}
