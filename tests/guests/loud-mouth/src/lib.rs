//! Writes escape sequences, reordering and invisible characters into every string that reaches a
//! person: names, columns and cells of tables, artifacts, progress, log, stdout, stderr, and the
//! result, or the error when the input says `"fail": true`.

mod corpus;

use borescope::{Error, Result, artifact, log, progress, table};
use corpus::CORPUS;
use serde::Deserialize;

#[derive(Deserialize)]
struct Input {
    fail: bool,
}

#[borescope::script]
fn run(input: Input) -> Result<Vec<String>> {
    for (percent, trick) in (0..=100).zip(CORPUS) {
        progress(percent, trick);
        log::debug(trick);
        log::info(trick);
        log::warn(trick);
        log::error(trick);
        println!("{trick}");
        eprintln!("{trick}");
        table(trick)
            .column(trick)
            .column("plain")
            .row([*trick, "plain"])
            .emit()?;
        artifact(trick, trick, trick.as_bytes());
    }
    if input.fail {
        return Err(Error::script(CORPUS.join("\n")));
    }
    Ok(CORPUS.iter().map(|trick| (*trick).to_owned()).collect())
}
