//! Who may do what where, one person at a time; of everybody else it is imagined that they agree.

use domain::decide::{AfterReviewer, Quorum, after_review_settled};
use domain::{Denial, PersonId, Rule, TargetId};
use serde::Serialize;

use super::Ground;
use super::cast::{Cast, Speaker, Way, alone};
use crate::documents::{Person, PolicyTarget, Role};

/// Something that a person may do on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Run what is reviewed and approved.
    Call,
    /// Run without an approval what reviewers have opened.
    SelfServe,
    /// Ask for an emergency.
    BreakGlass,
    /// Review scripts.
    Review,
    /// Approve access requests.
    Approve,
    /// Approve emergencies.
    ApproveBreakGlass,
    /// Look at emergencies afterwards.
    AfterReview,
    /// Read results of others.
    ReadResults,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 8] = [
        Self::Call,
        Self::SelfServe,
        Self::BreakGlass,
        Self::Review,
        Self::Approve,
        Self::ApproveBreakGlass,
        Self::AfterReview,
        Self::ReadResults,
    ];

    /// What it is, in words that follow "may".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Call => "run what is reviewed and approved",
            Self::SelfServe => "run without an approval what reviewers opened",
            Self::BreakGlass => "break the glass",
            Self::Review => "review scripts",
            Self::Approve => "approve access requests",
            Self::ApproveBreakGlass => "approve emergencies",
            Self::AfterReview => "look at emergencies afterwards",
            Self::ReadResults => "read results of others",
        }
    }
}

/// Whether `person` may do `act` on `target`.
///
/// # Errors
/// The rule that says no.
pub fn may(
    ground: &Ground<'_>,
    person: &PersonId,
    act: Act,
    target: &TargetId,
) -> Result<(), Denial> {
    let target = ground.target(target)?;
    let speaker = ground.speaker(person)?;
    asked(ground, &speaker, act, target)
}

pub(super) fn asked(
    ground: &Ground<'_>,
    speaker: &Speaker,
    act: Act,
    target: &PolicyTarget,
) -> Result<(), Denial> {
    let somebody = |groups: &[domain::GroupName]| Speaker {
        counted: nobody_here(ground),
        human: true,
        groups: groups.to_vec(),
    };
    let mut cast = Cast {
        authors: Vec::new(),
        reviewers: vec![somebody(&target.reviews.groups)],
        reviewed_before: Vec::new(),
        caller: somebody(&target.callers),
        approvers: Vec::new(),
        way: Way::Request,
        alone: true,
    };
    let me = speaker.clone();
    let rules: &[Rule] = match act {
        Act::Call => {
            cast.caller = me;
            &[Rule::CallerNotAllowed]
        }
        Act::SelfServe => {
            (cast.caller, cast.way) = (me, Way::SelfServe);
            &[Rule::CallerNotAllowed, Rule::SelfServeNotAllowed]
        }
        Act::BreakGlass => {
            (cast.caller, cast.way) = (me, Way::BreakGlass);
            &[Rule::CallerNotAllowed, Rule::BreakGlassNotAllowed]
        }
        Act::Review => {
            cast.reviewers = vec![me];
            &[Rule::ReviewMissing]
        }
        Act::Approve => {
            cast.approvers = vec![me];
            &[Rule::ApprovalMissing]
        }
        Act::ApproveBreakGlass => {
            let groups = target.break_glass.as_ref().map_or(&[][..], |b| &b.groups);
            cast.caller.groups.extend_from_slice(groups);
            (cast.approvers, cast.way) = (vec![me], Way::BreakGlass);
            &[Rule::BreakGlassNotAllowed, Rule::ApprovalMissing]
        }
        Act::AfterReview => return looks_after(ground, speaker, target),
        Act::ReadResults => return reads(speaker, target),
    };
    let steps = cast.explain(ground, target)?;
    // Where a rule was not reached, the one before it says why.
    let reached = rules.iter().all(|rule| steps.iter().any(|s| s.rule == *rule));
    let no = steps.into_iter().find(|s| !s.satisfied && (!reached || rules.contains(&s.rule)));
    match no {
        None => Ok(()),
        Some(step) => Err(Denial::new(step.rule, step.fact, step.help.unwrap_or_default())),
    }
}

fn looks_after(
    ground: &Ground<'_>,
    speaker: &Speaker,
    target: &PolicyTarget,
) -> Result<(), Denial> {
    let mut rules = target.rules();
    if rules.break_glass.is_none() {
        let fact = format!("the policy of {} knows no emergency", target.id);
        return Err(Denial::new(Rule::BreakGlassNotAllowed, fact, "nothing has to be looked at"));
    }
    alone(&mut rules);
    let me = AfterReviewer {
        reviewer: speaker.counted.clone(),
        human: speaker.human,
        groups: speaker.groups.clone(),
    };
    if after_review_settled(&nobody_here(ground), &[me], &[rules], ground.solo()) {
        return Ok(());
    }
    let fact = format!("{} does not count among those who look", speaker.counted);
    let help = "membership in a group of `break_glass.after_review` would help";
    Err(Denial::new(Rule::AfterReviewOverdue, fact, help))
}

