//! An agent that holds one key as a security key would: it signs by PROTOCOL.u2f and says what flags a
//! test wants. The hardware is the only thing that is not real; `ssh-keygen` talks to it as to any
//! agent (draft-miller-ssh-agent).

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

const KIND: &[u8] = b"sk-ssh-ed25519@openssh.com";
const APPLICATION: &[u8] = b"ssh:";
const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// A security key that is plugged in.
pub(crate) struct Token {
    key: Arc<SigningKey>,
    flags: Arc<AtomicU8>,
}

impl Token {
    /// Listens on `socket` until the test ends; touched by default.
    pub(crate) fn plug_in(socket: &Path) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let key = Arc::new(SigningKey::from_bytes(&[42; 32]));
        let flags = Arc::new(AtomicU8::new(1));
        let (held, now) = (Arc::clone(&key), Arc::clone(&flags));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A client that goes away is done.
                drop(serve(client, &held, &now));
            }
        });
        Self { key, flags }
    }

    /// Its public key, as a line of a `.pub` file.
    pub(crate) fn line(&self) -> String {
        let kind = String::from_utf8_lossy(KIND);
        format!("{kind} {} carol@token\n", STANDARD.encode(blob(&self.key)))
    }

    /// What it says about the next signatures: 1 is touched.
    pub(crate) fn set_flags(&self, flags: u8) {
        self.flags.store(flags, Ordering::SeqCst);
    }
}

fn serve(mut client: UnixStream, key: &SigningKey, flags: &AtomicU8) -> std::io::Result<()> {
    loop {
        let mut length = [0; 4];
        client.read_exact(&mut length)?;
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        client.read_exact(&mut request)?;
        let answer = match request.first() {
            Some(&REQUEST_IDENTITIES) => {
                let one = [&1_u32.to_be_bytes()[..], &strings(&[&blob(key), b"token"])].concat();
                [&[IDENTITIES_ANSWER][..], &one].concat()
            }
            Some(&SIGN_REQUEST) => {
                let data = second_string(&request[1..]);
                let signature = sign(key, flags.load(Ordering::SeqCst), data);
                [&[SIGN_RESPONSE][..], &strings(&[&signature])].concat()
            }
            _ => vec![FAILURE],
        };
        client.write_all(&strings(&[&answer]))?;
    }
}

fn sign(key: &SigningKey, flags: u8, data: &[u8]) -> Vec<u8> {
    let touch = [&[flags][..], &7_u32.to_be_bytes()].concat();
    let message = [&Sha256::digest(APPLICATION)[..], &touch, &Sha256::digest(data)[..]].concat();
    [strings(&[KIND, &key.sign(&message).to_bytes()]), touch].concat()
}

fn blob(key: &SigningKey) -> Vec<u8> {
    strings(&[KIND, key.verifying_key().as_bytes(), APPLICATION])
}

/// Strings of RFC 4251, one after the other.
fn strings(parts: &[&[u8]]) -> Vec<u8> {
    let with_length =
        |part: &&[u8]| [&u32::try_from(part.len()).unwrap().to_be_bytes()[..], part].concat();
    parts.iter().flat_map(with_length).collect()
}

fn second_string(bytes: &[u8]) -> &[u8] {
    let length = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let at = 4 + length(0);
    &bytes[at + 4..at + 4 + length(at)]
}
