//! One value in one cell, for people.

use domain::Value;
use domain::display::neutralise;

/// Characters of a cell; longer ones are cut, with an ellipsis.
const CELL_CHARS_MAX: usize = 200;
/// Bytes of a binary cell that are shown.
const CELL_BYTES_MAX: usize = 16;

/// The cell's text.
pub(crate) fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return "–".to_owned(),
        Value::Boolean(b) => return b.to_string(),
        Value::Int64(n) => return n.to_string(),
        Value::Float64(n) => return n.to_string(),
        Value::Bytes(b) if b.len() > CELL_BYTES_MAX => {
            return format!("{}… ({} B)", hex::encode(&b[..CELL_BYTES_MAX]), b.len());
        }
        Value::Bytes(b) => return hex::encode(b),
        Value::Decimal(s)
        | Value::Text(s)
        | Value::Uuid(s)
        | Value::Timestamp(s)
        | Value::Temporal(s)
        | Value::Json(s)
        | Value::Other(_, s) => s,
    };
    let mut cut: String = neutralise(text).chars().take(CELL_CHARS_MAX).collect();
    if text.chars().count() > CELL_CHARS_MAX {
        cut.push('…');
    }
    cut
}

/// Whether a column of such values is set flush right.
pub(crate) const fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int64(_) | Value::Float64(_) | Value::Decimal(_))
}

#[cfg(test)]
mod tests;
