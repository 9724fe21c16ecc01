//! Sending webhooks: signed as the Standard Webhooks specification has it, to an address that the
//! operator chose.
//!
//! The answer's body is not read and no redirect is followed. Addresses and secrets are often one and
//! the same thing, so neither is ever shown, in errors neither. Not here: what is told to whom, and
//! trying again (crate `app`).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use reqwest::header::RETRY_AFTER;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::client::ClientError;
use crate::origin::is_here;
use crate::tls::{self, Authorities, CertificateFault, TlsFault};

/// Bytes of one message; receivers take at least 20 KB.
pub const WEBHOOK_BYTES_MAX: usize = 16 << 10;
/// To connect to a receiver.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For a whole delivery: what receivers may need to take a message.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(15);
/// Seconds that a receiver may ask to be left alone.
const RETRY_AFTER_S_MAX: u64 = 3_600;
/// How a secret begins.
const SECRET_PREFIX: &str = "whsec_";
/// Bytes of a secret, at least and at most.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The address of a receiver. One that begins with `http` is on this machine.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

/// What receivers verify messages with.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

/// Why a text is no address or no secret. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// No address.
    #[error("the address of a webhook is https://HOST/PATH, without a user, password or #")]
    Address,
    /// Whoever is on the way could read it.
    #[error("the address of a webhook beyond this machine begins with https://")]
    ClearText,
    /// No secret.
    #[error("a webhook's secret is whsec_ and 24 to 64 random bytes in base64")]
    Secret,
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// The receiver said no, or not now.
    #[error("the receiver answers {status}")]
    Refused {
        /// The answer's status.
        status: u16,
        /// Seconds that it asks to be left alone.
        retry_after_s: Option<u64>,
    },
    /// The receiver does not prove that it is the one that was dialled; it was told nothing.
    #[error("the receiver's certificate is refused: {0}")]
    Certificate(CertificateFault),
    /// The other end speaks something else than TLS.
    #[error("the receiver does not speak TLS")]
    NotTls,
    /// It took too long.
    #[error("the receiver does not answer in time")]
    Timeout,
    /// No connection, or it broke.
    #[error("the receiver cannot be reached")]
    Unreachable,
    /// The message is longer than [`WEBHOOK_BYTES_MAX`].
    #[error("the message is too long")]
    TooLong,
}

impl Undelivered {
    /// Whether the receiver understood and does not want exactly this.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                matches!(status, 300..=499) && !matches!(status, 408 | 425 | 429)
            }
            Self::TooLong => true,
            Self::Certificate(_) | Self::NotTls | Self::Timeout | Self::Unreachable => false,
        }
    }
}

impl FromStr for WebhookUrl {
    type Err = WebhookError;

    fn from_str(text: &str) -> Result<Self, WebhookError> {
        let url = Url::parse(text).map_err(|_| WebhookError::Address)?;
        let bare = url.username().is_empty() && url.password().is_none();
        let host = url.host_str().filter(|host| !host.is_empty() && bare);
        match (url.scheme(), host, url.fragment()) {
            ("https", Some(_), None) => Ok(Self(url)),
            ("http", Some(host), None) if is_here(host) => Ok(Self(url)),
            ("http", Some(_), None) => Err(WebhookError::ClearText),
            _ => Err(WebhookError::Address),
        }
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookUrl(hidden)")
    }
}

impl FromStr for WebhookSecret {
    type Err = WebhookError;

    fn from_str(text: &str) -> Result<Self, WebhookError> {
        let encoded = text.strip_prefix(SECRET_PREFIX).ok_or(WebhookError::Secret)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| WebhookError::Secret)?;
        let bytes = Zeroizing::new(bytes);
        if SECRET_BYTES.contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(WebhookError::Secret)
        }
    }
}

impl WebhookSecret {
    /// `v1,` and the HMAC of id, time and body.
    fn sign(&self, id: &str, at_s: u64, body: &[u8]) -> String {
        // HMAC takes a key of any length; the fallback verifies nowhere.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{at_s}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(hidden)")
    }
}

/// One receiver.
#[derive(Clone)]
pub struct Webhook {
    http: reqwest::Client,
    url: WebhookUrl,
    secrets: Vec<WebhookSecret>,
}

impl Webhook {
    /// A receiver at `url` that believes messages signed with any of `secrets`: two while one is
    /// replaced, none where the address is all that it asks for.
    ///
    /// # Errors
    /// When the TLS set-up fails.
    pub fn new(
        url: WebhookUrl,
        secrets: Vec<WebhookSecret>,
        authorities: &Authorities,
    ) -> Result<Self, ClientError> {
        let is_tls = url.0.scheme() == "https";
        let roots = if is_tls { tls::config(authorities) } else { tls::nobody() };
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .https_only(is_tls)
            .tls_backend_preconfigured(roots.map_err(ClientError::Tls)?)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(DELIVERY_TIMEOUT)
            .build()?;
        Ok(Self { http, url, secrets })
    }

    /// Sends one message, once. `id` stays the same however often it is tried; `at_s` is now.
    ///
    /// # Errors
    /// Why it was not taken, as far as that is known: it may have been taken all the same.
    pub async fn send(&self, id: &str, at_s: u64, body: String) -> Result<(), Undelivered> {
        if body.len() > WEBHOOK_BYTES_MAX {
            return Err(Undelivered::TooLong);
        }
        let mut call = self
            .http
            .post(self.url.0.clone())
            .header("content-type", "application/json")
            .header("user-agent", "borescope")
            .header("webhook-id", id)
            .header("webhook-timestamp", at_s);
        let signed = self.secrets.iter().map(|secret| secret.sign(id, at_s, body.as_bytes()));
        let signed = signed.collect::<Vec<_>>().join(" ");
        if !signed.is_empty() {
            call = call.header("webhook-signature", signed);
        }
        let response = call.body(body).send().await.map_err(|error| undelivered(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after_s = asked.and_then(|text| text.trim().parse::<u64>().ok());
        Err(Undelivered::Refused {
            status: status.as_u16(),
            retry_after_s: retry_after_s.map(|s| s.min(RETRY_AFTER_S_MAX)),
        })
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook(hidden)")
    }
}

fn undelivered(error: &reqwest::Error) -> Undelivered {
    match tls::fault(error) {
        Some(TlsFault::Certificate(fault)) => Undelivered::Certificate(fault),
        Some(TlsFault::NotTls) => Undelivered::NotTls,
        None if error.is_timeout() => Undelivered::Timeout,
        None => Undelivered::Unreachable,
    }
}

#[cfg(test)]
mod tests;
