//! `borescope submit`: upload a bundle, sign 'I submit this revision'; or one of the two here and the other
//! elsewhere.

mod ci;

use std::path::{Path, PathBuf};

use api::Client;
use api::types::Filed;
use clap::Args;
use domain::bundle::INDEX_PATH;
use domain::{Digest, ScriptName, ScriptVersion, SubmissionId};
use sandbox::Sandbox;
use serde::Serialize;
use trust::Submission;

use super::{Call, build};
use crate::bundle::{Bundle, write_index};
use crate::exit::{Exit, Failure};
use crate::out::Style;
use crate::session::{Session, path, wire};
use crate::view::revision;

/// How long a submission may be relied on, seconds: a year. Submit again to renew.
const LIFE_S: i64 = 365 * 86_400;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope submit late-orders           a script's folder: built anew, then submitted
  borescope submit ./stuck-orders        a bundle's folder
  borescope submit late-orders --ci      test and upload, sign nothing, print Markdown for a pull request
  borescope submit --sign sha256:3f2a…   sign what was uploaded so, where your key is

A bundle's folder holds component.wasm, script.toml, queries/*.sql and, as needed, input.schema.json,
source.tar, readme.md and fixtures/. bundle.sha256 is written there; check it with
`sha256sum -c bundle.sha256`. For --ci the token of a session is enough: BORESCOPE_TOKEN, with
BORESCOPE_URL or --url.")]
pub(crate) struct SubmitArgs {
    /// Folder of a script, or with a bundle's files
    #[arg(required_unless_present = "sign", conflicts_with = "sign")]
    dir: Option<PathBuf>,
    /// Test and upload without signing, and say in Markdown what it brings
    #[arg(long, conflicts_with = "sign")]
    ci: bool,
    /// Read a revision that was uploaded, and sign its submission
    #[arg(long, value_name = "DIGEST")]
    sign: Option<Digest>,
    /// Sign without asking
    #[arg(long, requires = "sign")]
    yes: bool,
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

impl Submitted {
    fn of(bundle: Bundle, filed: Filed, warnings: Vec<String>) -> Self {
        Self {
            revision: bundle.revision,
            script: bundle.manifest.name,
            version: bundle.manifest.version,
            submission: filed.id,
            warnings,
        }
    }
}

/// Submits and shows what to do next.
pub(crate) async fn command(call: &Call<'_>, args: SubmitArgs) -> anyhow::Result<Exit> {
    let dir = match (args.sign, args.dir) {
        (Some(revision), _) => return sign(call, &revision, args.yes).await,
        (None, Some(dir)) if args.ci => return ci::command(call, &dir).await,
        (None, dir) => dir.unwrap_or_default(),
    };
    let session = call.session().await?;
    // An old bundle beside a changed script would be submitted for the new one.
    let dir = if build::is_project(&dir) { build::build(call.out, &dir)?.0.bundle } else { dir };
    let submitted = submit(&session, &dir, || call.out.progress("uploading")).await?;
    show(call, &submitted)
}

/// Fetches what was uploaded elsewhere, shows it, and signs.
async fn sign(call: &Call<'_>, revision: &Digest, yes: bool) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let bundle = session.fetch(revision).await?;
    let (name, version) = (&bundle.manifest.name, &bundle.manifest.version);
    if !call.out.json {
        let facts = Sandbox::inspect(bundle.component()?)?;
        call.out.lines(revision::whole(&bundle, &facts, call.out))?;
    }
    call.out.note(format!("you say that you are an author of {name} {version}, {revision}"));
    if !yes && !call.out.confirm(&format!("Sign its submission as {}?", session.person))? {
        call.out.note("nothing was signed");
        return Ok(Exit::Denied);
    }
    let filed = file(&session, &bundle).await?;
    show(call, &Submitted::of(bundle, filed, Vec::new()))
}

fn show(call: &Call<'_>, submitted: &Submitted) -> anyhow::Result<Exit> {
    if call.out.json {
        call.out.json(submitted)?;
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
        "next: somebody else reviews it: borescope review {}",
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
    let warnings = upload(&session.client, dir, &bundle).await?;
    drop(shown);
    let filed = file(session, &bundle).await?;
    Ok(Submitted::of(bundle, filed, warnings))
}

/// Uploads the files; the server must come to the same digest.
pub(crate) async fn upload(
    client: &Client,
    dir: &Path,
    bundle: &Bundle,
) -> anyhow::Result<Vec<String>> {
    let mut files = vec![(path(INDEX_PATH)?, dir.join(INDEX_PATH))];
    files.extend(bundle.files.keys().map(|p| (p.clone(), dir.join(p.as_str()))));
    let uploaded = client.upload(&files).await?;
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
