//! Whose word could count at all: a review, approval or look of anybody else is refused when it is filed,
//! instead of lying there. The same people as in `decide`, which counts again at every run.
//!
//! It also keeps those who may not review from barring anything: the runner keeps every rejection, and
//! production waits for the status that knows it.

use domain::decide::Quorum;
use domain::{Digest, PersonId, TargetId};
use store::DocumentKind;
use trust::{AccessRequest, Person, PolicyTarget, Review};

use crate::{App, AppError};

const OTHERS: &str = "ask somebody else; nobody vouches for their own";
const ELSE: &str = "ask somebody who is; the policy names the groups of each target";

impl App {
    /// Reviewers are humans in a reviewing group of a target of the ceiling, and no authors.
    pub(crate) async fn may_review(&self, review: &Review) -> Result<(), AppError> {
        let who = &review.reviewer;
        self.is_no_agent(who, "reviews")?;
        let (adopted, groups) = (self.adopted(), self.groups(who));
        let mut targets = review.ceiling.targets.iter();
        let admits =
            |id: &_| adopted.authority.target(id).is_some_and(|t| t.reviews.admits(&groups));
        if !targets.any(|t| admits(&t.target)) {
            return Err(AppError::Forbidden {
                what: format!("{who} is in no group that reviews for these targets"),
                help: ELSE,
            });
        }
        if self.is_author(who, &review.revision).await? {
            let what = format!("{who} is an author of {}", review.revision);
            return Err(AppError::Forbidden { what, help: OTHERS });
        }
        Ok(())
    }

    /// Whether a person, or a service or agent of theirs, submitted a revision.
    pub(crate) async fn is_author(
        &self,
        who: &PersonId,
        revision: &Digest,
    ) -> Result<bool, AppError> {
        let (store, submission) = (&self.store, DocumentKind::Submission);
        let submissions = store.documents_of_revision(submission, revision).await?;
        let mut authors = submissions.iter().filter_map(|d| d.person.as_ref());
        Ok(authors.any(|author| self.is_same(author, who)))
    }

    /// Approvers are humans in an approving group of every target, and not the caller.
    pub(crate) fn may_approve(
        &self,
        who: &PersonId,
        access: &AccessRequest,
    ) -> Result<(), AppError> {
        self.is_no_agent(who, "approvals")?;
        if self.is_same(&access.caller, who) {
            let what = format!("{} is {who}'s own", access.header.id);
            return Err(AppError::Forbidden { what, help: OTHERS });
        }
        let (adopted, groups) = (self.adopted(), self.groups(who));
        let admits = |id: &_| {
            let target = adopted.authority.target(id);
            let quorum = target.map(|t| match &t.break_glass {
                Some(rules) if access.break_glass => &rules.approvals,
                _ => &t.approvals,
            });
            quorum.is_some_and(|q: &Quorum| q.admits(&groups))
        };
        match access.scope.targets.iter().find(|t| !admits(&t.target)) {
            None => Ok(()),
            Some(t) => Err(AppError::Forbidden {
                what: format!("{who} is in no group that approves for {}", t.target),
                help: ELSE,
            }),
        }
    }

    /// Who looks at an emergency is a human whom a target asks for, and did not cause it.
    pub(crate) fn may_look(&self, who: &PersonId, access: &AccessRequest) -> Result<(), AppError> {
        self.is_no_agent(who, "after-reviews")?;
        if self.is_same(&access.caller, who) {
            let what = format!("it was {who} who broke the glass");
            return Err(AppError::Forbidden { what, help: OTHERS });
        }
        if self.is_asked_to_look(who, access.scope.targets.iter().map(|t| &t.target)) {
            return Ok(());
        }
        Err(AppError::Forbidden {
            what: format!("{who} is in no group that looks at emergencies on these targets"),
            help: ELSE,
        })
    }

    /// Whether one of the targets asks for this person's look. Of targets that are all gone nobody can
    /// say who should look: anybody does.
    pub(crate) fn is_asked_to_look<'t>(
        &self,
        who: &PersonId,
        targets: impl Iterator<Item = &'t TargetId>,
    ) -> bool {
        let (adopted, groups) = (self.adopted(), self.groups(who));
        let known: Vec<_> = targets.filter_map(|t| adopted.authority.target(t)).collect();
        let asks = |t: &&PolicyTarget| match &t.break_glass {
            Some(rules) => rules.after_review.admits(&groups),
            None => t.approvals.admits(&groups),
        };
        known.is_empty() || known.iter().any(asks)
    }

    fn is_no_agent(&self, who: &PersonId, what: &str) -> Result<(), AppError> {
        let adopted = self.adopted();
        let person = adopted.authority.person(who);
        match person.filter(|p| !p.is_human()).map(Person::counted) {
            None => Ok(()),
            Some(owner) => Err(AppError::Forbidden {
                what: format!("{who} is no human, and {what} are people's; {owner} answers for it"),
                help: "ask a person; services and agents submit, request and run",
            }),
        }
    }

    /// Whether two names stand for one person, which matters wherever there are others.
    pub(crate) fn is_same(&self, one: &PersonId, other: &PersonId) -> bool {
        !self.adopted().authority.is_solo() && self.counted(one) == self.counted(other)
    }
}
