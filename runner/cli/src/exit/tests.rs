//! Programs rely on exit codes.

use anyhow::Context as _;
use api::Problem;
use domain::Rule;

use super::*;

fn refused(code: Code) -> anyhow::Error {
    let problem = Problem::new(code, "the detail", "the help");
    anyhow::Error::new(ClientError::from(Box::new(problem)))
}

#[test]
fn a_refusal_of_the_server_keeps_its_code_and_its_help() {
    let error = refused(Rule::ReviewMissing.into()).context("cannot run");
    let verdict = verdict(&error);
    assert_eq!(verdict.exit, 3);
    assert_eq!(verdict.code, "review-missing");
    assert_eq!(verdict.error, "cannot run: the detail");
    assert_eq!(verdict.help.as_deref(), Some("the help"));
}

#[test]
fn scripts_can_tell_refusal_mistake_and_outage_apart() {
    for (code, exit) in [
        (Code::Forbidden, 3),
        (Code::BundleInvalid, 2),
        (Code::EvidenceInvalid, 7),
        (Code::ReadOnly, 5),
    ] {
        assert_eq!(verdict(&refused(code)).exit, exit, "{code}");
    }
}

#[test]
fn a_cause_is_printed_once() {
    let inner: Result<(), _> = Err(anyhow::anyhow!("disk full"));
    let error = inner.context("cannot write: disk full").unwrap_err();
    assert_eq!(chain(&error), "cannot write: disk full");
}

#[test]
fn a_usage_failure_exits_with_two() {
    let error = Failure::usage("no context", "log in").into();
    assert_eq!(verdict(&error).exit, 2);
}

#[test]
fn a_denial_found_by_this_client_reads_as_the_runners() {
    let denial = Denial::new(Rule::ReviewMissing, "0 of 1 reviews count", "ask for one");
    let verdict = verdict(&denial.into());
    assert_eq!((verdict.exit, verdict.code.as_str()), (3, "review-missing"));
    assert_eq!(verdict.error, "0 of 1 reviews count");
}
