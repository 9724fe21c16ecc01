//! The demo must not pass when a step came out for another reason than meant.

use super::*;
use crate::exit::Failure;

fn refusal(code: &str) -> anyhow::Result<Got> {
    Ok(Got::Refused(Refusal { code: code.to_owned(), reason: "because".to_owned(), help: None }))
}

#[test]
fn a_demo_in_which_an_attack_goes_through_fails() {
    let mut report = Report::new(Out::plain());
    report.refused("attack", "stopped", refusal("stopped")).unwrap();
    assert_eq!(report.close().unwrap(), Exit::Ok);
    report.refused("attack", "stopped", Ok(Got::Through("it ran".to_owned()))).unwrap();
    assert_ne!(report.close().unwrap(), Exit::Ok);
}

#[test]
fn a_refusal_for_another_reason_does_not_count_as_the_one_that_was_meant() {
    let mut report = Report::new(Out::plain());
    report.refused("attack", "stopped", refusal("grant-expired")).unwrap();
    assert_ne!(report.close().unwrap(), Exit::Ok);
}

#[test]
fn a_step_of_the_story_that_fails_ends_the_demo_with_its_cause() {
    let mut report = Report::new(Out::plain());
    let failed: anyhow::Result<()> = Err(Failure::usage("no server", "start it").into());
    let error = report.ok("log in", failed, |()| String::new()).unwrap_err();
    assert!(error.to_string().contains("log in"), "{error}");
    assert_ne!(report.close().unwrap(), Exit::Ok);
}

#[test]
fn digests_are_cut_only_where_people_look() {
    let digest = format!("is sha256:{} here", "ab".repeat(32));
    assert_eq!(shown(&digest), "is sha256:abababababab… here");
    assert_eq!(shown("sha256:short é"), "sha256:short é");
}
