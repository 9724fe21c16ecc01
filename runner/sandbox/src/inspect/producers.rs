//! What a component says of its own making: the tool conventions' section `producers`. Nobody vouches for
//! it, and nothing is decided by it.

use std::collections::BTreeSet;

use wasmparser::{KnownCustom, Payload};

use super::shown;

/// Entries that are kept; each module of a component may have its own.
const ENTRIES_MAX: usize = 16;

/// Keeps what a section says, if it is such a section. A malformed one says nothing.
pub(super) fn note(payload: &Payload<'_>, all: &mut BTreeSet<String>) {
    let Payload::CustomSection(section) = payload else { return };
    let KnownCustom::Producers(fields) = section.as_known() else { return };
    for field in fields.into_iter().map_while(Result::ok) {
        for value in field.values.into_iter().map_while(Result::ok) {
            if all.len() < ENTRIES_MAX {
                all.insert(shown(format!("{} {}", value.name, value.version).trim()));
            }
        }
    }
}
