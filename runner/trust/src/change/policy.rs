//! Between two policies: targets with who may do what there, runners, owners of scripts.

mod masking;

use domain::decide::{BreakGlassRules, SelfServeRules};
use domain::display::neutralise;
use domain::{Limits, QueryLimits};

use super::lists::{More, Moved, joined};
use super::{Change, Changes};
use crate::documents::{Policy, PolicyTarget, Read, TargetIdentity};

/// What the next policy changes.
#[must_use]
pub fn of_policy(before: &Policy, after: &Policy) -> Vec<Change> {
    let mut changes = Changes::default();
    for new in &after.targets {
        match before.target(&new.id) {
            None => comes(&mut changes, new),
            Some(old) => target(&mut changes, old, new),
        }
    }
    for old in before.targets.iter().filter(|t| after.target(&t.id).is_none()) {
        changes.narrows(format!("{} is no target any more", old.id));
    }
    let ids = |p: &Policy| p.targets.iter().map(|t| t.id.clone()).collect::<Vec<_>>();
    reordered(&mut changes, "targets", &ids(before), &ids(after));
    runners(&mut changes, before, after);
    scripts(&mut changes, before, after);
    changes.sorted()
}

fn reordered<T: PartialEq>(changes: &mut Changes, what: &str, before: &[T], after: &[T]) {
    let Moved { added, removed } = Moved::of(before, after);
    changes.order(what, before != after && added.is_empty() && removed.is_empty());
}

fn comes(changes: &mut Changes, t: &PolicyTarget) {
    let (id, prod) = (&t.id, if t.prod { "production" } else { "not production" });
    changes.grave(format!(
        "{id} is a new target: {}, {prod}, callers {}, {} reviews by {}, {} approvals by {}",
        identity(&t.identity),
        joined(&t.callers),
        t.reviews.required,
        joined(&t.reviews.groups),
        t.approvals.required,
        joined(&t.approvals.groups)
    ));
    for read in &t.reads {
        changes.widens(format!("{id}: {} may be read", columns(read, &read.columns)));
    }
    if t.recursion {
        changes.widens(format!("{id}: queries may recurse"));
    }
    masking::comes(changes, t);
    for (what, groups) in [
        ("runs without an approval", t.self_serve.as_ref().map(|s| &s.groups)),
        ("emergencies", t.break_glass.as_ref().map(|b| &b.groups)),
    ] {
        if let Some(groups) = groups {
            changes.grave(format!("{id}: {what} by {}", joined(groups)));
        }
    }
}

fn target(changes: &mut Changes, old: &PolicyTarget, new: &PolicyTarget) {
    let id = &new.id;
    match (old.prod, new.prod) {
        (true, false) => changes.grave(format!("{id} is production no more")),
        (false, true) => changes.narrows(format!("{id} is production")),
        _ => {}
    }
    if old.identity != new.identity || old.engine != new.engine {
        let (is, was) = (identity(&new.identity), identity(&old.identity));
        changes.grave(format!("{id} is another database: {is} instead of {was}"));
    }
    changes.list(&format!("{id}: groups of targets"), &old.groups, &new.groups);
    changes.list(&format!("{id}: runners"), &old.runners, &new.runners);
    changes.list(&format!("{id}: callers"), &old.callers, &new.callers);
    changes.quorum(&format!("{id}: reviews"), &old.reviews, &new.reviews);
    unchanged(changes, old, new);
    changes.quorum(&format!("{id}: approvals"), &old.approvals, &new.approvals);
    let what = format!("{id}: runs without an approval");
    self_serve(changes, &what, old.self_serve.as_ref(), new.self_serve.as_ref());
    let what = format!("{id}: emergencies");
    break_glass(changes, &what, old.break_glass.as_ref(), new.break_glass.as_ref());
    limits(changes, id.as_str(), &old.limits, &new.limits);
    query(changes, id.as_str(), &old.query, &new.query);
    reads(changes, id.as_str(), &old.reads, &new.reads);
    masking::of(changes, old, new);
    let what = format!("{id}: milliseconds of a statement");
    changes.number(&what, old.statement_ms_max, new.statement_ms_max, More::Widens);
    if old.cost_max != new.cost_max {
        let words = |cost: Option<u64>| cost.map_or_else(|| "any".to_owned(), |n| n.to_string());
        let (is, was) = (words(new.cost_max), words(old.cost_max));
        let what = format!("{id}: expected cost of a query is at most {is} instead of {was}");
        let less = new.cost_max.is_some_and(|new| old.cost_max.is_none_or(|old| new < old));
        if less { changes.narrows(what) } else { changes.widens(what) }
    }
    match (old.recursion, new.recursion) {
        (false, true) => changes.widens(format!("{id}: queries may recurse")),
        (true, false) => changes.narrows(format!("{id}: queries may not recurse any more")),
        _ => {}
    }
    if old.lag_s_max != new.lag_s_max {
        let words = |lag: Option<u64>| lag.map_or_else(|| "any".to_owned(), |s| format!("{s} s"));
        let (is, was) = (words(new.lag_s_max), words(old.lag_s_max));
        let what = format!("{id}: bearable lag is {is} instead of {was}");
        let shorter = matches!((old.lag_s_max, new.lag_s_max), (Some(a), Some(b)) if b < a);
        if shorter { changes.narrows(what) } else { changes.widens(what) }
    }
    changes.list(&format!("{id}: readers of results"), &old.readers, &new.readers);
    if old.retention_days != new.retention_days {
        // Longer keeps what people saw, shorter loses what they did.
        let (is, was) = (new.retention_days, old.retention_days);
        changes.widens(format!("{id}: recordings are kept {is} days instead of {was}"));
    }
}

