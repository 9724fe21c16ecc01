//! Launching, and who may see what came of it.

use domain::{Digest, Outcome, RunState};
use store::Run;

use super::team::{INPUT, Team, bundle, scope, signed, t, upload, who};
use crate::requests::RequestState;
use crate::{App, AppError, Readers, chain};

fn is_not_there<T: std::fmt::Debug>(result: &Result<T, AppError>) {
    assert!(matches!(result, Err(AppError::NotFound(_))), "{result:?}");
}

#[tokio::test]
async fn a_run_is_read_by_its_caller_and_the_targets_readers_and_others_learn_whom_to_ask() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let ordered = team.run_request(&request, 1);
    let run = app.launch(&who("otto"), &signed(&ordered, "otto"), Some(INPUT)).await.unwrap();
    let run = app.wait(&who("otto"), &run.id, 60).await.unwrap().run;
    assert_eq!(run.state, RunState::Ended { outcome: Outcome::Succeeded }, "{run:?}");
    let receipt = run.receipt.clone().unwrap();
    for person in ["otto", "rita"] {
        let result = app.result(&who(person), &run.id).await.unwrap();
        assert_eq!(Some(Digest::of(&result)), run.result);
        assert!(String::from_utf8(result).unwrap().contains("answer"));
        app.recording(&who(person), &run.id).await.unwrap();
        app.document(&who(person), &receipt.as_str().parse().unwrap()).await.unwrap();
        assert_eq!(app.runs(&who(person)).await.unwrap().len(), 1);
    }
    for person in ["anna", "carol", "ruth"] {
        let status = app.wait(&who(person), &run.id, 0).await.unwrap();
        assert!(!status.may_read);
        let outline = Run { denial: None, recording: None, result: None, ..run.clone() };
        assert_eq!(status.run, outline, "nothing by which somebody could try what it read");
        let groups = vec![t("readers")];
        assert_eq!(status.readers, [Readers { target: t("shop"), groups }]);
        is_not_there(&app.result(&who(person), &run.id).await);
        is_not_there(&app.recording(&who(person), &run.id).await);
        is_not_there(&app.feed(&who(person), &run.id, 0).await.map(drop));
        is_not_there(&app.receipt(&who(person), &run.id).await);
        is_not_there(&app.document(&who(person), &receipt.as_str().parse().unwrap()).await);
        is_not_there(
            &app.document(&who(person), &run.run_request.to_string().parse().unwrap()).await,
        );
        assert!(app.runs(&who(person)).await.unwrap().is_empty());
    }
    is_not_there(&app.cancel(&who("anna"), &run.id).await);
    app.cancel(&who("ruth"), &run.id).await.expect("ruth holds the role `stop`");
}

#[tokio::test]
async fn the_evidence_of_a_run_verifies_and_its_use_is_spent() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let run = succeed(&team, &app, &request, 1).await;
    let evidence = app.evidence(&who("otto"), &run).await.unwrap();
    let verified = evidence.verify(None).unwrap_or_else(|e| panic!("{}", chain(&e)));
    verified.check_output(&app.result(&who("otto"), &run).await.unwrap()).unwrap();
    verified.check_recording(&app.recording(&who("otto"), &run).await.unwrap()).unwrap();
    let status = app.access_request(&request.header.id).await.unwrap();
    assert_eq!((status.state, &status.uses_spent[..]), (RequestState::Approved, &[1][..]));
    succeed(&team, &app, &request, 2).await;
    let status = app.access_request(&request.header.id).await.unwrap();
    assert_eq!(status.state, RequestState::UsedUp);
}

async fn succeed(
    team: &Team,
    app: &std::sync::Arc<App>,
    request: &trust::AccessRequest,
    n: u64,
) -> domain::RunId {
    let ordered = signed(&team.run_request(request, n), "otto");
    let run = app.launch(&who("otto"), &ordered, Some(INPUT)).await.unwrap();
    let run = app.wait(&who("otto"), &run.id, 60).await.unwrap().run;
    assert_eq!(run.state, RunState::Ended { outcome: Outcome::Succeeded }, "{run:?}");
    run.id
}

#[tokio::test]
async fn a_run_request_sent_twice_is_one_run_and_its_id_cannot_be_taken() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let ordered = team.run_request(&request, 1);
    let envelope = signed(&ordered, "otto");
    let otto = who("otto");
    let (a, b) = tokio::join!(
        app.launch(&otto, &envelope, Some(INPUT)),
        app.launch(&otto, &envelope, Some(INPUT))
    );
    // Whichever came second meets the first in the queue or in the store.
    let accepted = [a, b].into_iter().filter_map(Result::ok).next().unwrap();
    let run = app.wait(&otto, &accepted.id, 60).await.unwrap().run;
    assert_eq!(run.state, RunState::Ended { outcome: Outcome::Succeeded });
    assert_eq!(app.launch(&otto, &envelope, Some(INPUT)).await.unwrap(), run);
    let mut other = team.run_request(&request, 2);
    other.run = ordered.run;
    let error = app.launch(&otto, &signed(&other, "otto"), Some(INPUT)).await.unwrap_err();
    assert!(matches!(error, AppError::Conflict { .. }), "{error}");
}

#[tokio::test]
async fn a_denial_is_the_runners_and_is_kept_with_the_run() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let revision = upload(&app, &bundle("a")).await.unwrap().revision;
    app.submit(&who("anna"), &team.submission(revision)).await.unwrap();
    let request = team.access_request(revision, 1);
    app.request_access(&who("otto"), &signed(&request, "otto")).await.unwrap();
    let ordered = signed(&team.run_request(&request, 1), "otto");
    let run = app.launch(&who("otto"), &ordered, Some(INPUT)).await.unwrap();
    let run = app.wait(&who("otto"), &run.id, 60).await.unwrap().run;
    assert_eq!(run.state, RunState::Ended { outcome: Outcome::Denied });
    assert_eq!(run.denial.unwrap().rule.code(), "review-missing");
    is_not_there(&app.result(&who("otto"), &run.id).await);
    // A review makes the same request runnable; nothing was spent.
    let review = app.review(&who("carol"), &team.review(revision, scope())).await.unwrap();
    app.approve(&who("ruth"), &team.approval(&request, vec![review.digest])).await.unwrap();
    succeed(&team, &app, &request, 1).await;
}

#[tokio::test]
async fn what_cannot_become_a_run_is_refused_before() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let envelope = signed(&team.run_request(&request, 1), "otto");
    let error = app.launch(&who("anna"), &envelope, Some(INPUT)).await.unwrap_err();
    assert!(matches!(error, AppError::Forbidden { .. }), "{error}");
    let error = app.launch(&who("otto"), &envelope, Some(b"{ }")).await.unwrap_err();
    assert!(matches!(error, AppError::BadRequest(_)), "{error}");
    let error = app.launch(&who("otto"), &envelope, None).await.unwrap_err();
    assert!(matches!(error, AppError::BadRequest(_)), "the input is not there: {error}");
    assert!(app.runs(&who("otto")).await.unwrap().is_empty());
}
