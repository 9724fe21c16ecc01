//! `borescope verify`: check evidence or a journal offline. Nothing is asked of any server.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use executor::evidence;
use ledger::{Standing, TrustFile};
use serde_json::json;

use super::Call;
use super::audit::export;
use crate::exit::{Exit, Failure, chain};
use crate::out::{Out, Style};
use crate::view::{number, receipt};

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope verify result/evidence.json --trust trust.toml
  borescope verify result/evidence.json --output result/output.json \\
      --recording result/recording.rec --trust trust.toml
  borescope verify data/runner/ledger --trust trust.toml     a whole journal
  borescope verify inc-1234 --trust trust.toml     what `borescope audit export --out` wrote

Ends with code 7 when anything does not hold, and also without --trust: then the files are at most
self-consistent, and anybody could have made them.")]
pub(crate) struct VerifyArgs {
    /// Evidence files, folders with a journal, or exported folders
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Trust file: the keyring and logs that you believe
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Also check that this is the recording of the (one) evidence
    #[arg(long, value_name = "FILE")]
    recording: Option<PathBuf>,
    /// Also check that this is the output of the (one) evidence
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Verifies each file; the worst result decides the exit code.
pub(crate) fn command(call: &Call<'_>, args: &VerifyArgs) -> anyhow::Result<Exit> {
    let extra = args.recording.is_some() || args.output.is_some();
    if extra && (args.files.len() != 1 || args.files[0].is_dir()) {
        let help = "give exactly one evidence file with --recording or --output";
        return Err(Failure::usage("which evidence they belong to is not clear", help).into());
    }
    let trust = args.trust.as_deref().map(trust_file).transpose()?;
    let mut exit = Exit::Ok;
    let exported = |path: &PathBuf| match export::evidence_in(path) {
        files if files.is_empty() => vec![path.clone()],
        files => files,
    };
    for path in &args.files.iter().flat_map(exported).collect::<Vec<_>>() {
        let standing = if path.is_dir() {
            journal(call.out, path, trust.as_ref())?
        } else {
            run(call.out, path, trust.as_ref(), args)?
        };
        if standing == Standing::SelfConsistent {
            exit = Exit::Evidence;
        }
    }
    if trust.is_none() {
        call.out
            .note("help: --trust FILE says whom you believe; without it nothing is authenticated");
    }
    Ok(exit)
}

fn trust_file(path: &Path) -> anyhow::Result<TrustFile> {
    let place = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::usage(format!("{place} cannot be read: {e}"), "give a trust file"))?;
    Ok(TrustFile::parse(&text).map_err(|e| {
        Failure::usage(format!("{place}: {}", chain(&e.into())), "correct the trust file")
    })?)
}

fn invalid(path: &Path, error: &anyhow::Error) -> Failure {
    Failure::evidence(
        format!("{} does not hold: {}", path.display(), chain(error)),
        "do not rely on it; get the evidence again, and ask who changed it",
    )
}

fn run(
    out: Out,
    path: &Path,
    trust: Option<&TrustFile>,
    args: &VerifyArgs,
) -> anyhow::Result<Standing> {
    let read = |p: &Path| std::fs::read(p).with_context(|| format!("cannot read {}", p.display()));
    let verified = evidence::parse(&read(path)?)
        .and_then(|e| e.verify(trust))
        .map_err(|e| invalid(path, &e.into()))?;
    let mut checked = vec!["receipt", "log"];
    if let Some(file) = &args.output {
        verified.check_output(&read(file)?).map_err(|e| invalid(file, &e.into()))?;
        checked.push("output");
    }
    if let Some(file) = &args.recording {
        verified.check_recording(&read(file)?).map_err(|e| invalid(file, &e.into()))?;
        checked.push("recording");
    }
    if out.json {
        let standing = verified.standing.to_string();
        out.json(&json!({ "file": path, "standing": standing, "checked": checked, "receipt": verified.receipt }))?;
    } else {
        out.lines(receipt::summary(&verified, out))?;
        out.line(format!("  checked  {}: {}", checked.join(", "), stand(out, &verified.standing)))?;
    }
    Ok(verified.standing)
}

fn journal(out: Out, path: &Path, trust: Option<&TrustFile>) -> anyhow::Result<Standing> {
    let report = ledger::verify_journal(path, trust).map_err(|e| invalid(path, &e.into()))?;
    if out.json {
        out.json(&json!({
            "file": path, "standing": report.standing.to_string(), "log": report.log,
            "entries": report.entries, "erased": report.erased, "runs": report.runs,
            "runs_open": report.runs_open, "covered": report.covered, "root": report.root,
        }))?;
    } else {
        out.line(format!("journal of {}", report.log))?;
        out.line(format!(
            "  entries  {}, {} covered by the checkpoint",
            number(report.entries),
            number(report.covered)
        ))?;
        out.line(format!(
            "  runs     {}, {} not ended",
            number(report.runs),
            number(report.runs_open)
        ))?;
        out.line(format!("  root     {}", report.root))?;
        out.line(format!(
            "  checked  every entry from the first: {}",
            stand(out, &report.standing)
        ))?;
    }
    Ok(report.standing)
}

fn stand(out: Out, standing: &Standing) -> String {
    let style = match standing {
        Standing::Authenticated { .. } => Style::Good,
        Standing::SelfConsistent => Style::Warn,
    };
    out.style(style, &standing.to_string())
}
