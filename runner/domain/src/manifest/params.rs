//! Where a query's parameters come from: the approved input (`from`) or the script.
//!
//! Types are checked here, on the host, before anything reaches a target.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Param, Query};
use crate::text::ParseError;
use crate::value::{ParamType, Value};

/// Why a parameter list does not fit a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// The script passed a parameter that the host fills.
    #[error("parameter {0} is filled from the approved input; the script may not pass it")]
    FilledByHost(String),
    /// The script passed a parameter that the query does not have, or one twice.
    #[error("the query has no parameter {0}, or it was passed twice")]
    Unknown(String),
    /// The script left a parameter out.
    #[error("parameter {0} was not passed")]
    Missing(String),
    /// A value of another type.
    #[error("parameter {name} is {expected:?}; the value given is not")]
    Type {
        /// The parameter.
        name: String,
        /// Its type.
        expected: ParamType,
    },
    /// The approved input has nothing where `from` points.
    #[error(
        "parameter {name}: the input has nothing at {pointer}; give it, or mark the parameter optional"
    )]
    NotInInput {
        /// The parameter.
        name: String,
        /// The JSON pointer.
        pointer: String,
    },
}

impl Query {
    /// Binds all parameters in the order `$1`, `$2` …: those with `from` out of `input`, the others
    /// out of what the script passed.
    ///
    /// # Errors
    /// Names the parameter and what is wrong with it.
    pub fn bind(
        &self,
        input: Option<&Json>,
        passed: Vec<(String, Value)>,
    ) -> Result<Vec<Value>, ParamError> {
        let mut by_name = BTreeMap::new();
        for (name, value) in passed {
            let param = self.params.iter().find(|p| p.name.as_str() == name);
            match param {
                Some(p) if p.from.is_some() => return Err(ParamError::FilledByHost(name)),
                Some(_) if !by_name.contains_key(&name) => by_name.insert(name, value),
                _ => return Err(ParamError::Unknown(crate::display::neutralise(&name))),
            };
        }
        self.params.iter().map(|p| p.value(input, by_name.remove(p.name.as_str()))).collect()
    }

    /// The parameters that the host fills from the approved input, so that a run whose input lacks
    /// one is refused before it starts.
    ///
    /// # Errors
    /// As [`Self::bind`].
    pub fn check_input(&self, input: Option<&Json>) -> Result<(), ParamError> {
        self.params
            .iter()
            .filter(|p| p.from.is_some())
            .try_for_each(|p| p.value(input, None).map(drop))
    }
}

impl Param {
    fn value(&self, input: Option<&Json>, passed: Option<Value>) -> Result<Value, ParamError> {
        let name = || self.name.to_string();
        let wrong_type = || ParamError::Type { name: name(), expected: self.param_type };
        let Some(pointer) = &self.from else {
            let value = passed.ok_or_else(|| ParamError::Missing(name()))?;
            return if self.param_type.accepts(&value) { Ok(value) } else { Err(wrong_type()) };
        };
        match input.and_then(|i| i.pointer(pointer)) {
            None | Some(Json::Null) if self.optional => Ok(Value::Null),
            None => Err(ParamError::NotInInput { name: name(), pointer: pointer.clone() }),
            Some(json) => self.param_type.from_json(json).ok_or_else(wrong_type),
        }
    }
}

impl ParamType {
    /// Whether a value of a script may stand for a parameter of this type. NULL always may.
    #[must_use]
    pub fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Null)
            | (Self::Bool, Value::Boolean(_))
            | (Self::Int8, Value::Int64(_))
            | (Self::Float8, Value::Float64(_))
            | (Self::Text, Value::Text(_))
            | (Self::Bytea, Value::Bytes(_)) => true,
            (Self::Numeric, Value::Decimal(s)) => is_decimal(s),
            (Self::Uuid, Value::Uuid(s)) => is_uuid(s),
            (Self::Date, Value::Temporal(s)) => is_date(s),
            (Self::Timestamptz, Value::Timestamp(s)) => instant(s).is_ok(),
            (Self::Json, Value::Json(s)) => crate::schema::parse_json(s.as_bytes()).is_ok(),
            _ => false,
        }
    }

    /// The value that approved input stands for, or `None` when it is of another type. Timestamps are
    /// normalised to UTC.
    #[must_use]
    pub fn from_json(self, json: &Json) -> Option<Value> {
        let text = json.as_str();
        match self {
            Self::Bool => json.as_bool().map(Value::Boolean),
            Self::Int8 => json.as_i64().map(Value::Int64),
            Self::Float8 => json.as_f64().map(Value::Float64),
            Self::Numeric => {
                let s = text.map_or_else(|| json.to_string(), str::to_owned);
                is_decimal(&s).then_some(Value::Decimal(s))
            }
            Self::Text => text.map(|s| Value::Text(s.to_owned())),
            Self::Bytea => text.and_then(|s| hex::decode(s).ok()).map(Value::Bytes),
            Self::Uuid => text.filter(|s| is_uuid(s)).map(|s| Value::Uuid(s.to_owned())),
            Self::Date => text.filter(|s| is_date(s)).map(|s| Value::Temporal(s.to_owned())),
            Self::Timestamptz => text.and_then(|s| instant(s).ok()).map(Value::Timestamp),
            Self::Json => Some(Value::Json(json.to_string())),
        }
    }
}

fn is_decimal(s: &str) -> bool {
    let digits = s.strip_prefix('-').unwrap_or(s);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |t: &str| !t.is_empty() && t.len() <= 100 && t.bytes().all(|b| b.is_ascii_digit());
    all(whole) && all(fraction)
}

fn is_uuid(s: &str) -> bool {
    uuid::Uuid::try_parse(s).is_ok_and(|u| u.hyphenated().to_string() == s)
}

fn is_date(s: &str) -> bool {
    s.len() == 10 && s.parse::<jiff::civil::Date>().is_ok()
}

/// RFC 3339 with any offset, as RFC 3339 in UTC with the precision given.
fn instant(s: &str) -> Result<String, ParseError> {
    let parsed = s.parse::<jiff::Timestamp>();
    parsed
        .map(|t| t.to_string())
        .map_err(|_| ParseError::new("timestamp", s, "RFC 3339 with an offset"))
}

#[cfg(test)]
mod tests;
