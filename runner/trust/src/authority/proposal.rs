//! What could become the next keyring, directory or policy, and whose signatures it still lacks.
//!
//! A proposal is judged by what is in force, so that nonsense is refused when it is proposed; that it
//! may be adopted is [`Authority::establish`]'s to say, over the whole. A directory or policy names
//! the keyring in force, or one that is proposed with it: keyring, directory and policy belong
//! together, so that a keyring is followed only with all three.

use std::fmt;

use domain::{Digest, PersonId, Timestamp};

use super::{
    Authority, AuthorityError, Seen, above_floors, humans_hold_roles, one_holder_a_key, version,
};
use crate::document::{
    Document, DocumentError, Problem, VersionRef, error, payload_type, read_unverified,
};
use crate::documents::{Directory, Keyring, Policy, Role};
use crate::envelope::Envelope;
use crate::negative::InForce;
use crate::sshsig::Sshsig;
use crate::verify::{self, Signer};

/// Which of the three documents is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposedKind {
    /// Who may sign what.
    Keyring,
    /// The people.
    Directory,
    /// The targets.
    Policy,
}

/// What a keyring, directory or policy says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Which document.
    pub kind: ProposedKind,
    /// Its id.
    pub id: String,
    /// Its version and the digest of its payload.
    pub version: VersionRef,
    /// The version that it follows.
    pub previous: Option<Digest>,
    /// The keyring that a directory or policy names.
    pub keyring: Option<VersionRef>,
}

/// A document that may follow what is in force, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// What it says of itself.
    pub named: Named,
    /// Whose signatures count.
    pub signers: Vec<Signer>,
    /// Who signed and is stopped: these count for nothing and are left out of what is adopted.
    pub stopped: Vec<Signer>,
    /// What it lacks; empty when it may be adopted.
    pub lacks: Vec<Lack>,
}

/// Signatures that a role still has to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// The role.
    pub role: Role,
    /// The version of the keyring that counts them.
    pub keyring: u64,
    /// People who have to sign besides those who have.
    pub people: usize,
    /// Who could.
    pub could: Vec<PersonId>,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, keyring, people, could } = self;
        let could: Vec<&str> = could.iter().map(PersonId::as_str).collect();
        let who = if could.is_empty() { "nobody who could".to_owned() } else { could.join(", ") };
        write!(f, "{people} more of the role `{role}` of keyring version {keyring} ({who})")
    }
}

/// A keyring that is proposed, for the directory and the policy that name it.
#[derive(Debug, Clone)]
pub struct ProposedKeyring {
    /// Its version and digest.
    pub version: VersionRef,
    /// The keyring, not in force.
    pub keyring: Keyring,
}

/// Signatures of one document, counted.
struct Tally {
    signers: Vec<Signer>,
    stopped: Vec<Signer>,
    lacks: Vec<Lack>,
}

impl Authority {
    /// Judges what could follow the document of its kind that is in force. Every signature is
    /// verified, and each is by somebody whose role lets them sign it. `keyrings` are proposed ones.
    ///
    /// # Errors
    /// Why it can never be adopted; too few signatures are not an error here.
    pub fn judge(
        &self,
        envelope: &Envelope,
        keyrings: &[ProposedKeyring],
        in_force: &InForce,
        now: Timestamp,
    ) -> Result<Proposed, AuthorityError> {
        let named = named(envelope).map_err(AuthorityError::Document)?;
        let tally = match named.kind {
            ProposedKind::Keyring => {
                let doc: Keyring = self.opened(envelope, now)?;
                follows::<Keyring>(self.keyring_ref(), &named)?;
                tally::<Keyring>(envelope, &[self.keyring(), &doc], Role::Root, in_force)
            }
            ProposedKind::Directory => {
                let doc: Directory = self.opened(envelope, now)?;
                follows::<Directory>(self.directory_ref(), &named)?;
                let keyring = self.keyring_of(Directory::DOC, doc.keyring, keyrings)?;
                one_holder_a_key(keyring, &doc)?;
                humans_hold_roles(keyring, &doc)?;
                tally::<Directory>(envelope, &[keyring], Role::Directory, in_force)
            }
            ProposedKind::Policy => {
                let doc: Policy = self.opened(envelope, now)?;
                follows::<Policy>(self.policy_ref(), &named)?;
                let keyring = self.keyring_of(Policy::DOC, doc.keyring, keyrings)?;
                above_floors(keyring, &doc)?;
                tally::<Policy>(envelope, &[keyring], Role::Policy, in_force)
            }
        };
        let Tally { signers, stopped, lacks } = tally?;
        Ok(Proposed { named, signers, stopped, lacks })
    }

    fn opened<D: Document>(
        &self,
        envelope: &Envelope,
        now: Timestamp,
    ) -> Result<D, AuthorityError> {
        let opened = verify::opened::<D>(envelope, self.trust_domain(), &self.book.fitting);
        let doc = opened.map_err(AuthorityError::Document)?;
        if doc.window().contains(now) {
            return Ok(doc);
        }
        Err(AuthorityError::Document(error::<D>(Problem::Window(doc.window(), now))))
    }

