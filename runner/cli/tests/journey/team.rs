//! A team with the program: a trust domain that `init` founded, changed as a test needs it and signed
//! anew before anybody has believed it; a server; people who are logged in.

use std::fs;

use domain::{Digest, Timestamp};
use serde_json::Value;
use trust::document::Document;
use trust::{
    Directory, Envelope, InForce, Keyring, Pinned, Policy, Role, SecretKey, Status, VersionRef,
};

use super::machine::{Machine, Server, copy_bundle, free_port, text as field};
use super::{INPUT, shop};

/// People, a server, and a shop.
pub(crate) struct Team {
    pub(crate) m: Machine,
    /// Where the server listens.
    pub(crate) listen: String,
    server: Option<Server>,
}

/// What `init` wrote.
struct Founded {
    keyring: Keyring,
    directory: Directory,
    policy: Policy,
}

impl Team {
    /// Alice, bob and carol; alice holds every role. `change` alters what was founded.
    pub(crate) fn found(change: impl FnOnce(&mut Keyring, &mut Directory, &mut Policy)) -> Self {
        Self::found_as(&[], |text| text, change)
    }

    /// The same with these targets beside `shop-replica`, which are shops as well.
    pub(crate) fn found_with(
        targets: &[&str],
        change: impl FnOnce(&mut Keyring, &mut Directory, &mut Policy),
    ) -> Self {
        Self::found_as(targets, |text| text, change)
    }

    /// The same with more in the server's configuration.
    pub(crate) fn configured(
        configuration: &str,
        change: impl FnOnce(&mut Keyring, &mut Directory, &mut Policy),
    ) -> Self {
        Self::found_as(&[], |text| format!("{text}\n{configuration}"), change)
    }

    /// The same with the server's configuration changed as the test needs it.
    pub(crate) fn reconfigured(
        configure: impl FnOnce(String) -> String,
        change: impl FnOnce(&mut Keyring, &mut Directory, &mut Policy),
    ) -> Self {
        Self::found_as(&[], configure, change)
    }

