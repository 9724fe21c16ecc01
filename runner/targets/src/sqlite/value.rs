//! Values between SQLite and us. A column's declared type says what a cell means; where the stored
//! value does not have that form, and for expressions, its storage class decides.
//!
//! Nothing is lost: text that has the declared form keeps its digits; other text stays text.

use domain::{ParamType, Value};
use rusqlite::types::{Value as Sqlite, ValueRef};

use crate::TargetError;
use crate::form::{has_form, is_decimal};

/// A cell of a column declared as `declared` (empty for an expression), which means `kind`.
pub(super) fn from_sqlite(kind: Kind, declared: &str, cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(i) => match kind {
            Kind::Boolean if i == 0 || i == 1 => Value::Boolean(i == 1),
            Kind::Decimal => Value::Decimal(i.to_string()),
            _ => Value::Int64(i),
        },
        ValueRef::Real(f) => match kind {
            // The shortest text that gives the same double: SQLite keeps no more than that.
            Kind::Decimal if f.is_finite() => Value::Decimal(f.to_string()),
            _ => Value::Float64(f),
        },
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => from_text(kind, declared, text),
            // Not text to anybody else: its bytes are the truth.
            _ => Value::Bytes(bytes.into()),
        },
        ValueRef::Blob(bytes) => match kind {
            Kind::Uuid if bytes.len() == 16 => uuid::Uuid::from_slice(bytes)
                .map_or_else(|_| Value::Bytes(bytes.into()), |u| Value::Uuid(u.to_string())),
            _ => Value::Bytes(bytes.into()),
        },
    }
}

/// What a declared type means for the cells of its column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Decimal,
    Date,
    Time,
    Timestamp,
    Uuid,
    Json,
    Plain,
}

impl Kind {
    /// The kind of a declared type; found once a column, not once a cell.
    pub(super) fn of(declared: &str) -> Self {
        let name = declared.split('(').next().unwrap_or_default().trim().to_ascii_uppercase();
        match name.as_str() {
            "BOOLEAN" | "BOOL" => Self::Boolean,
            "NUMERIC" | "DECIMAL" | "MONEY" => Self::Decimal,
            "DATE" => Self::Date,
            "TIME" => Self::Time,
            "TIMESTAMP" | "TIMESTAMPTZ" | "DATETIME" => Self::Timestamp,
            "UUID" | "GUID" => Self::Uuid,
            "JSON" | "JSONB" => Self::Json,
            _ => Self::Plain,
        }
    }
}

fn from_text(kind: Kind, declared: &str, text: &str) -> Value {
    let plain = || Value::Text(text.into());
    match kind {
        Kind::Boolean | Kind::Plain => plain(),
        Kind::Decimal if is_decimal(text) => Value::Decimal(text.into()),
        Kind::Date if has_form(text, "dddd-dd-dd") => Value::Temporal(text.into()),
        Kind::Time if has_form(text, "dd:dd:dd") => Value::Temporal(text.into()),
        Kind::Timestamp => utc(text).map_or_else(|| other(declared, text), Value::Timestamp),
        Kind::Uuid => {
            uuid::Uuid::parse_str(text).map_or_else(|_| plain(), |u| Value::Uuid(u.to_string()))
        }
        Kind::Json if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => {
            Value::Json(text.into())
        }
        Kind::Decimal | Kind::Date | Kind::Time | Kind::Json => other(declared, text),
    }
}

fn other(declared: &str, text: &str) -> Value {
    Value::Other(declared.into(), text.into())
}

/// RFC 3339 in UTC, from SQLite's own form (which its functions take for UTC) or from RFC 3339
/// with a zero offset. Other offsets stay as they are.
fn utc(text: &str) -> Option<String> {
    let (date, rest) = text.split_once([' ', 'T'])?;
    let rest = rest.strip_suffix('Z').or_else(|| rest.strip_suffix("+00:00")).unwrap_or(rest);
    let (time, fraction) = rest.split_once('.').map_or((rest, None), |(t, f)| (t, Some(f)));
    let digits = fraction
        .is_none_or(|f| (1..=9).contains(&f.len()) && f.bytes().all(|c| c.is_ascii_digit()));
    let fits = has_form(date, "dddd-dd-dd") && has_form(time, "dd:dd:dd") && digits;
    fits.then(|| format!("{date}T{rest}Z"))
}

/// Parameters as SQLite takes them.
pub(super) fn to_sqlite_all(params: &[(ParamType, Value)]) -> Result<Vec<Sqlite>, TargetError> {
    let one = |(n, (param_type, value)): (usize, &(ParamType, Value))| {
        to_sqlite(*param_type, value).ok_or_else(|| {
            let problem = format!("${} does not have its declared type {param_type:?}", n + 1);
            TargetError::BadParameters { problem }
        })
    };
    params.iter().enumerate().map(one).collect()
}

/// `None` when the value is not of the type. Decimals, UUIDs, times and JSON go as text, as SQLite
/// databases keep them; NaN, which SQLite would turn into NULL, is refused.
fn to_sqlite(param_type: ParamType, value: &Value) -> Option<Sqlite> {
    Some(match (param_type, value) {
        (_, Value::Null) => Sqlite::Null,
        (ParamType::Bool, Value::Boolean(b)) => Sqlite::Integer(i64::from(*b)),
        (ParamType::Int8, Value::Int64(i)) => Sqlite::Integer(*i),
        (ParamType::Float8, Value::Float64(f)) if !f.is_nan() => Sqlite::Real(*f),
        (ParamType::Bytea, Value::Bytes(b)) => Sqlite::Blob(b.clone()),
        (ParamType::Numeric, Value::Decimal(s)) if is_decimal(s) => Sqlite::Text(s.clone()),
        (ParamType::Text, Value::Text(s))
        | (ParamType::Uuid, Value::Uuid(s))
        | (ParamType::Date, Value::Temporal(s))
        | (ParamType::Timestamptz, Value::Timestamp(s))
        | (ParamType::Json, Value::Json(s)) => Sqlite::Text(s.clone()),
        _ => return None,
    })
}
