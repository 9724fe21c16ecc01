//! Proposals: a keyring, directory or policy on its way to being in force, gathering signatures.
//!
//! A proposal is no authority. It is judged by what is in force ([`trust::Authority::judge`]) whenever
//! somebody asks, so that where it is follows from what was adopted and never has to be kept in step
//! with it. Adopting one is the runner's: it verifies the whole and records it, and then this server
//! goes on with it.
//!
//! A directory or policy that names a proposed keyring waits for it: the three are adopted as one.

mod table;

use std::collections::BTreeSet;

use domain::{Digest, PersonId};
use executor::AuthorityDocuments;
use executor::runner::AdoptError;
use store::{DocumentKind, Proposal as Row};
use trust::{Authority, Envelope, Named, Policy, ProposedKind, Role, Sshsig};

use crate::adopted::Adopted;
use crate::documents::Came;
use crate::login::Who;
use crate::{App, AppError, chain};
use table::{Table, absent, closed, keyrings, shown, successors, with};

/// Life of a proposal, milliseconds: signers may be on holiday, but not for longer.
pub const PROPOSAL_LIFE_MS: u64 = 14 * 24 * 3_600_000;
/// Open proposals that one person has handed in: a keyring with what belongs to it, and another try.
pub const PROPOSALS_PER_PERSON_MAX: u64 = 8;
/// How errors and refusals name one.
const DOC: &str = "proposal";

/// Where a proposal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalState {
    /// It may become the next version.
    Open,
    /// It is, or was, in force.
    Adopted,
    /// Another document is in force that it does not follow, or its time is over.
    Outdated,
    /// It was taken back.
    Dropped,
}

/// A proposal, as far as it has come.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// As it is kept.
    pub row: Row,
    /// What it says of itself.
    pub named: Named,
    /// Whose signatures count.
    pub signed_by: BTreeSet<PersonId>,
    /// Who could give a signature that it lacks.
    pub could_sign: BTreeSet<PersonId>,
    /// What it lacks, in words; `None` when it may be adopted, or is not open.
    pub missing: Option<String>,
    /// Where it is.
    pub state: ProposalState,
}

impl App {
    /// Proposes a signed keyring, directory or policy, or adds its signatures to a proposal of the
    /// same payload.
    ///
    /// # Errors
    /// Why it could never be adopted; [`AppError::Quota`] when too many are open.
    pub async fn propose(&self, who: &Who, bytes: &[u8]) -> Result<Proposal, AppError> {
        self.writable()?;
        self.is_a_person(who)?;
        let came = Came::parse(DOC, bytes)?;
        let digest = came.envelope.payload_digest();
        let _filing = self.filing.lock().await;
        let adopted = self.adopted();
        let against = self.in_force_against();
        let table = self.table(&adopted, &against).await?;
        let judged = adopted.authority.judge(
            &came.envelope,
            &keyrings(&table.open),
            &against,
            self.clock.now(),
        );
        let proposed = judged.map_err(|e| AppError::document(DOC, chain(&e)))?;
        if let Some(stopped) = proposed.stopped.first() {
            let problem =
                format!("{} signed it with {}, and is stopped", stopped.name, stopped.key);
            return Err(AppError::document(DOC, problem));
        }
        self.keeps_the_runner(&came.envelope)?;
        let now_ms = self.clock.now_ms();
        let row = match table.find(&digest) {
            Some(open) => {
                let envelope = united(&open.envelope, &came.envelope)?;
                Row { envelope: json(&envelope)?, ..open.row.clone() }
            }
            None => {
                self.may_propose_more(who, &table, now_ms).await?;
                Row {
                    digest,
                    proposed_by: who.person.clone(),
                    envelope: json(&came.envelope)?,
                    created_ms: now_ms,
                    expires_ms: now_ms.saturating_add(PROPOSAL_LIFE_MS),
                }
            }
        };
        self.store.put_proposal(&row, now_ms).await?;
        self.proposal(&digest).await
    }

