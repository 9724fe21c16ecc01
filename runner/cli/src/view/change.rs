//! What changed since the revision that was approved last, in one line, and file by file.

use std::collections::{BTreeMap, BTreeSet};

use domain::capability::Capabilities;
use domain::display::neutralise;
use domain::{ColumnPath, Digest, Limits, PersonId, QueryLimits, QueryName};
use sandbox::{ComponentFacts, Sandbox};
use trust::Rebuilt;

use crate::blast::Totals;
use crate::bundle::Bundle;
use crate::out::{Out, Style};
use crate::source::{self, SOURCE_PATH, Source, SourceError};
use crate::{sdk, stock};

use super::diff::{self, Diff};
use super::{bytes, count, millis, number};

/// A revision taken apart.
pub(crate) struct Side<'b> {
    /// Its files.
    pub(crate) bundle: &'b Bundle,
    /// What its component is.
    pub(crate) component: ComponentFacts,
    /// Its sources; `None`: the bundle has none.
    pub(crate) source: Option<Result<Source, SourceError>>,
    /// Who built the component from them once more, and what came of it.
    pub(crate) rebuilt: Vec<(PersonId, Rebuilt)>,
}

impl<'b> Side<'b> {
    /// Reads component and sources of a bundle.
    pub(crate) fn of(bundle: &'b Bundle) -> anyhow::Result<Self> {
        let component = Sandbox::inspect(bundle.component()?)?;
        let tar = bundle.files.iter().find(|(path, _)| path.as_str() == SOURCE_PATH);
        let source = tar.map(|(_, bytes)| source::parse(bytes));
        Ok(Self { bundle, component, source, rebuilt: Vec::new() })
    }

    /// Its capability interfaces.
    pub(crate) fn interfaces(&self) -> Vec<String> {
        self.component.interfaces().map(str::to_owned).collect()
    }

    /// Every file that people read, sources first: those of the bundle but component, archive, and the
    /// SDK's own files.
    pub(crate) fn texts(&self) -> Vec<(String, &[u8])> {
        let sources = self.source.iter().flatten().flatten();
        let sources = sources.filter(|(path, b)| !sdk::is_copy(path, b));
        let mut all: Vec<(String, &[u8])> =
            sources.map(|(path, b)| (format!("source/{path}"), b.as_slice())).collect();
        // Nobody begins with it.
        all.sort_by_key(|(path, _)| path.ends_with("/Cargo.lock"));
        let is_read = |path: &str| ![domain::bundle::COMPONENT_PATH, SOURCE_PATH].contains(&path);
        let files = self.bundle.files.iter().filter(|(path, _)| is_read(path.as_str()));
        all.extend(files.map(|(path, b)| (path.to_string(), b.as_slice())));
        all
    }

    fn sources(&self) -> Option<&Source> {
        self.source.as_ref()?.as_ref().ok()
    }

    fn sql(&self, query: &QueryName) -> Option<String> {
        self.bundle.text(self.bundle.manifest.query(query)?.file.as_str())
    }
}

/// The files that differ, in the order of the new revision; then those that are gone.
pub(crate) fn files(old: &Side<'_>, new: &Side<'_>, out: Out) -> Vec<(String, Diff)> {
    let (before, after) = (old.texts(), new.texts());
    let known: BTreeMap<&str, &[u8]> = before.iter().map(|(p, b)| (p.as_str(), *b)).collect();
    let kept: BTreeSet<&str> = after.iter().map(|(p, _)| p.as_str()).collect();
    let changed = after.iter().filter(|(p, b)| known.get(p.as_str()) != Some(b));
    let changed = changed
        .map(|(p, b)| (p.clone(), diff::of(p, known.get(p.as_str()).copied(), Some(b), out)));
    let gone = before.iter().filter(|(p, _)| !kept.contains(p.as_str()));
    changed.chain(gone.map(|(p, b)| (p.clone(), diff::of(p, Some(b), None, out)))).collect()
}

/// How one scope differs from another.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Moves {
    /// What the new one allows and the old one did not.
    pub(crate) wider: Vec<String>,
    /// What the old one allowed and the new one does not.
    pub(crate) narrower: Vec<String>,
}

impl Moves {
    /// From `old` to `new`.
    pub(crate) fn between(old: &Capabilities, new: &Capabilities) -> Self {
        let mut moves = Self::default();
        moves.of_run(&old.limits, &new.limits);
        let pairs: BTreeSet<_> = old.pairs.keys().chain(new.pairs.keys()).collect();
        for pair in pairs {
            match (old.pairs.get(pair), new.pairs.get(pair)) {
                (Some(old), Some(new)) => {
                    moves.of_queries(&old.queries, &new.queries);
                    moves.of_masks(&old.unmasked, &new.unmasked);
                }
                (None, new) => {
                    moves.wider.push(format!("reaches {pair}"));
                    let raw = new.map(|on| &on.unmasked).into_iter().flatten();
                    moves.wider.extend(raw.map(reads_raw));
                }
                (_, None) => moves.narrower.push(format!("does not reach {pair}")),
            }
        }
        // A query is the same on each of its targets most of the time.
        for list in [&mut moves.wider, &mut moves.narrower] {
            let mut seen = BTreeSet::new();
            list.retain(|line| seen.insert(line.clone()));
        }
        moves
    }

