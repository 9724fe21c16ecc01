//! A script's folder as its author keeps it, checked file by file before anything of it becomes a bundle.
//!
//! Every refusal names file, line and what to do. What is *not* here: the bundle itself ([`crate::bundle`])
//! and the checks that need a target's policy, which the server repeats at upload.

mod lines;
mod sql;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use app::AppError;
use domain::bundle::MANIFEST_PATH;
use domain::manifest::{ManifestError, Param, Query};
use domain::schema::{InputSchema, SchemaError};
use domain::{BundlePath, Manifest};
use serde_json::Value as Json;

use crate::exit::Failure;

/// The schema's file, as the manifest names it.
const SCHEMA_PATH: &str = "input.schema.json";

/// A folder that is being checked.
struct Folder<'d> {
    dir: &'d Path,
    /// The text of `script.toml`.
    toml: String,
    manifest: Manifest,
}

/// Reads and checks a script's folder: every file of its bundle but what is built. `only_sql` says that the
/// stock component will run it.
///
/// # Errors
/// The first thing that is wrong, with its file and line.
pub(crate) fn read_all(
    dir: &Path,
    only_sql: bool,
) -> Result<BTreeMap<BundlePath, Vec<u8>>, Failure> {
    let folder = Folder::open(dir)?;
    if only_sql {
        folder.check_parameters_are_filled()?;
    }
    let schema = folder.schema()?;
    if let Some(schema) = &schema {
        folder.check_pointers(schema)?;
    }
    folder.check_queries()?;
    folder.files()
}

impl<'d> Folder<'d> {
    fn open(dir: &'d Path) -> Result<Self, Failure> {
        let place = dir.join(MANIFEST_PATH);
        let toml = fs::read_to_string(&place).map_err(|e| {
            Failure::usage(
                format!("{}: cannot be read: {e}", place.display()),
                "give a script's folder; begin one with: borescope new NAME --sql",
            )
        })?;
        match Manifest::parse(toml.as_bytes()) {
            Ok(manifest) => Ok(Self { dir, toml, manifest }),
            Err(error) => {
                let (line, problem) = match error {
                    ManifestError::Syntax(words) => lines::of_syntax_error(&words),
                    ManifestError::Invalid { place, problem } => {
                        (lines::of_place(&toml, &place), format!("{place}: {problem}"))
                    }
                };
                let help = "`borescope new NAME --sql` writes one that is right, with comments";
                Err(Failure::usage(format!("{}:{line}: {problem}", place.display()), help))
            }
        }
    }

    fn at(&self, path: &str, line: usize) -> String {
        format!("{}:{line}", self.dir.join(path).display())
    }

    /// Every parameter of every query, with its query's name and its line.
    fn parameters(&self) -> impl Iterator<Item = (&str, &Param, usize)> {
        self.manifest.queries.iter().flat_map(move |query| {
            query.params.iter().map(move |param| {
                let place = format!("query {}, parameter {}", query.name, param.name);
                (query.name.as_str(), param, lines::of_place(&self.toml, &place))
            })
        })
    }

    /// The stock component is the same for every script, so it cannot choose a value.
    fn check_parameters_are_filled(&self) -> Result<(), Failure> {
        if self.manifest.queries.is_empty() {
            return Err(Failure::usage(
                format!("{}: it has no [[query]]", self.at(MANIFEST_PATH, 1)),
                "a script that is only SQL shows what its queries return; add one",
            ));
        }
        let Some((query, param, line)) = self.parameters().find(|(_, p, _)| p.from.is_none())
        else {
            return Ok(());
        };
        Err(Failure::usage(
            format!(
                "{}: nobody fills parameter {} of query {query}: it has no `from`, and the stock \
                 component chooses no values",
                self.at(MANIFEST_PATH, line),
                param.name
            ),
            format!("add from = \"/{}\", and this property to {SCHEMA_PATH}", param.name),
        ))
    }

