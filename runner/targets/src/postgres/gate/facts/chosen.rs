//! What the conditions of a SELECT come to: whose rows they choose.
//!
//! A condition on one FROM item alone chooses its rows; one on several joins them, so that what is
//! chosen of the one chooses of the other. ON of an outer join does so on one side only; WHERE, which
//! is asked last, on all. What is in a sub-select is also chosen by what chooses the sub-select, unless
//! its rows are made of several, and what is in a query of WITH, where every reference to it is chosen.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::expression::conjuncts;
use super::from::{From, Item};
use super::select::{Reader, Scope};
use super::{Chosen, Rows, Use};

/// A place where a relation is named.
pub(super) struct Seen {
    pub(super) relation: String,
    /// The query that it stands in.
    body: usize,
    columns: BTreeSet<String>,
    is_chosen: bool,
}

impl Seen {
    pub(super) fn new(relation: String, body: usize) -> Self {
        Self { relation, body, columns: BTreeSet::new(), is_chosen: false }
    }
}

/// A query of its own.
#[derive(Default)]
pub(super) struct Body {
    /// Each place in a FROM where it stands: the query around, and whether its rows are chosen there.
    places: Vec<(usize, bool)>,
    /// Whether its rows are made of several.
    pub(super) folds: bool,
}

/// What a FROM item stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holds {
    /// A relation, by its place in the list of uses.
    Relation(usize),
    /// A query.
    Body(usize),
    /// A function.
    Nothing,
}

/// A condition: the columns that it names, and whose rows it can choose.
pub(super) struct Condition {
    pub(super) touched: Vec<(usize, String)>,
    /// `None`: it is asked last, and chooses of all.
    pub(super) chooses: Option<BTreeSet<usize>>,
}

type Ids = BTreeSet<usize>;

impl Reader {
    /// The conditions of WHERE or ON.
    pub(super) fn conditions(
        &mut self,
        clause: Option<&Value>,
        chooses: Option<&Ids>,
        from: &mut From,
        scope: &Scope<'_>,
    ) {
        for conjunct in clause.map(conjuncts).unwrap_or_default() {
            let mark = self.touched.len();
            self.expression(conjunct, scope);
            let touched = self.touched.iter().skip(mark);
            let touched = touched.map(|t| (t.item, t.column.clone())).collect();
            from.conditions.push(Condition { touched, chooses: chooses.cloned() });
        }
    }

    /// Notes whose rows of these items are chosen, and which of them no condition joins.
    pub(super) fn choose(&mut self, body: usize, items: &[Item], from: &From) {
        let mine: Ids = items.iter().map(|item| item.id).collect();
        let mut direct: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        let (mut last, mut early) = (Ids::new(), Ids::new());
        let (mut any, mut one_way) = (Vec::new(), Vec::new());
        for condition in &from.conditions {
            let named = condition.touched.iter().filter(|(id, _)| mine.contains(id));
            let ids: Ids = named.clone().map(|(id, _)| *id).collect();
            let can = |id: &usize| condition.chooses.as_ref().is_none_or(|c| c.contains(id));
            for (from, to) in ids.iter().flat_map(|a| ids.iter().map(move |b| (*a, *b))) {
                any.push((from, to));
                one_way.extend(can(&to).then_some((from, to)));
            }
            let [only] = ids.iter().copied().collect::<Vec<_>>()[..] else { continue };
            if can(&only) {
                let columns = named.map(|(_, column)| column.clone());
                direct.entry(only).or_default().extend(columns);
                let set = if condition.chooses.is_none() { &mut last } else { &mut early };
                set.insert(only);
            }
        }
        let chosen: Ids = spread(last, &any).union(&spread(early, &one_way)).copied().collect();
        for item in items {
            let is_chosen = chosen.contains(&item.id);
            match item.holds {
                Holds::Relation(at) => {
                    self.seen[at].is_chosen |= is_chosen;
                    self.seen[at].columns.extend(direct.remove(&item.id).unwrap_or_default());
                }
                Holds::Body(inner) => self.bodies[inner].places.push((body, is_chosen)),
                Holds::Nothing => {}
            }
        }
        self.joined(items, &any);
    }

    /// Notes the relations that no condition joins with the others. One row multiplies nothing.
    fn joined(&mut self, items: &[Item], links: &[(usize, usize)]) {
        let holds = |item: &&Item| !matches!(item.holds, Holds::Nothing);
        let many = items.iter().filter(holds).filter(|i| i.rows != Rows::AtMost(1));
        let many: Vec<&Item> = many.collect();
        let [first, ..] = many[..] else { return };
        let together = spread([first.id].into(), links);
        if many.iter().all(|item| together.contains(&item.id)) {
            return;
        }
        self.apart.extend(many.iter().flat_map(|item| item.within.iter().cloned()));
    }

    /// Every place where a relation is named.
    pub(super) fn uses(&self) -> Vec<Use> {
        let one = |seen: &Seen| {
            let Seen { relation, body, columns, is_chosen } = seen;
            let chosen = if !columns.is_empty() {
                Chosen::By(columns.clone())
            } else if *is_chosen || self.is_chosen(*body) {
                Chosen::Elsewhere
            } else {
                Chosen::Every
            };
            Use { relation: relation.clone(), chosen }
        };
        self.seen.iter().map(one).collect()
    }

    fn is_chosen(&self, body: usize) -> bool {
        let Body { places, folds } = &self.bodies[body];
        !folds
            && !places.is_empty()
            && places.iter().all(|(around, here)| *here || self.is_chosen(*around))
    }
}

/// What can be reached over these links.
fn spread(mut from: Ids, links: &[(usize, usize)]) -> Ids {
    loop {
        let found = links.iter().filter(|(a, b)| from.contains(a) && !from.contains(b));
        let found: Vec<usize> = found.map(|(_, b)| *b).collect();
        if found.is_empty() {
            return from;
        }
        from.extend(found);
    }
}
