//! Certificate authorities and the certificates that they sign, made for one scenario.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

/// An authority.
pub struct Authority {
    /// Its own certificate, PEM.
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key, both PEM.
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

impl Default for Authority {
    fn default() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }
}

impl Authority {
    /// A certificate for a host, valid for as long as scenarios last.
    pub fn signs(&self, host: &str) -> Pair {
        self.signs_with(host, |_| {})
    }

    /// One that was valid in 2020 only.
    pub fn signed_once(&self, host: &str) -> Pair {
        self.signs_with(host, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    fn signs_with(&self, host: &str, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }
}

impl Pair {
    /// Writes both, as an operator should have them.
    pub fn write(&self, certificate: &std::path::Path, key: &std::path::Path) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(certificate, &self.certificate).unwrap();
        std::fs::write(key, &self.key).unwrap();
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}
