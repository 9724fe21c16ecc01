//! Telling people elsewhere what wants their attention: webhooks, as the operator's unsigned
//! configuration lists them. They are told and never asked; nothing that is sent grants anything.
//!
//! What is told is read from the ledger ([`notice`]), from where each hook was left: nothing waits in
//! memory or in the store, a restart loses none, and what was sent just before one is sent again under
//! the same id. A hook is told in order. One that does not answer is tried again for a day, by itself:
//! neither runs nor other hooks wait for it.

mod body;
mod kind;
mod logins;
mod notice;
mod signatures;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::{Undelivered, Webhook};
use domain::{GroupName, PersonId};
use tokio::task::JoinSet;

pub use body::Format;
pub use kind::Kind;
use notice::Notice;
pub(crate) use signatures::signed_in;

use crate::{App, chain};

/// Milliseconds after which nobody wants to hear of it any more, and it is dropped.
pub const NOTICE_LIFE_MS: u64 = 24 * 3_600_000;
/// Ledger entries that a hook may be behind; what is before them is dropped. A hook that was away for
/// a day of a busy server is not told for another day what it missed.
const BEHIND_ENTRIES_MAX: u64 = 100_000;
/// Between the first try and the second; doubled after each.
const WAIT_FIRST: Duration = Duration::from_secs(1);
/// At most so long between two tries.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Tries of a message that its receiver does not want, over about an hour: somebody may be correcting
/// the address.
const REFUSALS_MAX: u32 = 20;
/// Entries that are passed over before that is kept; they are looked at again after a restart.
const PASSED_MAX: u64 = 256;

/// One webhook.
#[derive(Debug, Clone)]
pub struct Hook {
    /// How it is called in the log, in figures and by `borescope doctor`. A new name begins anew.
    pub name: String,
    /// Where to.
    pub webhook: Webhook,
    /// As what.
    pub format: Format,
    /// Of which kinds; none: all.
    pub kinds: BTreeSet<Kind>,
    /// Only what wants the attention of one of these; none of both: everybody's.
    pub people: BTreeSet<PersonId>,
    /// Or of a member of one of these.
    pub groups: BTreeSet<GroupName>,
}

/// How a hook fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookStatus {
    /// Its name.
    pub name: String,
    /// Messages that it took since the start.
    pub delivered: u64,
    /// Messages that were dropped since the start, because it did not take them in time.
    pub dropped: u64,
    /// Since when it takes none, Unix milliseconds; `None` when all is well.
    pub failing_since_ms: Option<u64>,
    /// Why not.
    pub problem: Option<String>,
}

/// How all of them fare.
#[derive(Debug, Default)]
pub(crate) struct Hooks(Mutex<BTreeMap<String, HookStatus>>);

impl Hooks {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, HookStatus>> {
        // Changed by single assignments only, so a panic leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of<T>(&self, hook: &Hook, change: impl FnOnce(&mut HookStatus) -> T) -> T {
        let mut all = self.lock();
        let status = all.entry(hook.name.clone()).or_insert_with(|| HookStatus {
            name: hook.name.clone(),
            delivered: 0,
            dropped: 0,
            failing_since_ms: None,
            problem: None,
        });
        change(status)
    }

    fn well(&self, hook: &Hook) {
        let was = self.of(hook, |s| {
            s.problem = None;
            s.failing_since_ms.take()
        });
        if was.is_some() {
            tracing::info!(hook = hook.name, "a webhook is told again");
        }
    }

    fn fails(&self, hook: &Hook, problem: &str, now_ms: u64) {
        let began = self.of(hook, |s| {
            let began = s.failing_since_ms.is_none();
            s.failing_since_ms.get_or_insert(now_ms);
            s.problem = Some(problem.to_owned());
            began
        });
        if began {
            let help = "it is tried again for a day; borescope doctor says how it fares";
            tracing::warn!(hook = hook.name, problem, help, "a webhook is not told");
        }
    }

    fn drops(&self, hook: &Hook, entries: u64, why: &str) {
        self.of(hook, |s| s.dropped = s.dropped.saturating_add(entries));
        tracing::warn!(hook = hook.name, why, "a webhook is never told of something");
    }
}

