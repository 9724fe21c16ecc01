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

fn silent(how: How, acts: bool) -> ClientError {
    Silence { origin: "http://127.0.0.1:7777".to_owned(), how, acts }.into()
}

#[test]
fn whoever_gets_no_answer_reads_whether_anything_ran() {
    let cut = || How::Cut("connection reset".to_owned());
    for (how, acts, said) in [
        (How::Refused, true, "nothing ran"),
        (How::NoSuchHost, true, "nothing ran"),
        (How::NotConnected, false, "nothing ran"),
        (How::NotHttp, true, "nothing ran"),
        (How::Unreachable("no route".to_owned()), true, "nothing ran"),
        (cut(), true, "is not known"),
        (How::Late, true, "is not known"),
        (cut(), false, "try again"),
        (How::Late, false, "try again"),
    ] {
        let verdict = verdict(&silent(how.clone(), acts).into());
        assert_eq!((verdict.exit, verdict.code.as_str()), (5, "unreachable"), "{how:?}");
        assert!(verdict.help.as_ref().unwrap().contains(said), "{how:?}: {verdict:?}");
        assert!(!verdict.error.contains("error sending request"), "{verdict:?}");
    }
}

#[test]
fn an_order_that_may_have_arrived_is_found_by_its_runs_id() {
    let run: RunId = "run_0198f0c0-0000-7000-8000-000000000000".parse().unwrap();
    let help = |accepted, error| verdict(&about_run(&run, accepted, error)).help.unwrap();
    let show = format!("borescope run --resume {run}");
    let sent = help(false, silent(How::Late, true));
    assert!(sent.contains("is not known") && sent.contains(&show), "{sent}");
    let never = help(false, silent(How::Refused, true));
    assert!(never.contains("nothing ran") && !never.contains(&show), "{never}");
    let accepted = help(true, silent(How::Refused, false));
    assert!(accepted.contains("goes on") && accepted.contains(&show), "{accepted}");
    let failed = help(false, Box::new(Problem::new(Code::Internal, "it failed", "tell")).into());
    assert!(failed.contains(&show), "{failed}");
}

#[test]
fn help_has_the_figures_that_it_speaks_of() {
    let mut problem = Problem::new(Code::QuotaExceeded, "used up", "wait").retry_after(90);
    problem.instance = Some("4711".to_owned());
    let told = verdict(&ClientError::from(Box::new(problem)).into());
    assert_eq!(told.help.as_deref(), Some("wait (try again in 1m30s)"));
    let mut problem = Problem::new(Code::Internal, "it failed", "tell the request's id");
    problem.instance = Some("4711".to_owned());
    let told = verdict(&ClientError::from(Box::new(problem)).into());
    assert_eq!(told.help.as_deref(), Some("tell the request's id: 4711"));
}
