//! The address of a server as people dial it: scheme, host and port.
//!
//! One reading for both sides: a login is bound to the origin that the client dialled, so client and
//! server must write the same address in the same way.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

/// An origin in its one form: lower case, without the port that the scheme implies, without a slash.
/// One that begins with `http` is on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

/// Why a text is no origin that is dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// It is something else.
    #[error("\"{0}\" is no address of a server: expected https://HOST or https://HOST:PORT")]
    Malformed(String),
    /// Whoever is on the way could read the token.
    #[error("{0} is not on this machine, and without TLS a token would travel in clear text")]
    ClearText(String),
}

impl Origin {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is dialled with TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let malformed = || OriginError::Malformed(text.to_owned());
        let url = Url::parse(text).map_err(|_| malformed())?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(malformed)?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        let origin = url.origin().ascii_serialization();
        match url.scheme() {
            "https" | "http" if !bare => Err(malformed()),
            "https" => Ok(Self(origin)),
            "http" if is_here(host) => Ok(Self(origin)),
            "http" => Err(OriginError::ClearText(origin)),
            _ => Err(malformed()),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether what is sent to this host stays on this machine. The parser has written every spelling of
/// an IPv4 address in the usual one.
pub(crate) fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|a| a.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests;
