//! The DSSE envelope and its pre-authentication encoding (PAE).
//!
//! An envelope carries a payload's exact bytes and signatures over them; nothing is ever signed or
//! compared after re-serialising. Neighbours: [`crate::sshsig`] makes the signatures,
//! [`crate::document`] says what a payload is, [`crate::verify`] says whose signatures count.

use domain::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha512};

use crate::key::Fingerprint;
use crate::secret::SecretKey;
use crate::sshsig::{Sshsig, SshsigError};
use crate::wire::{base64_of, from_base64};

/// Bytes of a payload; documents of one statement are far smaller.
pub const PAYLOAD_BYTES_MAX: usize = 64 << 10;
/// Bytes of the payload of a policy or directory: they list everything and everybody.
pub const POLICY_BYTES_MAX: usize = 1 << 20;
/// Signatures of one envelope; the largest threshold of a keyring is smaller.
pub const SIGNATURES_MAX: usize = 16;

/// Why an envelope is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON of this shape; the parser's words say where.
    #[error("the envelope is not well formed: {0}")]
    Syntax(String),
    /// Base64 other than standard with padding.
    #[error("`{0}` of the envelope is not standard base64 with padding")]
    Base64(&'static str),
    /// Larger than its kind may be.
    #[error("the payload has {0} bytes; at most {1} are accepted")]
    PayloadTooLarge(usize, usize),
    /// None, or too many.
    #[error("the envelope has {0} signatures; 1 to {SIGNATURES_MAX} are accepted")]
    Signatures(usize),
    /// The same key signed twice.
    #[error("the envelope has two signatures of {0}")]
    KeyTwice(Fingerprint),
    /// A signature is not well formed.
    #[error("{0}")]
    Signature(SshsigError),
    /// The hint does not name the key of the signature.
    #[error("`keyid` is not the fingerprint of the signature's key, {0}")]
    KeyId(Fingerprint),
}

/// A well-formed envelope. Its signatures are parsed, not verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawEnvelope", into = "RawEnvelope")]
pub struct Envelope {
    payload: Vec<u8>,
    payload_type: String,
    signatures: Vec<Sshsig>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEnvelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<RawSignature>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignature {
    keyid: String,
    sig: String,
}

impl Envelope {
    /// Parses the JSON form.
    ///
    /// # Errors
    /// Unknown, missing or duplicate fields, other base64, sizes, malformed signatures.
    pub fn from_json(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let raw: RawEnvelope =
            serde_json::from_slice(bytes).map_err(|e| EnvelopeError::Syntax(e.to_string()))?;
        raw.try_into()
    }

    /// The JSON form.
    ///
    /// # Errors
    /// Never in practice: an envelope is only text.
    pub fn to_json(&self) -> Result<Vec<u8>, EnvelopeError> {
        serde_json::to_vec(self).map_err(|e| EnvelopeError::Syntax(e.to_string()))
    }

    pub(crate) fn sign(
        payload_type: String,
        payload: Vec<u8>,
        namespace: &str,
        keys: &[&SecretKey],
    ) -> Result<Self, EnvelopeError> {
        let message = pae(&payload_type, &payload);
        let signatures = keys.iter().map(|k| Sshsig::sign(k, namespace, &message)).collect();
        Self { payload, payload_type, signatures }.checked()
    }

    /// Wraps signatures that another tool made over [`pae`] of the payload, as `ssh-keygen -Y sign`.
    ///
    /// # Errors
    /// None or too many signatures, or two of one key. They are not verified here.
    pub fn assemble(
        payload_type: String,
        payload: Vec<u8>,
        signatures: Vec<Sshsig>,
    ) -> Result<Self, EnvelopeError> {
        Self { payload, payload_type, signatures }.checked()
    }

    fn checked(self) -> Result<Self, EnvelopeError> {
        if self.payload.len() > POLICY_BYTES_MAX {
            return Err(EnvelopeError::PayloadTooLarge(self.payload.len(), POLICY_BYTES_MAX));
        }
        if !(1..=SIGNATURES_MAX).contains(&self.signatures.len()) {
            return Err(EnvelopeError::Signatures(self.signatures.len()));
        }
        for (i, s) in self.signatures.iter().enumerate() {
            if self.signatures[..i].iter().any(|e| e.key().as_bytes() == s.key().as_bytes()) {
                return Err(EnvelopeError::KeyTwice(s.key().fingerprint()));
            }
        }
        Ok(self)
    }

    /// The payload's exact bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The declared type; signed together with the payload.
    #[must_use]
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The document's identity: what approvals and run requests refer to.
    #[must_use]
    pub fn payload_digest(&self) -> Digest {
        Digest::of(&self.payload)
    }

    /// The signatures, not verified.
    #[must_use]
    pub fn signatures(&self) -> &[Sshsig] {
        &self.signatures
    }

    /// SHA-512 of the PAE, computed once for all signatures.
    pub(crate) fn hash(&self) -> [u8; 64] {
        Sha512::digest(pae(&self.payload_type, &self.payload)).into()
    }
}

impl TryFrom<RawEnvelope> for Envelope {
    type Error = EnvelopeError;
    fn try_from(raw: RawEnvelope) -> Result<Self, EnvelopeError> {
        let payload = from_base64(&raw.payload).ok_or(EnvelopeError::Base64("payload"))?;
        if !(1..=SIGNATURES_MAX).contains(&raw.signatures.len()) {
            return Err(EnvelopeError::Signatures(raw.signatures.len()));
        }
        let mut signatures = Vec::with_capacity(raw.signatures.len());
        for s in &raw.signatures {
            let blob = from_base64(&s.sig).ok_or(EnvelopeError::Base64("sig"))?;
            let parsed = Sshsig::from_blob(&blob).map_err(EnvelopeError::Signature)?;
            let fingerprint = parsed.key().fingerprint();
            if fingerprint.as_str() != s.keyid {
                return Err(EnvelopeError::KeyId(fingerprint));
            }
            signatures.push(parsed);
        }
        Self { payload, payload_type: raw.payload_type, signatures }.checked()
    }
}

impl From<Envelope> for RawEnvelope {
    fn from(e: Envelope) -> Self {
        let raw = |s: &Sshsig| RawSignature {
            keyid: s.key().fingerprint().as_str().to_owned(),
            sig: base64_of(&s.to_blob()),
        };
        Self {
            payload: base64_of(&e.payload),
            payload_type: e.payload_type,
            signatures: e.signatures.iter().map(raw).collect(),
        }
    }
}

/// DSSE's pre-authentication encoding: `DSSEv1 len type len body`, the bytes that are signed.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    out.reserve(payload.len());
    let mut out = out.into_bytes();
    out.extend_from_slice(payload);
    out
}

#[cfg(test)]
mod tests;
