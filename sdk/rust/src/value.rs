//! Values: query parameters, cells and the columns that they stand in.
//!
//! The same cases as `value` in the host contract. Exact types are text: an amount of money must
//! not pass through a double on its way to the reader.

use crate::bindings::borescope::debug::types as host;

/// One cell or parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A 64-bit signed integer.
    Int64(i64),
    /// A double.
    Float64(f64),
    /// An exact decimal, base 10.
    Decimal(String),
    /// Text.
    Text(String),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// A UUID, lower case with hyphens.
    Uuid(String),
    /// RFC 3339 in UTC, or `infinity` / `-infinity`.
    Timestamp(String),
    /// A date, time of day or interval.
    Temporal(String),
    /// JSON text.
    Json(String),
    /// Any other type: its name at the database, its text form.
    Other(String, String),
}

impl Value {
    /// The case's name, as in the host contract; tables use it as a column's type.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Int64(_) => "int64",
            Self::Float64(_) => "float64",
            Self::Decimal(_) => "decimal",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Uuid(_) => "uuid",
            Self::Timestamp(_) => "timestamp",
            Self::Temporal(_) => "temporal",
            Self::Json(_) => "json",
            Self::Other(..) => "other",
        }
    }
}

/// A column of a query's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name as the query gave it.
    pub name: String,
    /// Its type as the database names it.
    pub type_name: String,
}

/// Conversions from the Rust types that a parameter or cell is usually made of.
macro_rules! from {
    ($($type:ty => |$v:ident| $value:expr;)*) => {
        $(impl From<$type> for Value {
            fn from($v: $type) -> Self {
                $value
            }
        })*
    };
}

from! {
    bool => |v| Self::Boolean(v);
    i64 => |v| Self::Int64(v);
    i32 => |v| Self::Int64(v.into());
    u32 => |v| Self::Int64(v.into());
    u8 => |v| Self::Int64(v.into());
    // Above i64::MAX an integer is still exact as a decimal.
    u64 => |v| i64::try_from(v).map_or_else(|_| Self::Decimal(v.to_string()), Self::Int64);
    f64 => |v| Self::Float64(v);
    &str => |v| Self::Text(v.to_owned());
    &String => |v| Self::Text(v.clone());
    String => |v| Self::Text(v);
    Vec<u8> => |v| Self::Bytes(v);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<host::Value> for Value {
    fn from(value: host::Value) -> Self {
        match value {
            host::Value::Null => Self::Null,
            host::Value::Boolean(v) => Self::Boolean(v),
            host::Value::Int64(v) => Self::Int64(v),
            host::Value::Float64(v) => Self::Float64(v),
            host::Value::Decimal(v) => Self::Decimal(v),
            host::Value::Text(v) => Self::Text(v),
            host::Value::Bytes(v) => Self::Bytes(v),
            host::Value::Uuid(v) => Self::Uuid(v),
            host::Value::Timestamp(v) => Self::Timestamp(v),
            host::Value::Temporal(v) => Self::Temporal(v),
            host::Value::Json(v) => Self::Json(v),
            host::Value::Other((name, text)) => Self::Other(name, text),
        }
    }
}

impl From<Value> for host::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(v) => Self::Boolean(v),
            Value::Int64(v) => Self::Int64(v),
            Value::Float64(v) => Self::Float64(v),
            Value::Decimal(v) => Self::Decimal(v),
            Value::Text(v) => Self::Text(v),
            Value::Bytes(v) => Self::Bytes(v),
            Value::Uuid(v) => Self::Uuid(v),
            Value::Timestamp(v) => Self::Timestamp(v),
            Value::Temporal(v) => Self::Temporal(v),
            Value::Json(v) => Self::Json(v),
            Value::Other(name, text) => Self::Other((name, text)),
        }
    }
}

impl From<host::Column> for Column {
    fn from(column: host::Column) -> Self {
        Self { name: column.name, type_name: column.type_name }
    }
}

impl From<Column> for host::Column {
    fn from(column: Column) -> Self {
        Self { name: column.name, type_name: column.type_name }
    }
}
