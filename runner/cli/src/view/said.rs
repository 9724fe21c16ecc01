//! What people said about a revision: submissions and reviews with their comments, each verified here.

use api::types::DocumentView;
use domain::decide::Verdict;
use domain::{Digest, PersonId};
use jiff::tz::TimeZone;
use trust::{Authority, Rebuilt, Review, Submission};

use crate::against::Against;
use crate::commands::review::word;
use crate::exit::chain;
use crate::out::{Out, Style, foreign, hang, width};
use crate::session::verified;
use crate::when;

/// Each statement in a line, its comment below it; oldest first.
pub(crate) fn lines(
    authority: &Authority,
    against: &Against,
    said: &[DocumentView],
    revision: &Digest,
    zone: &TimeZone,
    out: Out,
) -> Vec<String> {
    let mut said: Vec<&DocumentView> = said.iter().collect();
    said.sort_by_key(|view| view.created_ms);
    let mut lines = Vec::new();
    for view in said {
        let made = match view.kind.as_str() {
            "submission" => submission(authority, view, revision, zone),
            _ => review(authority, against, view, revision, zone, out),
        };
        match made {
            Ok(made) => lines.extend(made),
            Err(problem) => lines.extend(hang("  ✗ ", &foreign(&problem), width())),
        }
    }
    lines
}

/// Who built the component once more, by their reviews.
pub(crate) fn rebuilt(
    authority: &Authority,
    said: &[DocumentView],
    revision: &Digest,
) -> Vec<(PersonId, Rebuilt)> {
    let reviews = said.iter().filter_map(|view| verified::<Review>(authority, view).ok());
    let reviews = reviews.filter(|r| r.doc().revision == *revision);
    let tried = reviews.filter(|r| r.doc().rebuilt != Rebuilt::NotTried);
    tried.map(|r| (r.doc().reviewer.clone(), r.doc().rebuilt)).collect()
}

fn submission(
    authority: &Authority,
    view: &DocumentView,
    revision: &Digest,
    zone: &TimeZone,
) -> Result<Vec<String>, String> {
    let doc = verified::<Submission>(authority, view)
        .map_err(|e| format!("{}: {}", view.id, chain(&e)))?;
    let doc = doc.doc();
    if doc.revision != *revision {
        return Err(format!("{} is about another revision", view.id));
    }
    let at = when::show(doc.header.not_before, zone);
    Ok(vec![format!("  ✓ submitted by {}, {at} ({})", doc.author, doc.header.id)])
}

fn review(
    authority: &Authority,
    against: &Against,
    view: &DocumentView,
    revision: &Digest,
    zone: &TimeZone,
    out: Out,
) -> Result<Vec<String>, String> {
    let review =
        verified::<Review>(authority, view).map_err(|e| format!("{}: {}", view.id, chain(&e)))?;
    let doc = review.doc();
    if doc.revision != *revision {
        return Err(format!("{} is about another revision", view.id));
    }
    let stands = against.in_force.rejections().any(|(digest, _)| *digest == review.digest());
    let style = match doc.verdict {
        Verdict::Approve => Style::Good,
        Verdict::RequestChanges => Style::Warn,
        Verdict::Reject => Style::Bad,
    };
    let verdict = out.style(style, word(doc.verdict));
    let ended = if doc.verdict == Verdict::Reject && !stands { ", ended since" } else { "" };
    let pairs: Vec<String> = doc.ceiling.pairs().map(|p| p.to_string()).collect();
    let at = when::show(doc.header.not_before, zone);
    let rebuilt = match doc.rebuilt {
        Rebuilt::NotTried => "",
        Rebuilt::Matched => ", rebuilt it: the same",
        Rebuilt::Differs => ", rebuilt it: ANOTHER component",
    };
    let line = format!(
        "{verdict} by {} for {}, {at}{ended}{rebuilt} ({})",
        doc.reviewer,
        pairs.join(", "),
        doc.header.id
    );
    let mut lines = hang("  ✓ ", &line, width());
    for line in doc.comment.as_str().lines() {
        lines.extend(hang("      ", &foreign(line), width()));
    }
    Ok(lines)
}
