//! The facts that a chain of documents by these people would give.

use std::collections::BTreeMap;

use domain::decide::{
    ApprovalFact, BaseFact, InputRule, RequestFact, ReviewFact, RunFact, SelfServeClause,
    StatusFact, SubmissionFact, TargetRules, Verdict, Window,
};
use domain::manifest::{Engine, Query};
use domain::{
    ApprovalId, Capabilities, Clock, Decision, Denial, Digest, Entropy, Facts, GroupName, Limits,
    Manifest, Pair, ParseError, PersonId, QueryLimits, RequestId, ReviewId, Rule, RunId,
    RunnerName, StatusId, Step, SubmissionId, Timestamp, decide, explain,
};

use super::Ground;
use crate::documents::PolicyTarget;

/// The moment at which everything happens, Unix seconds; any would do.
const NOW: i64 = 1_800_000_000;
/// Seconds around it in which everything is valid; not longer than a run request or a status lives.
const AROUND_S: i64 = 100;

/// Somebody who says something.
#[derive(Debug, Clone)]
pub(super) struct Speaker {
    /// As whom they are counted.
    pub(super) counted: PersonId,
    pub(super) human: bool,
    pub(super) groups: Vec<GroupName>,
}

/// On which way the run is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Request,
    BreakGlass,
    SelfServe,
}

/// Who says what.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    pub(super) authors: Vec<Speaker>,
    pub(super) reviewers: Vec<Speaker>,
    pub(super) reviewed_before: Vec<Speaker>,
    pub(super) caller: Speaker,
    pub(super) approvers: Vec<Speaker>,
    pub(super) way: Way,
    /// Whether one voice is enough everywhere: then the question is who counts, not how many.
    pub(super) alone: bool,
}

impl Cast {
    pub(super) fn decide(
        &self,
        ground: &Ground<'_>,
        target: &PolicyTarget,
    ) -> Result<Decision, Denial> {
        self.played(ground, target, decide)?
    }

    pub(super) fn explain(
        &self,
        ground: &Ground<'_>,
        target: &PolicyTarget,
    ) -> Result<Vec<Step>, Denial> {
        let mut steps = self.played(ground, target, explain)?;
        // Ids of documents that do not exist would only be looked for.
        steps.iter_mut().for_each(|step| step.documents.clear());
        Ok(steps)
    }

    fn played<T>(
        &self,
        ground: &Ground<'_>,
        target: &PolicyTarget,
        ask: impl FnOnce(&Facts<'_>) -> T,
    ) -> Result<T, Denial> {
        let stage = Stage::of(target).map_err(|e| defect(&e))?;
        let mut facts = self.facts(ground, target, &stage);
        // An approver's client lists the reviews that count; each is asked about by itself.
        let relied_on = self.counted_reviews(ground, target, &stage);
        facts.approvals.iter_mut().for_each(|a| a.reviews.clone_from(&relied_on));
        Ok(ask(&facts))
    }

    /// The reviews that count, each on its own; an earlier revision's when the revision has none.
    fn counted_reviews(
        &self,
        ground: &Ground<'_>,
        target: &PolicyTarget,
        stage: &Stage,
    ) -> Vec<Digest> {
        let counts = |reviewer: &&Speaker| {
            let one = Self { reviewers: vec![(*reviewer).clone()], alone: true, ..self.clone() };
            let facts = one.facts(ground, target, stage);
            explain(&facts).iter().any(|s| s.rule == Rule::ReviewMissing && s.satisfied)
        };
        self.reviewers.iter().filter(counts).map(|r| stage.review(r, false).digest).collect()
    }

    fn facts<'s>(&self, ground: &Ground<'_>, target: &PolicyTarget, stage: &'s Stage) -> Facts<'s> {
        let mut rules = target.rules();
        if self.alone {
            alone(&mut rules);
        }
        let submissions: Vec<SubmissionFact> =
            self.authors.iter().map(|a| stage.submission(a)).collect();
        let before: Vec<ReviewFact> =
            self.reviewed_before.iter().map(|r| stage.review(r, true)).collect();
        let base = (!before.is_empty()).then(|| BaseFact {
            revision: Digest::of(b"an earlier revision"),
            submissions: submissions.clone(),
            reviews: before,
            rejections: Vec::new(),
            difference: None,
        });
        let request = (self.way != Way::SelfServe).then(|| stage.request(self, &rules));
        Facts {
            now: stage.now,
            run: stage.run(self, target),
            manifest: &stage.manifest,
            submissions,
            reviews: self.reviewers.iter().map(|r| self.review(stage, r, target)).collect(),
            rejections: Vec::new(),
            base,
            request,
            approvals: self.approvers.iter().map(|a| stage.approval(a, ground)).collect(),
            stops: Vec::new(),
            status: Some(StatusFact {
                id: StatusId::new(stage, stage),
                window: stage.window,
                differs: Vec::new(),
            }),
            targets: vec![rules],
            policy_version: ground.policy.version,
            self_serve_floor: ground.keyring.floors.self_serve,
            solo: ground.solo(),
            caller_groups: self.caller.groups.clone(),
            run_id_spent: false,
            uses_spent: Vec::new(),
            self_serve_runs: Vec::new(),
            after_reviews_overdue: Vec::new(),
        }
    }

    fn review(&self, stage: &Stage, reviewer: &Speaker, target: &PolicyTarget) -> ReviewFact {
        let mut review = stage.review(reviewer, false);
        if self.way == Way::SelfServe {
            review.self_serve.push(SelfServeClause {
                groups: self.caller.groups.clone(),
                targets: vec![target.id.clone()],
                runs_per_day: u64::from(u32::MAX),
            });
        }
        review
    }
}

/// One voice is enough; nobody has to be of a certain group.
pub(super) fn alone(rules: &mut TargetRules) {
    let emergency = rules.break_glass.iter_mut();
    let quorums = emergency.flat_map(|b| [&mut b.approvals, &mut b.after_review]);
    for quorum in quorums.chain([&mut rules.reviews, &mut rules.approvals]) {
        quorum.required = 1;
        quorum.from_each.clear();
    }
}

/// The script, the moment and the binding of a run that is only imagined.
struct Stage {
    now: Timestamp,
    window: Window,
    manifest: Manifest,
    pair: Pair,
    asks: Capabilities,
    runner: RunnerName,
}

// Nothing that is made here is signed or kept, so that its ids need not differ.
impl Clock for Stage {
    fn now_ms(&self) -> u64 {
        self.now.unix_s().unsigned_abs() * 1000
    }

