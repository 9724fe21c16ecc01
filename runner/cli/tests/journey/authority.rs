//! Two people change who may do what, somebody joins and is revoked again, and a server between them
//! that would rather have it otherwise.

use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::lies::Liar;
use super::machine::{Machine, Server, free_port, text};
use super::shop;

/// Alice and bob, who hold every role together: nothing changes without both.
struct Firm {
    m: Machine,
    _server: Server,
    url: String,
    listen: String,
}

impl Firm {
    /// Founded by alice alone, as `init` does it.
    fn founded() -> Self {
        let m = Machine::new();
        shop::create(&m.path("shop.sqlite")).unwrap();
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
        Self { m, _server: server, url, listen }
    }

    /// Bob gets a key in the keyring, and two people are needed from then on.
    fn shared() -> Self {
        let firm = Self::founded();
        let bob = std::fs::read_to_string(firm.m.path("server/keys/bob.pub")).unwrap();
        let source = firm.source("keys", &["source", "keyring"]);
        let source = source.replace(
            "threshold = 1\npeople = [\"alice\"]",
            "threshold = 2\npeople = [\"alice\", \"bob\"]",
        );
        let key = format!("\n[[key]]\nperson = \"bob\"\nkey = \"{}\"\n", bob.trim());
        std::fs::write(firm.m.path("keyring.toml"), source + &key).unwrap();
        let told = firm.as_("alice", &["keys", "propose", "keyring.toml", "--keyring", "--yes"]);
        let digest = of(&told, "proposed: keyring");
        firm.refused("alice", &["keys", "adopt", &digest, "--yes"], 3, "root");
        for proposal in firm.as_("bob", &["keys", "proposals"]) {
            firm.as_("bob", &["keys", "sign", text(&proposal, "digest"), "--yes"]);
        }
        firm.as_("bob", &["keys", "adopt", &digest, "--yes"]);
        firm
    }

    fn as_(&self, person: &str, args: &[&str]) -> Vec<Value> {
        self.m.json(&[&["--context", person][..], args].concat())
    }

    fn refused(&self, person: &str, args: &[&str], code: i32, word: &str) -> String {
        let (got, told) = self.m.told(&[&["--context", person][..], args].concat());
        assert!(got == code && told.contains(word), "{args:?}: {got} {told}");
        told
    }

    /// A source as it is printed.
    fn source(&self, what: &str, args: &[&str]) -> String {
        let args = [&["--context", "alice", what][..], args].concat();
        String::from_utf8(self.m.output(&[], &args).stdout).unwrap()
    }

    fn versions(&self, person: &str) -> String {
        self.m.told(&["--context", person, "keys", "show"]).1
    }

    /// Asks for nina, whose key is her own.
    fn nina_joins(&self) -> (String, String) {
        let key = self.m.path("nina");
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key);
        assert!(keygen.status().unwrap().success());
        let keyring = self.as_("alice", &["keys", "show"]);
        assert!(!keyring.is_empty());
        let told = self.versions("alice");
        let digest = told.split("keyring version").nth(1).unwrap();
        let digest = digest.split(['(', ')']).nth(1).unwrap().to_owned();
        let join = ["join", &self.url, "--as", "nina", "--key", "nina", "--note", "desk 4"];
        let asked = self.as_("nina", &[&join[..], &["--keyring", &digest]].concat());
        (digest, text(&asked[0], "claim").to_owned())
    }

    /// A directory that alice proposes, and both sign.
    fn adopted(&self, told: &[Value]) -> String {
        let digest = of(told, "proposed: directory");
        self.refused("alice", &["keys", "adopt", &digest, "--yes"], 3, "still missing");
        self.as_("bob", &["keys", "sign", &digest, "--yes"]);
        self.as_("alice", &["keys", "adopt", &digest, "--yes"]);
        digest
    }

    /// Somebody between bob and the server.
    fn liar_before_bob(&self) -> Liar {
        let liar = Liar::before(&self.listen);
        let path = self.m.path(".config/borescope/config.toml");
        let contexts = std::fs::read_to_string(&path).unwrap();
        let (others, bob) = contexts.split_at(contexts.find("[contexts.bob]").unwrap());
        let bob = bob.replacen(&self.url, &format!("http://{}", liar.address), 1);
        std::fs::write(&path, format!("{others}{bob}")).unwrap();
        liar
    }
}

