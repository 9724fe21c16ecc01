//! What must hold before anybody's word is counted: nothing is stopped, the run request is live, the
//! targets are known, and production is reached only by what knows that it is up to date.

use super::facts::{Facts, StopSubject};
use super::policy::TargetRules;
use super::{Denial, Place, RUN_REQUEST_LIFE_S_MAX, Rule, STATUS_LIFE_S_MAX};
use crate::capability::Pair;
use crate::time::Timestamp;

pub(super) fn not_stopped(facts: &Facts<'_>) -> Result<(), Denial> {
    let hit = facts.stops.iter().find(|stop| match stop {
        StopSubject::Everything => true,
        StopSubject::Person(p) => {
            *p == facts.run.caller || facts.submissions.iter().any(|s| s.author == *p)
        }
        // Documents signed by a stopped key never become facts; see `trust`.
        StopSubject::Key(_) => false,
        StopSubject::Revision(r) => *r == facts.run.revision,
        StopSubject::Request(id) => facts.request.as_ref().is_some_and(|r| r.id == *id),
        StopSubject::Target(t) => facts.run.pairs.iter().any(|p| p.target == *t),
    });
    match hit {
        None => Ok(()),
        Some(stop) => Err(Denial::new(
            Rule::Stopped,
            format!("{stop} is stopped"),
            "ask who stopped it; a stop ends only by a signed lift",
        )),
    }
}

pub(super) fn run_request_is_live(facts: &Facts<'_>) -> Result<(), Denial> {
    let window = &facts.run.window;
    if window.seconds() > RUN_REQUEST_LIFE_S_MAX {
        return Err(Denial::new(
            Rule::RunRequestExpired,
            format!("the run request lives {} s", window.seconds()),
            format!("sign one that lives at most {RUN_REQUEST_LIFE_S_MAX} s"),
        ));
    }
    if !window.contains(facts.now) {
        return Err(Denial::new(
            Rule::RunRequestExpired,
            format!("the run request is valid {window}, and it is {}", facts.now),
            "run again; if it keeps happening, check this machine's clock",
        ));
    }
    Ok(())
}

pub(super) fn run_id_is_new(facts: &Facts<'_>) -> Result<(), Denial> {
    if !facts.run_id_spent {
        return Ok(());
    }
    Err(Denial::new(
        Rule::RunIdSpent,
        format!("{} has been used", facts.run.id),
        "run again; each run has an id of its own",
    ))
}

/// Each pair of the run with its target's rules, in the order of the run's pairs.
pub(super) fn places<'f>(facts: &'f Facts<'_>) -> Result<Vec<Place<'f>>, Denial> {
    let mut bound: Vec<&str> = facts.run.pairs.iter().map(|p| p.logical.as_str()).collect();
    bound.sort_unstable();
    let asked: Vec<&str> = facts.manifest.targets.keys().map(AsRef::as_ref).collect();
    if bound != asked || bound.is_empty() {
        return Err(Denial::new(
            Rule::Targets,
            format!(
                "the run binds [{}], the script asks for [{}]",
                bound.join(", "),
                asked.join(", ")
            ),
            "bind each logical target of the script exactly once",
        ));
    }
    facts.run.pairs.iter().map(|pair| place(facts, pair)).collect()
}

fn place<'f>(facts: &'f Facts<'_>, pair: &'f Pair) -> Result<Place<'f>, Denial> {
    let rules: Option<&TargetRules> = facts.targets.iter().find(|t| t.id == pair.target);
    let rules = rules.filter(|t| t.runners.contains(&facts.run.runner)).ok_or_else(|| {
        Denial::new(
            Rule::TargetUnknown,
            format!("the policy has no target {} for runner {}", pair.target, facts.run.runner),
            "check the target's name, or have it added to the signed policy",
        )
    })?;
    let asked = facts.manifest.targets.get(&pair.logical);
    if asked != Some(&rules.engine) {
        let asked = asked.map_or("nothing", |engine| engine.as_str());
        return Err(Denial::new(
            Rule::Targets,
            format!(
                "the script asks for {asked} at {}, and {} is {}",
                pair.logical, pair.target, rules.engine
            ),
            "bind the logical target to a target of the engine that the script was written for",
        ));
    }
    Ok(Place { pair, rules })
}

/// Production is not reached by one person alone, nor in ignorance. `Some`: when what is known stops
/// being fresh.
pub(super) fn production(
    facts: &Facts<'_>,
    places: &[Place<'_>],
) -> Result<Option<Timestamp>, Denial> {
    let prod = || places.iter().filter(|p| p.rules.prod);
    let Some(first) = prod().next() else { return Ok(None) };
    if facts.solo {
        return Err(Denial::new(
            Rule::SoloProd,
            format!(
                "{} is marked prod, and in this trust domain one person holds every role",
                first.pair.target
            ),
            "found a trust domain for two or more people: production needs a second one",
        ));
    }
    fresh(facts, first).map(Some)
}

/// When the status ends, if it is live and says what this party has in force.
fn fresh(facts: &Facts<'_>, place: &Place<'_>) -> Result<Timestamp, Denial> {
    let again = "have the holders of the role `status` sign what is in force now";
    let Some(status) = &facts.status else {
        let fact = format!("{} is marked prod, and the order has no status", place.pair.target);
        return Err(Denial::new(Rule::StatusMissing, fact, again));
    };
    let window = status.window;
    if window.seconds() > STATUS_LIFE_S_MAX {
        let fact = format!("{} lives {} s", status.id, window.seconds());
        let help = format!("sign one that lives at most {STATUS_LIFE_S_MAX} s");
        return Err(Denial::new(Rule::StatusExpired, fact, help));
    }
    if !window.contains(facts.now) {
        let fact = format!("{} is valid {window}, and it is {}", status.id, facts.now);
        return Err(Denial::new(Rule::StatusExpired, fact, again));
    }
    if !status.differs.is_empty() {
        let parts: Vec<String> = status.differs.iter().map(ToString::to_string).collect();
        let fact = format!("{} names another {}", status.id, parts.join(" and another "));
        let help = "bring the runner up to date, or have a new status signed; one of the two has \
                    not heard of something";
        return Err(Denial::new(Rule::StatusDiffers, fact, help));
    }
    Ok(window.not_after)
}
