//! Who may do what: every operation of the API, tried over HTTP by everybody, with keys in every state.
//!
//! The table is a golden file to be read line by line. An operation without rows fails, and so does a
//! row of an operation that is gone: the operations come from the description that is served. To add
//! one, add its few lines to [`operations`]; what needs a story about a run is in [`runs`].

mod operations;
mod rows;
mod runs;
mod stage;
mod table;

use std::collections::BTreeSet;

use serde_json::Value;

use rows::{COLUMNS, Cell, Operation};
use stage::Stage;
use table::{Section, render};

/// Every operation that is served: method in capitals and path.
fn served() -> BTreeSet<String> {
    let description: Value = serde_json::from_str(&server::openapi_json()).unwrap();
    let paths = description["paths"].as_object().unwrap().iter();
    let of_path = |(path, item): (&String, &Value)| {
        let methods: Vec<String> = item.as_object().unwrap().keys().cloned().collect();
        let path = path.clone();
        methods.into_iter().map(move |m| format!("{} {path}", m.to_uppercase()))
    };
    paths.flat_map(of_path).collect()
}

/// Every column of one row, one after the other.
async fn row(stage: &Stage, trial: &rows::Trial) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(COLUMNS.len());
    for (_, person) in COLUMNS {
        cells.push(trial(stage, person).await);
    }
    cells
}

async fn section(stage: &Stage, operation: &Operation) -> Section {
    let mut section = Section::new(operation.name);
    for tried in &operation.rows {
        section.add(&tried.about, &tried.how, row(stage, &tried.trial).await);
    }
    section
}

/// The first row of every operation once more, each person by person after that person was stopped.
async fn after_stops(stage: &Stage, operations: &[Operation]) -> Section {
    let mut cells = vec![Vec::new(); operations.len()];
    for (_, person) in COLUMNS {
        stage.stops(person).await;
        for (operation, row) in operations.iter().zip(&mut cells) {
            row.push((operation.rows[0].trial)(stage, person).await);
        }
    }
    let mut section = Section::new("ANY OPERATION after a stop of the person");
    for (operation, cells) in operations.iter().zip(cells) {
        section.add("", operation.name, cells);
    }
    section
}

#[test]
fn every_operation_has_rows_and_every_row_an_operation() {
    let tried: BTreeSet<String> = operations::all().iter().map(|o| o.name.to_owned()).collect();
    let missing: Vec<String> = served().difference(&tried).cloned().collect();
    assert_eq!(missing, [] as [String; 0], "add rows for these to tests/it/matrix/operations.rs");
    let gone: Vec<String> = tried.difference(&served()).cloned().collect();
    assert_eq!(gone, [] as [String; 0], "not served; remove from tests/it/matrix/operations.rs");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_do_what_the_table_says_and_nothing_else() {
    let stage = Stage::set().await;
    let operations = operations::all();
    let mut sections = Vec::new();
    for operation in &operations {
        sections.push(section(&stage, operation).await);
    }
    stage.tells_no_difference().await;
    sections.push(after_stops(&stage, &operations).await);
    // `UPDATE_EXPECT=1 cargo test --workspace --test it matrix` writes it anew; review every line.
    expect_test::expect_file!["snapshots/matrix.txt"].assert_eq(&render(&sections));
    let failed: Vec<String> = sections.iter().flat_map(Section::failures).collect();
    assert_eq!(failed, [] as [String; 0], "the server failed");
    stage.town.served.close().await;
}
