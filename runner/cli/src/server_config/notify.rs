//! Whom to tell what happens: webhooks, as `borescope.toml` has them. They are told, and grant nothing.
//!
//! An address may be as secret as a secret, so either may come from a file that only its owner may read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use api::{Authorities, Webhook, WebhookSecret, WebhookUrl};
use app::{Hook, HookFormat, NoticeKind};
use domain::{GroupName, PersonId};
use serde::Deserialize;

use super::ServerConfig;
use crate::exit::Failure;
use crate::keys;

/// Webhooks of one server; each costs a task and a connection.
const HOOKS_MAX: usize = 64;

/// One webhook.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotifyConfig {
    /// How it is called in the log and by `borescope doctor`.
    pub(crate) name: String,
    /// Where to; HTTPS beyond this machine.
    pub(crate) url: Option<String>,
    /// Or a file with that.
    pub(crate) url_file: Option<PathBuf>,
    /// File with what the receiver verifies messages with: `whsec_…`, a second line while the first
    /// is replaced.
    pub(crate) secret_file: Option<PathBuf>,
    /// Certificates of authorities to believe beside the system's, PEM.
    pub(crate) ca_file: Option<PathBuf>,
    /// As what.
    #[serde(default)]
    pub(crate) format: FormatName,
    /// Of which kinds; none: all.
    #[serde(default)]
    pub(crate) kinds: BTreeSet<NoticeKind>,
    /// Only what wants the attention of one of these.
    #[serde(default)]
    pub(crate) people: BTreeSet<PersonId>,
    /// Or of a member of one of these.
    #[serde(default)]
    pub(crate) groups: BTreeSet<GroupName>,
}

/// The form of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FormatName {
    /// As the Standard Webhooks specification has it.
    #[default]
    Standard,
    /// A text.
    Slack,
}

impl ServerConfig {
    /// Resolves the files against `base` and refuses what cannot be meant.
    pub(super) fn settle_notify(&mut self, base: &Path) -> Result<(), Failure> {
        let wrong = |what: String, help: &str| Err(Failure::usage(what, help.to_owned()));
        if self.notify.len() > HOOKS_MAX {
            return wrong(format!("there are more than {HOOKS_MAX} [[notify]]"), "merge some");
        }
        let mut names = BTreeSet::new();
        for hook in &mut self.notify {
            let name = &hook.name;
            if let Err(problem) = crate::config::context_name(name) {
                return wrong(format!("notify: name: {problem}"), "name = \"on-call\"");
            }
            if !names.insert(name.clone()) {
                let help = "names say how far each has been told; give each its own";
                return wrong(format!("notify {name} is there twice"), help);
            }
            if hook.url.is_some() == hook.url_file.is_some() {
                let help = "url = \"https://…\", or url_file where the address is a secret";
                return wrong(format!("notify {name}: expected url or url_file"), help);
            }
            if hook.secret_file.is_none() && hook.format == FormatName::Standard {
                let help = "secret_file = \"notify.secret\" with one line: (printf whsec_; head -c 32 \
                            /dev/urandom | base64) > notify.secret; chmod 600 notify.secret; the \
                            receiver gets the same line. Slack has none: format = \"slack\"";
                return wrong(format!("notify {name}: there is no secret_file"), help);
            }
            let files = [&mut hook.url_file, &mut hook.secret_file, &mut hook.ca_file];
            files.into_iter().flatten().for_each(|file| *file = base.join(&*file));
        }
        Ok(())
    }

    /// The webhooks, with their files read.
    pub(crate) fn hooks(&self) -> anyhow::Result<Vec<Hook>> {
        self.notify.iter().map(NotifyConfig::hook).collect()
    }
}

impl NotifyConfig {
    fn hook(&self) -> anyhow::Result<Hook> {
        let name = &self.name;
        let wrong = |problem: &dyn std::fmt::Display| {
            let help = "correct [[notify]] in borescope.toml, or the file that it names";
            Failure::usage(format!("notify {name}: {problem}"), help)
        };
        let text = match (&self.url, &self.url_file) {
            (Some(url), _) => url.clone(),
            (None, file) => keys::secret_text(file.as_deref().unwrap_or(Path::new("")))?,
        };
        let url: WebhookUrl = text.trim().parse().map_err(|e| wrong(&e))?;
        let secrets = match &self.secret_file {
            Some(file) => keys::secret_text(file)?,
            None => String::new(),
        };
        let lines = secrets.lines().map(str::trim).filter(|line| !line.is_empty());
        let secrets: Vec<WebhookSecret> =
            lines.map(str::parse).collect::<Result<_, _>>().map_err(|e| wrong(&e))?;
        if secrets.is_empty() && self.secret_file.is_some() {
            return Err(wrong(&"its secret_file is empty").into());
        }
        let authorities = match &self.ca_file {
            None => Authorities::default(),
            Some(file) => {
                let pem = std::fs::read_to_string(file).map_err(|e| wrong(&e))?;
                Authorities::from_pem(&pem).map_err(|e| wrong(&e))?
            }
        };
        Ok(Hook {
            name: name.clone(),
            webhook: Webhook::new(url, secrets, &authorities).map_err(|e| wrong(&e))?,
            format: match self.format {
                FormatName::Standard => HookFormat::Standard,
                FormatName::Slack => HookFormat::Slack,
            },
            kinds: self.kinds.clone(),
            people: self.people.clone(),
            groups: self.groups.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(hook: &str) -> Result<ServerConfig, Failure> {
        let base = "listen = \"127.0.0.1:1\"\ndata_dir = \"data\"\nrunner = \"r\"\n";
        ServerConfig::parse(&format!("{base}[[notify]]\n{hook}"), Path::new("/etc/borescope"))
    }

    #[test]
    fn a_hook_names_its_secret_by_a_file_beside_the_configuration() {
        let text = "name = \"ops\"\nurl = \"https://h.example/x\"\nsecret_file = \"s\"\n\
                    kinds = [\"break_glass\", \"stop\"]\ngroups = [\"security\"]\n";
        let config = parse(text).unwrap();
        let hook = &config.notify[0];
        assert_eq!(hook.secret_file.as_deref(), Some(Path::new("/etc/borescope/s")));
        assert_eq!(hook.kinds, [NoticeKind::BreakGlass, NoticeKind::Stop].into());
        assert!(parse(&format!("{text}[[notify]]\n{text}")).unwrap_err().message.contains("twice"));
    }

    #[test]
    fn a_hook_that_nobody_could_verify_or_reach_is_refused() {
        let whole = "name = \"ops\"\nurl = \"https://h/\"\nsecret_file = \"s\"\n";
        assert!(parse(whole).is_ok());
        for (from, to) in [
            ("secret_file = \"s\"", ""),
            ("secret_file = \"s\"", "secret = \"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""),
            ("url = \"https://h/\"", ""),
            ("url = \"https://h/\"", "url = \"https://h/\"\nurl_file = \"u\""),
            ("name = \"ops\"", "name = \"../ops\""),
            ("url =", "kinds = [\"everything\"]\nurl ="),
            ("url =", "follow_redirects = true\nurl ="),
        ] {
            assert!(parse(&whole.replace(from, to)).is_err(), "{from} → {to}");
        }
        let slack = whole.replace("secret_file = \"s\"", "format = \"slack\"");
        assert!(parse(&slack).is_ok(), "its address is the secret");
        let clear = parse(&slack.replace("https://h/", "http://h.example/")).unwrap();
        assert!(clear.hooks().unwrap_err().to_string().contains("begins with https://"));
    }
}
