//! Where a run is, and what became of one without a receipt, in words.

use api::types::{QueuePlace, RunView};
use domain::{Outcome, RunState};

/// Where a run is, in words.
pub(crate) fn place_of(view: &RunView) -> String {
    match &view.queue {
        Some(queue) if queue.running > 0 => place(queue),
        _ => view.state.code().to_owned(),
    }
}

/// A place in the queue, in words.
pub(crate) fn place(queue: &QueuePlace) -> String {
    let goes_on = if queue.running == 1 { "runs" } else { "run" };
    let place = match queue.place {
        1 => "next in the queue".to_owned(),
        2 => "2nd in the queue".to_owned(),
        3 => "3rd in the queue".to_owned(),
        n => format!("number {n} in the queue"),
    };
    match &queue.target {
        Some(target) => format!("{place} for {target}; {} {goes_on} there now", queue.running),
        None => format!("{place}; {} {goes_on} now", queue.running),
    }
}

/// Whether anything ran of a run that has no receipt, and what to do.
pub(crate) fn fate(view: &RunView) -> Option<&'static str> {
    let RunState::Ended { outcome } = view.state else { return None };
    match (outcome, view.started_ms) {
        (Outcome::Denied, _) => Some("it was denied: nothing ran, and no use is spent"),
        (Outcome::Cancelled, None) => {
            Some("it was cancelled while it waited: nothing ran, and no use is spent")
        }
        (Outcome::Lost, None) => Some(
            "the server stopped before it began: nothing ran, and no use is spent; run it again",
        ),
        (Outcome::Lost, Some(_)) => Some(
            "the runner stopped in the middle or could not record: it may have read its targets, \
             nothing of that was given to anybody, and its use is spent; run it again",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
