//! What somebody asks to run: which revision of a script, where, and with which input.
//!
//! A script's name means its newest revision that enough reviewers have approved for these targets, by
//! reviews that are verified here. The input comes from the script's own options or from a file; these
//! bytes are signed, stored and executed.

mod revision;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use domain::display::shorten;
use domain::schema::InputSchema;
use domain::{FreeText, Pair, Ticket};
use trust::Authority;

use crate::args;
use crate::bundle::Bundle;
use crate::commands::Call;
use crate::dossier::Dossier;
use crate::exit::{self, Exit, Failure};
use crate::on::{self, On};
use crate::params::{Here, Params};
use crate::session::{Session, read_input};
use crate::when;

/// Characters of a reason's first word that are looked at for a ticket.
const TICKET_CHARS_MAX: usize = 64;

/// The arguments that say it.
#[derive(Debug, Args)]
pub(crate) struct WhatArgs {
    /// Script: NAME for its newest approved revision, NAME@VERSION, or a digest's first digits
    #[arg(value_name = "SCRIPT")]
    pub(crate) reference: Option<String>,
    /// Where: TARGET, or LOGICAL=TARGET for each of a script's several; group:NAME for one run on each
    /// target of a group
    #[arg(long = "on", id = "targets", value_name = "[LOGICAL=]TARGET", value_parser = on::parse)]
    pub(crate) targets: Vec<On>,
    /// The input as a JSON file instead of the script's own options; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Why, for whoever approves it and for whoever asks later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<FreeText>,
    /// Incident or change that this is about; a reason that begins with one, as INC-1234, names it
    #[arg(long)]
    ticket: Option<Ticket>,
    /// The whole command line; the script's own options are in it.
    #[arg(skip)]
    pub(crate) typed: Vec<OsString>,
}

/// What is asked for, with all that is on file about it.
pub(crate) struct Chosen {
    /// What is on file.
    pub(crate) dossier: Dossier,
    /// Where.
    pub(crate) pairs: Vec<Pair>,
    /// With which input, exactly.
    pub(crate) input: Vec<u8>,
}

impl WhatArgs {
    /// The ticket that was given, or the one with which the reason begins.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        self.ticket.clone().or_else(|| ticket_of(self.reason.as_ref()?.as_str()))
    }

    fn wants_help(&self) -> bool {
        self.typed.iter().any(|word| word == "--help" || word == "-h")
    }
}

/// A key as trackers make it: letters, a dash, digits.
fn ticket_of(reason: &str) -> Option<Ticket> {
    let word = reason.split_whitespace().next()?.trim_end_matches([':', ',', '.']);
    let (project, number) = word.split_once('-')?;
    let is_key = word.len() <= TICKET_CHARS_MAX
        && project.len() >= 2
        && project.bytes().all(|b| b.is_ascii_uppercase())
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit());
    word.parse().ok().filter(|_| is_key)
}

/// Finds out what is asked for: one run, or one on each target of a group. The inner error: that is
/// told already, as help or as a mistake.
pub(crate) async fn choose(
    call: &Call<'_>,
    session: &Session,
    verb: &str,
    what: &WhatArgs,
) -> anyhow::Result<Result<Vec<Chosen>, Exit>> {
    let Some(reference) = &what.reference else {
        let help = format!("see borescope {verb} --help");
        return Err(Failure::usage("which script is not given", help).into());
    };
    if what.targets.is_empty() {
        let bundle = session.fetch(&session.resolve(reference).await?).await?;
        // Help is all that this can come to.
        if what.wants_help() {
            return Ok(Err(input(call, session, verb, what, &bundle)?.err().unwrap_or(Exit::Ok)));
        }
        return Err(nowhere(&session.authority().await?, session, &bundle).into());
    }
    let places = on::each(session.authority().await?.policy(), &what.targets)?;
    let found = revision::find(call, session, reference, &places).await?;
    let Some((first, _)) = found.first() else { return Ok(Ok(Vec::new())) };
    let input = match input(call, session, verb, what, &first.bundle)? {
        Ok(input) => input,
        Err(exit) => return Ok(Err(exit)),
    };
    check_input(&first.bundle, &input)?;
    let each = found.into_iter();
    Ok(Ok(each.map(|(dossier, pairs)| Chosen { dossier, pairs, input: input.clone() }).collect()))
}

