//! Who is there: a signed answer to a challenge buys a short token.
//!
//! A token alone never reviews, approves or starts a run: those need signatures of their own. The
//! token itself is never stored, only its digest.

use domain::{Digest, PersonId, SessionId};
use store::{Challenge, Session};
use trust::{Envelope, Login};

use crate::adopted::is_active;
use crate::{App, AppError};

/// Life of a challenge, milliseconds.
pub const CHALLENGE_LIFE_MS: u64 = 60_000;
/// Life of a session, milliseconds: a working day.
pub const SESSION_LIFE_MS: u64 = 12 * 3_600_000;
/// A login that failed says only this: neither who exists nor what was wrong with a key.
const REFUSED: &str =
    "the login is refused; ask for a new challenge and sign it with an active key";
const OVER: &str = "the session is unknown or over; log in again";

/// A person who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The person.
    pub person: PersonId,
    /// The session.
    pub session: SessionId,
    /// When the session began, Unix milliseconds.
    pub created_ms: u64,
    /// When the session ends, Unix milliseconds.
    pub expires_ms: u64,
    /// The key that logged in.
    pub key_fingerprint: String,
}

/// A session that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The token; shown once.
    pub token: String,
    /// Who logged in.
    pub who: Who,
}

impl App {
    /// A challenge for `person`, who says to have dialled `origin`. Anybody may ask; the answer does
    /// not say whether the person exists.
    ///
    /// # Errors
    /// When the origin is not one of this server's, or too many challenges are open.
    pub async fn challenge(&self, person: PersonId, origin: &str) -> Result<Challenge, AppError> {
        // A relay's victim signs the relay's address; so ours must be one that we know as ours.
        if !self.origins.iter().any(|o| o == origin) {
            let known = self.origins.join(", ");
            let problem =
                format!("`origin` is the address that you dialled; this server is {known}");
            return Err(AppError::BadRequest(problem));
        }
        let nonce = self.entropy.salt();
        let now_ms = self.clock.now_ms();
        let challenge = Challenge {
            nonce: hex::encode(nonce),
            origin: origin.to_owned(),
            person,
            expires_ms: now_ms.saturating_add(CHALLENGE_LIFE_MS),
        };
        self.store.put_challenge(&challenge, now_ms).await?;
        Ok(challenge)
    }

    /// Opens a session for a signed challenge. The challenge is taken before anything is verified, so
    /// that of any number of answers one counts.
    ///
    /// # Errors
    /// When the challenge is unknown, taken or over, or its answer is not the challenged person's.
    pub async fn login(&self, envelope: &[u8]) -> Result<Opened, AppError> {
        let refused = |problem: String| {
            // One who guesses must not fill the log; the server sums up.
            tracing::debug!(problem, "login is refused");
            AppError::Unauthorized(REFUSED)
        };
        let envelope = Envelope::from_json(envelope).map_err(|e| refused(e.to_string()))?;
        let claimed: Login =
            trust::read_unverified(&envelope).map_err(|e| refused(e.to_string()))?;
        let now_ms = self.clock.now_ms();
        let taken = self.store.take_challenge(&hex::encode(claimed.nonce.0), now_ms).await?;
        let asked = taken.ok_or_else(|| refused("no such challenge is open".to_owned()))?;
        let against = self.in_force_against();
        let login = self
            .adopted()
            .authority
            .verify_login(
                &envelope,
                &asked.origin,
                &claimed.nonce,
                &against.stopped_keys(),
                self.clock.now(),
            )
            .map_err(|e| refused(e.to_string()))?;
        let key_fingerprint = login.signers().first().map(|s| s.key.as_str().to_owned());
        let key_fingerprint = key_fingerprint.ok_or_else(|| refused("nobody signed".to_owned()))?;
        let person = login.into_doc().person;
        let stopped = against.is_stopped(&person) || against.is_stopped(&self.counted(&person));
        if person != asked.person || stopped {
            return Err(refused(format!("{person} was not asked, or is stopped")));
        }
        let mut secret = [0; 32];
        self.entropy.fill(&mut secret);
        let token = hex::encode(secret);
        let session = Session {
            id: SessionId::new(&*self.clock, &*self.entropy),
            token_hash: Digest::of(token.as_bytes()),
            person,
            key_fingerprint,
            created_ms: now_ms,
            expires_ms: now_ms.saturating_add(SESSION_LIFE_MS),
        };
        self.store.insert_session(&session).await?;
        self.opened.send_replace(());
        Ok(Opened { token, who: who(session) })
    }

    /// Who a token belongs to. Its key must still be an active one of the person.
    ///
    /// # Errors
    /// When the token is unknown, over or revoked.
    pub async fn session(&self, token: &str) -> Result<Who, AppError> {
        let hash = Digest::of(token.as_bytes());
        let session = self.store.live_session(&hash, self.clock.now_ms()).await?;
        let session = session.filter(|s| self.may_go_on(&s.person, &s.key_fingerprint));
        session.map(who).ok_or(AppError::Unauthorized(OVER))
    }

    /// The sessions of this person that are open, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sessions(&self, of: &Who) -> Result<Vec<Who>, AppError> {
        let sessions = self.store.sessions_of(&of.person, self.clock.now_ms()).await?;
        Ok(sessions.into_iter().map(who).collect())
    }

    /// Ends a session of this person, and what is open under it; one that has ended stays so.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also for a session of somebody else.
    pub async fn revoke_session(&self, of: &Who, id: &SessionId) -> Result<Who, AppError> {
        let now_ms = self.clock.now_ms();
        let revoked = self.store.revoke_session(id, &of.person, now_ms).await?;
        let revoked = revoked.ok_or_else(|| AppError::NotFound(format!("session {id}")))?;
        self.revoked.send_replace(());
        Ok(who(revoked))
    }

    /// Fails when the session has ended since it was looked up.
    pub(crate) async fn still_open(&self, who: &Who) -> Result<(), AppError> {
        let live = self.store.session_is_live(&who.session, self.clock.now_ms()).await?;
        let live = live && self.may_go_on(&who.person, &who.key_fingerprint);
        if live { Ok(()) } else { Err(AppError::Unauthorized(OVER)) }
    }

    /// Whether the directory in force still has the key that opened a session.
    fn may_go_on(&self, person: &PersonId, key_fingerprint: &str) -> bool {
        is_active(&self.adopted().authority, person, key_fingerprint)
    }
}

fn who(session: Session) -> Who {
    Who {
        person: session.person,
        session: session.id,
        created_ms: session.created_ms,
        expires_ms: session.expires_ms,
        key_fingerprint: session.key_fingerprint,
    }
}
