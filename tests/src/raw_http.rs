//! HTTP by hand over TCP: for what a well-behaved client never does, and to see the bytes.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The problem's code.
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some(api::PROBLEM_JSON), "{self:?}");
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// One header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// A connection with one request on it.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Sends a request; `head` is the request line and headers without the last empty line.
    pub async fn send(address: SocketAddr, head: &str, body: &[u8]) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let length = match body.len() {
            0 => String::new(),
            n => format!("content-length: {n}\r\n"),
        };
        let head = format!("{head}\r\nhost: {address}\r\nconnection: close\r\n{length}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that refuses by the head alone may close before it has read everything.
        drop(stream.write_all(body).await);
        Self { stream: BufReader::new(stream) }
    }

    /// The status and the headers.
    pub async fn head(&mut self) -> (u16, BTreeMap<String, String>) {
        let status = self.line().await.unwrap();
        let status = status.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = BTreeMap::new();
        while let Some(line) = self.line().await.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        (status, headers)
    }

    /// The next line without its end; `None` at the end of the connection.
    pub async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let n = self.stream.read_line(&mut line).await.ok()?;
        (n > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Everything up to the end of the connection.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A connection that is cut ends here as well.
        drop(self.stream.read_to_end(&mut rest).await);
        rest
    }
}

/// Sends a request and reads the whole answer.
pub async fn exchange(address: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let mut connection = Connection::send(address, head, body).await;
    let (status, headers) = connection.head().await;
    let mut body = connection.rest().await;
    if headers.get("transfer-encoding").is_some_and(|v| v == "chunked") {
        body = unchunked(&body);
    }
    Answer { status, headers, body }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
    body
}
