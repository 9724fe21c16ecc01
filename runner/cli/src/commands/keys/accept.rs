//! `borescope keys accept`: somebody who asks to join, in the next directory.

use anyhow::Context as _;
use api::types::KeyClaimView;
use clap::{Args, ValueEnum};
use domain::display::neutralise;
use domain::{GroupName, PersonId};
use trust::{Envelope, KeyClaim, KeyStatus, Person, PersonKey, PersonKind, Verified};

use super::LIFE;
use super::revoke::successor;
use crate::commands::Call;
use crate::commands::proposals::{self, next_step};
use crate::exit::{Exit, Failure};
use crate::out::Style;
use crate::session::Session;
use crate::when;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope keys accept                                   lists the claims
  borescope keys accept 3f2a91c0d4e5 --group oncall
  borescope keys accept 3f2a91c0d4e5 --kind agent --owner alice --group oncall

A claim proves that somebody has the key, and nothing about who that is. Compare the fingerprint with
the person, by another channel, before you sign.")]
pub(crate) struct AcceptArgs {
    /// The claim: its digest, or the first digits; without it the claims are listed
    claim: Option<String>,
    /// Group that they are in; repeat
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<GroupName>,
    /// What joins
    #[arg(long, value_enum, default_value_t = JoinKind::Human)]
    kind: JoinKind,
    /// The human who answers for a service or agent
    #[arg(long, value_name = "PERSON")]
    owner: Option<PersonId>,
    /// How long the directory is valid
    #[arg(long, value_name = "TIME", default_value = LIFE, value_parser = when::duration_s)]
    valid: u64,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
}

/// What joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum JoinKind {
    /// A person
    Human,
    /// A service, as a CI job
    Service,
    /// An agent
    Agent,
}

impl From<JoinKind> for PersonKind {
    fn from(kind: JoinKind) -> Self {
        match kind {
            JoinKind::Human => Self::Human,
            JoinKind::Service => Self::Service,
            JoinKind::Agent => Self::Agent,
        }
    }
}

pub(super) async fn command(call: &Call<'_>, args: AcceptArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let authority = session.authority().await?;
    let claims = session.client.key_claims().await?;
    let Some(which) = &args.claim else { return list(call, &session, &claims) };
    let claim = find(&session, &claims, which)?;
    let (doc, key) = (claim.doc(), claim.doc().key.fingerprint());
    let out = call.out;
    out.note(format!("{} wants to be {}", out.style_err(Style::Bold, key.as_str()), doc.person));
    out.note(format!("  who calls themselves \"{}\"", neutralise(doc.name.as_str())));
    out.note(format!("  and says \"{}\"", neutralise(doc.note.as_str())));
    out.note("  ✓ they have the key; that they are who they say is for you to find out");
    let mut next = successor(&session, &authority, args.valid);
    join(&mut next.people, doc, &args)?;
    match proposals::propose(call, &session, &authority, &next, None, args.yes).await? {
        None => Ok(Exit::Denied),
        Some(proposed) => {
            next_step(call, "proposed: directory", &proposed)?;
            Ok(Exit::Ok)
        }
    }
}

/// The claim that `which` begins, verified.
fn find(
    session: &Session,
    claims: &[KeyClaimView],
    which: &str,
) -> anyhow::Result<Verified<KeyClaim>> {
    let prefix = which.strip_prefix("sha256:").unwrap_or(which);
    let is_prefix = prefix.len() >= 6 && prefix.bytes().all(|b| b.is_ascii_hexdigit());
    let mut found = claims.iter().filter(|c| is_prefix && c.digest.hex().starts_with(prefix));
    let (Some(view), None) = (found.next(), found.next()) else {
        return Err(Failure::usage(
            format!("\"{}\" names no key claim, or more than one", neutralise(which)),
            "list them: borescope keys accept",
        )
        .into());
    };
    verified(session, view)
}

fn verified(session: &Session, view: &KeyClaimView) -> anyhow::Result<Verified<KeyClaim>> {
    let envelope = Envelope::from_json(view.envelope.get().as_bytes()).context("the key claim")?;
    if envelope.payload_digest() != view.digest {
        let got = envelope.payload_digest();
        return Err(Failure::evidence(
            format!("the server shows the key claim {got} for {}", view.digest),
            "the server is broken or lies; sign nothing",
        )
        .into());
    }
    let claim = trust::verify_key_claim(&envelope, &session.trust_domain)?;
    Ok(claim.live(session.world.now())?)
}

fn list(call: &Call<'_>, session: &Session, claims: &[KeyClaimView]) -> anyhow::Result<Exit> {
    if !call.out.json && claims.is_empty() {
        call.out.note("nobody asks to join");
    }
    for view in claims {
        let claim = match verified(session, view) {
            Ok(claim) => claim.into_doc(),
            Err(error) => {
                call.out.note(format!("{} is refused: {error}", view.digest.short()));
                continue;
            }
        };
        if call.out.json {
            call.out.json(&serde_json::json!({
                "digest": view.digest, "person": claim.person, "name": claim.name,
                "key": claim.key.fingerprint().as_str(), "note": claim.note,
            }))?;
            continue;
        }
        let key = claim.key.fingerprint();
        call.out.line(format!("{} {} with {}", view.digest.short(), claim.person, key.as_str()))?;
        call.out.field("  name ", claim.name.as_str())?;
        call.out.field("  note ", claim.note.as_str())?;
    }
    Ok(Exit::Ok)
}

/// Puts the claimed key where it belongs.
fn join(people: &mut Vec<Person>, claim: &KeyClaim, args: &AcceptArgs) -> Result<(), Failure> {
    let key = PersonKey { key: claim.key.clone(), status: KeyStatus::Active, since: None };
    if let Some(known) = people.iter_mut().find(|p| p.id == claim.person) {
        if args.owner.is_some() || args.kind != JoinKind::Human {
            let help = "leave --kind and --owner out, or change them in the text: keys source";
            return Err(Failure::usage(format!("{} is known already", known.id), help));
        }
        known.keys.push(key);
        let new = args.groups.iter().filter(|g| !known.groups.contains(g));
        let new: Vec<GroupName> = new.cloned().collect();
        known.groups.extend(new);
        return Ok(());
    }
    if (args.kind == JoinKind::Human) == args.owner.is_some() {
        let help = "give --owner PERSON exactly with --kind service or --kind agent";
        return Err(Failure::usage("who answers for it is not clear", help));
    }
    people.push(Person {
        id: claim.person.clone(),
        name: claim.name.as_str().to_owned(),
        kind: args.kind.into(),
        owner: args.owner.clone(),
        keys: vec![key],
        groups: args.groups.clone(),
    });
    Ok(())
}
