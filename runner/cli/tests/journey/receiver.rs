//! Somebody who receives webhooks, and verifies them with nothing of ours.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// How it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// With this head.
    Head(String),
    /// It takes the message, and nothing comes back.
    Silence,
}

impl Answer {
    pub(crate) fn status(status: &str) -> Self {
        Self::Head(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"))
    }
}

/// One message, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) head: String,
    pub(crate) body: String,
    /// Whether it was answered with success.
    pub(crate) taken: bool,
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| {
            let (n, value) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        line.unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether one of its signatures is that of `secret`, as `whsec_…`.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.trim().strip_prefix("whsec_").unwrap()).unwrap();
        let (id, at) = (self.id(), self.header("webhook-timestamp"));
        let mac = hmac_sha256(&key, format!("{id}.{at}.{}", self.body).as_bytes());
        let wanted = format!("v1,{}", STANDARD.encode(mac));
        self.header("webhook-signature").split(' ').any(|s| s == wanted)
    }
}

/// RFC 2104, by hand.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad =
        |with: u8| (0..64).map(|i| key.get(i).copied().unwrap_or(0) ^ with).collect::<Vec<_>>();
    let inner = Sha256::digest([&pad(0x36)[..], message].concat());
    Sha256::digest([&pad(0x5c)[..], &inner[..]].concat()).to_vec()
}

/// Receives.
pub(crate) struct Receiver {
    pub(crate) url: String,
    answer: Arc<Mutex<Answer>>,
    got: Arc<Mutex<Vec<Message>>>,
}

impl Receiver {
    pub(crate) fn new(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook-with-a-secret-path", listener.local_addr().unwrap());
        let receiver = Self { url, answer: Arc::new(Mutex::new(answer)), got: Arc::default() };
        let (answer, got) = (Arc::clone(&receiver.answer), Arc::clone(&receiver.got));
        std::thread::spawn(move || {
            // Those that get no answer are kept open.
            let mut silent = Vec::new();
            for mut caller in listener.incoming().map_while(Result::ok) {
                let Some((head, body)) = read(&mut caller) else { continue };
                let answer = answer.lock().unwrap().clone();
                let taken = matches!(&answer, Answer::Head(head) if head.contains(" 200 "));
                got.lock().unwrap().push(Message { head, body, taken });
                match answer {
                    Answer::Head(head) => drop(caller.write_all(head.as_bytes())),
                    Answer::Silence => silent.push(caller),
                }
            }
        });
        receiver
    }

    pub(crate) fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// Everything so far, also what was not taken.
    pub(crate) fn got(&self) -> Vec<Message> {
        self.got.lock().unwrap().clone()
    }

    /// What was taken, once `enough` is true of it.
    pub(crate) fn wait(&self, what: &str, enough: impl Fn(&[Message]) -> bool) -> Vec<Message> {
        let taken = || self.got().into_iter().filter(|m| m.taken).collect::<Vec<_>>();
        until(what, || enough(&taken()));
        taken()
    }
}

/// Looks until something is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < patience, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Head and body of a request that says its length.
fn read(from: &mut TcpStream) -> Option<(String, String)> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
            });
            if body.len() >= length?.ok()? {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        match from.read(&mut piece) {
            Ok(n @ 1..) => bytes.extend_from_slice(&piece[..n]),
            _ => return None,
        }
    }
}
