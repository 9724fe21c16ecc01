//! `borescope submit --ci`: tests and uploads, signs nothing, and says in Markdown what a pull request
//! brings. A token is all that it needs; the author signs on their own machine (`--sign`).

use std::path::Path;

use api::Client;
use domain::display::neutralise;
use serde_json::json;

use super::super::{Call, build};
use crate::bundle::{Bundle, write_index};
use crate::exit::{Exit, Failure};
use crate::fixtures::{self, Ran, Report, Verdict};
use crate::out::Out;
use crate::view::change::{self, Moves, Side};
use crate::view::{bytes, count, limits};
use crate::{session, stock};

/// What the server has of the same script.
struct Earlier {
    bundle: Bundle,
    version: String,
}

/// Tests, uploads, prints.
pub(super) async fn command(call: &Call<'_>, dir: &Path) -> anyhow::Result<Exit> {
    let place =
        if build::is_project(dir) { build::build(call.out, dir)?.0.bundle } else { dir.to_owned() };
    let bundle = Bundle::read(&place)?;
    let report = fixtures::run(&bundle).await?;
    let passed = report.cases.iter().all(Ran::is_good);
    let client = client(call).await?;
    let earlier = earlier(&client, &bundle).await?;
    // What fails its own fixtures is no use to a reviewer.
    let warnings = if passed {
        write_index(&place, &bundle.index)?;
        Some(super::upload(&client, &place, &bundle).await?)
    } else {
        None
    };
    let lines = markdown(&bundle, earlier.as_ref(), &report, warnings.as_deref())?;
    if call.out.json {
        call.out.json(&json!({
            "revision": bundle.revision, "script": bundle.manifest.name,
            "version": bundle.manifest.version, "uploaded": passed, "warnings": warnings,
            "markdown": lines.join("\n"),
        }))?;
    } else {
        call.out.lines(lines)?;
    }
    Ok(if passed { Exit::Ok } else { Exit::Script })
}

/// Of the token in the environment, else of the context.
async fn client(call: &Call<'_>) -> anyhow::Result<Client> {
    let Some(token) = &call.env.token else {
        return Ok(call.session().await?.client);
    };
    let url = call.who.url.as_ref().or(call.env.url.as_ref()).ok_or_else(|| {
        Failure::usage(
            "BORESCOPE_TOKEN is set, and no server is named",
            "give --url URL, or set BORESCOPE_URL",
        )
    })?;
    Ok(session::client(url, None)?.with_token(token.clone()))
}

/// The newest other revision of the same script.
async fn earlier(client: &Client, bundle: &Bundle) -> anyhow::Result<Option<Earlier>> {
    let all = client.scripts().await?;
    let mine = all.iter().filter(|s| s.script == bundle.manifest.name);
    let newest = mine.filter(|s| s.revision != bundle.revision).max_by_key(|s| s.created_ms);
    let Some(newest) = newest else { return Ok(None) };
    let version = newest.version.to_string();
    let bundle = session::fetch(client, &newest.revision).await?;
    Ok(Some(Earlier { bundle, version }))
}

fn markdown(
    bundle: &Bundle,
    earlier: Option<&Earlier>,
    report: &Report,
    warnings: Option<&[String]>,
) -> anyhow::Result<Vec<String>> {
    let m = &bundle.manifest;
    let mut lines = vec![
        format!("### {} {}", code(m.name.as_str()), m.version),
        String::new(),
        code(&m.summary),
        String::new(),
        "| | |".to_owned(),
        "|---|---|".to_owned(),
        format!("| revision | {} |", code(&bundle.revision.to_string())),
        format!("| component | {} |", code(&stock::in_words(&bundle.component_digest()))),
        format!("| limits | {} |", limits(&m.limits)),
    ];
    lines.push(match earlier {
        None => "| changed | everything: the server has no other revision |".to_owned(),
        Some(old) => {
            format!("| changed since {} | {} |", old.version, changes(&old.bundle, bundle)?)
        }
    });
    lines.push(String::new());
    lines.extend(queries(bundle, earlier.map(|old| &old.bundle)));
    lines.push(String::new());
    lines.extend(tests(report));
    for warning in warnings.unwrap_or_default() {
        lines.push(format!("- warning: {}", code(warning)));
    }
    lines.push(String::new());
    lines.push(match warnings {
        Some(_) => format!(
            "Uploaded, not signed. Next, its author, where their key is: \
             `borescope submit --sign {}`",
            bundle.revision
        ),
        None => "Not uploaded. Next, where the source is: `borescope test`".to_owned(),
    });
    Ok(lines)
}

