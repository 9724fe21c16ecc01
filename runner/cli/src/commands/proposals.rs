//! The next keyring, directory or policy, from one signer to the next: `borescope keys` and `borescope
//! policy` share this.
//!
//! Whoever signs has seen what it changes, out of bytes that were hashed here, compared with what is
//! in force by documents that were verified here. What a server says about a proposal is not believed.

mod kind;
mod view;

use std::collections::BTreeSet;

use anyhow::Context as _;
use api::types::{ProposalState, ProposalView};
use clap::Args;
use domain::Digest;
use domain::display::neutralise;
use serde_json::json;
use trust::imagine::{Ground, rights::consequences};
use trust::{
    Authority, Change, Directory, Envelope, InForce, Keyring, Policy, Proposed, ProposedKeyring,
    document,
};

use super::Call;
use super::policy::masking::filters_pass;
use crate::exit::{Exit, Failure};
use crate::session::{Session, wire};

pub(crate) use kind::Kind;
pub(crate) use view::changes;

/// Which proposal.
#[derive(Debug, Args)]
pub(crate) struct WhichArgs {
    /// The proposal: its digest, or the first digits
    digest: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// A proposal whose bytes are those that its digest names, judged by what is in force.
pub(crate) struct Read {
    pub(crate) envelope: Envelope,
    pub(crate) proposed: Proposed,
    /// The keyring that it names, when that is only proposed, too.
    under: Option<ProposedKeyring>,
}

/// What a server must not show for something else.
fn lies(message: String) -> anyhow::Error {
    Failure::evidence(message, "the server is broken or lies; sign nothing").into()
}

/// The digest that `text` is, or begins.
async fn resolve(session: &Session, text: &str) -> anyhow::Result<Digest> {
    if let Ok(digest) = text.parse::<Digest>() {
        return Ok(digest);
    }
    let prefix = text.strip_prefix("sha256:").unwrap_or(text);
    let is_prefix = prefix.len() >= 6 && prefix.bytes().all(|b| b.is_ascii_hexdigit());
    let all = session.client.proposals().await?;
    let mut found = all.iter().filter(|p| is_prefix && p.digest.hex().starts_with(prefix));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.digest),
        _ => Err(Failure::usage(
            format!("\"{}\" names no proposal, or more than one", neutralise(text)),
            "list them: borescope keys proposals",
        )
        .into()),
    }
}

/// The envelope of a proposal, which has the digest that was asked for.
async fn fetch(session: &Session, digest: &Digest) -> anyhow::Result<(Envelope, ProposalState)> {
    let view = session.client.proposal(digest).await?;
    let raw = view.envelope.context("the server shows the proposal without its document")?;
    let envelope = Envelope::from_json(raw.get().as_bytes()).context("the server's proposal")?;
    if envelope.payload_digest() != *digest {
        let got = envelope.payload_digest();
        return Err(lies(format!("the server shows {got} for the proposal {digest}")));
    }
    Ok((envelope, view.state))
}

/// Fetches a proposal and judges it here.
pub(crate) async fn read(
    session: &Session,
    authority: &Authority,
    digest: &Digest,
) -> anyhow::Result<Read> {
    let (envelope, state) = fetch(session, digest).await?;
    if state != ProposalState::Open {
        return Err(Failure::usage(
            format!("{digest} is no open proposal any more"),
            "list those that are: borescope keys proposals",
        )
        .into());
    }
    let under = match kind::named_keyring(&envelope)? {
        Some(named) if named != authority.keyring_ref() => {
            Some(proposed_keyring(session, authority, &named.digest).await?)
        }
        _ => None,
    };
    judge(session, authority, envelope, under)
}

/// A keyring that is proposed as the next one.
pub(crate) async fn proposed_keyring(
    session: &Session,
    authority: &Authority,
    digest: &Digest,
) -> anyhow::Result<ProposedKeyring> {
    let (envelope, _) = fetch(session, digest).await?;
    let read = judge(session, authority, envelope, None)?;
    let keyring = trust::read_unverified(&read.envelope)?;
    Ok(ProposedKeyring { version: read.proposed.named.version, keyring })
}

