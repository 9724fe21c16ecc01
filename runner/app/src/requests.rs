//! Where an access request is, and what waits for a person. Derived at every call, never stored.

use domain::{Denial, RequestId, Rule, Timestamp};
use store::{Document, DocumentKind, Filter, Revision, Run, RunFilter};
use trust::AccessRequest;

use crate::advice::{Advised, Belongs, unverified, usable};
use crate::login::Who;
use crate::owed::{Concerns, Emergency};
use crate::sent_back::SentBack;
use crate::{App, AppError, Claimed, Proposal};

/// Where an access request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Reviews or approvals are missing, or its time has not come.
    Pending,
    /// It can be used now.
    Approved,
    /// Its window has ended.
    Expired,
    /// All its uses are spent.
    UsedUp,
    /// Something that it depends on is stopped.
    Stopped,
}

/// An access request with everything that belongs to it.
#[derive(Debug, Clone)]
pub struct RequestStatus {
    /// The access request.
    pub request: Document,
    /// Submissions of its revision.
    pub submissions: Vec<Document>,
    /// Reviews of its revision.
    pub reviews: Vec<Document>,
    /// Its approvals.
    pub approvals: Vec<Document>,
    /// Where it is.
    pub state: RequestState,
    /// The first rule that fails now; `None` when it can be used.
    pub missing: Option<Denial>,
    /// Whether an approval is what people can help with.
    pub wants_approval: bool,
    /// Numbers of uses that were started.
    pub uses_spent: Vec<u64>,
}

/// What waits for a person.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// Revisions that want the person's review.
    pub to_review: Vec<Revision>,
    /// Revisions of the person's that reviewers sent back.
    pub sent_back: Vec<SentBack>,
    /// Access requests that want the person's approval.
    pub to_approve: Vec<Document>,
    /// The person's runs that have not ended.
    pub live_runs: Vec<Run>,
    /// Emergencies of others that want the person's after-review.
    pub to_look_at: Vec<Emergency>,
    /// The person's own, which somebody else has to look at.
    pub owed: Vec<Emergency>,
    /// Proposals that the person could still sign.
    pub to_sign: Vec<Proposal>,
    /// Key claims that the person has to look at.
    pub key_claims: Vec<Claimed>,
}

impl App {
    /// An access request with what belongs to it, and the runner's likely answer to its next use.
    ///
    /// # Errors
    /// When there is none, or its content was erased.
    pub async fn access_request(&self, id: &RequestId) -> Result<RequestStatus, AppError> {
        let absent = || AppError::NotFound(format!("access request {id}"));
        let document = self.store.document(id.as_str()).await?.ok_or_else(absent)?;
        let access: AccessRequest = unverified(&document).ok_or_else(absent)?;
        self.request_status(document, &access).await
    }

    /// Refuses another access request of a person for whom too many wait. One that is on file
    /// already is no other. `filing` is held, so that of many calls at once none is overlooked.
    pub(crate) async fn may_ask_for_more(&self, who: &Who, id: &str) -> Result<(), AppError> {
        let max = self.quotas.limits().pending_requests_max;
        if self.store.document(id).await?.is_some() {
            return Ok(());
        }
        let mine = Filter {
            kind: Some(DocumentKind::AccessRequest),
            person: Some(who.person.clone()),
            ..Filter::default()
        };
        let now = self.clock.now();
        let (mut pending, mut soonest) = (0, Timestamp::from_unix_s(i64::MAX));
        for document in self.store.documents(&mine).await? {
            let access = unverified::<AccessRequest>(&document);
            let Some(ends) = access.map(|a| usable(&a).not_after).filter(|ends| now <= *ends)
            else {
                continue;
            };
            let approvals = Filter {
                kind: Some(DocumentKind::Approval),
                request: document.request,
                ..Filter::default()
            };
            if self.store.documents(&approvals).await?.is_empty() {
                (pending, soonest) = (pending + 1, soonest.min(ends));
            }
        }
        if pending < max {
            return Ok(());
        }
        let left_s = soonest.unix_s().saturating_sub(now.unix_s()).saturating_add(1);
        let retry_after_s = u64::try_from(left_s).unwrap_or(0);
        Err(AppError::Quota {
            what: "access requests that wait for an approval",
            max,
            retry_after_s,
        })
    }

