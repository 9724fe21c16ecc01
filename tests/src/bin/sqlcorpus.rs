//! `sqlcorpus [--live] FILE`: judges a corpus of SQL statements and prints each wrong verdict; the last
//! line counts. The exit code is 1 when something is wrong, 2 when the file cannot be read or the servers
//! of `--live` do not start.

use std::io::{self, Write as _};
use std::process::ExitCode;

use tests::sql_corpus::{Corpus, Servers, judge, postgres_grant};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (corpus, servers) = match read() {
        Ok(read) => read,
        Err(problem) => {
            // Nobody is left to tell when standard error is gone.
            let _ = writeln!(io::stderr(), "error: {problem}");
            return ExitCode::from(2);
        }
    };
    let report = judge(&corpus, servers.as_ref()).await;
    // They say nothing when they stop; the last line is ours.
    drop(servers);
    let mut out = io::stdout().lock();
    let told = report.wrong.iter().try_for_each(|line| writeln!(out, "{line}"));
    let told = told.and_then(|()| writeln!(out, "{}", report.summary()));
    match told {
        Ok(()) if report.wrong.is_empty() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn read() -> Result<(Corpus, Option<Servers>), String> {
    let (live, files): (Vec<_>, Vec<_>) = std::env::args_os().skip(1).partition(|a| a == "--live");
    let [file] = &*files else { return Err("usage: sqlcorpus [--live] FILE".to_owned()) };
    let place = file.display();
    let text = std::fs::read_to_string(file).map_err(|e| format!("{place} cannot be read: {e}"))?;
    let corpus = serde_json::from_str(&text)
        .map_err(|e| format!("{place} is no corpus of SQL statements: {e}"))?;
    let servers = match live.is_empty() {
        true => None,
        false => Some(Servers::start(&postgres_grant()).map_err(|e| e.to_string())?),
    };
    Ok((corpus, servers))
}