/// The input's bytes, from a file or from the script's options.
fn input(
    call: &Call<'_>,
    session: &Session,
    verb: &str,
    what: &WhatArgs,
    bundle: &Bundle,
) -> anyhow::Result<Result<Vec<u8>, Exit>> {
    let here = Here { now: session.world.now(), zone: call.env.zone.clone() };
    let m = &bundle.manifest;
    let params = Params::of(&m.name, schema_of(bundle)?, &args::own_options())?;
    let typed = match args::parse_with(&what.typed, verb, params.options(&here), params.remark()) {
        Ok(typed) => typed,
        Err(told) => return Ok(Err(exit::told(&told))),
    };
    if let Some(file) = &what.input {
        return Ok(Ok(read_input(file)?));
    }
    let input = params.input(&typed)?;
    for (flag, time) in input.times {
        call.out.note(format!("--{flag} {time} ({})", when::show(time, &call.env.zone)));
    }
    Ok(Ok(input.bytes))
}

/// What to do who has not said where.
fn nowhere(authority: &Authority, session: &Session, bundle: &Bundle) -> Failure {
    let m = &bundle.manifest;
    let wants: Vec<String> = m.targets.iter().map(|(name, e)| format!("{name} ({e})")).collect();
    let groups = authority.person(&session.person).map(|p| p.groups.as_slice()).unwrap_or_default();
    let fits = authority.policy().targets.iter().filter(|t| {
        m.targets.values().any(|e| *e == t.engine) && t.callers.iter().any(|g| groups.contains(g))
    });
    let fits: Vec<&str> = fits.map(|t| t.id.as_str()).collect();
    let help = match fits.as_slice() {
        [] => format!("no target that {} may run on is of that kind", session.person),
        [one] => format!("say where: --on {one}"),
        many => format!("say where, --on one of: {}", many.join(", ")),
    };
    Failure::usage(
        format!("where {} is to run is not given; it needs {}", m.name, wants.join(", ")),
        help,
    )
}

/// A mistake in the input is found before anybody is asked to approve it.
pub(crate) fn check_input(bundle: &Bundle, input: &[u8]) -> anyhow::Result<()> {
    let name = &bundle.manifest.name;
    let help = format!("correct the input; what fits: borescope run {name} --help");
    let wrong = |e: String| Failure::usage(format!("the input does not fit: {e}"), help.clone());
    let Some(schema) = schema_of(bundle)? else {
        if input == b"{}" {
            return Ok(());
        }
        return Err(wrong("this script takes no input, which is written {}".to_owned()).into());
    };
    let json = InputSchema::parse(schema)?.validate(input).map_err(|e| wrong(e.to_string()))?;
    for query in &bundle.manifest.queries {
        query.check_input(Some(&json)).map_err(|e| wrong(e.to_string()))?;
    }
    Ok(())
}

/// The input schema, of a script that takes input.
fn schema_of(bundle: &Bundle) -> anyhow::Result<Option<&[u8]>> {
    let Some(path) = &bundle.manifest.input else { return Ok(None) };
    let schema = bundle.files.get(path).with_context(|| format!("the bundle has no {path}"))?;
    Ok(Some(schema))
}

/// The command that was typed, with `more` behind it, to be typed again.
pub(crate) fn again(typed: &[OsString], more: &str) -> String {
    let words = typed.iter().skip(1).map(|word| quoted(&word.to_string_lossy()));
    let words: Vec<String> = words.collect();
    format!("borescope {} {more}", words.join(" "))
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@,+%".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", shorten(word, 2000).replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests;
