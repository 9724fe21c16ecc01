//! `borescope keys propose`: the next directory or keyring from the text that people edit.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use domain::{Digest, DirectoryId, KeyringId, PolicyId};
use trust::source::{self, Issue};
use trust::{Authority, Directory, Header, Policy, ProposedKeyring, Role, VersionRef};

use super::LIFE;
use crate::commands::Call;
use crate::commands::proposals::{self, missing, next_step};
use crate::exit::{Exit, Failure};
use crate::session::Session;
use crate::when;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope keys source directory > directory.toml
  borescope keys propose directory.toml
  borescope keys source keyring > keyring.toml
  borescope keys propose keyring.toml --keyring

A keyring is followed by a directory and a policy that name it, and all three come into force
together. --keyring proposes these two as they are, too, where you hold their roles; somebody else
who holds them does it with `keys propose FILE --under DIGEST`, `policy propose FILE --under DIGEST`.")]
pub(crate) struct ProposeArgs {
    /// directory.toml, or keyring.toml with --keyring
    file: PathBuf,
    /// The file is a keyring's
    #[arg(long)]
    keyring: bool,
    /// Name this proposed keyring instead of the one in force
    #[arg(long, value_name = "DIGEST", conflicts_with = "keyring")]
    under: Option<Digest>,
    /// How long it is valid
    #[arg(long, value_name = "TIME", default_value = LIFE, value_parser = when::duration_s)]
    valid: u64,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
}

/// Reads a source file.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    Ok(std::fs::read_to_string(path).map_err(|e| {
        Failure::usage(
            format!("{} cannot be read: {e}", path.display()),
            "print the one in force and edit it: borescope keys source, borescope policy source",
        )
    })?)
}

/// A new document of this person that is valid for `life_s` seconds.
pub(crate) fn header<I>(
    session: &Session,
    id: fn(&dyn domain::Clock, &dyn domain::Entropy) -> I,
    life_s: u64,
) -> Header<I> {
    let id = id(&*session.world.clock, &*session.world.entropy);
    session.header(id, i64::try_from(life_s).unwrap_or(i64::MAX))
}

/// What the version after `before` says about itself.
pub(crate) fn issue<I>(header: Header<I>, before: VersionRef, keyring: VersionRef) -> Issue<I> {
    Issue { header, version: before.version + 1, previous: Some(before.digest), keyring }
}

/// The proposed keyring that `--under` names.
pub(crate) async fn under(
    session: &Session,
    authority: &Authority,
    digest: Option<&Digest>,
) -> anyhow::Result<Option<ProposedKeyring>> {
    match digest {
        None => Ok(None),
        Some(digest) => Ok(Some(proposals::proposed_keyring(session, authority, digest).await?)),
    }
}

pub(super) async fn command(call: &Call<'_>, args: ProposeArgs) -> anyhow::Result<Exit> {
    let text = read(&args.file)?;
    let session = call.session().await?;
    let authority = session.authority().await?;
    if args.keyring {
        return keyring(call, &session, &authority, &text, &args).await;
    }
    let under = under(&session, &authority, args.under.as_ref()).await?;
    let named = under.as_ref().map_or_else(|| authority.keyring_ref(), |k| k.version);
    let header = header(&session, DirectoryId::new, args.valid);
    let next = source::directory(&text, issue(header, authority.directory_ref(), named))
        .with_context(|| args.file.display().to_string())
        .map_err(usage)?;
    match proposals::propose(call, &session, &authority, &next, under, args.yes).await? {
        None => Ok(Exit::Denied),
        Some(proposed) => {
            next_step(call, "proposed: directory", &proposed)?;
            Ok(Exit::Ok)
        }
    }
}

/// A mistake in a file is the user's.
pub(crate) fn usage(error: anyhow::Error) -> Failure {
    let help = "correct the file; nothing was signed";
    Failure::usage(crate::exit::chain(&error), help)
}

async fn keyring(
    call: &Call<'_>,
    session: &Session,
    authority: &Authority,
    text: &str,
    args: &ProposeArgs,
) -> anyhow::Result<Exit> {
    let before = authority.keyring_ref();
    let header = header(session, KeyringId::new, args.valid);
    let next = source::keyring(text, header, before.version + 1, Some(before.digest))
        .with_context(|| args.file.display().to_string())
        .map_err(usage)?;
    let proposed = proposals::propose(call, session, authority, &next, None, args.yes).await?;
    let Some(proposed) = proposed else { return Ok(Exit::Denied) };
    next_step(call, "proposed: keyring", &proposed)?;
    let under = ProposedKeyring { version: proposed.named.version, keyring: next };
    let mine = |role| under.keyring.role(role).is_some_and(|r| r.people.contains(&session.person));
    let digest = under.version.digest;
    if mine(Role::Directory) {
        let next = directory_under(session, authority, under.version, args.valid);
        let done = proposals::propose(call, session, authority, &next, Some(under.clone()), true);
        next_step_of(call, "proposed: directory", done.await?)?;
    } else {
        call.out.note(format!(
            "the holders of the role directory propose one under it: borescope keys propose \
             directory.toml --under {digest}"
        ));
    }
    if mine(Role::Policy) {
        let next = policy_under(session, authority, under.version, args.valid);
        let done = proposals::propose(call, session, authority, &next, Some(under.clone()), true);
        next_step_of(call, "proposed: policy", done.await?)?;
    } else {
        call.out.note(format!(
            "the holders of the role policy propose one under it: borescope policy propose \
             targets.toml --under {digest}"
        ));
    }
    Ok(Exit::Ok)
}

fn next_step_of(
    call: &Call<'_>,
    done: &str,
    proposed: Option<trust::Proposed>,
) -> anyhow::Result<()> {
    let Some(proposed) = proposed else { return Ok(()) };
    if missing(&proposed).is_some() || call.out.json {
        return next_step(call, done, &proposed);
    }
    Ok(call.out.line(format!("{done} version {}", proposed.named.version.version))?)
}

/// The same people, under another keyring.
fn directory_under(
    session: &Session,
    authority: &Authority,
    keyring: VersionRef,
    life_s: u64,
) -> Directory {
    let (doc, before) = (authority.directory().clone(), authority.directory_ref());
    let header = header(session, DirectoryId::new, life_s);
    let Issue { header, version, previous, keyring } = issue(header, before, keyring);
    Directory { header, version, previous, keyring, ..doc }
}

/// The same targets, under another keyring.
fn policy_under(
    session: &Session,
    authority: &Authority,
    keyring: VersionRef,
    life_s: u64,
) -> Policy {
    let (doc, before) = (authority.policy().clone(), authority.policy_ref());
    let header = header(session, PolicyId::new, life_s);
    let Issue { header, version, previous, keyring } = issue(header, before, keyring);
    Policy { header, version, previous, keyring, ..doc }
}
