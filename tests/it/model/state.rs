//! The model: what two runners should remember, and what they should do with an order. No signatures,
//! no files, no clock but a number of seconds.

use std::collections::BTreeSet;

use domain::Rule;

use super::{Banned, Reaches, Step, Which, world};

/// An order, as far as it matters.
#[derive(Clone, Copy)]
struct Order {
    id: usize,
    grant: Which,
    number: u64,
    made_s: u64,
    /// When the approvals that it carries end it.
    ends_s: u64,
}

/// What one runner knows.
#[derive(Default)]
struct Runner {
    started: BTreeSet<usize>,
    spent: BTreeSet<(Which, u64)>,
    stops: BTreeSet<usize>,
    lifts: BTreeSet<usize>,
}

/// Everything.
pub(super) struct Model {
    now_s: u64,
    ends_s: [u64; 2],
    orders: Vec<Order>,
    stops: Vec<Banned>,
    runners: [Runner; 2],
}

impl Default for Model {
    fn default() -> Self {
        let ends_s = [world::GRANT_S; 2];
        Self { now_s: 0, ends_s, orders: vec![], stops: vec![], runners: Default::default() }
    }
}

impl Model {
    /// What an order comes to: `Some(None)` when it runs, `Some(rule)` when it is denied, `None` for a
    /// step that orders nothing.
    pub(super) fn takes(&mut self, step: &Step) -> Option<Option<Rule>> {
        match *step {
            Step::Spend { grant, number, on } => {
                let ends_s = self.ends_s[grant.index()];
                let (id, made_s) = (self.orders.len(), self.now_s);
                let order = Order { id, grant, number, made_s, ends_s };
                self.orders.push(order);
                return Some(self.order(order, on));
            }
            Step::Again { order, on } => {
                let order = *self.orders.get(order % self.orders.len().max(1))?;
                return Some(self.order(order, on));
            }
            Step::Narrow { grant, ends_in_s } => {
                let ends_s = &mut self.ends_s[grant.index()];
                *ends_s = (*ends_s).min(self.now_s + ends_in_s);
            }
            Step::Wait { seconds } => self.now_s += seconds,
            Step::Stop { what, reaches } => {
                self.stops.push(what);
                let id = self.stops.len() - 1;
                self.each(reaches, |runner| runner.stops.insert(id));
            }
            Step::StopAgain { stop, reaches } => {
                if let Some(id) = stop.checked_rem(self.stops.len()) {
                    self.each(reaches, |runner| runner.stops.insert(id));
                }
            }
            Step::Lift { stop, reaches } => {
                if let Some(id) = stop.checked_rem(self.stops.len()) {
                    self.each(reaches, |runner| runner.lifts.insert(id));
                }
            }
            Step::Crash { .. } => {}
        }
        None
    }

    /// The uses of each grant that a runner has spent, and how many stops it has in force.
    pub(super) fn remembers(&self, on: Which) -> ([Vec<u64>; 2], usize) {
        let runner = &self.runners[on.index()];
        let of = |grant| {
            let mine = runner.spent.iter().filter(|(g, _)| *g == grant);
            mine.map(|(_, number)| *number).collect()
        };
        (Which::BOTH.map(of), runner.stops.difference(&runner.lifts).count())
    }

    fn each(&mut self, reaches: Reaches, change: impl Fn(&mut Runner) -> bool) {
        for on in Which::BOTH {
            if reaches.includes(on) {
                // Whether it was known does not matter.
                let _ = change(&mut self.runners[on.index()]);
            }
        }
    }

    fn order(&mut self, order: Order, on: Which) -> Option<Rule> {
        let Self { now_s, stops, .. } = self;
        let runner = &mut self.runners[on.index()];
        let banned = |id: &usize| match stops[*id] {
            Banned::Everything | Banned::Caller | Banned::Script | Banned::Target => true,
            Banned::Grant(grant) => grant == order.grant,
        };
        let use_id = (order.grant, order.number);
        let rule = if order.grant != on {
            Rule::DocumentInvalid
        } else if runner.stops.difference(&runner.lifts).any(banned) {
            Rule::Stopped
        } else if *now_s > order.made_s + world::ORDER_S {
            Rule::RunRequestExpired
        } else if runner.started.contains(&order.id) {
            Rule::RunIdSpent
        } else if *now_s > order.ends_s {
            Rule::GrantExpired
        } else if order.number == 0 || order.number > world::USES || runner.spent.contains(&use_id)
        {
            Rule::UseSpent
        } else {
            runner.started.insert(order.id);
            runner.spent.insert(use_id);
            return None;
        };
        Some(rule)
    }
}
