//! What the company says besides the chain of one ordinary run: what is against runs and its ends, the
//! status, the look after an emergency, a run without an approval, and the next keyring.

use domain::decide::Verdict;
use domain::{
    AfterReviewId, Digest, LiftId, Manifest, PlanRequestId, RunId, RunRequestId, StatusId,
    WithdrawalId,
};
use trust::{
    AccessRequest, AfterReview, AfterReviewVerdict, Envelope, Header, InForce, Keyring, Lift,
    PlanRequest, Review, RunRequest, Status, Withdrawal,
};

use super::{Company, RUNNER, p, pairs};

impl Company {
    /// The end of the stop or rejection with this digest.
    pub fn lift(&self, lifts: Digest) -> Lift {
        let (clock, entropy) = self.c();
        let header = self.header(LiftId::new(clock, entropy), 1);
        Lift { header, lifts, reason: p("it was a mistake") }
    }

    /// A reviewer's no to a revision, for everything that the manifest asks for.
    pub fn rejection(&self, reviewer: &str, manifest: &Manifest, revision: Digest) -> Review {
        let review = self.review(manifest, revision);
        Review { reviewer: p(reviewer), verdict: Verdict::Reject, ..review }
    }

    /// Somebody's request for what the target's planner expects.
    pub fn plan_request(&self, person: &str, manifest: &Manifest, revision: Digest) -> PlanRequest {
        let (clock, entropy) = self.c();
        let header = self.header(PlanRequestId::new(clock, entropy), 0);
        PlanRequest {
            header: Header { not_before: header.not_after.plus_s(-240), ..header },
            person: p(person),
            revision,
            pair: super::pairs(manifest).remove(0),
            runner: p(super::RUNNER),
        }
    }

    /// The end of a rejection by the same reviewer.
    pub fn withdrawal(&self, rejection: &Envelope) -> Withdrawal {
        let (clock, entropy) = self.c();
        let read: Review = trust::read_unverified(rejection).unwrap();
        Withdrawal {
            header: self.header(WithdrawalId::new(clock, entropy), 1),
            reviewer: read.reviewer,
            review: rejection.payload_digest(),
            revision: read.revision,
            reason: p("I misread it"),
        }
    }

    /// Somebody's look at what was done under an access request.
    pub fn after_review(&self, reviewer: &str, request: &Envelope) -> AfterReview {
        let (clock, entropy) = self.c();
        let read: AccessRequest = trust::read_unverified(request).unwrap();
        AfterReview {
            header: self.header(AfterReviewId::new(clock, entropy), 1),
            reviewer: p(reviewer),
            request: request.payload_digest(),
            request_id: read.header.id,
            verdict: AfterReviewVerdict::Justified,
            comment: p("orders were stuck indeed"),
        }
    }

    /// What is in force, from ten seconds ago for five minutes.
    pub fn status(&self, in_force: &InForce) -> Status {
        let (clock, entropy) = self.c();
        let mut header = self.header(StatusId::new(clock, entropy), 1);
        header.not_before = clock.now().plus_s(-10);
        header.not_after = clock.now().plus_s(290);
        Status {
            header,
            keyring: self.keyring_ref(),
            directory: self.directory_ref(),
            policy: self.policy_ref(),
            stops: in_force.digest(),
        }
    }

    /// Alice's order to run a revision once without an access request.
    pub fn self_serve_request(
        &self,
        manifest: &Manifest,
        revision: Digest,
        input: Digest,
    ) -> RunRequest {
        let (clock, entropy) = self.c();
        let mut header = self.header(RunRequestId::new(clock, entropy), 1);
        header.not_before = clock.now().plus_s(-10);
        header.not_after = clock.now().plus_s(60);
        RunRequest {
            header,
            caller: p("alice"),
            run: RunId::new(clock, entropy),
            revision,
            request: None,
            runner: p(RUNNER),
            pairs: pairs(manifest),
            input,
            use_number: 0,
            reason: None,
            ticket: None,
        }
    }

    /// Signs the next keyring, and directory and policy anew under it; `change` may alter the keyring.
    pub fn succeed(&mut self, change: impl FnOnce(&mut Keyring)) {
        let keyring = self.next_keyring(change);
        self.successors.push(self.sign("carol", &keyring));
        (self.directory, self.policy) = self.under_the_newest_keyring();
    }

    /// The next directory and policy, with the newest keyring over them.
    pub fn under_the_newest_keyring(&self) -> (Envelope, Envelope) {
        let (directory, policy) = (self.next_directory(|_| {}), self.next_policy(|_| {}));
        (self.sign("carol", &directory), self.sign("carol", &policy))
    }
}
