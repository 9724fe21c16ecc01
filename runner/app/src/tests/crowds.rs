//! What one person does must not hide, block or outlive what others did.

use std::sync::Arc;

use domain::decide::{StopSubject, Verdict};
use domain::{Digest, Outcome, RunState};
use ledger::{Entry, Event};
use store::{Document, DocumentKind, Reference};
use trust::{AccessRequest, Approval, Envelope, Review, read_unverified};

use super::login::{answer, is_refused};
use super::team::{INPUT, ORIGIN, Team, bundle, person, scope, signed, t, upload, who};
use crate::{App, AppError};

/// More rows than any list has, all like `of` but for what `change` does to each; newer than anything
/// that is filed before the next start.
async fn crowd(app: &App, of: &Document, change: impl Fn(&mut Document)) {
    let (mut tx, _) = app.store.project().await.unwrap();
    tx.entry(app.ledger.size() + 1_000_000);
    for n in 0..u64::from(store::LIST_ROWS_MAX) + 1 {
        let digest = Digest::of(&n.to_be_bytes());
        let id = format!("{}_019ab000-0000-7000-8000-{n:012x}", &of.id[..3]);
        let mut row = Document { id, digest, ..of.clone() };
        change(&mut row);
        tx.insert_document(&row).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn outcome(app: &Arc<App>, ordered: &[u8]) -> Outcome {
    let run = app.launch(&who("otto"), ordered, Some(INPUT)).await.unwrap();
    let run = app.wait(&who("otto"), &run.id, 60).await.unwrap().run;
    let RunState::Ended { outcome } = run.state else { panic!("{run:?}") };
    outcome
}

fn verdict_of(team: &Team, name: &str, revision: Digest, verdict: Verdict) -> Vec<u8> {
    let carols = Envelope::from_json(&team.review(revision, scope())).unwrap();
    let doc: Review = read_unverified(&carols).unwrap();
    signed(&Review { reviewer: t(name), verdict, ..doc }, name)
}

fn approval_of(team: &Team, name: &str, request: &AccessRequest, reviews: Vec<Digest>) -> Approval {
    let ruths = Envelope::from_json(&team.approval(request, reviews)).unwrap();
    Approval { approver: t(name), ..read_unverified(&ruths).unwrap() }
}

#[tokio::test]
async fn a_revision_that_ran_a_thousand_times_still_shows_who_submitted_and_reviewed_it() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let said = app.revision(&request.revision).await.unwrap().documents;
    assert_eq!(said.len(), 2);
    let of = Document {
        kind: DocumentKind::RunRequest,
        person: Some(person("carol")),
        request: None,
        ..said[0].clone()
    };
    crowd(&app, &of, |_| {}).await;
    assert_eq!(app.revision(&request.revision).await.unwrap().documents, said);
    assert!(app.inbox(&who("carol")).await.unwrap().to_review.is_empty(), "she has reviewed it");
}

#[tokio::test]
async fn a_thousand_reviews_of_one_person_leave_room_for_the_one_that_counts() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let said = app.revision(&request.revision).await.unwrap().documents;
    let carols = said.iter().find(|d| d.kind == DocumentKind::Review).unwrap().clone();
    let of = Document { person: Some(person("anna")), ..carols.clone() };
    let flood = |row: &mut Document| {
        row.envelope = b"erased".to_vec();
        // The newest, and more of them than an order carries.
        if u64::from_str_radix(&row.id[row.id.len() - 12..], 16).unwrap() > 900 {
            let envelope = verdict_of(&team, "anna", request.revision, Verdict::Reject);
            row.digest = Envelope::from_json(&envelope).unwrap().payload_digest();
            row.envelope = envelope;
        }
    };
    crowd(&app, &of, flood).await;
    let seen = app.revision(&request.revision).await.unwrap().documents;
    assert!(seen.contains(&carols), "people see it");
    let status = app.access_request(&request.header.id).await.unwrap();
    assert_eq!(status.missing, None, "advice counts it");
    let ordered = signed(&team.run_request(&request, 1), "otto");
    assert_eq!(outcome(&app, &ordered).await, Outcome::Succeeded, "the runner gets it");
}

#[tokio::test]
async fn the_oldest_of_a_thousand_stops_still_bans() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    for subject in [StopSubject::Person(person("otto")), StopSubject::Target(t("shop"))] {
        app.stop(&who("ruth"), &team.stop(subject)).await.unwrap();
    }
    let of = app.said_against(0).await.unwrap().documents[1].clone();
    crowd(&app, &of, |_| {}).await;
    is_refused(&app.login(&answer(&app, "otto", "otto", ORIGIN).await).await);
}

