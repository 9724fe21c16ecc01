//! People sign with the keys that they have: under a passphrase, in an agent, on a security key. And
//! an auditor with nothing but OpenSSH checks what they signed.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::machine::{Machine, Server, copy_bundle, free_port, text};
use crate::shop;
use crate::token::Token;

const PASSPHRASE: &str = "correct horse battery staple";
type Env<'a> = &'a [(&'a str, &'a str)];

/// An `ssh-agent` of this test's own.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Agent {
    /// Asks `askpass` whether it may sign, for keys that want that.
    fn start(socket: &str, askpass: &str) -> Self {
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a", socket]).stdout(Stdio::piped());
        command.env("SSH_ASKPASS", askpass).env("SSH_ASKPASS_REQUIRE", "force");
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
        assert!(line.contains("SSH_AUTH_SOCK"), "{line}");
        Self(child)
    }
}

/// A script that somebody may run.
fn script(m: &Machine, name: &str, lines: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = m.path(name);
    std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn ssh(program: &str, env: Env<'_>, args: &[&str]) {
    let done = Command::new(program).args(args).envs(env.iter().copied()).output().unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Three people with three kinds of keys, at a server.
struct Team {
    m: Machine,
    _server: Server,
    _agent: Agent,
    token: Token,
    /// Answers with the passphrase.
    askpass: String,
    agent_socket: String,
    token_socket: String,
    url: String,
}

impl Team {
    fn set_up() -> Self {
        let m = Machine::new();
        shop::create(&m.path("shop.sqlite")).unwrap();
        copy_bundle("stuck-orders", &m.path("stuck-orders"));
        std::fs::write(m.path("input.json"), crate::INPUT).unwrap();
        let keys = m.path("server/keys");
        std::fs::create_dir_all(&keys).unwrap();
        let key = |name: &str| keys.join(name).to_str().unwrap().to_owned();
        let at = |name: &str| m.path(name).to_str().unwrap().to_owned();

        let askpass = script(&m, "askpass", &format!("echo '{PASSPHRASE}'"));
        ssh("ssh-keygen", &[], &["-q", "-t", "ed25519", "-N", PASSPHRASE, "-f", &key("alice")]);

        let (agent_socket, token_socket) = (at("agent"), at("token"));
        let agent = Agent::start(&agent_socket, &script(&m, "refuse", "exit 1"));
        ssh("ssh-keygen", &[], &["-q", "-t", "ed25519", "-N", "", "-f", &key("bob")]);
        ssh("ssh-add", &[("SSH_AUTH_SOCK", &agent_socket)], &["-q", &key("bob")]);
        // From now on only the agent has it.
        std::fs::rename(keys.join("bob"), m.path("away")).unwrap();

        let token = Token::plug_in(Path::new(&token_socket));
        std::fs::write(keys.join("carol.pub"), token.line()).unwrap();

        let listen = format!("127.0.0.1:{}", free_port());
        let people =
            ["--person", "root", "--person", "alice", "--person", "bob", "--person", "carol"];
        let place = ["--target", "shop-replica=shop.sqlite", "--listen", &listen];
        let init = ["init", "server", "--trust-domain", "shop.example/dev"];
        m.json(&[&init[..], &people, &place].concat());
        let server = m.serve();
        let url = format!("http://{listen}");
        Self { m, _server: server, _agent: agent, token, askpass, agent_socket, token_socket, url }
    }

    fn login(&self, person: &str, key: &str, env: Env<'_>) -> (i32, String) {
        let who = ["login", "--context", person, "--url", &self.url, "--as", person];
        let key = ["--key", key, "--trust", "server/trust.toml"];
        self.m.told_with(env, &[&who[..], &key].concat())
    }

    fn alice(&self) -> [(&str, &str); 2] {
        [("SSH_ASKPASS", &self.askpass), ("SSH_ASKPASS_REQUIRE", "force")]
    }

    fn bob(&self) -> [(&str, &str); 1] {
        [("SSH_AUTH_SOCK", &self.agent_socket)]
    }

    fn carol(&self) -> [(&str, &str); 1] {
        [("SSH_AUTH_SOCK", &self.token_socket)]
    }

    fn log_in_all(&self) {
        for (person, key, env) in [
            ("alice", "server/keys/alice", &self.alice()[..]),
            ("bob", "server/keys/bob.pub", &self.bob()),
            ("carol", "server/keys/carol.pub", &self.carol()),
        ] {
            let (code, told) = self.login(person, key, env);
            assert_eq!(code, 0, "{person}: {told}");
        }
    }

    /// One document of each kind; their ids, and the run.
    fn work(&self) -> Vec<String> {
        let m = &self.m;
        let submitted =
            m.json_with(&self.alice(), &["--context", "alice", "submit", "stuck-orders"]);
        let target = "shop=shop-replica";
        let review = ["--context", "bob", "review", "stuck-orders", "--target", target];
        let reviewed = m.json_with(&self.bob(), &[&review[..], &["--approve", "--yes"]].concat());
        let request = ["--context", "alice", "request", "stuck-orders", "--on", target];
        let why = ["--input", "input.json", "--reason", "parcels are late"];
        let asked = m.json_with(&self.alice(), &[&request[..], &why].concat());
        let request = text(&asked[0], "id");
        let approve = ["--context", "carol", "approve", request, "--yes"];

        // Nobody touched it: stock OpenSSH would not care, our client does.
        self.token.set_flags(0);
        let (code, told) = m.told_with(&self.carol(), &approve);
        assert!(code != 0 && told.contains("without being touched"), "{code} {told}");
        self.token.set_flags(1);

        let approved = m.json_with(&self.carol(), &approve);
        let run = ["--context", "alice", "run", "--request", request, "--input", "input.json"];
        let ran = m.json_with(&self.alice(), &run).pop().unwrap();
        assert_eq!(ran["run"]["state"]["outcome"]["state"], "succeeded", "{}", ran["run"]);
        vec![
            text(&submitted[0], "submission").to_owned(),
            text(&reviewed[0], "id").to_owned(),
            request.to_owned(),
            text(&approved[0], "id").to_owned(),
            text(&ran["run"], "id").to_owned(),
        ]
    }
}

/// The command, exactly as it was printed, by a shell.
fn shell(m: &Machine, command: &str) -> (bool, String) {
    let done = Command::new("sh").args(["-c", command]).current_dir(m.path("")).output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn passphrase_agent_and_security_key_sign_and_stock_ssh_keygen_verifies() {
    let team = Team::set_up();
    team.log_in_all();
    let documents = team.work();
    let m = &team.m;
    let as_root = ["login", "--context", "root", "--url", &team.url, "--as", "root"];
    m.json(
        &[&as_root[..], &["--key", "server/keys/root", "--trust", "server/trust.toml"]].concat(),
    );
    let stopped = m.json(&["stop", "person", "mallory", "--reason", "drill"]);
    let stop = text(&stopped[0], "id").to_owned();

    for id in documents.iter().chain([&stop]) {
        let shown = m.output(&[], &["--context", "bob", "show", id, "--pae", "--out", "my proof"]);
        let command = String::from_utf8(shown.stdout).unwrap();
        let said = String::from_utf8_lossy(&shown.stderr).into_owned();
        assert!(shown.status.success() && command.lines().count() == 1, "{id}: {command}{said}");
        let (good, said) = shell(m, &command);
        assert!(good && said.contains("Good \"borescope-"), "{id}: {command}{said}");
        // For another purpose, or as somebody else, the same signature is nothing.
        let (good, said) = shell(m, &command.replace("-v1@", "-v2@"));
        assert!(!good, "{said}");
        let (good, said) = shell(m, &command.replace(" -I ", " -I not-"));
        assert!(!good, "{said}");
    }
    let printed = m.output(&[], &["--context", "bob", "keys", "allowed-signers"]).stdout;
    let written = std::fs::read(m.path("my proof/allowed_signers")).unwrap();
    assert_eq!(String::from_utf8(printed).unwrap(), String::from_utf8(written).unwrap());

    let shown = m.json(&["--context", "bob", "show", &documents[1], "--pae"]);
    assert_eq!(text(&shown[0], "principal"), "bob");
    assert_eq!(text(&shown[0], "namespace"), "borescope-review-v1@shop.example/dev");
    let (code, told) = m.told(&["--context", "bob", "show", &documents[1], "--pae"]);
    assert!(code == 0 && told.contains("-----BEGIN SSH SIGNATURE-----"), "{told}");
    let (code, told) = m.told(&["--context", "bob", "show", "stuck-orders", "--pae"]);
    assert!(code == 2 && told.contains("no signed document"), "{code} {told}");
}

#[test]
fn a_key_that_cannot_sign_says_what_to_do() {
    let team = Team::set_up();
    let m = &team.m;
    let refused = |person: &str, key: &str, env: Env<'_>, words: &[&str]| {
        let (code, told) = team.login(person, key, env);
        assert_eq!(code, 2, "{told}");
        for word in words {
            assert!(told.contains(word), "{word} in {told}");
        }
    };
    let wrong = script(m, "wrong", "echo nonsense");
    let asks = [("SSH_ASKPASS", wrong.as_str()), ("SSH_ASKPASS_REQUIRE", "force")];
    refused("alice", "server/keys/alice", &asks, &["incorrect passphrase", "help: ", "ssh-add"]);
    // The question is closed without an answer.
    let closed = script(m, "closed", "exit 1");
    let asks = [("SSH_ASKPASS", closed.as_str()), ("SSH_ASKPASS_REQUIRE", "force")];
    refused("alice", "server/keys/alice", &asks, &["did not sign", "SSH_ASKPASS"]);
    refused("bob", "server/keys/bob.pub", &[], &["No private key found", "ssh-add -l"]);
    let gone = [("SSH_AUTH_SOCK", "/nowhere")];
    refused("carol", "server/keys/carol.pub", &gone, &["did not sign", "plug in the security key"]);

    // The agent asks before it signs, and is told no.
    let socket = [("SSH_AUTH_SOCK", team.agent_socket.as_str())];
    ssh("ssh-add", &socket, &["-q", "-D"]);
    ssh("ssh-add", &socket, &["-q", "-c", m.path("away").to_str().unwrap()]);
    refused("bob", "server/keys/bob.pub", &socket, &["agent refused", "unlock the agent"]);

    let mut alone = m.command(&["login", "--url", &team.url, "--as", "alice"]);
    alone.args(["--key", "server/keys/alice", "--trust", "server/trust.toml"]);
    let told = alone.env("PATH", "/nowhere").output().unwrap();
    let said = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(2), "{said}");
    assert!(said.contains("not on the PATH") && said.contains("install OpenSSH"), "{said}");

    ssh("ssh-keygen", &[], &["-q", "-t", "ecdsa", "-N", "", "-f", m.path("ec").to_str().unwrap()]);
    refused("alice", "ec", &[], &["ecdsa-sha2-nistp256 keys are not accepted", "ed25519-sk"]);
    refused("alice", "ec.pub", &[], &["ecdsa-sha2-nistp256 keys are not accepted"]);
}

#[test]
fn no_secret_is_on_a_command_line_and_another_tools_answer_is_checked() {
    let team = Team::set_up();
    let m = &team.m;
    let real = Command::new("sh").args(["-c", "command -v ssh-keygen"]).output().unwrap().stdout;
    let real = String::from_utf8(real).unwrap().trim().to_owned();
    std::fs::create_dir(m.path("bin")).unwrap();
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    let path = format!("{}:{path}", m.path("bin").display());
    let with = |env: &[(&'static str, String)]| {
        let mut all: Vec<(&str, String)> = env.to_vec();
        all.push(("PATH", path.clone()));
        let borrowed: Vec<(&str, &str)> = all.iter().map(|(k, v)| (*k, v.as_str())).collect();
        team.login("alice", "server/keys/alice", &borrowed)
    };
    let asks = [("SSH_ASKPASS", team.askpass.clone()), ("SSH_ASKPASS_REQUIRE", "force".to_owned())];

    let log = m.path("seen");
    script(m, "bin/ssh-keygen", &format!("echo \"$@\" >> {}\nexec {real} \"$@\"", log.display()));
    let (code, told) = with(&asks);
    assert_eq!(code, 0, "{told}");
    let seen = std::fs::read_to_string(&log).unwrap();
    assert!(seen.contains("-Y sign -n borescope-login-v1@shop.example/dev -f "), "{seen}");
    assert!(!seen.contains("correct") && !seen.contains("BEGIN"), "{seen}");

    // A tool that signs with another key, for another purpose, other bytes, or not at all.
    let key = m.path("away").display().to_string();
    for (lines, words) in [
        (format!("exec {real} -q -Y sign -n \"$5\" -f {key} \"$8\""), "is by the key"),
        (format!("exec {real} -q -Y sign -n other -f \"$7\" \"$8\""), "made for namespace"),
        (
            format!("echo more >> \"$8\"\nexec {real} -q -Y sign -n \"$5\" -f \"$7\" \"$8\""),
            "does not fit",
        ),
        ("exit 0".to_owned(), "left no signature"),
        ("echo nonsense > \"$8.sig\"".to_owned(), "well-formed SSHSIG"),
    ] {
        script(m, "bin/ssh-keygen", &lines);
        let (code, told) = with(&asks);
        assert!(code != 0 && told.contains(words), "{words}: {code} {told}");
    }
}