fn reads(speaker: &Speaker, target: &PolicyTarget) -> Result<(), Denial> {
    if target.readers.iter().any(|g| speaker.groups.contains(g)) {
        return Ok(());
    }
    let fact = format!("{} is in no group of `readers`", speaker.counted);
    Err(Denial::new(Rule::CallerNotAllowed, fact, "callers read the results of their own runs"))
}

/// Somebody of whom nobody knows.
fn nobody_here(ground: &Ground<'_>) -> PersonId {
    let named = (0..).map(|n| format!("somebody-{n}").parse::<PersonId>());
    let known = |id: &PersonId| ground.person(id).is_some();
    // The ids never run out, and all of them are well formed.
    #[expect(clippy::expect_used, reason = "a slug of letters and digits is a person's id")]
    named.flatten().find(|id| !known(id)).expect("infinitely many names")
}

/// One person's answer about one act.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// Who.
    pub person: PersonId,
    /// As whom they are counted, when that is somebody else.
    pub counted: Option<PersonId>,
    /// `None`: they may; else the rule that says no.
    pub no: Option<Denial>,
}

/// Who may do something on a target, and whether they can be enough.
#[derive(Debug, Clone, Serialize)]
pub struct OfAct {
    /// What.
    pub act: Act,
    /// How many, of whom; `None`: one is enough.
    pub quorum: Option<Quorum>,
    /// What nobody can bring about, because too few people may.
    pub impossible: Option<String>,
    /// Everybody's answer.
    pub answers: Vec<Answer>,
}

/// Everything about a target.
///
/// # Errors
/// When there is no such target.
pub fn of_target(ground: &Ground<'_>, target: &TargetId) -> Result<Vec<OfAct>, Denial> {
    let target = ground.target(target)?;
    let of = |act: Act| {
        let answer = |p: &Person| Answer {
            person: p.id.clone(),
            counted: p.owner.clone(),
            no: may(ground, &p.id, act, &target.id).err(),
        };
        let answers: Vec<Answer> = ground.directory.people.iter().map(answer).collect();
        let quorum = quorum(act, target);
        let impossible = quorum.as_ref().and_then(|q| impossible(ground, q, &answers));
        OfAct { act, quorum, impossible, answers }
    };
    Ok(Act::ALL.into_iter().map(of).collect())
}

fn quorum(act: Act, target: &PolicyTarget) -> Option<Quorum> {
    let emergency = target.break_glass.as_ref();
    match act {
        // What a policy asks for, and what nothing goes below.
        Act::Review => Some(target.reviews.with_required(target.reviews.required.max(1))),
        Act::Approve => Some(target.approvals.with_required(target.approvals.required.max(1))),
        Act::ApproveBreakGlass => emergency.map(|b| b.approvals.clone()),
        Act::AfterReview => emergency.map(|b| b.after_review.clone()),
        Act::Call | Act::SelfServe | Act::BreakGlass | Act::ReadResults => None,
    }
}

fn impossible(ground: &Ground<'_>, quorum: &Quorum, answers: &[Answer]) -> Option<String> {
    let able = answers.iter().filter(|a| a.no.is_none());
    let people = able.filter_map(|a| ground.person(&a.person));
    let short = quorum.shortfall(&people.map(|p| (p.counted(), p.groups.as_slice())).collect())?;
    let group = short.group.map_or_else(String::new, |g| format!(", and nobody stands for {g}"));
    Some(format!("{} of {} people there are{group}", short.counted, short.required))
}

/// A role of the keyring, and who holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The role.
    pub role: Role,
    /// People who have to sign together; of a stop always one.
    pub threshold: u32,
    /// Its holders.
    pub people: Vec<PersonId>,
}

/// Who may stop, lift, and change what is in force.
#[must_use]
pub fn roles(ground: &Ground<'_>) -> Vec<Held> {
    let held = |r: &crate::documents::RoleRule| Held {
        role: r.role,
        threshold: if r.role == Role::Stop { 1 } else { r.threshold },
        people: r.people.clone(),
    };
    ground.keyring.roles.iter().map(held).collect()
}

/// Services and agents that count as `person`.
#[must_use]
pub fn agents<'a>(ground: &Ground<'a>, person: &PersonId) -> Vec<&'a Person> {
    let mine = ground.directory.people.iter();
    mine.filter(|p| p.owner.as_ref() == Some(person)).collect()
}