    /// Adds what queries come to that allowed as much before: what they look at.
    pub(crate) fn of_reach(&mut self, old: &Totals, new: &Totals) {
        let more = |from: &Totals, to: &Totals, list: &mut Vec<String>, verb: &str| {
            let none = BTreeSet::new();
            for (table, columns) in &to.tables {
                let known = from.tables.get(table);
                let columns = columns.difference(known.unwrap_or(&none));
                let columns: Vec<String> = columns.map(|c| neutralise(c)).collect();
                if known.is_none() || !columns.is_empty() {
                    let columns = columns.join(", ");
                    list.push(format!("{verb} {} ({columns})", neutralise(table)));
                }
            }
        };
        more(old, new, &mut self.wider, "reads");
        more(new, old, &mut self.narrower, "no longer reads");
        let every = new.every_row.difference(&old.every_row);
        self.wider.extend(every.map(|t| format!("may read every row of {}", neutralise(t))));
    }

    fn of_run(&mut self, old: &Limits, new: &Limits) {
        self.limit("fuel", old.fuel_max, new.fuel_max, number);
        self.limit("memory", old.memory_bytes_max, new.memory_bytes_max, bytes);
        self.limit("wall", old.wall_ms_max, new.wall_ms_max, millis);
        self.limit("output", old.output_bytes_max, new.output_bytes_max, bytes);
        self.limit("host calls", old.host_calls_max, new.host_calls_max, number);
    }

    fn of_queries(
        &mut self,
        old: &BTreeMap<QueryName, QueryLimits>,
        new: &BTreeMap<QueryName, QueryLimits>,
    ) {
        for (name, now) in new {
            let Some(was) = old.get(name) else {
                self.wider.push(format!("query {name}"));
                continue;
            };
            self.limit(&format!("calls of {name}"), was.calls_max, now.calls_max, number);
            let (was_rows, rows) = (was.rows_total_max, now.rows_total_max);
            self.limit(&format!("rows of {name}"), was_rows, rows, number);
            let (was_bytes, now_bytes) = (was.bytes_total_max, now.bytes_total_max);
            self.limit(&format!("cells of {name}"), was_bytes, now_bytes, bytes);
        }
        let gone = old.keys().filter(|name| !new.contains_key(*name));
        self.narrower.extend(gone.map(|name| format!("query {name}")));
    }

    fn of_masks(&mut self, old: &BTreeSet<ColumnPath>, new: &BTreeSet<ColumnPath>) {
        self.wider.extend(new.difference(old).map(reads_raw));
        let masked = |column: &ColumnPath| format!("{} stays masked", neutralise(column.as_str()));
        self.narrower.extend(old.difference(new).map(masked));
    }

    fn limit(&mut self, name: &str, old: u64, new: u64, shown: impl Fn(u64) -> String) {
        let list = match new.cmp(&old) {
            std::cmp::Ordering::Equal => return,
            std::cmp::Ordering::Greater => &mut self.wider,
            std::cmp::Ordering::Less => &mut self.narrower,
        };
        list.push(format!("{name} {}, was {}", shown(new), shown(old)));
    }
}

fn reads_raw(column: &ColumnPath) -> String {
    format!("reads {} WITHOUT ITS MASK", neutralise(column.as_str()))
}

/// What changed, in one line: queries, what is allowed, source, component.
pub(crate) fn in_one_line(
    old: &Side<'_>,
    new: &Side<'_>,
    moves: &Moves,
    files: &[(String, Diff)],
    out: Out,
) -> String {
    let mut parts = vec![queries(old, new)];
    let used = |side: &Side<'_>| side.interfaces().into_iter().collect::<BTreeSet<_>>();
    let (before, after) = (used(old), used(new));
    let mut wider = moves.wider.clone();
    wider.extend(after.difference(&before).map(|i| format!("interface {i}")));
    let mut narrower = moves.narrower.clone();
    narrower.extend(before.difference(&after).map(|i| format!("interface {i}")));
    if !wider.is_empty() {
        parts.push(out.style(Style::Warn, &format!("WIDER: {}", wider.join(", "))));
    }
    if !narrower.is_empty() {
        parts.push(format!("narrower: {}", narrower.join(", ")));
    }
    if wider.is_empty() && narrower.is_empty() {
        parts.push("may do as much".to_owned());
    }
    parts.extend(input(files));
    if matches!(new.source, Some(Err(_))) {
        parts.push(out.style(Style::Warn, "its source.tar cannot be read"));
    }
    parts.push(component(old, new, files, out));
    parts.join("; ")
}

