//! `borescope audit export`: a ticket's timeline as Markdown for the post-mortem, and the evidence of
//! its runs for whoever wants to verify it without any server.
//!
//! Whatever others wrote stands in code spans, where it can neither format, link nor mention. No value
//! is exported: no input, no result.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use domain::display::neutralise;
use domain::{Ticket, Timestamp};

use crate::commands::Call;
use crate::commands::run::Proved;
use crate::exit::{Exit, Failure};
use crate::founding::TrustSource;
use crate::session::Session;
use crate::timeline::{Happened, Proof, Timeline};
use crate::when;

/// The timeline's file in the folder.
const TIMELINE: &str = "timeline.md";
/// The trust file beside it.
const TRUST: &str = "trust.toml";
/// How the evidence of a run ends in the folder.
pub(crate) const EVIDENCE_END: &str = ".evidence.json";

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope audit export --ticket INC-1234 --markdown > timeline.md
  borescope audit export --ticket INC-1234 --markdown --out inc-1234
  borescope verify inc-1234 --trust trust.toml      without any server

Everything is verified here, and what could not be is marked. With --out the folder has timeline.md,
the evidence of each run, and trust.toml: what you believe, for others to compare with what they do.
No input and no result is exported.")]
pub(crate) struct ExportArgs {
    /// What the access requests name, with --ticket or in their reason
    #[arg(long, value_name = "TICKET")]
    ticket: Ticket,
    /// As Markdown; without it, one JSON object a line
    #[arg(long)]
    markdown: bool,
    /// Folder for the timeline and the evidence of each run; made if missing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Exports.
pub(crate) async fn command(call: &Call<'_>, args: ExportArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let Some(timeline) = Timeline::of(&session, &args.ticket).await? else {
        return Err(Failure::usage(
            format!("nothing that you may see has the ticket {}", args.ticket),
            "a ticket is what a request names with --ticket or in its reason; borescope audit",
        )
        .into());
    };
    let text = markdown(call, &session, &timeline, args.out.as_deref());
    if let Some(dir) = &args.out {
        write(&session, dir, &timeline, &text).await?;
        call.out.note(format!("written to {}", dir.display()));
    }
    if args.markdown && !call.out.json {
        if args.out.is_none() {
            call.out.lines(text.lines())?;
        }
    } else {
        timeline.events.iter().try_for_each(|event| call.out.json(event))?;
    }
    call.out.notes(timeline.notes.iter().map(|note| format!("note: {note}")));
    Ok(if timeline.is_broken() { Exit::Evidence } else { Exit::Ok })
}

async fn write(
    session: &Session,
    dir: &Path,
    timeline: &Timeline,
    text: &str,
) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    put(TIMELINE, text.as_bytes())?;
    for proved in &timeline.proved {
        // An id of a verified receipt has the form of an id.
        let name = format!("{}{EVIDENCE_END}", proved.verified.receipt.run);
        put(&name, &serde_json::to_vec_pretty(&proved.evidence)?)?;
    }
    let authority = session.authority().await?;
    let trust = TrustSource {
        trust_domain: session.trust_domain.clone(),
        keyring: session.keyring,
        log_vkeys: authority.policy().runners.iter().map(|r| r.log_vkey.clone()).collect(),
    };
    put(TRUST, trust.toml().as_bytes())
}

fn markdown(call: &Call<'_>, session: &Session, timeline: &Timeline, dir: Option<&Path>) -> String {
    let now = when::show(session.world.now(), &call.env.zone);
    let mut text = format!(
        "# {}\n\nTimeline of {}, put together by {} on {now} with borescope {}. Every document and \
         receipt was verified against keyring {}; what could not be is marked.\n\n",
        code(timeline.ticket.as_str()),
        code(session.trust_domain.as_str()),
        code(session.person.as_str()),
        env!("CARGO_PKG_VERSION"),
        code(&session.keyring.to_string()),
    );
    text.push_str("| when | what | who | id | proof |\n|---|---|---|---|---|\n");
    for event in &timeline.events {
        text.push_str(&row(call, event));
    }
    for note in &timeline.notes {
        text.push_str(&format!("\n{}\n", code(note)));
    }
    if !timeline.proved.is_empty() {
        text.push_str(
            "\n## Evidence\n\n| run | outcome | rows | receipt | input | output | recording | log \
             entry |\n|---|---|---|---|---|---|---|---|\n",
        );
        timeline.proved.iter().for_each(|proved| text.push_str(&proof(proved)));
        text.push_str(&how(timeline, dir));
    }
    text
}

