//! A run that goes on, until it has ended: its released events as they come, and where no stream is
//! to be had, a look now and then.

use std::time::Duration;

use api::types::{EventView, RunView};
use domain::{RunId, RunState};
use executor::RunEvent;
use tokio::time::{Instant, timeout_at};

use super::is_ours;
use crate::exit::{Exit, Failure, about_run};
use crate::out::{Out, Progress, foreign};
use crate::session::Session;
use crate::view::run as words;

/// Between two looks at a run without a stream.
const POLL: Duration = Duration::from_millis(300);

/// Waits for the end of a run, and tells its events; the newest view of it.
pub(super) async fn follow(
    session: &Session,
    mut view: RunView,
    until: Instant,
    teller: &mut Teller,
) -> anyhow::Result<RunView> {
    let id = view.id.clone();
    let client = session.client.clone().patient();
    let look = async || -> anyhow::Result<RunView> {
        let view = client.run(&id).await.map_err(|e| about_run(&id, true, e))?;
        is_ours(&view, &id)?;
        Ok(view)
    };
    // A place in the queue is no event: it follows from what others do.
    while view.state == RunState::Queued {
        if timeout_at(until, tokio::time::sleep(POLL)).await.is_err() {
            return Err(not_in_time(&view).into());
        }
        view = look().await?;
        teller.say(&words::place_of(&view));
    }
    let mut events = session.client.events(&id, None);
    let streamed = timeout_at(until, async {
        while let Some(event) = events.next().await? {
            teller.tell(&id, &event);
        }
        Ok::<_, api::ClientError>(())
    });
    // Too many streams, or a lost one: what matters is asked for below.
    let lost = streamed.await.is_ok_and(|done| done.is_err());
    loop {
        view = look().await?;
        if matches!(view.state, RunState::Ended { .. }) {
            return Ok(view);
        }
        if !lost || timeout_at(until, tokio::time::sleep(POLL)).await.is_err() {
            return Err(not_in_time(&view).into());
        }
    }
}

fn not_in_time(view: &RunView) -> Failure {
    Failure::new(
        Exit::NotInTime,
        format!("{} is still {}", view.id, view.state.code()),
        format!("it goes on; look again: borescope run --resume {}", view.id),
    )
}

/// An event with its run, its number and its time, on one level.
fn flat(run: &RunId, view: &EventView) -> Option<serde_json::Value> {
    let mut event: serde_json::Value = serde_json::from_str(view.event.get()).ok()?;
    let object = event.as_object_mut()?;
    object.insert("run".to_owned(), run.as_str().into());
    object.insert("seq".to_owned(), view.seq.into());
    object.insert("at_ms".to_owned(), view.at_ms.into());
    Some(event)
}

/// Shows events: to programs a line each, to people one that changes.
pub(super) struct Teller {
    out: Option<Out>,
    line: Option<Progress>,
}

impl Teller {
    pub(super) const fn new(out: Out) -> Self {
        Self { out: Some(out), line: None }
    }

    /// Of several runs: people see one line for all.
    pub(super) fn of_many(out: Out) -> Self {
        Self { out: Some(out).filter(|out| out.json), line: None }
    }

    pub(super) const fn silent() -> Self {
        Self { out: None, line: None }
    }

    /// Whether the events of a run that is over are of interest, too.
    pub(super) fn wants_all(&self) -> bool {
        self.out.is_some_and(|out| out.json)
    }

    /// Not before the order is signed: a passphrase or a touch may be asked for.
    pub(super) fn begin(&mut self, state: &str) {
        self.line = self.out.map(|out| out.progress(state));
    }

    /// Where it is now, for people.
    fn say(&self, text: &str) {
        if let Some(line) = &self.line {
            line.say(text);
        }
    }

    pub(super) fn tell(&mut self, run: &RunId, event: &EventView) {
        let Ok(what) = serde_json::from_str::<RunEvent>(event.event.get()) else { return };
        let text = match what {
            RunEvent::Started { .. } => "running".to_owned(),
            RunEvent::Progress { percent, note } => format!("{percent}% {}", foreign(&note)),
            // The result follows, verified.
            RunEvent::Ended(_) => return,
        };
        if let Some(out) = self.out.filter(|out| out.json) {
            // A closed output ends the program where the result is printed.
            drop(out.json(&flat(run, event)));
        } else {
            self.say(&text);
        }
    }
}