    fn schema(&self) -> Result<Option<Json>, Failure> {
        let place = self.dir.join(SCHEMA_PATH);
        if self.manifest.input.is_none() {
            if place.exists() {
                return Err(Failure::usage(
                    format!("{}: the script takes no input", self.at(SCHEMA_PATH, 1)),
                    format!("add input = \"{SCHEMA_PATH}\" to [script], or remove the file"),
                ));
            }
            return Ok(None);
        }
        let bytes = read(&place, "write it, or remove `input` from [script] in script.toml")?;
        let text = String::from_utf8_lossy(&bytes);
        let checked = InputSchema::parse(&bytes).and_then(|_| domain::schema::parse_json(&bytes));
        checked.map(Some).map_err(|error| {
            let line = match &error {
                SchemaError::Json(words) => lines::of_json_error(words),
                SchemaError::Schema { place, .. } => lines::of_pointer(&text, place),
                SchemaError::Size(..) | SchemaError::Input { .. } => 1,
            };
            Failure::usage(
                format!("{}: {error}", self.at(SCHEMA_PATH, line)),
                "use the keywords type, properties, required, additionalProperties (false), enum, \
                 minimum, maximum, pattern, format, description",
            )
        })
    }

    /// A parameter whose pointer can find nothing would refuse every run.
    fn check_pointers(&self, schema: &Json) -> Result<(), Failure> {
        for (query, param, line) in self.parameters() {
            let Some(pointer) = &param.from else { continue };
            let place = self.at(MANIFEST_PATH, line);
            let what = format!("parameter {} of query {query} comes from {pointer}", param.name);
            match reach(schema, pointer) {
                Reach::Nothing => {
                    return Err(Failure::usage(
                        format!("{place}: {what}, which {SCHEMA_PATH} does not have"),
                        format!("add the property to {SCHEMA_PATH}, or correct `from`"),
                    ));
                }
                Reach::Sometimes if !param.optional => {
                    return Err(Failure::usage(
                        format!("{place}: {what}, which the input may leave out"),
                        format!(
                            "add it to \"required\" in {SCHEMA_PATH}, or say optional = true here: \
                             then the query gets NULL"
                        ),
                    ));
                }
                Reach::Sometimes | Reach::Always => {}
            }
        }
        Ok(())
    }

    fn check_queries(&self) -> Result<(), Failure> {
        for query in &self.manifest.queries {
            let line = lines::of_place(&self.toml, &format!("query {}", query.name));
            let bytes = read(
                &self.dir.join(query.file.as_str()),
                &format!("write it, or correct `file` at {}", self.at(MANIFEST_PATH, line)),
            )?;
            let Ok(text) = String::from_utf8(bytes) else {
                return Err(Failure::usage(
                    format!("{}: is not UTF-8", self.at(query.file.as_str(), 1)),
                    "save it as plain UTF-8",
                ));
            };
            let Some(engine) = self.manifest.targets.get(&query.target) else { continue };
            app::check_query(query, *engine, &text, &[]).map_err(|e| {
                let problem = match &e {
                    AppError::Bundle(file_and_problem) => file_and_problem.clone(),
                    other => other.to_string(),
                };
                let problem =
                    problem.strip_prefix(&format!("{}: ", query.file)).unwrap_or(&problem);
                let file = self.dir.join(query.file.as_str());
                Failure::usage(
                    in_file(&file.display().to_string(), problem),
                    "the gate at the target takes what it can prove to be a read of named columns",
                )
            })?;
            self.check_parameters_are_used(query, &text)?;
        }
        Ok(())
    }

    /// A parameter that nothing uses looks like a limit that is not there.
    fn check_parameters_are_used(&self, query: &Query, text: &str) -> Result<(), Failure> {
        let used = sql::parameters(text);
        let mut all = (1..).zip(&query.params);
        let Some((number, param)) = all.find(|(number, _)| !used.contains(number)) else {
            return Ok(());
        };
        let place = format!("query {}, parameter {}", query.name, param.name);
        let line = lines::of_place(&self.toml, &place);
        Err(Failure::usage(
            format!(
                "{}: {place} is ${number}, which {} does not use",
                self.at(MANIFEST_PATH, line),
                query.file
            ),
            "use it there, or remove it here; $1, $2 … are the parameters in this order",
        ))
    }

