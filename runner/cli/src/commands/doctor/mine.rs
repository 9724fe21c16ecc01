//! What is on this machine: contexts, token, key, agent.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use super::super::Call;
use super::Findings;
use crate::config::{Config, Context};
use crate::exit::Exit;
use crate::signer::Signer;

pub(super) fn look(
    call: &Call<'_>,
    findings: &mut Findings,
    name: &str,
    context: &Context,
) -> anyhow::Result<()> {
    let dir = &call.env.dir;
    let all = Config::load(dir)?.contexts.len();
    findings.good(format!(
        "context {name} of {all} in {}: {} as {}",
        dir.display(),
        context.url,
        context.person
    ))?;
    for file in [format!("{name}.token"), "config.toml".to_owned()] {
        let path = dir.join(&file);
        let mode = fs::metadata(&path).map(|m| m.permissions().mode() & 0o077);
        if mode.is_ok_and(|others| others != 0) {
            let place = path.display();
            findings.bad(
                Exit::Usage,
                format!("others may read {place}"),
                format!("chmod 600 {place}"),
            )?;
        }
    }
    let key = match Signer::open(&context.key) {
        Ok(key) => key,
        Err(error) => return findings.error("key", &error),
    };
    let fingerprint = key.public().fingerprint();
    let place = context.key.display();
    match &key {
        Signer::Here(_) => findings.good(format!("key {fingerprint} in {place}, no passphrase")),
        Signer::Tool(_) => agent(findings, fingerprint.as_str(), &place.to_string()),
    }
}

/// Whether the agent has the key; `ssh-keygen` asks for what it has not.
fn agent(findings: &mut Findings, fingerprint: &str, place: &str) -> anyhow::Result<()> {
    let listed = Command::new("ssh-add").arg("-l").stdin(Stdio::null()).output();
    let Ok(listed) = listed else {
        return findings.bad(
            Exit::Usage,
            format!("key {fingerprint} needs OpenSSH to sign, and ssh-add is not on the PATH"),
            "install OpenSSH's client, 8.2 or newer",
        );
    };
    let keys = String::from_utf8_lossy(&listed.stdout);
    if keys.lines().any(|line| line.split(' ').any(|word| word == fingerprint)) {
        return findings.good(format!("key {fingerprint} in your agent"));
    }
    let why = match listed.status.code() {
        Some(0 | 1) => "your agent does not hold it",
        _ => "no agent answers",
    };
    findings.warn(
        format!(
            "key {fingerprint} is not in an agent: {why}; signing asks for a passphrase or touch"
        ),
        format!("ssh-add {}", place.trim_end_matches(".pub")),
    )
}
