//! What somebody who is about to break the glass is told.

use domain::Rule;
use domain::decide::BreakGlassRules;
use trust::AccessRequest;

use super::super::Call;
use crate::dossier::Dossier;
use crate::out::Style;
use crate::view::{count, limits};
use crate::when;

/// Rules that refuse the emergency itself: nobody's approval helps, so nothing is signed.
pub(super) const fn refuses(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::Stopped
            | Rule::CallerNotAllowed
            | Rule::BreakGlassNotAllowed
            | Rule::BreakGlassTooWide
            | Rule::AfterReviewOverdue
            | Rule::ReviewRejected
    )
}

/// That it is louder, less and shorter, and what it owes; with the ceilings of each target's policy.
pub(super) fn tell(
    call: &Call<'_>,
    dossier: &Dossier,
    request: &AccessRequest,
) -> anyhow::Result<()> {
    let out = call.out;
    if out.json {
        return Ok(());
    }
    out.note(out.style_err(Style::Bad, "EMERGENCY"));
    out.note("  everybody sees it: in inboxes, in the list of runs, in the log for good");
    for pair in request.scope.pairs() {
        let rules = dossier.authority.target(&pair.target).and_then(|t| t.break_glass.as_ref());
        match rules {
            Some(rules) => ceilings(call, pair.target.as_str(), rules),
            None => out.note(format!("  on {}: the policy knows no emergency", pair.target)),
        }
    }
    Ok(())
}

fn ceilings(call: &Call<'_>, target: &str, rules: &BreakGlassRules) {
    let out = call.out;
    let long = when::show_s(rules.duration_s_max);
    let uses = count(rules.uses_max, "use");
    out.note(format!("  on {target}: at most {long} and {uses}; {}", limits(&rules.limits)));
    let q = &rules.query;
    let (calls, rows) = (count(q.calls_max, "call"), count(q.rows_total_max, "row"));
    out.note(format!("    each query {calls} and {rows} at most"));
    let needed = count(u64::from(rules.approvals.required), "approval");
    let due = when::show_s(rules.after_review_s);
    let looks = rules.after_review.required;
    let people = if looks == 1 { "somebody else".to_owned() } else { format!("{looks} others") };
    out.note(format!(
        "    {needed}; {people} must look at it within {due} of its first use, or your next \
         emergency is refused"
    ));
}
