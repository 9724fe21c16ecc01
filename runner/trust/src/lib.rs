//! Signed documents: what people say, checked without trusting whoever carried it.
//!
//! Envelopes (DSSE) with SSH signatures, keys, the documents of FORMAT.md, the rules of keyring,
//! directory and policy, and the facts that [`domain::decide()`] decides on. Pure: time, entropy and
//! state are parameters. Not here: the decision itself (`domain`), the log (`ledger`), files and
//! network (everybody else).

mod wire;

pub mod authority;
pub mod chain;
pub mod change;
pub mod document;
pub mod documents;
pub mod envelope;
pub mod imagine;
pub mod key;
pub mod negative;
pub mod secret;
pub mod signing;
pub mod source;
pub mod sshsig;
pub mod verify;
pub mod versioned;

pub use authority::{
    Authority, AuthorityError, Lack, Named, Pinned, Proposed, ProposedKeyring, ProposedKind, Seen,
    named, newest_keyring, succeed,
};
pub use chain::{
    Advice, BaseDocuments, ChainDocuments, ChainError, ChainFacts, Local, OnFile, OwedAfterReview,
    Wish, advise, facts,
};
pub use change::{Change, Effect};
pub use document::{
    Document, DocumentError, Header, Problem, Salt, SignedBy, VersionRef, namespace, payload,
    payload_type, read_unverified, sign, sign_all, sign_more,
};
pub use documents::*;
pub use envelope::{Envelope, EnvelopeError, pae};
pub use imagine::{Ground, Scene};
pub use key::{Fingerprint, KeyError, PublicKey};
pub use negative::{InForce, Negative, Rejection};
pub use secret::{KeyFile, SecretKey};
pub use signing::ToSign;
pub use sshsig::{Sshsig, SshsigError};
pub use verify::{Signer, SoFar, Verified, signed_so_far, verify_key_claim};
pub use versioned::Versioned;

#[cfg(test)]
mod testing;