/// The digest of what was done.
fn of(told: &[Value], done: &str) -> String {
    let line = told.iter().find(|v| v["done"] == done);
    text(line.unwrap_or_else(|| panic!("nothing was {done}: {told:?}")), "digest").to_owned()
}

#[test]
fn two_people_let_somebody_in_and_out_again() {
    let firm = Firm::shared();
    let m = &firm.m;
    // Both pinned the first keyring, and follow.
    for person in ["alice", "bob"] {
        let told = firm.versions(person);
        assert!(
            told.contains("keyring version 2") && told.contains("root: 2 of alice, bob"),
            "{told}"
        );
    }

    let who = ["--context", "nina", "join", &firm.url, "--as", "nina", "--key", "server/keys/bob"];
    let (code, told) = m.told(&who);
    assert!(code == 2 && told.contains("nobody is here to compare"), "{code} {told}");
    let other = format!("sha256:{}", "0".repeat(64));
    let (code, told) = m.told(&[&who[..], &["--keyring", &other]].concat());
    assert!(code == 7 && told.contains("does not know the keyring"), "{code} {told}");

    let (keyring, claim) = firm.nina_joins();
    firm.refused("nina", &["inbox"], 3, "");
    firm.refused("bob", &["keys", "accept", &claim, "--kind", "agent", "--yes"], 2, "--owner");
    let shown = m.told(&["--context", "alice", "keys", "accept", &claim, "--group", "engineers"]).1;
    for word in ["desk 4", "nina comes", "nina may now approve access requests", "No terminal"] {
        assert!(shown.contains(word), "{word} in {shown}");
    }
    let accept = ["keys", "accept", &claim, "--group", "engineers", "--yes"];
    firm.adopted(&firm.as_("alice", &accept));
    let join = ["join", &firm.url, "--as", "nina", "--key", "nina", "--keyring", &keyring];
    assert_eq!(firm.as_("nina", &join)[0]["enrolled"], true);
    firm.as_("nina", &["inbox"]);

    let told = firm.as_("alice", &["keys", "revoke", "nina", "--yes"]);
    firm.adopted(&told);
    m.told(&["--context", "nina", "logout"]);
    firm.refused("nina", &["login"], 3, "");
    let nina = firm.as_("alice", &["keys", "show", "--person", "nina"]);
    assert_eq!(nina[0]["keys"][0]["status"], "retired");
}

#[test]
fn a_policy_is_proposed_only_when_it_decides_as_expected() {
    let firm = Firm::founded();
    let m = &firm.m;
    let tests = ["policy", "test", "server/policy/tests.toml"];
    assert_eq!(firm.as_("alice", &tests).len(), 3);
    std::fs::create_dir(m.path("policy")).unwrap();
    std::fs::copy(m.path("server/policy/tests.toml"), m.path("policy/tests.toml")).unwrap();
    let source = firm.source("policy", &["source"]);
    let propose = ["policy", "propose", "policy/targets.toml", "--yes"];

    let closed = source.replace("callers = [\"engineers\"]", "callers = []");
    assert_ne!(source, closed);
    std::fs::write(m.path("policy/targets.toml"), closed).unwrap();
    let told = firm.refused("alice", &propose, 3, "caller-not-allowed");
    assert!(
        told.contains("two people are enough") && told.contains("nothing was signed"),
        "{told}"
    );
    assert!(firm.as_("alice", &["keys", "proposals"]).is_empty());
    let in_force = [&tests[..], &["--in-force"]].concat();
    assert!(firm.as_("alice", &in_force).iter().all(|t| t["passed"] == true));

    // Below the keyring's floor, whatever the tests say.
    let low = source.replace("approvals = { required = 1", "approvals = { required = 0");
    assert_ne!(source, low);
    std::fs::write(m.path("policy/targets.toml"), low).unwrap();
    firm.refused("alice", &propose, 3, "floor");

    let fewer = source.replace("wall_ms_max = 30000", "wall_ms_max = 20000");
    assert_ne!(source, fewer);
    std::fs::write(m.path("policy/targets.toml"), fewer).unwrap();
    let told = firm.as_("alice", &propose);
    let digest = of(&told, "proposed: policy");
    firm.as_("alice", &["policy", "adopt", &digest, "--yes"]);
    let (_, shown) = m.told(&["--context", "bob", "policy", "show"]);
    assert!(shown.contains("policy version 2"), "{shown}");
    let who = firm.as_("bob", &["policy", "who-can", "--target", "shop-replica"]);
    assert_eq!(who[0]["acts"][0]["act"], "call");
    firm.refused("bob", &["policy", "who-can", "--person", "mallory"], 2, "not in the directory");
}

