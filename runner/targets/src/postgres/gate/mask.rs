//! Masks as PostgreSQL computes them: what fits which type, and the expression that stands in the
//! column's place.
//!
//! Every expression has the form `CASE WHEN column IS NOT NULL THEN … END`, so NULL stays NULL. None
//! of them raises an error that quotes the value: texts go through functions that take every text,
//! searches compare bytes (`COLLATE "C"`: other collations refuse to search), numbers and moments
//! are kept inside their type before they are converted back.
//!
//! What comes out: text for `full`, `partial`, `email` and `keyed-hash`; the column's own type for
//! `null`, `bucket` and `date-truncate`.

use domain::mask::{DateUnit, HashClass, PARTIAL_TIMES};
use pg_query::protobuf::ColumnRef;
use pg_query::{Node, NodeEnum};

use super::build::{
    call, case, cast, collate, greatest, is_there, literal, no, number, op, or, parameter, word,
};

/// What a hidden text reads.
pub(super) const HIDDEN: &str = "***";
/// Bytes of the longest e-mail address that there is; what is longer is none, and is not searched.
pub(super) const EMAIL_BYTES_MAX: i32 = 320;
/// An e-mail address whose name has two characters at least, so that one is at most half of it.
pub(super) const EMAIL: &str = "^[^@]{2,}@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$";
/// One whose name has one character.
pub(super) const EMAIL_SHORT: &str = "^[^@]@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$";

/// A mask on a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    mask: domain::Mask,
    form: Form,
}

/// What is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    Null,
    Full,
    Partial { keep_first: i32, keep_last: i32 },
    Email,
    Hash(HashClass),
    Bucket { width: u64, of: Number },
    Truncate { unit: DateUnit, of: Moment },
}

/// The numbers that have buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Int2,
    Int4,
    Int8,
    Numeric,
    Float4,
    Float8,
}

/// The moments that are cut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Date,
    Timestamp,
    Timestamptz,
}

const TEXTS: &[&str] = &["text", "character varying", "character", "name"];
const WHOLE: &[&str] = &["smallint", "integer", "bigint"];

impl Mask {
    /// A mask as policy has it, on a column of any type that it fits: where no catalog is at hand.
    #[must_use]
    pub fn new(mask: domain::Mask) -> Self {
        // What fits nothing, which no mask does, would show nothing.
        let form = Form::of(&mask, None).unwrap_or(Form::Null);
        Self { mask, form }
    }

    /// The same for a column of this base type, as `format_type` writes it.
    ///
    /// # Errors
    /// When it does not fit the type: what would.
    pub(crate) fn fit(&self, base_type: &str) -> Result<Self, &'static str> {
        let form = Form::of(&self.mask, Some(base_type))?;
        Ok(Self { mask: self.mask.clone(), form })
    }

    /// As policy has it.
    pub(crate) fn policys(&self) -> &domain::Mask {
        &self.mask
    }

    /// Whether what comes out depends on a key.
    pub(crate) fn is_keyed(&self) -> bool {
        self.class().is_some()
    }

    pub(super) fn form(&self) -> &Form {
        &self.form
    }

    pub(super) fn class(&self) -> Option<&HashClass> {
        match &self.form {
            Form::Hash(class) => Some(class),
            _ => None,
        }
    }

    /// The functions that it calls.
    pub(super) fn calls(&self) -> &'static [&'static str] {
        match &self.form {
            Form::Null | Form::Full => &[],
            Form::Partial { .. } => &["char_length", "left", "right"],
            Form::Email => &["left", "octet_length", "split_part"],
            Form::Hash(_) => &["convert_to", "encode", "getdatabaseencoding", "sha256"],
            Form::Bucket { .. } => &["floor"],
            Form::Truncate { .. } => &["date_trunc"],
        }
    }

    /// Whether a text comes out, whatever the column's type.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.form, Form::Full | Form::Partial { .. } | Form::Email | Form::Hash(_))
    }

    /// What stands in the place of `column`. `key` is the parameter of a class's inner key; the outer
    /// one is the next.
    pub(super) fn expression(&self, column: &str, key: impl Fn(&HashClass) -> i32) -> Node {
        let raw = || {
            let fields = vec![word(column)];
            Node { node: Some(NodeEnum::ColumnRef(ColumnRef { fields, location: 0 })) }
        };
        let text = || cast(raw(), "text");
        let there = |value: Node| case(vec![(is_there(raw()), value)], None);
        match &self.form {
            // Never computed; it gives NULL the column's type, which only the catalog knows.
            Form::Null => case(vec![(no(), raw())], None),
            Form::Full => there(cast(literal(HIDDEN), "text")),
            Form::Partial { keep_first, keep_last } => {
                there(partial(&text, *keep_first, *keep_last))
            }
            Form::Email => there(email(&text)),
            Form::Hash(class) => there(hash(text(), key(class))),
            Form::Bucket { width, of } => there(of.bucket(&raw, *width)),
            Form::Truncate { unit, of } => there(of.truncate(&raw, *unit)),
        }
    }
}

