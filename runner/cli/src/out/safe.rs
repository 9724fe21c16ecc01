//! From text to what a terminal gets: nothing hidden, nothing that moves the cursor, no colours but
//! ours.
//!
//! Every line that this program prints goes through [`line()`], every JSON text through [`Escaping`]
//! and every line of the operational log through [`Log`]; so a new place that prints need not think
//! of it. Colours are written as markers, which become escape sequences here and nowhere else.

use std::io::{self, Write};

use domain::display::{neutralise, neutralise_json};
use serde_json::ser::Formatter;

/// Ends a style. Markers are private-use characters: in text that was neutralised there are none.
const END: char = '\u{f0000}';
/// The marker of the first style; the others follow.
const FIRST: u32 = 0xf0001;
/// What the markers stand for (ECMA-48, SGR), in the order of [`super::Style`].
const CODES: [&str; 5] = ["1", "2", "32", "31", "33"];

/// `text` between the markers of the style with this number.
pub(super) fn marked(style: usize, text: &str) -> String {
    let start = u32::try_from(style).ok().and_then(|n| char::from_u32(FIRST + n));
    start.map_or_else(|| text.to_owned(), |start| format!("{start}{text}{END}"))
}

/// The marker's escape sequence, if it is one.
fn code(marker: char) -> Option<String> {
    if marker == END {
        return Some("\u{1b}[0m".to_owned());
    }
    let n = usize::try_from(u32::from(marker).checked_sub(FIRST)?).ok()?;
    CODES.get(n).map(|code| format!("\u{1b}[{code}m"))
}

/// Whether a character takes no room because it is a marker.
pub(super) fn is_marker(c: char) -> bool {
    code(c).is_some()
}

/// The style that a line leaves open, as its marker.
pub(super) fn left_open(line: &str) -> Option<char> {
    line.chars().rfind(|c| is_marker(*c)).filter(|c| *c != END)
}

/// What is printed for one line: a line break in it is shown, not made.
pub(super) fn line(text: &str, colour: bool) -> String {
    if !colour {
        return neutralise(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, marker)) = rest.char_indices().find(|(_, c)| is_marker(*c)) {
        out.push_str(&neutralise(&rest[..at]));
        out.push_str(&code(marker).unwrap_or_default());
        rest = &rest[at + marker.len_utf8()..];
    }
    out.push_str(&neutralise(rest));
    if left_open(text).is_some() {
        out.push_str(&code(END).unwrap_or_default());
    }
    out
}

/// Writes JSON in which whatever a terminal could obey is escaped, as JSON does it: the value is the
/// same.
pub(super) struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        text: &str,
    ) -> io::Result<()> {
        to.write_all(neutralise_json(text).as_bytes())
    }

    /// Documents as others wrote them.
    fn write_raw_fragment<W: ?Sized + Write>(&mut self, to: &mut W, json: &str) -> io::Result<()> {
        to.write_all(neutralise_json(json).as_bytes())
    }
}

/// Where the operational log goes, one event a write: standard error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log {
    /// Whether events are JSON.
    pub(crate) json: bool,
}

impl Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = text.trim_end_matches('\n');
        let safe = if self.json { neutralise_json(text) } else { neutralise(text) };
        writeln!(io::stderr().lock(), "{safe}")?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

#[cfg(test)]
mod tests;
