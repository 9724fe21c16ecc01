//! Signed documents: what people say, checked without trusting whoever carried it.
//!
//! Envelopes (DSSE) with SSH signatures, keys, the documents of FORMAT.md, the rules of keyring,
//! directory and policy, and the facts that [`domain::decide()`] decides on. Pure: time, entropy and
//! state are parameters. Not here: the decision itself (`domain`), the log (`ledger`), files and
//! network (everybody else).

mod wire;

pub mod authority;
pub mod chain;
pub mod document;
pub mod documents;
pub mod envelope;
pub mod key;
pub mod secret;
pub mod signing;
pub mod source;
pub mod sshsig;
pub mod verify;

pub use authority::{Authority, AuthorityError, Pinned, Seen};
pub use chain::{ChainDocuments, ChainError, Local, facts};
pub use document::{
    Document, DocumentError, Header, Problem, Salt, SignedBy, VersionRef, namespace, payload,
    payload_type, read_unverified, sign, sign_all,
};
pub use documents::*;
pub use envelope::{Envelope, EnvelopeError, pae};
pub use key::{Fingerprint, KeyError, PublicKey};
pub use secret::{KeyFile, SecretKey};
pub use signing::ToSign;
pub use sshsig::{Sshsig, SshsigError};
pub use verify::{Signer, Verified};

#[cfg(test)]
mod testing;
