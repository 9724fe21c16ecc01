//! A notice as the body of a message: the Standard Webhooks' own form, or a text that Slack and those
//! that take its webhooks show.

use domain::Timestamp;
use serde_json::json;

use super::notice::Notice;

/// People that a message names; more are not read.
const NAMED_MAX: usize = 16;

/// The form of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// `type`, `timestamp`, `data`.
    #[default]
    Standard,
    /// `text`, as Slack, Mattermost and others take it.
    Slack,
}

/// The body of a message.
pub(super) fn write(notice: &Notice, format: Format, origin: &str) -> String {
    let Notice { id: _, kind, at_ms, text, wants, about, command, path, facts } = notice;
    let url = format!("{origin}{path}");
    match format {
        Format::Slack => {
            let text = format!("{}\n`{}`\n{}", escaped(text), escaped(command), escaped(&url));
            json!({ "text": text })
        }
        Format::Standard => {
            let at = Timestamp::from_unix_s(i64::try_from(at_ms / 1000).unwrap_or(i64::MAX));
            let wants: Vec<_> = wants.iter().take(NAMED_MAX).collect();
            let mut data = json!({
                "text": text, "id": about, "command": command, "url": url, "for": wants,
            });
            for (name, value) in facts {
                data[*name] = value.clone();
            }
            json!({ "type": kind.code(), "timestamp": at.to_string(), "data": data })
        }
    }
    .to_string()
}

/// The three characters that Slack's texts give a meaning: nobody's name pings a channel.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
