//! What a shell asks while somebody types: names that a context or its server knows, and the parameters
//! of the script that is named.
//!
//! It reads with the token that is there and never signs, writes or waits long; whatever goes wrong, it
//! knows nothing. Neighbour: [`crate::commands::completion`] writes what makes shells ask.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use api::Client;
use clap::{Arg, Command, CommandFactory as _};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use domain::ScriptName;
use domain::display::neutralise;

use crate::args::{Cli, Who, own_options};
use crate::config::{self, Config, Environment};
use crate::params::{Here, Params};
use crate::session::{World, client, path};

/// The variable by which a shell asks; its value is the shell's name.
pub(crate) const VARIABLE: &str = "BORESCOPE_COMPLETE";

/// Longer than this nobody waits for a key press.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers a shell that asks; whether one did.
pub(crate) fn answer(typed: &[OsString], env: &Environment) -> Result<bool, clap::Error> {
    if !env.completes {
        return Ok(false);
    }
    let context = named(typed, "--context");
    let (verb, options) = options(typed, env, context.as_deref()).unwrap_or_default();
    let factory = || {
        let command = with_names(Cli::command(), env, context.as_deref());
        let has_verb = command.find_subcommand(&verb).is_some();
        if !has_verb { command } else { command.mut_subcommand(&verb, |c| c.args(options.clone())) }
    };
    let here = std::env::current_dir().ok();
    CompleteEnv::with_factory(factory).var(VARIABLE).try_complete(typed, here.as_deref())
}

/// The options of the script that is named, with the verb before it. What a server shows of it is enough
/// here: it is checked when it is used.
fn options(
    typed: &[OsString],
    env: &Environment,
    context: Option<&str>,
) -> anyhow::Result<(String, Vec<Arg>)> {
    let words: Vec<&str> = typed.iter().filter_map(|word| word.to_str()).collect();
    let mut pairs = words.windows(2);
    let found = pairs.find(|pair| ["run", "request"].contains(&pair[0]));
    let Some(&[verb, script]) = found else { return Ok(Default::default()) };
    let name: ScriptName = script.split('@').next().unwrap_or_default().parse()?;
    let schema = asked(env, context, async |client| {
        let scripts = client.scripts().await?.into_iter().filter(|s| s.script == name);
        let Some(newest) = scripts.max_by_key(|s| s.created_ms) else { return Ok(None) };
        Ok(Some(client.file(&newest.revision, &path("input.schema.json")?).await?))
    })?;
    let params = Params::of(&name, schema.flatten().as_deref(), &own_options())?;
    let here = Here { now: World::real().now(), zone: env.zone.clone() };
    Ok((verb.to_owned(), params.options(&here)))
}

/// What a server answers in time to whoever has a token; `None` without one.
fn asked<T>(
    env: &Environment,
    context: Option<&str>,
    ask: impl AsyncFnOnce(Client) -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    let who = Who { context: context.map(str::to_owned), ..Who::default() };
    let (name, context) = Config::load(&env.dir)?.choose(&who)?;
    let Some(token) = config::token(&env.dir, &name) else { return Ok(None) };
    let client = client(&context.url, context.ca.as_deref())?.with_token(token);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, ask(client)).await });
    Ok(Some(answer??))
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
    let names = match what {
        What::Contexts => {
            let contexts = Config::load(&env.dir)?.contexts.into_keys();
            return Ok(contexts.map(|name| (name, None)).collect());
        }
        What::Scripts => asked(env, context, async |client| {
            let scripts = client.scripts().await?.into_iter();
            let about = scripts.map(|s| (s.script.to_string(), Some(neutralise(&s.summary))));
            let mut names: Names = about.collect();
            names.sort();
            names.dedup_by(|a, b| a.0 == b.0);
            Ok(names)
        }),
        What::Targets => asked(env, context, async |client| {
            let targets = client.targets().await?.into_iter();
            Ok(targets.map(|t| (t.id.to_string(), Some(t.engine))).collect())
        }),
    };
    Ok(names?.unwrap_or_default())
}
