//! `borescope lift`: end a stop or a rejection, by as many holders of the role as the keyring asks for.
//!
//! A lift that lacks people is no document yet: it goes from hand to hand as a file, and whoever adds
//! a signature sees what it ends, fetched and verified anew.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use domain::{Digest, FreeText, LiftId};
use serde_json::json;
use trust::{Authority, Envelope, Lift, signed_so_far};

use super::Call;
use super::stops::in_words;
use crate::against::{Against, Listed};
use crate::exit::{Exit, Failure};
use crate::session::{Session, wire};

/// How long the document itself is dated, seconds; it ends the ban for good.
const LIFE_S: i64 = 365 * 86_400;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope lift stp_0198f0c0-0000-7000-8000-000000000000 --reason \"fixed in 1.2.1\"
  borescope lift rev_0198f0c0-… --reason \"its reviewer has left\" --out lift.json
  borescope lift --add lift.json --out lift.json

borescope stops lists what is in force. When the keyring asks for several holders of the role `lift`,
the first signs with --out FILE and hands the file on; the next signs with --add FILE; the last one's
command files it.")]
pub(crate) struct LiftArgs {
    /// The stop or the rejecting review, by id or digest
    #[arg(required_unless_present = "add", conflicts_with = "add")]
    reference: Option<String>,
    /// Why, for people
    #[arg(long, required_unless_present = "add", conflicts_with = "add")]
    reason: Option<FreeText>,
    /// A lift that others have signed, to be signed by you as well
    #[arg(long, value_name = "FILE")]
    add: Option<PathBuf>,
    /// Where a lift goes that still lacks people
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
}

/// Shows what it ends, signs, and files it or hands it on.
pub(crate) async fn command(call: &Call<'_>, args: LiftArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let authority = session.authority().await?;
    let against = Listed::fetch(&session).await?.in_force(&authority, None);
    let begun = args.add.as_deref().map(read).transpose()?;
    let digest = match &begun {
        Some((_, lift)) => lift.lifts,
        None => find(&against, args.reference.as_deref().unwrap_or_default())?,
    };
    show(call, &against, &digest, begun.as_ref().map(|(_, lift)| lift))?;
    let out = call.out;
    if !args.yes && !out.confirm(&format!("Sign the lift as {}?", session.person))? {
        out.note("nothing was signed");
        return Ok(Exit::Denied);
    }
    let envelope = match begun {
        Some((envelope, _)) => session.key.sign_more::<Lift>(&envelope)?,
        None => {
            let id = LiftId::new(&*session.world.clock, &*session.world.entropy);
            let header = session.header(id, LIFE_S);
            let reason = args.reason.context("no reason was given")?;
            session.sign(&Lift { header, lifts: digest, reason })?
        }
    };
    hand_on(call, &session, &authority, &envelope, args.out.as_deref()).await
}

/// The ban that a reference names, if it is in force.
fn find(against: &Against, reference: &str) -> Result<Digest, Failure> {
    let is_it = |id: &str, digest: &Digest| {
        id == reference || digest.to_string() == reference || digest.hex() == reference
    };
    let found = against.bans().into_iter().find(|b| is_it(&b.id, &b.digest)).map(|b| b.digest);
    found.ok_or_else(|| {
        Failure::usage(
            format!("\"{reference}\" is no stop or rejection that is in force"),
            "list them: borescope stops",
        )
    })
}

fn show(
    call: &Call<'_>,
    against: &Against,
    digest: &Digest,
    begun: Option<&Lift>,
) -> anyhow::Result<()> {
    let Some(ban) = against.bans().into_iter().find(|b| b.digest == *digest) else {
        return Err(Failure::usage(
            format!("{digest} is no stop or rejection that is in force"),
            "it may have been lifted or withdrawn already; list what is in force: borescope stops",
        )
        .into());
    };
    if call.out.json {
        return Ok(());
    }
    call.out.line(format!("this ends {}", ban.id))?;
    call.out.lines(in_words(ban, call))?;
    if let Some(lift) = begun {
        call.out.field("  lift     ", lift.reason.as_str())?;
    }
    Ok(())
}

/// Reads a lift that others have begun. Their signatures are verified before another one is added.
fn read(path: &Path) -> anyhow::Result<(Envelope, Lift)> {
    let place = path.display();
    let bytes = std::fs::read(path).map_err(|e| {
        Failure::usage(format!("{place} cannot be read: {e}"), "give the file of --out")
    })?;
    let envelope = Envelope::from_json(&bytes).with_context(|| format!("{place}"))?;
    let lift = trust::read_unverified(&envelope).with_context(|| format!("{place}"))?;
    Ok((envelope, lift))
}

/// Files a lift that has all its people; writes down one that has not.
async fn hand_on(
    call: &Call<'_>,
    session: &Session,
    authority: &Authority,
    envelope: &Envelope,
    to: Option<&Path>,
) -> anyhow::Result<Exit> {
    let so_far = signed_so_far::<Lift>(envelope, &session.trust_domain, authority.keyring())?;
    let out = call.out;
    if !so_far.signed.contains(&session.person) {
        return Err(Failure::new(
            Exit::Denied,
            format!("{} does not hold the role `lift` with this key", session.person),
            "ask a holder of the role: borescope keys allowed-signers lists them",
        )
        .into());
    }
    if so_far.missing == 0 {
        let filed = session.client.lift(&wire(envelope)?).await?;
        if out.json {
            out.json(&json!({ "id": filed.id, "digest": filed.digest, "missing": 0 }))?;
        } else {
            out.line(format!("lifted ({})", filed.id))?;
        }
        return Ok(Exit::Ok);
    }
    let Some(to) = to else {
        return Err(Failure::usage(
            format!("the lift lacks the signatures of {} more", so_far.missing),
            "sign it with --out FILE and hand the file to another holder of the role",
        )
        .into());
    };
    std::fs::write(to, envelope.to_json()?)
        .with_context(|| format!("cannot write {}", to.display()))?;
    if out.json {
        let signed = &so_far.signed;
        out.json(&json!({ "file": to, "signed": signed, "missing": so_far.missing }))?;
    } else {
        out.line(format!("written to {}: {} more have to sign", to.display(), so_far.missing))?;
        out.note(format!(
            "next: another holder of the role: borescope lift --add {}",
            to.display()
        ));
    }
    Ok(Exit::NotInTime)
}