    /// Open proposals, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn proposals(&self) -> Result<Vec<Proposal>, AppError> {
        let adopted = self.adopted();
        let table = self.table(&adopted, &self.in_force_against()).await?;
        Ok(table.open.iter().map(|open| shown(open, &table, &adopted.authority)).collect())
    }

    /// One proposal, also one that is not open any more, until its time is over.
    ///
    /// # Errors
    /// When there is none.
    pub async fn proposal(&self, digest: &Digest) -> Result<Proposal, AppError> {
        let adopted = self.adopted();
        let table = self.table(&adopted, &self.in_force_against()).await?;
        if let Some(open) = table.find(digest) {
            return Ok(shown(open, &table, &adopted.authority));
        }
        let row = table.closed.into_iter().find(|row| row.digest == *digest);
        let row = row.ok_or_else(|| absent(digest))?;
        let state = if self.was_adopted(digest).await? {
            ProposalState::Adopted
        } else {
            ProposalState::Outdated
        };
        closed(row, state)
    }

    /// Puts a proposal in force that lacks nothing; a keyring together with the directory and the
    /// policy that name it.
    ///
    /// # Errors
    /// [`AppError::Missing`] says what it lacks; why the runner does not adopt it.
    pub async fn adopt(&self, who: &Who, digest: &Digest) -> Result<Proposal, AppError> {
        self.writable()?;
        self.is_a_person(who)?;
        let _filing = self.filing.lock().await;
        let (adopted, against) = (self.adopted(), self.in_force_against());
        let table = self.table(&adopted, &against).await?;
        let Some(open) = table.find(digest) else {
            let known = self.proposal(digest).await?;
            if known.state == ProposalState::Adopted {
                return Ok(known);
            }
            return Err(overtaken(&known.named, &adopted.authority));
        };
        let missing = table.missing(open, &adopted.authority);
        if !missing.is_empty() {
            return Err(AppError::Missing(missing.join("; ")));
        }
        let documents = successors(&adopted.documents, open, &table)?;
        // If we die before the runner has recorded it, nothing has happened; after it, the next start
        // goes on with what the runner has recorded.
        self.runner.adopt(documents.to_bytes()).await.map_err(|e| not_adopted(&e))?;
        self.follow_the_runner(documents)?;
        tracing::info!(proposal = %digest, person = %who.person, "a proposal is adopted");
        self.project().await?;
        self.proposal(digest).await
    }

    /// Takes a proposal back: who handed it in may, who has signed it, and who holds its role.
    ///
    /// # Errors
    /// When there is none that is open, or it is not this person's.
    pub async fn drop_proposal(&self, who: &Who, digest: &Digest) -> Result<Proposal, AppError> {
        let _filing = self.filing.lock().await;
        let known = self.proposal(digest).await?;
        let theirs = known.row.proposed_by == who.person || known.signed_by.contains(&who.person);
        if !theirs && !self.holds(who, role_of(known.named.kind)) {
            return Err(AppError::Forbidden {
                what: format!("{} has neither handed in nor signed {digest}", who.person),
                help: "ask somebody who has, or who holds the role that signs it",
            });
        }
        if known.state == ProposalState::Adopted {
            return Err(AppError::Conflict {
                what: "a version in force".to_owned(),
                existing: *digest,
            });
        }
        self.store.drop_proposal(digest).await?;
        Ok(Proposal { missing: None, state: ProposalState::Dropped, ..known })
    }

    /// Open proposals that this person could still sign.
    pub(crate) async fn to_sign(&self, who: &Who) -> Result<Vec<Proposal>, AppError> {
        let mut open = self.proposals().await?;
        open.retain(|p| p.could_sign.contains(&who.person));
        Ok(open)
    }

    /// Goes on with documents that the runner has just recorded.
    fn follow_the_runner(&self, documents: AuthorityDocuments) -> Result<(), AppError> {
        let state = self.runner.state();
        let authority = Authority::establish(
            &documents.keyring,
            &documents.successors,
            &documents.directory,
            &documents.policy,
            &state.pinned(),
            &state.newest(),
            self.clock.now(),
        );
        let authority = authority.map_err(|e| {
            tracing::error!(error = %chain(&e), "what the runner adopted is not followed; restart");
            AppError::document(DOC, chain(&e))
        })?;
        self.newest.replace(Adopted { authority, documents });
        // Whoever holds something open looks again whether they still may.
        self.revoked.send_replace(());
        Ok(())
    }

    /// Whether a policy, if it is one, has this runner, who would adopt no other.
    fn keeps_the_runner(&self, envelope: &Envelope) -> Result<(), AppError> {
        let Ok(policy) = trust::read_unverified::<Policy>(envelope) else { return Ok(()) };
        let (name, key) = self.runner.identity();
        if policy.runner(name).is_some_and(|r| r.key == *key) {
            return Ok(());
        }
        Err(not_adopted(&AdoptError::NotThisRunner(name.clone())))
    }

    /// Services and agents change nothing of who may do what.
    fn is_a_person(&self, who: &Who) -> Result<(), AppError> {
        if self.is_human(&who.person) {
            return Ok(());
        }
        Err(AppError::Forbidden {
            what: format!("{} is a service or agent", who.person),
            help: "its owner, or anybody else who is human, may propose and adopt",
        })
    }

    async fn was_adopted(&self, digest: &Digest) -> Result<bool, AppError> {
        let document = self.store.document_by_digest(digest).await?;
        Ok(document.is_some_and(|d| {
            matches!(d.kind, DocumentKind::Keyring | DocumentKind::Directory | DocumentKind::Policy)
        }))
    }

    /// Refuses another proposal of a person who has too many open; makes room of those that are not.
    async fn may_propose_more(
        &self,
        who: &Who,
        table: &Table,
        now_ms: u64,
    ) -> Result<(), AppError> {
        let mine = table.open.iter().filter(|o| o.row.proposed_by == who.person);
        let (count, ends_ms) =
            mine.fold((0, u64::MAX), |(n, ends), o| (n + 1, o.row.expires_ms.min(ends)));
        if count >= PROPOSALS_PER_PERSON_MAX {
            let retry_after_s = ends_ms.saturating_sub(now_ms).div_ceil(1000);
            let what = "open proposals; drop one of them";
            return Err(AppError::Quota { what, max: PROPOSALS_PER_PERSON_MAX, retry_after_s });
        }
        if table.open.len() + table.closed.len() >= store::PROPOSALS_MAX as usize {
            for row in &table.closed {
                self.store.drop_proposal(&row.digest).await?;
            }
        }
        Ok(())
    }
}

