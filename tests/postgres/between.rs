//! Somebody on the way to a server, who counts what comes back and may cut the line.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use targets::postgres::{Host, PostgresSpec};
use tests::postgres::cluster::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// Leads `spec` to the server's socket by way of a TCP port. A connection ends, without a word to
/// either side, when the server has sent `bytes_max` over it. Gives the bytes that came back so far.
pub(crate) async fn between(
    spec: &mut PostgresSpec,
    server: &Server,
    bytes_max: u64,
) -> Arc<AtomicU64> {
    let socket = server.socket_directory().join(format!(".s.PGSQL.{}", server.port()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    spec.access.host = Host::Tcp("127.0.0.1".into());
    spec.access.port = listener.local_addr().unwrap().port();
    let received = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(hand_on(client, socket.clone(), Arc::clone(&count), bytes_max));
        }
    });
    received
}

async fn hand_on(client: TcpStream, socket: PathBuf, count: Arc<AtomicU64>, bytes_max: u64) {
    let server = UnixStream::connect(&socket).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = async {
        let (mut buffer, mut sent) = (vec![0; 64 << 10], 0);
        while let Ok(n @ 1..) = from_server.read(&mut buffer).await {
            count.fetch_add(n as u64, Ordering::SeqCst);
            sent += n as u64;
            if sent >= bytes_max {
                return;
            }
            to_client.write_all(&buffer[..n]).await.unwrap_or_default();
        }
    };
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = back => {}
    }
}
