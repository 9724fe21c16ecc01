//! Contexts: which server, as whom, with which key, and what is believed.
//!
//! `config.toml` holds no secret; a login's token is a file beside it, mode 0600. This is the only
//! module that reads the environment.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::{Digest, PersonId, TrustDomain};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::args::Who;
use crate::exit::Failure;
use crate::keys;

/// What the environment says, read once.
#[derive(Clone)]
pub(crate) struct Environment {
    /// Where `config.toml` and the tokens are.
    pub(crate) dir: PathBuf,
    /// Whether the user wants no colour.
    pub(crate) plain: bool,
    /// Times are shown in this zone.
    pub(crate) zone: TimeZone,
    /// Whether a shell asks while somebody types.
    pub(crate) completes: bool,
    /// What to log, as `RUST_LOG` says it.
    pub(crate) log: Option<String>,
    /// A session's token, for uploads without a context.
    pub(crate) token: Option<String>,
    /// The server of such uploads.
    pub(crate) url: Option<String>,
    /// The command that shows long text.
    pub(crate) pager: String,
    /// The command that edits text.
    pub(crate) editor: String,
}

/// Where programs are looked for.
pub(crate) fn search_path() -> String {
    env::var_os("PATH").unwrap_or_default().to_string_lossy().into_owned()
}

/// Where cargo keeps the sources of other people's crates.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    home_of("CARGO_HOME", ".cargo")
}

/// A program's folder: as its variable says, or in the user's home.
pub(crate) fn home_of(variable: &str, folder: &str) -> Option<PathBuf> {
    let set = env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from);
    set.or_else(|| env::home_dir().map(|home| home.join(folder)))
}

impl Environment {
    /// Reads it.
    pub(crate) fn read() -> Self {
        let set = |name: &str| env::var_os(name).filter(|v| !v.is_empty());
        let text = |name: &str| set(name).and_then(|v| v.into_string().ok());
        let first = |names: &[&str], default: &str| {
            let mut found = names.iter().filter_map(|name| set(name)?.into_string().ok());
            found.next().unwrap_or_else(|| default.to_owned())
        };
        let base = set("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".config")));
        Self {
            dir: base.unwrap_or_else(|| PathBuf::from(".config")).join("borescope"),
            plain: set("NO_COLOR").is_some() || set("TERM").is_some_and(|t| t == "dumb"),
            zone: TimeZone::system(),
            completes: set(crate::completing::VARIABLE).is_some(),
            log: text("BORESCOPE_LOG"),
            token: text("BORESCOPE_TOKEN"),
            url: text("BORESCOPE_URL"),
            pager: first(&["PAGER"], "less -FRX"),
            editor: first(&["VISUAL", "EDITOR"], "vi"),
        }
    }
}

/// One context, as `config.toml` holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Context {
    /// The server, as `https://borescope.shop.example`.
    pub(crate) url: String,
    /// Certificate authorities that its certificate may come from, beside the system's, PEM. A copy:
    /// whoever can change the file later changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<String>,
    /// Who signs.
    pub(crate) person: PersonId,
    /// The private key file.
    pub(crate) key: PathBuf,
    /// The audience of every signature.
    pub(crate) trust_domain: TrustDomain,
    /// The keyring that is believed, by digest.
    pub(crate) keyring: Digest,
    /// Status keepers that are told of stops directly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) keepers: Vec<String>,
}

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The context that is used when none is named.
    pub(crate) current: Option<String>,
    /// By name.
    #[serde(default)]
    pub(crate) contexts: BTreeMap<String, Context>,
}

impl Config {
    /// Reads `config.toml` in `dir`; a missing file is an empty one.
    pub(crate) fn load(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join("config.toml");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(toml::from_str(&text).map_err(|e| {
                Failure::usage(
                    format!("{}: {e}", path.display()),
                    "correct the file, or make the context again: borescope login --help",
                )
            })?),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Writes it.
    pub(crate) fn save(&self, dir: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        keys::replace_secret(&dir.join("config.toml"), toml::to_string(self)?.as_bytes())
    }

    /// The context that the command line names, or the current one, with what the command line
    /// changes.
    pub(crate) fn choose(&self, who: &Who) -> anyhow::Result<(String, Context)> {
        let name = who.context.as_ref().or(self.current.as_ref());
        let name = name.ok_or_else(|| {
            Failure::usage(
                "there is no context yet",
                "make one: borescope login --url URL --as PERSON --key FILE --trust trust.toml",
            )
        })?;
        let mut context = self.contexts.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
            let make = format!(
                "borescope login --context {name} --url URL --as PERSON --key FILE --trust trust.toml"
            );
            let help = match known.as_slice() {
                [] => format!("make it: {make}"),
                some => format!("use one of: {}; or make it: {make}", some.join(", ")),
            };
            Failure::usage(format!("there is no context \"{name}\""), help)
        })?;
        who.narrow(&mut context);
        Ok((name.clone(), context))
    }
}

/// Where the token of a context is.
fn token_path(dir: &Path, context: &str) -> PathBuf {
    dir.join(format!("{context}.token"))
}

/// The token of the last login, if there is one.
pub(crate) fn token(dir: &Path, context: &str) -> Option<String> {
    let text = fs::read_to_string(token_path(dir, context)).ok()?;
    Some(text.trim().to_owned())
}

/// Keeps the token of a login.
pub(crate) fn keep_token(dir: &Path, context: &str, token: &str) -> anyhow::Result<()> {
    keys::replace_secret(&token_path(dir, context), token.as_bytes())
}

/// Forgets it.
pub(crate) fn forget_token(dir: &Path, context: &str) -> anyhow::Result<()> {
    let path = token_path(dir, context);
    match fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Context names become file names.
pub(crate) fn context_name(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if fits {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 64 characters of a-z 0-9 -".to_owned())
    }
}

#[cfg(test)]
mod tests;