impl Form {
    fn of(mask: &domain::Mask, base_type: Option<&str>) -> Result<Self, &'static str> {
        let is_citext = base_type.is_some_and(|t| t == "citext" || t.ends_with(".citext"));
        let is = |types: &[&str]| base_type.is_none_or(|t| types.contains(&t));
        let is_text = is(TEXTS) || is_citext;
        let is_word = is(WHOLE) || is(&["uuid"]);
        Ok(match mask {
            domain::Mask::Null => Self::Null,
            domain::Mask::Full => Self::Full,
            domain::Mask::Partial { keep_first, keep_last } if is_text || is_word => {
                Self::Partial {
                    // Policy has at most eight of them.
                    keep_first: i32::try_from(*keep_first).unwrap_or(0),
                    keep_last: i32::try_from(*keep_last).unwrap_or(0),
                }
            }
            domain::Mask::Partial { .. } => {
                return Err("`partial` fits texts, whole numbers and UUIDs; use full or null");
            }
            domain::Mask::Email if is_text => Self::Email,
            domain::Mask::Email => return Err("`email` fits texts; use full or null"),
            domain::Mask::KeyedHash { class } if is(TEXTS) || is_word => Self::Hash(class.clone()),
            domain::Mask::KeyedHash { .. } => {
                return Err(
                    "`keyed-hash` fits texts that are equal byte by byte, whole numbers and \
                            UUIDs; use partial, full or null",
                );
            }
            domain::Mask::Bucket { width } => {
                Self::Bucket { width: *width, of: Number::of(base_type)? }
            }
            domain::Mask::DateTruncate { unit } => {
                Self::Truncate { unit: *unit, of: Moment::of(base_type, *unit)? }
            }
        })
    }
}

fn partial(text: &impl Fn() -> Node, keep_first: i32, keep_last: i32) -> Node {
    let times = i32::try_from(PARTIAL_TIMES).unwrap_or(i32::MAX);
    let long = (keep_first + keep_last).saturating_mul(times);
    let is_long = op(call("char_length", [text()]), ">=", number(long));
    let ends = op(
        op(call("left", [text(), number(keep_first)]), "||", literal(HIDDEN)),
        "||",
        call("right", [text(), number(keep_last)]),
    );
    collate(case(vec![(is_long, ends)], Some(literal(HIDDEN))), "default")
}

fn email(text: &impl Fn() -> Node) -> Node {
    let bytes = || collate(text(), "C");
    let domain = || call("split_part", [bytes(), literal("@"), number(2)]);
    let hidden_at = || literal("***@");
    let too_long = op(call("octet_length", [text()]), ">", number(EMAIL_BYTES_MAX));
    let first = op(op(call("left", [bytes(), number(1)]), "||", hidden_at()), "||", domain());
    let whens = vec![
        (too_long, literal(HIDDEN)),
        (op(bytes(), "~", literal(EMAIL)), first),
        (op(bytes(), "~", literal(EMAIL_SHORT)), op(hidden_at(), "||", domain())),
    ];
    collate(case(whens, Some(literal(HIDDEN))), "default")
}