/// What reviewers will be told first, and the files that differ.
fn changes(old: &Bundle, new: &Bundle) -> anyhow::Result<String> {
    let out = Out::new(true, true);
    let (was, is) = (Side::of(old)?, Side::of(new)?);
    let asks = |bundle: &Bundle| -> Result<_, domain::ParseError> {
        let pairs = bundle.manifest.targets.keys().map(fixtures::pair_of);
        Ok(bundle.manifest.asks(&pairs.collect::<Result<Vec<_>, _>>()?))
    };
    let moves = Moves::between(&asks(old)?, &asks(new)?);
    let files = change::files(&was, &is, out);
    let line = change::in_one_line(&was, &is, &moves, &files, out);
    let files: Vec<String> = files.iter().map(|(path, _)| code(path)).collect();
    Ok(format!("{}; files: {}", code(&line), files.join(", ")))
}

fn queries(bundle: &Bundle, old: Option<&Bundle>) -> Vec<String> {
    let mut lines =
        vec!["| query | on | parameters | at most |".to_owned(), "|---|---|---|---|".to_owned()];
    for query in &bundle.manifest.queries {
        let before = old.map(|old| old.text(query.file.as_str()));
        let mark = match before {
            Some(None) => " (new)",
            Some(text) if text != bundle.text(query.file.as_str()) => " (changed)",
            _ => "",
        };
        let params = query.params.iter().map(|param| match &param.from {
            Some(from) => format!("{} ← {}", param.name, code(from)),
            None => format!("{} (chosen by the script)", param.name),
        });
        let l = &query.limits;
        lines.push(format!(
            "| {}{mark} | {} | {} | {}, {}, {} |",
            code(query.name.as_str()),
            query.target,
            params.collect::<Vec<_>>().join(", "),
            count(l.calls_max, "call"),
            count(l.rows_total_max, "row"),
            bytes(l.bytes_total_max)
        ));
    }
    lines
}

fn tests(report: &Report) -> Vec<String> {
    if report.cases.is_empty() {
        return vec!["Tests: none (fixtures/*.json)".to_owned()];
    }
    let passed = report.cases.iter().filter(|ran| ran.is_good()).count();
    let mut lines = vec![format!("Tests: {passed} of {} passed", report.cases.len())];
    for ran in report.cases.iter().filter(|ran| !ran.is_good()) {
        let why = match (ran.problems.first(), &ran.verdict) {
            (Some(problem), _) => problem.clone(),
            (None, Verdict::New) => "no expected output is kept".to_owned(),
            (None, _) => "its output is not the expected one".to_owned(),
        };
        lines.push(format!("- failed: {}: {}", code(&ran.name), code(&why)));
    }
    lines
}

/// Text that is not ours, as Markdown that nothing in it can leave.
fn code(text: &str) -> String {
    format!("`{}`", neutralise(text).replace('`', "'").replace('|', "\\|"))
}

#[cfg(test)]
mod tests_of_markdown {
    use super::code;

    #[test]
    fn what_an_author_writes_stays_within_its_cell() {
        assert_eq!(code("a` | <img src=x> \n# b"), "`a' \\| <img src=x> \\n# b`");
    }
}
