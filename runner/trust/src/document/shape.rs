//! The first pass over a payload: what must hold for any JSON of ours, whatever the struct. No field
//! twice in any object, whole numbers below 2^53 only, nothing after the value.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Problem, field};

/// The largest integer that every JSON reader holds exactly.
const INTEGER_MAX: u64 = (1 << 53) - 1;

pub(super) fn check(bytes: &[u8]) -> Result<(), Problem> {
    let mut path = Vec::new();
    let mut de = serde_json::Deserializer::from_slice(bytes);
    let walked = Walk(&mut path).deserialize(&mut de).and_then(|()| de.end());
    walked.map_err(|e| {
        let at = if path.is_empty() { ".".to_owned() } else { path.join(".") };
        field(at, words(&e))
    })
}

/// Whether every run of digits outside of strings is below 2^53. Signs and fractions are for the
/// types to refuse.
pub(super) fn numbers_are_small(json: &[u8]) -> bool {
    let mut rest = json;
    while let [first, after @ ..] = rest {
        rest = match first {
            b'"' => after_string(after),
            b'0'..=b'9' => {
                let end = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
                let (digits, after) = rest.split_at(end);
                let number = std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok());
                if number.is_none_or(|n: u64| n > INTEGER_MAX) {
                    return false;
                }
                after
            }
            _ => after,
        };
    }
    true
}

/// What follows a string whose opening quote is behind.
fn after_string(mut rest: &[u8]) -> &[u8] {
    while let [first, after @ ..] = rest {
        rest = match first {
            b'"' => return after,
            b'\\' => after.get(1..).unwrap_or_default(),
            _ => after,
        };
    }
    rest
}

/// The parser's words, made safe to show.
pub(super) fn words(e: &serde_json::Error) -> String {
    domain::display::neutralise(&e.to_string().chars().take(400).collect::<String>())
}

/// Walks a value; on an error the path stays where it happened.
struct Walk<'p>(&'p mut Vec<String>);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON with whole numbers below 2^53")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<(), E> {
        if n > INTEGER_MAX {
            return Err(E::custom(format!("{n} is too large; numbers are below 2^53")));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for i in 0usize.. {
            self.0.push(i.to_string());
            if seq.next_element_seed(Walk(self.0))?.is_none() {
                self.0.pop();
                break;
            }
            self.0.pop();
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            self.0.push(domain::display::neutralise(&key));
            if !seen.insert(key) {
                return Err(A::Error::custom("the field is there twice"));
            }
            map.next_value_seed(Walk(self.0))?;
            self.0.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
