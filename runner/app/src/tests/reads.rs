//! Whoever reads what a run left is in the log before a byte has left; what cannot be recorded is not
//! served.

use domain::{Outcome, RunId, RunState};
use store::{AuditFilter, AuditRow};

use super::team::{INPUT, Team, signed, who};
use crate::{App, AppError, READ_REPEATED_MS};

async fn ran(team: &Team, app: &std::sync::Arc<App>) -> RunId {
    let request = team.approved(app).await;
    let ordered = signed(&team.run_request(&request, 1), "otto");
    let run = app.launch(&who("otto"), &ordered, Some(INPUT)).await.unwrap();
    let run = app.wait(&who("otto"), &run.id, 60).await.unwrap().run;
    assert_eq!(run.state, RunState::Ended { outcome: Outcome::Succeeded }, "{run:?}");
    run.id
}

/// Who is on file to have read what, the first one first.
async fn on_file(app: &App, run: &RunId) -> Vec<(String, String)> {
    let about = AuditFilter {
        kind: Some("run-read".to_owned()),
        subject: Some(run.to_string()),
        ..AuditFilter::default()
    };
    let told = |e: AuditRow| (e.person.unwrap().to_string(), e.subjects.last().unwrap().clone());
    let page = app.audit(&who("rita"), &about, 50).await.unwrap();
    page.events.into_iter().rev().map(told).collect()
}

fn read(person: &str, what: &str) -> (String, String) {
    (person.to_owned(), what.to_owned())
}

#[tokio::test]
async fn every_reader_of_a_result_is_in_the_log_and_stays_there_when_the_store_is_lost() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let run = ran(&team, &app).await;
    assert_eq!(on_file(&app, &run).await, [], "to look where a run is, is no reading");
    app.result(&who("otto"), &run).await.unwrap();
    app.result(&who("rita"), &run).await.unwrap();
    app.recording(&who("rita"), &run).await.unwrap();
    drop(app.feed(&who("otto"), &run, 0).await.unwrap());
    drop(app.feed(&who("rita"), &run, 0).await.unwrap());
    let read = [
        read("otto", "result"),
        read("rita", "result"),
        read("rita", "recording"),
        read("rita", "progress"),
    ];
    assert_eq!(on_file(&app, &run).await, read, "what the caller is told live has its own entries");
    // Who may not read leaves nothing, so that nobody fills the log with attempts.
    assert!(app.result(&who("anna"), &run).await.is_err());
    assert_eq!(on_file(&app, &run).await, read);
    team.close(app).await;

    for file in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        drop(std::fs::remove_file(team.path(file)));
    }
    let app = team.open().await.unwrap();
    assert_eq!(on_file(&app, &run).await, read);
}

#[tokio::test]
async fn asking_again_and_again_is_one_reading_for_ten_minutes() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let run = ran(&team, &app).await;
    let entries = app.ledger.size();
    for _ in 0..20 {
        app.result(&who("rita"), &run).await.unwrap();
    }
    assert_eq!(app.ledger.size(), entries + 1);
    team.advance_s(READ_REPEATED_MS / 1000 - 1);
    app.result(&who("rita"), &run).await.unwrap();
    assert_eq!(app.ledger.size(), entries + 1);
    team.advance_s(1);
    app.result(&who("rita"), &run).await.unwrap();
    assert_eq!(app.ledger.size(), entries + 2, "a later reading is another one");
}

#[tokio::test]
async fn a_full_journal_serves_no_result_to_anybody() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let run = ran(&team, &app).await;
    team.fill_disk(true);
    for person in ["otto", "rita"] {
        let result = app.result(&who(person), &run).await;
        assert!(matches!(&result, Err(AppError::ReadOnly(_))), "{result:?}");
        let recording = app.recording(&who(person), &run).await;
        assert!(matches!(&recording, Err(AppError::ReadOnly(_))));
    }
    let feed = app.feed(&who("rita"), &run, 0).await.map(drop);
    assert!(matches!(&feed, Err(AppError::ReadOnly(_))), "{feed:?}");
    // Where it is, and that there is a receipt, is not what it read.
    let status = app.wait(&who("rita"), &run, 0).await.unwrap();
    assert!(status.may_read && status.run.receipt.is_some());
    app.receipt(&who("rita"), &run).await.unwrap();
}
