//! From a struct to named cells, through serde.
//!
//! serde_json is not used for the struct itself because its maps lose the order of fields, which is
//! the order of columns. Only single cells go through it: lists and structs inside a field become
//! JSON text.

use serde::Serialize;
use serde::ser::{Impossible, SerializeStruct, Serializer};

use crate::Value;

type Cells = Vec<(&'static str, Value)>;
type Failure = serde_json::Error;

/// The cells of a struct, in the order of its fields.
pub(super) fn of<T: Serialize + ?Sized>(item: &T) -> Result<Cells, Failure> {
    item.serialize(Row)
}

fn cell<T: Serialize + ?Sized>(field: &T) -> Result<Value, Failure> {
    Ok(match serde_json::to_value(field)? {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(v) => Value::Boolean(v),
        serde_json::Value::String(v) => Value::Text(v),
        serde_json::Value::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(v), _) => Value::Int64(v),
            // Above i64::MAX: exact as a decimal.
            (None, _) if n.is_u64() => Value::Decimal(n.to_string()),
            (None, Some(v)) => Value::Float64(v),
            (None, None) => Value::Decimal(n.to_string()),
        },
        nested @ (serde_json::Value::Array(_) | serde_json::Value::Object(_)) => {
            Value::Json(nested.to_string())
        }
    })
}

fn not_a_struct<T>(what: &str) -> Result<T, Failure> {
    Err(serde::ser::Error::custom(format!("a row is a struct with named fields, not {what}")))
}

struct Row;

struct Fields(Cells);

impl SerializeStruct for Fields {
    type Ok = Cells;
    type Error = Failure;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        field: &T,
    ) -> Result<(), Failure> {
        self.0.push((name, cell(field)?));
        Ok(())
    }

    fn end(self) -> Result<Cells, Failure> {
        Ok(self.0)
    }
}

/// Methods that refuse everything that has no named fields.
macro_rules! refuse {
    ($($method:ident($($type:ty),*) is $what:literal;)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<Cells, Failure> {
            not_a_struct($what)
        })*
    };
    (compound $($method:ident($($type:ty),*) -> $associated:ident is $what:literal;)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<Self::$associated, Failure> {
            not_a_struct($what)
        })*
    };
}

impl Serializer for Row {
    type Ok = Cells;
    type Error = Failure;
    type SerializeStruct = Fields;
    type SerializeSeq = Impossible<Cells, Failure>;
    type SerializeTuple = Impossible<Cells, Failure>;
    type SerializeTupleStruct = Impossible<Cells, Failure>;
    type SerializeTupleVariant = Impossible<Cells, Failure>;
    type SerializeMap = Impossible<Cells, Failure>;
    type SerializeStructVariant = Impossible<Cells, Failure>;

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Fields, Failure> {
        Ok(Fields(Vec::with_capacity(len)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        inner: &T,
    ) -> Result<Cells, Failure> {
        inner.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, inner: &T) -> Result<Cells, Failure> {
        inner.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Cells, Failure> {
        not_a_struct("an enum")
    }

    refuse! {
        serialize_bool(bool) is "a boolean";
        serialize_i8(i8) is "a number";
        serialize_i16(i16) is "a number";
        serialize_i32(i32) is "a number";
        serialize_i64(i64) is "a number";
        serialize_u8(u8) is "a number";
        serialize_u16(u16) is "a number";
        serialize_u32(u32) is "a number";
        serialize_u64(u64) is "a number";
        serialize_f32(f32) is "a number";
        serialize_f64(f64) is "a number";
        serialize_char(char) is "a character";
        serialize_str(&str) is "text";
        serialize_bytes(&[u8]) is "bytes";
        serialize_none() is "nothing";
        serialize_unit() is "nothing";
        serialize_unit_struct(&'static str) is "nothing";
        serialize_unit_variant(&'static str, u32, &'static str) is "an enum";
    }

    refuse! { compound
        serialize_seq(Option<usize>) -> SerializeSeq is "a list";
        serialize_tuple(usize) -> SerializeTuple is "a tuple";
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct is "a tuple";
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
            -> SerializeTupleVariant is "an enum";
        serialize_map(Option<usize>) -> SerializeMap is "a map or a flattened struct";
        serialize_struct_variant(&'static str, u32, &'static str, usize)
            -> SerializeStructVariant is "an enum";
    }
}
