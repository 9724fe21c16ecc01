//! Signed notes (C2SP signed-note): a text, an empty line, and one line a signature.
//!
//! Only the two algorithms that a log needs: ed25519 (type 0x01) and the witness's timestamped
//! cosignature (C2SP tlog-cosignature v1, type 0x04). Every signature is checked by
//! `verify_strict`. What the text says is [`crate::checkpoint`]'s business.

mod keys;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use keys::{Algorithm, KeyError, LogKey, Origin, VerifierKey};

/// Bytes of a whole note. A checkpoint with 16 signatures is below 3 KiB.
pub const NOTE_BYTES_MAX: usize = 16 << 10;

/// Signature lines of one note: the log, a rotated key, and some witnesses.
pub const SIGNATURES_MAX: usize = 16;

/// What every signature line begins with: an em dash and a space.
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// A note whose form is right. Nothing is known about its signatures until one is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    body: String,
    signatures: Vec<SignatureLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SignatureLine {
    name: Origin,
    key_id: [u8; 4],
    signature: Vec<u8>,
}

/// Why a note is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The bytes are not a signed note; says which rule is broken.
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    /// No signature line carries this key's name and id.
    #[error("not signed by {0}")]
    Unsigned(Origin),
    /// A line claims to be by this key and is not.
    #[error("the signature that claims to be by {0} is false")]
    BadSignature(Origin),
}

impl Note {
    /// Parses a note.
    ///
    /// # Errors
    /// When a rule of the format is broken: size, control characters, signature lines, base64, two
    /// signatures by one key.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed;
        if text.len() > NOTE_BYTES_MAX {
            return Err(malformed("longer than 16 KiB"));
        }
        if text.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(malformed("a control character"));
        }
        let split = text.rfind("\n\n").ok_or(malformed("no empty line before the signatures"))?;
        let (body, rest) = (&text[..=split], &text[split + 2..]);
        let rest = rest.strip_suffix('\n').ok_or(malformed("no newline at the end"))?;
        let mut signatures: Vec<SignatureLine> = Vec::new();
        for line in rest.split('\n') {
            let line = SignatureLine::parse(line)?;
            if signatures.len() == SIGNATURES_MAX {
                return Err(malformed("more than 16 signatures"));
            }
            if signatures.iter().any(|s| s.name == line.name && s.key_id == line.key_id) {
                return Err(malformed("two signatures by one key"));
            }
            signatures.push(line);
        }
        Ok(Self { body: body.to_owned(), signatures })
    }

    /// A note over `body` signed by the log's key.
    ///
    /// # Errors
    /// When `body` does not end with a newline or contains what a note cannot carry.
    pub fn sign(body: &str, key: &LogKey) -> Result<Self, NoteError> {
        let line = SignatureLine {
            name: key.verifier().name().clone(),
            key_id: key.verifier().id(),
            signature: key.sign(body.as_bytes()).to_vec(),
        };
        // Parsing what would be sent is the one place where the rules are written down.
        Self::parse(&Self { body: body.to_owned(), signatures: vec![line] }.to_string())
    }

    /// The signed text, with its last newline.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Verifies this key's signature over the body.
    ///
    /// # Errors
    /// [`NoteError::Unsigned`] when no line is by this key, [`NoteError::BadSignature`] when one
    /// claims to be and is not. A cosignature's key is never taken for a log's.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        let line = self.line(key, Algorithm::Ed25519)?;
        let genuine = key.verify(self.body.as_bytes(), &line.signature);
        genuine.then_some(()).ok_or_else(|| NoteError::BadSignature(key.name().clone()))
    }

    /// Verifies a witness's cosignature and returns its time in seconds since the Unix epoch.
    ///
    /// # Errors
    /// As [`Note::verify`].
    pub fn verify_cosignature(&self, witness: &VerifierKey) -> Result<u64, NoteError> {
        let line = self.line(witness, Algorithm::CosignatureV1)?;
        let bad = || NoteError::BadSignature(witness.name().clone());
        let (time, signature) = line.signature.split_first_chunk::<8>().ok_or_else(bad)?;
        let time = u64::from_be_bytes(*time);
        let message = format!("cosignature/v1\ntime {time}\n{}", self.body);
        witness.verify(message.as_bytes(), signature).then_some(time).ok_or_else(bad)
    }

    fn line(&self, key: &VerifierKey, wanted: Algorithm) -> Result<&SignatureLine, NoteError> {
        self.signatures
            .iter()
            .find(|s| key.algorithm() == wanted && s.name == *key.name() && s.key_id == key.id())
            .ok_or_else(|| NoteError::Unsigned(key.name().clone()))
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.body)?;
        for line in &self.signatures {
            let blob = [&line.key_id[..], &line.signature].concat();
            writeln!(f, "{SIGNATURE_PREFIX}{} {}", line.name, STANDARD.encode(blob))?;
        }
        Ok(())
    }
}

impl SignatureLine {
    fn parse(line: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed;
        let (name, blob) = line
            .strip_prefix(SIGNATURE_PREFIX)
            .and_then(|rest| rest.split_once(' '))
            .ok_or(malformed("a signature line is an em dash, a name and base64"))?;
        let name = name.parse().map_err(|_| malformed("a signature's name"))?;
        let blob = STANDARD.decode(blob).map_err(|_| malformed("a signature's base64"))?;
        let (key_id, signature) =
            blob.split_first_chunk::<4>().ok_or(malformed("a signature without a key id"))?;
        if signature.is_empty() {
            return Err(malformed("an empty signature"));
        }
        Ok(Self { name, key_id: *key_id, signature: signature.to_vec() })
    }
}
