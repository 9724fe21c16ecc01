//! `[[target.mask]]` and back. People write one list with one `kind` each; `deny` among them becomes an
//! entry of `denied`, and its column leaves `reads`.

use domain::Mask;
use domain::mask::{DateUnit, HashClass};
use serde::Deserialize;

use super::text::Text;
use crate::document::{Problem, field};
use crate::documents::{ColumnMask, Denied, PolicyTarget, Read};

/// As people write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMask {
    table: String,
    column: String,
    kind: Kind,
    keep_first: Option<u64>,
    keep_last: Option<u64>,
    class: Option<HashClass>,
    width: Option<u64>,
    unit: Option<DateUnit>,
    unmask: Option<bool>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Null,
    Full,
    Partial,
    Email,
    KeyedHash,
    Bucket,
    DateTruncate,
    Deny,
}

impl RawMask {
    /// The mask; `None` is a denied column.
    fn mask(&self) -> Result<Option<Mask>, Problem> {
        let wanted: &[&str] = match self.kind {
            Kind::Partial => &["keep_first", "keep_last"],
            Kind::KeyedHash => &["class"],
            Kind::Bucket => &["width"],
            Kind::DateTruncate => &["unit"],
            Kind::Null | Kind::Full | Kind::Email | Kind::Deny => &[],
        };
        let stray = [
            ("keep_first", self.keep_first.is_some()),
            ("keep_last", self.keep_last.is_some()),
            ("class", self.class.is_some()),
            ("width", self.width.is_some()),
            ("unit", self.unit.is_some()),
        ];
        if let Some((name, _)) = stray.iter().find(|(n, given)| *given && !wanted.contains(n)) {
            return Err(field(*name, "belongs to another kind of mask; leave it out"));
        }
        let missing = |name: &str, example: &str| {
            Err(field(name, format!("is missing; write it as {name} = {example}")))
        };
        Ok(Some(match self.kind {
            Kind::Deny if self.unmask.is_some() => {
                return Err(field("unmask", "nobody unmasks a denied column; leave it out"));
            }
            Kind::Deny => return Ok(None),
            Kind::Null => Mask::Null,
            Kind::Full => Mask::Full,
            Kind::Email => Mask::Email,
            Kind::Partial => Mask::Partial {
                keep_first: self.keep_first.unwrap_or(0),
                keep_last: self.keep_last.unwrap_or(0),
            },
            Kind::KeyedHash => match &self.class {
                Some(class) => Mask::KeyedHash { class: class.clone() },
                None => return missing("class", "\"customer\""),
            },
            Kind::Bucket => match self.width {
                Some(width) => Mask::Bucket { width },
                None => return missing("width", "10"),
            },
            Kind::DateTruncate => match self.unit {
                Some(unit) => Mask::DateTruncate { unit },
                None => return missing("unit", "\"month\""),
            },
        }))
    }
}

/// Masks and denied columns, each in the order written.
pub(super) fn split(all: Vec<RawMask>) -> Result<(Vec<ColumnMask>, Vec<Denied>), Problem> {
    let (mut masks, mut denied) = (Vec::new(), Vec::new());
    for (i, raw) in all.into_iter().enumerate() {
        let mask = raw.mask().map_err(|problem| problem.within(&format!("mask.{i}")))?;
        let RawMask { table, column, unmask, .. } = raw;
        match mask {
            Some(mask) => {
                masks.push(ColumnMask { table, column, mask, unmask: unmask.unwrap_or(false) });
            }
            None => denied.push(Denied { table, column }),
        }
    }
    Ok((masks, denied))
}

/// What may be read, without what is denied.
pub(super) fn without(mut reads: Vec<Read>, denied: &[Denied]) -> Vec<Read> {
    for read in &mut reads {
        let is_denied = |c: &str| denied.iter().any(|d| d.table == read.table && d.column == c);
        read.columns.retain(|column| !is_denied(column));
    }
    reads
}

impl Text {
    /// Masks, denied columns and row filters of a target.
    pub(super) fn hidden(&mut self, t: &PolicyTarget) {
        for m in &t.masks {
            self.part("mask");
            self.string("table", &m.table);
            self.string("column", &m.column);
            self.string("kind", m.mask.kind());
            match &m.mask {
                Mask::Partial { keep_first, keep_last } => {
                    self.raw("keep_first", keep_first);
                    self.raw("keep_last", keep_last);
                }
                Mask::KeyedHash { class } => self.string("class", class),
                Mask::Bucket { width } => self.raw("width", width),
                Mask::DateTruncate { unit } => self.string("unit", unit.as_str()),
                Mask::Null | Mask::Full | Mask::Email => {}
            }
            self.raw("unmask", m.unmask);
        }
        for d in &t.denied {
            self.part("mask");
            self.string("table", &d.table);
            self.string("column", &d.column);
            self.string("kind", "deny");
        }
        for f in &t.row_filters {
            self.part("row_filter");
            self.string("table", &f.table);
            self.string("filter", &f.filter);
        }
    }
}