#[test]
fn an_older_directory_is_not_believed_by_whoever_saw_a_newer_one() {
    let firm = Firm::founded();
    let liar = firm.liar_before_bob();
    let old: Arc<Mutex<Option<Value>>> = Arc::default();
    let keep = Arc::clone(&old);
    liar.lies(move |path, answer| {
        if path == "/v1/directory" {
            *keep.lock().unwrap() = Some(answer.clone());
        }
    });
    firm.as_("bob", &["keys", "show"]);
    let old = old.lock().unwrap().clone().expect("the directory was shown");

    let renamed = firm.source("keys", &["source"]).replace("name = \"alice\"", "name = \"Alice\"");
    std::fs::write(firm.m.path("directory.toml"), renamed).unwrap();
    let told = firm.as_("alice", &["keys", "propose", "directory.toml", "--yes"]);
    let digest = of(&told, "proposed: directory");
    firm.as_("alice", &["keys", "adopt", &digest, "--yes"]);
    liar.lies(|_, _| {});
    assert!(firm.versions("bob").contains("directory version 2"));
    liar.lies(move |path, answer| {
        if path == "/v1/directory" {
            *answer = old.clone();
        }
    });
    firm.refused("bob", &["keys", "show"], 7, "has been seen");
    firm.refused("bob", &["policy", "who-can", "--person", "alice"], 7, "has been seen");
}

#[test]
fn what_is_signed_is_what_was_shown() {
    let firm = Firm::shared();
    let m = &firm.m;
    let source = firm.source("keys", &["source", "directory"]);
    let renamed = |name: &str| {
        let text = source.replacen("name = \"bob\"", &format!("name = \"{name}\""), 1);
        assert_ne!(source, text);
        std::fs::write(m.path("directory.toml"), text).unwrap();
        let told = firm.as_("alice", &["keys", "propose", "directory.toml", "--yes"]);
        of(&told, "proposed: directory")
    };
    let hidden = renamed("bob\\u001b[2K\\u001b[1A\\u202enarrows nothing\\nso that");
    let other = renamed("robert");

    // Nothing that it says moves the cursor or begins a line.
    let shown = m.output(&[], &["--context", "bob", "keys", "sign", &hidden]);
    let all = String::from_utf8([shown.stdout, shown.stderr].concat()).unwrap();
    assert!(
        all.contains("\\u{1b}[2K") && !all.contains('\u{1b}') && !all.contains('\u{202e}'),
        "{all}"
    );
    assert!(!all.contains("\nso that"), "{all}");
    let (code, told) = m.told(&["--context", "alice", "keys", "source"]);
    assert!(code == 0 && !told.contains('\u{1b}'), "{told}");

    // Another payload under the digest that bob was told.
    let liar = firm.liar_before_bob();
    let (asked, instead) = (hidden.clone(), other.clone());
    liar.instead.lock().unwrap().push((asked, instead));
    firm.refused("bob", &["keys", "sign", &hidden, "--yes"], 7, "sign nothing");
    liar.instead.lock().unwrap().clear();

    // A server that says complete, or shows other signers, is asked nothing.
    liar.lies(|path, answer| {
        if path.starts_with("/v1/proposals") {
            for one in answer.as_array_mut().into_iter().flatten() {
                one["missing"] = Value::Null;
                one["signed_by"] = serde_json::json!(["alice", "bob"]);
            }
        }
    });
    let listed = firm.as_("bob", &["keys", "proposals"]);
    assert!(listed.iter().all(|p| p["missing"].is_string()), "{listed:?}");
    firm.refused("bob", &["keys", "adopt", &other, "--yes"], 3, "still missing");

    // One that says adopted and is not.
    liar.lies(|_, _| {});
    firm.as_("bob", &["keys", "sign", &other, "--yes"]);
    let in_force = firm.versions("bob");
    let shown: Arc<Mutex<Option<Value>>> = Arc::default();
    let keep = Arc::clone(&shown);
    liar.lies(move |path, answer| {
        if path == "/v1/directory" {
            let mut first = keep.lock().unwrap();
            *answer = first.get_or_insert_with(|| answer.clone()).clone();
        }
    });
    firm.refused("bob", &["keys", "adopt", &other, "--yes"], 7, "shows another");
    assert!(in_force.contains("directory version 2"), "{in_force}");
}
