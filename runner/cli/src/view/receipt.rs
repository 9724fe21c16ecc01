//! A run's value and its receipt in a few lines.

use domain::display::{neutralise, shorten};
use executor::evidence::Verified;
use executor::{Output, ReplicaLag, Trouble, TroubleFault};
use serde_json::Value as Json;

use super::{count, number};
use crate::out::{Out, Style};

/// Lines of a guest's own output that are shown.
const LINES_SHOWN_MAX: usize = 20;

/// Characters of one line of them; a script may write megabytes.
const LINE_CHARS_MAX: usize = 2000;

/// The value that the script returned: an object field by field, anything else as JSON.
pub(crate) fn value(json: &Json) -> Vec<String> {
    let shown = |v: &Json| match v {
        Json::String(s) => neutralise(s),
        other => neutralise(&other.to_string()),
    };
    match json {
        Json::Object(fields) if !fields.is_empty() => {
            fields.iter().map(|(k, v)| format!("{}: {}", neutralise(k), shown(v))).collect()
        }
        other => vec![shown(other)],
    }
}

/// How far behind their primaries the replicas were.
pub(crate) fn lags(output: &Output) -> Vec<String> {
    let lag = |of: &ReplicaLag| match of.lag_s_max {
        0 => format!("{} was up to date with its primary", of.target),
        s => format!("{} was {s} s behind its primary at most", of.target),
    };
    output.lags.iter().map(lag).collect()
}

/// What is to say beside the result, for standard error: how far behind replicas were, what went wrong,
/// what was logged.
pub(crate) fn told(output: &Output) -> Vec<String> {
    let mut lines = lags(output);
    lines.extend(output.troubles.iter().flat_map(of_target));
    if let Some(error) = &output.error {
        lines.push(format!("the script failed: {}", short(&error.message)));
        lines.extend(error.frames.iter().map(|f| format!("  at {}", short(&f.function))));
    }
    for line in output.log.iter().take(LINES_SHOWN_MAX) {
        lines.push(format!("{}: {}", short(&line.level), short(&line.message)));
    }
    let stderr = String::from_utf8_lossy(&output.stderr.bytes);
    lines.extend(stderr.lines().take(LINES_SHOWN_MAX).map(|l| format!("stderr: {}", short(l))));
    lines
}

/// A target that did not answer, and what to do about it.
fn of_target(trouble: &Trouble) -> Vec<String> {
    let Trouble { target, query, code: _, fault, problem, asked } = trouble;
    let next = match fault {
        TroubleFault::Target => "it may pass: run it again in a moment; the script is not at fault",
        TroubleFault::Operator => {
            "tell whoever operates the target: until then no run reads it; the script is not at fault"
        }
        TroubleFault::Script => "tell the script's author, with the run's id",
        TroubleFault::Runner => "run it again; if it stays so, tell the server's operator",
        TroubleFault::Nobody => "the run was ended while it waited for the target",
    };
    let read = if *asked { "" } else { "this query never got there, and read nothing; " };
    vec![format!("{target}, query {query}: {}", short(problem)), format!("  help: {read}{next}")]
}

/// Whether a run failed because of its targets, and not by its script.
pub(crate) fn is_targets_fault(output: &Output) -> bool {
    let blame = |t: &Trouble| {
        matches!(t.fault, TroubleFault::Target | TroubleFault::Operator | TroubleFault::Runner)
    };
    output.troubles.iter().any(blame)
}

/// A line that a script wrote.
fn short(text: &str) -> String {
    neutralise(&shorten(text, LINE_CHARS_MAX))
}

/// What the receipt says, and who vouches for it.
pub(crate) fn summary(verified: &Verified, out: Out) -> Vec<String> {
    let r = &verified.receipt;
    let state = match r.outcome {
        domain::Outcome::LimitExceeded { limit } => format!("limit-exceeded ({limit})"),
        other => other.code().to_owned(),
    };
    let limits: Vec<String> = r.limits_hit.iter().map(ToString::to_string).collect();
    let hit = if limits.is_empty() { "none".to_owned() } else { limits.join(", ") };
    let people = format!(
        "{}, {}",
        count(r.reviews.len() as u64, "review"),
        count(r.approvals.len() as u64, "approval")
    );
    let mut lines = vec![
        format!("{} {}", r.run, out.style_err(Style::Bold, &state)),
        format!(
            "  read     {}, {}; fuel {}",
            count(r.rows, "row"),
            super::bytes(r.bytes),
            number(r.fuel_used)
        ),
        format!("  limits   {hit} hit"),
        format!("  counted  {people}"),
        format!("  receipt  {} by {}, isolation: in-process", r.header.id, r.runner),
        format!("  log      entry {}, {}", verified.log_index, verified.standing),
    ];
    if let Some(raw) = crate::narrow::raw_in_words(&r.effective) {
        lines.push(format!("  raw      {}", out.style_err(Style::Warn, &raw)));
    }
    if r.solo {
        lines.push(
            "  solo     one person may have said all of this; it proves no second one".to_owned(),
        );
    }
    lines
}

#[cfg(test)]
mod tests;
