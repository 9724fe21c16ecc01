//! Exit codes, and errors that choose one.
//!
//! A command returns [`Exit`] when it did what it is for (a run that was denied is an answer, not a
//! crash) and an `anyhow::Error` otherwise; [`report`] prints the chain once and finds the code.

use std::process::ExitCode;

use api::{CertificateFault, ClientError, Code, How, OriginError, Problem, Silence};
use domain::Denial;
use domain::RunId;
use domain::display::shorten;

use crate::out::{Out, Style};

/// Characters of an error; a server or a script could make it long.
const ERROR_CHARS_MAX: usize = 4000;

/// How the program ends; the numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// It worked.
    Ok = 0,
    /// The script failed, or something unexpected did.
    Script = 1,
    /// The command line or a file of the user is wrong.
    Usage = 2,
    /// Refused by a rule.
    Denied = 3,
    /// A limit ended the run.
    Limit = 4,
    /// The target or the server cannot be reached.
    Target = 5,
    /// Not approved, or not done, in time.
    NotInTime = 6,
    /// Evidence does not hold, or is not authenticated.
    Evidence = 7,
}

impl Exit {
    /// The code that `--json` shows for a failure of the client itself.
    const fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Script => "error",
            Self::Usage => "usage",
            Self::Denied => "denied",
            Self::Limit => "limit",
            Self::Target => "unreachable",
            Self::NotInTime => "not-in-time",
            Self::Evidence => "evidence-invalid",
        }
    }
}

impl Exit {
    /// The one with this number.
    fn of(number: u8) -> Self {
        let all = [
            Self::Ok,
            Self::Script,
            Self::Usage,
            Self::Denied,
            Self::Limit,
            Self::Target,
            Self::NotInTime,
            Self::Evidence,
        ];
        all.into_iter().find(|exit| *exit as u8 == number).unwrap_or(Self::Script)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that says which exit code it means and what would help.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What is wrong, and where.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
}

impl Failure {
    /// A mistake of the user.
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message, help)
    }

    /// Evidence, or something that should be evidence, does not hold.
    pub(crate) fn evidence(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Exit::Evidence, message, help)
    }

    pub(crate) fn new(exit: Exit, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { exit, message: message.into(), help: Some(help.into()) }
    }
}

/// What an error comes to: its exit code, its stable code where it has one, its words.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Verdict {
    #[serde(skip)]
    pub(crate) exit: u8,
    /// A code of the API, or `error`.
    pub(crate) code: String,
    /// The chain of causes.
    pub(crate) error: String,
    /// What would help.
    pub(crate) help: Option<String>,
    /// The command that helps on, where a rule said no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<&'static str>,
}

/// Reads exit code, stable code and help out of an error's chain.
pub(crate) fn verdict(error: &anyhow::Error) -> Verdict {
    let mut found = Verdict {
        exit: Exit::Script as u8,
        code: "error".to_owned(),
        error: chain(error),
        help: None,
        next: None,
    };
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            found.exit = failure.exit as u8;
            failure.exit.code().clone_into(&mut found.code);
            found.help.clone_from(&failure.help);
            break;
        }
        if let Some(denial) = cause.downcast_ref::<Denial>() {
            found.exit = Exit::Denied as u8;
            denial.rule.code().clone_into(&mut found.code);
            found.error.clone_from(&denial.fact);
            found.help = Some(denial.help.clone());
            found.next = crate::next::command(denial.rule);
            break;
        }
        if let Some(error) = cause.downcast_ref::<ClientError>() {
            from_client(&mut found, error);
            break;
        }
    }
    found
}

fn from_client(found: &mut Verdict, error: &ClientError) {
    match error {
        ClientError::Problem(problem) => {
            found.exit = exit_of(problem.code) as u8;
            problem.code.code().clone_into(&mut found.code);
            found.help = Some(help_of_problem(problem)).filter(|help| !help.is_empty());
        }
        ClientError::Silent(silence) => {
            found.exit = Exit::Target as u8;
            "unreachable".clone_into(&mut found.code);
            found.help = Some(after_silence(silence));
        }
        ClientError::Between { .. } => {
            found.exit = Exit::Target as u8;
            "unreachable".clone_into(&mut found.code);
            found.help = Some(format!("{UNKNOWN}; ask the server's operator whether it runs"));
        }
        ClientError::Certificate(fault) => {
            found.exit = Exit::Target as u8;
            "certificate-invalid".clone_into(&mut found.code);
            found.help = Some(help_of(fault).to_owned());
        }
        ClientError::NotTls => {
            found.exit = Exit::Target as u8;
            "unreachable".clone_into(&mut found.code);
            found.help = Some(format!(
                "{NOTHING_SENT}; if it is meant to be http://, log in there: borescope login --url URL"
            ));
        }
        ClientError::Origin(error) => {
            found.exit = Exit::Usage as u8;
            "usage".clone_into(&mut found.code);
            found.help = Some(
                match error {
                    OriginError::ClearText(_) => {
                        "dial https://…; a server beyond its machine has [tls]"
                    }
                    OriginError::Malformed(_) => {
                        "as https://borescope.shop.example or http://127.0.0.1:7777"
                    }
                }
                .to_owned(),
            );
        }
        ClientError::Tls(_) => {}
        ClientError::Decode { .. } | ClientError::Broken => {
            "other-api".clone_into(&mut found.code);
            found.help = Some(OTHER_API.to_owned());
        }
    }
}

