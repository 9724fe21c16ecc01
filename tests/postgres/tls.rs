//! TLS: the host's name proven by the configured authority, or nothing.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use targets::postgres::{Host, Password, PostgresSpec, Tls};
use tests::postgres::cluster::{Certificate, Network, Server};
use tests::postgres::{PASSWORD, open, roomy, shop};

use super::cancel::{SLOW, Watcher};

/// An authority, and a server's certificate of it.
pub(super) fn authority(host: &str) -> (String, Certificate) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    let certificate_pem = params.signed_by(&key, &issuer).unwrap().pem();
    (ca_pem, Certificate { certificate_pem, key_pem: key.serialize_pem() })
}

/// The server over the network.
pub(super) fn over_tcp(server: &Server, host: &str, tls: Tls) -> PostgresSpec {
    let mut spec = shop().spec(server);
    spec.access.host = Host::Tcp(host.into());
    spec.access.tls = tls;
    spec.access.password = Some(Password::new(PASSWORD.into()));
    spec
}

/// The hint that people see and the words that are evidence.
async fn refusal(spec: &PostgresSpec) -> (String, String) {
    let error = open(spec).await.err().unwrap();
    assert_eq!(error.code(), "unreachable", "{error:?}");
    (error.to_string(), error.detail().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_host_s_name_is_proven_or_there_is_no_session() {
    let shop = shop();
    let (ca_pem, certificate) = authority("localhost");
    let (other_ca_pem, _) = authority("localhost");
    let server = shop.cluster.standby(&Network::Tls(certificate)).unwrap();
    let verified = Tls::VerifyFull { ca_pem };

    let mut good = over_tcp(&server, "localhost", verified.clone());
    good.prod = true;
    let mut session = open(&good).await.unwrap();
    let sql = "select count(*) n from shop.items";
    assert_eq!(session.query(sql, &[], roomy()).await.unwrap().rows(), 1);

    let (hint, words) =
        refusal(&over_tcp(&server, "localhost", Tls::VerifyFull { ca_pem: other_ca_pem })).await;
    assert!(
        hint.contains("TLS failed") && words.contains("invalid peer certificate"),
        "{hint} {words}"
    );
    // The right server by a name that its certificate does not have.
    let (hint, words) = refusal(&over_tcp(&server, "127.0.0.1", verified.clone())).await;
    assert!(hint.contains("TLS failed") && words.contains("not valid for name"), "{hint} {words}");
    // Without TLS this server talks to nobody.
    let (hint, _) = refusal(&over_tcp(&server, "localhost", Tls::Off)).await;
    assert!(hint.contains("refuses the role"), "{hint}");

    good.access.password = Some(Password::new("guess".into()));
    let (hint, words) = refusal(&good).await;
    assert!(hint.contains("refuses the role") && !words.contains("guess"), "{hint} {words}");
}

#[tokio::test]
async fn a_server_that_refuses_tls_is_refused_not_obeyed() {
    let shop = shop();
    let server = shop.cluster.standby(&Network::Plain).unwrap();
    let (ca_pem, _) = authority("localhost");
    let plain = over_tcp(&server, "localhost", Tls::Off);
    open(&plain).await.unwrap();
    let (hint, words) = refusal(&over_tcp(&server, "localhost", Tls::VerifyFull { ca_pem })).await;
    assert!(hint.contains("there is no fallback"), "{hint}");
    assert!(words.contains("does not support TLS"), "{words}");
    let prod = PostgresSpec { prod: true, ..plain };
    assert_eq!(open(&prod).await.err().unwrap().code(), "config");
}

#[tokio::test]
async fn a_statement_over_tls_is_cancelled_over_tls() {
    let (ca_pem, certificate) = authority("localhost");
    let server = shop().cluster.standby(&Network::Tls(certificate)).unwrap();
    let mut spec = over_tcp(&server, "localhost", Tls::VerifyFull { ca_pem });
    spec.access.application_name = "tls".into();
    let mut session = open(&spec).await.unwrap();
    let canceller = session.canceller();
    let watcher = Watcher::of(&server, "tls").await;
    let cancel = async {
        watcher.until_active().await;
        canceller.cancel();
    };
    let (answer, ()) = tokio::join!(session.query(SLOW, &[], roomy()), cancel);
    assert_eq!(answer.unwrap_err().code(), "cancelled");
    watcher.until_gone().await;
}
