//! A server's folder, as its operator sees it: configuration, secrets, room.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Findings;
use crate::commands::check::in_force;
use crate::exit::Exit;
use crate::founding::DataDir;
use crate::server_config::ServerConfig;
use crate::session::World;
use crate::view::bytes;

/// Below this much room the server may not be able to record at any moment.
const ROOM_BYTES_MIN: u64 = 256 << 20;
/// Seconds before its end at which a certificate's renewal is due.
const RENEWAL_S: i64 = 14 * 86_400;
/// Below this much an operator should make some.
const ROOM_BYTES_LOW: u64 = 2 << 30;

pub(super) fn look(findings: &mut Findings, path: &Path) -> anyhow::Result<()> {
    let config = match ServerConfig::load(path) {
        Ok(config) => config,
        Err(error) => return findings.error("configuration", &error),
    };
    findings.good(format!("the configuration in {} is understood", path.display()))?;
    let data = DataDir(config.data_dir.clone());
    secrets(findings, &data)?;
    room(findings, &config.data_dir)?;
    if let Some(files) = config.tls_files() {
        certificate(findings, &files)?;
    }
    match config.hooks() {
        Ok(hooks) if hooks.is_empty() => findings.warn(
            "nobody is told of emergencies, stops and what wants an approval",
            "[[notify]] in borescope.toml: borescope serve --help",
        )?,
        Ok(hooks) => findings.good(format!("{} webhooks are configured", hooks.len()))?,
        Err(error) => findings.error("webhooks", &error)?,
    }
    match in_force(&config) {
        Ok(authority) => {
            let missing: Vec<&str> = authority
                .policy()
                .targets
                .iter()
                .filter(|t| t.runners.contains(&config.runner))
                .map(|t| &t.id)
                .filter(|id| !config.targets.contains_key(*id))
                .map(domain::TargetId::as_str)
                .collect();
            if missing.is_empty() {
                return findings.good_so_far(
                    format!(
                        "there is a way to each target of the policy, version {}",
                        authority.policy_ref().version
                    ),
                    format!("whether they answer: borescope check --config {}", path.display()),
                );
            }
            findings.bad(
                Exit::Target,
                format!("no way to {}", missing.join(", ")),
                "add [targets.ID] to borescope.toml",
            )
        }
        Err(error) => findings.error("keyring, directory and policy", &error),
    }
}

/// Whether clients will believe the server, now and in the days in which somebody can still renew.
fn certificate(findings: &mut Findings, files: &server::TlsFiles) -> anyhow::Result<()> {
    let now = World::real().now();
    let read = |at| server::Tls::read(files.clone(), at);
    match (read(now), read(now.plus_s(RENEWAL_S))) {
        (Ok(_), Ok(_)) => findings.good("certificate and key fit, and are valid"),
        (Ok(_), Err(e)) => findings.warn(
            format!(
                "in {} days the certificate is of no use: {}",
                RENEWAL_S / 86_400,
                app::chain(&e)
            ),
            "renew it, then send the server SIGHUP: it takes the new one up without a restart",
        ),
        (Err(e), _) => findings.bad(Exit::Usage, app::chain(&e), e.help()),
    }
}

/// Whoever reads these can sign as the server; whoever writes the folder can replace them.
fn secrets(findings: &mut Findings, data: &DataDir) -> anyhow::Result<()> {
    let mut open = Vec::new();
    let secrets = [data.receipt_key(), data.log_seed(), data.artifact_seed(), data.status_key()];
    let with_modes = secrets.iter().map(|path| (path, 0o077)).chain([(&data.0, 0o022)]);
    for (path, others) in with_modes {
        match fs::metadata(path) {
            Ok(meta) if meta.permissions().mode() & others != 0 => {
                open.push(path.display().to_string());
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                findings.bad(
                    Exit::Usage,
                    format!("{} cannot be read: {error}", path.display()),
                    "run this as the user that the server runs as",
                )?;
            }
            Ok(_) | Err(_) => {}
        }
    }
    if open.is_empty() {
        return findings.good("keys are readable, and the folder writable, for their owner only");
    }
    let place = open.join(" ");
    findings.bad(
        Exit::Usage,
        format!("others may read or replace {}", open.join(", ")),
        format!("chmod go-rwx {place}"),
    )
}

fn room(findings: &mut Findings, dir: &Path) -> anyhow::Result<()> {
    let disk = match rustix::fs::statvfs(dir) {
        Ok(disk) => disk,
        Err(error) => {
            return findings.bad(
                Exit::Usage,
                format!("{} cannot be looked at: {error}", dir.display()),
                "is it mounted, and does this user own it?",
            );
        }
    };
    let left = disk.f_bavail.saturating_mul(disk.f_frsize);
    let text = format!("{} left for {}", bytes(left), dir.display());
    let help = "make room: when the disk is full nothing runs, because nothing can be recorded";
    match left {
        ..ROOM_BYTES_MIN => findings.bad(Exit::Usage, text, help),
        ROOM_BYTES_MIN..ROOM_BYTES_LOW => findings.warn(text, help),
        _ => findings.good(text),
    }
}
