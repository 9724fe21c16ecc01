//! `borescope plan`: what a script's queries can touch and return, in the words that reviewers will read.
//!
//! Computed here, from the queries' texts and a policy; no target is asked, and no text leaves this machine.
//! With `--ask` somebody who reviews or approves signs that the target's planner may be asked ([`ask`]).

mod ask;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use domain::bundle::MANIFEST_PATH;
use domain::{BundlePath, Digest, Manifest, Pair, PolicyId};
use serde_json::json;
use trust::source::{self, Issue};
use trust::{Policy, VersionRef};

use super::keys::propose::{read, usage};
use super::policy::masking::filters_pass;
use super::review::targets;
use super::{Call, build};
use crate::blast::{self, Blast, Script, words};
use crate::bundle::Bundle;
use crate::exit::{Exit, Failure};
use crate::on::{self, On};
use crate::out::{Style, hang, width};
use crate::project;
use crate::session::{Session, World};
use crate::view::revision;

/// Seconds that a policy would be valid that is only looked at.
const LOOK_S: i64 = 60;
/// The trust domain of such a policy; nothing is signed for it.
const NOWHERE: &str = "nowhere.invalid";

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope plan late-orders                      the script in a folder, as its author keeps it
  borescope plan late-orders --on shop-replica    on this target only
  borescope plan late-orders --policy policy/targets.toml    without any server
  borescope plan late-orders@1.0.0                a revision that was submitted
  borescope plan late-orders@1.0.0 --ask          and what the targets' planners expect of it

Says of each query which tables and columns it reads, what of them is masked, denied or filtered, which rows,
what it returns and how much of it, and all together: what reviewers will be told, from the text itself
and by the gate that the runner uses. Nothing is asked of a target, so what data there is plays no part.
Without --policy it is the signed policy of your context. Without --on it is about all targets that fit.

Ends with code 1 when a target would refuse a query.")]
pub(crate) struct PlanArgs {
    /// The script's folder or a bundle's, or a revision: digest, NAME or NAME@VERSION
    #[arg(value_name = "DIR|REVISION", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    script: String,
    /// Where: TARGET, or LOGICAL=TARGET where the script has several; group:NAME for all of a group;
    /// repeat for more
    #[arg(long = "on", id = "targets", value_name = "[LOGICAL=]TARGET", value_parser = on::parse)]
    targets: Vec<On>,
    /// A policy as people edit it, instead of the one in force
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Also sign a request for what the targets' planners expect of a submitted revision: rows and cost in
    /// powers of ten; for those who review or approve there
    #[arg(long, conflicts_with = "policy")]
    ask: bool,
    /// Sign without asking
    #[arg(long, requires = "ask")]
    yes: bool,
}

/// A script's manifest and files.
struct Read {
    /// Of one that was submitted.
    revision: Option<Digest>,
    manifest: Manifest,
    files: BTreeMap<BundlePath, Vec<u8>>,
}

impl From<Bundle> for Read {
    fn from(bundle: Bundle) -> Self {
        Self { revision: None, manifest: bundle.manifest, files: bundle.files }
    }
}

/// Shows it; whether every query passes is the exit code.
pub(crate) async fn command(call: &Call<'_>, args: PlanArgs) -> anyhow::Result<Exit> {
    let dir = Path::new(&args.script);
    let here = if dir.is_dir() { Some(of_folder(dir)?) } else { None };
    let (read, policy, whose) = match (here, &args.policy) {
        (Some(here), Some(file)) => (here, of_file(file)?, file.display().to_string()),
        (here, file) => {
            let session = call.session().await?;
            let read = match here {
                Some(here) => here,
                None => of_revision(&session, &args.script).await?,
            };
            match file {
                Some(file) => (read, of_file(file)?, file.display().to_string()),
                None => {
                    let authority = session.authority().await?;
                    let version = authority.policy_ref().version;
                    (read, authority.policy().clone(), format!("policy version {version}"))
                }
            }
        }
    };
    let script = Script { manifest: &read.manifest, files: &read.files };
    let pairs = if args.targets.is_empty() {
        targets::sensible(script, &policy, &[])?.pairs
    } else {
        let each = on::each(&policy, &args.targets)?.concat();
        targets::named(script.manifest, &policy, on::pairs(script.manifest, &each)?)?.pairs
    };
    let blast = blast::of(script, &policy, &targets::proposed(script.manifest, &policy, &pairs));
    show(call, script, &pairs, &whose, &blast)?;
    if args.ask {
        let Some(revision) = &read.revision else {
            let help = "submit it, then: borescope plan NAME@VERSION --ask";
            return Err(Failure::usage("only a submitted revision can be asked about", help).into());
        };
        return ask::ask(call, &call.session().await?, revision, &pairs, args.yes).await;
    }
    if blast.passes() {
        return Ok(Exit::Ok);
    }
    call.out.note("what may be read there: borescope schema pull TARGET");
    Ok(Exit::Script)
}

fn show(
    call: &Call<'_>,
    script: Script<'_>,
    pairs: &[Pair],
    whose: &str,
    blast: &Blast,
) -> anyhow::Result<()> {
    let (out, manifest) = (call.out, script.manifest);
    if out.json {
        let pairs: Vec<String> = pairs.iter().map(ToString::to_string).collect();
        out.json(&json!({
            "script": manifest.name, "version": manifest.version, "targets": pairs, "policy": whose,
            "passes": blast.passes(), "blast": blast,
        }))?;
        return Ok(());
    }
    let name = out.style(Style::Bold, &format!("{} {}", manifest.name, manifest.version));
    let pairs: Vec<String> = pairs.iter().map(ToString::to_string).collect();
    out.lines(hang("", &format!("{name} on {}, by {whose}", pairs.join(", ")), width()))?;
    let told = words::of_queries(blast, out);
    out.lines(revision::queries(script, &told, out))?;
    out.line("")?;
    out.lines(words::totals(blast, out))?;
    Ok(())
}

/// A folder as its author keeps it, which needs no component here, or a bundle's.
fn of_folder(dir: &Path) -> anyhow::Result<Read> {
    if !build::is_project(dir) {
        return Ok(Bundle::read(dir)?.into());
    }
    let files = project::read_all(dir, !dir.join("Cargo.toml").exists())?;
    let manifest = files.iter().find(|(path, _)| path.as_str() == MANIFEST_PATH);
    let manifest = manifest.with_context(|| format!("{} has no manifest", dir.display()))?;
    Ok(Read { revision: None, manifest: Manifest::parse(manifest.1)?, files })
}

async fn of_revision(session: &Session, reference: &str) -> anyhow::Result<Read> {
    let Some(revision) = session.known(reference).await? else {
        let help = "give a script's folder, or a revision: borescope scripts";
        let message = format!("\"{reference}\" is no folder here, and no script or revision");
        return Err(Failure::usage(message, help).into());
    };
    let bundle = session.fetch(&revision).await?;
    Ok(Read { revision: Some(bundle.revision), ..bundle.into() })
}

/// A policy's source, of which only the targets matter here.
fn of_file(file: &Path) -> anyhow::Result<Policy> {
    let world = World::real();
    let id = PolicyId::new(&*world.clock, &*world.entropy);
    let header = world.header(&NOWHERE.parse()?, id, LOOK_S);
    let keyring = VersionRef { version: 1, digest: Digest::of(b"") };
    let issue = Issue { header, version: 1, previous: None, keyring };
    let policy = source::policy(&read(file)?, issue).map_err(usage)?;
    filters_pass(&policy).map_err(usage)?;
    Ok(policy)
}
