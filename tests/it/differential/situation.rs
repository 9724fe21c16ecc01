//! The model: what somebody wants to run, and what everybody has said about it.

use domain::Entropy;
use domain::decide::Verdict;

/// What a company asks for before a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    /// One review, one approval.
    Plain,
    /// Two reviews, one from each of two groups.
    EachReviews,
    /// Two approvals, one of them from a group.
    TwoApprovals,
    /// Production.
    Prod,
    /// Reviewers may open scripts to callers.
    SelfServe,
    /// An emergency needs no approval.
    Unapproved,
    /// There are no emergencies.
    NoEmergency,
    /// One person holds every role.
    Solo,
    /// One person holds every role, on production.
    SoloProd,
}

impl Company {
    pub(super) const ALL: [Self; 9] = [
        Self::Plain,
        Self::EachReviews,
        Self::TwoApprovals,
        Self::Prod,
        Self::SelfServe,
        Self::Unapproved,
        Self::NoEmergency,
        Self::Solo,
        Self::SoloProd,
    ];
}

/// When a document, or the window of a request, is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    Now,
    Later,
    Over,
}

/// For which target a review or approval is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Here,
    Elsewhere,
}

#[derive(Debug, Clone)]
pub(super) struct Review {
    pub(super) by: &'static str,
    pub(super) verdict: Verdict,
    pub(super) place: Place,
    pub(super) time: Time,
    /// Seconds by which it is newer than the others.
    pub(super) newer_s: i64,
    pub(super) opens: bool,
}

impl Review {
    const fn by(by: &'static str) -> Self {
        let (verdict, place, time) = (Verdict::Approve, Place::Here, Time::Now);
        Self { by, verdict, place, time, newer_s: 0, opens: false }
    }
}

/// Which reviews an approver has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sees {
    All,
    First,
    Another,
}

#[derive(Debug, Clone)]
pub(super) struct Approval {
    pub(super) by: &'static str,
    pub(super) place: Place,
    pub(super) time: Time,
    pub(super) sees: Sees,
    pub(super) narrow: bool,
}

impl Approval {
    const fn by(by: &'static str) -> Self {
        Self { by, place: Place::Here, time: Time::Now, sees: Sees::All, narrow: false }
    }
}

