//! That people read what runs left: recorded before the first byte leaves, the caller's own reading
//! as everybody else's. What cannot be recorded is not served.
//!
//! One entry stands for what the same person reads of the same part of the same run in the
//! [`READ_REPEATED_MS`] from its time on: a client that asks again, or a table that is shown and then
//! written to a file, is one reading. Whether somebody may read is decided at every call all the same
//! ([`crate::runs`]). A restart forgets, and records once more.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use domain::{PersonId, RunId};
use ledger::{Entry, Event, RunPart};
use serde::{Deserialize, Serialize};

use crate::login::Who;
use crate::{App, AppError};

/// Milliseconds for which one entry stands.
pub const READ_REPEATED_MS: u64 = 10 * 60_000;

/// Readings that are remembered. Beyond them all are forgotten, which costs an entry each.
const REMEMBERED_MAX: usize = 10_000;

/// The payload of an entry: who read is personal, so it can be erased.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    person: PersonId,
}

/// What was recorded a short while ago.
#[derive(Debug, Default)]
pub(crate) struct Reads(Mutex<BTreeMap<(RunId, PersonId, RunPart), u64>>);

impl Reads {
    fn has(&self, key: &(RunId, PersonId, RunPart), now_ms: u64) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).is_some_and(|at_ms| now_ms.saturating_sub(*at_ms) < READ_REPEATED_MS)
    }

    fn keep(&self, key: (RunId, PersonId, RunPart), now_ms: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.retain(|_, at_ms| now_ms.saturating_sub(*at_ms) < READ_REPEATED_MS);
        }
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(key, now_ms);
    }
}

impl App {
    /// Records that this person, who may, reads a part of a run.
    ///
    /// # Errors
    /// When it is not recorded; then nothing of it may be served.
    pub(crate) async fn reads(
        &self,
        who: &Who,
        run: &RunId,
        what: RunPart,
    ) -> Result<(), AppError> {
        let now_ms = self.clock.now_ms();
        let key = (run.clone(), who.person.clone(), what);
        if self.reads.has(&key, now_ms) {
            return Ok(());
        }
        let event = Event::RunRead { run: run.clone(), what };
        let note = serde_json::to_vec(&Note { person: who.person.clone() }).unwrap_or_default();
        // If we die before this returns, nothing has left; after it, the log says that it may have.
        self.ledger.append_durable(Entry::new(event, note)).await?;
        self.reads.keep(key, now_ms);
        self.project().await
    }
}

/// Who read, of an entry's payload.
pub(crate) fn reader(payload: &[u8]) -> Option<PersonId> {
    serde_json::from_slice::<Note>(payload).ok().map(|note| note.person)
}
