//! The fuzz targets, for a moment: the saved corpus, the bytes of a real run, and a few thousand
//! mutations of both with a fixed seed. What is found here is a fault; finding more is `tests/fuzz`.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use tests::fuzz::mutate::Mutator;
use tests::fuzz::seeds::{Run, folder, saved};
use tests::fuzz::{TARGETS, Target};
use tests::rig::Rig;

/// Bytes of an input that a failure shows.
const SHOWN_BYTES: usize = 4_096;

fn attack(target: &Target, input: &[u8]) {
    let survived = catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_ok();
    let shown: String = input.iter().take(SHOWN_BYTES).map(|b| format!("{b:02x}")).collect();
    let folder = folder(target.name);
    assert!(survived, "save these {} bytes in {}: {shown}", input.len(), folder.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_parser_of_foreign_bytes_panics() {
    let rig = Rig::new().await;
    let run = Run::of(&rig).await;
    for (seed, target) in (1..).zip(TARGETS) {
        let corpus = [run.seeds(target.name), saved(target.name)].concat();
        corpus.iter().for_each(|input| attack(target, input));
        let mut mutator = Mutator::new(seed);
        for _ in 0..target.budget {
            attack(target, &mutator.mutate(&corpus));
        }
    }
    rig.close().await;
}

#[test]
fn every_target_has_a_folder_and_a_file_and_neither_is_left_over() {
    let names: BTreeSet<String> = TARGETS.iter().map(|t| t.name.to_owned()).collect();
    let listed = |folder: &str| -> BTreeSet<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder);
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().replace('_', "-")).collect()
    };
    assert_eq!(listed("corpus"), names);
    assert_eq!(listed("fuzz_targets"), names);
}
