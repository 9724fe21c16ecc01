//! A server that lies: between the program and an honest server stands one that asks for other things
//! and changes answers. People's programs sign nothing that was not asked for, and show nothing that
//! is not proved.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::machine::{Machine, Server, copy_bundle, free_port, text as field};
use super::{INPUT, shop};

/// What it does with the path that it is asked for, and with the JSON that comes back.
type Lie = Box<dyn Fn(&str, &mut Value) + Send>;

/// The one in the middle.
pub(crate) struct Liar {
    pub(crate) address: SocketAddr,
    /// Asked for the first, it answers with the second.
    pub(crate) instead: Arc<Mutex<Vec<(String, String)>>>,
    lie: Arc<Mutex<Lie>>,
    heard: Arc<Mutex<String>>,
}

impl Liar {
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let liar = Self {
            address: listener.local_addr().unwrap(),
            instead: Arc::default(),
            lie: Arc::new(Mutex::new(Box::new(|_, _| {}))),
            heard: Arc::default(),
        };
        let server = server.to_owned();
        let (instead, lie) = (Arc::clone(&liar.instead), Arc::clone(&liar.lie));
        let heard = Arc::clone(&liar.heard);
        std::thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                let (mut head, body) = read(&mut client);
                heard.lock().unwrap().push_str(&head);
                for (asked, other) in &*instead.lock().unwrap() {
                    head = head.replacen(asked, other, 1);
                }
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
                let mut honest = TcpStream::connect(&server).unwrap();
                honest.write_all(&[head.as_bytes(), b"\r\n\r\n", &body].concat()).unwrap();
                let (head, mut body) = read(&mut honest);
                if let Ok(honest) = serde_json::from_slice::<Value>(&body) {
                    let mut told = honest.clone();
                    lie.lock().unwrap()(&path, &mut told);
                    if told != honest {
                        body = serde_json::to_vec(&told).unwrap();
                    }
                }
                let kept = head.lines().filter(|l| !l.to_lowercase().starts_with("content-length"));
                let head: Vec<&str> = kept.collect();
                let length = format!("\r\ncontent-length: {}\r\n\r\n", body.len());
                // A client that has heard enough is gone.
                drop(
                    client.write_all(
                        &[head.join("\r\n").as_bytes(), length.as_bytes(), &body].concat(),
                    ),
                );
            }
        });
        liar
    }

    /// Somebody's name for the server is still resolved to what it was; the liar answers there now.
    pub(crate) fn answers_for(&self, m: &Machine, context: &str) {
        let config = m.path(".config/borescope/config.toml");
        let contexts = std::fs::read_to_string(&config).unwrap();
        let (before, theirs) = contexts.split_once(&format!("[contexts.{context}]")).unwrap();
        let at = theirs.find("http://").unwrap();
        let end = at + theirs[at..].find('"').unwrap();
        let moved = format!(
            "{before}[contexts.{context}]{}http://{}{}",
            &theirs[..at],
            self.address,
            &theirs[end..]
        );
        std::fs::write(&config, moved).unwrap();
    }

    pub(crate) fn lies(&self, lie: impl Fn(&str, &mut Value) + Send + 'static) {
        *self.lie.lock().unwrap() = Box::new(lie);
    }
}

/// Head without its end, and body, of a message that says its length.
pub(crate) fn read(from: &mut TcpStream) -> (String, Vec<u8>) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    let mut message = |enough: &dyn Fn(&[u8]) -> bool| {
        while !enough(&bytes) {
            match from.read(&mut piece) {
                Ok(n @ 1..) => bytes.extend_from_slice(&piece[..n]),
                _ => break,
            }
        }
        bytes.clone()
    };
    let end = |b: &[u8]| b.windows(4).position(|w| w == b"\r\n\r\n");
    let head = message(&|b| end(b).is_some());
    let Some(end) = end(&head) else { return (String::new(), Vec::new()) };
    let text = String::from_utf8_lossy(&head[..end]).into_owned();
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    });
    let length: usize = length.unwrap_or(0);
    let whole = message(&|b| b.len() >= end + 4 + length);
    (text, whole[end + 4..].to_vec())
}

