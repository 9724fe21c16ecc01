//! The receipt: the runner's signed statement about one run.

use domain::{Digest, LimitName, Outcome, ReceiptId, RunId, Scope, Timestamp};
use ledger::Position;
use sandbox::Finished;
use trust::document::InProcess;
use trust::{DocumentError, Envelope, Header, LogPosition, Receipt, Salt};

use crate::queries::Figures;
use crate::runner::Inner;
use crate::verify::Allowed;

/// Receipts say what happened and never expire in practice: ten years, seconds.
const RECEIPT_LIFE_S: i64 = 10 * 365 * 24 * 3600;

/// What a receipt states besides ids and times.
pub(crate) struct Facts {
    outcome: Outcome,
    revision: Digest,
    component: Digest,
    run_request: Digest,
    request: Option<Digest>,
    input: Digest,
    effective: Scope,
    reviews: Vec<domain::ReviewId>,
    approvals: Vec<domain::ApprovalId>,
    recording: Digest,
    started_at_ms: u64,
    fuel_used: u64,
    limits_hit: Vec<LimitName>,
    figures: Figures,
    stdout_dropped: u64,
    stderr_dropped: u64,
    solo: bool,
}

impl Facts {
    pub(crate) fn of(
        finished: &Finished,
        allowed: &Allowed,
        started_at_ms: u64,
        figures: Figures,
        recording: Digest,
    ) -> Self {
        Self {
            outcome: finished.outcome,
            revision: allowed.bundle.revision,
            component: allowed.bundle.component_digest,
            run_request: allowed.run_request,
            request: allowed.claim.request(),
            input: allowed.input_digest,
            effective: allowed.decision.effective.scope(),
            reviews: allowed.decision.reviews.clone(),
            approvals: allowed.decision.approvals.clone(),
            recording,
            started_at_ms,
            fuel_used: finished.fuel_used,
            limits_hit: finished.limits_hit.clone(),
            figures,
            stdout_dropped: finished.stdout.dropped,
            stderr_dropped: finished.stderr.dropped,
            solo: allowed.decision.solo,
        }
    }
}

/// Signs the receipt of a run whose first entry is at `start`.
pub(crate) fn sign(
    inner: &Inner,
    run: &RunId,
    start: Position,
    facts: Facts,
    output: &str,
) -> Result<Envelope, DocumentError> {
    // Also of a clock that was set back during the run.
    let now = inner.now().max(second_of(facts.started_at_ms));
    let leaf = inner.ledger.entry(start).map(|e| e.leaf_hash());
    let receipt = Receipt {
        header: Header {
            trust_domain: inner.state.pinned().trust_domain.clone(),
            id: ReceiptId::new(&*inner.clock, &*inner.entropy),
            not_before: now,
            not_after: now.plus_s(RECEIPT_LIFE_S),
            salt: Salt(inner.entropy.salt()),
        },
        run: run.clone(),
        run_request: facts.run_request,
        request: facts.request,
        revision: facts.revision,
        component: facts.component,
        engine_build: inner.sandbox.engine_build(),
        runner: inner.name.clone(),
        outcome: facts.outcome,
        started_at: second_of(facts.started_at_ms),
        ended_at: now,
        effective: facts.effective,
        input: facts.input,
        output: Some(Digest::of(output.as_bytes())),
        recording: Some(facts.recording),
        fuel_used: facts.fuel_used,
        limits_hit: facts.limits_hit,
        rows: facts.figures.rows,
        bytes: facts.figures.bytes,
        stdout_dropped: facts.stdout_dropped,
        stderr_dropped: facts.stderr_dropped,
        isolation: InProcess,
        solo: facts.solo,
        log: LogPosition {
            origin: inner.ledger.vkey().name().to_string(),
            index: start.index(),
            leaf: leaf.unwrap_or(Digest::from_bytes([0; 32])),
        },
        reviews: facts.reviews,
        approvals: facts.approvals,
        denial: None,
    };
    trust::sign(&receipt, &inner.key)
}

fn second_of(ms: u64) -> Timestamp {
    Timestamp::from_unix_s(i64::try_from(ms / 1000).unwrap_or(i64::MAX))
}