fn row(call: &Call<'_>, event: &Happened) -> String {
    let at = Timestamp::from_unix_s(i64::try_from(event.at_ms / 1000).unwrap_or(i64::MAX));
    let proof = match &event.proof {
        Proof::Verified => "verified".to_owned(),
        Proof::ServerOnly => "the server's word".to_owned(),
        Proof::Unverified(problem) => format!("not verified: {}", code(problem)),
        Proof::Invalid(problem) => format!("**does not hold**: {}", code(problem)),
    };
    let words = match event.words.as_str() {
        "" => String::new(),
        words => format!(": {}", code(words)),
    };
    let who = event.who.as_ref().map_or_else(|| "–".to_owned(), |p| code(p.as_str()));
    format!(
        "| {} | {}{words} | {who} | {} | {proof} |\n",
        when::show(at, &call.env.zone),
        code(&event.what),
        code(&event.id)
    )
}

fn proof(proved: &Proved) -> String {
    let r = &proved.verified.receipt;
    let digest =
        |d: Option<domain::Digest>| d.map_or_else(|| "–".to_owned(), |d| code(&d.to_string()));
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
        code(r.run.as_str()),
        r.outcome.code(),
        r.rows,
        digest(Some(proved.evidence.receipt.payload_digest())),
        digest(Some(r.input)),
        digest(r.output),
        digest(r.recording),
        proved.verified.log_index
    )
}

/// How whoever reads it can verify it.
fn how(timeline: &Timeline, dir: Option<&Path>) -> String {
    let place = dir.map_or_else(|| "DIR".to_owned(), |d| neutralise(&d.display().to_string()));
    let export =
        format!("borescope audit export --ticket {} --markdown --out DIR", timeline.ticket);
    let export = if dir.is_some() {
        "The folder of this file has the evidence of each run.".to_owned()
    } else {
        format!("{} writes the evidence of each run.", code(&export))
    };
    format!(
        "\nTo verify it without any server: {export} Take a `trust.toml` from somebody whom you \
         believe (the one in the folder says what the exporter believes), then:\n\n```\nborescope \
         verify {place} --trust trust.toml\n```\n\nIt checks the runner's signature on each receipt, \
         that the receipt is in the log, and the log's signed checkpoint. An output or a recording at \
         hand is compared with the digests above: `--output FILE`, `--recording FILE`.\n"
    )
}

/// A text in a code span: nothing in it formats, links or mentions anybody.
fn code(text: &str) -> String {
    let text = neutralise(text).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank =
        if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// The files of an exported folder that hold evidence; none when it is another folder.
pub(crate) fn evidence_in(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let files = entries.filter_map(|entry| entry.ok().map(|e| e.path()));
    let is_evidence = |p: &PathBuf| p.to_string_lossy().ends_with(EVIDENCE_END);
    let mut all: Vec<PathBuf> = files.filter(is_evidence).collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn what_others_wrote_stays_in_its_cell_and_in_its_span() {
        for (text, shown) in [
            ("plain", "`plain`"),
            ("a | b", "`a \\| b`"),
            ("a `tick`", "`` a `tick` ``"),
            ("``", "``` `` ```"),
            ("# x\n| y", "`# x\\n\\| y`"),
            ("", "`  `"),
        ] {
            let got = code(text);
            assert!(!got.contains('\n'), "{got:?}");
            assert_eq!(got, shown, "{text:?}");
        }
    }
}
