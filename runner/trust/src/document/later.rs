//! Types of the fields whose features come later: each accepts one value and refuses any other by
//! name, so that a document of today can never mean more than today's code enforces.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

macro_rules! only {
    ($($(#[$doc:meta])* $name:ident = $value:expr, $text:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name;

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                $value.serialize(s)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if Value::deserialize(d)? == $value {
                    return Ok(Self);
                }
                let what = concat!("this value is not supported yet; only ", $text, " is accepted");
                Err(serde::de::Error::custom(what))
            }
        }
    )*};
}

only! {
    /// `null`
    NullOnly = Value::Null, "null";
    /// Everything is recorded: `"full"`
    Full = json!("full"), "\"full\"";
    /// The sandbox shares the runner's process: `"in-process"`
    InProcess = json!("in-process"), "\"in-process\"";
}
