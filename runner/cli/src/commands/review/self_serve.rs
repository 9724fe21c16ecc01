//! Self-serve clauses of a review, as reviewers type and read them.

use domain::decide::SelfServeClause;
use domain::display::neutralise;
use domain::{GroupName, Pair, ParseError, TargetId};
use trust::Authority;

use crate::out::{hang, width};

/// A clause as it is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    groups: Vec<GroupName>,
    /// None: all targets of the review.
    targets: Vec<TargetId>,
    runs_per_day: u64,
}

/// Parses `on-call:5` or `on-call,support@shop-replica:5`.
pub(super) fn parse(text: &str) -> Result<Opened, String> {
    let bad = || {
        format!(
            "\"{text}\" is no clause: expected GROUP[,GROUP][@TARGET[,TARGET]]:N, as on-call:5 for \
             five runs a day of each member of on-call"
        )
    };
    // A target's name may have colons.
    let (who, n) = text.rsplit_once(':').ok_or_else(bad)?;
    let runs_per_day: u64 = n.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?;
    let (groups, targets) = who.split_once('@').map_or((who, None), |(g, t)| (g, Some(t)));
    let said = |e: ParseError| e.to_string();
    let groups = groups.split(',').map(str::parse).collect::<Result<_, _>>().map_err(said)?;
    let targets = targets.iter().flat_map(|t| t.split(','));
    let targets = targets.map(str::parse).collect::<Result<_, _>>().map_err(said)?;
    Ok(Opened { groups, targets, runs_per_day })
}

impl Opened {
    /// The clause of a review for these pairs.
    pub(super) fn clause(&self, pairs: &[Pair]) -> SelfServeClause {
        let mut targets = self.targets.clone();
        if targets.is_empty() {
            targets = pairs.iter().map(|p| p.target.clone()).collect();
            targets.sort_unstable();
            targets.dedup();
        }
        SelfServeClause { groups: self.groups.clone(), targets, runs_per_day: self.runs_per_day }
    }
}

/// What a clause opens, and what policy and keyring leave of it.
pub(super) fn in_words(clause: &SelfServeClause, authority: &Authority) -> Vec<String> {
    let groups: Vec<&str> = clause.groups.iter().map(AsRef::as_ref).collect();
    let groups = groups.join(", ");
    let mut lines = Vec::new();
    for target in &clause.targets {
        let n = clause.runs_per_day;
        let open = format!("{groups} on {target} without an approval, {n} runs a day each");
        lines.extend(hang("opens to ", &neutralise(&open), width()));
        let rules = authority.target(target).and_then(|t| t.self_serve.as_ref());
        let less = if !authority.keyring().floors.self_serve {
            "nothing comes of it: the keyring lets nobody run without an approval".to_owned()
        } else if let Some(rules) = rules {
            let may: Vec<&str> = rules.groups.iter().map(AsRef::as_ref).collect();
            format!(
                "the policy lets {} do so there, {} runs a day each at most",
                may.join(", "),
                rules.runs_per_day
            )
        } else {
            "nothing comes of it there: the policy has no self-serve for this target".to_owned()
        };
        lines.extend(hang("         ", &neutralise(&less), width()));
    }
    lines
}

#[cfg(test)]
mod tests;