    pub(crate) async fn request_status(
        &self,
        request: Document,
        access: &AccessRequest,
    ) -> Result<RequestStatus, AppError> {
        let belongs = self.belongs(&access.revision, Some(&access.header.id)).await?;
        let uses_spent = self.uses_spent(&access.header.id).await?;
        let Advised { missing, wants_approval } =
            self.advised(&request, access, &belongs, &uses_spent).await?;
        let now = self.clock.now();
        let state = state(access, missing.as_ref(), &uses_spent, now);
        let Belongs { submissions, reviews, approvals } = belongs;
        Ok(RequestStatus {
            request,
            submissions,
            reviews,
            approvals,
            state,
            missing,
            wants_approval,
            uses_spent,
        })
    }

    /// What waits for this person: revisions to review, access requests to approve, live runs,
    /// proposals to sign, key claims to look at.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inbox(&self, who: &Who) -> Result<Inbox, AppError> {
        let (adopted, groups) = (self.adopted(), self.groups(&who.person));
        let targets = &adopted.authority.policy().targets;
        let human = self.is_human(&who.person);
        let to_review = if human && targets.iter().any(|t| t.reviews.admits(&groups)) {
            self.unreviewed(who).await?
        } else {
            Vec::new()
        };
        let mut to_approve = Vec::new();
        let filter = Filter { kind: Some(DocumentKind::AccessRequest), ..Filter::default() };
        for document in self.store.documents(&filter).await? {
            let Some(access) = unverified::<AccessRequest>(&document) else {
                continue;
            };
            if self.may_approve(&who.person, &access).is_err() {
                continue;
            }
            let status = self.request_status(document, &access).await?;
            let done = status.approvals.iter().any(|a| a.person.as_ref() == Some(&who.person));
            if status.wants_approval && !done {
                to_approve.push(status.request);
            }
        }
        let mine = RunFilter { caller: Some(who.person.clone()), open_only: true };
        let live_runs = self.store.runs(&mine).await?;
        let Concerns { to_look_at, owed } = self.emergencies_of(who).await?;
        let (to_sign, key_claims) = (self.to_sign(who).await?, self.claims_to_see(who).await?);
        Ok(Inbox {
            to_review,
            sent_back: self.sent_back(who).await?,
            to_approve,
            live_runs,
            to_look_at,
            owed,
            to_sign,
            key_claims,
        })
    }

    /// The newest revision of each script, if the person has neither submitted nor reviewed it and nobody
    /// sent it back; where one person is all there is, if they have not reviewed it.
    async fn unreviewed(&self, who: &Who) -> Result<Vec<Revision>, AppError> {
        let mut wanted = Vec::new();
        for revision in self.newest_revisions().await? {
            let about = Filter {
                kind: Some(DocumentKind::Review),
                revision: Some(revision.digest),
                person: Some(who.person.clone()),
                ..Filter::default()
            };
            let reviewed = !self.store.documents(&about).await?.is_empty();
            let is_open = !reviewed
                && !self.is_author(&who.person, &revision.digest).await?
                && self.standing_against(&revision.digest).await?.is_empty();
            if is_open {
                wanted.push(revision);
            }
        }
        Ok(wanted)
    }
}

/// The state that people see, from the rule that fails. Time and uses come before what is missing:
/// nobody should review for a request that is over.
fn state(
    access: &AccessRequest,
    missing: Option<&Denial>,
    uses_spent: &[u64],
    now: Timestamp,
) -> RequestState {
    let Some(denial) = missing else {
        return RequestState::Approved;
    };
    let over = now > usable(access).not_after;
    match denial.rule {
        Rule::Stopped => RequestState::Stopped,
        Rule::GrantExpired => RequestState::Expired,
        Rule::UseSpent => RequestState::UsedUp,
        _ if uses_spent.len() as u64 >= access.uses => RequestState::UsedUp,
        _ if over => RequestState::Expired,
        _ => RequestState::Pending,
    }
}
