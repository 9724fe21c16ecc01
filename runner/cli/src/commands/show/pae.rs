//! `borescope show ID --pae`: what stock `ssh-keygen -Y verify` needs to check a signature without
//! any of our code.
//!
//! The document is verified here first: the principal that is printed is the one who signed it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use trust::{
    AccessRequest, Approval, Authority, Document, DocumentError, Envelope, Receipt, Review,
    RunRequest, Stop, Submission, Verified, namespace, pae,
};

use crate::allowed_signers;
use crate::commands::Call;
use crate::exit::{Exit, Failure};

/// Characters in a line of base64.
const COLUMNS: usize = 76;

/// What an auditor needs.
#[derive(Debug, Serialize)]
struct Proof {
    /// The document.
    id: String,
    /// Its kind, as `review`.
    kind: &'static str,
    /// Its identity.
    digest: domain::Digest,
    /// What the signature is for.
    namespace: String,
    /// Who signed.
    principal: String,
    /// The signed bytes, base64.
    pae: String,
    /// The signature in armor.
    signature: String,
    /// Checks it, once the rest is in files.
    command: String,
}

/// What verifying a document says about its signature.
struct Signed {
    kind: &'static str,
    namespace: String,
    principal: String,
}

/// Prints the proof, or writes it to `dir` and prints the command that checks it.
pub(super) fn show(
    call: &Call<'_>,
    authority: &Authority,
    id: &str,
    envelope: &Envelope,
    dir: Option<&Path>,
) -> anyhow::Result<Exit> {
    let signed = signed(authority, envelope)?;
    let signature = envelope.signatures().first().context("it has no signature")?.to_armored();
    let message = pae(envelope.payload_type(), envelope.payload());
    let folder = dir.unwrap_or_else(|| Path::new(""));
    let message_file = folder.join(format!("{id}.pae"));
    let signature_file = folder.join(format!("{id}.pae.sig"));
    let allowed_file = folder.join("allowed_signers");
    let command = format!(
        "ssh-keygen -Y verify -f {} -I {} -n {} -s {} < {}",
        quoted(&allowed_file),
        signed.principal,
        signed.namespace,
        quoted(&signature_file),
        quoted(&message_file)
    );
    if let Some(dir) = dir {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let put = |path: &Path, bytes: &[u8]| {
            std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
        };
        put(&message_file, &message)?;
        put(&signature_file, signature.as_bytes())?;
        put(&allowed_file, allowed_signers::file(authority).as_bytes())?;
    }
    let proof = Proof {
        id: id.to_owned(),
        kind: signed.kind,
        digest: envelope.payload_digest(),
        namespace: signed.namespace,
        principal: signed.principal,
        pae: STANDARD.encode(&message),
        signature,
        command,
    };
    print(call, &proof, dir)?;
    Ok(Exit::Ok)
}

fn print(call: &Call<'_>, proof: &Proof, dir: Option<&Path>) -> anyhow::Result<()> {
    let out = call.out;
    if out.json {
        return Ok(out.json(proof)?);
    }
    if let Some(dir) = dir {
        out.line(&proof.command)?;
        out.note(format!(
            "written to {}: the signed bytes, the signature, and allowed_signers of {}",
            dir.display(),
            proof.namespace
        ));
        return Ok(());
    }
    out.line(format!("{} {}, signed by {}", proof.kind, proof.id, proof.principal))?;
    out.line(format!("digest    {}", proof.digest))?;
    out.line(format!("namespace {}", proof.namespace))?;
    out.line(format!("principal {}", proof.principal))?;
    out.line(format!("command   {}", proof.command))?;
    out.line("signed bytes (PAE), base64:")?;
    let mut rest = proof.pae.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(COLUMNS));
        out.line(line)?;
        rest = tail;
    }
    for line in proof.signature.lines() {
        out.line(line)?;
    }
    out.note("help: --out DIR writes all of it as files, with allowed_signers");
    Ok(())
}

/// Verifies the document as what it says it is.
fn signed(authority: &Authority, envelope: &Envelope) -> anyhow::Result<Signed> {
    let kind = envelope.payload_type();
    let kind = kind.strip_prefix("application/vnd.borescope.").unwrap_or(kind);
    let kind = kind.strip_suffix(".v1+json").unwrap_or(kind);
    match kind {
        Submission::DOC => by_person::<Submission>(authority, envelope),
        Review::DOC => by_person::<Review>(authority, envelope),
        AccessRequest::DOC => by_person::<AccessRequest>(authority, envelope),
        Approval::DOC => by_person::<Approval>(authority, envelope),
        RunRequest::DOC => by_person::<RunRequest>(authority, envelope),
        Stop::DOC => about(authority, authority.verify_stop(envelope)),
        Receipt::DOC => about(authority, authority.verify_receipt(envelope)),
        other => Err(Failure::usage(
            format!("--pae does not know documents of kind `{other}`"),
            "name a submission, review, access request, approval, run request, run or stop",
        )
        .into()),
    }
}

fn by_person<D: Document>(authority: &Authority, envelope: &Envelope) -> anyhow::Result<Signed> {
    about(authority, authority.verify::<D>(envelope, &BTreeSet::new()))
}

fn about<D: Document>(
    authority: &Authority,
    verified: Result<Verified<D>, DocumentError>,
) -> anyhow::Result<Signed> {
    let verified = verified.map_err(|e| {
        Failure::evidence(format!("the signature does not count: {e}"), "do not rely on it")
    })?;
    let signer = verified.signers().first().context("it has no signer")?;
    Ok(Signed {
        kind: D::DOC,
        namespace: namespace::<D>(authority.trust_domain()),
        principal: signer.name.clone(),
    })
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+@:,=".contains(&b);
    if text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests;