/// A shop with two people, alice behind the liar; and two approved access requests of hers.
fn set_up(m: &Machine) -> (Server, Liar, [String; 2]) {
    shop::create(&m.path("shop.sqlite")).unwrap();
    std::fs::write(m.path("input.json"), INPUT).unwrap();
    copy_bundle("stuck-orders", &m.path("stuck-orders"));
    let listen = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{listen}");
    let init = ["init", "server", "--trust-domain", "shop.example/dev", "--person", "alice"];
    let more = ["--person", "bob", "--target", "shop-replica=shop.sqlite", "--listen", &listen];
    m.json(&[&init[..], &more].concat());
    let server = m.serve();
    for person in ["alice", "bob"] {
        let key = format!("server/keys/{person}");
        let who = ["login", "--context", person, "--url", &url, "--as", person];
        m.json(&[&who[..], &["--key", &key, "--trust", "server/trust.toml"]].concat());
    }
    m.json(&["--context", "alice", "submit", "stuck-orders"]);
    let review = ["review", "stuck-orders", "--target", "shop=shop-replica", "--approve", "--yes"];
    m.json(&[&["--context", "bob"][..], &review].concat());
    let requests = [(); 2].map(|()| {
        let request = ["request", "stuck-orders", "--on", "shop=shop-replica", "--uses", "9"];
        let why = ["--input", "input.json", "--reason", "parcels are late"];
        let asked = m.json(&[&["--context", "alice"][..], &request, &why].concat());
        let id = field(&asked[0], "id").to_owned();
        m.json(&["--context", "bob", "approve", &id, "--yes"]);
        id
    });
    let liar = Liar::before(&listen);
    liar.answers_for(m, "alice");
    (server, liar, requests)
}

fn run(m: &Machine, request: &str) -> (i32, String) {
    m.told(&["--context", "alice", "run", "--request", request, "--input", "input.json"])
}

#[test]
fn a_server_that_lies_gets_no_signature_for_it_and_is_not_believed() {
    let m = Machine::new();
    let (server, liar, [asked, other]) = set_up(&m);

    // Honest so far; and what it says of this run is kept.
    let first: Arc<Mutex<Option<Value>>> = Arc::default();
    let keep = Arc::clone(&first);
    liar.lies(move |path, answer| {
        if path.starts_with("/v1/runs") && answer["state"]["phase"] == "ended" {
            *keep.lock().unwrap() = Some(answer.clone());
        }
    });
    let (code, told) = run(&m, &asked);
    assert!(code == 0 && told.contains("never-scanned"), "{code} {told}");
    let first = first.lock().unwrap().clone().expect("the run was shown");

    // Another access request, approved as well: she did not ask to run that.
    liar.lies(|_, _| {});
    liar.instead.lock().unwrap().push((asked.clone(), other.clone()));
    let (code, told) = run(&m, &asked);
    assert!(code == 7 && told.contains("sign nothing"), "{code} {told}");
    liar.instead.lock().unwrap().clear();
    let runs = m.json(&["--context", "bob", "show", &other]);
    assert_eq!(runs[0]["uses_spent"], 0, "nothing of the other one ran");

    // Yesterday's answer, with yesterday's proof.
    liar.lies(move |path, answer| {
        if path == "/v1/runs" {
            *answer = first.clone();
        }
    });
    let (code, told) = run(&m, &asked);
    assert!(code == 7 && !told.contains("never-scanned"), "{code} {told}");

    // An answer of its own, without any proof.
    liar.lies(|path, answer| {
        if path.starts_with("/v1/runs") && answer["state"].is_object() {
            answer["receipt"] = Value::Null;
        }
    });
    let (code, told) = run(&m, &asked);
    assert!(code == 7 && !told.contains("never-scanned"), "{code} {told}");

    // A failure that it calls a success, or the other way round.
    liar.lies(|path, answer| {
        if path.starts_with("/v1/runs") && answer["state"]["phase"] == "ended" {
            answer["state"]["outcome"] = serde_json::json!({ "state": "failed" });
        }
    });
    let (code, told) = run(&m, &asked);
    assert!(code == 7, "{code} {told}");
    drop(server);
}

#[test]
fn an_address_of_the_command_line_is_not_told_the_token_of_another() {
    let m = Machine::new();
    let (server, liar, _) = set_up(&m);
    let elsewhere = format!("http://{}", liar.address);
    liar.heard.lock().unwrap().clear();
    // It cannot log in there: the server does not know that address as its own.
    let (code, _) = m.told(&["--context", "bob", "--url", &elsewhere, "inbox"]);
    assert_ne!(code, 0);
    let heard = liar.heard.lock().unwrap().to_lowercase();
    assert!(heard.contains("/v1/challenges") && !heard.contains("authorization"), "{heard}");
    drop(server);
}
