//! Writes what every fuzz target starts from: `fuzzseeds DIR` makes a folder for each in DIR, with the
//! saved inputs and the bytes of one real run.
//!
//! The fuzzers add to what is there, so DIR is not `tests/fuzz/corpus`.

use std::path::PathBuf;

use tests::fuzz::TARGETS;
use tests::fuzz::seeds::{Run, saved};
use tests::rig::Rig;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let dir = std::env::args_os().nth(1).map(PathBuf::from);
    let Some(dir) = dir else { panic!("usage: fuzzseeds DIR") };
    let rig = Rig::new().await;
    let run = Run::of(&rig).await;
    for target in TARGETS {
        let folder = dir.join(target.name);
        std::fs::create_dir_all(&folder)?;
        for (number, seed) in
            [run.seeds(target.name), saved(target.name)].concat().iter().enumerate()
        {
            std::fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    rig.close().await;
    Ok(())
}
