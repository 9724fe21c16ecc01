//! A security key without the hardware: it signs by PROTOCOL.u2f, with whatever flags a test wants.

use super::key;
use crate::document::Document;
use crate::*;

/// A security key made of a seed: what it holds, and what it would answer.
pub(crate) struct SecurityKey {
    secret: SecretKey,
    application: &'static str,
}

impl SecurityKey {
    pub(crate) fn new(n: u8) -> Self {
        Self { secret: key(n), application: "ssh:" }
    }

    pub(crate) fn for_application(self, application: &'static str) -> Self {
        Self { application, ..self }
    }

    /// The public key's wire form, by PROTOCOL.u2f.
    pub(crate) fn blob(&self) -> Vec<u8> {
        strings(&[
            b"sk-ssh-ed25519@openssh.com",
            self.secret.public().as_bytes(),
            self.application.as_bytes(),
        ])
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey::from_blob(&self.blob()).unwrap()
    }

    /// An SSHSIG, by PROTOCOL.sshsig and PROTOCOL.u2f and not by the code under test.
    pub(crate) fn sshsig(&self, namespace: &str, message: &[u8], flags: u8) -> Vec<u8> {
        use sha2::{Digest as _, Sha256, Sha512};
        let counter = 7_u32.to_be_bytes();
        let hash = Sha512::digest(message);
        let parts = strings(&[namespace.as_bytes(), b"", b"sha512", hash.as_slice()]);
        let signed = [b"SSHSIG", parts.as_slice()].concat();
        let application = Sha256::digest(self.application.as_bytes());
        let signed = Sha256::digest(&signed);
        let raw = [application.as_slice(), &[flags], &counter, signed.as_slice()].concat();
        let raw = self.secret.sign_raw(&raw);
        let mut signature = strings(&[b"sk-ssh-ed25519@openssh.com", &raw]);
        signature.push(flags);
        signature.extend_from_slice(&counter);
        let parts = [&self.blob()[..], namespace.as_bytes(), b"", b"sha512", &signature];
        [b"SSHSIG\0\0\0\x01", strings(&parts).as_slice()].concat()
    }

    /// The document under this key's signature, not verified.
    pub(crate) fn sign<D: Document>(&self, doc: &D, flags: u8) -> Envelope {
        let (payload_type, bytes) = (crate::payload_type::<D>(), payload(doc).unwrap());
        let namespace = crate::namespace::<D>(doc.trust_domain());
        let blob = self.sshsig(&namespace, &pae(&payload_type, &bytes), flags);
        let signature = Sshsig::from_blob(&blob).unwrap();
        Envelope::assemble(payload_type, bytes, vec![signature]).unwrap()
    }
}

/// Strings of RFC 4251, one after the other.
fn strings(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}
