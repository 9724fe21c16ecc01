//! What policy and configuration say about a PostgreSQL target. Values only: nothing is read from
//! files here, nothing is opened.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::gate::Relation;
use crate::{HashKeys, TargetError};

/// Bytes of a name at PostgreSQL; it cuts longer ones silently.
const NAME_BYTES_MAX: usize = 63;
/// Relations in one description.
const RELATIONS_MAX: usize = 1_000;

/// A PostgreSQL target as policy and configuration describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresSpec {
    /// How to reach it: the unsigned configuration's part.
    pub access: Access,
    /// Which database it must be, seen by which role: policy's part, like all that follows.
    pub identity: Identity,
    /// The only tables, partitioned tables, views and materialised views, and their columns, that
    /// any query can see. Of a view, only the view is granted, and its owner reads for it.
    pub reads: Vec<Relation>,
    /// Whether queries may recurse.
    pub recursion: bool,
    /// The keys of its hashed columns; only a statement that reads one needs them.
    pub keys: HashKeys,
    /// Milliseconds that one statement may take.
    pub statement_ms_max: u64,
    /// What the planner may expect a statement to cost at most, in its own units.
    pub cost_max: u64,
    /// Seconds that the replica may lag behind its primary.
    pub lag_s_max: u64,
    /// Whether policy calls it a production target: then TCP needs TLS.
    pub prod: bool,
}

/// How to reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The server.
    pub host: Host,
    /// Its port; on a socket it names the file.
    pub port: u16,
    /// What protects a TCP connection. A Unix socket needs nothing and takes [`Tls::Off`].
    pub tls: Tls,
    /// For `scram-sha-256` or `md5`; none for `peer`, `trust` and the like.
    pub password: Option<Password>,
    /// What `pg_stat_activity` shows, at most 63 bytes of ASCII.
    pub application_name: String,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A host name or address. With TLS, the certificate must be for it.
    Tcp(String),
    /// The directory of a Unix socket; absolute.
    Socket(PathBuf),
}

/// What protects a TCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Nothing.
    Off,
    /// The server must prove the host's name by a certificate of this authority; libpq calls it
    /// `verify-full`. There is no weaker form and no fallback.
    VerifyFull {
        /// One or more certificates of the authority, PEM.
        ca_pem: String,
    },
}

/// A password. It leaves memory when dropped and is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// A password, exactly these characters: cut the file's last line break before.
    #[must_use]
    pub fn new(password: String) -> Self {
        Self(Zeroizing::new(password))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// Which database it is, and who the runner is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `pg_control_system()`'s; a primary and its standbys share it.
    pub system_identifier: u64,
    /// The database.
    pub database: String,
    /// The login role, which has no more privileges than the reads.
    pub role: String,
}

impl PostgresSpec {
    /// Refuses a description that cannot mean what its author thinks.
    pub(super) fn check(&self) -> Result<(), TargetError> {
        let wrong = |problem: String| Err(TargetError::Config { problem });
        let Access { host, tls, application_name, .. } = &self.access;
        match (host, tls) {
            (Host::Socket(path), _) if !path.is_absolute() => {
                return wrong(format!("the socket directory {} is not absolute", path.display()));
            }
            (Host::Socket(_), Tls::VerifyFull { .. }) => {
                return wrong("a Unix socket has no TLS; remove the CA file".into());
            }
            (Host::Tcp(host), _) if host.is_empty() || host.starts_with('/') => {
                return wrong(
                    "the host is empty, or a path; a socket directory is `socket`".into(),
                );
            }
            (Host::Tcp(host), Tls::Off) if self.prod => {
                return wrong(format!(
                    "{host} is a production target and has no TLS; configure its CA file, or use a \
                     Unix socket"
                ));
            }
            _ => {}
        }
        if application_name.len() > NAME_BYTES_MAX || !application_name.is_ascii() {
            return wrong(format!("the application name is not ASCII of {NAME_BYTES_MAX} bytes"));
        }
        let name_ok = |n: &str| !n.is_empty() && n.len() <= NAME_BYTES_MAX && !n.contains('\0');
        if !name_ok(&self.identity.database) || !name_ok(&self.identity.role) {
            return wrong(format!("database and role have 1 to {NAME_BYTES_MAX} bytes"));
        }
        if self.statement_ms_max == 0 {
            return wrong("a statement may take 0 ms".into());
        }
        self.check_reads(name_ok)
    }

    fn check_reads(&self, name_ok: impl Fn(&str) -> bool) -> Result<(), TargetError> {
        let wrong = |problem: String| Err(TargetError::Config { problem });
        if self.reads.is_empty() || self.reads.len() > RELATIONS_MAX {
            return wrong(format!("it grants no relation, or more than {RELATIONS_MAX}"));
        }
        for (at, read) in self.reads.iter().enumerate() {
            let Relation { schema, name, columns, hidden: _ } = read;
            if !name_ok(schema) || !name_ok(name) || !columns.iter().all(|c| name_ok(c)) {
                return wrong(format!(
                    "{schema}.{name}: a name is empty or longer than {NAME_BYTES_MAX} bytes"
                ));
            }
            if schema.starts_with("pg_") || schema == "information_schema" {
                return wrong(format!(
                    "{schema}.{name} belongs to PostgreSQL and cannot be granted"
                ));
            }
            let twice = (1..columns.len()).any(|n| columns[..n].contains(&columns[n]));
            if columns.is_empty() || twice {
                return wrong(format!("the columns of {schema}.{name} are none, or twice there"));
            }
            let same = |r: &Relation| r.schema == *schema && r.name == *name;
            if self.reads[..at].iter().any(same) {
                return wrong(format!("{schema}.{name} is twice there"));
            }
        }
        Ok(())
    }
}
