//! Bodies of requests and responses. Times `…_ms` are Unix milliseconds.

use domain::{BundlePath, Denial, Digest, PersonId, RunId, ScriptName, ScriptVersion, TargetId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::shapes;

mod against;
mod authority;
mod login;
mod operate;
mod run;

pub use against::EmergencyView;
pub use authority::{KeyClaimView, KeyClaimed, ProposalKind, ProposalState, ProposalView};
pub use login::{Challenge, ChallengeRequest, SessionOpened, SessionView};
pub use operate::{HookView, StatusView, VersionView};
pub use run::{EventView, QueuePlace, RunAccess, RunOrdered, RunView, TargetReaders};

/// A signed document's envelope: JSON whose exact bytes survive.
pub type Envelope = Box<RawValue>;

/// `POST /v1/revisions`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Uploaded {
    /// The revision digest.
    #[schema(value_type = shapes::Sha256)]
    pub revision: Digest,
    /// The script's name.
    #[schema(value_type = shapes::Script)]
    pub script: ScriptName,
    /// Its version.
    #[schema(value_type = shapes::Version)]
    pub version: ScriptVersion,
    /// What a reviewer will ask about.
    pub warnings: Vec<String>,
}

/// One row of `GET /v1/scripts`; newest first within a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScriptView {
    /// The script's name.
    #[schema(value_type = shapes::Script)]
    pub script: ScriptName,
    /// Its version.
    #[schema(value_type = shapes::Version)]
    pub version: ScriptVersion,
    /// The revision digest.
    #[schema(value_type = shapes::Sha256)]
    pub revision: Digest,
    /// The author's summary; not neutralised.
    pub summary: String,
    /// Who uploaded it.
    #[schema(value_type = shapes::Person)]
    pub uploader: PersonId,
    /// When.
    pub created_ms: u64,
}

/// `GET /v1/revisions/{digest}`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RevisionView {
    /// What and who.
    pub script: ScriptView,
    /// `bundle.sha256` as text.
    pub index: String,
    /// Its files.
    pub files: Vec<FileView>,
    /// Submissions and reviews of it.
    pub documents: Vec<DocumentView>,
}

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileView {
    /// Its path.
    #[schema(value_type = shapes::Path)]
    pub path: BundlePath,
    /// Its digest.
    #[schema(value_type = shapes::Sha256)]
    pub digest: Digest,
    /// Its size, bytes.
    pub size_bytes: u64,
}

/// The answer to a filed document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Filed {
    /// The document's id.
    pub id: String,
    /// The digest of its payload.
    #[schema(value_type = shapes::Sha256)]
    pub digest: Digest,
}

/// `GET /v1/documents/{id-or-digest}`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DocumentView {
    /// Which document, as `access-request`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The digest of its payload.
    #[schema(value_type = shapes::Sha256)]
    pub digest: Digest,
    /// Who signed it, when one person did.
    #[schema(value_type = Option<shapes::Person>)]
    pub person: Option<PersonId>,
    /// When it came.
    pub created_ms: u64,
    /// The signed bytes; only these count.
    #[schema(value_type = shapes::EnvelopeShape)]
    pub envelope: Envelope,
}

/// Where an access request is; derived, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// Reviews or approvals are missing.
    Waiting,
    /// It can be used now.
    Open,
    /// Its window has ended.
    Expired,
    /// All its uses are spent.
    Spent,
    /// Something that it depends on is stopped.
    Stopped,
}

/// `GET /v1/access-requests/{id}`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RequestView {
    /// The access request.
    pub request: DocumentView,
    /// Submissions of its revision.
    pub submissions: Vec<DocumentView>,
    /// Reviews of its revision.
    pub reviews: Vec<DocumentView>,
    /// Its approvals.
    pub approvals: Vec<DocumentView>,
    /// Where it is.
    pub state: RequestState,
    /// The first rule that fails now; `None` when open.
    #[schema(value_type = Option<shapes::DenialShape>)]
    pub missing: Option<Denial>,
    /// Uses spent.
    pub uses_spent: u64,
    /// Their numbers, in order.
    pub use_numbers_spent: Vec<u64>,
}

