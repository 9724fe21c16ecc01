//! Everything that belongs to a ticket, in the order in which it happened, verified here.
//!
//! The server says what there is; what each document and receipt says is read from bytes whose
//! signature this client verified, and whatever could not be is marked as that. A server can leave
//! something out: the journal has it all. Not here: how it is shown ([`crate::commands`]).

mod bans;
mod documents;
mod runs;

use std::collections::{BTreeMap, BTreeSet};

use api::types::{AuditEventView, RevisionView};
use domain::{Digest, PersonId, RequestId, RunId, TargetId, Ticket};
use serde::Serialize;
use serde_json::{Value, json};
use trust::{AccessRequest, Authority, Problem, RunRequest, Verified};

use crate::commands::run::Proved;
use crate::exit::chain;
use crate::session::{Session, verified};

/// Events of one page.
const PAGE: usize = 200;
/// Events after which a server is not asked for more: one that lies would go on for ever.
const EVENTS_MAX: usize = 20_000;

/// What is known of something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "proof", content = "problem", rename_all = "kebab-case")]
pub(crate) enum Proof {
    /// Signed, and verified here.
    Verified,
    /// Nobody signed it: the server says so.
    ServerOnly,
    /// Signed by a key that nobody vouches for any more.
    Unverified(String),
    /// It does not hold.
    Invalid(String),
}

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Happened {
    /// When, Unix milliseconds: when the log took it, or when the runner says that a run ended.
    pub(crate) at_ms: u64,
    /// What kind of thing, as `access-request`.
    pub(crate) kind: &'static str,
    /// Its id.
    pub(crate) id: String,
    /// Who did it.
    pub(crate) who: Option<PersonId>,
    /// What they did, in words of ours.
    pub(crate) what: String,
    /// What they wrote about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) words: String,
    /// What is known of it.
    #[serde(flatten)]
    pub(crate) proof: Proof,
    /// More of it, for programs.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) facts: Value,
}

/// All of it.
pub(crate) struct Timeline {
    /// The ticket.
    pub(crate) ticket: Ticket,
    /// In order.
    pub(crate) events: Vec<Happened>,
    /// Runs with their evidence, verified.
    pub(crate) proved: Vec<Proved>,
    /// What is missing, and why.
    pub(crate) notes: Vec<String>,
}

/// What the parts of a timeline share while it is put together.
struct Gathering<'s> {
    session: &'s Session,
    authority: &'s Authority,
    events: Vec<Happened>,
    proved: Vec<Proved>,
    notes: Vec<String>,
    /// Those with the ticket.
    requests: Vec<Verified<AccessRequest>>,
    /// Orders with the ticket that needed no access request.
    orders: Vec<Verified<RunRequest>>,
    /// What they run.
    revisions: BTreeMap<Digest, RevisionView>,
    /// Runs under any of these.
    runs: BTreeSet<RunId>,
}

impl Timeline {
    /// Puts together what belongs to a ticket; `None` when there is nothing that this person may see.
    pub(crate) async fn of(session: &Session, ticket: &Ticket) -> anyhow::Result<Option<Self>> {
        let authority = session.authority().await?;
        let found = audit(session, ticket.as_str()).await?;
        let ids: BTreeSet<RequestId> = found.iter().flat_map(requests).collect();
        let started = found.iter().filter(|event| event.kind == "run-started");
        let ordered: BTreeSet<RunId> = started.filter_map(|event| event.run.clone()).collect();
        if ids.is_empty() && ordered.is_empty() {
            return Ok(None);
        }
        let mut gathering = Gathering {
            session,
            authority: &authority,
            events: Vec::new(),
            proved: Vec::new(),
            notes: Vec::new(),
            requests: Vec::new(),
            orders: Vec::new(),
            revisions: BTreeMap::new(),
            runs: BTreeSet::new(),
        };
        for id in &ids {
            gathering.request(id, ticket).await?;
        }
        for run in &ordered {
            gathering.ordered(run, ticket).await?;
        }
        gathering.revisions();
        gathering.runs().await?;
        gathering.bans().await?;
        let Gathering { mut events, proved, notes, .. } = gathering;
        events.sort_by_key(|event| event.at_ms);
        Ok(Some(Self { ticket: ticket.clone(), events, proved, notes }))
    }

    /// Whether something in it does not hold.
    pub(crate) fn is_broken(&self) -> bool {
        self.events.iter().any(|e| matches!(e.proof, Proof::Invalid(_)))
    }

    /// How many of a kind.
    pub(crate) fn count(&self, kind: &str) -> u64 {
        self.events.iter().filter(|e| e.kind == kind).count() as u64
    }
}

impl Gathering<'_> {
    fn targets(&self) -> BTreeSet<&TargetId> {
        let scopes = self.requests.iter().flat_map(|r| &r.doc().scope.targets);
        let orders = self.orders.iter().flat_map(|o| &o.doc().pairs);
        scopes.map(|t| &t.target).chain(orders.map(|pair| &pair.target)).collect()
    }
}

/// All events about something, that this person may see.
async fn audit(session: &Session, subject: &str) -> anyhow::Result<Vec<AuditEventView>> {
    let (mut all, mut before) = (Vec::new(), String::new());
    loop {
        let subject = crate::commands::audit::escaped(subject);
        let query = format!("subject={subject}&limit={PAGE}{before}");
        let page = session.client.audit(&query).await?;
        all.extend(page.events);
        match page.next {
            Some(next) if all.len() < EVENTS_MAX => before = format!("&before={next}"),
            _ => return Ok(all),
        }
    }
}

/// Access requests that an event is about.
fn requests(event: &AuditEventView) -> impl Iterator<Item = RequestId> + '_ {
    event.subjects.iter().filter_map(|s| s.parse().ok())
}

/// What an error of a verification means.
fn proof(error: &anyhow::Error) -> Proof {
    let problem = chain(error);
    let about = error.downcast_ref::<trust::DocumentError>().map(|e| &e.problem);
    match about {
        Some(Problem::UnknownKey(_) | Problem::KeyNotActive(..)) => Proof::Unverified(problem),
        _ => Proof::Invalid(problem),
    }
}

/// A document's place among others, from a server's answer and its verified content.
fn one<D: trust::Document>(
    authority: &Authority,
    view: &api::types::DocumentView,
    tell: impl FnOnce(&D) -> Told,
) -> Happened {
    let found = verified::<D>(authority, view);
    let (told, proof) = match &found {
        Ok(document) => (tell(document.doc()), Proof::Verified),
        // What it says is shown, marked: it is on file, and people have to see it.
        Err(error) => {
            let claimed = crate::session::envelope(view).ok();
            let claimed = claimed.and_then(|e| trust::read_unverified::<D>(&e).ok());
            (claimed.as_ref().map(tell).unwrap_or_default(), proof(error))
        }
    };
    let Told { who, what, words } = told;
    let what = if what.is_empty() { "cannot be read".to_owned() } else { what };
    let facts = json!({ "digest": view.digest });
    Happened {
        at_ms: view.created_ms,
        kind: D::DOC,
        id: view.id.clone(),
        who,
        what,
        words,
        proof,
        facts,
    }
}

/// What a document says, in words.
#[derive(Default)]
struct Told {
    who: Option<PersonId>,
    what: String,
    words: String,
}