/// What a stop is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Revision,
    AnotherRevision,
    Request,
    Target,
    Person(&'static str),
    Key(&'static str),
    Everything,
}

/// What is said against the run, and whether it was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    Stop(Subject),
    LiftedStop(Subject),
    Rejection(&'static str),
    LiftedRejection(&'static str),
    Withdrawn(&'static str),
    /// A withdrawal of bob's rejection by somebody else.
    WithdrawnByAnother,
}

/// The newest status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fresh {
    Missing,
    Good,
    Over,
    /// It does not know what is in force.
    Frozen,
}

/// A document among the others that an order must not carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stray {
    ReviewByRetiredKey,
    ReviewOfAnotherRevision,
    ReviewForAnotherDomain,
    SubmissionOver,
    ApprovalOfAnotherRequest,
    ApprovalOfNewerPolicy,
    ApprovalByAnother,
}

#[derive(Debug, Clone)]
pub(super) struct Situation {
    pub(super) authors: Vec<&'static str>,
    pub(super) caller: &'static str,
    pub(super) reviews: Vec<Review>,
    pub(super) approvals: Vec<Approval>,
    pub(super) self_serve: bool,
    pub(super) emergency: bool,
    pub(super) window: Time,
    pub(super) duration_s: u64,
    pub(super) uses: u64,
    pub(super) use_number: u64,
    /// Whether the access request names the input that is there; `None`: any that fits.
    pub(super) input: Option<bool>,
    pub(super) against: Vec<Against>,
    pub(super) fresh: Fresh,
    pub(super) stray: Option<Stray>,
}

impl Situation {
    /// What suffices in this company.
    pub(super) fn ordinary(company: Company) -> Self {
        let solo = matches!(company, Company::Solo | Company::SoloProd);
        let (reviewers, approvers): (&[&str], &[&str]) = match company {
            Company::EachReviews => (&["bob", "carol"], &["dave"]),
            Company::TwoApprovals => (&["bob"], &["carol", "dave"]),
            _ if solo => (&["alice"], &["alice"]),
            _ => (&["bob"], &["carol"]),
        };
        let self_serve = company == Company::SelfServe;
        let opened = |by: &&'static str| Review { opens: self_serve, ..Review::by(by) };
        Self {
            authors: vec!["alice"],
            caller: "alice",
            reviews: reviewers.iter().map(opened).collect(),
            approvals: approvers.iter().map(|by| Approval::by(by)).collect(),
            self_serve,
            emergency: false,
            window: Time::Now,
            duration_s: 600,
            uses: 2,
            use_number: if self_serve { 0 } else { 1 },
            input: Some(true),
            against: vec![],
            fresh: Fresh::Good,
            stray: None,
        }
    }

    /// The use that can be signed for: none without an access request.
    pub(super) fn use_number(&self) -> u64 {
        if self.self_serve { 0 } else { self.use_number.max(1) }
    }

    pub(super) fn callers_key_is_stopped(&self) -> bool {
        self.key_is_stopped(self.caller)
    }

    fn key_is_stopped(&self, of: &'static str) -> bool {
        self.against.contains(&Against::Stop(Subject::Key(of)))
    }

    /// What a stopped key has signed is not sent, whatever else is wrong with it.
    pub(super) fn stray_is_sent(&self) -> bool {
        self.stray.filter(|_| !self.self_serve).is_some_and(|stray| match stray {
            Stray::ReviewByRetiredKey => true,
            Stray::SubmissionOver => !self.key_is_stopped("alice"),
            Stray::ApprovalByAnother => !self.key_is_stopped("mallory"),
            Stray::ReviewOfAnotherRevision
            | Stray::ReviewForAnotherDomain
            | Stray::ApprovalOfAnotherRequest
            | Stray::ApprovalOfNewerPolicy => !self.key_is_stopped("bob"),
        })
    }
}

type Change = Box<dyn Fn(&mut Situation)>;

const EVERYBODY: [&str; 6] = ["alice", "bob", "carol", "dave", "bot", "mallory"];

/// Everything that can be different, each by itself.
fn changes() -> Vec<Change> {
    fn to(change: impl Fn(&mut Situation) + 'static) -> Change {
        Box::new(change)
    }
    let mut all: Vec<Change> = Vec::new();
    for authors in [vec![], vec!["bob"], vec!["bot"], vec!["alice", "bob"], vec!["carol", "alice"]]
    {
        all.push(to(move |s| s.authors.clone_from(&authors)));
    }
    for by in EVERYBODY {
        all.push(to(move |s| s.caller = by));
        all.push(to(move |s| s.reviews.push(Review::by(by))));
        all.push(to(move |s| s.reviews = vec![Review { opens: s.self_serve, ..Review::by(by) }]));
        all.push(to(move |s| s.approvals.push(Approval::by(by))));
        all.push(to(move |s| s.approvals = vec![Approval::by(by)]));
        all.push(to(move |s| s.against.push(Against::Stop(Subject::Person(by)))));
        all.push(to(move |s| s.against.push(Against::Stop(Subject::Key(by)))));
        all.push(to(move |s| s.against.push(Against::Rejection(by))));
        for verdict in [Verdict::Reject, Verdict::RequestChanges] {
            let newer_s = 60;
            all.push(to(move |s| {
                s.reviews.push(Review { verdict, newer_s, ..Review::by(by) });
            }));
        }
    }
    for subject in [
        Subject::Revision,
        Subject::AnotherRevision,
        Subject::Request,
        Subject::Target,
        Subject::Everything,
    ] {
        all.push(to(move |s| s.against.push(Against::Stop(subject))));
        all.push(to(move |s| s.against.push(Against::LiftedStop(subject))));
    }
    for against in [
        Against::LiftedStop(Subject::Person("alice")),
        Against::LiftedRejection("bob"),
        Against::Withdrawn("bob"),
        Against::WithdrawnByAnother,
    ] {
        all.push(to(move |s| s.against.push(against)));
    }
    // Whose word is an agent's when the agent is stopped, or who answers for it.
    for by in ["bot", "alice"] {
        let stop = Against::Stop(Subject::Person(by));
        all.push(to(move |s| {
            s.caller = "bot";
            s.against.push(stop);
        }));
        for authors in [vec!["bot"], vec!["carol", "bot"]] {
            all.push(to(move |s| {
                s.authors.clone_from(&authors);
                s.caller = "dave";
                s.against.push(stop);
            }));
        }
    }
    for time in [Time::Later, Time::Over] {
        all.push(to(move |s| s.window = time));
        all.push(to(move |s| s.reviews.iter_mut().take(1).for_each(|r| r.time = time)));
        all.push(to(move |s| s.approvals.iter_mut().take(1).for_each(|a| a.time = time)));
        let extra = Approval { time, ..Approval::by("dave") };
        all.push(to(move |s| s.approvals.push(extra.clone())));
    }
    for sees in [Sees::First, Sees::Another] {
        all.push(to(move |s| s.approvals.iter_mut().take(1).for_each(|a| a.sees = sees)));
    }
    all.push(to(|s| s.approvals.iter_mut().for_each(|a| a.narrow = true)));
    all.push(to(|s| s.approvals.iter_mut().for_each(|a| a.place = Place::Elsewhere)));
    all.push(to(|s| s.reviews.iter_mut().for_each(|r| r.place = Place::Elsewhere)));
    all.push(to(|s| s.reviews.clear()));
    all.push(to(|s| s.approvals.clear()));
    all.push(to(|s| _ = s.reviews.pop()));
    all.push(to(|s| _ = s.approvals.pop()));
    for (duration_s, uses) in [(600, 2), (7200, 2), (600, 5)] {
        all.push(to(move |s| {
            (s.self_serve, s.emergency) = (false, true);
            (s.duration_s, s.uses, s.use_number) = (duration_s, uses, 1);
        }));
        all.push(to(move |s| (s.duration_s, s.uses) = (duration_s, uses)));
    }
    all.push(to(|s| (s.self_serve, s.emergency, s.use_number) = (true, false, 0)));
    all.push(to(|s| (s.self_serve, s.use_number) = (false, 1)));
    all.push(to(|s| s.reviews.iter_mut().for_each(|r| r.opens = !r.opens)));
    for number in [1, 2, 3, 6] {
        all.push(to(move |s| s.use_number = number));
    }
    for input in [Some(false), None] {
        all.push(to(move |s| s.input = input));
    }
    for fresh in [Fresh::Missing, Fresh::Over, Fresh::Frozen] {
        all.push(to(move |s| s.fresh = fresh));
    }
    for stray in [
        Stray::ReviewByRetiredKey,
        Stray::ReviewOfAnotherRevision,
        Stray::ReviewForAnotherDomain,
        Stray::SubmissionOver,
        Stray::ApprovalOfAnotherRequest,
        Stray::ApprovalOfNewerPolicy,
        Stray::ApprovalByAnother,
    ] {
        // An approval is nowhere without an access request.
        all.push(to(move |s| {
            (s.self_serve, s.use_number, s.stray) = (false, 1, Some(stray));
        }));
    }
    all
}

fn below(dice: &dyn Entropy, n: usize) -> usize {
    let mut drawn = [0; 8];
    dice.fill(&mut drawn);
    usize::try_from(u64::from_le_bytes(drawn) % n as u64).unwrap()
}

/// What suffices, every single change of it, and `combined` with two or three.
pub(super) fn all(company: Company, dice: &dyn Entropy, combined: usize) -> Vec<Situation> {
    let (ordinary, changes) = (Situation::ordinary(company), changes());
    let with = |which: &[usize]| {
        let mut situation = ordinary.clone();
        which.iter().for_each(|n| changes[*n](&mut situation));
        situation
    };
    let mut all = vec![ordinary.clone()];
    all.extend((0..changes.len()).map(|n| with(&[n])));
    for _ in 0..combined {
        let many = 2 + below(dice, 2);
        let which: Vec<usize> = (0..many).map(|_| below(dice, changes.len())).collect();
        all.push(with(&which));
    }
    all
}
