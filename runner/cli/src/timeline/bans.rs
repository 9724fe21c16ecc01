//! Stops, and their ends, that touched what belongs to a ticket.

use std::collections::BTreeSet;

use api::types::DocumentView;
use domain::Digest;
use domain::decide::StopSubject;
use trust::{Lift, Stop, Verified, Withdrawal};

use super::{Gathering, Told, one};
use crate::against::Listed;
use crate::session::envelope;

/// Milliseconds after the last event for which a stop is still told: what people do about an incident.
const AFTERWARDS_MS: u64 = 24 * 3_600_000;

/// What an incident begins with.
const FIRST: [&str; 2] = ["access-request", "run-started"];

impl Gathering<'_> {
    /// Adds the stops and lifts that touched any of it.
    pub(super) async fn bans(&mut self) -> anyhow::Result<()> {
        let listed = Listed::fetch(self.session).await?;
        let began = self.events.iter().filter(|e| FIRST.contains(&e.kind)).map(|e| e.at_ms).min();
        let last = self.events.iter().map(|e| e.at_ms).max().unwrap_or(0);
        let (began, until) = (began.unwrap_or(0), last.saturating_add(AFTERWARDS_MS));
        let ends = ends(&listed);
        let mut touched: BTreeSet<Digest> = BTreeSet::new();
        for (view, document) in listed.documents().filter(|(v, _)| v.kind == "stop") {
            let Ok(stop) = trust::read_unverified::<Stop>(document) else { continue };
            let digest = document.payload_digest();
            let over = ends.iter().any(|(d, at_ms)| *d == digest && *at_ms < began);
            if !self.is_touched(&stop.subject) || over || view.created_ms > until {
                continue;
            }
            touched.insert(digest);
            let line = one::<Stop>(self.authority, view, |d| Told {
                who: Some(d.by.clone()),
                what: format!("{} STOPS {}", d.by, d.subject),
                words: d.reason.to_string(),
            });
            self.events.push(line);
        }
        for (view, _) in listed.documents() {
            self.end_of(view, &touched)?;
        }
        Ok(())
    }

    fn end_of(&mut self, view: &DocumentView, touched: &BTreeSet<Digest>) -> anyhow::Result<()> {
        let document = envelope(view)?;
        let line = match view.kind.as_str() {
            "lift" => match trust::read_unverified::<Lift>(&document) {
                Ok(lift) if touched.contains(&lift.lifts) => {
                    one::<Lift>(self.authority, view, |d| Told {
                        who: None,
                        what: format!("the stop {} is lifted", d.lifts.short()),
                        words: d.reason.to_string(),
                    })
                }
                _ => return Ok(()),
            },
            "withdrawal" => match trust::read_unverified::<Withdrawal>(&document) {
                Ok(d) if self.revisions.contains_key(&d.revision) => {
                    one::<Withdrawal>(self.authority, view, |d| Told {
                        who: Some(d.reviewer.clone()),
                        what: format!("{} takes a rejection back", d.reviewer),
                        words: d.reason.to_string(),
                    })
                }
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        self.events.push(line);
        Ok(())
    }

    /// Whether a stop of this touches an access request with the ticket, or somebody who signed for it.
    fn is_touched(&self, subject: &StopSubject) -> bool {
        match subject {
            StopSubject::Everything => true,
            StopSubject::Target(target) => self.targets().contains(target),
            StopSubject::Revision(revision) => self.revisions.contains_key(revision),
            StopSubject::Request(id) => self.requests.iter().any(|r| r.doc().header.id == *id),
            StopSubject::Person(person) => {
                self.events.iter().any(|e| e.who.as_ref() == Some(person))
            }
            StopSubject::Key(key) => {
                let requests = self.requests.iter().flat_map(Verified::signers);
                let orders = self.orders.iter().flat_map(Verified::signers);
                requests.chain(orders).any(|s| s.key.as_str() == key)
            }
        }
    }
}

/// What was lifted, and when.
fn ends(listed: &Listed) -> Vec<(Digest, u64)> {
    let lifts = listed.documents().filter(|(view, _)| view.kind == "lift");
    let end = |(view, document): (&DocumentView, &trust::Envelope)| {
        let lift = trust::read_unverified::<Lift>(document).ok()?;
        Some((lift.lifts, view.created_ms))
    };
    lifts.filter_map(end).collect()
}
