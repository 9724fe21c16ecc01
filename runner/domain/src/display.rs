//! Foreign text made safe for people's eyes.
//!
//! Source, SQL, cells, summaries and names that others wrote reach terminals only through
//! [`neutralise`]. It is not an encoding: the original stays in the documents.

/// Replaces control, escape, bidirectional, zero-width and other invisible characters by a visible
/// form `\u{…}`; newline and tab become `\n` and `\t`.
#[must_use]
pub fn neutralise(text: &str) -> String {
    clean(text, false)
}

/// As [`neutralise`], but keeps newlines and tabs: for source and SQL shown as a block.
#[must_use]
pub fn neutralise_block(text: &str) -> String {
    clean(text, true)
}

fn clean(text: &str, keep_lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' if keep_lines => out.push(c),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Characters that change how their neighbours look, or that cannot be seen (Unicode categories Cc,
/// Cf, Zl, Zp, variation selectors, tags, private use and the Hangul and Khmer fillers).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00ad | 0x034f | 0x061c | 0x070f | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f
            | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0xe000..=0xf8ff | 0x110bd | 0x110cd
            | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff | 0xf0000..=0x10ffff)
}

#[cfg(test)]
mod tests;
