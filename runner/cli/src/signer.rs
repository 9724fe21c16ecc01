//! Signing with the key that a person has.
//!
//! A key file without a passphrase signs in this process. A locked file, a key of an agent and a
//! security key are `ssh-keygen -Y sign`'s business, as with git: it asks for passphrase, PIN and
//! touch, and no secret reaches this program. What it answers counts only after [`ToSign::signed`]
//! has verified it. Files and their modes are [`crate::keys`]'.

use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::Context as _;
use trust::{Document, Envelope, KeyFile, PublicKey, SecretKey, Sshsig, ToSign};

use crate::exit::Failure;
use crate::keys;

/// OpenSSH's program that signs.
const PROGRAM: &str = "ssh-keygen";
/// The largest answer that is read; an SSHSIG in armor has about 500 bytes.
const ANSWER_BYTES_MAX: u64 = 4096;

/// Signs documents of one person.
#[derive(Debug)]
pub(crate) enum Signer {
    /// In this process.
    Here(SecretKey),
    /// Through `ssh-keygen`.
    Tool(Tool),
}

/// A key that `ssh-keygen` reaches.
#[derive(Debug)]
pub(crate) struct Tool {
    public: PublicKey,
    /// What `-f` is given.
    file: PathBuf,
    held: Held,
}

/// Where the secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// In the file, under a passphrase; or in the agent.
    Passphrase,
    /// Only the public half is at hand.
    Agent,
    /// On a security key.
    SecurityKey,
}

impl Signer {
    /// The signer of a private key file, or of a `.pub` file whose secret is elsewhere.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let text = keys::text(path)?;
        if !KeyFile::is_private(&text) {
            let public = keys::public(path, &text)?;
            let on_token = public.application().is_some();
            let held = if on_token { Held::SecurityKey } else { Held::Agent };
            return Ok(Self::Tool(Tool { public, file: path.to_owned(), held }));
        }
        let tool = |public, held| Self::Tool(Tool { public, file: path.to_owned(), held });
        Ok(match keys::parse(path, &text)? {
            KeyFile::Open(key) => Self::Here(*key),
            KeyFile::Locked(public) => tool(public, Held::Passphrase),
            KeyFile::SecurityKey(public) => tool(public, Held::SecurityKey),
        })
    }

    /// The public half.
    pub(crate) const fn public(&self) -> &PublicKey {
        match self {
            Self::Here(key) => key.public(),
            Self::Tool(tool) => &tool.public,
        }
    }

    /// Signs a document. May ask the person, and waits for the answer.
    pub(crate) fn sign<D: Document>(&self, doc: &D) -> anyhow::Result<Envelope> {
        let tool = match self {
            Self::Here(key) => return Ok(trust::sign(doc, key)?),
            Self::Tool(tool) => tool,
        };
        tool.signed(ToSign::of(doc)?)
    }

    /// Adds a signature to a document of a role that others have signed.
    pub(crate) fn sign_more<D: Document>(&self, envelope: &Envelope) -> anyhow::Result<Envelope> {
        match self {
            Self::Here(key) => Ok(trust::sign_more::<D>(envelope, key)?),
            Self::Tool(tool) => tool.signed(ToSign::more::<D>(envelope)?),
        }
    }
}

impl Tool {
    fn signed(&self, to_sign: ToSign) -> anyhow::Result<Envelope> {
        let signature = self.sign(&to_sign)?;
        Ok(to_sign.signed(&self.public, signature).map_err(|e| {
            Failure::usage(
                format!("what {PROGRAM} signed is refused: {e}"),
                "nothing was sent; check which key --key names, and sign again",
            )
        })?)
    }

    /// Has `ssh-keygen` sign. It reads the message from a file, because with standard input it could
    /// not ask for a passphrase.
    fn sign(&self, to_sign: &ToSign) -> anyhow::Result<Sshsig> {
        let dir = tempfile::Builder::new().prefix("borescope-sign-").tempdir()?;
        let message = dir.path().join("message");
        fs::write(&message, to_sign.message()).context("cannot write what is to be signed")?;
        // On a terminal its prompts and its words go there; elsewhere they become part of the error.
        let on_terminal = io::stderr().is_terminal();
        let child = Command::new(PROGRAM)
            .args(["-q", "-Y", "sign", "-n", to_sign.namespace(), "-f"])
            .arg(&self.file)
            .arg(&message)
            .stdin(questions())
            .stdout(Stdio::null())
            .stderr(if on_terminal { Stdio::inherit() } else { Stdio::piped() })
            .spawn()
            .map_err(missing)?;
        let done = child.wait_with_output()?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            return Err(self.refusal(done.status, said.trim()).into());
        }
        let mut answer = String::new();
        File::open(message.with_extension("sig"))
            .and_then(|file| file.take(ANSWER_BYTES_MAX).read_to_string(&mut answer))
            .with_context(|| format!("{PROGRAM} left no signature"))?;
        Sshsig::from_armored(&answer).with_context(|| format!("what {PROGRAM} answered"))
    }

    fn refusal(&self, status: ExitStatus, said: &str) -> Failure {
        let place = self.file.display();
        let words = if said.is_empty() { status.to_string() } else { said.replace('\n', "; ") };
        let holds = "`ssh-add -l` lists what your agent holds, and SSH_AUTH_SOCK must lead to it";
        let help = if said.contains("agent refused") {
            format!("confirm it when the agent asks, or unlock the agent; {holds}")
        } else {
            match self.held {
                Held::Passphrase => format!(
                    "give the right passphrase, or load the key once: ssh-add {place}; without a \
                     terminal set SSH_ASKPASS and SSH_ASKPASS_REQUIRE=force"
                ),
                Held::Agent => format!("load the key into your agent: ssh-add; {holds}"),
                Held::SecurityKey => "plug in the security key, touch it when it blinks and give \
                                      its PIN when asked; then try again"
                    .to_owned(),
            }
        };
        Failure::usage(format!("{PROGRAM} did not sign with {place}: {words}"), help)
    }
}

/// Where questions are answered: the terminal, also when standard input is something else (with that
/// `ssh-keygen` would not ask at all).
fn questions() -> Stdio {
    if io::stdin().is_terminal() {
        return Stdio::inherit();
    }
    File::open("/dev/tty").map_or_else(|_| Stdio::null(), Stdio::from)
}

fn missing(error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::NotFound {
        return Failure::usage(
            format!("{PROGRAM} is not on the PATH, and this key needs it to sign"),
            "install OpenSSH's client (8.2 or newer), or use an ed25519 key without a passphrase",
        )
        .into();
    }
    anyhow::Error::new(error).context(format!("cannot start {PROGRAM}"))
}
