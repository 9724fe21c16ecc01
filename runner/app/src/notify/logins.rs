//! Logins: a person's key signs each of them, and the ledger has none. They are read from the sessions,
//! which the store keeps until they end.

use domain::Digest;
use serde_json::json;
use store::Session;

use super::kind::Kind;
use super::notice::Notice;
use super::{Hook, WAIT_MAX};
use crate::{App, chain};

/// Sessions of one look.
const SESSIONS_MAX: u32 = 64;

impl App {
    /// Tells a hook of each login, for as long as it is polled.
    pub(super) async fn tell_logins(&self, hook: &Hook, origin: &str) {
        // No hook's name has a blank.
        let place = format!("{} logins", hook.name);
        let mut opened = self.opened.subscribe();
        let since_ms = self.left_at(hook, &place, self.clock.now_ms()).await;
        // A restart tells those of that millisecond again.
        let mut after = (since_ms, String::new());
        loop {
            opened.mark_unchanged();
            let found = match self.store.sessions_after(after.0, &after.1, SESSIONS_MAX).await {
                Ok(found) => found,
                Err(e) => {
                    self.hooks.fails(hook, &chain(&e), self.clock.now_ms());
                    tokio::time::sleep(WAIT_MAX).await;
                    continue;
                }
            };
            let more = found.len() == SESSIONS_MAX as usize;
            for session in found {
                after = (session.created_ms, session.id.to_string());
                let notice = self.login_notice(session);
                if self.is_for(hook, &notice) {
                    self.deliver(hook, origin, &notice).await;
                }
                self.keep(&place, after.0).await;
            }
            if !more && opened.changed().await.is_err() {
                return;
            }
        }
    }

    fn login_notice(&self, session: Session) -> Notice {
        let Session { id, token_hash: _, person, key_fingerprint, created_ms, expires_ms: _ } =
            session;
        let what = format!("{} login {id}", self.trust_domain());
        Notice {
            id: format!("msg_{}", &Digest::of(what.as_bytes()).hex()[..32]),
            kind: Kind::KeyUsed,
            at_ms: created_ms,
            text: format!(
                "{person}'s key {key_fingerprint} logged in; if that was not {person}: borescope stop \
                 key {key_fingerprint}"
            ),
            wants: self.with_owner(&person),
            about: id.to_string(),
            command: "borescope sessions".to_owned(),
            path: "/v1/sessions".to_owned(),
            facts: vec![("by", json!(person)), ("key", json!(key_fingerprint))],
        }
    }
}
