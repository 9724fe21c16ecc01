//! What a runner has adopted, read from its files by somebody else: nothing is locked, opened for
//! writing or repaired, so the runner may be at work. For operators who check a configuration; a runner
//! itself recovers its whole state.

use std::path::Path;

use ledger::Event;
use ledger::journal::{JOURNAL_FILE, Scan};
use trust::Pinned;

use super::{StateError, pin};
use crate::adopt::AuthorityDocuments;
use crate::recorded::Recorded;

/// The pin in `dir`, and keyring, directory and policy as the ledger in `ledger` has them; the rest, and
/// what is newer, is `founding`'s. Nothing of it is believed yet.
///
/// # Errors
/// When anything cannot be read. An entry that is being written is not read.
pub fn adopted_on_disk(
    dir: &Path,
    ledger: &Path,
    founding: &AuthorityDocuments,
) -> Result<(Pinned, AuthorityDocuments), StateError> {
    let pinned = pin::read(dir)?;
    let mut recorded = Recorded::default();
    let journal = ledger.join(JOURNAL_FILE);
    // Before the first start there is none.
    if journal.exists() {
        let mut scan = Scan::open(&journal)?;
        while let Some(entry) = scan.next_entry()? {
            match &entry.leaf.event {
                Event::KeyringAdopted { .. } => recorded.keyring(entry.payload()),
                Event::DirectoryAdopted { .. } => recorded.directory(entry.payload()),
                Event::PolicyAdopted { .. } => recorded.policy(entry.payload()),
                _ => {}
            }
        }
    }
    Ok((pinned, recorded.newest(founding)?))
}
