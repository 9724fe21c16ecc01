//! Somebody on the way to the server who is more than a wire: takes TLS away, tears it down later, says
//! things in the clear inside of it, or leads to another cluster of the same name. While others read, each
//! ends in its named outcome, nothing is told to the impostor, and no query is left.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use targets::postgres::{Host, PostgresSpec, Relation, Tls};
use targets::{Caps, Session, Spool, TargetError};
use tests::postgres::cluster::{Network, Server};
use tests::postgres::{PASSWORD, READER, another_cluster, open, role_sql, roomy, shop, text};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::cancel::{SLOW, Watcher};
use super::tls::{authority, over_tcp};

const PATIENCE: Duration = Duration::from_secs(120);
const QUICK: &str = "select count(*) n from shop.items";
const ROWS: &str = "select a.sku, b.sku as other from shop.items a, shop.items b";
/// The first message of a client that wants TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// What a server says in the clear: an ErrorResponse that quotes something.
const IN_THE_CLEAR: &[u8] = b"E\0\0\0\x21SERROR\0C22P02\0Mcanary of a liar\0\0";

/// What the impostor does with a connection.
#[derive(Clone, Copy)]
enum Does {
    /// Says that the server has no TLS.
    Strips,
    /// Hands on, and closes when the server has sent so much.
    Tears(u64),
    /// Hands on, and speaks itself when the server has sent so much.
    Speaks(u64),
    /// Hands on.
    Nothing,
}

/// Whoever is between; what he does and where he leads to can change.
#[derive(Clone)]
struct Impostor {
    does: Arc<Mutex<Does>>,
    leads_to: Arc<Mutex<Way>>,
    /// Bytes that clients told him after he had taken their TLS.
    told: Arc<AtomicU64>,
}

#[derive(Clone)]
enum Way {
    Port(u16),
    Socket(PathBuf),
}

impl Way {
    fn of(server: &Server) -> Self {
        Self::Socket(server.socket_directory().join(format!(".s.PGSQL.{}", server.port())))
    }
}

impl Impostor {
    /// Stands between `spec` and a server.
    async fn between(spec: &mut PostgresSpec, does: Does, way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        spec.access.port = listener.local_addr().unwrap().port();
        let impostor = Self {
            does: Arc::new(Mutex::new(does)),
            leads_to: Arc::new(Mutex::new(way)),
            told: Arc::default(),
        };
        let all = impostor.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(all.clone().serve(client));
            }
        });
        impostor
    }

    fn now(&self, does: Does) {
        *self.does.lock().unwrap() = does;
    }

    fn leads_to(&self, server: &Server) {
        *self.leads_to.lock().unwrap() = Way::of(server);
    }

    async fn serve(self, client: TcpStream) {
        let way = self.leads_to.lock().unwrap().clone();
        match way {
            Way::Port(port) => {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let (from, to) = server.into_split();
                self.hand_on(client, from, to).await;
            }
            Way::Socket(path) => {
                let (from, to) = UnixStream::connect(path).await.unwrap().into_split();
                self.hand_on(client, from, to).await;
            }
        }
    }

    async fn hand_on(
        self,
        mut client: TcpStream,
        mut from_server: impl AsyncRead + Unpin,
        mut to_server: impl AsyncWrite + Unpin,
    ) {
        let does = *self.does.lock().unwrap();
        if matches!(does, Does::Strips) {
            let mut first = [0; 8];
            client.read_exact(&mut first).await.unwrap();
            assert_eq!(first, SSL_REQUEST, "nothing comes before TLS");
            client.write_all(b"N").await.unwrap();
            let mut told = Vec::new();
            client.read_to_end(&mut told).await.unwrap_or_default();
            self.told.fetch_add(told.len() as u64, Ordering::SeqCst);
            return;
        }
        let (mut from_client, mut to_client) = client.into_split();
        let back = async {
            let (mut buffer, mut sent) = (vec![0; 16 << 10], 0);
            while let Ok(n @ 1..) = from_server.read(&mut buffer).await {
                sent += n as u64;
                match does {
                    Does::Tears(max) if sent > max => return,
                    Does::Speaks(max) if sent > max => {
                        // More than one record, so that it is not waited for the rest of one.
                        let lies = IN_THE_CLEAR.repeat(1_000);
                        to_client.write_all(&lies).await.unwrap_or_default();
                        // Both wait for the client to notice.
                        std::future::pending::<()>().await;
                    }
                    _ => to_client.write_all(&buffer[..n]).await.unwrap_or_default(),
                }
            }
        };
        tokio::select! {
            _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
            () = back => {}
        }
    }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(PATIENCE, future).await;
    result.unwrap_or_else(|_| panic!("{what} is beyond its deadline"))
}

async fn ask(session: &mut Box<dyn Session>, sql: &str) -> Result<Spool, TargetError> {
    within(sql, session.query(sql, &[], roomy())).await
}

/// Others read the same server all the time, and nothing befalls them.
fn others(spec: PostgresSpec) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut session = open(&spec).await.unwrap();
        for _ in 0..50 {
            session.query(QUICK, &[], roomy()).await.unwrap();
        }
    })
}

