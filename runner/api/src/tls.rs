//! Whom the client believes to be the server, and what was wrong with a certificate.
//!
//! The system's certificate authorities and those that the user named. There is no way to talk to a
//! server whose certificate does not hold.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};

/// Certificate authorities that a user named, beside the system's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authorities(Vec<CertificateDer<'static>>);

/// Why a text names no certificate authorities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthoritiesError {
    /// It is no PEM.
    #[error("it is no PEM: {0}")]
    Malformed(String),
    /// It has no certificate.
    #[error("there is no `BEGIN CERTIFICATE` in it")]
    Empty,
    /// A certificate in it is none.
    #[error("its certificate number {0} cannot be read")]
    Certificate(usize),
}

impl Authorities {
    /// All certificates of a PEM file.
    ///
    /// # Errors
    /// When there is none, or one cannot be read.
    pub fn from_pem(pem: &str) -> Result<Self, AuthoritiesError> {
        let all = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
        let all = all.map_err(|e| AuthoritiesError::Malformed(e.to_string()))?;
        if all.is_empty() {
            return Err(AuthoritiesError::Empty);
        }
        let mut roots = RootCertStore::empty();
        for (number, certificate) in (1..).zip(&all) {
            let added = roots.add(certificate.clone());
            added.map_err(|_| AuthoritiesError::Certificate(number))?;
        }
        Ok(Self(all))
    }
}

/// What is wrong with the certificate of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// Nobody who is believed has signed it.
    #[error("it is signed by nobody who is believed here")]
    UnknownIssuer,
    /// It is another's.
    #[error("it is for another name ({0})")]
    WrongName(String),
    /// It is over.
    #[error("it has expired")]
    Expired,
    /// It is not valid yet.
    #[error("it is not valid yet")]
    NotValidYet,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// What went wrong with TLS.
#[derive(Debug)]
pub(crate) enum TlsFault {
    /// The server is not who it should be.
    Certificate(CertificateFault),
    /// The other end does not speak TLS.
    NotTls,
}

/// The settings of a client that dials without TLS: it believes nobody.
pub(crate) fn nobody() -> Result<ClientConfig, rustls::Error> {
    believing(RootCertStore::empty())
}

/// The settings of a client that dials with TLS.
pub(crate) fn config(named: &Authorities) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    // What the system has and cannot be read is as if it were not there: nothing is believed for it.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(named.0.iter().cloned());
    believing(roots)
}

fn believing(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12]);
    let mut config = config?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What went wrong with TLS, if that is why a call failed.
pub(crate) fn fault(error: &reqwest::Error) -> Option<TlsFault> {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return of(error);
        }
        // An IO error hides what it carries from its chain of causes.
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = match carried {
            Some(carried) => Some(carried),
            None => error.source(),
        };
    }
    None
}

fn of(error: &rustls::Error) -> Option<TlsFault> {
    let fault = match error {
        rustls::Error::InvalidMessage(_) => return Some(TlsFault::NotTls),
        rustls::Error::InvalidCertificate(error) => error,
        _ => return None,
    };
    Some(TlsFault::Certificate(match fault {
        // Another authority may have the name of one that is believed, but not its key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            CertificateFault::UnknownIssuer
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            CertificateFault::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateFault::NotValidYet
        }
        CertificateError::NotValidForName => CertificateFault::WrongName("unnamed".to_owned()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            CertificateFault::WrongName(presented.join(", "))
        }
        other => CertificateFault::Other(other.to_string()),
    }))
}
