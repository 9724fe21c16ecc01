//! Signatures of the real `ssh-keygen`, by a file, a file under a passphrase and an agent; and answers
//! that are not the one that was asked for.

use std::process::{Child, Command, Stdio};

use super::*;
use crate::testing::*;

/// An `ssh-agent` of this test's own; it ends with the test.
struct Agent(Child);

impl Agent {
    fn start(socket: &std::path::Path) -> Self {
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(socket)
            .stdout(Stdio::piped())
            .spawn()
            .expect("ssh-agent is missing; install OpenSSH's client (apt install openssh-client)");
        let mut agent = Self(child);
        // It says where it listens once it does.
        let mut line = String::new();
        let stdout = agent.0.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
        assert!(line.contains("SSH_AUTH_SOCK"), "{line}");
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn make(&self, name: &str, passphrase: &str) -> PublicKey {
        keygen(&["-q", "-t", "ed25519", "-N", passphrase, "-f", &self.path(name)], b"");
        let line = std::fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
        PublicKey::parse_line(&line).unwrap()
    }

    /// What `ssh-keygen -Y sign` answers, with these variables set.
    fn sign(&self, to_sign: &ToSign, key: &str, env: &[(&str, &str)]) -> Sshsig {
        std::fs::write(self.path("m"), to_sign.message()).unwrap();
        drop(std::fs::remove_file(self.path("m.sig")));
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-Y", "sign", "-n", to_sign.namespace(), "-f", key, &self.path("m")]);
        let out = command.env_remove("SSH_AUTH_SOCK").envs(env.iter().copied()).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let text = std::fs::read_to_string(self.path("m.sig")).unwrap();
        Sshsig::from_armored(&text).unwrap()
    }
}

#[test]
fn what_ssh_keygen_signs_by_file_passphrase_and_agent_is_accepted() {
    let desk = Desk { dir: tempfile::tempdir().unwrap() };
    let to_sign = ToSign::of(&review()).unwrap();
    let check = |key: &PublicKey, signature: Sshsig| {
        let envelope = to_sign.clone().signed(key, signature).unwrap();
        let mut with = directory();
        with.people[1].keys[0].key = key.clone();
        let authority = authority_with(&with, &policy());
        let verified = authority.verify::<crate::Review>(&envelope, &Default::default()).unwrap();
        assert_eq!(*verified.doc(), review());
    };

    let key = desk.make("open", "");
    check(&key, desk.sign(&to_sign, &desk.path("open"), &[]));

    let key = desk.make("locked", "correct horse");
    let asks = desk.path("askpass");
    std::fs::write(&asks, "#!/bin/sh\necho 'correct horse'\n").unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&asks, std::fs::Permissions::from_mode(0o700)).unwrap();
    let env = [("SSH_ASKPASS", asks.as_str()), ("SSH_ASKPASS_REQUIRE", "force")];
    check(&key, desk.sign(&to_sign, &desk.path("locked"), &env));

    let socket = desk.path("agent");
    let _agent = Agent::start(std::path::Path::new(&socket));
    let env = [("SSH_AUTH_SOCK", socket.as_str())];
    let key = desk.make("held", "");
    let added = Command::new("ssh-add").args(["-q", &desk.path("held")]).envs(env).status();
    assert!(added.unwrap().success());
    // Only the agent has it now.
    std::fs::remove_file(desk.path("held")).unwrap();
    check(&key, desk.sign(&to_sign, &desk.path("held.pub"), &env));
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let to_sign = ToSign::of(&review()).unwrap();
    let (ns, message) = (to_sign.namespace().to_owned(), to_sign.message());
    let refusal = |signature: Sshsig| {
        let carol = key(CAROL).public().clone();
        to_sign.clone().signed(&carol, signature).unwrap_err().to_string()
    };
    let said = refusal(Sshsig::sign(&key(OTTO), &ns, &message));
    assert!(said.starts_with("review: the signature is by the key SHA256:"), "{said}");
    let said =
        refusal(Sshsig::sign(&key(CAROL), "borescope-approval-v1@shop.example/test", &message));
    assert!(said.contains("made for namespace"), "{said}");
    let said = refusal(Sshsig::sign(&key(CAROL), &ns, &message[1..]));
    assert!(said.contains("does not fit"), "{said}");

    let token = SecurityKey::new(CAROL);
    let by_token = |flags| Sshsig::from_blob(&token.sshsig(&ns, &message, flags)).unwrap();
    let said = refusal(by_token(0x01));
    assert!(said.contains("the signature is by the key"), "{said}");
    let signed = to_sign.clone().signed(&token.public(), by_token(0x01));
    assert!(signed.is_ok());
    let said = to_sign.clone().signed(&token.public(), by_token(0x00)).unwrap_err().to_string();
    assert!(said.contains("without being touched"), "{said}");
}

#[test]
fn an_invalid_document_is_never_handed_out_to_be_signed() {
    let mut free = access_request();
    free.uses = 0;
    assert!(ToSign::of(&free).unwrap_err().to_string().contains("`uses`: is 0"));
}
