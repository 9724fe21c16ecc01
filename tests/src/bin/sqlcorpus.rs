//! `sqlcorpus FILE`: judges a corpus of SQL statements and prints each wrong verdict; the last line
//! counts. The exit code is 1 when something is wrong, 2 when the file cannot be read.

use std::process::ExitCode;

use tests::sql_corpus::{Corpus, judge};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(file) = std::env::args_os().nth(1) else {
        eprintln!("usage: sqlcorpus FILE");
        return ExitCode::from(2);
    };
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("error: {} cannot be read: {error}", file.display());
            return ExitCode::from(2);
        }
    };
    let corpus: Corpus = match serde_json::from_str(&text) {
        Ok(corpus) => corpus,
        Err(error) => {
            eprintln!("error: {} is no corpus of SQL statements: {error}", file.display());
            return ExitCode::from(2);
        }
    };
    let report = judge(&corpus).await;
    for line in &report.wrong {
        println!("{line}");
    }
    println!("{}", report.summary());
    if report.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
