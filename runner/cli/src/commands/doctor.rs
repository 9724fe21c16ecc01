//! `borescope doctor`: whether everything that somebody needs works, line by line, each with the command
//! that helps. It changes nothing, and goes on after what does not work.

mod mine;
mod operator;
mod server;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::Call;
use crate::config::Config;
use crate::exit::{Exit, verdict};
use crate::out::{Out, Style, foreign, hang, width};

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope doctor                          your context, key, clock and server
  borescope doctor --config /srv/borescope  and, as its operator, the server's folder

✓ works, ! works and wants a look, ✗ does not work. Ends with the exit code of the first ✗: 2 for
something of yours, 3 for something that is refused, 5 for a server that is away, 7 for evidence that
does not hold.")]
pub(crate) struct DoctorArgs {
    /// Also look at this server's folder, where the server runs
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What was found so far.
struct Findings {
    out: Out,
    exit: Exit,
}

impl Findings {
    fn good(&mut self, text: impl AsRef<str>) -> anyhow::Result<()> {
        self.tell((Style::Good, "✓", "ok"), text.as_ref(), None)
    }

    /// It works, and there is more to look at.
    fn good_so_far(&mut self, text: impl AsRef<str>, help: impl AsRef<str>) -> anyhow::Result<()> {
        self.tell((Style::Good, "✓", "ok"), text.as_ref(), Some(help.as_ref()))
    }

    fn warn(&mut self, text: impl AsRef<str>, help: impl AsRef<str>) -> anyhow::Result<()> {
        self.tell((Style::Warn, "!", "look"), text.as_ref(), Some(help.as_ref()))
    }

    fn bad(
        &mut self,
        exit: Exit,
        text: impl AsRef<str>,
        help: impl AsRef<str>,
    ) -> anyhow::Result<()> {
        if self.exit == Exit::Ok {
            self.exit = exit;
        }
        self.tell((Style::Bad, "✗", "fails"), text.as_ref(), Some(help.as_ref()))
    }

    /// What an error of another command says.
    fn error(&mut self, what: &str, error: &anyhow::Error) -> anyhow::Result<()> {
        let found = verdict(error);
        let exit = match found.exit {
            2 => Exit::Usage,
            3 => Exit::Denied,
            7 => Exit::Evidence,
            1 => Exit::Script,
            _ => Exit::Target,
        };
        let help = found.help.unwrap_or_else(|| "ask whoever runs the server".to_owned());
        self.bad(exit, format!("{what}: {}", found.error), help)
    }

    fn tell(
        &mut self,
        (style, mark, code): (Style, &str, &str),
        text: &str,
        help: Option<&str>,
    ) -> anyhow::Result<()> {
        if self.out.json {
            return Ok(self.out.json(&json!({ "state": code, "what": text, "help": help }))?);
        }
        let label = format!("{} ", self.out.style(style, mark));
        self.out.lines(hang(&label, &foreign(text), width()))?;
        if let Some(help) = help {
            self.out.lines(hang("  → ", &foreign(help), width()))?;
        }
        Ok(())
    }
}

/// Looks.
pub(crate) async fn command(call: &Call<'_>, args: DoctorArgs) -> anyhow::Result<Exit> {
    let mut findings = Findings { out: call.out, exit: Exit::Ok };
    findings.good(format!("borescope {}", env!("CARGO_PKG_VERSION")))?;
    match Config::load(&call.env.dir).and_then(|config| config.choose(call.who)) {
        Ok((name, context)) => {
            mine::look(call, &mut findings, &name, &context)?;
            server::look(call, &mut findings, &context).await?;
        }
        // An operator need not be anybody.
        Err(error) if args.config.is_some() => {
            let help = verdict(&error).help.unwrap_or_default();
            findings.warn("you have no context here", help)?;
        }
        Err(error) => findings.error("context", &error)?,
    }
    if let Some(config) = &args.config {
        operator::look(&mut findings, config)?;
    }
    Ok(findings.exit)
}
