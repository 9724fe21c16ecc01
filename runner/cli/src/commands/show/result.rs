//! `show RUN`: where a run is, what it left, verified here, and who has read that.
//!
//! Whoever may not read a run is shown whose it is, where it is, and whom to ask.

use api::types::{AuditEventView, RunView};
use domain::{RunId, Table, Timestamp};
use serde_json::json;

use super::is_emergency;
use crate::commands::Call;
use crate::commands::run::{self, Ran};
use crate::exit::{Exit, Failure};
use crate::out::Style;
use crate::session::Session;
use crate::view::{csv, receipt, run as words, table};
use crate::when;

/// Readings that are listed, newest first.
const READS_SHOWN_MAX: usize = 5;

/// What of a run is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    /// Everything that people look at.
    Whole,
    /// One table, all rows.
    Table(&'a str),
    /// One table as CSV; the only one where none is named.
    Csv(Option<&'a str>),
}

/// Shows a run, or a table of its result.
pub(super) async fn command(
    call: &Call<'_>,
    session: &Session,
    run: &RunId,
    part: Part<'_>,
) -> anyhow::Result<Exit> {
    let view = session.client.run(run).await?;
    run::is_ours(&view, run)?;
    if !view.access.as_ref().is_some_and(|access| access.may_read) {
        return outline(call, &view, part);
    }
    let authority = session.authority().await?;
    let collected = run::collect(session, &authority, view.clone()).await;
    let (ran, withheld) = match collected {
        Ok(ran) => (ran, None),
        // Nothing of it is served that cannot be recorded; the rest is still worth a look.
        Err(error) if matches!(part, Part::Whole) && is_read_only(&error) => {
            let proved = match &view.receipt {
                Some(_) => Some(run::evidence(session, &authority, run).await?),
                None => None,
            };
            (Ran { view, output: None, evidence: proved }, Some(error))
        }
        Err(error) => return Err(error),
    };
    match part {
        Part::Whole => {
            let emergency = is_emergency(session, &authority, ran.view.request.as_ref()).await?;
            whole(call, session, &ran, emergency).await?;
        }
        Part::Table(name) => {
            let table = find(&ran, Some(name))?;
            if call.out.json {
                call.out.json(table)?;
            } else {
                call.out.lines(table::result(table, usize::MAX, 0, None).into_iter().skip(1))?;
            }
        }
        Part::Csv(name) => {
            csv::lines(find(&ran, name)?).try_for_each(|line| call.out.csv_line(&line))?;
        }
    }
    match withheld {
        None => Ok(Exit::Ok),
        Some(error) => Err(error.context(format!("the result of {run} is not shown"))),
    }
}

fn is_read_only(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<api::ClientError>().and_then(|e| match e {
        api::ClientError::Problem(problem) => Some(problem.code),
        _ => None,
    });
    code == Some(api::Code::ReadOnly)
}

/// The table that is meant.
fn find<'r>(ran: &'r Ran, name: Option<&str>) -> Result<&'r Table, Failure> {
    let id = &ran.view.id;
    let Some(released) = &ran.output else {
        let state = ran.view.state.code();
        let help = match ran.view.ended_ms {
            None => format!("it goes on; look again: borescope show {id}"),
            Some(_) => format!("what became of it: borescope show {id}"),
        };
        return Err(Failure::usage(format!("{id} has no result: it is {state}"), help));
    };
    let tables = &released.output.result.tables;
    let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
    let listed = match names.is_empty() {
        true => format!("it has none; its value: borescope show {id}"),
        false => format!("its tables: {}", names.join(", ")),
    };
    match (name, tables.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::usage(format!("which table of {id} is not given"), listed)),
        (Some(name), _) => tables.iter().find(|t| t.name == name).ok_or_else(|| {
            Failure::usage(format!("the result of {id} has no table \"{name}\""), listed)
        }),
    }
}

