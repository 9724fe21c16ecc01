//! The verbs, one a file: its arguments, what it does as a function of a [`crate::session::Session`]
//! (the demo calls the same), and how its result is shown.

pub(crate) mod after_review;
pub(crate) mod approve;
pub(crate) mod audit;
pub(crate) mod build;
pub(crate) mod cancel;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod inbox;
pub(crate) mod init;
pub(crate) mod join;
pub(crate) mod keys;
pub(crate) mod lift;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod new;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod proposals;
pub(crate) mod replay;
pub(crate) mod request;
pub(crate) mod review;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod schema;
pub(crate) mod scripts;
pub(crate) mod serve;
pub(crate) mod sessions;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod stops;
pub(crate) mod submit;
pub(crate) mod target;
pub(crate) mod test;
pub(crate) mod verify;
pub(crate) mod withdraw;

use crate::args::{Cli, Command};
use crate::config::Environment;
use crate::exit::Exit;
use crate::out::Out;
use crate::session::Session;

/// What every command is given.
pub(crate) struct Call<'a> {
    /// The command line's identity.
    pub(crate) who: &'a crate::args::Who,
    /// The environment.
    pub(crate) env: &'a Environment,
    /// How to print.
    pub(crate) out: Out,
}

impl Call<'_> {
    /// The session of the context.
    pub(crate) async fn session(&self) -> anyhow::Result<Session> {
        Session::open(self.who, self.env, self.out).await
    }
}

/// Does what the command line says.
pub(crate) async fn dispatch(cli: Cli, env: &Environment, out: Out) -> anyhow::Result<Exit> {
    let call = Call { who: &cli.who, env, out };
    match cli.command {
        Command::Completion(args) => completion::completion(&call, &args),
        Command::Man(args) => completion::man(&call, &args),
        Command::Demo(args) => demo::command(&call, args).await,
        Command::Init(args) => init::command(&call, &args),
        Command::Serve(args) => serve::command(&call, args).await,
        Command::Join(args) => join::command(&call, args).await,
        Command::Login(args) => login::command(&call, args).await,
        Command::Logout(args) => logout::command(&call, args).await,
        Command::Sessions(args) => sessions::command(&call, args).await,
        Command::New(args) => new::command(&call, &args),
        Command::Build(args) => build::command(&call, &args),
        Command::Test(args) => test::command(&call, args).await,
        Command::Plan(args) => plan::command(&call, args).await,
        Command::Schema(args) => schema::command(&call, args).await,
        Command::Submit(args) => submit::command(&call, args).await,
        Command::Scripts(args) => scripts::command(&call, args).await,
        Command::Show(args) => show::command(&call, args).await,
        Command::Review(args) => review::command(&call, args).await,
        Command::Request(args) => request::command(&call, args).await,
        Command::Approve(args) => approve::command(&call, args).await,
        Command::Run(args) => run::command(&call, args).await,
        Command::Runs(args) => runs::command(&call, args).await,
        Command::Inbox(args) => inbox::command(&call, args).await,
        Command::Audit(args) => audit::command(&call, args).await,
        Command::Check(args) => check::command(&call, args).await,
        Command::Target(args) => target::command(&call, args).await,
        Command::Doctor(args) => doctor::command(&call, args).await,
        Command::Cancel(args) => cancel::command(&call, args).await,
        Command::Status(args) => status::command(&call, args).await,
        Command::AfterReview(args) => after_review::command(&call, args).await,
        Command::Withdraw(args) => withdraw::command(&call, args).await,
        Command::Stop(args) => stop::command(&call, args).await,
        Command::Stops(args) => stops::command(&call, args).await,
        Command::Lift(args) => lift::command(&call, args).await,
        Command::Replay(args) => replay::command(&call, args).await,
        Command::Verify(args) => verify::command(&call, &args),
        Command::Keys(args) => keys::command(&call, args).await,
        Command::Policy(args) => policy::command(&call, args).await,
    }
}
