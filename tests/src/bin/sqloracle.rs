//! `sqloracle [SEED [COUNT]]`: statements that nobody wrote, through PostgreSQL's gate and then read by a
//! scratch server. Prints whatever resolves outside the grant; the last line counts. The exit code is 1
//! when there is any, 2 when the server does not start.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use tests::sql_corpus::{Servers, postgres_grant};
use tests::sql_oracle::{Oracle, Report};

/// Statements of a run.
const COUNT: u64 = 10_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match judge(&args).await {
        Ok((seed, report)) => {
            let Report { made, sent, read, outside } = &report;
            let mut out = io::stdout().lock();
            let told = outside.iter().try_for_each(|line| writeln!(out, "{line}"));
            let summary = format!(
                "{made} statements, {sent} sent, {read} read by the server, {} outside the grant, \
                 seed {seed}",
                outside.len()
            );
            match told.and_then(|()| writeln!(out, "{summary}")) {
                Ok(()) if outside.is_empty() => ExitCode::SUCCESS,
                _ => ExitCode::FAILURE,
            }
        }
        Err(problem) => {
            // Nobody is left to tell when standard error is gone.
            let _ = writeln!(io::stderr(), "error: {problem}");
            ExitCode::from(2)
        }
    }
}

async fn judge(args: &[String]) -> Result<(u64, Report), String> {
    let usage = "usage: sqloracle [SEED [COUNT]]";
    let number = |at: usize| args.get(at).map(|n| n.parse::<u64>()).transpose();
    let (seed, count) = (number(0).map_err(|_| usage)?, number(1).map_err(|_| usage)?);
    #[expect(clippy::disallowed_methods, reason = "a seed that nobody chose; it is printed")]
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (seed, count) = (seed.unwrap_or_else(clock), count.unwrap_or(COUNT));
    let servers = Servers::start(&postgres_grant()).map_err(|e| e.to_string())?;
    let oracle = Oracle::ask(&servers, postgres_grant()).await.map_err(|e| e.to_string())?;
    let report = oracle.judge(seed, count).await.map_err(|e| e.to_string())?;
    Ok((seed, report))
}