/// A server that speaks TLS, and a target there by the name that its certificate has.
fn with_tls(application: &str) -> (Server, PostgresSpec, PostgresSpec) {
    let (ca_pem, certificate) = authority("localhost");
    let server = shop().cluster.standby(&Network::Tls(certificate)).unwrap();
    let mut direct = over_tcp(&server, "localhost", Tls::VerifyFull { ca_pem });
    direct.prod = true;
    let mut spec = direct.clone();
    spec.access.application_name = application.into();
    (server, direct, spec)
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_that_is_stripped_ends_before_anything_is_told() {
    let (server, direct, mut spec) = with_tls("stripped");
    let others = others(direct);
    let impostor = Impostor::between(&mut spec, Does::Strips, Way::Port(server.port())).await;
    let refused = within("a session", open(&spec)).await.err().unwrap();
    assert_eq!(refused.code(), "unreachable", "{refused:?}");
    assert!(refused.to_string().contains("there is no fallback"), "{refused}");
    assert!(!format!("{refused:?}").contains(PASSWORD));
    assert_eq!(impostor.told.load(Ordering::SeqCst), 0, "neither name nor password nor query");

    // Stripped from the cancel request only: the statement ends with its time or its connection.
    impostor.now(Does::Nothing);
    let mut session = open(&spec).await.unwrap();
    let watcher = Watcher::of(&server, "stripped").await;
    let canceller = session.canceller();
    let cancel = async {
        watcher.until_active().await;
        impostor.now(Does::Strips);
        canceller.cancel();
    };
    let caps = Caps { time_ms_max: 3_000, ..roomy() };
    let both = async { tokio::join!(session.query(SLOW, &[], caps), cancel) };
    let (outcome, ()) = within("the statement", both).await;
    assert_eq!(outcome.unwrap_err().code(), "cancelled");
    assert_eq!(impostor.told.load(Ordering::SeqCst), 0, "not even the key that cancels");
    drop(session);
    within("the session's end", watcher.until_gone()).await;
    others.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_that_is_torn_down_under_rows_ends_both_ends() {
    let (server, direct, spec) = with_tls("torn");
    let watcher = Watcher::of(&server, "torn").await;
    let others = others(direct);
    for does in [Does::Tears(200 << 10), Does::Speaks(200 << 10)] {
        let mut spec = spec.clone();
        let _impostor = Impostor::between(&mut spec, does, Way::Port(server.port())).await;
        let mut session = within("a session", open(&spec)).await.unwrap();
        let error = ask(&mut session, ROWS).await.unwrap_err();
        assert_eq!(error.code(), "disconnected", "{error:?}");
        assert!(
            !format!("{error:?}").contains("liar"),
            "the impostor's words are nobody's: {error:?}"
        );
        assert_eq!(ask(&mut session, QUICK).await.unwrap_err().code(), "session-lost");
        drop(session);
        within("the session's end", watcher.until_gone()).await;
    }
    others.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cluster_behind_the_same_name_is_not_read_and_those_before_it_go_on() {
    let mut spec = shop().spec(&shop().standby);
    spec.access.application_name = "renamed".into();
    let items = Relation::plain("shop", "items", vec!["sku".into(), "price".into()]);
    spec.reads = vec![items];
    // The same database, role and tables, as after a restore from elsewhere.
    let other = another_cluster().unwrap();
    let primary = other.primary();
    primary.sql("postgres", "CREATE DATABASE shop").unwrap();
    let same = "CREATE SCHEMA shop; CREATE TABLE shop.items (sku text, price numeric);
                INSERT INTO shop.items SELECT 'canary', 1 FROM generate_series(1, 7)";
    primary.sql("shop", same).unwrap();
    let system = primary.sql("postgres", "SELECT system_identifier FROM pg_control_system()");
    let mut there = spec.clone();
    there.identity.system_identifier = system.unwrap().trim().parse().unwrap();
    assert_eq!(there.identity.role, READER);
    primary.sql("shop", &role_sql(&there)).unwrap();
    let impostors_standby = other.standby(&Network::None).unwrap();

    spec.access.host = Host::Tcp("127.0.0.1".into());
    let standby = &shop().standby;
    let impostor = Impostor::between(&mut spec, Does::Nothing, Way::of(standby)).await;
    let mut before = within("a session", open(&spec)).await.unwrap();
    let rows = text(ask(&mut before, QUICK).await.unwrap());
    assert_ne!(rows, "Int64(7)\n");
    let watcher = Watcher::of(standby, "renamed").await;
    let canceller = before.canceller();
    let switched = async {
        watcher.until_active().await;
        impostor.leads_to(&impostors_standby);
        // In the middle of somebody's statement, and for everybody who comes now.
        for _ in 0..5 {
            let refused = within("a session", open(&spec)).await.err().unwrap();
            assert_eq!(refused.code(), "identity", "{refused:?}");
            assert!(refused.to_string().contains("its system identifier is"), "{refused}");
        }
        // The cancel request goes astray, too; the statement has its time.
        canceller.cancel();
    };
    let caps = Caps { time_ms_max: 5_000, ..roomy() };
    let both = async { tokio::join!(before.query(SLOW, &[], caps), switched) };
    let (outcome, ()) = within("the statement", both).await;
    assert_eq!(outcome.unwrap_err().code(), "cancelled");
    drop(before);
    within("the end of all queries", watcher.until_gone()).await;
    let there = Watcher::of(&impostors_standby, "renamed").await;
    within("the end of all queries", there.until_gone()).await;

    // And one that it was switched between: its connection is the old one, so it reads the old cluster.
    impostor.leads_to(standby);
    let mut lives_on = within("a session", open(&spec)).await.unwrap();
    impostor.leads_to(&impostors_standby);
    assert_eq!(text(ask(&mut lives_on, QUICK).await.unwrap()), rows);
}
