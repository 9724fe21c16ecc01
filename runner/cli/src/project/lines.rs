//! In which line of a file something stands that a check refuses by its name. The checks of `domain`
//! work on what was parsed; authors look for lines.

use serde::Deserialize;
use toml::Spanned;

/// As much of a manifest as is looked for.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    query: Vec<Query>,
}

#[derive(Deserialize)]
struct Query {
    name: Spanned<String>,
    #[serde(default)]
    params: Vec<Param>,
}

#[derive(Deserialize)]
struct Param {
    name: Spanned<String>,
}

/// The line of a place as `ManifestError::Invalid` names it: `query Q`, `query Q, parameter P`,
/// `script.summary`, `limits.wall`. The nearest thing that is there; 1 when nothing is.
pub(super) fn of_place(text: &str, place: &str) -> usize {
    match place.strip_prefix("query ") {
        Some(rest) => of_query(text, rest).unwrap_or(1),
        None => of_key(text, place).unwrap_or(1),
    }
}

fn of_query(text: &str, rest: &str) -> Option<usize> {
    let manifest: Manifest = toml::from_str(text).ok()?;
    let (name, param) = rest.split_once(", parameter ").map_or_else(
        || (rest.split(',').next().unwrap_or(rest), None),
        |(name, param)| (name, Some(param)),
    );
    // Of two with one name, the second one is the mistake.
    let query = manifest.query.iter().rev().find(|q| q.name.get_ref() == name)?;
    let param = query.params.iter().rev().find(|p| Some(p.name.get_ref().as_str()) == param);
    Some(at(text, param.map_or(&query.name, |p| &p.name).span().start))
}

/// `table.key`, `table.name.key`, or a table alone.
fn of_key(text: &str, place: &str) -> Option<usize> {
    let (table, key) = place.rsplit_once('.').unwrap_or((place, ""));
    let is_header = |line: &str| {
        let name = line.trim().trim_start_matches('[').split(']').next().unwrap_or_default();
        line.trim_start().starts_with('[') && name.trim() == table
    };
    let header = text.lines().position(is_header)?;
    let inside = text.lines().skip(header + 1).take_while(|l| !l.trim_start().starts_with('['));
    let is_key = |line: &str| line.split('=').next().is_some_and(|k| k.trim() == key);
    let below = inside.enumerate().find(|(_, line)| is_key(line)).map_or(0, |(i, _)| i + 1);
    Some(header + 1 + below)
}

/// Line and words of the TOML parser's error, which draws a picture of several lines.
pub(super) fn of_syntax_error(words: &str) -> (usize, String) {
    let problem = words.lines().map(str::trim).rfind(|l| !l.is_empty()).unwrap_or(words);
    (number_after(words, "at line "), problem.to_owned())
}

/// The line that a gate or a database names, as `line 3: …` or `line 3, column 5: …`, and its words without
/// it.
pub(super) fn of_query_error(words: &str) -> Option<(usize, String)> {
    let at = words.find("line ")?;
    let (before, rest) = (&words[..at], &words[at + "line ".len()..]);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let line = rest[..digits].parse().ok()?;
    let (place, problem) = rest[digits..].split_once(": ")?;
    (place.is_empty() || place.starts_with(", column "))
        .then(|| (line, format!("{before}{problem}")))
}

/// The line that the JSON parser's error names.
pub(super) fn of_json_error(words: &str) -> usize {
    number_after(words, "at line ")
}

/// The line of a JSON pointer: of its last key, after the keys before it.
pub(super) fn of_pointer(text: &str, pointer: &str) -> usize {
    let mut from = 0;
    for key in pointer.split('/').filter(|key| !key.is_empty()) {
        let found = text.get(from..).and_then(|rest| rest.find(&format!("\"{key}\"")));
        from += found.unwrap_or(0);
    }
    at(text, from)
}

fn number_after(words: &str, label: &str) -> usize {
    let digits = words.split_once(label).map_or("", |(_, rest)| rest);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().unwrap_or(1)
}

fn at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|b| *b == b'\n').count()
}
