//! The command line: one verb each, its arguments beside its code in [`crate::commands`].

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use domain::display::neutralise;
use domain::{LogicalTarget, Pair, PersonId, TargetId};

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
    Cli::try_parse_from(typed).map_err(|error| {
        let safe = typed.iter().map(|word| neutralise(&word.to_string_lossy()));
        Cli::try_parse_from(safe).err().unwrap_or(error)
    })
}

/// Parses `logical=target`.
pub(crate) fn pair(text: &str) -> Result<Pair, String> {
    let (logical, target) = text.split_once('=').ok_or_else(|| {
        format!("\"{text}\" has no =: expected LOGICAL=TARGET, as shop=shop-replica")
    })?;
    let logical: LogicalTarget = logical.parse().map_err(|e: domain::ParseError| e.to_string())?;
    let target: TargetId = target.parse().map_err(|e: domain::ParseError| e.to_string())?;
    Ok(Pair { logical, target })
}

#[cfg(test)]
mod tests;
