//! What is said besides the chain of one run.

use domain::Digest;
use domain::decide::StopSubject;

use super::*;

pub(crate) fn stop() -> Stop {
    Stop {
        header: header("stop", 9),
        by: t("ruth"),
        subject: StopSubject::Revision(revision()),
        reason: t("leaks addresses"),
    }
}

pub(crate) fn lift() -> Lift {
    Lift { header: header("lift", 11), lifts: digest_of(&stop()), reason: t("was a mistake") }
}

/// Carol's no.
pub(crate) fn rejection() -> Review {
    Review {
        header: header("rev", 12),
        verdict: Verdict::Reject,
        self_serve: vec![],
        comment: t("reads too much"),
        ..review()
    }
}

pub(crate) fn withdrawal() -> Withdrawal {
    Withdrawal {
        header: header("wdr", 13),
        reviewer: t("carol"),
        review: digest_of(&rejection()),
        revision: revision(),
        reason: t("misread it"),
    }
}

pub(crate) fn status_of(stops: Digest) -> Status {
    let mut header = header("sts", 14);
    header.not_before = at(-10);
    header.not_after = at(290);
    Status {
        header,
        keyring: keyring_ref(),
        directory: VersionRef { version: 1, digest: digest_of(&directory()) },
        policy: VersionRef { version: 1, digest: digest_of(&policy()) },
        stops,
    }
}

pub(crate) fn status() -> Status {
    status_of(InForce::default().digest())
}

pub(crate) fn after_review() -> AfterReview {
    AfterReview {
        header: header("arv", 15),
        reviewer: t("ruth"),
        request: digest_of(&access_request()),
        request_id: id("req", 6),
        verdict: AfterReviewVerdict::Justified,
        comment: t("the queue was full"),
    }
}

pub(crate) const NEWCOMER: u8 = 20;

pub(crate) fn key_claim() -> KeyClaim {
    KeyClaim {
        header: header("kcl", 16),
        person: t("nina"),
        name: t("Nina"),
        key: key(NEWCOMER).public().clone(),
        note: t("new on the team; call me"),
    }
}
