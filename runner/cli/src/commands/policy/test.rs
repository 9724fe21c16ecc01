//! `borescope policy test`: does the policy decide as somebody wrote down that it must?

use std::path::{Path, PathBuf};

use clap::Args;
use domain::PolicyId;
use serde_json::json;
use trust::imagine::Ground;
use trust::imagine::expected::{self, Outcome, PolicyTest};
use trust::source;

use crate::commands::Call;
use crate::commands::keys::propose::{header, issue, read, usage};
use crate::exit::Exit;
use crate::out::Style;

/// Seconds that a policy would be valid that is only looked at.
const LOOK_S: u64 = 60;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope policy test policy/tests.toml
  borescope policy test policy/tests.toml --in-force

  [[test]]
  name = \"nobody runs what they approved themselves\"
  target = \"shop-replica\"
  authors = [\"alice\"]
  reviewers = [\"bob\"]
  caller = \"alice\"
  approvers = [\"alice\"]
  expect = \"approval-missing\"

Plays each run with the function by which the runner decides: everything is in time, within its limits
and not stopped, so that only people and policy matter. `expect` is \"allowed\" or the code of the rule
that says no. Also: reviewed_before (who approved a revision that differs in its component only),
break_glass, self_serve. The targets.toml beside the file is looked at, or with --in-force what counts
now; people and keyring are those in force. Ends with code 3 when something comes out otherwise.")]
pub(crate) struct TestArgs {
    /// The expectations
    #[arg(default_value = "policy/tests.toml")]
    file: PathBuf,
    /// Look at the policy in force, not at the targets.toml beside the file
    #[arg(long)]
    in_force: bool,
}

pub(super) async fn command(call: &Call<'_>, args: TestArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let authority = session.authority().await?;
    let beside = args.file.with_file_name("targets.toml");
    let ground = Ground::of(&authority);
    let passed = if args.in_force || !beside.exists() {
        call.out.note(format!("the policy in force, version {}", authority.policy().version));
        all_pass(call, &args.file, &ground)?
    } else {
        call.out.note(format!("the policy of {}", beside.display()));
        let issue = issue(
            header(&session, PolicyId::new, LOOK_S),
            authority.policy_ref(),
            authority.keyring_ref(),
        );
        let policy = source::policy(&read(&beside)?, issue).map_err(|e| usage(e.into()))?;
        all_pass(call, &args.file, &Ground { policy: &policy, ..ground })?
    };
    Ok(if passed { Exit::Ok } else { Exit::Denied })
}

/// Plays every expectation of a file and shows how they come out.
pub(super) fn all_pass(call: &Call<'_>, file: &Path, ground: &Ground<'_>) -> anyhow::Result<bool> {
    let tests = expected::parse(&read(file)?).map_err(|e| usage(e.into()))?;
    let mut failed = 0;
    for test in &tests {
        let outcome = test.play(ground);
        failed += usize::from(!outcome.passed);
        show(call, test, &outcome)?;
    }
    if !call.out.json {
        let count = tests.len();
        call.out.note(format!("{} of {count} come out as expected", count - failed));
    }
    Ok(failed == 0)
}

fn show(call: &Call<'_>, test: &PolicyTest, outcome: &Outcome) -> anyhow::Result<()> {
    let out = call.out;
    let got = match &outcome.got {
        Ok(()) => "allowed",
        Err(denial) => denial.rule.code(),
    };
    if out.json {
        return Ok(out.json(&json!({
            "test": test.name, "passed": outcome.passed, "expect": test.expect, "got": got,
            "steps": outcome.steps,
        }))?);
    }
    if outcome.passed {
        return Ok(out.field(&format!("{} ", out.style(Style::Good, "✓")), &test.name)?);
    }
    out.field(&format!("{} ", out.style(Style::Bad, "✗")), &test.name)?;
    out.line(format!("  expected {}, got {got}", test.expect))?;
    for step in &outcome.steps {
        let mark = if step.satisfied { "✓" } else { "✗" };
        out.field(&format!("    {mark} {}: ", step.rule.code()), &step.fact)?;
        if let Some(help) = &step.help {
            out.field("      help: ", help)?;
        }
    }
    Ok(())
}
