//! The command that helps on after a denial, by the rule that failed. The rules' own words say what
//! would help; they are pure and know no commands.

use domain::{Denial, Pair, Rule};
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
        Rule::ReviewMissing | Rule::SelfServeNotReviewed | Rule::AnalysisDiffers => {
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
        Rule::NotRecorded | Rule::ClockWentBack => None,
    }
}

/// What a denial is about, to say in full what is typed next and where the whole story is.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// What `show` is asked about: a run, an access request, a revision.
    pub(crate) reference: String,
    /// The revision, as it is typed.
    pub(crate) revision: Option<String>,
    /// The access request, where there is one.
    pub(crate) request: Option<String>,
    /// The bindings, as they are typed, where the reference does not have them.
    pub(crate) pairs: Vec<String>,
}

impl Story {
    /// Of an access request.
    pub(crate) fn of_request(id: &impl ToString) -> Self {
        let id = id.to_string();
        Self { reference: id.clone(), request: Some(id), ..Self::default() }
    }

    /// Of a revision somewhere.
    pub(crate) fn of_revision(typed: String, pairs: &[Pair]) -> Self {
        let pairs = pairs.iter().map(ToString::to_string).collect();
        Self { reference: typed.clone(), revision: Some(typed), pairs, ..Self::default() }
    }

    fn why(&self) -> String {
        let on: String = self.pairs.iter().map(|pair| format!(" --on {pair}")).collect();
        format!("borescope show {} --why{on}", self.reference)
    }

    /// The rule's command about this; what is not known stays to be filled in.
    fn command(&self, rule: Rule) -> Option<String> {
        let mut text = command(rule)?.to_owned();
        for (place, known) in
            [("REVISION", &self.revision), ("SCRIPT", &self.revision), ("REQUEST", &self.request)]
        {
            if let Some(known) = known {
                text = text.replace(place, known);
            }
        }
        for option in ["--target", "--on"] {
            let all: Vec<String> =
                self.pairs.iter().map(|pair| format!("{option} {pair}")).collect();
            if !all.is_empty() {
                text = text.replace(&format!("{option} TARGET"), &all.join(" "));
            }
        }
        Some(text)
    }
}

/// Tells somebody that nothing was done because a rule would say no: the fact, what would help, and
/// where the whole story is.
pub(crate) fn refuse(
    out: Out,
    exit: Exit,
    denial: &Denial,
    help: &str,
    story: &Story,
) -> anyhow::Result<Exit> {
    if out.json {
        out.json(&json!({
            "code": denial.rule.code(), "error": denial.fact, "help": help,
            "next": story.command(denial.rule), "why": story.why(),
        }))?;
    }
    let told = Denial { help: help.to_owned(), ..denial.clone() };
    // What only waits is not a no.
    let label = if exit == Exit::NotInTime { "not yet:" } else { DENIED };
    say(out, label, &told, story);
    Ok(exit)
}

/// Prints a denial beside the result.
pub(crate) fn tell(out: Out, denial: &Denial, story: &Story) {
    say(out, DENIED, denial, story);
}

fn say(out: Out, label: &str, denial: &Denial, story: &Story) {
    let code = denial.rule.code();
    out.note(format!("{} {code}: {}", out.style_err(Style::Bad, label), denial.fact));
    out.note(format!("  help: {}", denial.help));
    // Where the help is a command already, another one for everybody says less.
    let command = story.command(denial.rule).filter(|_| !denial.help.contains("borescope "));
    if let Some(command) = command {
        out.note(format!("  next: {command}"));
    }
    out.note(format!("  why:  {}", story.why()));
}

#[cfg(test)]
mod tests;
