//! Stops, rejections and their ends as they come with an order.

use super::*;

fn by(n: u8, doc: &impl Document) -> crate::Envelope {
    sign(doc, &key(n)).unwrap()
}

fn lifted(doc: &Lift) -> crate::Envelope {
    sign_all(doc, &[&key(RUTH), &key(ROOT2)]).unwrap()
}

#[test]
fn a_stop_holds_until_the_role_lifts_it() {
    let mut order = documents();
    order.stops = vec![by(RUTH, &stop())];
    let runner = Runner::new();
    assert_eq!(runner.denies(&order), Some(Rule::Stopped));
    order.lifts = vec![lifted(&lift())];
    assert_eq!(runner.denies(&order), None);
    // One of two holders, with two keys, is one person.
    order.lifts = vec![sign_all(&lift(), &[&key(RUTH), &key(14)]).unwrap()];
    assert!(runner.refusal(&order).contains("1 of 2 people of the role `lift`"));
    order.lifts = vec![lifted(&Lift { lifts: Digest::of(b"another"), ..lift() })];
    assert_eq!(runner.denies(&order), Some(Rule::Stopped), "a lift is for one stop");
}

#[test]
fn who_is_stopped_lifts_nothing() {
    let subjects =
        [StopSubject::Key(key(ROOT2).fingerprint().to_string()), StopSubject::Person(t("rosa"))];
    for subject in subjects {
        let runner = Runner::stopped(subject);
        let order = ChainDocuments {
            lifts: vec![lifted(&Lift { lifts: Digest::of(b"a stop"), ..lift() })],
            ..documents()
        };
        let said = runner.refusal(&order);
        assert!(
            said.starts_with("lift 1 of the order is refused") && said.contains("stopped"),
            "{said}"
        );
    }
}

#[test]
fn a_known_stop_is_not_verified_again() {
    let mut runner = Runner::new();
    let stop = stop();
    runner.in_force.apply(Negative::Stop(digest_of(&stop), stop.subject.clone()));
    // Ruth has lost the role since; carol's signature would refuse the order.
    let order = ChainDocuments { stops: vec![by(CAROL, &stop)], ..documents() };
    assert_eq!(runner.denies(&order), Some(Rule::Stopped));
    assert!(Runner::new().refusal(&order).contains("stop 1 of the order is refused"));
}

#[test]
fn a_rejection_bars_until_its_reviewer_withdraws_it() {
    let runner = Runner::new();
    let mut order = documents();
    order.reviews.push(by(CAROL, &rejection()));
    let chain = runner.chain(&order).unwrap();
    assert_eq!(decide(&chain.facts).unwrap_err().rule, Rule::ReviewRejected);
    assert!(matches!(&chain.rejections[..], [(1, Negative::Rejection(d, _))]
        if *d == digest_of(&rejection())));
    order.withdrawals = vec![by(CAROL, &withdrawal())];
    assert_eq!(runner.denies(&order), None);
    // Somebody else's withdrawal of it ends nothing.
    let by_ruth = Withdrawal { reviewer: t("ruth"), ..withdrawal() };
    order.withdrawals = vec![by(RUTH, &by_ruth)];
    assert_eq!(runner.denies(&order), Some(Rule::ReviewRejected));
    order.withdrawals = vec![by(RUTH, &withdrawal())];
    assert!(runner.refusal(&order).contains("it names carol, and ruth signed it"));
    order.withdrawals = vec![];
    order.lifts = vec![lifted(&Lift { lifts: digest_of(&rejection()), ..lift() })];
    assert_eq!(runner.denies(&order), None);
}

#[test]
fn a_rejection_that_the_runner_knows_need_not_be_carried() {
    let mut runner = Runner::new();
    let rejected = crate::Rejection::of(&rejection()).unwrap();
    runner.in_force.apply(Negative::Rejection(digest_of(&rejection()), rejected));
    assert_eq!(runner.denies(&documents()), Some(Rule::ReviewRejected));
    let order = ChainDocuments { withdrawals: vec![by(CAROL, &withdrawal())], ..documents() };
    assert_eq!(runner.denies(&order), None);
    runner.in_force.apply(Negative::Stop(Digest::of(b"s"), StopSubject::Person(t("carol"))));
    assert!(runner.refusal(&order).contains("carol, who signed it, is stopped"));
}

#[test]
fn what_comes_against_runs_is_said_without_the_rest() {
    let mut order = documents();
    order.stops = vec![by(RUTH, &stop())];
    order.reviews.clear();
    order.approvals = vec![order.run_request.clone()];
    let said = negatives(&authority(), &order, &InForce::default()).unwrap();
    assert_eq!(said.len(), 1);
    assert_eq!(*said[0].envelope, order.stops[0]);
}
