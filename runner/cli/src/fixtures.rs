//! A script's fixtures: it runs in the real sandbox, with the executor's own limits and connectors, on
//! data that its author wrote, and its output is compared with what was kept.
//!
//! In a bundle, `fixtures/CASE.json` is a case ([`case`]): the input, and the answers of its queries.
//! `fixtures/LOGICAL.sql` is what a SQLite target holds for queries that a case does not answer
//! ([`seed`]). `fixtures/CASE.expected.json` is the output that somebody has looked at ([`expected`]).
//! What is *not* here: a server, a signature, anybody's target. A bundle may come from a stranger, so
//! nothing in it reaches a file or lasts longer than its limits.

mod answers;
mod case;
mod cell;
mod expected;
mod seed;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use domain::bundle::INDEX_PATH;
use domain::{BundlePath, Capabilities, Digest, Pair, QueryName};
use executor::Blobs;
use executor::ports::BlobError;
use executor::queries::{Figures, Queries};
use sandbox::{Cancel, Finished, Linked, LogLine, Plan, Sandbox, SandboxOptions};
use targets::Connector;
use targets::sqlite::SqliteConnector;

use crate::bundle::Bundle;
use crate::exit::Failure;
use crate::session::World;

use answers::FixtureHost;
use case::Case;
pub(crate) use expected::path as expected_path;

/// Where they are in a bundle.
const FOLDER: &str = "fixtures";
/// The run that every case is: a script that shows its run's id has the same output each time.
const RUN: &str = "run_01941f29-7c00-7000-8000-000000000000";

/// What became of all cases of a bundle.
#[derive(Debug)]
pub(crate) struct Report {
    /// One each, in the order of their names.
    pub(crate) cases: Vec<Ran>,
}

/// What became of one case.
#[derive(Debug)]
pub(crate) struct Ran {
    /// `fixtures/NAME.json`.
    pub(crate) name: String,
    /// How its output compares.
    pub(crate) verdict: Verdict,
    /// What else is wrong: queries that failed, calls without an answer, answers without a call.
    pub(crate) problems: Vec<String>,
    /// Its output, as the file beside it would hold it.
    pub(crate) got: String,
    /// How the run ended, with its error.
    pub(crate) ended: String,
    /// Fuel.
    pub(crate) fuel: u64,
    /// Bytes of memory.
    pub(crate) memory: u64,
    /// Calls of the host.
    pub(crate) host_calls: u64,
    /// Milliseconds.
    pub(crate) wall_ms: u64,
    /// What each query gave.
    pub(crate) queries: BTreeMap<QueryName, Figures>,
    /// What it logged.
    pub(crate) log: Vec<LogLine>,
}

/// How an output compares with the kept one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the same.
    Same,
    /// It is not: what is kept.
    Differs(String),
    /// Nothing is kept yet.
    New,
}

impl Ran {
    /// Whether there is nothing to mend.
    pub(crate) fn is_good(&self) -> bool {
        self.verdict == Verdict::Same && self.problems.is_empty()
    }
}

impl Report {
    /// Writes the outputs as the expected ones into the folder whose bundle was run; the paths of those
    /// that changed. A case with another problem is left alone: its output means nothing.
    pub(crate) fn keep(&self, dir: &Path) -> anyhow::Result<Vec<String>> {
        let changed = self.cases.iter().filter(|ran| ran.verdict != Verdict::Same);
        let mut written = Vec::new();
        for ran in changed.filter(|ran| ran.problems.is_empty()) {
            let path = expected::path(&ran.name);
            fs::write(dir.join(&path), &ran.got).with_context(|| format!("cannot write {path}"))?;
            written.push(path);
        }
        Ok(written)
    }
}

/// Runs all cases of a bundle whose bytes were hashed here. No case is no error: the list is empty.
pub(crate) async fn run(bundle: &Bundle) -> anyhow::Result<Report> {
    let cases = case::all(bundle)?;
    if cases.is_empty() {
        return Ok(Report { cases: Vec::new() });
    }
    let checked = executor::bundle::Bundle::load(&Files::of(bundle), &bundle.revision).await?;
    let stage = Stage::set(bundle, Arc::new(checked)).await?;
    let mut report = Report { cases: Vec::new() };
    for case in cases {
        report.cases.push(stage.play(bundle, case).await?);
    }
    Ok(report)
}

/// What all cases of a bundle share.
struct Stage {
    sandbox: Sandbox,
    linked: Linked,
    bundle: Arc<executor::bundle::Bundle>,
    effective: Capabilities,
    connectors: BTreeMap<Pair, Arc<dyn Connector>>,
    /// Holds the seeded databases.
    _folder: tempfile::TempDir,
}

