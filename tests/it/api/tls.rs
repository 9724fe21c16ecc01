//! The same server over TLS: what others do to its handshake keeps nobody out, and what was true of
//! connections stays true.

use std::sync::Arc;

use api::{Authorities, CertificateFault, ClientError, Code};
use app::{AppLimits, QuotaLimits};
use domain::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use server::ServerLimits;
use tests::certificates::Authority;
use tests::served::Served;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The beginning of a `ClientHello` that says how long it is, and then nothing.
const HALF_A_HELLO: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];

async fn over_tls(limits: ServerLimits) -> Served {
    Served::over_tls(AppLimits::DEFAULT, limits).await
}

fn fault<T: std::fmt::Debug>(result: Result<T, ClientError>) -> CertificateFault {
    match result.unwrap_err() {
        ClientError::Certificate(fault) => fault,
        other => panic!("{other:?}"),
    }
}

/// Whether the server still waits for this connection to say more.
fn is_open(connection: &TcpStream) -> bool {
    let read = connection.try_read(&mut [0; 16]);
    read.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_handshake_keeps_nobody_else_out() {
    let served = over_tls(ServerLimits { handshake_s_max: 3600, ..ServerLimits::DEFAULT }).await;
    let mut slow = Vec::new();
    for _ in 0..16 {
        let mut connection = TcpStream::connect(served.address).await.unwrap();
        connection.write_all(HALF_A_HELLO).await.unwrap();
        slow.push(connection);
        slow.push(TcpStream::connect(served.address).await.unwrap());
    }
    let granted = served.granted("echo", "{}", |_| {}).await;
    let alice = served.login("alice").await;
    assert_eq!(served.ran(&alice, &granted, 1).await.state.code(), "succeeded");
    let mut events = alice.events(&alice.runs().await.unwrap()[0].id, None);
    while events.next().await.unwrap().is_some() {}
    assert!(slow.iter().all(is_open), "they were before the others, and are not done");
    drop(slow);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_takes_a_place_and_gives_it_back_in_time() {
    let limits = ServerLimits { connections_max: 4, handshake_s_max: 1, ..ServerLimits::DEFAULT };
    let served = over_tls(limits).await;
    let mut slow = Vec::new();
    for _ in 0..4 {
        let mut connection = TcpStream::connect(served.address).await.unwrap();
        connection.write_all(HALF_A_HELLO).await.unwrap();
        slow.push(connection);
    }
    // There is no place for her until they have lost theirs.
    served.login("alice").await.runs().await.unwrap();
    for mut connection in slow {
        // Closed, or cut.
        drop(connection.read_to_end(&mut Vec::new()).await);
    }
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_no_tls_is_told_nothing_and_harms_nobody() {
    let served = over_tls(ServerLimits::DEFAULT).await;
    for said in [&b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"[..], &[0; 4096], b"SSH-2.0-x\r\n"] {
        let mut connection = TcpStream::connect(served.address).await.unwrap();
        connection.write_all(said).await.unwrap();
        let mut heard = Vec::new();
        drop(connection.read_to_end(&mut heard).await);
        // An alert of TLS, if anything.
        assert!(heard.first().is_none_or(|kind| *kind == 0x15), "{heard:?}");
    }
    let plain = served.client_of(&format!("http://{}", served.address));
    assert!(matches!(plain.ready().await, Err(ClientError::Silent(_))));
    served.login("alice").await.runs().await.unwrap();
    served.close().await;

    let without = Served::start().await;
    let sealed = without.client_of(&format!("https://{}", without.address));
    assert!(matches!(sealed.ready().await, Err(ClientError::NotTls)));
    without.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_does_not_hold_has_its_own_error_and_is_not_tried_again() {
    let served = over_tls(ServerLimits::DEFAULT).await;
    let pem = Authority::default().pem;
    let believes_another = Authorities::from_pem(&pem).unwrap();
    let stranger = served.client_believing(&served.url(), believes_another);
    assert_eq!(fault(stranger.store_input(Vec::new()).await), CertificateFault::UnknownIssuer);
    assert_eq!(
        fault(stranger.events(&tests::company::p(RUN), None).next().await),
        CertificateFault::UnknownIssuer
    );
    let elsewhere = served.client_of(&format!("https://localhost:{}", served.address.port()));
    let named = fault(elsewhere.store_input(Vec::new()).await);
    assert!(
        matches!(&named, CertificateFault::WrongName(n) if n.contains("127.0.0.1")),
        "{named:?}"
    );
    served.login("alice").await.runs().await.unwrap();
    served.close().await;

    let authority = Authority::default();
    let pair = authority.signed_once("127.0.0.1");
    // The server was started when it was valid.
    let then = Timestamp::from_unix_s(1_590_000_000);
    let tls = Some((&authority, &pair, then));
    let served = Served::with_certificate(tls, AppLimits::DEFAULT, ServerLimits::DEFAULT).await;
    assert_eq!(fault(served.client().ready().await), CertificateFault::Expired);
    served.close().await;
}

const RUN: &str = "run_0198f0c0-0000-7000-8000-000000000000";

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_while_still_sending_hears_why_through_tls() {
    let quotas = QuotaLimits { uploads_per_hour_max: 0, ..QuotaLimits::DEFAULT };
    let limits = AppLimits { quotas, ..AppLimits::DEFAULT };
    let served = Served::over_tls(limits, ServerLimits::DEFAULT).await;
    let alice = served.login("alice").await;
    for _ in 0..4 {
        let large = vec![
            ("component.wasm".to_owned(), vec![0; 30 << 20]),
            ("script.toml".to_owned(), b"x".to_vec()),
        ];
        match served.try_upload(&alice, large).await.unwrap_err() {
            ClientError::Problem(problem) => assert_eq!(problem.code, Code::QuotaExceeded),
            other => panic!("the reason is lost: {other:?}"),
        }
    }
    let metrics = sealed(&served, "GET /metrics").await.unwrap();
    // The first try tells; a client that hears nothing tries again.
    let calls = "{method=\"POST\",route=\"/v1/revisions\",status=\"429\"} 4\n";
    assert!(metrics.contains(calls), "{metrics}");
    served.close().await;
}

/// One call over TLS by hand. It fails when the end is not said in TLS: somebody could have cut it.
async fn sealed(served: &Served, line: &str) -> std::io::Result<String> {
    let mut roots = rustls::RootCertStore::empty();
    let pem = served.authority.as_deref().unwrap();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(served.address).await?;
    let name = "127.0.0.1".try_into().unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let head = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await?;
    Ok(heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_an_answer_is_said_in_tls() {
    let served = over_tls(ServerLimits::DEFAULT).await;
    let heard = sealed(&served, "GET /openapi.json").await.unwrap();
    assert!(heard.starts_with("HTTP/1.1 200 ") && heard.ends_with('}'), "{heard}");
    served.close().await;
}
