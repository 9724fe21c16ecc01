//! The truth: two runners with their directories, and one company whose people sign what happens.

use domain::decide::StopSubject;
use domain::{Clock as _, Outcome, Rule, RunId};
use executor::{RunOrder, Runner as _};
use tests::company::{RUNNER, TARGET, p};
use tests::rig::{Rig, Story};
use trust::Envelope;

use super::{Banned, Reaches, Step, Which};
use crate::adversary::histories::{SECOND, two_runners};

/// Uses of a grant.
pub(super) const USES: u64 = 3;
/// Seconds until a grant ends by itself: its duration runs from the begin of the window that was asked
/// for, a minute before now.
pub(super) const GRANT_S: u64 = 3600 - 60;
/// Seconds for which an order is good.
pub(super) const ORDER_S: u64 = 60;

const INPUT: &str = r#"{"text":"hello"}"#;

/// One access request with what was said to it.
struct Grant {
    story: Story,
    runner: &'static str,
    approvals: Vec<Envelope>,
}

/// Everything.
pub(super) struct World {
    rigs: [Option<Rig>; 2],
    grants: [Grant; 2],
    orders: Vec<(RunId, RunOrder)>,
    stops: Vec<Envelope>,
}

impl World {
    pub(super) async fn new() -> Self {
        let first = Rig::founded_with("two", two_runners).await;
        let second = Rig::named(SECOND, "two", two_runners).await;
        for rig in [&first, &second] {
            rig.adopt().await;
            rig.story("echo", INPUT);
        }
        let grants = [RUNNER, SECOND].map(|runner| {
            let mut story = first.story("echo", INPUT);
            story.request.uses = USES;
            story.request.runner = p(runner);
            let approvals = first.order(&story, |_, _| {}).1.documents.approvals;
            Grant { story, runner, approvals }
        });
        Self { rigs: [Some(first), Some(second)], grants, orders: vec![], stops: vec![] }
    }

    fn rig(&self, which: Which) -> &Rig {
        self.rigs[which.index()].as_ref().unwrap()
    }

    /// Everybody signs with the keys of one company, so that no id is drawn twice.
    fn company(&self) -> &tests::company::Company {
        &self.rig(Which::First).company
    }

    /// What an order comes to; `None` for a step that orders nothing.
    pub(super) async fn takes(&mut self, step: &Step) -> Option<Option<Rule>> {
        match *step {
            Step::Spend { grant, number, on } => {
                let Grant { story, runner, approvals } = &self.grants[grant.index()];
                let rig = self.rig(Which::First);
                let change = |run: &mut trust::RunRequest| run.runner = p(runner);
                let (run, mut order) = rig.order_use(story, number, |_, run| change(run));
                order.documents.approvals.clone_from(approvals);
                self.orders.push((run, order));
                return Some(self.order(self.orders.len() - 1, on).await);
            }
            Step::Again { order, on } => {
                let order = order.checked_rem(self.orders.len())?;
                return Some(self.order(order, on).await);
            }
            Step::Narrow { grant, ends_in_s } => self.narrow(grant, ends_in_s),
            Step::Wait { seconds } => {
                Which::BOTH.iter().for_each(|which| self.rig(*which).clock.advance_s(seconds));
            }
            Step::Stop { what, reaches } => {
                let stop = self.company().stop(self.subject(what));
                self.stops.push(self.company().sign("carol", &stop));
                self.reach(&self.stops[self.stops.len() - 1], reaches).await;
            }
            Step::StopAgain { stop, reaches } => {
                if let Some(id) = stop.checked_rem(self.stops.len()) {
                    self.reach(&self.stops[id], reaches).await;
                }
            }
            Step::Lift { stop, reaches } => {
                if let Some(id) = stop.checked_rem(self.stops.len()) {
                    let lift = self.company().lift(self.stops[id].payload_digest());
                    self.reach(&self.company().sign("carol", &lift), reaches).await;
                }
            }
            Step::Crash { on } => {
                let rig = self.rigs[on.index()].take().unwrap().restart().await;
                // As the control plane does at its start: nobody's word is taken before.
                rig.adopt().await;
                self.rigs[on.index()] = Some(rig);
            }
        }
        None
    }

    /// The uses of each grant that a runner has spent, and how many stops it has in force.
    pub(super) fn remembers(&self, on: Which) -> ([Vec<u64>; 2], usize) {
        let state = self.rig(on).runner.state();
        let spent = self.grants.each_ref().map(|grant| {
            let request = self.company().sign("alice", &grant.story.request);
            let mut spent = state.uses_spent(&request.payload_digest());
            spent.sort_unstable();
            spent
        });
        (spent, state.stops().len())
    }

    async fn order(&self, order: usize, on: Which) -> Option<Rule> {
        let (run, order) = &self.orders[order];
        let (_, ended) = self.rig(on).run(run, order).await;
        match ended.denial {
            Some(denial) => Some(denial.rule),
            None => {
                assert_eq!(ended.outcome, Outcome::Succeeded, "{ended:?}");
                None
            }
        }
    }

    /// Carol approves, too, but not for as long.
    fn narrow(&mut self, grant: Which, ends_in_s: u64) {
        let ends = self.rig(Which::First).clock.now().plus_s(i64::try_from(ends_in_s).unwrap());
        let Grant { approvals, .. } = &self.grants[grant.index()];
        let mut approval: trust::Approval = trust::read_unverified(&approvals[0]).unwrap();
        let fresh = self.company().header(approval.header.id.clone(), 1);
        approval.approver = p("carol");
        approval.header.salt = fresh.salt;
        approval.header.not_after = ends;
        let approval = self.company().sign("carol", &approval);
        self.grants[grant.index()].approvals.push(approval);
    }

    fn subject(&self, what: Banned) -> StopSubject {
        let story = &self.grants[0].story;
        match what {
            Banned::Everything => StopSubject::Everything,
            Banned::Caller => StopSubject::Person(p("alice")),
            Banned::Script => StopSubject::Revision(story.uploaded.revision),
            Banned::Target => StopSubject::Target(p(TARGET)),
            Banned::Grant(grant) => {
                StopSubject::Request(self.grants[grant.index()].story.request.header.id.clone())
            }
        }
    }

    async fn reach(&self, document: &Envelope, reaches: Reaches) {
        for which in Which::BOTH {
            if reaches.includes(which) {
                self.rig(which).accept(document).await.unwrap();
            }
        }
    }

    /// Audits both runners: their logs verify, and what they recorded replays.
    pub(super) async fn close(self) {
        for rig in self.rigs.into_iter().flatten() {
            rig.close().await;
        }
    }
}
