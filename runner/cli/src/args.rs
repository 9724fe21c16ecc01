//! The command line: one verb each, its arguments beside its code in [`crate::commands`].
//!
//! `run` and `request` also take the options of the script that they name ([`crate::params`]). These
//! are known only when its schema is at hand, so the line is read twice: once without them ([`words`]),
//! to find out which script it is, and then with them.

mod words;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, CommandFactory as _, Parser, Subcommand};
use domain::PersonId;
use domain::display::neutralise;

use crate::commands as c;
use crate::config::Context;

/// Looks inside production: reviewed, signed scripts run against read replicas, able to do exactly
/// what was granted, with evidence that anyone can check.
#[derive(Debug, Parser)]
#[command(name = "borescope", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Start here:\n  borescope demo            the whole story on this machine, in half a minute\n  borescope COMMAND --help  examples for each command\n\nExit codes: 0 ok, 1 script error, 2 usage, 3 denied, 4 limit, 5 target, 6 not approved in time,\n7 evidence invalid"
)]
pub(crate) struct Cli {
    /// Who you are and whom you talk to.
    #[command(flatten)]
    pub(crate) who: Who,

    /// Results as JSON, one object a line
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,

    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Who signs, and which server is asked; each overrides the context of `borescope login`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Who and where")]
pub(crate) struct Who {
    /// Context to use, as `borescope login` named it
    #[arg(long, global = true, value_name = "NAME", value_parser = crate::config::context_name,
        env = "BORESCOPE_CONTEXT")]
    pub(crate) context: Option<String>,

    /// Server to talk to
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Key to sign with: an ed25519 private file, or a .pub file whose key your agent or security
    /// key holds
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// Person who signs
    #[arg(long = "as", global = true, value_name = "PERSON")]
    pub(crate) person: Option<PersonId>,
}

impl Who {
    /// Replaces what the command line names.
    pub(crate) fn narrow(&self, context: &mut Context) {
        if let Some(url) = &self.url {
            context.url.clone_from(url);
        }
        if let Some(key) = &self.key {
            context.key.clone_from(key);
        }
        if let Some(person) = &self.person {
            context.person.clone_from(person);
        }
    }
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole story on this machine: what works, and what is refused
    Demo(c::demo::DemoArgs),
    /// Make a server's folder: keys, first keyring, directory and policy
    Init(c::init::InitArgs),
    /// Serve the API, with a runner in this process
    Serve(c::serve::ServeArgs),
    /// Pin a server's keyring and ask to be enrolled there
    Join(c::join::JoinArgs),
    /// Prove who you are to a server, and keep it as a context
    Login(c::login::LoginArgs),
    /// End the session of a context, and forget its token
    Logout(c::logout::LogoutArgs),
    /// List your sessions, or end one
    Sessions(c::sessions::SessionsArgs),
    /// Begin a script: a folder with commented files that work
    New(c::new::NewArgs),
    /// Check a script's folder and make its bundle
    Build(c::build::BuildArgs),
    /// Run a script on its fixtures, here, without a server
    Test(c::test::TestArgs),
    /// Say what a script's queries can touch and return, as reviewers will be told it
    Plan(c::plan::PlanArgs),
    /// Show what scripts may read of a target
    Schema(c::schema::SchemaArgs),
    /// Upload a bundle and sign 'I submit this revision'
    Submit(c::submit::SubmitArgs),
    /// List scripts and their revisions
    Scripts(c::scripts::ScriptsArgs),
    /// Show a script, revision, document or run
    Show(c::show::ShowArgs),
    /// Read a revision and sign a verdict with a ceiling
    Review(c::review::ReviewArgs),
    /// Ask to run a revision on targets
    Request(c::request::RequestArgs),
    /// Verify an access request with its reviews, and sign an approval
    Approve(c::approve::ApproveArgs),
    /// Run once: what reviewers opened to you, or under an approved access request
    Run(c::run::RunArgs),
    /// List runs
    Runs(c::runs::RunsArgs),
    /// Show what waits for you: reviews, approvals, emergencies, live runs
    Inbox(c::inbox::InboxArgs),
    /// Search what happened
    Audit(c::audit::AuditArgs),
    /// Connect to a server's targets as its runner does, and say what can be reached
    Check(c::check::CheckArgs),
    /// What a target needs where it is
    Target(c::target::TargetArgs),
    /// Look whether everything that you need works, and say what helps
    Doctor(c::doctor::DoctorArgs),
    /// Cancel a live run
    Cancel(c::cancel::CancelArgs),
    /// Say that you have looked at what was done in an emergency
    AfterReview(c::after_review::AfterReviewArgs),
    /// End a rejection of your own
    Withdraw(c::withdraw::WithdrawArgs),
    /// Ban a person, key, revision, request, target or everything, at once
    Stop(c::stop::StopArgs),
    /// Say what is in force, without which production is not reached
    Status(c::status::StatusArgs),
    /// List what is stopped and rejected, by whom and why
    Stops(c::stops::StopsArgs),
    /// End a stop or a rejection, by the holders of the role
    Lift(c::lift::LiftArgs),
    /// Run a recording again, here, and compare every call
    Replay(c::replay::ReplayArgs),
    /// Verify evidence or a journal offline, against a trust file
    Verify(c::verify::VerifyArgs),
    /// People, their keys, groups and roles: show, propose, sign, adopt, revoke, accept
    Keys(c::keys::KeysArgs),
    /// Targets and their rules: show, test, propose, sign, adopt; who can do what
    Policy(c::policy::PolicyArgs),
    /// Print the completion script of a shell
    Completion(c::completion::CompletionArgs),
    /// Print or write manual pages
    Man(c::completion::ManArgs),
}

/// Parses the command line. An error repeats what was typed, so it is the one about the same words
/// neutralised.
pub(crate) fn parse(typed: &[OsString]) -> Result<Cli, clap::Error> {
    let ours = words::ours(typed, &Cli::command());
    let mut cli = Cli::try_parse_from(&ours)
        .map_err(|error| Cli::try_parse_from(safe(&ours)).err().unwrap_or(error))?;
    match &mut cli.command {
        Command::Run(args) => args.what.typed = typed.to_vec(),
        Command::Request(args) => args.what.typed = typed.to_vec(),
        _ => {}
    }
    Ok(cli)
}

/// Parses it again with a script's own options, and gives what `verb` got.
pub(crate) fn parse_with(
    typed: &[OsString],
    verb: &str,
    options: Vec<Arg>,
    remark: Option<String>,
) -> Result<ArgMatches, clap::Error> {
    let whole = Cli::command().mut_subcommand(verb, |command| {
        let command = command.args(options);
        match remark {
            Some(remark) => command.before_help(remark),
            None => command,
        }
    });
    let again = |words: &[OsString]| whole.clone().try_get_matches_from(words);
    let mut found = again(typed).map_err(|error| again(&safe(typed)).err().unwrap_or(error))?;
    match found.remove_subcommand() {
        Some((_, matches)) => Ok(matches),
        None => Ok(found),
    }
}

/// The names of all options of our own where a script's are taken, too.
pub(crate) fn own_options() -> BTreeSet<String> {
    let whole = Cli::command();
    words::VERBS.iter().flat_map(|verb| words::longs(&whole, verb).into_keys()).collect()
}

fn safe(words: &[OsString]) -> Vec<OsString> {
    words.iter().map(|word| neutralise(&word.to_string_lossy()).into()).collect()
}

#[cfg(test)]
mod tests;
