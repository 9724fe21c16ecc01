//! Figures in the Prometheus text format.
//!
//! Labels come from closed lists only (methods, our own route patterns, status codes, outcomes), so
//! that nobody outside can add a series, and no name or value of anybody's data is ever one. Each
//! server has its own; nothing is global.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::{Figures, HookStatus};
use axum::http::Method;

use crate::failures::Failures;

/// The media type of [`Meter::render`].
pub(crate) const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A series of requests: method, route pattern, status.
type Series = (&'static str, String, u16);

/// What the server counts.
pub(crate) struct Meter {
    failures: Arc<Failures>,
    requests: Mutex<BTreeMap<Series, u64>>,
    times: Mutex<BTreeMap<String, (u64, Duration)>>,
    at_work: AtomicU64,
}

/// A request at work; counted as such until it is dropped.
pub(crate) struct AtWork<'a>(&'a Meter);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Meter {
    pub(crate) fn new(failures: Arc<Failures>) -> Self {
        let (requests, times, at_work) = Default::default();
        Self { failures, requests, times, at_work }
    }

    /// Counts a request while it is at work.
    pub(crate) fn begin(&self) -> AtWork<'_> {
        self.at_work.fetch_add(1, Ordering::Relaxed);
        AtWork(self)
    }

    /// Counts an answered request; `route` is `None` for paths that are no route.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: Option<&str>,
        status: u16,
        took: Duration,
    ) {
        let route = route.unwrap_or("none").to_owned();
        // Single insertions, so a panic elsewhere leaves both maps whole.
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, sum) = times.entry(route.clone()).or_default();
        *count += 1;
        *sum += took;
        drop(times);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((name(method), route, status)).or_default() += 1;
    }

    /// Everything as text.
    pub(crate) fn render(&self, figures: &Figures) -> String {
        let mut text = Text(String::with_capacity(4 << 10));
        text.family("borescope_http_requests_total", "counter", "Requests answered.");
        for ((method, route, status), n) in
            &*self.requests.lock().unwrap_or_else(PoisonError::into_inner)
        {
            let labels = format!("{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}");
            text.sample("borescope_http_requests_total", &labels, n);
        }
        let about = "Time to the answer's first byte.";
        text.family("borescope_http_request_seconds", "summary", about);
        for (route, (count, sum)) in &*self.times.lock().unwrap_or_else(PoisonError::into_inner) {
            let labels = format!("{{route=\"{route}\"}}");
            text.sample("borescope_http_request_seconds_sum", &labels, sum.as_secs_f64());
            text.sample("borescope_http_request_seconds_count", &labels, count);
        }
        text.gauge(
            "borescope_http_requests_at_work",
            "Requests not answered yet.",
            self.at_work.load(Ordering::Relaxed),
        );
        self.of_app(&mut text, figures);
        text.0
    }

    fn of_app(&self, text: &mut Text, figures: &Figures) {
        let Figures { ready, live_runs, log_size, runs_ended, hooks } = figures;
        text.gauge("borescope_ready", "Whether writes are accepted.", u64::from(*ready));
        text.gauge("borescope_live_runs", "Runs that wait or execute.", *live_runs);
        text.gauge("borescope_log_entries", "Durable entries of the log.", *log_size);
        let name = "borescope_unauthenticated_refusals_total";
        text.family(name, "counter", "Calls refused because nobody was logged in.");
        text.sample(name, "", self.failures.total());
        let name = "borescope_runs_ended_total";
        text.family(name, "counter", "Runs that ended since the start, by outcome.");
        for (outcome, n) in runs_ended {
            text.sample(name, &format!("{{outcome=\"{outcome}\"}}"), n);
        }
        of_hooks(text, hooks);
    }
}

/// Without the hooks' names, which are the operator's and no closed list.
fn of_hooks(text: &mut Text, hooks: &[HookStatus]) {
    let sum = |of: fn(&HookStatus) -> u64| hooks.iter().map(of).sum::<u64>();
    for (name, help, n) in [
        (
            "borescope_notify_delivered_total",
            "Messages that webhooks took since the start.",
            sum(|h| h.delivered),
        ),
        (
            "borescope_notify_dropped_total",
            "Messages that a webhook did not take in time, and never gets.",
            sum(|h| h.dropped),
        ),
    ] {
        text.family(name, "counter", help);
        text.sample(name, "", n);
    }
    text.gauge(
        "borescope_notify_hooks_failing",
        "Webhooks that take nothing now.",
        sum(|h| u64::from(h.failing_since_ms.is_some())),
    );
}

struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "gauge", help);
        self.sample(name, "", value);
    }
}

/// The method's name; all that this API does not have are one series.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