impl Stage {
    /// Compiles the component and seeds the targets.
    async fn set(files: &Bundle, bundle: Arc<executor::bundle::Bundle>) -> anyhow::Result<Self> {
        let pairs: Vec<Pair> =
            bundle.manifest.targets.keys().map(pair_of).collect::<Result<_, _>>()?;
        let effective = bundle.manifest.asks(&pairs);
        let folder = tempfile::Builder::new().prefix("borescope-test-").tempdir()?;
        let mut connectors: BTreeMap<Pair, Arc<dyn Connector>> = BTreeMap::new();
        for seed in seed::all(files)? {
            let spec = seed.sow(folder.path())?;
            connectors.insert(pair_of(&seed.logical)?, Arc::new(SqliteConnector::new(spec)));
        }
        let mut mac_key = [0; 32];
        World::real().entropy.fill(&mut mac_key);
        let sandbox = Sandbox::new(SandboxOptions {
            artifact_dir: None,
            mac_key,
            concurrent_runs_max: 1,
            concurrent_compiles_max: 1,
            compile_ms_max: 60_000,
        })?;
        let refused = |e: sandbox::Refusal| {
            let problem = crate::exit::chain(&e.into());
            Failure::usage(
                format!("component.wasm is refused: {problem}"),
                "the server refuses it with the same words; correct the script and build it again",
            )
        };
        let admitted = sandbox.admit(Arc::clone(&bundle.component)).await.map_err(refused)?;
        let linked = sandbox.link(&admitted, &effective).map_err(refused)?;
        Ok(Self { sandbox, linked, bundle, effective, connectors, _folder: folder })
    }

    /// Runs one case and compares.
    async fn play(&self, files: &Bundle, case: Case) -> anyhow::Result<Ran> {
        self.bundle.check_input(&case.input).map_err(|problem| {
            Failure::usage(
                format!("{FOLDER}/{}.json: input: {problem}", case.name),
                "correct \"input\" there, or input.schema.json",
            )
        })?;
        let plan = Plan {
            run: RUN.parse()?,
            revision: self.bundle.revision,
            manifest: Arc::clone(&self.bundle.manifest),
            effective: self.effective.clone(),
            input: case.input.clone(),
            started_at_ms: case.started_at_ms,
            seed: [0; 32],
        };
        let queries =
            Queries::new(Arc::clone(&self.bundle), self.connectors.clone(), self.effective.clone());
        let mut host = FixtureHost::new(
            &case,
            queries,
            self.connectors.keys().map(|pair| pair.target.clone()).collect(),
        );
        let finished = self.sandbox.run(&self.linked, plan, &mut host, &Cancel::new()).await;
        let (queries, problems) = host.finish();
        let got = expected::render(&finished);
        let kept = files.text(&expected::path(&case.name));
        Ok(Ran {
            verdict: expected::compare(kept.as_deref(), &got),
            name: case.name,
            problems,
            got,
            ended: ended(&finished),
            fuel: finished.fuel_used,
            memory: finished.memory_peak,
            host_calls: finished.host_calls,
            wall_ms: finished.wall_ms,
            queries,
            log: finished.log,
        })
    }
}

/// A logical target is bound to one of its own name, which no policy has.
pub(crate) fn pair_of(logical: &domain::LogicalTarget) -> Result<Pair, domain::ParseError> {
    Ok(Pair { logical: logical.clone(), target: logical.as_str().parse()? })
}

fn ended(finished: &Finished) -> String {
    match &finished.error {
        None => finished.outcome.code().to_owned(),
        Some(error) => format!("{}: {}", finished.outcome.code(), error.message),
    }
}

/// A bundle's files as the executor asks for them: by digest.
struct Files(BTreeMap<Digest, Vec<u8>>);

impl Files {
    fn of(bundle: &Bundle) -> Self {
        let index = bundle.index.to_bytes();
        let all = bundle.files.values().chain(std::iter::once(&index));
        Self(all.map(|bytes| (Digest::of(bytes), bytes.clone())).collect())
    }
}

#[async_trait]
impl Blobs for Files {
    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, BlobError> {
        Ok(self.0.get(digest).cloned())
    }
}

/// The files directly in the folder whose names end so, without that ending.
fn named<'b>(bundle: &'b Bundle, ending: &str) -> Vec<(&'b BundlePath, &'b str, &'b [u8])> {
    let stem = |path: &'b BundlePath| {
        let name = path.as_str().strip_prefix(FOLDER)?.strip_prefix('/')?;
        name.strip_suffix(ending).filter(|stem| !stem.contains('/'))
    };
    let files = bundle.files.iter().filter(|(path, _)| path.as_str() != INDEX_PATH);
    files.filter_map(|(path, bytes)| Some((path, stem(path)?, bytes.as_slice()))).collect()
}

#[cfg(test)]
mod tests;
