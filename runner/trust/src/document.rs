//! What every signed document has in common: its header, its one encoding, and its errors.
//!
//! A payload is accepted only if it is byte for byte what we would write for the value that it
//! means: compact JSON, fields in the order of FORMAT.md. So there is one text per document, and no
//! parser can read another meaning into it. The structs are in [`crate::documents`].

mod later;
mod shape;

use std::fmt;

use domain::decide::Window;
use domain::{Digest, PersonId, RunnerName, Timestamp, TrustDomain};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use later::{Full, InProcess, NullOnly};

use crate::documents::Role;
use crate::envelope::{Envelope, EnvelopeError, PAYLOAD_BYTES_MAX};
use crate::key::{Fingerprint, PublicKey};
use crate::secret::SecretKey;
use crate::sshsig::{Sshsig, SshsigError};

/// Why a document is refused. `Display` names the document's kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{doc}: {problem}")]
pub struct DocumentError {
    /// The kind, as `review`.
    pub doc: &'static str,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The envelope.
    #[error("{0}")]
    Envelope(EnvelopeError),
    /// Another kind of document.
    #[error("the envelope carries `{0}`")]
    Type(String),
    /// Unknown, missing or duplicate field, wrong type, number too large.
    #[error("field `{field}`: {what}")]
    Field {
        /// Its path, as `scope.limits.fuel_max`; `.` is the whole.
        field: String,
        /// What is wrong and what is accepted.
        what: String,
    },
    /// The value is right, its text is not.
    #[error(
        "it is not written in its one form (FORMAT.md) at byte {0}; sign it again with borescope"
    )]
    Form(usize),
    /// Signed for another trust domain.
    #[error("it is for trust domain `{got}`, and this one is `{want}`")]
    TrustDomain {
        /// Ours.
        want: TrustDomain,
        /// The document's.
        got: TrustDomain,
    },
    /// A signature does not verify.
    #[error("{0}")]
    Signature(SshsigError),
    /// A person's document has one signature.
    #[error("it has {0} signatures; exactly one is accepted")]
    SignatureCount(usize),
    /// A second signature for a document of one signer.
    #[error("it has one signer; only a document of a role is signed by several people")]
    OneSigner,
    /// Nobody that we know holds the key.
    #[error("nobody known holds the key {0} that signed it; have the key enrolled")]
    UnknownKey(Fingerprint),
    /// The key must not sign any more.
    #[error("the key {0} that signed it is {1}; sign with an active key")]
    KeyNotActive(Fingerprint, &'static str),
    /// The key is stopped.
    #[error("the key {0} that signed it is stopped; sign with another key")]
    KeyStopped(Fingerprint),
    /// Somebody who signed is stopped.
    #[error("{0}, who signed it, is stopped")]
    PersonStopped(PersonId),
    /// Signed by somebody else than it says.
    #[error("it names {named}, and {signed} signed it")]
    Signer {
        /// Whom the document names.
        named: String,
        /// Whose key signed.
        signed: String,
    },
    /// The signer lacks the role.
    #[error("{person} does not hold the role `{role}` in the keyring")]
    NoRole {
        /// Who signed.
        person: PersonId,
        /// The role needed.
        role: Role,
    },
    /// Too few people of the role signed.
    #[error("{got} of {want} people of the role `{role}` signed it")]
    Threshold {
        /// The role.
        role: Role,
        /// People needed.
        want: u32,
        /// Distinct people who signed.
        got: usize,
    },
    /// Outside its window.
    #[error("it is valid {0}, and it is {1}")]
    Window(Window, Timestamp),
}

/// 16 random bytes that make a document's digest unguessable; 32 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

impl Serialize for Salt {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let mut out = [0; 16];
        match hex::decode_to_slice(&text, &mut out) {
            Ok(()) if hex::encode(out) == text => Ok(Self(out)),
            _ => Err(serde::de::Error::custom("expected 32 lower-case hex digits")),
        }
    }
}

/// The first field of every document but `login`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header<I> {
    /// The audience.
    pub trust_domain: TrustDomain,
    /// The document's id, of its own kind.
    pub id: I,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// Randomness.
    pub salt: Salt,
}

impl<I> Header<I> {
    /// When the document is valid.
    #[must_use]
    pub const fn window(&self) -> Window {
        Window { not_before: self.not_before, not_after: self.not_after }
    }
}

/// A version of a keyring, directory or policy, with the digest of its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionRef {
    /// From 1.
    pub version: u64,
    /// Of the payload's bytes.
    pub digest: Digest,
}

