//! What is put on file and what is not, and what people are told.

use domain::Digest;

use super::team::{Team, bundle, component, scope, signed, t, upload, who};
use crate::requests::RequestState;
use crate::{AppError, chain};

#[tokio::test]
async fn the_same_document_twice_is_on_file_once() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let revision = upload(&app, &bundle("a")).await.unwrap().revision;
    let submission = team.submission(revision);
    let first = app.submit(&who("anna"), &submission).await.unwrap();
    let size = app.ledger.size();
    assert_eq!(app.submit(&who("anna"), &submission).await.unwrap(), first);
    assert_eq!(app.ledger.size(), size, "nothing was recorded twice");
    let kept = app.document(&who("otto"), &first.id.parse().unwrap()).await.unwrap();
    assert_eq!(kept.envelope, submission, "the bytes that came are the bytes that are kept");
}

#[tokio::test]
async fn nobody_files_what_another_person_signed() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let revision = upload(&app, &bundle("a")).await.unwrap().revision;
    let error = app.submit(&who("carol"), &team.submission(revision)).await.unwrap_err();
    assert!(matches!(error, AppError::Forbidden { .. }), "{error}");
    assert!(app.scripts().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_version_belongs_to_its_first_revision() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let first = upload(&app, &bundle("a")).await.unwrap().revision;
    // Both were uploaded before either was submitted.
    let second = upload(&app, &bundle("b")).await.unwrap().revision;
    app.submit(&who("anna"), &team.submission(first)).await.unwrap();
    for error in [
        app.submit(&who("anna"), &team.submission(second)).await.unwrap_err(),
        upload(&app, &bundle("b")).await.unwrap_err(),
    ] {
        let AppError::Conflict { existing, .. } = error else { panic!("{error}") };
        assert_eq!(existing, first);
    }
    app.submit(&who("anna"), &team.submission(first)).await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_not_what_its_list_says_is_refused_by_name() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let mut changed = bundle("a");
    changed.insert("component.wasm".to_owned(), component("b"));
    let mut stranger = bundle("a");
    stranger.insert("run.sh".to_owned(), b"rm".to_vec());
    let mut unlisted = bundle("a");
    unlisted.insert("readme.md".to_owned(), b"hello".to_vec());
    let mut broken = bundle("a");
    broken.remove("component.wasm");
    for (files, said) in [
        (changed, "component.wasm"),
        (stranger, "run.sh"),
        (unlisted, "readme.md"),
        (broken, "component.wasm"),
    ] {
        let error = upload(&app, &files).await.unwrap_err();
        assert!(chain(&error).contains(said), "{}", chain(&error));
    }
    // A core module where a component should be: consistent list, refused content.
    let mut module = bundle("a");
    module.insert("component.wasm".to_owned(), b"\0asm\x01\0\0\0".to_vec());
    module.remove("bundle.sha256");
    let digests = module.iter().map(|(p, b)| (t(p), Digest::of(b))).collect();
    let index = domain::BundleIndex::new(digests).unwrap().to_bytes();
    module.insert("bundle.sha256".to_owned(), index);
    let error = upload(&app, &module).await.unwrap_err();
    assert!(matches!(error, AppError::Component(_)), "{error}");
}

#[tokio::test]
async fn files_that_went_around_the_upload_are_not_submitted() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    // Each file comes in as an input; no upload ever saw them together.
    for bytes in bundle("a").values().filter(|b| !b.starts_with(b"\0asm")) {
        app.input(&who("anna"), bytes).await.unwrap();
    }
    let revision = Digest::of(&bundle("a")["bundle.sha256"]);
    let error = app.submit(&who("anna"), &team.submission(revision)).await.unwrap_err();
    assert!(error.to_string().contains("has not been uploaded"), "{error}");
}

#[tokio::test]
async fn documents_about_what_is_not_there_or_too_wide_are_refused() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let unknown = Digest::of(b"unknown");
    let error = app.review(&who("carol"), &team.review(unknown, scope())).await.unwrap_err();
    assert!(error.to_string().contains("has not been submitted"), "{error}");
    let revision = upload(&app, &bundle("a")).await.unwrap().revision;
    app.submit(&who("anna"), &team.submission(revision)).await.unwrap();
    let mut wide = scope();
    wide.limits.fuel_max += 1;
    let error = app.review(&who("carol"), &team.review(revision, wide)).await.unwrap_err();
    assert!(error.to_string().contains("wider than"), "{error}");
    let request = team.access_request(revision, 1);
    let approval = team.approval(&request, vec![unknown]);
    let error = app.approve(&who("ruth"), &approval).await.unwrap_err();
    assert!(error.to_string().contains("no access request on file"), "{error}");
}

#[tokio::test]
async fn an_access_request_says_what_it_waits_for_until_it_is_open() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let revision = upload(&app, &bundle("a")).await.unwrap().revision;
    app.submit(&who("anna"), &team.submission(revision)).await.unwrap();
    let request = team.access_request(revision, 1);
    app.request_access(&who("otto"), &signed(&request, "otto")).await.unwrap();
    let id = &request.header.id;
    let rule = |status: &crate::RequestStatus| status.missing.as_ref().map(|d| d.rule.code());

    let status = app.access_request(id).await.unwrap();
    assert_eq!((status.state, rule(&status)), (RequestState::Pending, Some("review-missing")));
    assert_eq!(app.inbox(&who("carol")).await.unwrap().to_review.len(), 1);

    let review = app.review(&who("carol"), &team.review(revision, scope())).await.unwrap();
    let status = app.access_request(id).await.unwrap();
    assert_eq!((status.state, rule(&status)), (RequestState::Pending, Some("approval-missing")));
    assert!(app.inbox(&who("carol")).await.unwrap().to_review.is_empty());
    assert_eq!(app.inbox(&who("ruth")).await.unwrap().to_approve.len(), 1);

    let approval = team.approval(&request, vec![review.digest]);
    app.approve(&who("ruth"), &approval).await.unwrap();
    let status = app.access_request(id).await.unwrap();
    assert_eq!((status.state, status.missing), (RequestState::Approved, None));
    assert!(app.inbox(&who("ruth")).await.unwrap().to_approve.is_empty());

    team.advance_s(3601);
    let status = app.access_request(id).await.unwrap();
    assert_eq!(status.state, RequestState::Expired, "whatever else is missing by now");
}