fn queries(old: &Side<'_>, new: &Side<'_>) -> String {
    let names = |side: &Side<'_>| -> BTreeSet<QueryName> {
        side.bundle.manifest.queries.iter().map(|q| q.name.clone()).collect()
    };
    let (before, after) = (names(old), names(new));
    let same = |name: &&QueryName| {
        let shape = |side: &Side<'_>| {
            let query = side.bundle.manifest.query(name)?;
            Some((query.target.clone(), query.params.clone(), side.sql(name)))
        };
        shape(old) == shape(new)
    };
    let list = |what: &str, names: Vec<&QueryName>| {
        let names: Vec<&str> = names.into_iter().map(AsRef::as_ref).collect();
        (!names.is_empty()).then(|| format!("{} {what}", names.join(", ")))
    };
    let parts = [
        list("added", after.difference(&before).collect()),
        list("changed", after.intersection(&before).filter(|n| !same(n)).collect()),
        list("removed", before.difference(&after).collect()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "same queries".to_owned()
    } else {
        format!("queries: {}", parts.join(", "))
    }
}

fn input(files: &[(String, Diff)]) -> Option<String> {
    let schema = files.iter().any(|(path, _)| path == "input.schema.json");
    schema.then(|| "input schema changed".to_owned())
}

/// Source, component and what built it belong together: a component that changed while its source did not
/// is what a reviewer has to ask about.
fn component(old: &Side<'_>, new: &Side<'_>, files: &[(String, Diff)], out: Out) -> String {
    let (was, is) = (old.bundle.component_digest(), new.bundle.component_digest());
    let warn = |text: &str| out.style(Style::Warn, text);
    let (added, removed) = lines(files.iter().filter(|(path, _)| path.starts_with("source/")));
    let changed = old.sources() != new.sources() && new.sources().is_some();
    if was == is {
        return match old.sources() {
            Some(_) if changed => {
                warn(&format!("source +{added} −{removed} lines, and the component is the same"))
            }
            _ => "same component".to_owned(),
        };
    }
    if let Some(version) = stock::version_of(&is) {
        return format!("stock component of {version}{}", before(&was));
    }
    let source = match (old.sources(), new.sources()) {
        (_, None) => return warn("another component, and no source to read"),
        (Some(_), Some(_)) if !changed => {
            return warn(&format!("another component from the same source{}", tools(old, new)));
        }
        (None, Some(_)) => "source for the first time".to_owned(),
        (Some(_), Some(_)) => format!("source +{added} −{removed} lines"),
    };
    format!("{source}, component built anew{}; {}", tools(old, new), rebuilt(new, out))
}

/// Who knows that a component comes of its source.
fn rebuilt(new: &Side<'_>, out: Out) -> String {
    let who = |what: Rebuilt| {
        let found = new.rebuilt.iter().filter(|(_, rebuilt)| *rebuilt == what);
        let people: Vec<&str> = found.map(|(person, _)| person.as_ref()).collect();
        (!people.is_empty()).then(|| people.join(" and "))
    };
    if let Some(people) = who(Rebuilt::Differs) {
        return out.style(Style::Bad, &format!("{people} rebuilt it and got ANOTHER component"));
    }
    who(Rebuilt::Matched)
        .map_or_else(|| "nobody rebuilt it".to_owned(), |people| format!("rebuilt by {people}"))
}

/// Lines that came and went.
fn lines<'f>(files: impl Iterator<Item = &'f (String, Diff)>) -> (usize, usize) {
    files.fold((0, 0), |(a, r), (_, d)| (a + d.added, r + d.removed))
}

fn before(was: &Digest) -> String {
    stock::version_of(was).map_or_else(
        || ", before an unlisted build".to_owned(),
        |version| format!(", before of {version}"),
    )
}

fn tools(old: &Side<'_>, new: &Side<'_>) -> String {
    let (was, is) = (&old.component.made_with, &new.component.made_with);
    if was == is {
        " by the same tools".to_owned()
    } else {
        format!(" by {} (was {})", listed(is), listed(was))
    }
}

fn listed(tools: &[String]) -> String {
    if tools.is_empty() { "tools that it does not name".to_owned() } else { tools.join(", ") }
}

/// `2 files, +12 −3 lines`
pub(crate) fn totals(files: &[(String, Diff)]) -> String {
    let (added, removed) = lines(files.iter());
    format!("{}, +{added} −{removed} lines", count(files.len() as u64, "file"))
}

#[cfg(test)]
mod tests;