fn unchanged(changes: &mut Changes, old: &PolicyTarget, new: &PolicyTarget) {
    let what = format!("{}: reviews where only the component changed", new.id);
    match (old.reviews_unchanged, new.reviews_unchanged) {
        (None, Some(n)) => changes.grave(format!("{what}: {n} suffice")),
        (Some(_), None) => changes.narrows(format!("{what}: all of them")),
        (Some(a), Some(b)) => changes.number(&what, u64::from(a), u64::from(b), More::Narrows),
        (None, None) => {}
    }
}

fn self_serve(
    changes: &mut Changes,
    what: &str,
    old: Option<&SelfServeRules>,
    new: Option<&SelfServeRules>,
) {
    match (old, new) {
        (None, None) => {}
        (None, Some(s)) => changes.grave(format!(
            "{what}: {} may, {} a day each",
            joined(&s.groups),
            s.runs_per_day
        )),
        (Some(_), None) => changes.narrows(format!("{what}: nobody may")),
        (Some(old), Some(new)) => {
            changes.list(what, &old.groups, &new.groups);
            let a_day = format!("{what}: a day");
            changes.number(&a_day, old.runs_per_day, new.runs_per_day, More::Widens);
        }
    }
}

fn break_glass(
    changes: &mut Changes,
    what: &str,
    old: Option<&BreakGlassRules>,
    new: Option<&BreakGlassRules>,
) {
    let (old, new) = match (old, new) {
        (None, None) => return,
        (None, Some(b)) => {
            return changes.grave(format!(
                "{what}: {} may, with {} approvals by {}",
                joined(&b.groups),
                b.approvals.required,
                joined(&b.approvals.groups)
            ));
        }
        (Some(_), None) => return changes.narrows(format!("{what}: nobody may")),
        (Some(old), Some(new)) => (old, new),
    };
    changes.quorum(&format!("{what}: approvals"), &old.approvals, &new.approvals);
    changes.list(what, &old.groups, &new.groups);
    for (unit, old, new) in [
        ("seconds of a grant", old.duration_s_max, new.duration_s_max),
        ("uses of a grant", old.uses_max, new.uses_max),
        ("seconds until somebody has looked", old.after_review_s, new.after_review_s),
    ] {
        changes.number(&format!("{what}: {unit}"), old, new, More::Widens);
    }
    limits(changes, what, &old.limits, &new.limits);
    query(changes, what, &old.query, &new.query);
    changes.quorum(&format!("{what}: looking at them"), &old.after_review, &new.after_review);
}

fn limits(changes: &mut Changes, what: &str, old: &Limits, new: &Limits) {
    let Limits { fuel_max, memory_bytes_max, wall_ms_max, output_bytes_max, host_calls_max } = new;
    for (unit, old, new) in [
        ("fuel", old.fuel_max, fuel_max),
        ("bytes of memory", old.memory_bytes_max, memory_bytes_max),
        ("milliseconds of a run", old.wall_ms_max, wall_ms_max),
        ("bytes of output", old.output_bytes_max, output_bytes_max),
        ("host calls", old.host_calls_max, host_calls_max),
    ] {
        changes.number(&format!("{what}: {unit}"), old, *new, More::Widens);
    }
}

