//! What an approver reads before signing.

use domain::decide::InputRule;

use super::{Bounds, Checked, Judged};
use crate::blast::words;
use crate::commands::Call;
use crate::narrow::in_words;
use crate::out::{Out, Style, hang, width};
use crate::when;

/// Shows what would be signed, and what it rests on.
pub(super) fn show(
    checked: &Checked,
    bounds: &Bounds,
    judged: &Judged,
    input: &[String],
    call: &Call<'_>,
) -> anyhow::Result<()> {
    let (out, request): (Out, _) = (call.out, checked.requested.doc());
    let m = &checked.dossier.bundle.manifest;
    if request.break_glass {
        out.line(out.style(Style::Bad, "EMERGENCY: fewer approvals, looked at afterwards"))?;
    }
    let who = out.style(Style::Bold, request.caller.as_str());
    out.line(format!("{who} wants to run {} {}", m.name, m.version))?;
    out.line(format!("  revision {}", request.revision))?;
    for pair in request.scope.pairs() {
        out.line(format!("  on       {pair}"))?;
    }
    if let InputRule::Exact { digest } = &request.input {
        out.line(format!("  input    {digest}"))?;
    }
    input.iter().try_for_each(|line| out.field("           ", line))?;
    out.field("  reason   ", request.reason.as_str())?;
    if let Some(ticket) = &request.ticket {
        out.line(format!("  ticket   {ticket}"))?;
    }
    let until = when::show(request.window.not_after, &call.env.zone);
    let long = when::show_s(request.duration_s);
    out.line(format!("  uses     {}, for {long}, until {until}", request.uses))?;
    out.field("  asks for ", &in_words(&request.scope))?;
    if bounds.scope != request.scope {
        out.field("  you sign ", &in_words(&bounds.scope))?;
    }
    let reach = words::in_short(&checked.dossier, &bounds.scope, request.uses, |style, text| {
        out.style(style, text)
    });
    out.lines(
        reach.iter().flat_map(|(label, what)| hang(&format!("  {label:<9}"), what, width())),
    )?;
    if let Some(end) = bounds.not_after {
        out.line(format!("  you sign until {}", when::show(end, &call.env.zone)))?;
    }
    said(checked, judged, out)?;
    Ok(())
}

/// Who said what, and what of it counts.
fn said(checked: &Checked, judged: &Judged, out: Out) -> anyhow::Result<()> {
    let authority = &checked.dossier.authority;
    let stopped = checked.dossier.against.in_force.stopped_keys();
    for envelope in &checked.dossier.submissions {
        if let Ok(s) = authority.verify::<trust::Submission>(envelope, &stopped) {
            out.line(format!("  author   {} ✓ signature verified here", s.doc().author))?;
        }
    }
    for envelope in &checked.dossier.reviews {
        let Ok(review) = authority.verify::<trust::Review>(envelope, &stopped) else { continue };
        let counted = judged.reviews.contains(&review.digest());
        let mark = if counted { "✓ signature verified here, counted" } else { "does not count" };
        let verdict = crate::commands::review::word(review.doc().verdict);
        out.line(format!("  review   {}: {verdict} {mark}", review.doc().reviewer))?;
    }
    for error in &judged.left_out {
        out.field("  left out ", &error.to_string())?;
    }
    if authority.is_solo() {
        out.line("  solo     one person holds every role here: nobody else has looked")?;
    }
    if let Some(step) = &judged.still {
        out.field("  still    ", &step.fact)?;
    }
    if let Some(doubt) = &judged.doubt {
        out.note(format!("{} {doubt}", out.style_err(Style::Warn, "warning:")));
    }
    Ok(())
}
