//! Where the server listens and what people dial, as `borescope.toml` has it.
//!
//! Without a certificate nobody beyond this machine is listened to, and there is no switch for it. A
//! login is bound to what was dialled, so the server has to know its own name.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use api::Origin;
use serde::Deserialize;
use server::TlsFiles;

use super::ServerConfig;
use crate::exit::Failure;

/// The server's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsConfig {
    /// The certificate and those that lead from it to its authority, PEM.
    pub(crate) certificate_file: PathBuf,
    /// Its private key, PEM; nobody but its owner may read it.
    pub(crate) key_file: PathBuf,
}

impl ServerConfig {
    /// Resolves the files against `base` and refuses what would be unsafe or reached by nobody.
    pub(super) fn settle_address(&mut self, base: &Path) -> Result<(), Failure> {
        let ip = self.listen.ip();
        let Some(tls) = &mut self.tls else {
            if !ip.is_loopback() {
                return Err(Failure::usage(
                    format!(
                        "listen = \"{}\" is beyond this machine, and there is no [tls]",
                        self.listen
                    ),
                    "set certificate_file and key_file under [tls]; or listen on 127.0.0.1, where a \
                     proxy that speaks TLS may stand in front, with origin = \"https://…\"",
                ));
            }
            return self.settle_origin();
        };
        for file in [&mut tls.certificate_file, &mut tls.key_file] {
            *file = base.join(&*file);
        }
        if ip.is_unspecified() && self.origin.is_none() {
            return Err(Failure::usage(
                format!("listen = \"{}\" does not say what people dial", self.listen),
                "set origin = \"https://…\": logins are bound to it",
            ));
        }
        self.settle_origin()
    }

    fn settle_origin(&mut self) -> Result<(), Failure> {
        let Some(text) = &mut self.origin else {
            return Ok(());
        };
        let help = "origin = \"https://borescope.shop.example\", with :PORT unless it is 443";
        let wrong = |problem: String| Failure::usage(format!("origin: {problem}"), help);
        let origin: Origin = text.parse().map_err(|e: api::OriginError| wrong(e.to_string()))?;
        if self.tls.is_some() && !origin.is_tls() {
            return Err(wrong(format!("with [tls] nobody can dial {origin}")));
        }
        origin.as_str().clone_into(text);
        Ok(())
    }

    /// How a listener at `address` is dialled.
    pub(crate) fn url(&self, address: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{address}")
    }

    /// All that people dial: the origin, and on this machine the loopback addresses.
    pub(crate) fn origins(&self, address: SocketAddr) -> Vec<String> {
        let mut dialled: Vec<String> = self.origin.clone().into_iter().collect();
        if address.ip().is_loopback() || dialled.is_empty() {
            dialled.push(self.url(address));
        }
        if address.ip().is_loopback() {
            let (url, port) = (self.url(address), address.port());
            for host in ["localhost", "127.0.0.1"] {
                dialled.push(url.replace(&address.to_string(), &format!("{host}:{port}")));
            }
        }
        // In the form that clients write them.
        let origins = dialled.iter().filter_map(|o| o.parse::<Origin>().ok());
        let mut origins: Vec<String> = origins.map(|o| o.as_str().to_owned()).collect();
        origins.sort();
        origins.dedup();
        origins
    }

    /// The files of the certificate.
    pub(crate) fn tls_files(&self) -> Option<TlsFiles> {
        let TlsConfig { certificate_file, key_file } = self.tls.clone()?;
        Some(TlsFiles { certificate: certificate_file, key: key_file })
    }
}