/// Everything about a run that this person may read.
async fn whole(
    call: &Call<'_>,
    session: &Session,
    ran: &Ran,
    emergency: bool,
) -> anyhow::Result<()> {
    let (view, out) = (&ran.view, call.out);
    let reads = reads(session, &view.id).await?;
    if out.json {
        return Ok(out.json(&json!({
            "run": view,
            "output": ran.output.as_ref().map(|r| &r.output),
            "receipt": ran.evidence.as_ref().map(|p| &p.verified.receipt),
            "reads": reads,
        }))?);
    }
    head(call, view)?;
    if emergency {
        out.line(out.style(Style::Bad, "  EMERGENCY: ordered under a broken glass"))?;
    }
    if let Some(fate) = words::fate(view) {
        out.field("  fate     ", fate)?;
    }
    if let Some(denial) = &view.denial {
        out.field("  denied   ", &format!("{}: {}", denial.rule.code(), denial.fact))?;
        out.field("  help     ", &denial.help)?;
        out.line(format!("  why      borescope show {} --why", view.id))?;
    }
    if let Some(proved) = &ran.evidence {
        // The first line says again which run it is, and how it ended.
        out.lines(receipt::summary(&proved.verified, out).into_iter().skip(1))?;
    }
    for read in reads.iter().take(READS_SHOWN_MAX) {
        out.line(format!("  read by  {}", reading(call, read)))?;
    }
    if reads.len() > READS_SHOWN_MAX {
        let all = format!("borescope audit --kind run-read --subject {}", view.id);
        out.line(format!("  … and {} more: {all}", reads.len() - READS_SHOWN_MAX))?;
    }
    let Some(released) = &ran.output else { return Ok(()) };
    let rows_max = if out.is_watched() { table::ROWS_SHOWN_MAX } else { usize::MAX };
    for table in &released.output.result.tables {
        out.line("")?;
        let all = all_rows(&view.id, table);
        out.lines(table::result(table, rows_max, 0, Some(&all)))?;
    }
    out.line("")?;
    out.lines(receipt::value(&released.output.result.value))?;
    out.notes(receipt::told(&released.output));
    Ok(())
}

/// The command that gives all rows of a table. A name that a shell would read otherwise is not in it:
/// the script chose it.
pub(crate) fn all_rows(run: &RunId, table: &Table) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-';
    let is_plain = table.name.chars().all(plain) && !table.name.starts_with('-');
    let name = if is_plain { table.name.as_str() } else { "NAME" };
    format!("borescope show {run} --table {name} --csv")
}

/// Which run it is, whose, and since when.
fn head(call: &Call<'_>, view: &RunView) -> anyhow::Result<()> {
    let out = call.out;
    let state = out.style(Style::Bold, view.state.code());
    out.line(format!("{} {state}, by {}", view.id, view.caller))?;
    out.line(format!("  revision {}", view.revision))?;
    if let Some(request) = &view.request {
        out.line(format!("  request  {request}"))?;
    }
    let times = [
        ("  queued   ", Some(view.queued_ms)),
        ("  started  ", view.started_ms),
        ("  ended    ", view.ended_ms),
    ];
    for (label, at_ms) in times {
        if let Some(at_ms) = at_ms {
            out.line(format!("{label}{}", point(call, at_ms)))?;
        }
    }
    if let Some(queue) = &view.queue {
        out.line(format!("  waits    {}", words::place(queue)))?;
    }
    Ok(())
}

/// What somebody sees who may not read the run: enough to know whom to ask.
fn outline(call: &Call<'_>, view: &RunView, part: Part<'_>) -> anyhow::Result<Exit> {
    let readers = readers(view);
    if !matches!(part, Part::Whole) {
        return Err(Failure::new(
            Exit::Denied,
            format!("you may not read what {} left; {readers} may", view.id),
            format!("ask {}, or somebody who may read it", view.caller),
        )
        .into());
    }
    if call.out.json {
        call.out.json(&json!({ "run": view }))?;
        return Ok(Exit::Ok);
    }
    head(call, view)?;
    if let Some(receipt) = &view.receipt {
        call.out.line(format!("  receipt  {receipt}"))?;
    }
    call.out.field("  result   ", &format!("you may not read it; {readers} may"))?;
    Ok(Exit::Ok)
}

/// Who may read a run, in words.
fn readers(view: &RunView) -> String {
    let mut who = vec![view.caller.to_string()];
    let access = view.access.iter().flat_map(|access| &access.readers);
    let of_target = access.filter(|t| !t.groups.is_empty()).map(|t| {
        let groups: Vec<&str> = t.groups.iter().map(AsRef::as_ref).collect();
        format!("{} (readers of {})", groups.join(", "), t.target)
    });
    let groups: Vec<String> = of_target.collect();
    if !groups.is_empty() {
        who.push(groups.join(" who are also in "));
    }
    who.join(" and ")
}

/// Who has read the run, newest first.
async fn reads(session: &Session, run: &RunId) -> anyhow::Result<Vec<AuditEventView>> {
    let query = format!("kind=run-read&subject={run}&limit=200");
    Ok(session.client.audit(&query).await?.events)
}

/// One reading in words.
fn reading(call: &Call<'_>, read: &AuditEventView) -> String {
    let who = read.person.as_ref().map_or("somebody whose name was erased", AsRef::as_ref);
    let known = ["result", "recording", "progress"];
    let what = known.iter().find(|part| read.subjects.iter().any(|s| s == *part));
    format!("{who}: {}, {}", what.unwrap_or(&"?"), point(call, read.at_ms))
}

fn point(call: &Call<'_>, at_ms: u64) -> String {
    let at = Timestamp::from_unix_s(i64::try_from(at_ms / 1000).unwrap_or(i64::MAX));
    when::show(at, &call.env.zone)
}