/// The server's help, with the figures that it speaks of: when to try again, and the id under which its
/// log has the reason.
fn help_of_problem(problem: &Problem) -> String {
    let mut help = problem.help.clone();
    if let Some(seconds) = problem.retry_after_s {
        help.push_str(&format!(" (try again in {})", crate::when::show_s(seconds)));
    }
    if let Some(id) = problem.instance.as_ref().filter(|_| problem.code == Code::Internal) {
        help.push_str(&format!(": {id}"));
    }
    help
}

/// What somebody can do whose server answers something else than this program understands.
const OTHER_API: &str = "ask its operator for its version, and compare with borescope --version";
/// What is known of a call that never left.
const NOTHING_SENT: &str = "the server was not reached, so nothing ran";
/// What is known of one that left.
const UNKNOWN: &str = "whether it did what was asked is not known: look before you repeat it (borescope runs, borescope inbox)";

/// Whether anything happened at a server that did not answer, and what to do.
fn after_silence(silence: &Silence) -> String {
    let next = match silence.how {
        How::Refused => "start the server (borescope serve), or give another --url",
        How::NoSuchHost => "compare the name, and this machine's network; or give another --url",
        How::NotConnected | How::Unreachable(_) => {
            "compare the address and this machine's network; then ask the server's operator"
        }
        How::NotHttp => "dial https:// if the server speaks TLS, or another port",
        How::Cut(_) | How::Late if silence.acts => return UNKNOWN.to_owned(),
        How::Cut(_) | How::Late => {
            return "nothing was asked but to show something: try again".to_owned();
        }
    };
    format!("{NOTHING_SENT}; {next}")
}

/// An error of a call about a run whose order was signed already. `accepted` says that the server had
/// the order. Whatever became of the call, the run is found by its id.
pub(crate) fn about_run(run: &RunId, accepted: bool, error: ClientError) -> anyhow::Error {
    let away = match &error {
        ClientError::Silent(silence) => accepted || silence.was_sent(),
        ClientError::Between { .. } => true,
        ClientError::Problem(problem) => problem.code == Code::Internal,
        _ => false,
    };
    if !away {
        return error.into();
    }
    let help = if accepted {
        format!(
            "{run} was accepted: it goes on or has ended without you; go on: borescope run --resume {run}"
        )
    } else {
        format!(
            "whether {run} was accepted is not known; look: borescope run --resume {run} (if there is no such run, nothing ran)"
        )
    };
    Failure::new(Exit::Target, error.to_string(), help).into()
}

/// What somebody can do whose server does not prove that it is the right one.
const fn help_of(fault: &CertificateFault) -> &'static str {
    match fault {
        CertificateFault::UnknownIssuer => {
            "if the server's operator gave you its authority: borescope login … --ca FILE"
        }
        CertificateFault::WrongName(_) => "dial a name that the certificate is for",
        CertificateFault::Expired | CertificateFault::NotValidYet => {
            "compare this machine's clock; then it is for the server's operator to renew it"
        }
        CertificateFault::Other(_) => "tell the server's operator; nothing was sent",
    }
}

/// The exit code of a refused call: a rule said no, the caller erred, or the server cannot.
const fn exit_of(code: Code) -> Exit {
    match code {
        Code::EvidenceInvalid => Exit::Evidence,
        Code::DocumentInvalid => Exit::Denied,
        other => match other.status() {
            401 | 403 => Exit::Denied,
            400..=499 if !matches!(other, Code::RateLimited) => Exit::Usage,
            _ => Exit::Target,
        },
    }
}

/// The causes of an error in one line, each once.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.ends_with(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    shorten(&text, ERROR_CHARS_MAX)
}

/// Prints what the parser of the command line says, or the help that was asked for.
pub(crate) fn told(error: &clap::Error) -> Exit {
    let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
    // A closed output changes nothing.
    drop(crate::out::usage(error));
    exit
}

/// Prints an error and gives the exit code.
pub(crate) fn report(out: Out, error: &anyhow::Error) -> Exit {
    let closed = |e: &std::io::Error| e.kind() == std::io::ErrorKind::BrokenPipe;
    if error.downcast_ref::<std::io::Error>().is_some_and(closed) {
        // Whoever reads our output has seen enough.
        return Exit::Ok;
    }
    let verdict = verdict(error);
    if out.json {
        drop(out.json(&verdict));
    }
    let label = out.style_err(Style::Bad, "error:");
    out.note(format!("{label} {}", verdict.error));
    if let Some(help) = &verdict.help {
        out.note(format!("  {} {}", out.style_err(Style::Bold, "help:"), help));
    }
    if let Some(next) = verdict.next {
        out.note(format!("  {} {}", out.style_err(Style::Bold, "next:"), next));
    }
    Exit::of(verdict.exit)
}

#[cfg(test)]
mod tests;
