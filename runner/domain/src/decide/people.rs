//! Who may call, and who vouches for the revision. People are counted, not keys or groups; nobody is
//! exempt.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Facts, RejectionFact, ReviewFact, StopSubject, SubmissionFact, Verdict};
use super::policy::{Quorum, TargetRules};
use super::quorum::{People, join};
use super::{Denial, Place, Rule};
use crate::capability::Pair;
use crate::digest::Digest;
use crate::ids::ReviewId;
use crate::names::PersonId;
use crate::time::Timestamp;

pub(super) fn caller_is_allowed(facts: &Facts<'_>, places: &[Place<'_>]) -> Result<(), Denial> {
    let open = |p: &Place<'_>| p.rules.callers.iter().any(|g| facts.caller_groups.contains(g));
    match places.iter().find(|p| !open(p)) {
        None => Ok(()),
        Some(p) => Err(Denial::new(
            Rule::CallerNotAllowed,
            format!("{} may not run on {}", facts.run.caller, p.pair.target),
            format!("ask for membership in one of: {}", join(&p.rules.callers)),
        )),
    }
}

pub(super) fn submitted(facts: &Facts<'_>) -> Result<(), Denial> {
    if facts.submissions.is_empty() {
        return Err(Denial::new(
            Rule::SubmissionMissing,
            format!("nobody in the directory has submitted {}", facts.run.revision),
            "have its author submit it",
        ));
    }
    Ok(())
}

/// The reviews of one revision for one pair, judged now.
struct Bench<'f> {
    counted: Vec<&'f ReviewFact>,
    /// The analysis that all of them saw.
    analysis: Option<Digest>,
    /// Approvals that saw another one.
    outdated: Vec<&'f ReviewFact>,
    /// Who said no, and how.
    against: Option<(&'f PersonId, &'f ReviewId, Verdict)>,
}

/// Whose reviews are looked at: those of the revision itself, or of the one that it is based on.
#[derive(Clone, Copy)]
struct Revision<'f> {
    submissions: &'f [SubmissionFact],
    reviews: &'f [ReviewFact],
    rejections: &'f [RejectionFact],
}

/// The newest is the last.
fn age(review: &ReviewFact) -> (Timestamp, &ReviewId, Digest) {
    (review.window.not_before, &review.id, review.digest)
}

/// Of each person the newest review of `pair` that has begun, if it says yes or wants changes. A
/// rejection is not superseded by anything; see [`against`].
fn newest<'f>(facts: &Facts<'_>, pair: &Pair, reviews: &'f [ReviewFact]) -> Vec<&'f ReviewFact> {
    let mut by_person: BTreeMap<&PersonId, &ReviewFact> = BTreeMap::new();
    let begun = |r: &&ReviewFact| {
        r.verdict != Verdict::Reject
            && r.ceiling.pairs.contains_key(pair)
            && r.window.not_before <= facts.now
    };
    for review in reviews.iter().filter(begun) {
        let known = by_person.entry(&review.reviewer).or_insert(review);
        if age(review) > age(known) {
            *known = review;
        }
    }
    by_person.into_values().collect()
}

/// Who counts. An approval is about what its queries came to when it was signed: those count together
/// that saw the same, which is what the newest one saw, or `seen`. One that saw nothing never counts.
fn bench<'f>(
    facts: &Facts<'_>,
    pair: &Pair,
    rules: &TargetRules,
    revision: Revision<'f>,
    seen: Option<Digest>,
) -> Bench<'f> {
    let author = |p: &PersonId| !facts.solo && revision.submissions.iter().any(|s| s.author == *p);
    let standing: Vec<&ReviewFact> = newest(facts, pair, revision.reviews)
        .into_iter()
        .filter(|r| r.window.contains(facts.now))
        .filter(|r| r.human && rules.reviews.admits(&r.groups) && !author(&r.reviewer))
        .filter(|r| !stopped(facts, &r.reviewer))
        .collect();
    let changes = standing
        .iter()
        .find(|r| r.verdict == Verdict::RequestChanges)
        .map(|r| (&r.reviewer, &r.id, r.verdict));
    let yes: Vec<&ReviewFact> =
        standing.into_iter().filter(|r| r.verdict == Verdict::Approve).collect();
    let saw = |r: &&&ReviewFact| r.analyses.contains_key(pair);
    let newest = yes.iter().filter(saw).max_by_key(|r| age(r)).and_then(|r| r.analyses.get(pair));
    let analysis = seen.or(newest.copied());
    let agrees = |r: &&ReviewFact| analysis.is_some() && r.analyses.get(pair) == analysis.as_ref();
    let (counted, outdated) = yes.into_iter().partition(agrees);
    Bench {
        against: against(pair, rules, revision, author).or(changes),
        counted,
        analysis,
        outdated,
    }
}

