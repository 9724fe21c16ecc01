//! Values that cross the sandbox: query parameters, cells, columns and result tables.
//!
//! The same shapes as `value` in the host contract (`sdk/wit`); connectors produce them, the
//! sandbox lifts them, recordings and results carry them. Exact types are kept as text.

use serde::{Deserialize, Serialize};

/// One cell or parameter. The serde form is the one in recordings and results:
/// `{"int64": 5}`, `"null"`, `{"other": ["inet", "10.0.0.1"]}`; bytes are hex.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A 64-bit signed integer.
    Int64(i64),
    /// An IEEE 754 double; NaN and infinities survive a recording as text.
    Float64(#[serde(with = "float_text")] f64),
    /// An exact decimal, base 10.
    Decimal(String),
    /// Text.
    Text(String),
    /// Raw bytes.
    Bytes(#[serde(with = "hex_bytes")] Vec<u8>),
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
    /// The size that limits count: payload bytes, at least 1 a cell.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        let n = match self {
            Self::Null | Self::Boolean(_) => 1,
            Self::Int64(_) | Self::Float64(_) => 8,
            Self::Decimal(s)
            | Self::Text(s)
            | Self::Uuid(s)
            | Self::Timestamp(s)
            | Self::Temporal(s)
            | Self::Json(s) => s.len(),
            Self::Bytes(b) => b.len(),
            Self::Other(t, s) => t.len() + s.len(),
        };
        n.max(1) as u64
    }
}

/// Types that a query parameter may have; the same for all engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParamType {
    /// true or false
    Bool,
    /// 64-bit integer
    Int8,
    /// double
    Float8,
    /// exact decimal
    Numeric,
    /// text
    Text,
    /// bytes; hex in JSON input
    Bytea,
    /// UUID
    Uuid,
    /// date, YYYY-MM-DD
    Date,
    /// RFC 3339 with offset
    Timestamptz,
    /// JSON
    Json,
}

/// A column of a query's result or of an output table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name as the database or the script gave it.
    pub name: String,
    /// Its type as the database or the script named it.
    #[serde(rename = "type")]
    pub db_type: String,
}

/// A table in a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name, chosen by the script.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows; each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
}

mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(v: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(v))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        hex::decode(String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// Doubles as text: JSON has neither NaN nor infinities, and a recording must not round.
mod float_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(v: &f64, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(v)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
