//! What an order brings against runs and against such things: verified here, whether or not the rest
//! of the order is any good, so that a stop counts whichever way it arrives.

use super::statements::bounded;
use super::{ChainDocuments, ChainError};
use crate::authority::Authority;
use crate::document::DocumentError;
use crate::envelope::Envelope;
use crate::negative::{InForce, Negative};

/// Something that was said, with the document that says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<'d> {
    /// What it amounts to.
    pub negative: Negative,
    /// The document.
    pub envelope: &'d Envelope,
}

/// The stops, lifts and withdrawals of an order, verified. A stop that is known is not verified
/// again: it is in force although its signer may have lost the role since. Rejections are reviews and
/// come with the facts ([`super::ChainFacts`]).
///
/// # Errors
/// The first document that is refused, and why.
pub fn negatives<'d>(
    authority: &Authority,
    documents: &'d ChainDocuments,
    known: &InForce,
) -> Result<Vec<Said<'d>>, ChainError> {
    bounded("stops", &documents.stops)?;
    bounded("lifts", &documents.lifts)?;
    bounded("withdrawals", &documents.withdrawals)?;
    let mut all = Vec::new();
    // Most orders bring none, and what is known can be long.
    if documents.stops.is_empty() && documents.lifts.is_empty() && documents.withdrawals.is_empty()
    {
        return Ok(all);
    }
    let mut in_force = known.clone();
    let mut take = |in_force: &mut InForce, negative: Negative, envelope: &'d Envelope| {
        in_force.apply(negative.clone());
        all.push(Said { negative, envelope });
    };
    for (i, envelope) in documents.stops.iter().enumerate() {
        if !known.knows_stop(&envelope.payload_digest()) {
            let stop = authority.verify_stop(envelope).map_err(|e| at("stop", i, e))?;
            take(&mut in_force, (&stop).into(), envelope);
        }
    }
    // One after the other: who was stopped a moment ago may be lifted by the lift before.
    for (i, envelope) in documents.lifts.iter().enumerate() {
        let lift = authority.verify_lift(envelope, &in_force).map_err(|e| at("lift", i, e))?;
        take(&mut in_force, (&lift).into(), envelope);
    }
    for (i, envelope) in documents.withdrawals.iter().enumerate() {
        let withdrawal =
            authority.verify_withdrawal(envelope, &in_force).map_err(|e| at("withdrawal", i, e))?;
        take(&mut in_force, (&withdrawal).into(), envelope);
    }
    Ok(all)
}

fn at(kind: &str, i: usize, error: DocumentError) -> ChainError {
    ChainError::Document { place: format!("{kind} {}", i + 1), error }
}