/// HMAC-SHA256 of a text, whose bytes are those of the database's encoding: converting to another one
/// could fail, and would quote what it fails on.
fn hash(text: Node, key: i32) -> Node {
    let bytes = call("convert_to", [text, call("getdatabaseencoding", [])]);
    let inner = call("sha256", [op(parameter(key), "||", bytes)]);
    let outer = call("sha256", [op(parameter(key + 1), "||", inner)]);
    call("encode", [outer, literal("hex")])
}

impl Number {
    fn of(base_type: Option<&str>) -> Result<Self, &'static str> {
        Ok(match base_type {
            Some("smallint") => Self::Int2,
            Some("integer") => Self::Int4,
            Some("bigint") => Self::Int8,
            Some("numeric") | None => Self::Numeric,
            Some("real") => Self::Float4,
            Some("double precision") => Self::Float8,
            Some(_) => return Err("`bucket` fits numbers; use full or null"),
        })
    }

    /// The type's name, and its lowest value where rounding down could leave it.
    pub(super) fn bounds(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Int2 => ("int2", Some("-32768")),
            Self::Int4 => ("int4", Some("-2147483648")),
            Self::Int8 => ("int8", Some("-9223372036854775808")),
            Self::Numeric => ("numeric", None),
            Self::Float4 => ("float4", None),
            Self::Float8 => ("float8", None),
        }
    }

    fn bucket(self, raw: &impl Fn() -> Node, width: u64) -> Node {
        let (own, lowest) = self.bounds();
        let wide = match self {
            Self::Float4 | Self::Float8 => "float8",
            _ => "numeric",
        };
        let width = || cast(literal(&width.to_string()), wide);
        let value = || cast(raw(), wide);
        let down = op(call("floor", [op(value(), "/", width())]), "*", width());
        let down = match (lowest, wide) {
            (Some(lowest), _) => greatest(down, cast(literal(lowest), wide)),
            // The division of a tiny float fails; its bucket is known without.
            (None, "float8") => {
                let than = |sign, n| op(value(), sign, cast(literal(n), wide));
                let zero = || cast(literal("0"), wide);
                let whens = vec![
                    (or(than(">=", "1"), than("<=", "-1")), down),
                    (than("<", "0"), op(zero(), "-", width())),
                ];
                case(whens, Some(zero()))
            }
            (None, _) => down,
        };
        cast(down, own)
    }
}

/// Moments before and from which truncation could leave a type; what is outside becomes infinite.
pub(super) const MOMENT_MIN: &str = "4713-01-01 00:00:00 BC";
pub(super) const MOMENT_MAX: &str = "294276-01-01 00:00:00";

impl Moment {
    fn of(base_type: Option<&str>, unit: DateUnit) -> Result<Self, &'static str> {
        Ok(match base_type {
            Some("date") if matches!(unit, DateUnit::Hour | DateUnit::Day) => {
                return Err("a date is shown as it is by the units hour and day; use week or more");
            }
            Some("date") => Self::Date,
            Some("timestamp without time zone") => Self::Timestamp,
            Some("timestamp with time zone") | None => Self::Timestamptz,
            Some(_) => return Err("`date-truncate` fits dates and timestamps; use full or null"),
        })
    }

    /// The type's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Timestamptz => "timestamptz",
        }
    }

    fn truncate(self, raw: &impl Fn() -> Node, unit: DateUnit) -> Node {
        let own = self.name();
        let at = |moment: &str| cast(literal(moment), own);
        let unit = literal(unit.as_str());
        let down = match self {
            Self::Date => cast(call("date_trunc", [unit, cast(raw(), "timestamp")]), own),
            Self::Timestamp => call("date_trunc", [unit, raw()]),
            // The zone is ours, whatever the session's is.
            Self::Timestamptz => call("date_trunc", [unit, raw(), literal("UTC")]),
        };
        let whens = vec![
            (op(raw(), "<", at(MOMENT_MIN)), at("-infinity")),
            (op(raw(), ">=", at(MOMENT_MAX)), at("infinity")),
        ];
        case(whens, Some(down))
    }
}
