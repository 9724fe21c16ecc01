//! A script's own options: `--since 2h`, made of its input schema at run time.
//!
//! The schema comes out of a bundle that was hashed here, and its words are another's: they are
//! neutralised before the parser of the command line gets them. What is typed is checked here, where
//! the option can be named, and becomes the exact bytes that are signed and executed. What is *not*
//! here: what those bytes may be; the whole schema says that, here and in the runner.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clap::builder::{PossibleValuesParser, TypedValueParser as _, ValueParser};
use clap::{Arg, ArgAction, ArgMatches};
use domain::schema::{InputSchema, SchemaError, parse_json};
use domain::{ScriptName, Timestamp};
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use crate::exit::Failure;
use crate::out::foreign;
use crate::when;

/// Parsing of times: what is now, and the zone of whoever types.
#[derive(Debug, Clone)]
pub(crate) struct Here {
    /// The time from which durations count back.
    pub(crate) now: Timestamp,
    /// Of times without a zone.
    pub(crate) zone: TimeZone,
}

/// The options of one script.
pub(crate) struct Params {
    script: String,
    whole: Option<InputSchema>,
    all: Vec<Param>,
    /// Properties that no option can stand for.
    without: Vec<String>,
}

/// An input, exactly.
#[derive(Debug)]
pub(crate) struct Input {
    /// The bytes that are signed.
    pub(crate) bytes: Vec<u8>,
    /// Times that were typed, as they were resolved.
    pub(crate) times: Vec<(String, Timestamp)>,
}

struct Param {
    property: String,
    flag: String,
    kind: Kind,
    many: bool,
    required: bool,
    default: Option<Json>,
    about: String,
    /// Checks one value.
    schema: Arc<InputSchema>,
}

#[derive(Debug, Clone)]
enum Kind {
    Time,
    Text,
    Whole,
    Number,
    YesNo,
    OneOf(Vec<String>),
    Json,
}

impl Params {
    /// Reads a script's schema, if it takes input. `taken` are the options of the command itself; a
    /// property of such a name is `--input-NAME`.
    pub(crate) fn of(
        script: &ScriptName,
        schema: Option<&[u8]>,
        taken: &BTreeSet<String>,
    ) -> Result<Self, SchemaError> {
        let mut params =
            Self { script: script.to_string(), whole: None, all: Vec::new(), without: Vec::new() };
        let Some(schema) = schema else { return Ok(params) };
        params.whole = Some(InputSchema::parse(schema)?);
        let schema = parse_json(schema)?;
        let required: BTreeSet<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let mut flags = BTreeSet::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let flag = flag(name, taken).filter(|flag| flags.insert(flag.clone()));
            match (flag, kind(property)) {
                (Some(flag), Some((kind, many))) => {
                    let required = required.contains(name.as_str());
                    params.all.push(Param::new(name, flag, kind, many, required, property)?);
                }
                _ => params.without.push(foreign(name)),
            }
        }
        Ok(params)
    }

    /// The options, for the parser of the command line.
    pub(crate) fn options(&self, here: &Here) -> Vec<Arg> {
        let heading = format!("Input of {}", self.script);
        self.all.iter().map(|p| p.option(here).help_heading(heading.clone())).collect()
    }

    /// What the options leave out, for the end of the help.
    pub(crate) fn remark(&self) -> Option<String> {
        let (script, without) = (&self.script, self.without.join(", "));
        match (&self.whole, self.without.is_empty()) {
            (None, _) => Some(format!("{script} takes no input.")),
            (Some(_), true) => None,
            (Some(_), false) => Some(format!("Only with --input FILE: {without}")),
        }
    }

    /// The input that was typed.
    pub(crate) fn input(&self, typed: &ArgMatches) -> anyhow::Result<Input> {
        let mut object = BTreeMap::new();
        let mut times = Vec::new();
        for p in &self.all {
            let values = typed.get_many::<Json>(&p.id()).map(|v| v.cloned().collect::<Vec<_>>());
            let Some(values) = values else {
                object.extend(p.default.clone().map(|d| (p.property.clone(), d)));
                continue;
            };
            if matches!(p.kind, Kind::Time) {
                let resolved = values.iter().filter_map(|v| v.as_str()?.parse().ok());
                times.extend(resolved.map(|t| (p.flag.clone(), t)));
            }
            let value = if p.many { Json::Array(values) } else { last(values) };
            object.insert(p.property.clone(), value);
        }
        let bytes = serde_json::to_vec(&object)?;
        if let Some(whole) = &self.whole {
            whole.validate(&bytes).map_err(|e| self.misfit(&e))?;
        }
        Ok(Input { bytes, times })
    }

    /// What does not fit, by the name of its option.
    fn misfit(&self, error: &SchemaError) -> Failure {
        let help = format!("see borescope run {} --help", self.script);
        let SchemaError::Input { place, problem } = error else {
            return Failure::usage(error.to_string(), help);
        };
        let property = place.trim_start_matches('/').split('/').next().unwrap_or_default();
        let param = self.all.iter().find(|p| p.property == property);
        let place = param.map_or_else(|| "the input".to_owned(), |p| format!("--{}", p.flag));
        Failure::usage(format!("{place}: {problem}"), help)
    }
}

fn last(mut values: Vec<Json>) -> Json {
    values.pop().unwrap_or(Json::Null)
}