impl App {
    /// Tells `hooks` what happens, for as long as it is polled. `origin` is what people dial.
    pub async fn notify(self: &Arc<Self>, hooks: Vec<Hook>, origin: String) {
        let mut all = JoinSet::new();
        for hook in hooks {
            self.hooks.of(&hook, |_| ());
            let (app, origin) = (Arc::clone(self), origin.clone());
            all.spawn(async move {
                // One message at a time, whichever it is about, would let one wait for the other.
                tokio::join!(app.tell_on_and_on(&hook, &origin), app.tell_logins(&hook, &origin));
            });
        }
        while let Some(ended) = all.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a webhook is told nothing until the next start");
            }
        }
        std::future::pending::<()>().await;
    }

    /// How the webhooks fare.
    #[must_use]
    pub fn hooks(&self) -> Vec<HookStatus> {
        self.hooks.lock().values().cloned().collect()
    }

    async fn tell_on_and_on(&self, hook: &Hook, origin: &str) {
        let mut settled = self.settled.subscribe();
        let now = *self.settled.borrow();
        // A ledger that was founded anew is shorter.
        let mut next = self.left_at(hook, &hook.name, now).await.min(now);
        let mut kept = next;
        loop {
            let until = *settled.borrow_and_update();
            let behind = until.saturating_sub(next).saturating_sub(BEHIND_ENTRIES_MAX);
            if behind > 0 {
                self.hooks.drops(hook, behind, "it is too far behind");
                next += behind;
            }
            while next < until {
                let told = self.tell_entry(hook, origin, next).await;
                next += 1;
                if told || next - kept >= PASSED_MAX {
                    self.keep(&hook.name, next).await;
                    kept = next;
                }
            }
            if settled.changed().await.is_err() {
                return;
            }
        }
    }

    /// Where a hook was left at something; a new one is told from now on.
    async fn left_at(&self, hook: &Hook, place: &str, now: u64) -> u64 {
        loop {
            match self.store.told_until(place).await {
                Ok(Some(next)) => return next,
                Ok(None) => {
                    self.keep(place, now).await;
                    return now;
                }
                Err(e) => self.hooks.fails(hook, &chain(&e), self.clock.now_ms()),
            }
            tokio::time::sleep(WAIT_MAX).await;
        }
    }

    /// If we die before it is kept, the same is told again under the same ids.
    async fn keep(&self, place: &str, next: u64) {
        if let Err(e) = self.store.told(place, next).await {
            tracing::error!(hook = place, error = %chain(&e), "a webhook may be told again what it knows");
        }
    }

    /// Tells what there is to tell about one entry, and whether there was anything.
    async fn tell_entry(&self, hook: &Hook, origin: &str, index: u64) -> bool {
        let notices = match self.notices(index).await {
            Ok(notices) => notices,
            Err(e) => {
                self.hooks.drops(hook, 1, &chain(&e));
                return true;
            }
        };
        let mut told = false;
        for notice in notices.iter().filter(|n| self.is_for(hook, n)) {
            self.deliver(hook, origin, notice).await;
            told = true;
        }
        told
    }

    /// Whether a hook wants to hear it.
    fn is_for(&self, hook: &Hook, notice: &Notice) -> bool {
        if !hook.kinds.is_empty() && !hook.kinds.contains(&notice.kind) {
            return false;
        }
        if hook.people.is_empty() && hook.groups.is_empty() {
            return true;
        }
        notice.wants.iter().any(|person| {
            hook.people.contains(person)
                || self.groups(person).iter().any(|group| hook.groups.contains(group))
        })
    }

    /// Delivers a message, or gives it up.
    async fn deliver(&self, hook: &Hook, origin: &str, notice: &Notice) {
        let body = body::write(notice, hook.format, origin);
        let (mut wait, mut refusals) = (WAIT_FIRST, 0);
        loop {
            let now_ms = self.clock.now_ms();
            if now_ms.saturating_sub(notice.at_ms) > NOTICE_LIFE_MS {
                return self.hooks.drops(hook, 1, "it is more than a day old");
            }
            let sent = hook.webhook.send(&notice.id, now_ms / 1000, body.clone()).await;
            let Err(problem) = sent else {
                self.hooks.of(hook, |s| s.delivered = s.delivered.saturating_add(1));
                return self.hooks.well(hook);
            };
            self.hooks.fails(hook, &problem.to_string(), self.clock.now_ms());
            if problem.is_final() {
                refusals += 1;
                if refusals == REFUSALS_MAX {
                    return self.hooks.drops(hook, 1, &problem.to_string());
                }
            }
            let asked = match &problem {
                Undelivered::Refused { retry_after_s: Some(s), .. } => Duration::from_secs(*s),
                _ => Duration::ZERO,
            };
            tokio::time::sleep(self.about(wait).max(asked)).await;
            wait = wait.saturating_mul(2).min(WAIT_MAX);
        }
    }

    /// A time, and up to a quarter more, so that hooks of one receiver do not come all at once.
    fn about(&self, wait: Duration) -> Duration {
        let mut random = [0; 1];
        self.entropy.fill(&mut random);
        wait.saturating_add(wait.mul_f64(f64::from(random[0]) / 1024.0))
    }
}
