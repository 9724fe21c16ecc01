//! Signatures that are missing, somebody else's, made without a touch, or in another encoding.

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256, Sha512};
use tests::town::{KeyState, Town};
use trust::{PublicKey, Sshsig, pae};

use super::papers::{Desk, Paper, payload_type, refusal};

/// Strings of RFC 4251, one after the other.
fn strings(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

/// An SSHSIG by hand, so that each part of it can be something else.
struct Blob {
    key: Vec<u8>,
    namespace: Vec<u8>,
    reserved: Vec<u8>,
    hash: Vec<u8>,
    signature: Vec<u8>,
}

impl Blob {
    /// What a plain key gives for a paper.
    fn plain(town: &Town, paper: &Paper) -> Self {
        let key = SigningKey::from_bytes(&town.key(paper.by, KeyState::Active).seed());
        let signature = key.sign(&signed(town, paper));
        Self {
            key: strings(&[b"ssh-ed25519", key.verifying_key().as_bytes()]),
            namespace: paper.namespace(town).into_bytes(),
            reserved: vec![],
            hash: b"sha512".to_vec(),
            signature: strings(&[b"ssh-ed25519", &signature.to_bytes()]),
        }
    }

    /// What a security key of the same person gives, by PROTOCOL.u2f, with these flags.
    fn touched(town: &Town, paper: &Paper, flags: u8) -> Self {
        let key = SigningKey::from_bytes(&town.token_key(paper.by).seed());
        let counter = 7_u32.to_be_bytes();
        let message = Sha256::digest(signed(town, paper));
        let application = Sha256::digest(b"ssh:");
        let raw = [application.as_slice(), &[flags], &counter, message.as_slice()].concat();
        let mut signature = strings(&[b"sk-ssh-ed25519@openssh.com", &key.sign(&raw).to_bytes()]);
        signature.push(flags);
        signature.extend_from_slice(&counter);
        let public = key.verifying_key();
        Self {
            key: strings(&[b"sk-ssh-ed25519@openssh.com", public.as_bytes(), b"ssh:"]),
            signature,
            ..Self::plain(town, paper)
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { key, namespace, reserved, hash, signature } = self;
        let parts = strings(&[key, namespace, reserved, hash, signature]);
        [b"SSHSIG\0\0\0\x01", parts.as_slice()].concat()
    }

    /// An envelope of the paper with this signature, as JSON: nothing checks it on the way.
    fn envelope(&self, paper: &Paper) -> Vec<u8> {
        envelope(paper, &[(fingerprint(&self.key), self.bytes())])
    }
}

/// What is signed for a paper, before a security key adds its own.
fn signed(town: &Town, paper: &Paper) -> Vec<u8> {
    let hash = Sha512::digest(pae(&payload_type(paper.doc), &paper.payload));
    let namespace = paper.namespace(town).into_bytes();
    [b"SSHSIG", strings(&[&namespace, b"", b"sha512", hash.as_slice()]).as_slice()].concat()
}

fn fingerprint(key: &[u8]) -> String {
    PublicKey::from_blob(key).unwrap().fingerprint().as_str().to_owned()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let three = [chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)];
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..4_u8 {
            let index = usize::try_from(bits >> (18 - 6 * u32::from(place)) & 63).unwrap();
            let padding = usize::from(place) > chunk.len();
            text.push(if padding { '=' } else { char::from(ALPHABET[index]) });
        }
    }
    text
}

fn envelope(paper: &Paper, signatures: &[(String, Vec<u8>)]) -> Vec<u8> {
    let signatures: Vec<String> = signatures
        .iter()
        .map(|(keyid, sig)| format!(r#"{{"keyid":"{keyid}","sig":"{}"}}"#, base64(sig)))
        .collect();
    format!(
        r#"{{"payload":"{}","payloadType":"{}","signatures":[{}]}}"#,
        base64(&paper.payload),
        payload_type(paper.doc),
        signatures.join(",")
    )
    .into_bytes()
}

/// The order of the group, little-endian: a signature's second half plus this is the same scalar.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn plus_order(scalar: &mut [u8]) {
    let mut carry = 0_u16;
    for (byte, order) in scalar.iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0, "two of eight times fit");
}

