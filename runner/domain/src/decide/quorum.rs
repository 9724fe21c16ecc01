//! Counting: do these people suffice? People are counted, each once, and one person stands for one
//! group at a time.

use std::collections::BTreeMap;

use super::policy::Quorum;
use crate::names::{GroupName, PersonId};

/// People with their groups, each person once.
pub(super) type People<'f> = BTreeMap<&'f PersonId, &'f [GroupName]>;

/// What a quorum lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// Distinct people who count.
    pub counted: usize,
    /// Distinct people needed.
    pub required: usize,
    /// A group of `from_each` for which nobody is left.
    pub group: Option<GroupName>,
}

impl Quorum {
    /// What is missing when these people have said yes; `None`: nothing. Somebody whom the quorum
    /// does not admit is not counted.
    #[must_use]
    pub fn shortfall(&self, people: &BTreeMap<&PersonId, &[GroupName]>) -> Option<Shortfall> {
        let admitted: Vec<&[GroupName]> =
            people.values().copied().filter(|groups| self.admits(groups)).collect();
        let (counted, required) = (admitted.len(), self.required as usize);
        let group = unrepresented(&self.from_each, &admitted).cloned();
        (counted < required || group.is_some()).then_some(Shortfall { counted, required, group })
    }

    /// The same with another number of people.
    #[must_use]
    pub fn with_required(&self, required: u32) -> Self {
        Self { required, ..self.clone() }
    }

    /// Who would help, for messages.
    pub(super) fn wanted(&self) -> String {
        join(&self.groups)
    }
}

impl Shortfall {
    /// `1 of 2 reviews`, and which group lacks a voice.
    pub(super) fn of(&self, what: &str) -> String {
        let group = self.group.as_ref().map_or_else(String::new, |g| {
            format!(", and nobody is left to stand for the group {g}")
        });
        format!("{} of {} {what}{group}", self.counted, self.required)
    }
}

/// The first group that nobody can stand for when each person stands for one; by augmenting paths,
/// so that the order in which people and groups are listed never matters to whether there is one.
fn unrepresented<'g>(groups: &'g [GroupName], people: &[&[GroupName]]) -> Option<&'g GroupName> {
    let mut stands_for: Vec<Option<usize>> = vec![None; people.len()];
    groups.iter().enumerate().find_map(|(i, group)| {
        let mut asked = vec![false; people.len()];
        (!seat(i, groups, people, &mut stands_for, &mut asked)).then_some(group)
    })
}

/// Finds somebody for `group`, moving others to groups that they can stand for as well.
fn seat(
    group: usize,
    groups: &[GroupName],
    people: &[&[GroupName]],
    stands_for: &mut [Option<usize>],
    asked: &mut [bool],
) -> bool {
    for person in 0..people.len() {
        if asked[person] || !people[person].contains(&groups[group]) {
            continue;
        }
        asked[person] = true;
        let free = match stands_for[person] {
            None => true,
            Some(other) => seat(other, groups, people, stands_for, asked),
        };
        if free {
            stands_for[person] = Some(group);
            return true;
        }
    }
    false
}

pub(super) fn join(groups: &[GroupName]) -> String {
    let names: Vec<&str> = groups.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { "(no group is listed)".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests;
