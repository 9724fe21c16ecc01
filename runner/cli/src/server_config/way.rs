//! The ways to the targets, as `borescope.toml` has them: paths, addresses, and the files with
//! credentials. What the target must be and what may be read there is policy, never here.

use std::path::{Path, PathBuf};

use domain::TargetId;
use executor::ports::TargetAccess;
use serde::Deserialize;
use targets::postgres::{Access, Host, Password, Sessions, Tls};

use crate::exit::Failure;

/// PostgreSQL's port where the configuration names none.
const POSTGRES_PORT: u16 = 5432;
/// Runs that a PostgreSQL standby has at a time where the configuration says nothing: whatever one
/// query does to its memory, two do at most twice.
const POSTGRES_RUNS_MAX: u32 = 2;
/// The most that can be configured.
const RUNS_MAX: u32 = 64;
/// What database administrators see in `pg_stat_activity`.
const APPLICATION_NAME: &str = "borescope";

/// The way to one target: one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetConfig {
    /// The SQLite file.
    pub(crate) path: Option<PathBuf>,
    /// The PostgreSQL standby.
    pub(crate) postgres: Option<PostgresConfig>,
    /// Runs that it has at a time, from 1 to 64; more wait. Where nothing is said, a PostgreSQL standby
    /// has two, and a file as many as the server.
    pub(crate) concurrent_runs_max: Option<u32>,
}

/// The way to a PostgreSQL standby.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostgresConfig {
    /// Directory of its Unix socket.
    pub(crate) socket: Option<PathBuf>,
    /// Its name or address, and the name in its certificate.
    pub(crate) host: Option<String>,
    /// Its port.
    pub(crate) port: Option<u16>,
    /// Certificates of the authority that signed the server's, PEM.
    pub(crate) ca_file: Option<PathBuf>,
    /// `"off"` for a host without TLS, which is refused on production targets.
    pub(crate) tls: Option<NoTls>,
    /// File with the role's password; line breaks at its end are not part of it.
    pub(crate) password_file: Option<PathBuf>,
}

/// The only alternative to a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NoTls {
    /// The connection is not protected.
    Off,
}

impl TargetConfig {
    /// Resolves relative paths against `base` and refuses what cannot be meant.
    pub(super) fn settle(&mut self, id: &TargetId, base: &Path) -> Result<(), Failure> {
        let resolve = |path: &mut PathBuf| *path = base.join(&*path);
        let wrong = |what: &str, help: &str| {
            Err(Failure::usage(format!("targets.{id}: {what}"), help.to_owned()))
        };
        if self.concurrent_runs_max.is_some_and(|max| !(1..=RUNS_MAX).contains(&max)) {
            return wrong(
                "concurrent_runs_max is not between 1 and 64",
                "2 suits a standby; an emergency may always be one more",
            );
        }
        match (&mut self.path, &mut self.postgres) {
            (Some(path), None) => resolve(path),
            (None, Some(postgres)) => {
                for path in
                    [&mut postgres.socket, &mut postgres.ca_file, &mut postgres.password_file]
                {
                    path.iter_mut().for_each(resolve);
                }
                let PostgresConfig { socket, host, ca_file, tls, .. } = postgres;
                match (socket, host, ca_file, tls) {
                    (Some(_), None, None, None)
                    | (None, Some(_), Some(_), None)
                    | (None, Some(_), None, Some(NoTls::Off)) => {}
                    (None, Some(_), None, None) => {
                        return wrong(
                            "a host needs TLS",
                            "set ca_file to the authority's certificates, or tls = \"off\" on a \
                             target that is not production",
                        );
                    }
                    _ => {
                        return wrong(
                            "expected either socket, or host with ca_file or tls = \"off\"",
                            "a Unix socket has no TLS, and a host has one address",
                        );
                    }
                }
            }
            _ => {
                return wrong(
                    "expected either path or [targets.ID.postgres]",
                    "path = \"/srv/shop.sqlite\" is a SQLite file; socket = \"/run/postgresql\" \
                     under [targets.ID.postgres] a PostgreSQL standby",
                );
            }
        }
        Ok(())
    }

    /// Runs that it has at a time; `None` for as many as the server.
    pub(crate) fn runs_max(&self) -> Option<usize> {
        let postgres = self.postgres.as_ref().map(|_| POSTGRES_RUNS_MAX);
        self.concurrent_runs_max.or(postgres).map(|max| max as usize)
    }

    /// What a connector needs; reads the files with certificates and passwords.
    pub(crate) fn access(&self, id: &TargetId) -> anyhow::Result<TargetAccess> {
        match (&self.path, &self.postgres) {
            (Some(path), None) => Ok(TargetAccess::Sqlite(path.clone())),
            (None, Some(postgres)) => {
                // An emergency may be one more.
                let sessions = self.runs_max().map_or(Sessions::MAX, |max| max + 1);
                Ok(TargetAccess::Postgres(postgres.access(id)?, Sessions::at_most(sessions)))
            }
            _ => Err(Failure::usage(
                format!("targets.{id} has no way, or two"),
                "set either path or [targets.ID.postgres]",
            )
            .into()),
        }
    }
}

impl PostgresConfig {
    /// The address, with the files read.
    pub(crate) fn access(&self, id: &TargetId) -> anyhow::Result<Access> {
        let read = |path: &PathBuf, what: &str| {
            std::fs::read_to_string(path).map_err(|e| {
                Failure::usage(
                    format!("targets.{id}: {what} {} cannot be read: {e}", path.display()),
                    "correct the path in borescope.toml, or the file's permissions",
                )
            })
        };
        let host = match (&self.socket, &self.host) {
            (Some(directory), _) => Host::Socket(std::path::absolute(directory)?),
            (None, host) => Host::Tcp(host.clone().unwrap_or_default()),
        };
        let tls = match &self.ca_file {
            Some(path) => Tls::VerifyFull { ca_pem: read(path, "the CA file")? },
            None => Tls::Off,
        };
        let password = match &self.password_file {
            Some(path) => {
                let mut text = read(path, "the password file")?;
                // In place, so that no second copy stays in memory.
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
                Some(Password::new(text))
            }
            None => None,
        };
        Ok(Access {
            host,
            port: self.port.unwrap_or(POSTGRES_PORT),
            tls,
            password,
            application_name: APPLICATION_NAME.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
