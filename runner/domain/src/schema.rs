//! Input: strict JSON, and the closed subset of JSON Schema that describes it.
//!
//! The subset has no references and linear-time patterns, so that validating hostile input against a
//! hostile schema is cheap. Validation itself is the `jsonschema` crate's.

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

/// Bytes of an input.
pub const INPUT_BYTES_MAX: usize = 1 << 20;
/// Bytes of a schema.
pub const SCHEMA_BYTES_MAX: usize = 64 << 10;

/// Patterns of one schema; each is compiled when the schema is read.
pub const PATTERNS_MAX: usize = 32;
/// Bytes of one pattern.
pub const PATTERN_BYTES_MAX: usize = 256;
/// Bytes of one compiled pattern: repetitions of repetitions grow without this.
const PATTERN_COMPILED_BYTES_MAX: usize = 256 << 10;

/// Why JSON, a schema or an input is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Not JSON, or a key twice.
    #[error("not acceptable JSON: {0}")]
    Json(String),
    /// Too large.
    #[error("{0} bytes are too many; at most {1} are allowed")]
    Size(usize, usize),
    /// A schema keyword or value outside the subset.
    #[error("input.schema.json, at {place}: {problem}")]
    Schema {
        /// JSON pointer into the schema.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// Input that does not fit.
    #[error("the input does not fit the schema, at {place}: {problem}")]
    Input {
        /// JSON pointer into the input.
        place: String,
        /// What is wrong.
        problem: String,
    },
}

/// Parses JSON and refuses what two parsers could read differently: a key twice.
///
/// # Errors
/// Says what is wrong and where.
pub fn parse_json(bytes: &[u8]) -> Result<Json, SchemaError> {
    let mut de = serde_json::Deserializer::from_slice(bytes);
    let bad = |e: serde_json::Error| SchemaError::Json(crate::display::neutralise(&e.to_string()));
    let value = Strict.deserialize(&mut de).map_err(bad)?;
    de.end().map_err(bad)?;
    Ok(value)
}

/// A checked input schema.
#[derive(Debug)]
pub struct InputSchema {
    validator: jsonschema::Validator,
}

/// Keywords with a value of their own shape; `properties` and `items` nest.
const KEYWORDS: &[&str] = &[
    "type",
    "properties",
    "required",
    "additionalProperties",
    "enum",
    "const",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "items",
    "minItems",
    "maxItems",
    "format",
    "title",
    "description",
    "default",
];

impl InputSchema {
    /// Parses and checks `input.schema.json`.
    ///
    /// # Errors
    /// Names the keyword that is outside the subset, with its place.
    pub fn parse(bytes: &[u8]) -> Result<Self, SchemaError> {
        if bytes.len() > SCHEMA_BYTES_MAX {
            return Err(SchemaError::Size(bytes.len(), SCHEMA_BYTES_MAX));
        }
        let json = parse_json(bytes)?;
        check_schema(&json, "")?;
        let mut patterns = 0;
        count_patterns(&json, &mut patterns)?;
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .with_pattern_options(
                jsonschema::PatternOptions::regex().size_limit(PATTERN_COMPILED_BYTES_MAX),
            )
            .build(&json)
            .map_err(|e| SchemaError::Schema {
                place: e.instance_path().to_string(),
                problem: crate::display::neutralise(&e.to_string()),
            })?;
        Ok(Self { validator })
    }

    /// Parses an input and checks that it fits.
    ///
    /// # Errors
    /// The first place where it does not.
    pub fn validate(&self, input: &[u8]) -> Result<Json, SchemaError> {
        if input.len() > INPUT_BYTES_MAX {
            return Err(SchemaError::Size(input.len(), INPUT_BYTES_MAX));
        }
        let json = parse_json(input)?;
        let first = self.validator.iter_errors(&json).next().map(|e| SchemaError::Input {
            place: format!("/{}", e.instance_path().to_string().trim_start_matches('/')),
            problem: crate::display::neutralise(&e.to_string()),
        });
        first.map_or(Ok(json), Err)
    }
}

/// Bounds what compiling the patterns can cost before any is compiled.
fn count_patterns(json: &Json, count: &mut usize) -> Result<(), SchemaError> {
    let Json::Object(map) = json else {
        return Ok(());
    };
    if let Some(pattern) = map.get("pattern").and_then(Json::as_str) {
        *count += 1;
        if *count > PATTERNS_MAX || pattern.len() > PATTERN_BYTES_MAX {
            return Err(SchemaError::Schema {
                place: "pattern".to_owned(),
                problem: format!(
                    "at most {PATTERNS_MAX} patterns of at most {PATTERN_BYTES_MAX} bytes are allowed"
                ),
            });
        }
    }
    let nested = map.get("properties").and_then(Json::as_object);
    let nested = nested.into_iter().flat_map(serde_json::Map::values);
    nested.chain(map.get("items")).try_for_each(|inner| count_patterns(inner, count))
}

fn check_schema(json: &Json, place: &str) -> Result<(), SchemaError> {
    let wrong = |place: &str, problem: &str| SchemaError::Schema {
        place: if place.is_empty() { "/".to_owned() } else { place.to_owned() },
        problem: problem.to_owned(),
    };
    let Json::Object(map) = json else {
        return Err(wrong(place, "expected an object"));
    };
    for (key, value) in map {
        let here = format!("{place}/{key}");
        if !KEYWORDS.contains(&key.as_str()) {
            return Err(wrong(
                &here,
                &format!("is not supported; allowed are {}", KEYWORDS.join(", ")),
            ));
        }
        match key.as_str() {
            "properties" => {
                let properties =
                    value.as_object().ok_or_else(|| wrong(&here, "expected an object"))?;
                for (name, inner) in properties {
                    check_schema(inner, &format!("{here}/{name}"))?;
                }
            }
            "items" => check_schema(value, &here)?,
            "type" if !value.is_string() => return Err(wrong(&here, "expected one type name")),
            "additionalProperties" if *value != Json::Bool(false) => {
                return Err(wrong(&here, "must be false"));
            }
            "format" if !matches!(value.as_str(), Some("date-time" | "uuid")) => {
                return Err(wrong(&here, "only date-time and uuid are supported"));
            }
            _ => {}
        }
    }
    match map.get("type").and_then(Json::as_str) {
        None => Err(wrong(place, "needs `type`")),
        Some("object") if map.get("additionalProperties") != Some(&Json::Bool(false)) => {
            Err(wrong(place, "an object needs `\"additionalProperties\": false`"))
        }
        Some("array") if !map.contains_key("items") => Err(wrong(place, "an array needs `items`")),
        Some(_) => Ok(()),
    }
}

/// `serde_json::Value` keeps the last of two equal keys; this refuses them.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Json;
    fn deserialize<D: de::Deserializer<'de>>(self, d: D) -> Result<Json, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Json;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Json, E> {
        Ok(Json::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Json, E> {
        Ok(v.into())
    }
    fn visit_u64<E>(self, v: u64) -> Result<Json, E> {
        Ok(v.into())
    }
    fn visit_f64<E>(self, v: f64) -> Result<Json, E> {
        Ok(v.into())
    }
    fn visit_str<E>(self, v: &str) -> Result<Json, E> {
        Ok(v.into())
    }
    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Strict)? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Strict)?;
            if object.contains_key(&key) {
                return Err(de::Error::custom(format!("the key \"{key}\" is there twice")));
            }
            object.insert(key, value);
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests;
