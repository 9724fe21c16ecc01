//! What people see: tables, scripts, documents, runs, receipts.
//!
//! Functions from values to text; all foreign strings are neutralised here. Printing is
//! [`crate::out`]'s.

pub(crate) mod cells;
pub(crate) mod change;
pub(crate) mod csv;
pub(crate) mod diff;
pub(crate) mod receipt;
pub(crate) mod revision;
pub(crate) mod run;
pub(crate) mod said;
pub(crate) mod table;
pub(crate) mod why;

use domain::Limits;

/// A number of bytes for people.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, size) in UNITS {
        if n >= size {
            let tenths = n.saturating_mul(10) / size;
            return if tenths.is_multiple_of(10) {
                format!("{} {unit}", tenths / 10)
            } else {
                format!("{}.{} {unit}", tenths / 10, tenths % 10)
            };
        }
    }
    format!("{n} B")
}

/// A number with thin groups: `2,000,000`.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Milliseconds for people.
pub(crate) fn millis(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
}

/// `1 row`, `2 rows`.
pub(crate) fn count(n: u64, one: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {one}{plural}", number(n))
}

/// The limits of a run in one line.
pub(crate) fn limits(l: &Limits) -> String {
    format!(
        "fuel {}, memory {}, wall {}, output {}, {}",
        number(l.fuel_max),
        bytes(l.memory_bytes_max),
        millis(l.wall_ms_max),
        bytes(l.output_bytes_max),
        count(l.host_calls_max, "host call")
    )
}

#[cfg(test)]
mod tests;