    fn keyring_of<'k>(
        &'k self,
        doc: &'static str,
        named: VersionRef,
        keyrings: &'k [ProposedKeyring],
    ) -> Result<&'k Keyring, AuthorityError> {
        if named == self.keyring_ref() {
            return Ok(self.keyring());
        }
        let proposed = keyrings.iter().find(|k| k.version == named);
        proposed.map(|k| &k.keyring).ok_or(AuthorityError::Unbound(doc))
    }

    /// Whether nobody who is stopped signed what is newer than `seen`. What was adopted before a stop
    /// stays.
    ///
    /// # Errors
    /// Who is stopped.
    pub fn unstopped_since(&self, seen: &Seen, in_force: &InForce) -> Result<(), DocumentError> {
        if seen.keyring != Some(self.keyring_ref()) {
            verify::unstopped(&self.keyring, in_force)?;
        }
        if seen.directory != Some(version(&self.directory, self.directory().version)) {
            verify::unstopped(&self.directory, in_force)?;
        }
        if seen.policy != Some(version(&self.policy, self.policy().version)) {
            verify::unstopped(&self.policy, in_force)?;
        }
        Ok(())
    }
}

/// What a keyring, directory or policy says of itself; nothing of it is verified.
///
/// # Errors
/// When it is none of them, or malformed.
pub fn named(envelope: &Envelope) -> Result<Named, DocumentError> {
    let version = |version| VersionRef { version, digest: envelope.payload_digest() };
    let kind = envelope.payload_type();
    if kind == payload_type::<Keyring>() {
        let doc: Keyring = read_unverified(envelope)?;
        Ok(Named {
            kind: ProposedKind::Keyring,
            id: doc.header.id.to_string(),
            version: version(doc.version),
            previous: doc.previous,
            keyring: None,
        })
    } else if kind == payload_type::<Directory>() {
        let doc: Directory = read_unverified(envelope)?;
        Ok(Named {
            kind: ProposedKind::Directory,
            id: doc.header.id.to_string(),
            version: version(doc.version),
            previous: doc.previous,
            keyring: Some(doc.keyring),
        })
    } else if kind == payload_type::<Policy>() {
        let doc: Policy = read_unverified(envelope)?;
        Ok(Named {
            kind: ProposedKind::Policy,
            id: doc.header.id.to_string(),
            version: version(doc.version),
            previous: doc.previous,
            keyring: Some(doc.keyring),
        })
    } else {
        Err(DocumentError { doc: "proposal", problem: Problem::Type(kind.to_owned()) })
    }
}

/// Whether a document is the next version and names the one in force as its predecessor.
fn follows<D: Document>(current: VersionRef, named: &Named) -> Result<(), AuthorityError> {
    let (doc, got) = (D::DOC, named.version);
    if current.version.checked_add(1) != Some(got.version) {
        return Err(AuthorityError::NotNext { doc, current, got });
    }
    if named.previous != Some(current.digest) {
        return Err(AuthorityError::Fork { doc, seen: current, got });
    }
    Ok(())
}

/// Counts the signatures, which are verified, by each of the keyrings that has to agree.
fn tally<D: Document>(
    envelope: &Envelope,
    keyrings: &[&Keyring],
    role: Role,
    in_force: &InForce,
) -> Result<Tally, AuthorityError> {
    let holding = |keyring: &Keyring, s: &Sshsig| verify::holding(keyring, role, s.key());
    let (mut signers, mut stopped) = (Vec::new(), Vec::new());
    for signature in envelope.signatures() {
        let mut refused = None;
        let held = keyrings.iter().find_map(|k| match holding(k, signature) {
            Ok(signer) => Some(signer),
            Err(problem) => {
                refused.get_or_insert(problem);
                None
            }
        });
        match (held, refused) {
            (Some(signer), _) if verify::stopped(&signer, in_force).is_some() => {
                stopped.push(signer);
            }
            (Some(signer), _) => signers.push(signer),
            (None, Some(problem)) => return Err(AuthorityError::Document(error::<D>(problem))),
            (None, None) => {}
        }
    }
    let lack = |keyring: &&Keyring| {
        let rule = keyring.role(role)?;
        let signed = |p: &PersonId| {
            let counts = |s: &Sshsig| {
                holding(keyring, s).is_ok_and(|signer| {
                    signer.name == p.as_str() && verify::stopped(&signer, in_force).is_none()
                })
            };
            envelope.signatures().iter().any(counts)
        };
        let could: Vec<PersonId> = rule.people.iter().filter(|p| !signed(p)).cloned().collect();
        let have = rule.people.len().saturating_sub(could.len());
        let people = (rule.threshold as usize).saturating_sub(have);
        let could = could.into_iter().filter(|p| !in_force.is_stopped(p)).collect();
        (people > 0).then_some(Lack { role, keyring: keyring.version, people, could })
    };
    let lacks = keyrings.iter().filter_map(lack).collect();
    Ok(Tally { signers, stopped, lacks })
}

#[cfg(test)]
mod tests;