/// Judges a proposal by what is in force. Stops are the server's and the runners' to look at: they
/// make signatures count less, never more.
fn judge(
    session: &Session,
    authority: &Authority,
    envelope: Envelope,
    under: Option<ProposedKeyring>,
) -> anyhow::Result<Read> {
    let keyrings = under.as_slice();
    let judged = authority.judge(&envelope, keyrings, &InForce::default(), session.world.now());
    let proposed = judged.map_err(|e| {
        let help = "sign nothing; compare it with what is in force: borescope keys source, \
                    borescope policy source";
        Failure::new(Exit::Denied, format!("the proposal can never be adopted: {e}"), help)
    })?;
    Ok(Read { envelope, proposed, under })
}

/// What a document changes, and what that means for people.
pub(crate) struct Told {
    /// In the document.
    pub(crate) changes: Vec<Change>,
    /// For people.
    pub(crate) people: Vec<Change>,
}

/// Compares a document with the one in force.
pub(crate) fn told<D: Kind>(authority: &Authority, next: &D) -> Told {
    let before = Ground::of(authority);
    Told {
        changes: D::in_force(authority).changes(next),
        people: consequences(&before, &next.upon(before)),
    }
}

/// Shows, asks, signs and hands in the next version; `None` when the person says no. `under` is the
/// keyring that it names when that is proposed with it.
pub(crate) async fn propose<D: Kind>(
    call: &Call<'_>,
    session: &Session,
    authority: &Authority,
    next: &D,
    under: Option<ProposedKeyring>,
    yes: bool,
) -> anyhow::Result<Option<Proposed>> {
    changes(call, authority, next, under.as_ref())?;
    let question = format!("Sign {} version {} as {}?", D::DOC, next.version(), session.person);
    if !yes && !call.out.confirm(&question)? {
        call.out.note("nothing was signed");
        return Ok(None);
    }
    let signed = session.sign(next)?;
    // Before anybody else sees it: floors, roles, keys of two people.
    let read = judge(session, authority, signed, under)?;
    hand_in(session, &read).await?;
    Ok(Some(read.proposed))
}

async fn hand_in(session: &Session, read: &Read) -> anyhow::Result<ProposalView> {
    let view = session.client.propose(&wire(&read.envelope)?).await?;
    if view.digest != read.proposed.named.version.digest {
        return Err(lies(format!("the server took in {} instead of it", view.digest)));
    }
    Ok(view)
}

/// What is missing, in words; `None`: nothing.
pub(crate) fn missing(proposed: &Proposed) -> Option<String> {
    let lacks: Vec<String> = proposed.lacks.iter().map(ToString::to_string).collect();
    (!lacks.is_empty()).then(|| lacks.join("; "))
}

/// Tells what a proposal needs next.
pub(crate) fn next_step(call: &Call<'_>, done: &str, proposed: &Proposed) -> anyhow::Result<()> {
    let (out, digest) = (call.out, proposed.named.version.digest);
    let missing = missing(proposed);
    if out.json {
        let signed: Vec<&str> = proposed.signers.iter().map(|s| s.name.as_str()).collect();
        return Ok(out.json(&json!({
            "done": done, "digest": digest, "version": proposed.named.version.version,
            "signed_by": signed, "missing": missing,
        }))?);
    }
    out.line(format!("{done} version {} ({digest})", proposed.named.version.version))?;
    let verb = match proposed.named.kind {
        trust::ProposedKind::Policy => "policy",
        trust::ProposedKind::Keyring | trust::ProposedKind::Directory => "keys",
    };
    let digest = digest.short();
    match missing {
        Some(missing) => {
            out.line(format!("still missing: {missing}"))?;
            out.note(format!("next: they read and sign it: borescope {verb} sign {digest}"));
        }
        None => out.note(format!("next: put it in force: borescope {verb} adopt {digest}")),
    }
    Ok(())
}

/// Dispatches over the kind of a proposal.
macro_rules! by_kind {
    ($envelope:expr, $doc:ident => $then:expr) => {{
        let envelope: &Envelope = $envelope;
        let kind = envelope.payload_type();
        if kind == document::payload_type::<Keyring>() {
            let $doc: Keyring = trust::read_unverified(envelope)?;
            $then
        } else if kind == document::payload_type::<Directory>() {
            let $doc: Directory = trust::read_unverified(envelope)?;
            $then
        } else {
            let $doc: Policy = trust::read_unverified(envelope)?;
            $then
        }
    }};
}

fn sign_more<D: Kind>(session: &Session, envelope: &Envelope, _: &D) -> anyhow::Result<Envelope> {
    session.key.sign_more::<D>(envelope)
}

