//! A revision as a reviewer reads it: what it may do, in words, from bytes that were hashed here.

use domain::display::neutralise;
use domain::manifest::Query;
use domain::value::ParamType;

use crate::bundle::Bundle;
use crate::out::{Out, Style, WIDTH, hang, hang_at};
use crate::stock;

use super::{bytes, count, limits};

/// The whole of it, as lines: identity, limits, interfaces, whose component it is, queries, files.
pub(crate) fn whole(bundle: &Bundle, interfaces: &[String], out: Out) -> Vec<String> {
    let m = &bundle.manifest;
    let bold = |text: &str| out.style(Style::Bold, text);
    let digest = out.style(Style::Dim, &bundle.revision.to_string());
    let mut lines =
        vec![format!("{} {}  {digest}", bold(m.name.as_str()), bold(m.version.as_str()))];
    lines.extend(hang("", &neutralise(&m.summary), WIDTH));
    for (logical, engine) in &m.targets {
        lines.push(format!("target {logical} ({})", format!("{engine:?}").to_lowercase()));
    }
    lines.extend(hang("limits ", &limits(&m.limits), 72));
    lines.extend(hang("uses   ", &neutralise(&interfaces.join(", ")), 72));
    lines.extend(hang("built  ", &stock::in_words(&bundle.component_digest()), 72));
    for query in &m.queries {
        lines.push(String::new());
        one_query(&mut lines, bundle, query, out);
    }
    lines.push(String::new());
    for (path, digest) in bundle.index.files() {
        let size = bundle.files.get(path).map_or(0, |b| b.len() as u64);
        let line = format!("  {}  {path} ({})", digest.short(), bytes(size));
        lines.push(out.style(Style::Dim, &line));
    }
    lines
}

/// One query: its parameters with where they come from, its limits, its text.
fn one_query(lines: &mut Vec<String>, bundle: &Bundle, query: &Query, out: Out) {
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
        lines.extend(hang_at(6, "  ", &line, WIDTH));
    }
    let sql = bundle.text(query.file.as_str()).unwrap_or_default();
    for line in sql.lines() {
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