    fn found_as(
        targets: &[&str],
        configure: impl FnOnce(String) -> String,
        change: impl FnOnce(&mut Keyring, &mut Directory, &mut Policy),
    ) -> Self {
        let m = Machine::new();
        shop::create(&m.path("shop.sqlite")).unwrap();
        let mut more = Vec::new();
        for target in targets {
            shop::create(&m.path(&format!("{target}.sqlite"))).unwrap();
            more.extend(["--target".to_owned(), format!("{target}={target}.sqlite")]);
        }
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        fs::write(m.path("input.json"), INPUT).unwrap();
        copy_bundle("stuck-orders", &m.path("stuck-orders"));
        let listen = format!("127.0.0.1:{}", free_port());
        let people = ["--person", "alice", "--person", "bob", "--person", "carol"];
        let place = ["--target", "shop-replica=shop.sqlite", "--listen", &listen];
        let init = ["init", "server", "--trust-domain", "shop.example/dev"];
        m.json(&[&init[..], &people, &place, &more].concat());
        let mut founded = read(&m);
        alice_says_what_is_in_force(&m, &mut founded.keyring);
        change(&mut founded.keyring, &mut founded.directory, &mut founded.policy);
        sign_anew(&m, founded);
        let path = m.path("server/borescope.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, configure(text)).unwrap();
        let server = m.serve();
        let team = Self { m, listen, server: Some(server) };
        for person in ["alice", "bob", "carol"] {
            team.log_in(person);
        }
        team
    }

    /// Kills the server, as a machine that is switched off does.
    pub(crate) fn kill_server(&mut self) {
        self.server = None;
    }

    /// Starts it again.
    pub(crate) fn start_server(&mut self) {
        self.server = Some(self.m.serve());
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> Vec<u8> {
        self.server.as_ref().map(Server::log).unwrap_or_default()
    }

    /// The machine, after its server has ended.
    pub(crate) fn without_server(self) -> Machine {
        let Self { m, .. } = self;
        m
    }

    fn log_in(&self, person: &str) {
        let (key, url) = (format!("server/keys/{person}"), format!("http://{}", self.listen));
        let who = ["login", "--context", person, "--url", &url, "--as", person];
        self.m.json(&[&who[..], &["--key", &key, "--trust", "server/trust.toml"]].concat());
    }

    /// The JSON that a command of somebody prints; it must succeed.
    pub(crate) fn json(&self, who: &str, args: &[&str]) -> Vec<Value> {
        self.m.json(&[&["--context", who], args].concat())
    }

    /// The exit code and everything that a command of somebody prints.
    pub(crate) fn told(&self, who: &str, args: &[&str]) -> (i32, String) {
        self.m.told(&[&["--context", who], args].concat())
    }

    /// What a command of somebody prints, when it should work.
    pub(crate) fn good(&self, who: &str, args: &[&str]) -> String {
        let (code, told) = self.told(who, args);
        assert_eq!(code, 0, "{args:?}: {told}");
        told
    }

    /// What a command of somebody prints that must be refused with exit code `code`.
    pub(crate) fn refused(&self, code: i32, who: &str, args: &[&str]) -> String {
        let (got, told) = self.told(who, args);
        assert_eq!(got, code, "{args:?}: {told}");
        told
    }

    /// Alice submits the script and bob approves it, with `more` in his review; the review's id.
    pub(crate) fn reviewed(&self, more: &[&str]) -> String {
        self.json("alice", &["submit", "stuck-orders"]);
        let review = ["review", "stuck-orders", "--target", "shop=shop-replica", "--approve"];
        let filed = self.json("bob", &[&review[..], &["--yes"], more].concat());
        field(&filed[0], "id").to_owned()
    }

    /// Files an access request; its id.
    pub(crate) fn asks(&self, who: &str, more: &[&str]) -> String {
        let filed = self.json(who, &[&ASKS[..], more].concat());
        field(&filed[0], "id").to_owned()
    }

    /// Somebody's key.
    pub(crate) fn key(&self, who: &str) -> SecretKey {
        key(&self.m, who)
    }

    /// What is in force by these, signed by alice, from ten seconds ago to `ends`.
    pub(crate) fn status(&self, in_force: &InForce, ends: Timestamp) -> Envelope {
        let founded = read(&self.m);
        let documents = documents(&self.m);
        let reference = |name: &str, version| VersionRef {
            version,
            digest: envelope(&documents[name]).payload_digest(),
        };
        let mut header: Value = serde_json::to_value(&founded.policy.header).unwrap();
        let id = header["id"].as_str().unwrap().replacen("pol", "sts", 1);
        header["id"] = id.into();
        let status = serde_json::json!({
            "header": header, "keyring": reference("keyring", founded.keyring.version),
            "directory": reference("directory", founded.directory.version),
            "policy": reference("policy", founded.policy.version), "stops": in_force.digest(),
        });
        let mut status: Status = serde_json::from_value(status).unwrap();
        status.header.not_before = ends.plus_s(-300);
        status.header.not_after = ends;
        trust::sign(&status, &self.key("alice")).unwrap()
    }
}

/// What was told, whatever the width of the terminal that it was broken for.
pub(crate) fn flat(told: &str) -> String {
    told.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Asking to run the script.
pub(crate) const ASKS: [&str; 8] = [
    "request",
    "stuck-orders",
    "--on",
    "shop=shop-replica",
    "--input",
    "input.json",
    "--reason",
    "parcels are late",
];

/// Running the script, in one command.
pub(crate) const RUNS: [&str; 6] =
    ["run", "stuck-orders", "--on", "shop=shop-replica", "--input", "input.json"];

fn key(m: &Machine, who: &str) -> SecretKey {
    let path = m.path(&format!("server/keys/{who}"));
    SecretKey::from_openssh(&fs::read_to_string(path).unwrap()).unwrap()
}

fn documents(m: &Machine) -> Value {
    serde_json::from_slice(&fs::read(m.path("server/data/documents.json")).unwrap()).unwrap()
}

fn envelope(value: &Value) -> Envelope {
    Envelope::from_json(value.to_string().as_bytes()).unwrap()
}

fn read(m: &Machine) -> Founded {
    fn one<D: Document>(documents: &Value, name: &str) -> D {
        trust::read_unverified(&envelope(&documents[name])).unwrap()
    }
    let documents = documents(m);
    Founded {
        keyring: one(&documents, "keyring"),
        directory: one(&documents, "directory"),
        policy: one(&documents, "policy"),
    }
}

/// Who says what is in force is alice and not the server, so that a test can leave it unsaid.
fn alice_says_what_is_in_force(m: &Machine, keyring: &mut Keyring) {
    let status = keyring.roles.iter_mut().find(|r| r.role == Role::Status).unwrap();
    let alice = "alice".parse().unwrap();
    if !status.people.contains(&alice) {
        status.people.push(alice);
    }
    let path = m.path("server/borescope.toml");
    let text = fs::read_to_string(&path).unwrap();
    let mut config: toml::Table = text.parse().unwrap();
    config.remove("status");
    fs::write(&path, config.to_string()).unwrap();
}

/// Signs the three anew, and has the runner and everybody else believe the new keyring.
fn sign_anew(m: &Machine, mut founded: Founded) {
    let root = key(m, "alice");
    let old = envelope(&documents(m)["keyring"]).payload_digest();
    let keyring = trust::sign(&founded.keyring, &root).unwrap();
    let pin = VersionRef { version: 1, digest: keyring.payload_digest() };
    (founded.directory.keyring, founded.policy.keyring) = (pin, pin);
    let value = |e: &Envelope| -> Value { serde_json::from_slice(&e.to_json().unwrap()).unwrap() };
    let signed = serde_json::json!({
        "keyring": value(&keyring),
        "directory": value(&trust::sign(&founded.directory, &root).unwrap()),
        "policy": value(&trust::sign(&founded.policy, &root).unwrap()),
    });
    fs::write(m.path("server/data/documents.json"), signed.to_string()).unwrap();
    let runner = m.path("server/data/runner");
    fs::remove_file(runner.join("pinned.json")).unwrap();
    let trust_domain = founded.keyring.header.trust_domain.clone();
    executor::state::enrol(&runner, &Pinned { trust_domain, keyring: pin }).unwrap();
    let trust = m.path("server/trust.toml");
    let text = fs::read_to_string(&trust).unwrap();
    fs::write(&trust, text.replace(&old.to_string(), &pin.digest.to_string())).unwrap();
}

/// Files a signed document as somebody whom the program has logged in.
pub(crate) fn post(team: &Team, who: &str, path: &str, envelope: &Envelope) -> String {
    use std::io::{Read as _, Write as _};
    let token = team.m.path(&format!(".config/borescope/{who}.token"));
    let token = fs::read_to_string(token).unwrap();
    let body = String::from_utf8(envelope.to_json().unwrap()).unwrap();
    let mut server = std::net::TcpStream::connect(&team.listen).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        team.listen,
        token.trim(),
        body.len()
    );
    server.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();
    answer
}

/// A digest out of JSON.
pub(crate) fn digest(value: &Value) -> Digest {
    field(value, "digest").parse().unwrap()
}