fn not_adopted(error: &AdoptError) -> AppError {
    match error {
        AdoptError::NotRecorded(_) | AdoptError::Pin(_) => AppError::ReadOnly(chain(error)),
        AdoptError::Interrupted => AppError::Stopping,
        AdoptError::Invalid(_)
        | AdoptError::NotThisRunner(_)
        | AdoptError::Stopped(_)
        | AdoptError::Malformed(_) => AppError::document(DOC, chain(error)),
    }
}

/// The role that signs documents of a kind.
const fn role_of(kind: ProposedKind) -> Role {
    match kind {
        ProposedKind::Keyring => Role::Root,
        ProposedKind::Directory => Role::Directory,
        ProposedKind::Policy => Role::Policy,
    }
}

/// Another version is in force than the one that a proposal follows.
fn overtaken(named: &Named, authority: &Authority) -> AppError {
    let (what, existing) = match named.kind {
        ProposedKind::Keyring => ("keyring", authority.keyring_ref()),
        ProposedKind::Directory => ("directory", authority.directory_ref()),
        ProposedKind::Policy => ("policy", authority.policy_ref()),
    };
    let what =
        format!("version {} of the {what}, which the proposal does not follow,", existing.version);
    AppError::Conflict { what, existing: existing.digest }
}

/// The same document with the signatures of both, one a key; `first` wins.
fn united(first: &Envelope, second: &Envelope) -> Result<Envelope, AppError> {
    let mut signatures = first.signatures().to_vec();
    let has = |s: &Sshsig, all: &[Sshsig]| all.iter().any(|o| o.key() == s.key());
    for signature in second.signatures() {
        if !has(signature, &signatures) {
            signatures.push(signature.clone());
        }
    }
    with(first, signatures)
}

fn json(envelope: &Envelope) -> Result<Vec<u8>, AppError> {
    envelope.to_json().map_err(|e| AppError::document(DOC, e.to_string()))
}