/// The option for a property, where its name can be one.
fn flag(property: &str, taken: &BTreeSet<String>) -> Option<String> {
    let flag = property.replace('_', "-");
    let first = flag.bytes().next()?;
    let is_one = first.is_ascii_alphanumeric()
        && flag.len() <= 40
        && flag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let flag = if taken.contains(&flag) { format!("input-{flag}") } else { flag };
    is_one.then_some(flag)
}

/// How a property is typed, and whether several times; `None` for what has one value only.
fn kind(schema: &Json) -> Option<(Kind, bool)> {
    let one = |schema: &Json| match schema["type"].as_str()? {
        "string" if schema["format"] == "date-time" => Some(Kind::Time),
        "string" => Some(choices(schema).map_or(Kind::Text, Kind::OneOf)),
        "integer" => Some(Kind::Whole),
        "number" => Some(Kind::Number),
        "boolean" => Some(Kind::YesNo),
        "object" | "array" => Some(Kind::Json),
        _ => None,
    };
    if schema["type"] != "array" {
        return Some((one(schema)?, false));
    }
    // A list of lists is typed as one piece of JSON.
    match one(&schema["items"])? {
        Kind::Json => Some((Kind::Json, false)),
        kind => Some((kind, true)),
    }
}

fn choices(schema: &Json) -> Option<Vec<String>> {
    let all = schema["enum"].as_array()?.iter().map(|v| v.as_str().map(str::to_owned));
    let all: Vec<String> = all.collect::<Option<_>>()?;
    // One that is shown otherwise than it is typed is no choice to offer.
    (!all.is_empty() && all.iter().all(|c| foreign(c) == *c)).then_some(all)
}

impl Param {
    fn new(
        property: &str,
        flag: String,
        kind: Kind,
        many: bool,
        required: bool,
        schema: &Json,
    ) -> Result<Self, SchemaError> {
        let one = if many { &schema["items"] } else { schema };
        let default = schema.get("default").or_else(|| schema.get("const")).cloned();
        Ok(Self {
            property: property.to_owned(),
            flag,
            kind,
            many,
            required: required && default.is_none(),
            about: about(schema, one, default.as_ref(), many),
            default,
            schema: Arc::new(InputSchema::parse(one.to_string().as_bytes())?),
        })
    }

    /// One that no option of the command has.
    fn id(&self) -> String {
        format!("input/{}", self.property)
    }

    fn option(&self, here: &Here) -> Arg {
        let name = match &self.kind {
            Kind::Time => "TIME",
            Kind::Text | Kind::OneOf(_) => "TEXT",
            Kind::Whole | Kind::Number => "N",
            Kind::YesNo => "BOOL",
            Kind::Json => "JSON",
        };
        let option = Arg::new(self.id())
            .long(self.flag.clone())
            .value_name(name)
            .help(self.about.clone())
            .action(if self.many { ArgAction::Append } else { ArgAction::Set })
            .value_parser(self.parser(here))
            .conflicts_with("input");
        let option = if self.required { option.required_unless_present("input") } else { option };
        match self.kind {
            Kind::YesNo => {
                option.num_args(0..=1).require_equals(true).default_missing_value("true")
            }
            Kind::Whole | Kind::Number => option.allow_negative_numbers(true),
            Kind::Time | Kind::Text | Kind::OneOf(_) | Kind::Json => option,
        }
    }

    fn parser(&self, here: &Here) -> ValueParser {
        let (kind, schema, here) = (self.kind.clone(), Arc::clone(&self.schema), here.clone());
        let parse = move |text: String| -> Result<Json, String> {
            let value = read(&kind, &text, &here)?;
            schema.validate(value.to_string().as_bytes()).map_err(|e| match e {
                SchemaError::Input { problem, .. } => problem,
                other => other.to_string(),
            })
        };
        match &self.kind {
            Kind::OneOf(all) => PossibleValuesParser::new(all.clone()).try_map(parse).into(),
            _ => ValueParser::new(move |text: &str| parse(text.to_owned())),
        }
    }
}

fn read(kind: &Kind, text: &str, here: &Here) -> Result<Json, String> {
    let json = |what: &str| -> Result<Json, String> {
        parse_json(text.as_bytes()).map_err(|_| format!("expected {what}"))
    };
    match kind {
        Kind::Time => Ok(when::past(text, here.now, &here.zone)?.to_string().into()),
        Kind::Text | Kind::OneOf(_) => Ok(text.into()),
        Kind::Whole => json("a whole number"),
        Kind::Number => json("a number"),
        Kind::YesNo => json("true or false"),
        Kind::Json => json("JSON"),
    }
}

/// One line of help: the author's words, what bounds it, and what it is if it is left out.
fn about(schema: &Json, one: &Json, default: Option<&Json>, many: bool) -> String {
    let words = schema["description"].as_str().or_else(|| schema["title"].as_str());
    // In braces the parser of the command line takes an `n` for a line break.
    let mut text = foreign(words.unwrap_or_default()).replace("{n}", "{ n }");
    let mut more = |what: String| {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&what);
    };
    match (one["minimum"].as_number(), one["maximum"].as_number()) {
        (Some(min), Some(max)) => more(format!("[{min} to {max}]")),
        (Some(min), None) => more(format!("[from {min}]")),
        (None, Some(max)) => more(format!("[at most {max}]")),
        (None, None) => {}
    }
    if many {
        more("[repeat for more]".to_owned());
    }
    if let Some(default) = default {
        let shown = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        more(format!("[default: {}]", foreign(&shown).replace("{n}", "{ n }")));
    }
    text
}

#[cfg(test)]
mod tests;
