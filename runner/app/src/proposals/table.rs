//! All proposals at one moment, judged by what is in force then, and what each of them lacks.

use std::collections::BTreeSet;

use domain::Digest;
use executor::AuthorityDocuments;
use store::Proposal as Row;
use trust::{
    Authority, Envelope, InForce, Keyring, Proposed, ProposedKeyring, ProposedKind, Sshsig,
};

use super::{DOC, Proposal, ProposalState};
use crate::adopted::Adopted;
use crate::{App, AppError, chain};

/// A proposal that may still be adopted.
pub(super) struct Open {
    pub(super) row: Row,
    pub(super) envelope: Envelope,
    pub(super) proposed: Proposed,
}

impl Open {
    /// The document without the signatures of those who are stopped: as it is adopted.
    fn counted(&self) -> Result<Envelope, AppError> {
        let counts = |s: &&Sshsig| {
            self.proposed.signers.iter().any(|signer| signer.key == s.key().fingerprint())
        };
        with(&self.envelope, self.envelope.signatures().iter().filter(counts).cloned().collect())
    }

    fn is_complete(&self) -> bool {
        self.proposed.lacks.is_empty()
    }

    fn lacks(&self) -> Vec<String> {
        self.proposed.lacks.iter().map(ToString::to_string).collect()
    }
}

/// Every open proposal, newest first, and those that are not open any more.
pub(super) struct Table {
    pub(super) open: Vec<Open>,
    pub(super) closed: Vec<Row>,
}

impl Table {
    pub(super) fn find(&self, digest: &Digest) -> Option<&Open> {
        self.open.iter().find(|o| o.row.digest == *digest)
    }

    /// The newest proposal of a kind that names a keyring; complete ones first.
    fn under(&self, kind: ProposedKind, keyring: &Digest) -> Option<&Open> {
        let fits = |o: &&Open| {
            o.proposed.named.kind == kind
                && o.proposed.named.keyring.is_some_and(|named| named.digest == *keyring)
        };
        let complete = self.open.iter().filter(fits).find(|o| o.is_complete());
        complete.or_else(|| self.open.iter().find(fits))
    }

    /// What is missing before a proposal may be adopted.
    pub(super) fn missing(&self, open: &Open, authority: &Authority) -> Vec<String> {
        let mut missing = open.lacks();
        let proposed = &open.proposed;
        if let Some(named) = proposed.named.keyring.filter(|k| *k != authority.keyring_ref()) {
            missing.push(format!(
                "it names keyring version {} ({}), which is only proposed; adopt that keyring, and this with it",
                named.version, named.digest
            ));
        }
        if proposed.named.kind == ProposedKind::Keyring {
            let wanted = [
                (ProposedKind::Directory, "directory", authority.directory_ref()),
                (ProposedKind::Policy, "policy", authority.policy_ref()),
            ];
            for (kind, name, current) in wanted {
                let (keyring, next) = (proposed.named.version, current.version.saturating_add(1));
                match self.under(kind, &keyring.digest) {
                    None => missing.push(format!(
                        "no {name} is proposed with it: version {next} that names keyring version {} ({})",
                        keyring.version, keyring.digest
                    )),
                    Some(other) => {
                        let lacks = other.lacks().into_iter();
                        let of = other.row.digest;
                        missing.extend(lacks.map(|l| format!("of the {name} {of}, {l}")));
                    }
                }
            }
        }
        missing
    }
}

impl App {
    /// All proposals, judged by what is in force. Keyrings first: the others may name one.
    pub(super) async fn table(
        &self,
        adopted: &Adopted,
        against: &InForce,
    ) -> Result<Table, AppError> {
        let now = self.clock.now();
        let mut table = Table { open: Vec::new(), closed: Vec::new() };
        let rows = self.store.proposals(self.clock.now_ms()).await?;
        let parsed = rows.into_iter().map(|row| (Envelope::from_json(&row.envelope), row));
        let keyring = trust::payload_type::<Keyring>();
        let (first, then): (Vec<_>, Vec<_>) =
            parsed.partition(|(e, _)| e.as_ref().is_ok_and(|e| e.payload_type() == keyring));
        for rows in [first, then] {
            let keyrings = keyrings(&table.open);
            for (envelope, row) in rows {
                let Ok(envelope) = envelope else {
                    table.closed.push(row);
                    continue;
                };
                match adopted.authority.judge(&envelope, &keyrings, against, now) {
                    Ok(proposed) => table.open.push(Open { row, envelope, proposed }),
                    Err(_) => table.closed.push(row),
                }
            }
        }
        table.open.sort_by_key(|open| std::cmp::Reverse(open.row.created_ms));
        Ok(table)
    }
}

/// The documents in force, with what is proposed in place of what it follows.
pub(super) fn successors(
    current: &AuthorityDocuments,
    open: &Open,
    table: &Table,
) -> Result<AuthorityDocuments, AppError> {
    let mut next = current.clone();
    match open.proposed.named.kind {
        ProposedKind::Directory => next.directory = open.counted()?,
        ProposedKind::Policy => next.policy = open.counted()?,
        ProposedKind::Keyring => {
            let with =
                |kind| table.under(kind, &open.row.digest).ok_or_else(|| absent(&open.row.digest));
            next.directory = with(ProposedKind::Directory)?.counted()?;
            next.policy = with(ProposedKind::Policy)?.counted()?;
            next.successors.push(open.counted()?);
            if next.successors.len() > trust::authority::SUCCESSORS_MAX {
                next.keyring = next.successors.remove(0);
            }
        }
    }
    Ok(next)
}

/// The keyrings among open proposals.
pub(super) fn keyrings(open: &[Open]) -> Vec<ProposedKeyring> {
    let keyring = |o: &Open| {
        let keyring = trust::read_unverified(&o.envelope).ok()?;
        (o.proposed.named.kind == ProposedKind::Keyring)
            .then_some(ProposedKeyring { version: o.proposed.named.version, keyring })
    };
    open.iter().filter_map(keyring).collect()
}

pub(super) fn with(envelope: &Envelope, signatures: Vec<Sshsig>) -> Result<Envelope, AppError> {
    let (kind, payload) = (envelope.payload_type().to_owned(), envelope.payload().to_vec());
    Envelope::assemble(kind, payload, signatures)
        .map_err(|e| AppError::document(DOC, e.to_string()))
}

pub(super) fn absent(digest: &Digest) -> AppError {
    AppError::NotFound(format!("proposal {digest}"))
}

pub(super) fn shown(open: &Open, table: &Table, authority: &Authority) -> Proposal {
    let Proposed { named, signers, stopped: _, lacks } = open.proposed.clone();
    let missing = table.missing(open, authority);
    Proposal {
        row: open.row.clone(),
        named,
        signed_by: signers.iter().filter_map(|s| s.name.parse().ok()).collect(),
        could_sign: lacks.into_iter().flat_map(|l| l.could).collect(),
        missing: (!missing.is_empty()).then(|| missing.join("; ")),
        state: ProposalState::Open,
    }
}

/// A proposal that was judged when it came, and is not open any more.
pub(super) fn closed(row: Row, state: ProposalState) -> Result<Proposal, AppError> {
    let unreadable = |e: &dyn std::error::Error| AppError::document(DOC, chain(e));
    let envelope = Envelope::from_json(&row.envelope).map_err(|e| unreadable(&e))?;
    let named = trust::named(&envelope).map_err(|e| unreadable(&e))?;
    Ok(Proposal {
        row,
        named,
        signed_by: BTreeSet::new(),
        could_sign: BTreeSet::new(),
        missing: None,
        state,
    })
}
