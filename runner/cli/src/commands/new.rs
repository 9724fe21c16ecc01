//! `borescope new`: begin a script, as a folder with commented files that work as they are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use domain::ScriptName;
use serde_json::json;

use super::Call;
use crate::exit::{Exit, Failure};
use crate::out::Style;

/// What stands in the templates for the script's name.
const NAME: &str = "NAME";
/// The files of a script that is only SQL: path and text, in both the name is to be put in.
const SQL: &[(&str, &str)] = &[
    ("script.toml", include_str!("new/sql/script.toml")),
    ("queries/NAME.sql", include_str!("new/sql/query.sql")),
    ("input.schema.json", include_str!("new/sql/input.schema.json")),
    ("readme.md", include_str!("new/sql/readme.md")),
    (".gitignore", "target/\n"),
];

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope new late-orders --sql
  borescope build late-orders
  borescope submit late-orders

A script that is only SQL: no compiler, no code. It works as it is against the shop of
`borescope demo`; change query, schema and manifest, and build it again.")]
pub(crate) struct NewArgs {
    /// The script's name; also the folder's
    name: ScriptName,
    /// Only SQL: the stock component runs its queries and shows one table each
    #[arg(long)]
    sql: bool,
}

/// Writes the folder.
pub(crate) fn command(call: &Call<'_>, args: &NewArgs) -> anyhow::Result<Exit> {
    if !args.sql {
        return Err(Failure::usage(
            "only scripts that are SQL alone can be begun by this program",
            format!("borescope new {} --sql; for one with code copy one of scripts/", args.name),
        )
        .into());
    }
    let dir = PathBuf::from(args.name.as_str());
    let files = write(&dir, args.name.as_str())?;
    if call.out.json {
        call.out.json(&json!({ "script": args.name, "dir": dir, "files": files }))?;
        return Ok(Exit::Ok);
    }
    call.out.line(format!("new script {}", call.out.style(Style::Bold, args.name.as_str())))?;
    for file in files {
        call.out.line(format!("  {}", dir.join(file).display()))?;
    }
    call.out.note(format!("next: borescope build {0} && borescope submit {0}", args.name));
    Ok(Exit::Ok)
}

/// Writes the files into a folder that does not exist yet; their paths.
fn write(dir: &Path, name: &str) -> anyhow::Result<Vec<String>> {
    if dir.exists() {
        return Err(Failure::usage(
            format!("{} is there already", dir.display()),
            "choose another name, or remove it; nothing was written",
        )
        .into());
    }
    let mut written = Vec::new();
    for (path, text) in SQL {
        let path = path.replace(NAME, name);
        let file = dir.join(&path);
        let folder = file.parent().unwrap_or(dir);
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        fs::write(&file, text.replace(NAME, name))
            .with_context(|| format!("cannot write {}", file.display()))?;
        written.push(path);
    }
    Ok(written)
}
