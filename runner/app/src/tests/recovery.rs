//! The ledger is the truth: what is made again from it, and when service is refused.

use domain::{Digest, Outcome, RunState};
use store::{Document, DocumentKind, Filter};

use super::team::{INPUT, Team, copy, signed, who};
use crate::{AppError, OpenError, chain};

#[tokio::test]
async fn a_store_that_is_lost_is_made_again_from_the_ledger() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let ordered = signed(&team.run_request(&request, 1), "otto");
    let run = app.launch(&who("otto"), &ordered, Some(INPUT)).await.unwrap().id;
    let before = app.wait(&who("otto"), &run, 60).await.unwrap().run;
    assert_eq!(before.state, RunState::Ended { outcome: Outcome::Succeeded }, "{before:?}");
    let documents = app.store.documents(&Filter::default()).await.unwrap();
    let scripts = app.scripts().await.unwrap();
    let result = app.result(&who("otto"), &run).await.unwrap();
    team.close(app).await;

    for file in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        drop(std::fs::remove_file(team.path(file)));
    }
    let app = team.open().await.unwrap();
    assert_eq!(app.store.documents(&Filter::default()).await.unwrap(), documents);
    assert_eq!(app.scripts().await.unwrap(), scripts);
    let after = app.wait(&who("otto"), &run, 0).await.unwrap().run;
    assert_eq!(after.state, before.state);
    assert_eq!(
        (after.receipt, after.recording, after.result),
        (before.receipt, before.recording, before.result)
    );
    assert_eq!(app.result(&who("otto"), &run).await.unwrap(), result);
    let evidence = app.evidence(&who("otto"), &run).await.unwrap();
    evidence.verify(None).unwrap_or_else(|e| panic!("{}", chain(&e)));
    let status = app.access_request(&request.header.id).await.unwrap();
    assert_eq!(status.uses_spent, [1], "the use stays spent");
}

#[tokio::test]
async fn a_restart_finds_everything_and_projects_nothing_twice() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let documents = app.store.documents(&Filter::default()).await.unwrap();
    team.close(app).await;
    let app = team.open().await.unwrap();
    assert_eq!(app.store.documents(&Filter::default()).await.unwrap(), documents);
    app.access_request(&request.header.id).await.unwrap();
    app.ready().await.unwrap();
}

#[tokio::test]
async fn a_ledger_restored_from_a_backup_is_refused() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    team.close(app).await;
    copy(&team.path("ledger"), &team.path("backup"));
    let app = team.open().await.unwrap();
    team.approved(&app).await;
    team.close(app).await;
    std::fs::remove_dir_all(team.path("ledger")).unwrap();
    copy(&team.path("backup"), &team.path("ledger"));
    let Err(behind) = team.open().await else { panic!("served from a ledger that forgot") };
    assert!(matches!(behind, OpenError::Store(_)), "{}", chain(&behind));
    // Growing past the anchor does not help: the history is another one.
    for _ in 0..12 {
        drop(team.ledger());
    }
    let Err(other) = team.open().await else { panic!("served from another history") };
    assert!(matches!(other, OpenError::Anchor(_)), "{}", chain(&other));
}

#[tokio::test]
async fn a_row_that_no_entry_explains_refuses_service() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let next = app.ledger.size();
    team.close(app).await;
    let store = team.store().await;
    let (mut tx, _) = store.project().await.unwrap();
    tx.entry(next);
    let forged = Document {
        kind: DocumentKind::Approval,
        id: "apr_019ab000-0000-7000-8000-000000000001".to_owned(),
        digest: Digest::of(b"forged"),
        envelope: b"{}".to_vec(),
        revision: None,
        request: None,
        person: None,
        created_ms: 0,
    };
    tx.insert_document(&forged).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    // The forged row names an entry that exists by now, and that is about something else.
    drop(team.ledger());
    let Err(error) = team.open().await else { panic!("served a row that nobody filed") };
    let OpenError::Corrupt { digest, index, .. } = error else { panic!("{}", chain(&error)) };
    assert_eq!((digest, index), (forged.digest, next));
}

#[tokio::test]
async fn a_run_that_waited_when_the_server_died_is_closed_as_lost() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let ordered = team.run_request(&request, 1);
    let digest = Digest::of(&trust::payload(&ordered).unwrap());
    let row = crate::project_runs::queued(&ordered, digest, Some(request.header.id.clone()), 1);
    // The row is there, and the process dies before the runner has the order.
    let mut tx = app.store.begin().await.unwrap();
    tx.insert_run(&row).await.unwrap();
    tx.commit().await.unwrap();
    team.close(app).await;
    let app = team.open().await.unwrap();
    let run = app.wait(&who("otto"), &ordered.run, 0).await.unwrap().run;
    assert_eq!(run.state, RunState::Ended { outcome: Outcome::Lost });
    let status = app.access_request(&request.header.id).await.unwrap();
    assert!(status.uses_spent.is_empty(), "nothing ran, so no use is spent");
}

#[tokio::test]
async fn a_full_disk_turns_readiness_red_and_leaves_only_reading() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    app.ready().await.unwrap();
    team.fill_disk(true);
    // The first write finds out; from then on nobody has to try.
    let stop = team.stop(domain::decide::StopSubject::Everything);
    let refused = |e: AppError| matches!(e, AppError::ReadOnly(_));
    assert!(refused(app.stop(&who("ruth"), &stop).await.unwrap_err()));
    assert!(refused(app.ready().await.unwrap_err()), "readiness is red");
    let ordered = signed(&team.run_request(&request, 1), "otto");
    assert!(refused(app.launch(&who("otto"), &ordered, Some(INPUT)).await.unwrap_err()));
    let filed = signed(&team.access_request(request.revision, 1), "otto");
    let why = app.request_access(&who("otto"), &filed).await.unwrap_err();
    assert!(why.to_string().contains("no space left"), "{why}");

    assert!(!app.scripts().await.unwrap().is_empty(), "reads go on");
    app.access_request(&request.header.id).await.unwrap();
    team.fill_disk(false);
    assert!(refused(app.ready().await.unwrap_err()), "not before a restart");
    team.close(app).await;
    let app = team.open().await.unwrap();
    app.ready().await.unwrap();
}
