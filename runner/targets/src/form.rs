//! How the texts of values look, for the connectors of all engines. Nothing is converted here.

/// Whether `text` has the form; `d` stands for a digit.
pub(crate) fn has_form(text: &str, form: &str) -> bool {
    let fits = |(c, f): (u8, u8)| {
        if f == b'd' { c.is_ascii_digit() } else { c == f }
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
}

/// Digits with at most one point and a minus.
pub(crate) fn is_decimal(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|c| c.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    unsigned.split_once('.').map_or_else(|| digits(unsigned), |(a, b)| digits(a) && digits(b))
}
