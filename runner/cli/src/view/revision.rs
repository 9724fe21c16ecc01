//! A revision as a reviewer reads it: what it may do, in words, from bytes that were hashed here.

use domain::display::{neutralise, neutralise_block};
use domain::manifest::Query;
use domain::value::ParamType;

use crate::bundle::Bundle;
use crate::out::{Out, Style, wrap};

use super::{bytes, count, limits};

/// The whole of it: identity, files, queries, limits, interfaces.
pub(crate) fn whole(bundle: &Bundle, interfaces: &[String], out: Out) -> String {
    let m = &bundle.manifest;
    let bold = |text: &str| out.style(Style::Bold, text);
    let mut text = format!(
        "{} {}  {}\n{}\n",
        bold(m.name.as_str()),
        bold(m.version.as_str()),
        out.style(Style::Dim, &bundle.revision.to_string()),
        wrap(&neutralise(&m.summary), 80, 0)
    );
    for (logical, engine) in &m.targets {
        text.push_str(&format!("target {logical} ({})\n", format!("{engine:?}").to_lowercase()));
    }
    text.push_str(&format!("limits {}\n", wrap(&limits(&m.limits), 72, 7)));
    text.push_str(&format!("uses   {}\n", wrap(&interfaces.join(", "), 72, 7)));
    for query in &m.queries {
        text.push('\n');
        text.push_str(&one_query(bundle, query, out));
    }
    text.push('\n');
    for (path, digest) in bundle.index.files() {
        let size = bundle.files.get(path).map_or(0, |b| b.len() as u64);
        let line = format!("  {}  {path} ({})", digest.short(), bytes(size));
        text.push_str(&out.style(Style::Dim, &line));
        text.push('\n');
    }
    text
}

/// One query: its parameters with where they come from, its limits, its text.
fn one_query(bundle: &Bundle, query: &Query, out: Out) -> String {
    let heading = format!("query {} on {}", query.name, query.target);
    let l = &query.limits;
    let mut text = format!(
        "{}, {}, {}, {} of cells\n",
        out.style(Style::Bold, &heading),
        count(l.calls_max, "call"),
        count(l.rows_total_max, "row"),
        bytes(l.bytes_total_max)
    );
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
        text.push_str(&format!("  {}\n", wrap(&line, 78, 6)));
    }
    let sql = bundle.text(query.file.as_str()).unwrap_or_default();
    for line in neutralise_block(&sql).lines() {
        text.push_str(&format!("  {} {line}\n", out.style(Style::Dim, "│")));
    }
    text
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
