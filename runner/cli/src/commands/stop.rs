//! `borescope stop`: an immediate ban, signed.

use api::types::Filed;
use clap::{Args, ValueEnum};
use domain::decide::StopSubject;
use domain::{FreeText, StopId};
use futures_util::future::join_all;
use trust::Stop;

use super::Call;
use crate::exit::{Exit, Failure};
use crate::session::{Session, wire};

/// How long the document itself is dated, seconds; the ban lasts until a signed lift.
const LIFE_S: i64 = 365 * 86_400;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope stop revision stuck-orders --reason \"reads too much, INC-1234\"
  borescope stop person mallory --reason \"laptop stolen\"
  borescope stop key SHA256:… --reason \"key leaked\"
  borescope stop everything --reason \"drill\"

Live runs that depend on what is stopped end within a second. A stop ends only by a signed lift:
borescope lift. borescope stops lists what is in force. Where your context names status keepers
(borescope login --keeper URL), they are told directly, too.")]
pub(crate) struct StopArgs {
    /// What kind of thing to stop
    kind: Kind,
    /// Which one; a revision by digest, prefix or name; nothing for `everything`
    value: Option<String>,
    /// Why, for people
    #[arg(long)]
    reason: FreeText,
}

/// Kinds of things that can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A person, in any role
    Person,
    /// A key, by its fingerprint
    Key,
    /// A revision
    Revision,
    /// An access request and its grant
    Request,
    /// A target
    Target,
    /// Every run
    Everything,
}

/// Stops.
pub(crate) async fn command(call: &Call<'_>, args: StopArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let subject = subject(&session, args.kind, args.value.as_deref()).await?;
    let filed = file(&session, subject.clone(), args.reason).await?;
    if call.out.json {
        call.out.json(&filed)?;
    } else {
        call.out.line(format!("{subject} is stopped ({})", filed.id))?;
    }
    Ok(Exit::Ok)
}

async fn subject(
    session: &Session,
    kind: Kind,
    value: Option<&str>,
) -> anyhow::Result<StopSubject> {
    let value = match (kind, value) {
        (Kind::Everything, None) => return Ok(StopSubject::Everything),
        (Kind::Everything, Some(_)) | (_, None) => {
            let help =
                "every kind but `everything` takes exactly one value; see borescope stop --help";
            return Err(Failure::usage("what to stop is not clear", help).into());
        }
        (_, Some(value)) => value,
    };
    Ok(match kind {
        Kind::Person => StopSubject::Person(value.parse()?),
        Kind::Key => StopSubject::Key(value.to_owned()),
        Kind::Revision => StopSubject::Revision(session.resolve(value).await?),
        Kind::Request => StopSubject::Request(value.parse()?),
        Kind::Target => StopSubject::Target(value.parse()?),
        Kind::Everything => StopSubject::Everything,
    })
}

/// Signs a stop and tells everybody: the server, and the keepers, who do not learn it from there if the
/// server hides it.
pub(crate) async fn file(
    session: &Session,
    subject: StopSubject,
    reason: FreeText,
) -> anyhow::Result<Filed> {
    let id = StopId::new(&*session.world.clock, &*session.world.entropy);
    let stop =
        Stop { header: session.header(id, LIFE_S), by: session.person.clone(), subject, reason };
    let envelope = wire(&session.sign(&stop)?)?;
    let told = join_all(session.keepers.iter().map(|keeper| keeper.stop(&envelope))).await;
    let filed = session.client.stop(&envelope).await;
    let deaf = session.keepers.iter().zip(&told).filter_map(|(keeper, told)| {
        let error = told.as_ref().err()?;
        Some(format!("the keeper {} has not heard of it: {}", keeper.base(), app::chain(error)))
    });
    let deaf: Vec<String> = deaf.collect();
    let heard = told.iter().any(Result::is_ok);
    match filed {
        Ok(filed) if deaf.is_empty() => Ok(filed),
        Ok(filed) => Err(Failure::new(
            Exit::Target,
            format!("{} is in force on the server, but {}", filed.id, deaf.join("; ")),
            "stop again when it is back: a server that lies can hide a stop from its runner",
        )
        .into()),
        Err(error) if heard => {
            let why = app::chain(&error);
            Err(Failure::new(
                Exit::Target,
                format!("a keeper has it, so that production closes; the server has not: {why}"),
                "live runs go on until the status ends; stop again when the server is back",
            )
            .into())
        }
        Err(error) => Err(error.into()),
    }
}
