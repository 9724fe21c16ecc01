//! The connection: TLS or socket, pinned start-up options, and the task that keeps it and can end it.
//!
//! The task owns the connection and everything that is needed to cancel: whoever cancels, or drops a
//! future whose statement runs, only raises a flag. The task then tells the server, which needs a
//! second connection, and closes the first. A cancel request that overtakes its statement on the way
//! is ignored by the server, so it is repeated; and the server notices a closed connection by itself
//! (`client_connection_check_interval`).

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{CancelToken, Client, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::unreachable;
use super::spec::{Host, PostgresSpec, Tls};
use crate::{Canceller, TargetError};

/// For the connection and all checks before the first statement.
pub(super) const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// For one cancel request.
const CANCEL_TIME_MAX: Duration = Duration::from_secs(2);
/// How long the server may take to end a statement before it is told again.
const CANCEL_AGAIN: Duration = Duration::from_millis(25);
/// How often it is told; then the connection is closed.
const CANCEL_TRIES_MAX: usize = 4;

/// Settings of every session: name, value, and how the server shows it. They are sent when the
/// connection starts, so that they win over the role's and the database's, and are compared after.
pub(super) const PINNED: &[(&str, &str)] = &[
    // Names resolve to pg_catalog only, whatever the gate let through.
    ("search_path", "pg_catalog,pg_temp"),
    ("default_transaction_read_only", "on"),
    ("row_security", "on"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("lock_timeout", "200ms"),
    // A closed connection ends its statement.
    ("client_connection_check_interval", "50ms"),
    // One process and little memory a statement; the role should have a temp_file_limit, too.
    ("max_parallel_workers_per_gather", "0"),
    ("work_mem", "8MB"),
    ("hash_mem_multiplier", "1"),
    ("jit", "off"),
    // Text forms that do not depend on the server's configuration.
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "iso_8601"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("standard_conforming_strings", "on"),
    ("xmloption", "content"),
    ("quote_all_identifiers", "off"),
    // Notices can quote data; nobody would read them.
    ("client_min_messages", "error"),
    // Parameters and plans can have keys and data in them.
    ("log_parameter_max_length_on_error", "0"),
    ("debug_print_parse", "off"),
    ("debug_print_rewritten", "off"),
    ("debug_print_plan", "off"),
];

/// The start-up options of every session, in the form of libpq's `options`.
#[must_use]
pub fn startup_options(statement_ms_max: u64) -> String {
    let pinned = PINNED.iter().map(|(name, value)| {
        let value = value.replace(' ', "");
        format!("-c {name}={value} ")
    });
    format!("{}-c statement_timeout={statement_ms_max}", pinned.collect::<String>())
}

/// A live connection. Dropping it closes it; whoever drops it with a statement under way must cancel.
pub(super) struct Live {
    pub(super) client: Client,
    pub(super) canceller: Canceller,
}

/// Cancels unless the answer has come.
pub(super) struct CancelOnDrop(Option<Canceller>);

impl CancelOnDrop {
    pub(super) fn of(live: &Live) -> Self {
        Self(Some(live.canceller.clone()))
    }

    /// The answer has come.
    pub(super) fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(canceller) = &self.0 {
            canceller.cancel();
        }
    }
}

/// Connects and starts the task that keeps the connection.
pub(super) async fn connect(spec: &PostgresSpec) -> Result<Live, TargetError> {
    let config = config(spec);
    let canceller = Canceller::default();
    let dialled = match &spec.access.tls {
        Tls::Off => dial(&config, NoTls, &canceller).await,
        Tls::VerifyFull { ca_pem } => {
            let tls = MakeRustlsConnect::new(verify_full(ca_pem)?);
            dial(&config, tls, &canceller).await
        }
    };
    let client = dialled.map_err(|e| match e.code().map(SqlState::code) {
        // The database's name is part of the identity, and it is all that is wrong.
        Some("3D000") => TargetError::Identity {
            what: "database",
            expected: spec.identity.database.clone(),
            found: "absent".into(),
        },
        _ => unreachable(e),
    })?;
    Ok(Live { client, canceller })
}

fn config(spec: &PostgresSpec) -> Config {
    let mut config = Config::new();
    let access = &spec.access;
    match &access.host {
        Host::Tcp(host) => config.host(host),
        Host::Socket(directory) => config.host_path(directory),
    };
    if let Some(password) = &access.password {
        config.password(password.expose());
    }
    config
        .port(access.port)
        .user(&spec.identity.role)
        .dbname(&spec.identity.database)
        .application_name(&access.application_name)
        .options(startup_options(spec.statement_ms_max))
        .connect_timeout(CONNECT_TIME_MAX)
        .keepalives_idle(Duration::from_secs(30))
        // Never `Prefer`: it would take no for an answer.
        .ssl_mode(if access.tls == Tls::Off { SslMode::Disable } else { SslMode::Require });
    config
}

/// TLS that accepts exactly certificates of this authority for exactly the configured host.
fn verify_full(ca_pem: &str) -> Result<ClientConfig, TargetError> {
    let wrong = |problem: &str| TargetError::Config { problem: problem.into() };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        let certificate = certificate.map_err(|_| wrong("the CA file is not PEM"))?;
        roots
            .add(certificate)
            .map_err(|_| wrong("the CA file has a certificate of no authority"))?;
    }
    if roots.is_empty() {
        return Err(wrong("the CA file has no certificate"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|_| wrong("this build has no version of TLS"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

async fn dial<M>(
    config: &Config,
    tls: M,
    canceller: &Canceller,
) -> Result<Client, tokio_postgres::Error>
where
    M: MakeTlsConnect<Socket> + Clone + Send + 'static,
    M::Stream: Send + 'static,
    M::TlsConnect: Send,
    <M::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = config.connect(tls.clone()).await?;
    tokio::spawn(keep(connection, client.cancel_token(), tls, canceller.clone()));
    Ok(client)
}

/// Keeps the connection until it ends, or until somebody cancels: then ends it at the server too.
async fn keep<T, M>(
    connection: Connection<Socket, T>,
    token: CancelToken,
    tls: M,
    canceller: Canceller,
) where
    T: AsyncRead + AsyncWrite + Unpin,
    M: MakeTlsConnect<Socket> + Clone,
{
    // Its errors also reach whoever waits for an answer.
    let mut connection = pin!(connection);
    tokio::select! {
        _ = &mut connection => return,
        () = canceller.cancelled() => {}
    }
    for _ in 0..CANCEL_TRIES_MAX {
        let told = timeout(CANCEL_TIME_MAX, token.cancel_query(tls.clone()));
        tokio::select! {
            _ = &mut connection => return,
            // Told or not: closing the connection, below, is what always works.
            _ = told => {}
        }
        // Reading on gives the waiting caller its answer, and says when the server is done.
        if timeout(CANCEL_AGAIN, &mut connection).await.is_ok() {
            return;
        }
    }
}
