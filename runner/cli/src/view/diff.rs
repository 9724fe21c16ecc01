//! Two versions of a file, line by line, for people.

use std::time::Duration;

use domain::display::neutralise;
use similar::{Algorithm, ChangeTag, TextDiff};

use crate::out::{Out, Style};

use super::bytes;

/// Unchanged lines that are shown around a change.
const CONTEXT_LINES: usize = 3;
/// How long the shortest difference is looked for; after that a longer one is shown.
const SEARCH_TIME_MAX: Duration = Duration::from_secs(2);

/// What changed in one file.
#[derive(Debug, Default)]
pub(crate) struct Diff {
    /// As it is shown, the heading first.
    pub(crate) lines: Vec<String>,
    /// Lines that came.
    pub(crate) added: usize,
    /// Lines that went.
    pub(crate) removed: usize,
}

/// Compares two versions of a file; `None`: there is none.
pub(crate) fn of(path: &str, old: Option<&[u8]>, new: Option<&[u8]>, out: Out) -> Diff {
    let (Some(before), Some(after)) =
        (text(old.unwrap_or_default()), text(new.unwrap_or_default()))
    else {
        let size = |b: Option<&[u8]>| b.map_or("absent".to_owned(), |b| bytes(b.len() as u64));
        let what = format!("no text, {} before, {} now", size(old), size(new));
        return Diff { lines: vec![heading(path, &what, out)], ..Diff::default() };
    };
    let mut config = TextDiff::configure();
    config.algorithm(Algorithm::Patience).timeout(SEARCH_TIME_MAX);
    let diff = config.diff_lines(before, after);
    let count = |tag| diff.iter_all_changes().filter(|c| c.tag() == tag).count();
    let (added, removed) = (count(ChangeTag::Insert), count(ChangeTag::Delete));
    let whole = match (old, new) {
        (None, _) => "new, ",
        (_, None) => "removed, ",
        _ => "",
    };
    let mut lines = vec![heading(path, &format!("{whole}+{added} −{removed}"), out)];
    for hunk in diff.unified_diff().context_radius(CONTEXT_LINES).iter_hunks() {
        lines.push(out.style(Style::Dim, &hunk.header().to_string()));
        for change in hunk.iter_changes() {
            let (sign, style) = match change.tag() {
                ChangeTag::Insert => ('+', Some(Style::Good)),
                ChangeTag::Delete => ('-', Some(Style::Bad)),
                ChangeTag::Equal => (' ', None),
            };
            let line = format!("{sign} {}", shown(change.value()));
            lines.push(style.map_or(line.clone(), |style| out.style(style, &line)));
        }
    }
    Diff { lines, added, removed }
}

/// A file that is shown whole.
pub(crate) fn whole(path: &str, content: &[u8], out: Out) -> Vec<String> {
    let Some(text) = text(content) else {
        return vec![heading(path, &format!("no text, {}", bytes(content.len() as u64)), out)];
    };
    let lines =
        text.split_inclusive('\n').map(|l| format!("{} {}", out.style(Style::Dim, "│"), shown(l)));
    let count = super::count(text.lines().count() as u64, "line");
    std::iter::once(heading(path, &count, out)).chain(lines).collect()
}

fn heading(path: &str, what: &str, out: Out) -> String {
    format!("{}  {}", out.style(Style::Bold, &neutralise(path)), out.style(Style::Dim, what))
}

/// Text that can be shown line by line.
fn text(content: &[u8]) -> Option<&str> {
    std::str::from_utf8(content).ok().filter(|t| !t.contains('\0'))
}

/// One line without its end, neutralised. Tabs are what editors make of them.
fn shown(line: &str) -> String {
    neutralise(&line.strip_suffix('\n').unwrap_or(line).replace('\t', "    "))
}

#[cfg(test)]
mod tests;