    /// The bundle's files; what else lies in the folder stays out.
    fn files(&self) -> Result<BTreeMap<BundlePath, Vec<u8>>, Failure> {
        let mut files = BTreeMap::new();
        let named: BTreeSet<&str> =
            self.manifest.queries.iter().map(|query| query.file.as_str()).collect();
        for path in walk(self.dir, "queries")? {
            if !named.contains(path.as_str()) {
                return Err(Failure::usage(
                    format!("{}: no [[query]] of script.toml names it", self.at(&path, 1)),
                    "name it there, or remove it: reviewers would read it for nothing",
                ));
            }
        }
        let mut wanted: Vec<String> = named.into_iter().map(str::to_owned).collect();
        wanted.push(MANIFEST_PATH.to_owned());
        wanted.extend(self.manifest.input.as_ref().map(ToString::to_string));
        wanted.extend(walk(self.dir, "fixtures")?);
        for path in wanted {
            let bytes = read(&self.dir.join(&path), "give it, or remove what names it")?;
            files.insert(bundle_path(self.dir, &path)?, bytes);
        }
        for readme in ["readme.md", "README.md"].map(|name| self.dir.join(name)) {
            if readme.is_file() {
                files.insert(
                    bundle_path(self.dir, "readme.md")?,
                    read(&readme, "make it readable")?,
                );
                break;
            }
        }
        Ok(files)
    }
}

/// A refusal of a query's text as `file:line: words`; the gates say the line within their words.
pub(crate) fn in_file(file: &str, words: &str) -> String {
    match lines::of_query_error(words) {
        Some((line, words)) => format!("{file}:{line}: {words}"),
        None => format!("{file}: {words}"),
    }
}

/// Whether a JSON pointer finds something in an input that fits a schema.
enum Reach {
    Nothing,
    Sometimes,
    Always,
}

fn reach(schema: &Json, pointer: &str) -> Reach {
    let (mut schema, mut always) = (schema, true);
    for segment in pointer.split('/').skip(1) {
        let name = segment.replace("~1", "/").replace("~0", "~");
        let Some(inner) = schema.get("properties").and_then(|all| all.get(&name)) else {
            // An entry of an array may be there.
            let Some(items) = schema.get("items").filter(|_| name.parse::<usize>().is_ok()) else {
                return Reach::Nothing;
            };
            (schema, always) = (items, false);
            continue;
        };
        let required = schema.get("required").and_then(Json::as_array);
        always &= required.is_some_and(|all| all.iter().any(|r| r.as_str() == Some(&name)));
        schema = inner;
    }
    if always { Reach::Always } else { Reach::Sometimes }
}

fn read(place: &Path, help: &str) -> Result<Vec<u8>, Failure> {
    fs::read(place)
        .map_err(|e| Failure::usage(format!("{}: cannot be read: {e}", place.display()), help))
}

fn bundle_path(dir: &Path, path: &str) -> Result<BundlePath, Failure> {
    path.parse().map_err(|e: domain::ParseError| {
        Failure::usage(
            format!("{}: {e}", dir.join(path).display()),
            "rename it: lower case, digits, dots, hyphens",
        )
    })
}

/// The files below a folder, as paths from `dir`; none when there is no such folder.
fn walk(dir: &Path, below: &str) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        Some(dir.join(below)).filter(|f| f.is_dir()).into_iter().collect();
    while let Some(folder) = folders.pop() {
        let unreadable = |e: std::io::Error| {
            Failure::usage(
                format!("{}: cannot be listed: {e}", folder.display()),
                "make it readable",
            )
        };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let place = entry.map_err(unreadable)?.path();
            if place.is_dir() {
                folders.push(place);
            } else {
                let relative = place.strip_prefix(dir).unwrap_or(&place);
                found.push(relative.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests;