fn query(changes: &mut Changes, what: &str, old: &QueryLimits, new: &QueryLimits) {
    let QueryLimits { calls_max, rows_total_max, bytes_total_max } = new;
    for (unit, old, new) in [
        ("calls of a query", old.calls_max, calls_max),
        ("rows of a query", old.rows_total_max, rows_total_max),
        ("bytes of a query", old.bytes_total_max, bytes_total_max),
    ] {
        changes.number(&format!("{what}: {unit}"), old, *new, More::Widens);
    }
}

fn reads(changes: &mut Changes, id: &str, old: &[Read], new: &[Read]) {
    let find = |all: &[Read], table: &str| -> Option<Read> {
        all.iter().find(|r| r.table == table).cloned()
    };
    for read in new {
        let before = find(old, &read.table);
        let none = Vec::new();
        let before_columns = before.as_ref().map_or(&none, |r| &r.columns);
        let Moved { added, removed } = Moved::of(before_columns, &read.columns);
        if !added.is_empty() || before.is_none() {
            changes.grave(format!("{id}: {} may be read", columns(read, &added)));
        }
        if !removed.is_empty() {
            changes.narrows(format!("{id}: {} may not be read any more", columns(read, &removed)));
        }
        let only = before.as_ref().is_some_and(|b| b.columns != read.columns);
        let same = only && added.is_empty() && removed.is_empty();
        changes.order(&format!("{id}: columns of {}", neutralise(&read.table)), same);
    }
    for read in old.iter().filter(|r| find(new, &r.table).is_none()) {
        let table = neutralise(&read.table);
        changes.narrows(format!("{id}: nothing of {table} may be read any more"));
    }
    let tables = |all: &[Read]| all.iter().map(|r| r.table.clone()).collect::<Vec<_>>();
    reordered(changes, &format!("{id}: tables"), &tables(old), &tables(new));
}

fn columns<T: AsRef<str>>(read: &Read, columns: &[T]) -> String {
    let names: Vec<String> = columns.iter().map(|c| neutralise(c.as_ref())).collect();
    format!("{} ({})", neutralise(&read.table), joined(&names))
}

fn identity(identity: &TargetIdentity) -> String {
    match identity {
        TargetIdentity::Sqlite(s) => format!("SQLite, application id {}", s.application_id),
        TargetIdentity::Postgres(p) => format!(
            "PostgreSQL, system {}, database \"{}\", role \"{}\"",
            neutralise(&p.system_identifier),
            neutralise(&p.database),
            neutralise(&p.role)
        ),
    }
}

fn runners(changes: &mut Changes, before: &Policy, after: &Policy) {
    for new in &after.runners {
        let (name, key) = (&new.name, new.key.fingerprint());
        match before.runner(name) {
            None => changes.grave(format!("{name} is a new runner with the key {key}")),
            Some(old) if old.key != new.key => changes.grave(format!(
                "receipts of {name} are signed by {key} instead of {}",
                old.key.fingerprint()
            )),
            Some(_) => {}
        }
        let log = before.runner(name).filter(|old| old.log_vkey != new.log_vkey);
        if log.is_some() {
            changes.grave(format!("the log of {name} is {}", neutralise(&new.log_vkey)));
        }
    }
    for old in before.runners.iter().filter(|r| after.runner(&r.name).is_none()) {
        changes.narrows(format!("{} is no runner any more", old.name));
    }
    let names = |p: &Policy| p.runners.iter().map(|r| r.name.clone()).collect::<Vec<_>>();
    reordered(changes, "runners", &names(before), &names(after));
}

fn scripts(changes: &mut Changes, before: &Policy, after: &Policy) {
    for new in &after.scripts {
        let name = &new.name;
        match before.scripts.iter().find(|s| s.name == *name) {
            None => changes.widens(format!("{name} is owned by {}", joined(&new.owners))),
            Some(old) => changes.list(&format!("owners of {name}"), &old.owners, &new.owners),
        }
    }
    for old in &before.scripts {
        if !after.scripts.iter().any(|s| s.name == old.name) {
            changes.widens(format!("nobody owns {} any more", old.name));
        }
    }
    let names = |p: &Policy| p.scripts.iter().map(|s| s.name.clone()).collect::<Vec<_>>();
    reordered(changes, "owned scripts", &names(before), &names(after));
}
