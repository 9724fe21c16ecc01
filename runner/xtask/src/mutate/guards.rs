//! The list of guards: names, places and texts. Pure: files are read by others.
//!
//! Its form is that of a patch by hand:
//!
//! ```text
//! file runner/domain/src/decide/gate.rs
//! guard a stop of everything
//! - StopSubject::Everything => true,
//! + StopSubject::Everything => false,
//! ```
//!
//! `file` holds for what follows. The lines after `-` are a text that the file has exactly once, from
//! its first character on; those after `+` are what stands there instead, and may be none. A line that
//! begins with `#`, and an empty one, says nothing.

use std::collections::BTreeMap;

/// What stands above the table of who saw which.
const SEEN_HEAD: &str = "\
# Which test sees which guard

Kept by `cargo xtask mutate`: the first test that turned red when the guard alone was disabled.

| guard | seen red by |
|---|---|
";

/// A guard and what disables it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Guard {
    /// What it keeps out, in words.
    pub(crate) name: String,
    /// Its file, relative to the root.
    pub(crate) file: String,
    /// Its text.
    pub(crate) text: String,
    /// What stands there when it is disabled.
    pub(crate) instead: String,
}

impl Guard {
    /// The file's source without it.
    pub(crate) fn disabled(&self, source: &str) -> Result<String, String> {
        match source.matches(self.text.as_str()).count() {
            1 => Ok(source.replacen(&self.text, &self.instead, 1)),
            n => Err(format!(
                "guard `{}`: {} has its text {n} times, not once; bring the list up to date:\n{}",
                self.name, self.file, self.text
            )),
        }
    }
}

/// Which test saw which guard, by the guard's name.
pub(crate) fn rows(table: &str) -> BTreeMap<String, String> {
    let row = |line: &str| {
        let (guard, test) = line.strip_prefix("| ")?.strip_suffix("` |")?.split_once(" | `")?;
        Some((guard.to_owned(), test.to_owned()))
    };
    table.lines().filter_map(row).collect()
}

/// The table, in the order of the list; what is not in the list any more leaves it.
pub(crate) fn table(guards: &[Guard], seen: &BTreeMap<String, String>) -> String {
    let row = |g: &Guard| Some(format!("| {} | `{}` |\n", g.name, seen.get(&g.name)?));
    [SEEN_HEAD.to_owned()].into_iter().chain(guards.iter().filter_map(row)).collect()
}

/// The guards of a list.
pub(crate) fn parse(list: &str) -> Result<Vec<Guard>, String> {
    let mut guards: Vec<Guard> = Vec::new();
    let mut file = String::new();
    for (n, line) in list.lines().enumerate() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let wrong = |what: &str| Err(format!("line {} of the list: {what}: {line}", n + 1));
        let twice = word == "guard" && guards.iter().any(|g| g.name == rest);
        match (word, guards.last_mut()) {
            ("" | "#", _) if line.trim().is_empty() || line.starts_with('#') => {}
            ("file", _) => rest.clone_into(&mut file),
            ("guard", _) if file.is_empty() => return wrong("no file is named before it"),
            ("guard", _) if twice => return wrong("it is there twice"),
            ("guard", _) => guards.push(Guard {
                name: rest.to_owned(),
                file: file.clone(),
                text: String::new(),
                instead: String::new(),
            }),
            ("-", Some(guard)) if guard.instead.is_empty() => add(&mut guard.text, rest),
            ("+", Some(guard)) if !guard.text.is_empty() => add(&mut guard.instead, rest),
            _ => return wrong("expected `file`, `guard`, `-` or `+`"),
        }
    }
    match guards.iter().find(|g| g.text.is_empty() || g.text == g.instead) {
        Some(guard) => Err(format!("guard `{}`: nothing is replaced", guard.name)),
        None => Ok(guards),
    }
}

fn add(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}
