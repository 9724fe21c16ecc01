//! What a proposal changes, for people; and the list of proposals.

use api::types::{ProposalKind, ProposalView};
use serde::Serialize;
use serde_json::json as value;
use trust::{Authority, Change, Effect, Proposed, ProposedKeyring};

use super::kind::{Kind, name};
use super::{Told, missing, told};
use crate::commands::Call;
use crate::out::{Out, Style};
use crate::view::table;
use crate::when;

/// Shows what a document changes, the gravest first, with what that means for people.
pub(crate) fn changes<D: Kind>(
    call: &Call<'_>,
    authority: &Authority,
    next: &D,
    under: Option<&ProposedKeyring>,
) -> anyhow::Result<()> {
    let told = told(authority, next);
    if call.out.json {
        return Ok(call.out.json(&json(next, &told))?);
    }
    let out = call.out;
    let before = D::in_force(authority);
    let (old, new) = (before.version(), next.version());
    out.line(out.style(Style::Bold, &format!("{} version {old} → {new}", name::<D>())))?;
    let until = |doc: &D| when::show(doc.window().not_after, &call.env.zone);
    out.line(format!("  valid until {} (version {old}: {})", until(next), until(before)))?;
    if let Some(keyring) = under {
        let named = keyring.version;
        out.line(format!(
            "  {} under keyring version {}, which is proposed, too: {}",
            out.style(Style::Warn, "only"),
            named.version,
            named.digest
        ))?;
    }
    if told.changes.is_empty() {
        out.line(format!("  it says the same as version {old}"))?;
    }
    lines(out, &told.changes)?;
    if !told.people.is_empty() {
        out.line("so that")?;
        lines(out, &told.people)?;
    }
    Ok(())
}

fn lines(out: Out, changes: &[Change]) -> anyhow::Result<()> {
    for change in changes {
        let (mark, style) = match (change.effect, change.grave) {
            (Effect::Widens, true) => ("! widens ", Style::Bad),
            (Effect::Widens, false) => ("  widens ", Style::Warn),
            (Effect::Narrows, _) => ("  narrows", Style::Good),
        };
        out.field(&format!("  {} ", out.style(style, mark)), &change.what)?;
    }
    Ok(())
}

/// The same for programs.
fn json<D: Kind>(next: &D, told: &Told) -> serde_json::Value {
    value!({
        "kind": name::<D>(),
        "version": next.version(),
        "changes": told.changes,
        "people": told.people,
    })
}

/// One line of the list.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    kind: &'static str,
    version: u64,
    digest: domain::Digest,
    signed_by: Vec<String>,
    missing: Option<String>,
    refused: Option<String>,
}

impl Row {
    pub(super) fn of(shown: &ProposalView, judged: Result<&Proposed, &anyhow::Error>) -> Self {
        let kind = match shown.kind {
            ProposalKind::Keyring => "keyring",
            ProposalKind::Directory => "directory",
            ProposalKind::Policy => "policy",
        };
        Self {
            kind,
            version: judged.map_or(shown.version, |p| p.named.version.version),
            digest: shown.digest,
            signed_by: judged
                .map(|p| p.signers.iter().map(|s| s.name.clone()).collect())
                .unwrap_or_default(),
            missing: judged.ok().and_then(missing),
            refused: judged.err().map(ToString::to_string),
        }
    }

    fn next(&self) -> String {
        match (&self.refused, &self.missing) {
            (Some(refused), _) => refused.clone(),
            (None, Some(missing)) => format!("missing: {missing}"),
            (None, None) => "complete: adopt it".to_owned(),
        }
    }
}

pub(super) fn list(call: &Call<'_>, rows: &[Row]) -> anyhow::Result<()> {
    if call.out.json {
        return Ok(rows.iter().try_for_each(|row| call.out.json(row))?);
    }
    if rows.is_empty() {
        call.out.note("there are no open proposals");
        return Ok(());
    }
    let cells: Vec<[String; 4]> = rows
        .iter()
        .map(|row| {
            let what = format!("{} version {}", row.kind, row.version);
            [what, row.digest.short(), row.signed_by.join(", "), row.next()]
        })
        .collect();
    call.out.lines(table::list(["what", "digest", "signed by", "next"], &cells))?;
    Ok(())
}
