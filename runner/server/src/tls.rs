//! The server's certificate and its key: read and checked at start, and again when they are renewed.
//!
//! A pair that does not hold is refused here, where its operator sees it, and not at the first client.
//! How a connection is opened with it is [`crate::wire`]'s.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::Timestamp;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use x509_cert::der::Decode as _;

/// Bytes of one file: a chain has a few certificates of some KiB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate with those that lead from it to its authority, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM; nobody but its owner may read it.
    pub key: PathBuf,
}

/// What new connections are opened with.
pub struct Tls {
    files: TlsFiles,
    current: watch::Sender<Arc<ServerConfig>>,
}

/// Why a certificate and its key are not served with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not there, or not for us.
    #[error("{} cannot be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {problem}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The key is for others to read.
    #[error("{}: others than its owner may read this key (mode {mode:04o})", file.display())]
    KeyIsOpen {
        /// The file.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Not now.
    #[error(
        "{}: certificate {number} is valid from {from} to {until}, and it is {now}", file.display()
    )]
    NotNow {
        /// The file.
        file: PathBuf,
        /// Which of the file's certificates, from 1.
        number: usize,
        /// Its first second.
        from: Timestamp,
        /// Its last second.
        until: Timestamp,
        /// The time of the look.
        now: Timestamp,
    },
    /// Key and certificate are not of one pair.
    #[error("{} is not the key of the first certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The pair is one that TLS cannot use.
    #[error("{} cannot be used", file.display())]
    Unusable {
        /// The certificate's file.
        file: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

impl TlsError {
    /// What the operator can do.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "give paths that the server's user may read",
            Self::Malformed { .. } => {
                "both files are PEM: the certificate with its chain, and the key"
            }
            Self::KeyIsOpen { .. } => "chmod 600 it, and make a new key if others may have read it",
            Self::NotNow { .. } => "renew it, and compare the machine's clock",
            Self::Mismatch { .. } => "the server's own certificate comes first, then its issuers",
            Self::Unusable { .. } => "ECDSA P-256 or P-384, Ed25519, or RSA from 2048 bits on",
        }
    }
}

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// When they cannot be served with at `now`.
    pub fn read(files: TlsFiles, now: Timestamp) -> Result<Self, TlsError> {
        let config = read(&files, now)?;
        Ok(Self { files, current: watch::Sender::new(config) })
    }

    /// Reads the same files again, for connections from now on.
    ///
    /// # Errors
    /// As [`Self::read`]; then everything stays as it was.
    pub fn renew(&self, now: Timestamp) -> Result<(), TlsError> {
        self.current.send_replace(read(&self.files, now)?);
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.borrow()))
    }
}

fn read(files: &TlsFiles, now: Timestamp) -> Result<Arc<ServerConfig>, TlsError> {
    let TlsFiles { certificate, key } = files;
    let chain = chain(certificate, now)?;
    let key_der = private_key(key)?;
    let unusable = |source| match source {
        rustls::Error::InconsistentKeys(_) => {
            TlsError::Mismatch { certificate: certificate.clone(), key: key.clone() }
        }
        source => TlsError::Unusable { file: certificate.clone(), source },
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&versions);
    let config = config.map_err(unusable)?.with_no_client_auth();
    let mut config = config.with_single_cert(chain, key_der).map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn chain(file: &Path, now: Timestamp) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let (pem, _) = contents(file)?;
    let malformed = |problem: String| TlsError::Malformed { file: file.to_owned(), problem };
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|e| malformed(format!("it is no PEM: {e}")))?;
    if chain.is_empty() {
        return Err(malformed("there is no `BEGIN CERTIFICATE` in it".to_owned()));
    }
    for (number, der) in (1..).zip(&chain) {
        let read = x509_cert::Certificate::from_der(der);
        let read = read.map_err(|e| malformed(format!("certificate {number} is none: {e}")))?;
        let validity = read.tbs_certificate.validity;
        let (from, until) = (second(validity.not_before), second(validity.not_after));
        if now < from || now > until {
            return Err(TlsError::NotNow { file: file.to_owned(), number, from, until, now });
        }
    }
    Ok(chain)
}

fn second(time: x509_cert::time::Time) -> Timestamp {
    Timestamp::from_unix_s(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let (pem, mode) = contents(file)?;
    if mode & 0o077 != 0 {
        return Err(TlsError::KeyIsOpen { file: file.to_owned(), mode });
    }
    PrivateKeyDer::from_pem_slice(&pem).map_err(|e| {
        let problem = match e {
            rustls::pki_types::pem::Error::NoItemsFound => {
                "there is no private key in it that has no passphrase".to_owned()
            }
            // The error may show a line of the file.
            _ => "it is no PEM".to_owned(),
        };
        TlsError::Malformed { file: file.to_owned(), problem }
    })
}

/// A file's bytes, and its permissions at the same moment.
fn contents(path: &Path) -> Result<(Vec<u8>, u32), TlsError> {
    let read = || {
        let file = File::open(path)?;
        let mode = file.metadata()?.permissions().mode() & 0o7777;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok((bytes, mode))
    };
    read().map_err(|source| TlsError::Unreadable { file: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
