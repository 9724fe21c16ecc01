//! `borescope submit`: upload a bundle, sign 'I submit this revision'.

use std::path::{Path, PathBuf};

use api::types::Filed;
use clap::Args;
use domain::bundle::INDEX_PATH;
use domain::{Digest, ScriptName, ScriptVersion, SubmissionId};
use serde::Serialize;
use trust::Submission;

use super::{Call, build};
use crate::bundle::{Bundle, write_index};
use crate::exit::{Exit, Failure};
use crate::out::Style;
use crate::session::{Session, path, wire};

/// How long a submission may be relied on, seconds: a year. Submit again to renew.
const LIFE_S: i64 = 365 * 86_400;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope submit ./stuck-orders        a bundle's folder
  borescope submit late-orders           a script that is only SQL: built anew, then submitted

A bundle's folder holds component.wasm, script.toml, queries/*.sql and, as needed, input.schema.json,
source.tar, readme.md and fixtures/. bundle.sha256 is written there; check it with
`sha256sum -c bundle.sha256`.")]
pub(crate) struct SubmitArgs {
    /// Folder with the bundle's files, or of a script that `borescope build` takes
    dir: PathBuf,
}

/// What was submitted.
#[derive(Debug, Serialize)]
pub(crate) struct Submitted {
    /// The revision, as hashed here.
    pub(crate) revision: Digest,
    /// The script.
    pub(crate) script: ScriptName,
    /// Its version.
    pub(crate) version: ScriptVersion,
    /// The submission's id.
    pub(crate) submission: String,
    /// What a reviewer will ask about.
    pub(crate) warnings: Vec<String>,
}

/// Submits and shows what to do next.
pub(crate) async fn command(call: &Call<'_>, args: SubmitArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    // An old bundle beside a changed script would be submitted for the new one.
    let dir =
        if build::is_project(&args.dir) { build::build(&args.dir)?.0.bundle } else { args.dir };
    let submitted = submit(&session, &dir, || call.out.progress("uploading")).await?;
    if call.out.json {
        call.out.json(&submitted)?;
        return Ok(Exit::Ok);
    }
    let name = format!("{} {}", submitted.script, submitted.version);
    call.out.line(format!("submitted {}", call.out.style(Style::Bold, &name)))?;
    call.out.line(format!("revision   {}", submitted.revision))?;
    call.out.line(format!("submission {}", submitted.submission))?;
    for warning in &submitted.warnings {
        call.out.note(format!("{} {}", call.out.style_err(Style::Warn, "warning:"), warning));
    }
    call.out.note(format!(
        "next: somebody else reviews it: borescope review {} --target LOGICAL=TARGET",
        submitted.revision.short()
    ));
    Ok(Exit::Ok)
}

/// Uploads the folder and files the submission. `progress` is shown during the upload, not while the
/// person is asked to sign.
pub(crate) async fn submit<P>(
    session: &Session,
    dir: &Path,
    progress: impl FnOnce() -> P,
) -> anyhow::Result<Submitted> {
    let bundle = Bundle::read(dir)?;
    write_index(dir, &bundle.index)?;
    let shown = progress();
    let warnings = upload(session, dir, &bundle).await?;
    drop(shown);
    let filed = file(session, &bundle).await?;
    Ok(Submitted {
        revision: bundle.revision,
        script: bundle.manifest.name,
        version: bundle.manifest.version,
        submission: filed.id,
        warnings,
    })
}

/// Uploads the files; the server must come to the same digest.
pub(crate) async fn upload(
    session: &Session,
    dir: &Path,
    bundle: &Bundle,
) -> anyhow::Result<Vec<String>> {
    let mut files = vec![(path(INDEX_PATH)?, dir.join(INDEX_PATH))];
    files.extend(bundle.files.keys().map(|p| (p.clone(), dir.join(p.as_str()))));
    let uploaded = session.client.upload(&files).await?;
    if uploaded.revision != bundle.revision {
        return Err(Failure::evidence(
            format!(
                "the server took the files for {}, they are {}",
                uploaded.revision, bundle.revision
            ),
            "a file changed meanwhile, or the server lies; nothing was signed",
        )
        .into());
    }
    Ok(uploaded.warnings)
}

/// Signs and files the submission of a revision that was hashed here.
pub(crate) async fn file(session: &Session, bundle: &Bundle) -> anyhow::Result<Filed> {
    let id = SubmissionId::new(&*session.world.clock, &*session.world.entropy);
    let submission = Submission {
        header: session.header(id, LIFE_S),
        author: session.person.clone(),
        owner: trust::document::NullOnly,
        script: bundle.manifest.name.clone(),
        version: bundle.manifest.version.clone(),
        revision: bundle.revision,
    };
    let envelope = wire(&session.sign(&submission)?)?;
    Ok(session.client.submit(&envelope).await?)
}