/// Reads a proposal, shows what it changes, and adds this person's signature.
pub(crate) async fn sign(call: &Call<'_>, args: &WhichArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let authority = session.authority().await?;
    let digest = resolve(&session, &args.digest).await?;
    let read = read(&session, &authority, &digest).await?;
    by_kind!(&read.envelope, doc => changes(call, &authority, &doc, read.under.as_ref())?);
    if let Ok(policy) = trust::read_unverified::<trust::Policy>(&read.envelope) {
        filters_pass(&policy)?;
    }
    let so_far: Vec<&str> = read.proposed.signers.iter().map(|s| s.name.as_str()).collect();
    call.out.note(format!("signed so far by {} ✓ verified here", so_far.join(", ")));
    if !args.yes && !call.out.confirm(&format!("Sign it as {}?", session.person))? {
        call.out.note("nothing was signed");
        return Ok(Exit::Denied);
    }
    let signed = by_kind!(&read.envelope, doc => sign_more(&session, &read.envelope, &doc)?);
    let read = judge(&session, &authority, signed, read.under)?;
    hand_in(&session, &read).await?;
    next_step(call, "signed", &read.proposed)?;
    Ok(Exit::Ok)
}

/// Puts a proposal in force that has all its signatures, and looks whether it is.
pub(crate) async fn adopt(call: &Call<'_>, args: &WhichArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let authority = session.authority().await?;
    let digest = resolve(&session, &args.digest).await?;
    let read = read(&session, &authority, &digest).await?;
    if let Some(missing) = missing(&read.proposed) {
        let help = format!("have it signed: borescope keys sign {}", digest.short());
        return Err(Failure::new(Exit::Denied, format!("still missing: {missing}"), help).into());
    }
    by_kind!(&read.envelope, doc => changes(call, &authority, &doc, read.under.as_ref())?);
    if !args.yes && !call.out.confirm("Put it in force?")? {
        call.out.note("nothing was changed");
        return Ok(Exit::Denied);
    }
    session.client.adopt(&digest).await?;
    let now = session.authority().await?;
    let in_force = [now.keyring_ref(), now.directory_ref(), now.policy_ref()];
    if !in_force.contains(&read.proposed.named.version) {
        return Err(lies(format!("the server says that {digest} is in force, and shows another")));
    }
    forget_claims(&session, &now).await;
    if call.out.json {
        call.out
            .json(&json!({ "adopted": digest, "version": read.proposed.named.version.version }))?;
    } else {
        call.out.line(format!(
            "in force: version {} ({digest})",
            read.proposed.named.version.version
        ))?;
        call.out.note(
            "whoever keeps the folder of the sources takes the new ones: borescope keys source, \
             borescope policy source",
        );
    }
    Ok(Exit::Ok)
}

/// Claims of keys that are enrolled now are done with. They go by themselves after some days, so that
/// whoever may not see them need not.
async fn forget_claims(session: &Session, authority: &Authority) {
    let claims = session.client.key_claims().await.unwrap_or_default();
    let people = &authority.directory().people;
    let enrolled: BTreeSet<String> =
        people.iter().flat_map(|p| &p.keys).map(|k| k.key.fingerprint().to_string()).collect();
    for claim in claims.iter().filter(|c| enrolled.contains(&c.key_fingerprint)) {
        drop(session.client.drop_key_claim(&claim.digest).await);
    }
}

/// Takes back a proposal.
pub(crate) async fn take_back(call: &Call<'_>, args: &WhichArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let digest = resolve(&session, &args.digest).await?;
    if !args.yes && !call.out.confirm(&format!("Take back the proposal {}?", digest.short()))? {
        return Ok(Exit::Denied);
    }
    session.client.drop_proposal(&digest).await?;
    if call.out.json {
        call.out.json(&json!({ "dropped": digest }))?;
    } else {
        call.out.line(format!("{digest} is no proposal any more"))?;
    }
    Ok(Exit::Ok)
}

/// Lists open proposals, each judged here.
pub(crate) async fn list(call: &Call<'_>) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let authority = session.authority().await?;
    let mut rows = Vec::new();
    for shown in session.client.proposals().await? {
        let judged = read(&session, &authority, &shown.digest).await;
        rows.push(view::Row::of(&shown, judged.as_ref().map(|read| &read.proposed)));
    }
    view::list(call, &rows)?;
    Ok(Exit::Ok)
}