    fn elapsed_ms(&self) -> u64 {
        0
    }
}

impl Entropy for Stage {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0);
    }
}

impl Stage {
    fn of(target: &PolicyTarget) -> Result<Self, ParseError> {
        let now = Timestamp::from_unix_s(NOW);
        let window = Window { not_before: now.plus_s(-AROUND_S), not_after: now.plus_s(AROUND_S) };
        let pair = Pair { logical: "target".parse()?, target: target.id.clone() };
        let manifest = manifest(target.engine, &pair)?;
        let asks = manifest.asks(std::slice::from_ref(&pair));
        let runner = match target.runners.first() {
            Some(runner) => runner.clone(),
            None => "none".parse()?,
        };
        Ok(Self { now, window, manifest, pair, asks, runner })
    }

    fn revision(&self) -> Digest {
        Digest::of(b"a revision")
    }

    fn request_digest(&self) -> Digest {
        Digest::of(b"an access request")
    }

    fn submission(&self, author: &Speaker) -> SubmissionFact {
        SubmissionFact { id: SubmissionId::new(self, self), author: author.counted.clone() }
    }

    fn review(&self, by: &Speaker, earlier: bool) -> ReviewFact {
        ReviewFact {
            id: ReviewId::new(self, self),
            digest: Digest::of(format!("{}/{earlier}", by.counted).as_bytes()),
            reviewer: by.counted.clone(),
            human: by.human,
            groups: by.groups.clone(),
            verdict: Verdict::Approve,
            ceiling: self.asks.clone(),
            analyses: [(self.pair.clone(), Digest::of(b"an analysis"))].into(),
            self_serve: Vec::new(),
            window: self.window,
        }
    }

    fn approval(&self, by: &Speaker, ground: &Ground<'_>) -> ApprovalFact {
        ApprovalFact {
            id: ApprovalId::new(self, self),
            approver: by.counted.clone(),
            human: by.human,
            groups: by.groups.clone(),
            request: self.request_digest(),
            reviews: Vec::new(),
            policy_version: ground.policy.version,
            scope: self.asks.clone(),
            window: self.window,
        }
    }

    fn request(&self, cast: &Cast, rules: &TargetRules) -> RequestFact {
        let broken = cast.way == Way::BreakGlass;
        let most = rules.break_glass.as_ref().map_or(u64::MAX, |b| b.duration_s_max);
        RequestFact {
            id: RequestId::new(self, self),
            digest: self.request_digest(),
            caller: cast.caller.counted.clone(),
            revision: self.revision(),
            scope: self.asks.clone(),
            input: InputRule::Schema,
            window: self.window,
            // Longer than everything, unless an emergency may not be.
            duration_s: if broken { most.min(3600) } else { 3600 },
            uses: 1,
            break_glass: broken,
        }
    }

    fn run(&self, cast: &Cast, target: &PolicyTarget) -> RunFact {
        let asked = cast.way != Way::SelfServe;
        RunFact {
            id: RunId::new(self, self),
            caller: cast.caller.counted.clone(),
            revision: self.revision(),
            request: asked.then(|| self.request_digest()),
            runner: self.runner.clone(),
            pairs: vec![Pair { target: target.id.clone(), ..self.pair.clone() }],
            input: Digest::of(b"{}"),
            use_number: u64::from(asked),
            window: self.window,
        }
    }
}

fn manifest(engine: Engine, pair: &Pair) -> Result<Manifest, ParseError> {
    let query = Query {
        name: "query".parse()?,
        target: pair.logical.clone(),
        file: "queries/query.sql".parse()?,
        params: Vec::new(),
        limits: QueryLimits::DEFAULT,
    };
    Ok(Manifest {
        name: "script".parse()?,
        version: "1.0.0".parse()?,
        summary: String::new(),
        input: None,
        targets: BTreeMap::from([(pair.logical.clone(), engine)]),
        unmask: BTreeMap::new(),
        queries: vec![query],
        limits: Limits::DEFAULT,
    })
}

fn defect(error: &ParseError) -> Denial {
    let help = "report this: it is a defect";
    Denial::new(Rule::Targets, format!("the run cannot be imagined: {error}"), help)
}
