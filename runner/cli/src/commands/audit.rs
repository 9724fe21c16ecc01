//! `borescope audit`: what happened, by person, subject, kind and time.

pub(crate) mod export;

use api::types::AuditEventView;
use clap::{Args, Subcommand};
use domain::{PersonId, Timestamp};

use super::Call;
use crate::exit::Exit;
use crate::view::table;
use crate::when;

/// Arguments.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  borescope audit
  borescope audit --person alice --kind run-started
  borescope audit --subject req_0198f0c0-0000-7000-8000-000000000000 --json
  borescope audit --since 2026-11-01T00:00:00Z --limit 500
  borescope audit --subject INC-1234                     access requests with that ticket
  borescope audit export --ticket INC-1234 --markdown    the timeline for the post-mortem

Kinds: submission-accepted, review-accepted, request-accepted, approval-accepted, stop-accepted,
keyring-adopted, directory-adopted, policy-adopted, run-denied, run-started, run-finished,
run-lost, run-read, catalog-read, plan-read,
log-opened. Events of a run are shown to those who may read it."
)]
pub(crate) struct AuditArgs {
    /// What else to do with it
    #[command(subcommand)]
    what: Option<AuditCommand>,
    /// Done by this person
    #[arg(long, value_name = "PERSON")]
    person: Option<PersonId>,
    /// About this: an id, a digest, a person, a target, a ticket
    #[arg(long, value_name = "WHAT")]
    subject: Option<String>,
    /// Of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Not before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// At most so many, newest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

/// What else can be done with it.
#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Write what belongs to a ticket down, with its evidence
    Export(export::ExportArgs),
}

/// Searches.
pub(crate) async fn command(call: &Call<'_>, mut args: AuditArgs) -> anyhow::Result<Exit> {
    if let Some(AuditCommand::Export(args)) = args.what.take() {
        return export::command(call, args).await;
    }
    let session = call.session().await?;
    let mut events = Vec::new();
    let mut before = None;
    while events.len() < args.limit {
        let page = session.client.audit(&query(&args, before)).await?;
        events.extend(page.events);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    events.truncate(args.limit);
    if call.out.json {
        events.iter().try_for_each(|e| call.out.json(e))?;
        return Ok(Exit::Ok);
    }
    if events.is_empty() {
        call.out.note("nothing matches that you may see");
        return Ok(Exit::Ok);
    }
    let rows: Vec<_> = events.iter().map(|event| row(event, call)).collect();
    call.out.lines(table::list(["entry", "when", "what", "who", "about"], &rows))?;
    Ok(Exit::Ok)
}

/// The query part of the address; values that others chose are escaped.
fn query(args: &AuditArgs, before: Option<u64>) -> String {
    let ms =
        |t: &Timestamp| u64::try_from(t.unix_s()).unwrap_or(0).saturating_mul(1000).to_string();
    let fields = [
        ("person", args.person.as_ref().map(ToString::to_string)),
        ("subject", args.subject.clone()),
        ("kind", args.kind.clone()),
        ("from_ms", args.since.as_ref().map(ms)),
        ("until_ms", args.until.as_ref().map(ms)),
        ("before", before.map(|n| n.to_string())),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    given.map(|(name, value)| format!("{name}={}", escaped(&value))).collect::<Vec<_>>().join("&")
}

/// Everything but letters, digits and a few marks as `%XX`.
pub(crate) fn escaped(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(b).to_string()
        }
        b => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn row(event: &AuditEventView, call: &Call<'_>) -> [String; 5] {
    let at = Timestamp::from_unix_s(i64::try_from(event.at_ms / 1000).unwrap_or(i64::MAX));
    [
        event.index.to_string(),
        when::show(at, &call.env.zone),
        event.kind.clone(),
        event.person.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string),
        event.subjects.first().map_or_else(|| "–".to_owned(), Clone::clone),
    ]
}

#[cfg(test)]
mod tests;
