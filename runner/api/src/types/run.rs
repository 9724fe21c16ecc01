//! Runs: the order, where a run is, what it tells. What it left is served as bytes.

use domain::{
    Denial, Digest, GroupName, PersonId, ReceiptId, RequestId, RunId, RunState, TargetId,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Envelope;
use crate::shapes;

/// `POST /v1/runs`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunOrdered {
    /// The signed run request.
    #[schema(value_type = shapes::EnvelopeShape)]
    pub run_request: Envelope,
    /// The input's exact bytes, base64; absent when they were sent to `/v1/inputs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunView {
    /// Its id.
    #[schema(value_type = shapes::Run)]
    pub id: RunId,
    /// The digest of the run request's payload.
    #[schema(value_type = shapes::Sha256)]
    pub run_request: Digest,
    /// Where it is.
    #[schema(value_type = shapes::RunStateShape)]
    pub state: RunState,
    /// Who ordered it.
    #[schema(value_type = shapes::Person)]
    pub caller: PersonId,
    /// What it executes.
    #[schema(value_type = shapes::Sha256)]
    pub revision: Digest,
    /// The access request that it uses.
    #[schema(value_type = Option<shapes::AccessRequest>)]
    pub request: Option<RequestId>,
    /// When it was accepted.
    pub queued_ms: u64,
    /// When its start was recorded.
    pub started_ms: Option<u64>,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// Why it never started.
    #[schema(value_type = Option<shapes::DenialShape>)]
    pub denial: Option<Denial>,
    /// Its receipt.
    #[schema(value_type = Option<shapes::Receipt>)]
    pub receipt: Option<ReceiptId>,
    /// The digest of its recording.
    #[schema(value_type = Option<shapes::Sha256>)]
    pub recording: Option<Digest>,
    /// The digest of its result.
    #[schema(value_type = Option<shapes::Sha256>)]
    pub result: Option<Digest>,
    /// Who may read what it left; null where runs are listed or cancelled.
    pub access: Option<RunAccess>,
    /// Where it waits; null when it does not, and where runs are listed or cancelled.
    pub queue: Option<QueuePlace>,
}

/// Who may read a run. Those who may not are told neither its denial nor the digests of what it left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunAccess {
    /// Whether the caller of the API may.
    pub may_read: bool,
    /// Who may besides the run's caller: who is in one of the groups of each target. Empty for a run
    /// that never started.
    pub readers: Vec<TargetReaders>,
}

/// Who may read what was read from a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetReaders {
    /// The target.
    #[schema(value_type = shapes::Target)]
    pub target: TargetId,
    /// Groups of the directory.
    #[schema(value_type = Vec<String>)]
    pub groups: Vec<GroupName>,
}

/// A run's place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueuePlace {
    /// 1 for the next one.
    pub place: u64,
    /// Runs that execute now: on the target, or at all.
    pub running: u64,
    /// The target that is busy; null when the server is.
    #[schema(value_type = Option<shapes::Target>)]
    pub target: Option<TargetId>,
}

/// One released event of a run.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// Its number in the run.
    pub seq: u64,
    /// When.
    pub at_ms: u64,
    /// The event.
    #[schema(value_type = shapes::AnyJson)]
    pub event: Box<RawValue>,
}
