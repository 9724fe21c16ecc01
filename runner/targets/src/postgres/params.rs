//! Parameters as PostgreSQL takes them: each with its declared type, none converted by guessing.
//!
//! Numerics, UUIDs, dates, moments and JSON go as text, which the server reads as that type; their
//! form is checked before, because it reads words such as `now` and `today` too.

use bytes::{BufMut as _, BytesMut};
use domain::{ParamType, Value};
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use crate::TargetError;
use crate::form::{has_form, is_decimal};

/// The type that a parameter is declared with.
pub(super) fn type_of(param_type: ParamType) -> Type {
    match param_type {
        ParamType::Bool => Type::BOOL,
        ParamType::Int8 => Type::INT8,
        ParamType::Float8 => Type::FLOAT8,
        ParamType::Numeric => Type::NUMERIC,
        ParamType::Text => Type::TEXT,
        ParamType::Bytea => Type::BYTEA,
        ParamType::Uuid => Type::UUID,
        ParamType::Date => Type::DATE,
        ParamType::Timestamptz => Type::TIMESTAMPTZ,
        ParamType::Json => Type::JSON,
    }
}

/// A value that has its declared type, or a key of ours.
#[derive(Clone, Copy)]
pub(super) enum Bound<'a> {
    Value(&'a Value),
    Key(&'a [u8]),
}

impl std::fmt::Debug for Bound<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Checks each value against its declared type.
pub(super) fn bind(params: &[(ParamType, Value)]) -> Result<Vec<Bound<'_>>, TargetError> {
    let one = |(n, (param_type, value)): (usize, &'_ (ParamType, Value))| {
        if has_type(*param_type, value) {
            return Ok(());
        }
        let problem = format!("${} does not have its declared type {param_type:?}", n + 1);
        Err(TargetError::BadParameters { problem })
    };
    params.iter().enumerate().try_for_each(one)?;
    Ok(params.iter().map(|(_, value)| Bound::Value(value)).collect())
}

fn has_type(param_type: ParamType, value: &Value) -> bool {
    match (param_type, value) {
        (_, Value::Null)
        | (ParamType::Bool, Value::Boolean(_))
        | (ParamType::Int8, Value::Int64(_))
        | (ParamType::Float8, Value::Float64(_))
        | (ParamType::Bytea, Value::Bytes(_)) => true,
        (ParamType::Text, Value::Text(s)) => !s.contains('\0'),
        (ParamType::Numeric, Value::Decimal(s)) => is_decimal(s),
        (ParamType::Uuid, Value::Uuid(s)) => uuid::Uuid::parse_str(s).is_ok(),
        (ParamType::Date, Value::Temporal(s)) => has_form(s, "dddd-dd-dd"),
        (ParamType::Timestamptz, Value::Timestamp(s)) => is_moment(s),
        (ParamType::Json, Value::Json(s)) => {
            serde_json::from_str::<serde::de::IgnoredAny>(s).is_ok()
        }
        _ => false,
    }
}

/// RFC 3339 in UTC, or an infinity.
fn is_moment(text: &str) -> bool {
    if matches!(text, "infinity" | "-infinity") {
        return true;
    }
    let Some(local) = text.strip_suffix('Z') else { return false };
    let (seconds, fraction) = local.split_once('.').unwrap_or((local, "0"));
    has_form(seconds, "dddd-dd-ddTdd:dd:dd")
        && (1..=9).contains(&fraction.len())
        && fraction.bytes().all(|c| c.is_ascii_digit())
}

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let value = match self {
            Self::Value(value) => value,
            Self::Key(key) => {
                out.put_slice(key);
                return Ok(IsNull::No);
            }
        };
        match value {
            Value::Null => return Ok(IsNull::Yes),
            Value::Boolean(b) => out.put_u8(u8::from(*b)),
            Value::Int64(i) => out.put_i64(*i),
            Value::Float64(f) => out.put_f64(*f),
            Value::Bytes(b) => out.put_slice(b),
            Value::Decimal(s)
            | Value::Text(s)
            | Value::Uuid(s)
            | Value::Timestamp(s)
            | Value::Temporal(s)
            | Value::Json(s)
            | Value::Other(_, s) => out.put_slice(s.as_bytes()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        // `bind` has compared it with the type that the statement is declared with.
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        match self {
            Self::Key(_)
            | Self::Value(
                Value::Boolean(_) | Value::Int64(_) | Value::Float64(_) | Value::Bytes(_),
            ) => Format::Binary,
            Self::Value(_) => Format::Text,
        }
    }

    to_sql_checked!();
}
