//! Values between PostgreSQL and us. Nothing is lost: common types are read from their binary form,
//! the others from the text that the server's own output function makes of them.
//!
//! Arrays, ranges, composites, addresses and types of extensions are [`Value::Other`], with that
//! text. An enum is text: its type is in the column.

use domain::Value;
use tokio_postgres::types::{FromSql, Kind, Type};

use super::{numeric, temporal};

/// How a column of the result is fetched and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) read: Read,
    /// The server turns it into text first.
    pub(super) as_text: bool,
    /// A value can be large, so the server measures it before it sends it.
    pub(super) unbounded: bool,
}

/// What the bytes of a cell are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Read {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Bytes,
    Uuid,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    Text,
    Json,
    /// A duration or a time with zone, in the server's words.
    Temporal,
    /// Any other type, by its name.
    Other(String),
}

impl Form {
    pub(super) fn of(column: &Type) -> Self {
        let binary = |read| Self { read, as_text: false, unbounded: false };
        let large = |read| Self { read, as_text: false, unbounded: true };
        let words = |read| Self { read, as_text: true, unbounded: true };
        match *column {
            Type::BOOL => binary(Read::Bool),
            Type::INT2 => binary(Read::Int2),
            Type::INT4 => binary(Read::Int4),
            Type::INT8 => binary(Read::Int8),
            Type::OID => binary(Read::Oid),
            Type::FLOAT4 => binary(Read::Float4),
            Type::FLOAT8 => binary(Read::Float8),
            // At most 147,455 digits.
            Type::NUMERIC => binary(Read::Numeric),
            Type::UUID => binary(Read::Uuid),
            Type::DATE => binary(Read::Date),
            Type::TIME => binary(Read::Time),
            Type::TIMESTAMP => binary(Read::Timestamp),
            Type::TIMESTAMPTZ => binary(Read::Timestamptz),
            Type::NAME => binary(Read::Text),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR => large(Read::Text),
            Type::BYTEA => large(Read::Bytes),
            Type::JSON | Type::JSONB => words(Read::Json),
            Type::INTERVAL | Type::TIMETZ => words(Read::Temporal),
            _ if matches!(column.kind(), Kind::Enum(_)) => binary(Read::Text),
            _ => words(Read::Other(type_name(column))),
        }
    }
}

/// A type's name as people write it; with its schema, unless that is PostgreSQL's own.
pub(super) fn type_name(of: &Type) -> String {
    match of.kind() {
        Kind::Array(element) => format!("{}[]", type_name(element)),
        _ if of.schema() == "pg_catalog" => of.name().to_owned(),
        _ => format!("{}.{}", of.schema(), of.name()),
    }
}

/// The bytes of a cell, whatever its type.
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Reads a cell that is not NULL. The error says what the bytes are not.
pub(super) fn read(kind: &Read, raw: &[u8]) -> Result<Value, &'static str> {
    Ok(match kind {
        Read::Bool => Value::Boolean(bytes::<1>(raw)? != [0]),
        Read::Int2 => Value::Int64(i16::from_be_bytes(bytes(raw)?).into()),
        Read::Int4 => Value::Int64(i32::from_be_bytes(bytes(raw)?).into()),
        Read::Int8 => Value::Int64(i64::from_be_bytes(bytes(raw)?)),
        Read::Oid => Value::Int64(u32::from_be_bytes(bytes(raw)?).into()),
        Read::Float4 => Value::Float64(f32::from_be_bytes(bytes(raw)?).into()),
        Read::Float8 => Value::Float64(f64::from_be_bytes(bytes(raw)?)),
        Read::Numeric => numeric::read(raw)?,
        Read::Bytes => Value::Bytes(raw.to_vec()),
        Read::Uuid => Value::Uuid(uuid::Uuid::from_bytes(bytes(raw)?).to_string()),
        Read::Date => Value::Temporal(temporal::date(i32::from_be_bytes(bytes(raw)?))),
        Read::Time => Value::Temporal(temporal::time(i64::from_be_bytes(bytes(raw)?))),
        Read::Timestamp => Value::Temporal(temporal::timestamp(i64::from_be_bytes(bytes(raw)?))),
        Read::Timestamptz => temporal::timestamptz(i64::from_be_bytes(bytes(raw)?)),
        Read::Text => Value::Text(text(raw)?),
        Read::Json => Value::Json(text(raw)?),
        Read::Temporal => Value::Temporal(text(raw)?),
        Read::Other(name) => Value::Other(name.clone(), text(raw)?),
    })
}

fn bytes<const N: usize>(raw: &[u8]) -> Result<[u8; N], &'static str> {
    raw.try_into().map_err(|_| "its binary form has another size than its type")
}

fn text(raw: &[u8]) -> Result<String, &'static str> {
    std::str::from_utf8(raw).map(str::to_owned).map_err(|_| "it is not UTF-8")
}
