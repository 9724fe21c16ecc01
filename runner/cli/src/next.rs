//! The command that helps on after a denial, by the rule that failed. The rules' own words say what
//! would help; they are pure and know no commands.

use domain::{Denial, Rule};
use serde_json::json;

use crate::exit::Exit;
use crate::out::{Out, Style};

/// What a no begins with.
const DENIED: &str = "denied:";

/// What to do next; `None` where only people can help, in words that the denial has.
pub(crate) const fn command(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::Stopped => Some("borescope stops"),
        Rule::RunRequestExpired | Rule::RunIdSpent | Rule::SelfServeSpent => {
            Some("borescope run --help")
        }
        Rule::Targets | Rule::BundleInvalid | Rule::ComponentRefused => {
            Some("borescope show REVISION")
        }
        Rule::SubmissionMissing => Some("borescope submit DIR"),
        Rule::ReviewRejected => Some("borescope show REVISION, then borescope withdraw REVIEW"),
        Rule::ReviewMissing | Rule::SelfServeNotReviewed => {
            Some("borescope review REVISION --target TARGET --approve")
        }
        Rule::SelfServeNotAllowed
        | Rule::RequestMissing
        | Rule::RequestMismatch
        | Rule::InputNotApproved
        | Rule::InputInvalid
        | Rule::BreakGlassNotAllowed
        | Rule::BreakGlassTooWide
        | Rule::GrantExpired
        | Rule::UseSpent
        | Rule::DocumentInvalid => Some("borescope request SCRIPT --on TARGET --reason TEXT"),
        Rule::AfterReviewOverdue => Some("borescope after-review REQUEST"),
        Rule::ApprovalMissing => Some("borescope approve REQUEST"),
        Rule::GrantNotYet => Some("borescope show REQUEST"),
        Rule::SoloProd => Some("borescope init --help"),
        Rule::StatusMissing | Rule::StatusExpired => Some("borescope status keep --help"),
        Rule::StatusDiffers => Some("borescope stops"),
        Rule::TargetUnknown | Rule::CallerNotAllowed => {
            Some("borescope policy who-can --target TARGET")
        }
        Rule::ProdNotSupported | Rule::NotRecorded | Rule::ClockWentBack => None,
    }
}

/// Tells somebody that nothing was done because a rule would say no: the fact, what would help, and
/// where the whole story is.
pub(crate) fn refuse(
    out: Out,
    exit: Exit,
    denial: &Denial,
    help: &str,
    why: &str,
) -> anyhow::Result<Exit> {
    if out.json {
        out.json(&json!({
            "code": denial.rule.code(), "error": denial.fact, "help": help,
            "next": command(denial.rule), "why": why,
        }))?;
    }
    let told = Denial { help: help.to_owned(), ..denial.clone() };
    // What only waits is not a no.
    let label = if exit == Exit::NotInTime { "not yet:" } else { DENIED };
    say(out, label, &told, why);
    Ok(exit)
}

/// Prints a denial beside the result.
pub(crate) fn tell(out: Out, denial: &Denial, why: &str) {
    say(out, DENIED, denial, why);
}

fn say(out: Out, label: &str, denial: &Denial, why: &str) {
    let code = denial.rule.code();
    out.note(format!("{} {code}: {}", out.style_err(Style::Bad, label), denial.fact));
    out.note(format!("  help: {}", denial.help));
    // Where the help is a command already, another one for everybody says less.
    let command = command(denial.rule).filter(|_| !denial.help.contains("borescope "));
    if let Some(command) = command {
        out.note(format!("  next: {command}"));
    }
    out.note(format!("  why:  {why}"));
}

#[cfg(test)]
mod tests;
