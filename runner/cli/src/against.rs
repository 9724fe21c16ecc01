//! What is said against runs, made out by this client alone: the server lists documents, and which of
//! them are in force follows from those that verify.
//!
//! A server can leave one out. On production that is noticed, because the signed status names the
//! digest of them all; elsewhere the runner has them, and decides.

use std::collections::BTreeMap;

use api::types::DocumentView;
use domain::decide::StopSubject;
use domain::{Digest, FreeText, Pair, PersonId};
use trust::document::Document;
use trust::{Authority, Envelope, InForce, Lift, Negative, Rejection, Review, Stop};

use crate::session::{Session, envelope};

/// Documents after which a server is not asked for more: one that lies would go on for ever.
const LISTED_MAX: usize = 100_000;

/// Everything that the server lists, in the order in which it came there.
pub(crate) struct Listed(Vec<(DocumentView, Envelope)>);

/// What is in force of it.
pub(crate) struct Against {
    /// For facts.
    pub(crate) in_force: InForce,
    /// Each ban that was listed, by the digest of its payload, also one that was ended.
    bans: BTreeMap<Digest, Ban>,
    /// Why lifts and withdrawals were not counted.
    pub(crate) refused: Vec<String>,
}

/// A stop or a rejection.
#[derive(Debug, Clone)]
pub(crate) struct Ban {
    /// The document's id.
    pub(crate) id: String,
    /// The digest of its payload; a lift names it.
    pub(crate) digest: Digest,
    /// Who.
    pub(crate) by: PersonId,
    /// When it came.
    pub(crate) since_ms: u64,
    /// What.
    pub(crate) what: Banned,
    /// Why.
    pub(crate) reason: FreeText,
    /// Why the signature cannot be verified any more; it bans all the same, which is the safe side.
    pub(crate) doubt: Option<String>,
}

/// What is banned.
#[derive(Debug, Clone)]
pub(crate) enum Banned {
    /// By a stop.
    Subject(StopSubject),
    /// By a rejection: a revision for these targets.
    Revision(Digest, Vec<Pair>),
}

impl Listed {
    /// Asks the server.
    pub(crate) async fn fetch(session: &Session) -> anyhow::Result<Self> {
        let (mut all, mut from) = (Vec::new(), 0);
        loop {
            let page = session.client.against(from).await?;
            for view in page.documents {
                let envelope = envelope(&view)?;
                all.push((view, envelope));
            }
            if page.next <= from || all.len() > LISTED_MAX {
                return Ok(Self(all));
            }
            from = page.next;
        }
    }

    /// All of it, in its order, as the server shows it.
    pub(crate) fn documents(&self) -> impl Iterator<Item = (&DocumentView, &Envelope)> {
        self.0.iter().map(|(view, envelope)| (view, envelope))
    }

    /// What of it was in force at `until_ms`; `None`: now.
    pub(crate) fn in_force(&self, authority: &Authority, until_ms: Option<u64>) -> Against {
        let mut against =
            Against { in_force: InForce::default(), bans: BTreeMap::new(), refused: Vec::new() };
        for (view, envelope) in &self.0 {
            if until_ms.is_none_or(|until| view.created_ms <= until) {
                against.take(authority, view, envelope);
            }
        }
        against
    }
}

impl Against {
    /// The bans in force, oldest first.
    pub(crate) fn bans(&self) -> Vec<&Ban> {
        let stops = self.in_force.stops().map(|(digest, _)| digest);
        let all = stops.chain(self.in_force.rejections().map(|(digest, _)| digest));
        let mut bans: Vec<&Ban> = all.filter_map(|digest| self.bans.get(digest)).collect();
        bans.sort_by_key(|b| b.since_ms);
        bans
    }

    fn take(&mut self, authority: &Authority, view: &DocumentView, envelope: &Envelope) {
        let taken = match view.kind.as_str() {
            Stop::DOC => self.stop(authority, view, envelope),
            Review::DOC => self.rejection(authority, view, envelope),
            Lift::DOC => authority
                .verify_lift(envelope, &self.in_force)
                .map(|lift| _ = self.in_force.apply((&lift).into())),
            _ => authority
                .verify_withdrawal(envelope, &self.in_force)
                .map(|withdrawal| _ = self.in_force.apply((&withdrawal).into())),
        };
        if let Err(error) = taken {
            self.refused.push(format!("{} {} does not count: {error}", view.kind, view.id));
        }
    }

    fn stop(
        &mut self,
        authority: &Authority,
        view: &DocumentView,
        envelope: &Envelope,
    ) -> Result<(), trust::DocumentError> {
        let stop: Stop = trust::read_unverified(envelope)?;
        let doubt = authority.verify_stop(envelope).err().map(|e| e.to_string());
        let digest = envelope.payload_digest();
        self.in_force.apply(Negative::Stop(digest, stop.subject.clone()));
        let ban = Ban {
            id: stop.header.id.to_string(),
            digest,
            by: stop.by,
            since_ms: view.created_ms,
            what: Banned::Subject(stop.subject),
            reason: stop.reason,
            doubt,
        };
        self.bans.insert(digest, ban);
        Ok(())
    }

    fn rejection(
        &mut self,
        authority: &Authority,
        view: &DocumentView,
        envelope: &Envelope,
    ) -> Result<(), trust::DocumentError> {
        let review: Review = trust::read_unverified(envelope)?;
        let Some(rejection) = Rejection::of(&review) else { return Ok(()) };
        let doubt = authority.verify::<Review>(envelope, &self.in_force.stopped_keys());
        let doubt = doubt.err().map(|e| e.to_string());
        let digest = envelope.payload_digest();
        let what = Banned::Revision(rejection.revision, rejection.pairs.clone());
        self.in_force.apply(Negative::Rejection(digest, rejection));
        let ban = Ban {
            id: review.header.id.to_string(),
            digest,
            by: review.reviewer,
            since_ms: view.created_ms,
            what,
            reason: review.comment,
            doubt,
        };
        self.bans.insert(digest, ban);
        Ok(())
    }
}