/// Whose signature a document needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedBy<'a> {
    /// The person that it names.
    Person(&'a PersonId),
    /// The person that it names, holding a role.
    Holder(&'a PersonId, Role),
    /// A threshold of a role.
    Role(Role),
    /// A runner's own key.
    Runner(&'a RunnerName),
    /// The key that it is about.
    Key(&'a PublicKey),
}

/// A kind of signed document.
pub trait Document: Serialize + DeserializeOwned + fmt::Debug {
    /// Its name in payload type and namespace, as `access-request`.
    const DOC: &'static str;
    /// Bytes of its payload.
    const BYTES_MAX: usize = PAYLOAD_BYTES_MAX;

    /// The audience.
    fn trust_domain(&self) -> &TrustDomain;
    /// When it is valid.
    fn window(&self) -> Window;
    /// Who has to sign.
    fn signed_by(&self) -> SignedBy<'_>;
    /// What its types cannot say.
    ///
    /// # Errors
    /// Names the field.
    fn check(&self) -> Result<(), Problem> {
        Ok(())
    }
}

/// `application/vnd.borescope.<doc>.v1+json`
#[must_use]
pub fn payload_type<D: Document>() -> String {
    format!("application/vnd.borescope.{}.v1+json", D::DOC)
}

/// `borescope-<doc>-v1@<trust-domain>`
#[must_use]
pub fn namespace<D: Document>(domain: &TrustDomain) -> String {
    format!("borescope-{}-v1@{domain}", D::DOC)
}

pub(crate) fn error<D: Document>(problem: Problem) -> DocumentError {
    DocumentError { doc: D::DOC, problem }
}

impl Problem {
    /// The same, of a field of the part at `path`.
    pub(crate) fn within(self, path: &str) -> Self {
        match self {
            Self::Field { field, what } => Self::Field { field: format!("{path}.{field}"), what },
            other => other,
        }
    }
}

pub(crate) fn field(name: impl Into<String>, what: impl Into<String>) -> Problem {
    Problem::Field { field: name.into(), what: what.into() }
}

/// The bytes that are signed for `doc`.
///
/// # Errors
/// When the document breaks a rule of its kind, so that nothing invalid is ever signed.
pub fn payload<D: Document>(doc: &D) -> Result<Vec<u8>, DocumentError> {
    let bytes = serde_json::to_vec(doc).map_err(|e| error::<D>(field(".", e.to_string())))?;
    // What cannot be read back is not signed: numbers, windows, later fields.
    read_payload::<D>(&bytes)?;
    Ok(bytes)
}

/// Signs with one key.
///
/// # Errors
/// As [`payload`].
pub fn sign<D: Document>(doc: &D, key: &SecretKey) -> Result<Envelope, DocumentError> {
    sign_all(doc, &[key])
}

/// Signs with several keys, for documents that need a threshold.
///
/// # Errors
/// As [`payload`]; none or too many keys, or one twice.
pub fn sign_all<D: Document>(doc: &D, keys: &[&SecretKey]) -> Result<Envelope, DocumentError> {
    let bytes = payload(doc)?;
    let namespace = namespace::<D>(doc.trust_domain());
    Envelope::sign(payload_type::<D>(), bytes, &namespace, keys)
        .map_err(|e| error::<D>(Problem::Envelope(e)))
}

/// Adds the signature of one more key to a document of a role, so that several people can sign one
/// after another. What was signed before is verified first.
///
/// # Errors
/// A document of one signer, one that is not valid, a signature that does not fit, or a key that has
/// signed already.
pub fn sign_more<D: Document>(
    envelope: &Envelope,
    key: &SecretKey,
) -> Result<Envelope, DocumentError> {
    let to_sign = crate::signing::ToSign::more::<D>(envelope)?;
    let signature = Sshsig::sign(key, to_sign.namespace(), &to_sign.message());
    to_sign.signed(key.public(), signature)
}

/// Reads a document **without verifying any signature**: to show it, or to route it. Every decision
/// needs [`crate::Authority`].
///
/// # Errors
/// Another kind of document, or a payload that is not in its one form.
pub fn read_unverified<D: Document>(envelope: &Envelope) -> Result<D, DocumentError> {
    if envelope.payload_type() != payload_type::<D>() {
        let got = envelope.payload_type().chars().take(80).collect::<String>();
        return Err(error::<D>(Problem::Type(domain::display::neutralise(&got))));
    }
    read_payload(envelope.payload())
}

fn read_payload<D: Document>(bytes: &[u8]) -> Result<D, DocumentError> {
    if bytes.len() > D::BYTES_MAX {
        let e = EnvelopeError::PayloadTooLarge(bytes.len(), D::BYTES_MAX);
        return Err(error::<D>(Problem::Envelope(e)));
    }
    let doc: D = match serde_json::from_slice(bytes) {
        Ok(doc) if is_its_text(&doc, bytes) => doc,
        _ => return Err(error::<D>(why_not::<D>(bytes))),
    };
    if doc.window().seconds() < 0 {
        let what = "is after not_after; the document would never be valid";
        return Err(error::<D>(field("header.not_before", what)));
    }
    doc.check().map_err(|p| error::<D>(p))?;
    Ok(doc)
}

/// Whether `bytes` are the one text of `doc`. A text that comes out again has no field twice and
/// nothing after its end; how large its numbers are is the only rule that its types do not have.
fn is_its_text<D: Document>(doc: &D, bytes: &[u8]) -> bool {
    shape::numbers_are_small(bytes) && serde_json::to_vec(doc).is_ok_and(|again| again == bytes)
}

/// What keeps a payload from being a document. Slower than reading it, because it says where.
fn why_not<D: Document>(bytes: &[u8]) -> Problem {
    let read = || -> Result<D, Problem> {
        shape::check(bytes)?;
        let mut de = serde_json::Deserializer::from_slice(bytes);
        serde_path_to_error::deserialize(&mut de)
            .map_err(|e| field(e.path().to_string(), shape::words(e.inner())))
    };
    match read() {
        Err(problem) => problem,
        Ok(doc) => {
            let again = serde_json::to_vec(&doc).unwrap_or_default();
            Problem::Form(again.iter().zip(bytes).take_while(|(a, b)| a == b).count())
        }
    }
}

#[cfg(test)]
mod tests;
