//! Comparing lists and numbers.

use std::fmt::Display;

use domain::decide::Quorum;

use super::Changes;

/// What is in a list now and was not, and what is no longer.
pub(super) struct Moved<'a, T> {
    pub(super) added: Vec<&'a T>,
    pub(super) removed: Vec<&'a T>,
}

impl<'a, T: PartialEq> Moved<'a, T> {
    pub(super) fn of(before: &'a [T], after: &'a [T]) -> Self {
        Self {
            added: after.iter().filter(|x| !before.contains(x)).collect(),
            removed: before.iter().filter(|x| !after.contains(x)).collect(),
        }
    }
}

/// Which way more of something goes.
#[derive(Clone, Copy)]
pub(super) enum More {
    /// More of it makes more possible.
    Widens,
    /// More of it makes less possible, and less of it is grave.
    Narrows,
}

impl Changes {
    /// A list whose members each make more possible, as groups whose members may do something.
    pub(super) fn list<T: PartialEq + Display>(&mut self, what: &str, before: &[T], after: &[T]) {
        if before == after {
            return;
        }
        let Moved { added, removed } = Moved::of(before, after);
        added.iter().for_each(|x| self.widens(format!("{what}: {x} comes in")));
        removed.iter().for_each(|x| self.narrows(format!("{what}: {x} goes out")));
        self.order(what, added.is_empty() && removed.is_empty());
    }

    /// The same members in another order, or one of them another number of times.
    pub(super) fn order(&mut self, what: &str, only: bool) {
        if only {
            self.widens(format!("{what}: the same, in another order"));
        }
    }

    pub(super) fn number(&mut self, what: &str, before: u64, after: u64, more: More) {
        if before == after {
            return;
        }
        let words = format!("{what}: {after} instead of {before}");
        match (more, after > before) {
            (More::Widens, true) => self.widens(words),
            (More::Narrows, false) => self.grave(words),
            (More::Widens, false) | (More::Narrows, true) => self.narrows(words),
        }
    }

    /// Who has to say yes to something.
    pub(super) fn quorum(&mut self, what: &str, before: &Quorum, after: &Quorum) {
        let (old, new) = (u64::from(before.required), u64::from(after.required));
        self.number(&format!("{what}: people needed"), old, new, More::Narrows);
        let count = format!("{what}: who counts");
        self.list(&count, &before.groups, &after.groups);
        if before.from_each == after.from_each {
            return;
        }
        let Moved { added, removed } = Moved::of(&before.from_each, &after.from_each);
        for group in &removed {
            self.grave(format!("{what}: nobody of {group} has to be among them any more"));
        }
        for group in &added {
            self.narrows(format!("{what}: one of {group} has to be among them"));
        }
        let same = added.is_empty() && removed.is_empty();
        self.order(&format!("{what}: one of each"), same);
    }
}

/// Words for a list, as `a, b`.
pub(super) fn joined<T: Display>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
