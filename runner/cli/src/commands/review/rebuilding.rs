//! What a reviewer hears of a rebuild, and when it keeps them from signing.

use domain::decide::Verdict;
use trust::Rebuilt;

use crate::commands::Call;
use crate::exit::{Exit, Failure};
use crate::out::{Style, foreign};
use crate::view::change::Side;

/// Builds the component from its source once more and says what came of it. Who typed an approval did not
/// know that it differs.
pub(super) fn rebuild(
    call: &Call<'_>,
    new: &Side<'_>,
    given: Option<Verdict>,
) -> anyhow::Result<Rebuilt> {
    let out = call.out;
    let outcome = crate::rebuild::rebuild(out, new, &call.env.dir)?;
    if out.json {
        out.json(&outcome)?;
    } else {
        let style = match outcome.rebuilt {
            Rebuilt::Matched => Style::Good,
            Rebuilt::NotTried => Style::Dim,
            Rebuilt::Differs => Style::Bad,
        };
        out.field("rebuilt: ", &out.style(style, &foreign(&outcome.why)))?;
    }
    if outcome.rebuilt == Rebuilt::Differs && given == Some(Verdict::Approve) {
        return Err(Failure::new(
            Exit::Script,
            "the component does not come of its source, and nothing was signed",
            "with the same tools it may; --request-changes tells the author",
        )
        .into());
    }
    Ok(outcome.rebuilt)
}
