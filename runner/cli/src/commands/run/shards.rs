//! One run for each target of a group, and one answer: what single ones could not do is told, what the
//! others gave stays.

use std::path::Path;

use domain::Pair;
use futures_util::future::join_all;
use serde_json::json;

use super::follow::Teller;
use super::merged::{self, Part};
use super::trip::{Cleared, Trip};
use super::{Ran, Under, denied, ended, owes, write};
use crate::chosen::quoted;
use crate::exit::{Exit, report};
use crate::view::{count, receipt, table};

/// One run of them.
struct Shard {
    target: String,
    ran: anyhow::Result<Result<(Ran, Under), Exit>>,
}

/// Orders all of them, waits for all, and shows them together; the worst exit code.
pub(super) async fn run(
    trip: &Trip<'_>,
    all: Vec<Cleared>,
    dir: Option<&Path>,
) -> anyhow::Result<Exit> {
    // One after the other: a passphrase or a touch may be asked for.
    let mut ordered = Vec::with_capacity(all.len());
    for one in all {
        ordered.push((name(&one.pairs), trip.order(one).await));
    }
    let progress = trip.call.out.progress(&format!("running on {} targets", ordered.len()));
    let ended = ordered.into_iter().map(async |(target, ordered)| {
        let ran = match ordered {
            Ok(Ok((view, under))) => {
                trip.ended(view, Teller::of_many(trip.call.out)).await.map(|ran| Ok((ran, under)))
            }
            Ok(Err(exit)) => Ok(Err(exit)),
            Err(error) => Err(error),
        };
        Shard { target, ran }
    });
    let shards = join_all(ended).await;
    drop(progress);
    show(trip, &shards, dir).await
}

/// By its real targets.
fn name(pairs: &[Pair]) -> String {
    let targets: Vec<&str> = pairs.iter().map(|p| p.target.as_str()).collect();
    targets.join(",")
}

async fn show(trip: &Trip<'_>, shards: &[Shard], dir: Option<&Path>) -> anyhow::Result<Exit> {
    let out = trip.call.out;
    if !out.json {
        together(trip, shards)?;
    }
    let mut worst = Exit::Ok;
    for Shard { target, ran } in shards {
        let (ran, under) = match ran {
            Ok(Ok(ran)) => ran,
            Ok(Err(exit)) => {
                out.note(format!("{target}: nothing ran"));
                worst = worst.max(*exit);
                continue;
            }
            Err(error) => {
                out.note(format!("{target}:"));
                worst = worst.max(report(out, error));
                continue;
            }
        };
        worst = worst.max(ended(ran));
        if let Some(dir) = dir {
            write(trip.session, &dir.join(target), ran).await?;
        }
        if out.json {
            out.json(&json!({
                "event": "result", "target": target, "run": ran.view,
                "output": ran.output.as_ref().map(|r| &r.output),
                "receipt": ran.evidence.as_ref().map(|p| &p.verified.receipt),
            }))?;
            continue;
        }
        one(trip, target, ran, under)?;
        owes(trip.call, trip.session, ran).await?;
    }
    Ok(worst)
}

/// All tables, merged.
fn together(trip: &Trip<'_>, shards: &[Shard]) -> anyhow::Result<()> {
    let parts: Vec<Part<'_>> = shards.iter().filter_map(part).collect();
    for merged in merged::tables(&parts) {
        let all = format!("borescope show RUN --table {} --csv", quoted(&merged.name));
        trip.call.out.lines(table::result(&merged, table::ROWS_SHOWN_MAX, 0, Some(&all)))?;
    }
    Ok(())
}

/// What one of them gave, if it gave anything.
fn part(shard: &Shard) -> Option<Part<'_>> {
    let Ok(Ok((ran, _))) = &shard.ran else { return None };
    let tables = &ran.output.as_ref()?.output.result.tables;
    Some(Part { target: &shard.target, tables })
}

/// What one of them says besides its tables.
fn one(trip: &Trip<'_>, target: &str, ran: &Ran, under: &Under) -> anyhow::Result<()> {
    let out = trip.call.out;
    if let Some(denial) = &ran.view.denial {
        out.note(format!("{target}:"));
        denied(out, ran, denial, Some(under));
        return Ok(());
    }
    if let Some(released) = &ran.output {
        let value = receipt::value(&released.output.result.value).join(", ");
        out.field(&format!("{target}  "), &value)?;
        for line in receipt::told(&released.output) {
            out.note(format!("{target}: {line}"));
        }
    }
    let Some(proved) = &ran.evidence else {
        out.note(format!("{target}: {} is {}", ran.view.id, ran.view.state.code()));
        return Ok(());
    };
    let r = &proved.verified.receipt;
    let hit: Vec<String> = r.limits_hit.iter().map(ToString::to_string).collect();
    let hit =
        if hit.is_empty() { String::new() } else { format!(", limits hit: {}", hit.join(", ")) };
    let (rows, receipt) = (count(r.rows, "row"), &r.header.id);
    out.note(format!(
        "{target}: {} {}, read {rows}{hit}, receipt {receipt}",
        r.run,
        r.outcome.code()
    ));
    Ok(())
}