/// `GET /v1/inbox`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Inbox {
    /// Revisions that want this person's review.
    pub to_review: Vec<ScriptView>,
    /// This person's revisions that reviewers sent back.
    pub sent_back: Vec<SentBackView>,
    /// Access requests that want this person's approval.
    pub to_approve: Vec<DocumentView>,
    /// This person's runs that have not ended.
    pub live_runs: Vec<RunView>,
    /// Emergencies of others that want this person's after-review.
    pub to_look_at: Vec<EmergencyView>,
    /// This person's own, which somebody else has to look at.
    pub owed: Vec<EmergencyView>,
    /// Proposals that this person could still sign; without their envelopes.
    pub to_sign: Vec<ProposalView>,
    /// Key claims, for holders of the role `directory`.
    pub key_claims: Vec<KeyClaimView>,
}

/// A review that stands against a revision: until a newer one is submitted, or the verdict ends.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SentBackView {
    /// The revision.
    pub script: ScriptView,
    /// The review, which says why.
    pub review: DocumentView,
}

/// `POST /v1/inputs` (its body is the input, exactly)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InputStored {
    /// SHA-256 of the bytes.
    #[schema(value_type = shapes::Sha256)]
    pub digest: Digest,
}

/// `POST /v1/analyses` (its body is the analysis, exactly)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnalysisStored {
    /// SHA-256 of the bytes.
    #[schema(value_type = shapes::Sha256)]
    pub digest: Digest,
}

/// A proof that a leaf is in the log; the shape of `ledger::LogProof`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProofView {
    /// The leaf's index.
    pub index: u64,
    /// The leaf's bytes, as hashed.
    pub leaf: String,
    /// The inclusion proof for the checkpoint's size.
    #[schema(value_type = Vec<shapes::Sha256>)]
    pub inclusion: Vec<Digest>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// `GET /v1/runs/{id}/receipt`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReceiptView {
    /// The runner's signed statement.
    #[schema(value_type = shapes::EnvelopeShape)]
    pub receipt: Envelope,
    /// That it is in the log.
    pub proof: ProofView,
}

/// One row of `GET /v1/targets`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetView {
    /// The target.
    #[schema(value_type = shapes::Target)]
    pub id: TargetId,
    /// Its engine, as `sqlite`.
    pub engine: String,
    /// Whether the policy marks it prod.
    pub prod: bool,
}

/// `GET /readyz`, also with status 503
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// Whether writes are accepted.
    pub ready: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// `GET /v1/log/consistency`: that the smaller log is the beginning of the larger one (RFC 6962).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsistencyView {
    /// Size of the smaller log.
    pub old: u64,
    /// Size of the larger log.
    pub new: u64,
    /// The proof's hashes.
    #[schema(value_type = Vec<shapes::Sha256>)]
    pub proof: Vec<Digest>,
}

/// `GET /v1/log/leaves`: leaves as hashed, so that anybody can build the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeavesView {
    /// The index of the first one.
    pub from: u64,
    /// Durable entries of the log.
    pub size: u64,
    /// The leaves' bytes, in order; fewer than asked for at the end of the log.
    pub leaves: Vec<String>,
}

/// One event of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEventView {
    /// The ledger entry.
    pub index: u64,
    /// When.
    pub at_ms: u64,
    /// What happened.
    #[schema(value_type = shapes::AuditKind)]
    pub kind: String,
    /// Who did it, when one person did.
    #[schema(value_type = Option<shapes::Person>)]
    pub person: Option<PersonId>,
    /// The run that it belongs to.
    #[schema(value_type = Option<shapes::Run>)]
    pub run: Option<RunId>,
    /// What it is about: ids, digests and names; not neutralised.
    pub subjects: Vec<String>,
}

/// `GET /v1/against`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgainstView {
    /// Stops, lifts, rejecting reviews and withdrawals, in the order in which they were recorded.
    /// There may be none although more follow.
    pub documents: Vec<DocumentView>,
    /// Where the next page begins; what was asked for when there is nothing more.
    pub next: u64,
}

/// `GET /v1/audit`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditPageView {
    /// Newest first. There may be fewer than asked for although more follow: what the caller may
    /// not see is left out.
    pub events: Vec<AuditEventView>,
    /// Where the next page begins, for `before`; null after the last one.
    pub next: Option<u64>,
}
