//! `borescope schema`: what scripts may read of a target, for whoever writes a query.
//!
//! Out of the verified policy, so nothing is asked of production. The policy has names and no types.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::TargetId;
use domain::display::neutralise;
use domain::manifest::Engine;
use serde_json::json;
use trust::{PolicyTarget, Read};

use super::Call;
use super::policy::masking::hidden;
use crate::exit::{Exit, Failure};
use crate::out::{hang_at, width};

/// Words that are no column's name in SQL unless they are quoted.
const RESERVED: &[&str] = &[
    "add",
    "all",
    "alter",
    "and",
    "as",
    "between",
    "by",
    "case",
    "check",
    "collate",
    "commit",
    "constraint",
    "create",
    "default",
    "delete",
    "distinct",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "foreign",
    "from",
    "group",
    "having",
    "in",
    "index",
    "insert",
    "intersect",
    "into",
    "is",
    "join",
    "key",
    "like",
    "limit",
    "not",
    "null",
    "on",
    "or",
    "order",
    "primary",
    "references",
    "select",
    "set",
    "table",
    "then",
    "to",
    "transaction",
    "union",
    "unique",
    "update",
    "user",
    "using",
    "values",
    "when",
    "where",
    "with",
];

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope schema pull shop-replica
  borescope schema pull shop-replica --out fixtures/shop.sql    the beginning of a fixture")]
pub(crate) struct SchemaArgs {
    /// What to do.
    #[command(subcommand)]
    what: What,
}

/// What there is to do.
#[derive(Debug, Subcommand)]
enum What {
    /// Show the tables and columns that scripts may read of a target
    Pull(PullArgs),
}

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope schema pull shop-replica
  borescope schema pull shop-replica --out fixtures/shop.sql

Comes from the signed policy; the target itself is not asked, so types are left for you to add. For
SQLite it is CREATE TABLE statements, for PostgreSQL a list.")]
struct PullArgs {
    /// The target
    target: TargetId,
    /// Write it to a file that is not there yet
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Does it.
pub(crate) async fn command(call: &Call<'_>, args: SchemaArgs) -> anyhow::Result<Exit> {
    let What::Pull(args) = args.what;
    let session = call.session().await?;
    let authority = session.authority().await?;
    let target = authority.target(&args.target).ok_or_else(|| {
        let known: Vec<&str> = authority.policy().targets.iter().map(|t| t.id.as_str()).collect();
        Failure::usage(
            format!("the policy has no target {}", args.target),
            format!("it has: {}", known.join(", ")),
        )
    })?;
    let policy = authority.policy_ref();
    if call.out.json {
        call.out.json(&json!({
            "target": target.id, "engine": target.engine,
            "policy": { "version": policy.version, "digest": policy.digest }, "tables": target.reads,
            "masks": target.masks, "denied": target.denied, "row_filters": target.row_filters,
        }))?;
        return Ok(Exit::Ok);
    }
    let source = format!("policy version {}, {}", policy.version, policy.digest);
    let lines = lines(target, &source);
    let Some(file) = args.out else {
        call.out.lines(lines)?;
        return Ok(Exit::Ok);
    };
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    write_new(&file, &text)?;
    call.out.line(format!("wrote {}", file.display()))?;
    call.out.note("next: add types and INSERTs, then: borescope test");
    Ok(Exit::Ok)
}

fn write_new(file: &std::path::Path, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let made = std::fs::OpenOptions::new().write(true).create_new(true).open(file);
    made.and_then(|mut made| made.write_all(text.as_bytes())).map_err(|e| {
        Failure::usage(
            format!("{} cannot be written: {e}", file.display()),
            "give a file that is not there yet, in a folder that is",
        )
    })
}

/// What may be read, as SQL.
fn lines(target: &PolicyTarget, source: &str) -> Vec<String> {
    let mut lines = vec![format!("-- What scripts may read of {}: {source}.", target.id)];
    match target.engine {
        Engine::Sqlite => {
            lines.push(
                "-- The policy has no types: add those that your queries rely on.".to_owned(),
            );
            for read in &target.reads {
                lines.push(String::new());
                lines.extend(table(read));
            }
        }
        Engine::Postgres => {
            let how = "-- Nothing else exists for a query; write each column by its name.";
            lines.push(how.to_owned());
            for read in &target.reads {
                let columns: Vec<String> = read.columns.iter().map(|c| identifier(c)).collect();
                let label = format!("-- {}:", neutralise(&read.table));
                let wrapped = hang_at(0, &label, &format!(" {}", columns.join(", ")), width());
                lines.extend(wrapped.into_iter().map(|line| match line.strip_prefix("--") {
                    Some(_) => line,
                    None => format!("--     {line}"),
                }));
            }
            let hidden = hidden(target).into_iter();
            lines.extend(hidden.map(|(label, what)| format!("-- {label}: {}", neutralise(&what))));
        }
    }
    lines
}

fn table(read: &Read) -> Vec<String> {
    let mut lines = vec![format!("CREATE TABLE {} (", identifier(&read.table))];
    for (at, column) in (1..).zip(&read.columns) {
        let comma = if at == read.columns.len() { "" } else { "," };
        lines.push(format!("    {}{comma}", identifier(column)));
    }
    lines.push(");".to_owned());
    lines
}

/// A name as SQL takes it, on one line.
fn identifier(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let is_plain = name.bytes().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit());
    if is_plain && !RESERVED.contains(&name) {
        return name.to_owned();
    }
    format!("\"{}\"", neutralise(name).replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_sql_would_read_as_something_else_is_quoted() {
        for (name, shown) in [
            ("order_id", "order_id"),
            ("order", "\"order\""),
            ("Id", "\"Id\""),
            ("2nd", "\"2nd\""),
            ("a\"b", "\"a\"\"b\""),
        ] {
            assert_eq!(identifier(name), shown);
        }
        assert!(!identifier("a\nDROP TABLE x").contains('\n'));
    }
}