/// A rejection bars whatever its window says, also when its reviewer is stopped by now: barring more
/// is the safe side, and a lift ends it.
fn against<'f>(
    pair: &Pair,
    rules: &TargetRules,
    revision: Revision<'f>,
    author: impl Fn(&PersonId) -> bool,
) -> Option<(&'f PersonId, &'f ReviewId, Verdict)> {
    let mine = revision.reviews.iter().filter(|r| r.verdict == Verdict::Reject).filter(|r| {
        r.human && rules.reviews.admits(&r.groups) && r.ceiling.pairs.contains_key(pair)
    });
    let known = revision
        .rejections
        .iter()
        .filter(|r| r.human && rules.reviews.admits(&r.groups) && r.pairs.contains(pair));
    let all = mine.map(|r| (&r.reviewer, &r.id)).chain(known.map(|r| (&r.reviewer, &r.id)));
    all.into_iter().find(|(p, _)| !author(p)).map(|(p, id)| (p, id, Verdict::Reject))
}

/// What the reviewers say about one pair of the run.
pub(super) struct PairReviews<'f> {
    pub(super) place: Place<'f>,
    /// Every review of the revision that counts.
    pub(super) counted: Vec<&'f ReviewFact>,
    /// Every review of an unchanged earlier revision that counts; their ceilings bind, too.
    pub(super) base: Vec<&'f ReviewFact>,
    /// The analysis that all of them saw.
    pub(super) analysis: Option<Digest>,
    /// Approvals that saw another one: they do not count, and still bind, so that a newer word never
    /// gives more than the older one did.
    pub(super) outdated: Vec<&'f ReviewFact>,
    against: Option<(&'f PersonId, &'f ReviewId, Verdict)>,
    /// How many people suffice here.
    pub(super) needed: Quorum,
    /// Why an earlier revision that was offered does not lower that number.
    no_base: Option<String>,
}

impl<'f> PairReviews<'f> {
    /// The reviews that narrow: those that count, and those that are outdated.
    pub(super) fn binding(&self) -> impl Iterator<Item = &&'f ReviewFact> {
        self.counted.iter().chain(&self.base).chain(&self.outdated)
    }

    /// The reviewers who count and whom `who` accepts, each once, with their groups.
    pub(super) fn people(&self, who: impl Fn(&ReviewFact) -> bool) -> People<'_> {
        let accepted = self.counted.iter().filter(|r| who(r));
        accepted.map(|r| (&r.reviewer, r.groups.as_slice())).collect()
    }
}

/// What the reviewers say, pair by pair. `may_discount`: whether an earlier revision may lower the
/// number; an emergency always needs all.
pub(super) fn reviewed<'f>(
    facts: &'f Facts<'_>,
    places: &[Place<'f>],
    may_discount: bool,
) -> Vec<PairReviews<'f>> {
    let own = Revision {
        submissions: &facts.submissions,
        reviews: &facts.reviews,
        rejections: &facts.rejections,
    };
    let of = |place: &Place<'f>| {
        let (pair, rules) = (place.pair, place.rules);
        let Bench { counted, analysis, mut outdated, against } =
            bench(facts, pair, rules, own, None);
        // Whatever a policy says, unreviewed code never runs.
        let full = rules.reviews.with_required(rules.reviews.required.max(1));
        let (mut needed, mut base, mut no_base) = (full.clone(), Vec::new(), None);
        if let Some(fewer) = rules.reviews_unchanged.filter(|_| may_discount) {
            match unchanged(facts, pair, rules, (&full, analysis)) {
                Ok(earlier) => {
                    base = earlier.counted;
                    outdated.extend(earlier.outdated);
                    needed = full.with_required(fewer.max(1).min(full.required));
                }
                Err(Useless { why, outdated: still }) => {
                    no_base = why;
                    outdated.extend(still);
                }
            }
        }
        PairReviews { place: *place, counted, base, analysis, outdated, against, needed, no_base }
    };
    places.iter().map(of).collect()
}

/// The approving reviews that count for the pairs of the run, the newest last; none where a pair has
/// none, where somebody is against it, or where the revision is stopped. Fewer than a target's policy
/// asks for may be enough: who reads a later revision wants to know what others have read.
#[must_use]
pub fn approving<'f>(facts: &'f Facts<'_>) -> Vec<&'f ReviewFact> {
    let own = Revision {
        submissions: &facts.submissions,
        reviews: &facts.reviews,
        rejections: &facts.rejections,
    };
    let is_stopped = facts.stops.contains(&StopSubject::Revision(facts.run.revision));
    if is_stopped || facts.submissions.is_empty() {
        return Vec::new();
    }
    let mut all: BTreeMap<_, &ReviewFact> = BTreeMap::new();
    for pair in &facts.run.pairs {
        let Some(rules) = facts.targets.iter().find(|t| t.id == pair.target) else {
            return Vec::new();
        };
        let Bench { counted, against, .. } = bench(facts, pair, rules, own, None);
        if counted.is_empty() || against.is_some() {
            return Vec::new();
        }
        all.extend(counted.into_iter().map(|r| (age(r), r)));
    }
    all.into_values().collect()
}

