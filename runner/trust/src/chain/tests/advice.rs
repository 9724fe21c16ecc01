//! What is on file is judged as the runner would judge it, and one bad document spoils nothing.

use super::*;

fn advice<'a>(runner: &'a Runner, documents: &ChainDocuments) -> Advice<'a> {
    let request = documents.access_request.as_ref();
    let wish = Wish {
        run: id("run", 9),
        caller: t("otto"),
        pairs: vec![pair()],
        use_number: u64::from(request.is_some()),
        access_request: request,
    };
    let file = OnFile {
        approvals: &documents.approvals,
        submissions: &documents.submissions,
        reviews: &documents.reviews,
        after_reviews: &documents.after_reviews,
        status: documents.status.as_ref(),
        base: documents.base.as_ref(),
    };
    let local = Local {
        now: now(),
        runner: &runner.name,
        manifest: &runner.manifest,
        bundle: &runner.bundle,
        input: Digest::of(b"{}"),
        in_force: &runner.in_force,
        run_id_spent: false,
        uses_spent: vec![],
        self_serve_runs: runner.runs.clone(),
        owed: &runner.owed,
    };
    advise(&runner.authority, &wish, file, local).unwrap()
}

#[test]
fn advice_is_the_runners_decision() {
    let runner = Runner::new();
    for order in [documents(), self_serve()] {
        let advised = advice(&runner, &order);
        assert!(advised.left_out.is_empty());
        let binding = decide(&runner.facts(&order).unwrap()).unwrap();
        assert_eq!(decide(&advised.facts).unwrap(), binding);
    }
    let mut order = documents();
    order.approvals.clear();
    let advised = decide(&advice(&runner, &order).facts).unwrap_err();
    assert_eq!(advised, decide(&runner.facts(&order).unwrap()).unwrap_err());
}

#[test]
fn what_an_order_must_not_carry_is_left_out_and_named() {
    let runner = Runner::new();
    let mut order = documents();
    order.reviews.push(sign(&review(), &key(99)).unwrap());
    let mut elsewhere = approval();
    elsewhere.request = Digest::of(b"another");
    order.approvals.push(sign(&elsewhere, &key(RUTH)).unwrap());
    order.submissions.push(order.submissions[0].clone());
    order.status = Some(sign(&status(), &key(OTTO)).unwrap());
    let advised = advice(&runner, &order);
    // The review by nobody known is the same text as carol's, and so the same document.
    let said: Vec<String> = advised.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].contains("another access request") && said[1].contains("the status"),
        "{said:?}"
    );
    assert!(decide(&advised.facts).is_ok());
}

#[test]
fn a_rejection_on_file_bars() {
    let runner = Runner::new();
    let mut order = documents();
    order.reviews.push(sign(&rejection(), &key(CAROL)).unwrap());
    let denied = decide(&advice(&runner, &order).facts).unwrap_err();
    assert_eq!(denied.rule, Rule::ReviewRejected);
}