#[tokio::test(flavor = "multi_thread")]
async fn stripped_swapped_and_surplus_signatures_are_refused() {
    let town = Town::found().await;
    let desk = Desk::set(&town).await;
    let (papers, twins) = (desk.papers(&town), desk.papers(&town));
    for (paper, twin) in papers.iter().zip(&twins) {
        let own = Blob::plain(&town, paper);
        let (keyid, sig) = (fingerprint(&own.key), own.bytes());
        let others = Blob::plain(&town, twin).bytes();
        let second = town.key(paper.by, KeyState::Second);
        let (namespace, message) =
            (paper.namespace(&town), pae(&payload_type(paper.doc), &paper.payload));
        let second = Sshsig::sign(second, &namespace, &message);
        let second = (second.key().fingerprint().as_str().to_owned(), second.to_blob());
        let stranger = Sshsig::sign(town.key("mallory", KeyState::Active), &namespace, &message);
        let stranger = (stranger.key().fingerprint().as_str().to_owned(), stranger.to_blob());
        let mut tampered = vec![
            ("no signature", vec![]),
            ("the signature of its twin", vec![(keyid.clone(), others)]),
            ("the same signature twice", vec![(keyid.clone(), sig.clone()); 2]),
            ("another's key id", vec![(stranger.0.clone(), sig.clone())]),
            ("another's signature", vec![stranger.clone()]),
            ("its own and another's", vec![(keyid.clone(), sig.clone()), stranger]),
        ];
        // Documents of a role may have more signatures of those who hold it.
        if !["lift", "status"].contains(&paper.doc) {
            tampered.push(("two keys of one person", vec![(keyid, sig), second]));
        }
        for (story, signatures) in tampered {
            let code = paper.refused(&town, &envelope(paper, &signatures), story).await;
            assert_eq!(code, "document-invalid", "{}: {story}", paper.doc);
        }
    }
    Desk::set(&town).await.honest_ones_are_taken(&town).await;
    town.served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_has_one_encoding() {
    let town = Town::found().await;
    let desk = Desk::set(&town).await;
    for paper in desk.papers(&town) {
        let plain = || Blob::plain(&town, &paper);
        let keyid = fingerprint(&plain().key);
        let mut tampered = vec![
            ("the hash is named sha256", Blob { hash: b"sha256".to_vec(), ..plain() }.bytes()),
            ("something is reserved", Blob { reserved: vec![0], ..plain() }.bytes()),
            ("no namespace", Blob { namespace: vec![], ..plain() }.bytes()),
            ("a longer namespace", {
                let namespace = [plain().namespace, vec![b'2']].concat();
                Blob { namespace, ..plain() }.bytes()
            }),
            ("a byte after it", [plain().bytes(), vec![0]].concat()),
            ("a byte after the inner one", {
                let signature = [plain().signature, vec![0]].concat();
                Blob { signature, ..plain() }.bytes()
            }),
            ("another type inside", {
                let raw = plain().signature.split_off(4 + 11 + 4);
                Blob { signature: strings(&[b"ssh-rsa", &raw]), ..plain() }.bytes()
            }),
            ("cut short", plain().bytes()[..100].to_vec()),
            ("the bare 64 bytes", plain().signature.split_off(4 + 11 + 4)),
        ];
        let mut bytes = plain().bytes();
        bytes[9] = 2;
        tampered.push(("version 2", bytes));
        // The same point and another name of the same scalar: a verifier that reduces takes it.
        let mut moved = plain();
        let at = moved.signature.len() - 32;
        if moved.signature[at + 31] <= 0x0f {
            plus_order(&mut moved.signature[at..]);
            tampered.push(("the scalar plus the order", moved.bytes()));
        }
        for (story, sig) in tampered {
            let forged = envelope(&paper, &[(keyid.clone(), sig)]);
            let code = paper.refused(&town, &forged, story).await;
            assert_eq!(code, "document-invalid", "{}: {story}", paper.doc);
        }
        // The hand that made all of these makes a right one, too.
        assert_eq!(plain().envelope(&paper), paper.honest(&town).to_json().unwrap());
    }
    town.served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_security_key_that_nobody_touched_says_nothing() {
    let town = Town::found().await;
    let desk = Desk::set(&town).await;
    for paper in desk.papers(&town) {
        // Carol holds the role `status`, which signs while nobody is there: she has no such key.
        if paper.by == "carol" {
            continue;
        }
        let touched = |flags| Blob::touched(&town, &paper, flags);
        let mut tampered = vec![
            ("no flag", touched(0)),
            ("verified, not present", touched(0x04)),
            ("backed up, not present", touched(0x18)),
            ("a reserved flag", touched(0x03)),
            ("attested data that is not there", touched(0x41)),
            ("extensions that are not there", touched(0x81)),
        ];
        for (story, byte) in [("a flag set afterwards", 5), ("another counter", 1)] {
            let mut blob = touched(if byte == 5 { 0 } else { 1 });
            let at = blob.signature.len() - byte;
            blob.signature[at] |= 1;
            if byte == 1 {
                blob.signature[at] ^= 0x80;
            }
            tampered.push((story, blob));
        }
        // The same 32 bytes as a plain key, and for another application.
        let seed = town.token_key(paper.by).seed();
        let key = SigningKey::from_bytes(&seed);
        let plain = key.sign(&signed(&town, &paper)).to_bytes();
        tampered.push((
            "its material as a plain key",
            Blob {
                key: strings(&[b"ssh-ed25519", key.verifying_key().as_bytes()]),
                signature: strings(&[b"ssh-ed25519", &plain]),
                ..Blob::plain(&town, &paper)
            },
        ));
        let public = key.verifying_key();
        let parts: [&[u8]; 3] = [b"sk-ssh-ed25519@openssh.com", public.as_bytes(), b"ssh:evil"];
        tampered.push(("another application", Blob { key: strings(&parts), ..touched(1) }));
        for (story, blob) in tampered {
            let code = paper.refused(&town, &blob.envelope(&paper), story).await;
            assert_eq!(code, "document-invalid", "{}: {story}", paper.doc);
        }
        let taken = paper.send(&town, &touched(0x05).envelope(&paper)).await;
        if paper.doc == "run-request" {
            // Its id was used up by the orders that were denied.
            continue;
        }
        assert_eq!(refusal(&taken), None, "{}: touched, it is taken: {taken:?}", paper.doc);
    }
    town.served.close().await;
}