/// An earlier revision that lowers no number.
#[derive(Default)]
struct Useless<'f> {
    /// Why, if one was offered.
    why: Option<String>,
    /// Its reviews that would count, had they seen what was seen since.
    outdated: Vec<&'f ReviewFact>,
}

/// The reviews of the earlier revision that this one shares everything but the component with. They
/// saw the same analysis as those of this one.
fn unchanged<'f>(
    facts: &'f Facts<'_>,
    pair: &Pair,
    rules: &TargetRules,
    (full, seen): (&Quorum, Option<Digest>),
) -> Result<Bench<'f>, Useless<'f>> {
    let Some(base) = &facts.base else { return Err(Useless::default()) };
    let no_but = |why: String, outdated: Vec<&'f ReviewFact>| {
        let why = Some(format!("{} does not help: {why}", base.revision));
        Err(Useless { why, outdated })
    };
    let no = |why: String| no_but(why, Vec::new());
    if base.revision == facts.run.revision {
        return no("it is the same revision".to_owned());
    }
    if let Some(difference) = &base.difference {
        return no(difference.clone());
    }
    if facts.stops.contains(&StopSubject::Revision(base.revision)) {
        return no("it is stopped".to_owned());
    }
    if base.submissions.is_empty() {
        return no("nobody in the directory has submitted it".to_owned());
    }
    let earlier = Revision {
        submissions: &base.submissions,
        reviews: &base.reviews,
        rejections: &base.rejections,
    };
    let bench = bench(facts, pair, rules, earlier, seen);
    if let Some((who, _, _)) = bench.against {
        return no(format!("{who} did not approve it"));
    }
    let missing = |reviews: &[&ReviewFact]| {
        full.shortfall(&reviews.iter().map(|r| (&r.reviewer, r.groups.as_slice())).collect())
    };
    let Some(short) = missing(&bench.counted) else { return Ok(bench) };
    let all = [bench.counted, bench.outdated].concat();
    let outdated = if missing(&all).is_none() { all } else { Vec::new() };
    no_but(format!("{} of it count", short.of("reviews")), outdated)
}

pub(super) fn not_rejected(reviewed: &[PairReviews<'_>]) -> Result<(), Denial> {
    let Some((pair, (who, id, verdict))) =
        reviewed.iter().find_map(|r| Some((r.place.pair, r.against?)))
    else {
        return Ok(());
    };
    let (did, help) = match verdict {
        Verdict::Reject => (
            "rejected the revision",
            "address the review and submit a new revision; a rejection ends only when its reviewer \
             withdraws it or the role `lift` lifts it",
        ),
        Verdict::RequestChanges | Verdict::Approve => {
            ("asked for changes", "address the review and submit a new revision")
        }
    };
    Err(Denial::new(Rule::ReviewRejected, format!("{who} {did} for {pair} ({id})"), help))
}

/// For every pair at least as many people as needed.
pub(super) fn enough_reviews(
    facts: &Facts<'_>,
    reviewed: &[PairReviews<'_>],
) -> Result<(), Denial> {
    for r in reviewed {
        let people = r.people(|_| true);
        let Some(short) = r.needed.shortfall(&people) else { continue };
        let pair = r.place.pair;
        let base = r.no_base.as_ref().map_or_else(String::new, |why| format!("; {why}"));
        return Err(Denial::new(
            Rule::ReviewMissing,
            format!(
                "{} of {} for {pair} count{}{base}",
                short.of("reviews"),
                facts.run.revision,
                why_not(facts, r, &people.into_keys().collect()),
            ),
            format!(
                "ask for a review by somebody other than an author, in one of: {}",
                r.needed.wanted()
            ),
        ));
    }
    Ok(())
}

pub(super) fn stopped(facts: &Facts<'_>, person: &PersonId) -> bool {
    facts.stops.iter().any(|s| matches!(s, StopSubject::Person(p) if p == person))
}

/// Why the reviews that are there do not count, for the message.
fn why_not(facts: &Facts<'_>, r: &PairReviews<'_>, counted: &BTreeSet<&PersonId>) -> String {
    let mut reasons: Vec<String> = Vec::new();
    let (pair, quorum, saw) = (r.place.pair, &r.place.rules.reviews, r.analysis.as_ref());
    for r in facts.reviews.iter().filter(|r| !counted.contains(&r.reviewer)) {
        let why = if !r.human {
            "is no human"
        } else if !facts.solo && facts.submissions.iter().any(|s| s.author == r.reviewer) {
            "is an author"
        } else if !r.ceiling.pairs.contains_key(pair) {
            "reviewed for another target"
        } else if stopped(facts, &r.reviewer) {
            "is stopped"
        } else if !quorum.admits(&r.groups) {
            "is in no reviewing group"
        } else if !r.window.contains(facts.now) {
            "reviewed for another time"
        } else if !r.analyses.contains_key(pair) {
            "saw no analysis of the target"
        } else if r.analyses.get(pair) != saw {
            "saw another analysis of the target"
        } else {
            "has said something newer"
        };
        reasons.push(format!("{} {why}", r.reviewer));
    }
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) }
}
