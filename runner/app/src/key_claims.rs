//! Key claims: how somebody whom nobody knows yet asks for a place in the directory.
//!
//! A claim proves that somebody has a key, and nothing else; it enrols nothing. Whoever may change the
//! directory looks at it, makes sure who asks, and proposes a directory with the key. The answer to a
//! claim is the same whoever exists, and nobody else sees it.

use std::net::IpAddr;

use domain::Digest;
use store::KeyClaim as Row;
use trust::{Document as _, KeyClaim, Role};

use crate::documents::Came;
use crate::login::Who;
use crate::{App, AppError};

/// Life of a claim, milliseconds: over a long weekend.
pub const KEY_CLAIM_LIFE_MS: u64 = 4 * 24 * 3_600_000;
/// Bytes of a claim: a key, a name, a note.
pub const KEY_CLAIM_BYTES_MAX: usize = 16 << 10;

/// A key claim with what it says.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// As it is kept.
    pub row: Row,
    /// What the stranger says.
    pub claim: KeyClaim,
}

impl App {
    /// Keeps a stranger's claim that came from `peer`, in place of an earlier one of the same key.
    ///
    /// # Errors
    /// What is wrong with it by itself; [`store::StoreError::Full`] when there are too many.
    pub async fn claim_key(&self, bytes: &[u8], peer: IpAddr) -> Result<Claimed, AppError> {
        if bytes.len() > KEY_CLAIM_BYTES_MAX {
            let bytes_max = KEY_CLAIM_BYTES_MAX as u64;
            return Err(AppError::TooLarge { what: "the key claim".to_owned(), bytes_max });
        }
        let came = Came::parse(KeyClaim::DOC, bytes)?;
        let adopted = self.adopted();
        let claim = trust::verify_key_claim(&came.envelope, adopted.authority.trust_domain())
            .and_then(|claim| claim.live(self.clock.now()))
            .map_err(|e| AppError::document(KeyClaim::DOC, e.problem.to_string()))?
            .into_doc();
        let now_ms = self.clock.now_ms();
        let ends_ms =
            u64::try_from(claim.header.not_after.unix_s()).unwrap_or(0).saturating_mul(1000);
        let row = Row {
            digest: came.envelope.payload_digest(),
            key_fingerprint: claim.key.fingerprint().as_str().to_owned(),
            peer: peer.to_string(),
            envelope: bytes.to_owned(),
            created_ms: now_ms,
            expires_ms: now_ms.saturating_add(KEY_CLAIM_LIFE_MS).min(ends_ms),
        };
        self.store.put_key_claim(&row).await?;
        Ok(Claimed { row, claim })
    }

    /// Every claim, newest first, for holders of the role `directory`.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for everybody else.
    pub async fn key_claims(&self, who: &Who) -> Result<Vec<Claimed>, AppError> {
        self.may_see_claims(who)?;
        let rows = self.store.key_claims(self.clock.now_ms()).await?;
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// Forgets a claim, for holders of the role `directory`.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for everybody else; when there is none.
    pub async fn drop_key_claim(&self, who: &Who, digest: &Digest) -> Result<Claimed, AppError> {
        self.may_see_claims(who)?;
        let taken = self.store.take_key_claim(digest).await?;
        taken.and_then(read).ok_or_else(|| AppError::NotFound(format!("key claim {digest}")))
    }

    /// Asked before anything is looked for, so that the answer says nothing about what there is.
    fn may_see_claims(&self, who: &Who) -> Result<(), AppError> {
        if self.holds(who, Role::Directory) {
            return Ok(());
        }
        Err(AppError::Forbidden {
            what: format!("{} does not hold the role `directory`", who.person),
            help: "its holders are in the keyring; they look at key claims",
        })
    }

    /// Whether a person holds a role of the keyring in force.
    pub(crate) fn holds(&self, who: &Who, role: Role) -> bool {
        let adopted = self.adopted();
        adopted.authority.keyring().role(role).is_some_and(|r| r.people.contains(&who.person))
    }

    /// Claims that this person has to look at.
    pub(crate) async fn claims_to_see(&self, who: &Who) -> Result<Vec<Claimed>, AppError> {
        if self.holds(who, Role::Directory) { self.key_claims(who).await } else { Ok(Vec::new()) }
    }
}

/// A claim was verified when it came; a row that is none any more was changed by hand.
fn read(row: Row) -> Option<Claimed> {
    let envelope = trust::Envelope::from_json(&row.envelope).ok()?;
    let claim = trust::read_unverified(&envelope).ok()?;
    Some(Claimed { row, claim })
}
