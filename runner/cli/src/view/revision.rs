//! A revision as a reviewer reads it: what it may do, in words, from bytes that were hashed here.

use std::collections::BTreeMap;

use domain::display::neutralise;
use domain::manifest::Query;
use domain::value::ParamType;
use domain::{BundlePath, Digest, QueryName};
use sandbox::ComponentFacts;

use crate::blast::Script;
use crate::bundle::Bundle;
use crate::out::{Out, Style, hang, hang_at, width};
use crate::source::{self, SOURCE_PATH};
use crate::{sdk, stock};

use super::{bytes, count, limits};

/// What is known of queries besides the manifest, as lines for each.
pub(crate) type Told = BTreeMap<QueryName, Vec<String>>;

/// The whole of it, as lines: identity, limits, interfaces, whose component it is, queries, files.
pub(crate) fn whole(bundle: &Bundle, component: &ComponentFacts, out: Out) -> Vec<String> {
    let mut lines = head(bundle, component, out);
    lines.extend(queries(Script::of(bundle), &Told::new(), out));
    lines.push(String::new());
    lines.extend(files(bundle, out));
    lines
}

/// What it is, what it may use, and whose component it is.
pub(crate) fn head(bundle: &Bundle, component: &ComponentFacts, out: Out) -> Vec<String> {
    let m = &bundle.manifest;
    let bold = |text: &str| out.style(Style::Bold, text);
    let digest = out.style(Style::Dim, &bundle.revision.to_string());
    let mut lines =
        vec![format!("{} {}  {digest}", bold(m.name.as_str()), bold(m.version.as_str()))];
    lines.extend(hang("", &neutralise(&m.summary), width()));
    for (logical, engine) in &m.targets {
        lines.push(format!("target {logical} ({})", format!("{engine:?}").to_lowercase()));
        let raw = m.unmask.get(logical).into_iter().flatten();
        let raw: Vec<String> = raw.map(|column| neutralise(column.as_str())).collect();
        if !raw.is_empty() {
            let asks = format!("asks to read WITHOUT THEIR MASKS: {}", raw.join(", "));
            lines.extend(hang("       ", &out.style(Style::Warn, &asks), width()));
        }
    }
    lines.extend(hang("limits ", &limits(&m.limits), width()));
    let interfaces: Vec<&str> = component.interfaces().collect();
    lines.extend(hang("uses   ", &neutralise(&interfaces.join(", ")), width()));
    let digest = bundle.component_digest();
    let mut built = stock::in_words(&digest);
    if stock::version_of(&digest).is_none() && !component.made_with.is_empty() {
        // Versions suffice here: a difference is told whole.
        let tools: Vec<&str> = component.made_with.iter().map(|t| version(t)).collect();
        built = format!("{built}; says that it was made with {}", tools.join(", "));
    }
    lines.extend(hang("built  ", &neutralise(&built), width()));
    lines.extend(sdk_of(bundle).iter().flat_map(|told| hang("sdk    ", told, width())));
    lines
}

/// Whose SDK is among the sources, if one is.
fn sdk_of(bundle: &Bundle) -> Option<String> {
    let tar = bundle.files.iter().find(|(path, _)| path.as_str() == SOURCE_PATH)?;
    let source = source::parse(tar.1).ok()?;
    let mut files = source.iter().filter(|(path, _)| path.starts_with("sdk/")).peekable();
    files.peek()?;
    let (own, others): (Vec<_>, Vec<_>) = files.partition(|(path, b)| sdk::is_copy(path, b));
    let own = count(own.len() as u64, "file");
    Some(if others.is_empty() {
        format!("{own} as this program has them, not shown")
    } else {
        let changed = count(others.len() as u64, "file");
        format!("CHANGED: {changed} that this program does not have so; {own} as it has them")
    })
}

/// A tool without what stands in brackets behind its version.
fn version(tool: &str) -> &str {
    tool.split(" (").next().unwrap_or(tool)
}

/// Each query, with what else is known of it.
pub(crate) fn queries(script: Script<'_>, told: &Told, out: Out) -> Vec<String> {
    let mut lines = Vec::new();
    for query in &script.manifest.queries {
        lines.push(String::new());
        one_query(&mut lines, script, query, out);
        lines.extend(told.get(&query.name).into_iter().flatten().cloned());
    }
    lines
}

/// Every file with its digest.
pub(crate) fn files(bundle: &Bundle, out: Out) -> Vec<String> {
    let line = |(path, digest): (&BundlePath, &Digest)| {
        let size = bundle.files.get(path).map_or(0, |b| b.len() as u64);
        out.style(Style::Dim, &format!("  {}  {path} ({})", digest.short(), bytes(size)))
    };
    bundle.index.files().map(line).collect()
}

/// One query: its parameters with where they come from, its limits, its text.
fn one_query(lines: &mut Vec<String>, script: Script<'_>, query: &Query, out: Out) {
    let heading = format!("query {} on {}", query.name, query.target);
    let l = &query.limits;
    lines.push(format!(
        "{}, {}, {}, {} of cells",
        out.style(Style::Bold, &heading),
        count(l.calls_max, "call"),
        count(l.rows_total_max, "row"),
        bytes(l.bytes_total_max)
    ));
    for (i, param) in query.params.iter().enumerate() {
        let kind = param_type(param.param_type);
        let place = match &param.from {
            Some(pointer) => {
                let optional = if param.optional { ", else NULL" } else { "" };
                format!("from the approved input at {}{optional}", neutralise(pointer))
            }
            None => out.style(
                Style::Warn,
                &format!(
                    "chosen by the script: can read every row this query can return, up to {}",
                    super::number(l.rows_total_max)
                ),
            ),
        };
        let line = format!("${} {} {kind}: {place}", i + 1, param.name);
        lines.extend(hang_at(6, "  ", &line, width()));
    }
    for line in script.text(query).lines() {
        lines.push(format!("  {} {}", out.style(Style::Dim, "│"), neutralise(line)));
    }
}

const fn param_type(t: ParamType) -> &'static str {
    match t {
        ParamType::Bool => "bool",
        ParamType::Int8 => "int8",
        ParamType::Float8 => "float8",
        ParamType::Numeric => "numeric",
        ParamType::Text => "text",
        ParamType::Bytea => "bytea",
        ParamType::Uuid => "uuid",
        ParamType::Date => "date",
        ParamType::Timestamptz => "timestamptz",
        ParamType::Json => "json",
    }
}

#[cfg(test)]
mod tests;
