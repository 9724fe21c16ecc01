//! What a shell asks while somebody types: names that a context or its server knows, and the parameters
//! of the script that is named.
//!
//! It reads with the token that is there and never signs, writes or waits long; whatever goes wrong, it
//! knows nothing. Neighbour: [`crate::commands::completion`] writes what makes shells ask.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use domain::display::neutralise;

use crate::args::{Cli, Who};
use crate::config::{self, Config, Environment};
use crate::session::client;

/// The variable by which a shell asks; its value is the shell's name.
pub(crate) const VARIABLE: &str = "BORESCOPE_COMPLETE";

/// Longer than this nobody waits for a key press.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers a shell that asks; whether one did.
pub(crate) fn answer(typed: &[OsString], env: &Environment) -> Result<bool, clap::Error> {
    let context = named(typed, "--context");
    let factory = || with_names(Cli::command(), env, context.as_deref());
    let here = std::env::current_dir().ok();
    CompleteEnv::with_factory(factory).var(VARIABLE).try_complete(typed, here.as_deref())
}

/// The value of a flag that was typed already.
fn named(typed: &[OsString], flag: &str) -> Option<String> {
    let at = typed.iter().position(|word| word == flag)?;
    typed.get(at + 1).and_then(|word| word.to_str()).map(str::to_owned)
}

/// The command with its completers: arguments of the same name mean the same in every command.
fn with_names(command: Command, env: &Environment, context: Option<&str>) -> Command {
    let command = command.mut_args(|arg| with_completer(arg, env, context));
    command.mut_subcommands(|sub| with_names(sub, env, context))
}

fn with_completer(arg: Arg, env: &Environment, context: Option<&str>) -> Arg {
    let what = match arg.get_id().as_str() {
        "context" => What::Contexts,
        "reference" => What::Scripts,
        "targets" => What::Targets,
        _ => return arg,
    };
    let (env, context) = (env.clone(), context.map(str::to_owned));
    arg.add(ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let all = known(what, &env, context.as_deref()).unwrap_or_default();
        let fitting = all.into_iter().filter(|(name, _)| name.starts_with(&*typed));
        fitting
            .map(|(name, help)| CompletionCandidate::new(name).help(help.map(Into::into)))
            .collect::<Vec<_>>()
    }))
}

/// What is completed.
#[derive(Debug, Clone, Copy)]
enum What {
    Contexts,
    Scripts,
    Targets,
}

/// Names, some with a word about them.
type Names = Vec<(String, Option<String>)>;

fn known(what: What, env: &Environment, context: Option<&str>) -> anyhow::Result<Names> {
    let config = Config::load(&env.dir)?;
    if matches!(what, What::Contexts) {
        return Ok(config.contexts.into_keys().map(|name| (name, None)).collect());
    }
    let who = Who { context: context.map(str::to_owned), ..Who::default() };
    let (name, context) = config.choose(&who)?;
    let Some(token) = config::token(&env.dir, &name) else { return Ok(Vec::new()) };
    let client = client(&context.url, context.ca.as_deref())?.with_token(token);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let asked = async {
            anyhow::Ok(match what {
                What::Contexts => Vec::new(),
                What::Scripts => {
                    let scripts = client.scripts().await?.into_iter();
                    let mut names: Names = scripts
                        .map(|s| (s.script.to_string(), Some(neutralise(&s.summary))))
                        .collect();
                    names.sort();
                    names.dedup_by(|a, b| a.0 == b.0);
                    names
                }
                What::Targets => {
                    let targets = client.targets().await?.into_iter();
                    targets.map(|t| (t.id.to_string(), Some(t.engine))).collect()
                }
            })
        };
        tokio::time::timeout(PATIENCE, asked).await?
    })
}