#[tokio::test]
async fn a_stop_of_a_person_ends_the_sessions_of_the_services_that_the_person_answers_for() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let opened = app.login(&answer(&app, "bot", "bot", ORIGIN).await).await.unwrap();
    app.stop(&who("ruth"), &team.stop(StopSubject::Person(person("carol")))).await.unwrap();
    is_refused(&app.session(&opened.token).await);
    is_refused(&app.login(&answer(&app, "bot", "bot", ORIGIN).await).await);
}

#[tokio::test]
async fn a_run_request_whose_id_is_taken_hides_its_run_from_nobody() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let first = team.run_request(&request, 1);
    let mut second = team.run_request(&request, 2);
    second.header.id = first.header.id.clone();
    for ordered in [&first, &second] {
        assert_eq!(outcome(&app, &signed(ordered, "otto")).await, Outcome::Succeeded);
    }
    app.result(&who("rita"), &second.run).await.expect("rita reads what ran on her target");
    assert_eq!(app.runs(&who("rita")).await.unwrap().len(), 2);
    let status = app.access_request(&request.header.id).await.unwrap();
    assert_eq!(status.uses_spent, [1, 2]);
    let digest = Digest::of(&trust::payload(&second).unwrap());
    app.document(&who("rita"), &Reference::Digest(digest)).await.unwrap();
    team.close(app).await;
    team.open().await.expect("the rows are explained by their entries");
}

#[tokio::test]
async fn an_approval_that_relies_on_versions_from_the_future_is_not_filed() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let said = app.revision(&request.revision).await.unwrap().documents;
    let review = said.iter().find(|d| d.kind == DocumentKind::Review).unwrap().digest;
    let mut ahead = approval_of(&team, "ruth", &request, vec![review]);
    ahead.policy.version = 2;
    let refused = app.approve(&who("ruth"), &signed(&ahead, "ruth")).await;
    assert!(matches!(&refused, Err(AppError::Document { .. })), "{refused:?}");
    let ordered = signed(&team.run_request(&request, 1), "otto");
    assert_eq!(outcome(&app, &ordered).await, Outcome::Succeeded, "otto's request stays usable");
}

#[tokio::test]
async fn a_stopped_service_blocks_nobody_by_what_it_said() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let envelope = verdict_of(&team, "bot", request.revision, Verdict::Approve);
    let refused = app.review(&who("bot"), &envelope).await;
    assert!(matches!(&refused, Err(AppError::Forbidden { .. })), "{refused:?}");
    // On file all the same, as by a version that took it.
    let read = Envelope::from_json(&envelope).unwrap();
    let review: Review = read_unverified(&read).unwrap();
    let (id, document) = (review.header.id, read.payload_digest());
    let event = Event::ReviewAccepted { id, document };
    app.ledger.append_durable(Entry::new(event, envelope)).await.unwrap();
    app.project().await.unwrap();
    app.stop(&who("ruth"), &team.stop(StopSubject::Person(person("bot")))).await.unwrap();
    let ordered = signed(&team.run_request(&request, 1), "otto");
    assert_eq!(outcome(&app, &ordered).await, Outcome::Succeeded);
}

#[tokio::test]
async fn approving_ones_own_requests_makes_no_room_for_more() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let revision = upload(&app, &bundle("a")).await.unwrap().revision;
    app.submit(&who("anna"), &team.submission(revision)).await.unwrap();
    let review = app.review(&who("carol"), &team.review(revision, scope())).await.unwrap().digest;
    let max = crate::QuotaLimits::DEFAULT.pending_requests_max;
    for _ in 0..max {
        let request = team.access_request(revision, 1);
        app.request_access(&who("otto"), &signed(&request, "otto")).await.unwrap();
        let approval = approval_of(&team, "otto", &request, vec![review]);
        let refused = app.approve(&who("otto"), &signed(&approval, "otto")).await;
        assert!(matches!(&refused, Err(AppError::Forbidden { .. })), "{refused:?}");
    }
    let request = signed(&team.access_request(revision, 1), "otto");
    let refused = app.request_access(&who("otto"), &request).await;
    assert!(matches!(&refused, Err(AppError::Quota { .. })), "{refused:?}");
}

#[tokio::test]
async fn many_requests_at_once_are_no_more_than_many_one_by_one() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let revision = upload(&app, &bundle("a")).await.unwrap().revision;
    app.submit(&who("anna"), &team.submission(revision)).await.unwrap();
    let max = crate::QuotaLimits::DEFAULT.pending_requests_max;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..max + 20 {
        let (app, request) = (Arc::clone(&app), team.access_request(revision, 1));
        let request = signed(&request, "otto");
        calls.spawn(async move { app.request_access(&who("otto"), &request).await });
    }
    let answers = calls.join_all().await;
    let refused = |a: &&Result<_, AppError>| matches!(a, Err(AppError::Quota { .. }));
    assert_eq!(answers.iter().filter(refused).count(), 20);
}
