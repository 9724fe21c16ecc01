//! Signing by another program: an SSH agent, a passphrase or a security key is `ssh-keygen`'s
//! business, so it gets the bytes and its answer is checked before anybody relies on it.
//!
//! Starting that program is not done here (this crate does no IO); keys in this process sign with
//! [`crate::sign`].

use crate::document::{
    Document, DocumentError, Problem, SignedBy, namespace, payload, payload_type, read_unverified,
};
use crate::envelope::{Envelope, pae};
use crate::key::PublicKey;
use crate::sshsig::{Sshsig, SshsigError};

/// A document that waits for its signature.
#[derive(Debug, Clone)]
pub struct ToSign {
    doc: &'static str,
    payload_type: String,
    payload: Vec<u8>,
    namespace: String,
    /// Of those who signed before.
    signatures: Vec<Sshsig>,
}

impl ToSign {
    /// Of a document.
    ///
    /// # Errors
    /// When the document breaks a rule of its kind, so that nothing invalid is ever signed.
    pub fn of<D: Document>(doc: &D) -> Result<Self, DocumentError> {
        Ok(Self {
            doc: D::DOC,
            payload_type: payload_type::<D>(),
            payload: payload(doc)?,
            namespace: namespace::<D>(doc.trust_domain()),
            signatures: Vec::new(),
        })
    }

    /// Of a document of a role that others have signed already: the same bytes, one signature more.
    ///
    /// # Errors
    /// When it is a document of one signer, is not valid, or a signature does not fit.
    pub fn more<D: Document>(envelope: &Envelope) -> Result<Self, DocumentError> {
        let doc: D = read_unverified(envelope)?;
        let error = |problem| DocumentError { doc: D::DOC, problem };
        if !matches!(doc.signed_by(), SignedBy::Role(_)) {
            return Err(error(Problem::OneSigner));
        }
        let namespace = namespace::<D>(doc.trust_domain());
        let message = pae(envelope.payload_type(), envelope.payload());
        for signature in envelope.signatures() {
            signature.verify(&namespace, &message).map_err(|e| error(Problem::Signature(e)))?;
        }
        Ok(Self {
            doc: D::DOC,
            payload_type: payload_type::<D>(),
            payload: envelope.payload().to_vec(),
            namespace,
            signatures: envelope.signatures().to_vec(),
        })
    }

    /// What the signature is made for: `ssh-keygen -Y sign -n NAMESPACE`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The bytes to sign.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }

    /// The envelope, once the signature has proved that `key` made it over these bytes.
    ///
    /// # Errors
    /// Another key, namespace or message, a security key that nobody touched, or a key that has
    /// signed already.
    pub fn signed(self, key: &PublicKey, signature: Sshsig) -> Result<Envelope, DocumentError> {
        let error = |problem| DocumentError { doc: self.doc, problem };
        if signature.key() != key {
            let (want, got) = (key.fingerprint(), signature.key().fingerprint());
            return Err(error(Problem::Signature(SshsigError::OtherKey { want, got })));
        }
        let message = pae(&self.payload_type, &self.payload);
        signature.verify(&self.namespace, &message).map_err(|e| error(Problem::Signature(e)))?;
        let mut signatures = self.signatures;
        signatures.push(signature);
        Envelope::assemble(self.payload_type, self.payload, signatures)
            .map_err(|e| DocumentError { doc: self.doc, problem: Problem::Envelope(e) })
    }
}

#[cfg(test)]
mod tests;
