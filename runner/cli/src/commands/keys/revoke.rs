//! `borescope keys revoke`: a directory in which a key, or every key of a person, signs no more.

use clap::Args;
use domain::{DirectoryId, PersonId, Timestamp};
use trust::{Authority, Directory, KeyStatus};

use super::LIFE;
use super::propose::{header, issue};
use crate::commands::Call;
use crate::commands::proposals::{self, next_step};
use crate::exit::{Exit, Failure};
use crate::session::Session;
use crate::when;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope keys revoke SHA256:… --compromised
  borescope keys revoke mallory

It counts once it is signed and adopted. Is it urgent? Then first, at once and alone:
  borescope stop key SHA256:… --reason \"laptop stolen\"
  borescope stop person mallory --reason \"laptop stolen\"")]
pub(crate) struct RevokeArgs {
    /// A key's fingerprint SHA256:…, or a person
    which: String,
    /// Somebody else may have it; without this it is retired
    #[arg(long)]
    compromised: bool,
    /// How long the directory is valid
    #[arg(long, value_name = "TIME", default_value = LIFE, value_parser = when::duration_s)]
    valid: u64,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
}

pub(super) async fn command(call: &Call<'_>, args: RevokeArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let authority = session.authority().await?;
    let status = if args.compromised { KeyStatus::Compromised } else { KeyStatus::Retired };
    let mut next = successor(&session, &authority, args.valid);
    let whose = revoke(&mut next, &args.which, status, session.world.now())?;
    if authority.keyring().keys.iter().any(|k| whose.contains(&k.person)) {
        call.out.note(
            "they have keys in the keyring, too, which this does not change: borescope keys source \
             keyring",
        );
    }
    match proposals::propose(call, &session, &authority, &next, None, args.yes).await? {
        None => Ok(Exit::Denied),
        Some(proposed) => {
            next_step(call, "proposed: directory", &proposed)?;
            call.out.note("until it is adopted they sign: borescope stop bans them at once");
            Ok(Exit::Ok)
        }
    }
}

/// The directory after the one in force, as yet without a difference.
pub(super) fn successor(session: &Session, authority: &Authority, life_s: u64) -> Directory {
    let header = header(session, DirectoryId::new, life_s);
    let issue = issue(header, authority.directory_ref(), authority.keyring_ref());
    Directory {
        header: issue.header,
        version: issue.version,
        previous: issue.previous,
        keyring: issue.keyring,
        people: authority.directory().people.clone(),
    }
}

/// Revokes a key or a person's keys; says whose they are.
fn revoke(
    directory: &mut Directory,
    which: &str,
    status: KeyStatus,
    now: Timestamp,
) -> Result<Vec<PersonId>, Failure> {
    let mut whose = Vec::new();
    for person in &mut directory.people {
        let all = person.id.as_str() == which;
        for key in &mut person.keys {
            let named = all || key.key.fingerprint().as_str() == which;
            let worse = key.status == KeyStatus::Active
                || (key.status == KeyStatus::Retired && status == KeyStatus::Compromised);
            if named && worse {
                (key.status, key.since) = (status, Some(now));
                whose.push(person.id.clone());
            }
        }
    }
    if whose.is_empty() {
        let got = domain::display::neutralise(which);
        let help = "give a fingerprint SHA256:… or a person: borescope keys show";
        return Err(Failure::usage(format!("\"{got}\" has no active key here"), help));
    }
    Ok(whose)
}

#[cfg(test)]
mod tests;
