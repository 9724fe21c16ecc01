//! A derivation for people: every rule, by which fact and on whose documents, and what would help.

use domain::Step;
use domain::display::neutralise;

use crate::next;
use crate::out::{Out, Style, hang_at, width};

/// Columns of the rules' names.
const RULE: usize = 22;

/// One derivation as lines.
pub(crate) fn steps(steps: &[Step], out: Out) -> Vec<String> {
    steps.iter().flat_map(|step| one(step, out)).collect()
}

fn one(step: &Step, out: Out) -> Vec<String> {
    let mark =
        if step.satisfied { out.style(Style::Good, "✓") } else { out.style(Style::Bad, "✗") };
    let label = format!("{mark} {:<RULE$} ", step.rule.code());
    let indent = RULE + 3;
    let blank = " ".repeat(indent);
    let mut lines = hang_at(indent, &label, &neutralise(&step.fact), width());
    if !step.documents.is_empty() {
        let by = neutralise(&step.documents.join(", "));
        lines.extend(hang_at(indent + 3, &format!("{blank}by "), &by, width()));
    }
    if let Some(help) = &step.help {
        let label = format!("{blank}help: ");
        lines.extend(hang_at(indent + 6, &label, &neutralise(help), width()));
        if let Some(command) = next::command(step.rule) {
            lines.push(format!("{blank}next: {command}"));
        }
    }
    lines
}

/// Whether all of it holds, in a line.
pub(crate) fn verdict(steps: &[Step], out: Out) -> String {
    match steps.iter().find(|s| !s.satisfied) {
        None => out.style(Style::Good, "allowed"),
        Some(first) => {
            format!("{} by {}", out.style(Style::Bad, "denied"), first.rule.code())
        }
    }
}

#[cfg(test)]
mod tests;
