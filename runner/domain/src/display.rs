//! Foreign text made safe for people's eyes.
//!
//! Source, SQL, cells, summaries and names that others wrote reach terminals only through
//! [`neutralise`]. It is not an encoding: the original stays in the documents. Whoever prints calls it
//! on every line, whatever it is made of; whoever measures or wraps text calls it before that.

use unicode_width::UnicodeWidthChar as _;

/// Marks that may stand on one character: a Hebrew letter with point, vowel, meteg and accent has
/// four. More climb over the neighbouring lines.
pub const MARKS_MAX: usize = 4;

/// Replaces control, escape, bidirectional, zero-width and other invisible characters by a visible
/// form `\u{…}`, and marks that stand on nothing or pile up; newline and tab become `\n` and `\t`.
#[must_use]
pub fn neutralise(text: &str) -> String {
    clean(text, |c, out| match c {
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        c => out.extend(c.escape_unicode()),
    })
}

/// As [`neutralise`], but keeps newlines and tabs: for source and SQL shown as a block.
#[must_use]
pub fn neutralise_block(text: &str) -> String {
    clean(text, |c, out| match c {
        '\n' | '\t' => out.push(c),
        c => out.extend(c.escape_unicode()),
    })
}

/// The same for JSON: the same value, with those characters as `\uXXXX`. White space between tokens
/// becomes blanks, so that it stays on one line.
#[must_use]
pub fn neutralise_json(json: &str) -> String {
    clean(json, |c, out| match c {
        // Inside strings JSON has no raw control characters.
        '\n' | '\t' | '\r' => out.push(' '),
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    })
}

/// `text` as a basic string of TOML, quotes included: the same value, with those characters as
/// `\UXXXXXXXX`, so that what is shown can be read back.
#[must_use]
pub fn quoted_toml(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    let safe = clean(&escaped, |c, out| match c {
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        c => out.push_str(&format!("\\U{:08X}", u32::from(c))),
    });
    format!("\"{safe}\"")
}

/// At most `chars_max` characters of a text that somebody else made long; says how many it cut.
#[must_use]
pub fn shorten(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}… (+{} characters)", &text[..at], text[at..].chars().count()),
    }
}

fn clean(text: &str, escape: impl Fn(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len());
    // Marks on the last character; one that has nothing to stand on stands on our text.
    let mut marks = MARKS_MAX;
    for c in text.chars() {
        let is_mark = !c.is_ascii() && c.width() == Some(0);
        if is_hidden(c) || (is_mark && marks >= MARKS_MAX) {
            escape(c, &mut out);
            marks = MARKS_MAX;
        } else {
            out.push(c);
            marks = match (is_mark, c.is_whitespace()) {
                (true, _) => marks + 1,
                (false, true) => MARKS_MAX,
                (false, false) => 0,
            };
        }
    }
    out
}

/// Characters that change how their neighbours look, or that cannot be seen: Unicode's categories
/// Cc, Cf (but for the Arabic and Syriac signs that are drawn), Zl, Zp and Co, everything
/// default-ignorable (variation selectors, tags, fillers, joiners), blanks of unusual width,
/// noncharacters, and the planes where nothing is assigned.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    let n = u32::from(c);
    c.is_control()
        || matches!(n,
            0x00ad | 0x034f | 0x061c | 0x070f | 0x115f | 0x1160 | 0x1680 | 0x17b4 | 0x17b5
            | 0x180b..=0x180f | 0x2000..=0x200f | 0x2028..=0x202e | 0x205f..=0x206f | 0x2800
            | 0x3164 | 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
            | 0xfff0..=0xfffb | 0x110bd | 0x110cd | 0x13430..=0x1343f | 0x16fe4
            | 0x1bca0..=0x1bca3 | 0x1d159 | 0x1d173..=0x1d17a | 0x40000..=0x10ffff)
        || n & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests;
