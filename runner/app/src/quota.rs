//! What one person may use in a while, on the control plane's own clock.
//!
//! Counted in memory: a restart forgives. A window begins with its first use, so nobody waits longer
//! than its length. Not here: what nobody who is logged in uses up (`server::failures`), the total of
//! all files (`store::Blobs`), limits of runs (`domain::limits`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use domain::PersonId;

use crate::AppError;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Named limits of one person's use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaLimits {
    /// Uploads in an hour. An upload is checked in full; nobody writes scripts faster by hand.
    pub uploads_per_hour_max: u64,
    /// Bytes of uploads and inputs in a day; they stay on disk until an operator deletes them.
    pub upload_bytes_per_day_max: u64,
    /// Access requests that wait for somebody, at a time: approvers read each of them.
    pub pending_requests_max: u64,
    /// Seconds of preparing runs in an hour, from the order to the run's start: that is compiling,
    /// where the component is new, and waiting for the compiler.
    pub compile_s_per_hour_max: u64,
}

impl QuotaLimits {
    /// For people; automation that needs more is given more.
    pub const DEFAULT: Self = Self {
        uploads_per_hour_max: 120,
        upload_bytes_per_day_max: 2 << 30,
        pending_requests_max: 100,
        compile_s_per_hour_max: 600,
    };
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Uploads,
    UploadBytes,
    CompileMs,
}

impl Kind {
    /// Words, limit and window.
    fn terms(self, limits: &QuotaLimits) -> (&'static str, u64, u64) {
        match self {
            Self::Uploads => ("uploads in an hour", limits.uploads_per_hour_max, HOUR_MS),
            Self::UploadBytes => {
                ("bytes of uploads and inputs in a day", limits.upload_bytes_per_day_max, DAY_MS)
            }
            Self::CompileMs => {
                let max_ms = limits.compile_s_per_hour_max.saturating_mul(1000);
                ("milliseconds of preparing runs in an hour", max_ms, HOUR_MS)
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began_ms: u64,
    used: u64,
}

/// Everybody's use. Only people with a session are counted, so the directory bounds it.
#[derive(Debug)]
pub(crate) struct Quotas {
    limits: QuotaLimits,
    used: Mutex<BTreeMap<(PersonId, Kind), Window>>,
}

impl Quotas {
    pub(crate) fn new(limits: QuotaLimits) -> Self {
        Self { limits, used: Mutex::default() }
    }

    pub(crate) const fn limits(&self) -> &QuotaLimits {
        &self.limits
    }

    /// Uses `amount`, unless that is more than is left.
    pub(crate) fn take(
        &self,
        person: &PersonId,
        kind: Kind,
        amount: u64,
        now_ms: u64,
    ) -> Result<(), AppError> {
        self.with(person, kind, now_ms, |window, max| {
            let used = window.used.saturating_add(amount);
            if used <= max {
                window.used = used;
            }
            used <= max
        })
    }

    /// Refuses when nothing is left.
    pub(crate) fn has_some(
        &self,
        person: &PersonId,
        kind: Kind,
        now_ms: u64,
    ) -> Result<(), AppError> {
        self.with(person, kind, now_ms, |window, max| window.used < max)
    }

    /// Counts what was used, however much it is.
    pub(crate) fn charge(&self, person: &PersonId, kind: Kind, amount: u64, now_ms: u64) {
        let charged = self.with(person, kind, now_ms, |window, _| {
            window.used = window.used.saturating_add(amount);
            true
        });
        debug_assert!(charged.is_ok(), "charging refuses nothing");
    }

    fn with(
        &self,
        person: &PersonId,
        kind: Kind,
        now_ms: u64,
        allow: impl FnOnce(&mut Window, u64) -> bool,
    ) -> Result<(), AppError> {
        let (what, max, window_ms) = kind.terms(&self.limits);
        // Single insertions, so a panic elsewhere leaves the map whole.
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Window { began_ms: now_ms, used: 0 };
        let window = all.entry((person.clone(), kind)).or_insert(new);
        let age_ms = now_ms.saturating_sub(window.began_ms);
        if age_ms >= window_ms {
            *window = new;
        }
        if allow(window, max) {
            return Ok(());
        }
        let left_ms = window.began_ms.saturating_add(window_ms).saturating_sub(now_ms);
        Err(AppError::Quota { what, max, retry_after_s: left_ms.div_ceil(1000) })
    }
}

#[cfg(test)]
mod tests;
