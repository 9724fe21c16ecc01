//! `borescope test`: run a script on its fixtures, in the real sandbox, without a server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;
use domain::Manifest;
use serde_json::json;

use super::{Call, build};
use crate::bundle::Bundle;
use crate::exit::{Exit, Failure, report};
use crate::fixtures::{self, Ran, Report, Verdict};
use crate::out::{Out, Style};
use crate::view::{bytes, count, diff, number, table};

/// How often `--watch` looks at the files.
const LOOK: Duration = Duration::from_millis(300);

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope test late-orders
  borescope test late-orders --update     keep what it puts out now as what is expected
  borescope test late-orders --watch      again whenever a file changes

fixtures/CASE.json is a case: {\"input\": {\"since\": \"2026-11-01T00:00:00Z\"}}. What its queries return
is in fixtures/LOGICAL.sql, which fills the target of that name (SQLite), or in the case:
\"answers\": [{\"query\": \"stuck\", \"params\": {\"batch\": 500}, \"columns\": [\"id\"], \"rows\": [[1], [2]]}].
Then its output must be that of fixtures/CASE.expected.json. Nothing is asked of a server or a target.
What its queries can touch of a real one, by its policy: borescope plan.

Ends with code 1 when a case differs or a query fails.")]
pub(crate) struct TestArgs {
    /// The script's folder, or a bundle's
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Write what the script puts out as what is expected
    #[arg(long)]
    update: bool,
    /// Test again whenever a file changes
    #[arg(long, conflicts_with = "update")]
    watch: bool,
}

/// Tests, once or for as long as somebody watches.
pub(crate) async fn command(call: &Call<'_>, args: TestArgs) -> anyhow::Result<Exit> {
    if !args.watch {
        return once(call.out, &args.dir, args.update).await;
    }
    loop {
        let seen = files(&args.dir);
        if let Err(error) = once(call.out, &args.dir, false).await {
            // Its exit code is for whoever does not watch.
            report(call.out, &error);
        }
        call.out.note("watching; Ctrl-C ends it");
        while files(&args.dir) == seen {
            tokio::time::sleep(LOOK).await;
        }
        call.out.note("");
    }
}

async fn once(out: Out, dir: &Path, update: bool) -> anyhow::Result<Exit> {
    let bundle =
        if build::is_project(dir) { build::assemble(out, dir)? } else { Bundle::read(dir)? };
    let progress = out.progress("testing");
    let report = fixtures::run(&bundle).await?;
    drop(progress);
    if report.cases.is_empty() {
        return Err(Failure::usage(
            format!("{} has no case: fixtures/*.json", dir.display()),
            "write one, as fixtures/first.json: {\"input\": {…}}; see borescope test --help",
        )
        .into());
    }
    let kept = if update { report.keep(dir)? } else { Vec::new() };
    show(out, &bundle.manifest, &report, &kept)?;
    let is_kept = |ran: &Ran| kept.contains(&fixtures::expected_path(&ran.name));
    if report.cases.iter().all(|ran| ran.is_good() || is_kept(ran)) {
        return Ok(Exit::Ok);
    }
    if !out.json && report.cases.iter().any(|r| r.problems.is_empty() && r.verdict != Verdict::Same)
    {
        out.note(format!("if this is right, keep it: borescope test {} --update", dir.display()));
    }
    Ok(Exit::Script)
}

/// Tests what somebody else wrote; whether all is as they expect. Without fixtures nothing is.
pub(crate) async fn of_bundle(out: Out, bundle: &Bundle) -> anyhow::Result<bool> {
    let progress = out.progress("testing");
    let report = fixtures::run(bundle).await?;
    drop(progress);
    if report.cases.is_empty() {
        out.note("it has no fixtures, so nothing was tested");
        return Ok(false);
    }
    show(out, &bundle.manifest, &report, &[])?;
    Ok(report.cases.iter().all(Ran::is_good))
}

fn show(out: Out, manifest: &Manifest, report: &Report, kept: &[String]) -> anyhow::Result<()> {
    if out.json {
        for ran in &report.cases {
            out.json(&as_json(ran, kept))?;
        }
        return Ok(());
    }
    for ran in &report.cases {
        one(out, ran, kept)?;
    }
    out.lines(table::list(["most of all cases", "used", "of", ""], &used(manifest, report)))?;
    Ok(())
}

/// One case: a line, and what is wrong with it.
fn one(out: Out, ran: &Ran, kept: &[String]) -> anyhow::Result<()> {
    let expected = fixtures::expected_path(&ran.name);
    let rows = ran.queries.values().map(|q| q.rows).sum();
    let figures = format!("{}, {} ms", count(rows, "row"), ran.wall_ms);
    let (style, word, more) = match &ran.verdict {
        _ if !ran.problems.is_empty() => (Style::Bad, "FAILED", String::new()),
        Verdict::Same => (Style::Good, "ok    ", String::new()),
        _ if kept.contains(&expected) => (Style::Good, "kept  ", format!(" → {expected}")),
        Verdict::Differs(_) => (Style::Bad, "FAILED", format!(": not as {expected}")),
        Verdict::New => (Style::Warn, "new   ", format!(": no {expected} yet")),
    };
    out.line(format!("{} {} ({figures}){more}", out.style(style, word), ran.name))?;
    out.lines(ran.problems.iter().map(|problem| format!("  {problem}")))?;
    match &ran.verdict {
        // What follows from a failed query is not worth reading.
        _ if !ran.problems.is_empty() || kept.contains(&expected) => {
            if !ran.problems.is_empty() {
                out.line(format!("  the run: {}", ran.ended))?;
            }
        }
        Verdict::Same => return Ok(()),
        Verdict::Differs(kept) => {
            let diff = diff::of(&expected, Some(kept.as_bytes()), Some(ran.got.as_bytes()), out);
            out.lines(diff.lines.iter().map(|line| format!("  {line}")))?;
        }
        Verdict::New => out.lines(ran.got.lines().map(|line| format!("  {line}")))?,
    }
    let log = ran.log.iter().map(|l| format!("  log {}: {}", l.level, l.message));
    Ok(out.lines(log)?)
}

/// The most that any case used of each limit.
fn used(manifest: &Manifest, report: &Report) -> Vec<[String; 4]> {
    let most = |of: fn(&Ran) -> u64| report.cases.iter().map(of).max().unwrap_or(0);
    let row = |what: String, used: u64, of: u64, words: fn(u64) -> String| {
        let percent = used.saturating_mul(100) / of.max(1);
        [what, words(used), words(of), format!("{percent} %")]
    };
    let limits = &manifest.limits;
    let mut rows = vec![
        row("fuel".to_owned(), most(|r| r.fuel), limits.fuel_max, number),
        row("memory".to_owned(), most(|r| r.memory), limits.memory_bytes_max, bytes),
        row("host calls".to_owned(), most(|r| r.host_calls), limits.host_calls_max, number),
    ];
    for query in &manifest.queries {
        let given = report.cases.iter().filter_map(|ran| ran.queries.get(&query.name));
        let (mut calls, mut most_rows) = (0, 0);
        for figures in given {
            calls = calls.max(figures.calls);
            most_rows = most_rows.max(figures.rows);
        }
        rows.push(row(
            format!("{}: rows", query.name),
            most_rows,
            query.limits.rows_total_max,
            number,
        ));
        rows.push(row(format!("{}: calls", query.name), calls, query.limits.calls_max, number));
    }
    rows
}

fn as_json(ran: &Ran, kept: &[String]) -> serde_json::Value {
    let expected = match &ran.verdict {
        _ if kept.contains(&fixtures::expected_path(&ran.name)) => "kept",
        Verdict::Same => "same",
        Verdict::Differs(_) => "differs",
        Verdict::New => "new",
    };
    let queries: BTreeMap<_, _> = ran
        .queries
        .iter()
        .map(|(name, q)| (name, json!({ "calls": q.calls, "rows": q.rows, "bytes": q.bytes })))
        .collect();
    json!({
        "case": ran.name, "ok": ran.is_good(), "expected": expected, "problems": ran.problems,
        "ended": ran.ended, "fuel_used": ran.fuel, "memory_peak": ran.memory,
        "host_calls": ran.host_calls, "wall_ms": ran.wall_ms, "queries": queries,
    })
}

/// When each file of the folder changed, and its size; not what builds leave, and nothing hidden.
fn files(dir: &Path) -> BTreeMap<PathBuf, (Option<SystemTime>, u64)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name == "target" || name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => folders.push(entry.path()),
                Ok(meta) => _ = found.insert(entry.path(), (meta.modified().ok(), meta.len())),
                Err(_) => {}
            }
        }
    }
    found
}
