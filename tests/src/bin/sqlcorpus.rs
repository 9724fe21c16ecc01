//! `sqlcorpus FILE`: judges a corpus of SQL statements and prints each wrong verdict; the last line
//! counts. The exit code is 1 when something is wrong, 2 when the file cannot be read.

use std::io::{self, Write as _};
use std::process::ExitCode;

use tests::sql_corpus::{Corpus, judge};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let corpus = match read() {
        Ok(corpus) => corpus,
        Err(problem) => {
            // Nobody is left to tell when standard error is gone.
            let _ = writeln!(io::stderr(), "error: {problem}");
            return ExitCode::from(2);
        }
    };
    let report = judge(&corpus).await;
    let mut out = io::stdout().lock();
    let told = report.wrong.iter().try_for_each(|line| writeln!(out, "{line}"));
    let told = told.and_then(|()| writeln!(out, "{}", report.summary()));
    match told {
        Ok(()) if report.wrong.is_empty() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn read() -> Result<Corpus, String> {
    let file = std::env::args_os().nth(1).ok_or("usage: sqlcorpus FILE")?;
    let place = file.display();
    let text =
        std::fs::read_to_string(&file).map_err(|e| format!("{place} cannot be read: {e}"))?;
    serde_json::from_str(&text).map_err(|e| format!("{place} is no corpus of SQL statements: {e}"))
}
