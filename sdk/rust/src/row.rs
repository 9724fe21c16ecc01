//! From a row's cells to a struct, through serde.
//!
//! Fields take the column of their name; columns without a field are ignored unless the struct says
//! `deny_unknown_fields`. Text of exact types (decimal, uuid, timestamp) fills a `String`; SQLite
//! has no booleans, so 0 and 1 fill a `bool`. The way back, structs to tables, is `table`.

#[cfg(test)]
mod tests;

use serde::Deserializer;
use serde::de::value::{Error as FieldError, MapDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use crate::{Column, Error, Result, Value};

/// One row as a struct.
pub(crate) fn from_cells<T: DeserializeOwned>(columns: &[Column], cells: Vec<Value>) -> Result<T> {
    let names = columns.iter().map(|c| c.name.as_str());
    T::deserialize(MapDeserializer::new(names.zip(cells.into_iter().map(Cell))))
        .map_err(|e| Error::Invalid(format!("a row does not fit its struct: {e}")))
}

struct Cell(Value);

impl IntoDeserializer<'_, FieldError> for Cell {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Cell {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Boolean(v) => visitor.visit_bool(v),
            Value::Int64(v) => visitor.visit_i64(v),
            Value::Float64(v) => visitor.visit_f64(v),
            Value::Bytes(v) => visitor.visit_byte_buf(v),
            Value::Json(text) => match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(json) => json.deserialize_any(visitor).map_err(serde::de::Error::custom),
                Err(e) => Err(serde::de::Error::custom(e)),
            },
            Value::Decimal(v)
            | Value::Text(v)
            | Value::Uuid(v)
            | Value::Timestamp(v)
            | Value::Temporal(v)
            | Value::Other(_, v) => visitor.visit_string(v),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Int64(v @ (0 | 1)) => visitor.visit_bool(v == 1),
            Value::Int64(v) => {
                Err(serde::de::Error::invalid_value(Unexpected::Signed(v), &"0 or 1"))
            }
            other => Self(other).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            other => visitor.visit_some(Self(other)),
        }
    }

    /// A `String` takes JSON as the text it is.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Json(text) => visitor.visit_string(text),
            other => Self(other).deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.deserialize_string(visitor)
    }

    /// Text names a unit variant, so a column of states can be an enum.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Text(v) => {
                let variant: serde::de::value::StringDeserializer<FieldError> =
                    v.into_deserializer();
                variant.deserialize_enum(name, variants, visitor)
            }
            other => Self(other).deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}
