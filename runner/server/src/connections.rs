//! Connections: how many at a time, and how long one may be silent.
//!
//! A connection costs a file descriptor, which recordings and blobs need too, and anybody who reaches
//! the port can open one. So there is a number; further ones wait outside. One on which nothing moves
//! is closed, so that those who wait get in. And a connection is closed on nobody who still sends: the
//! system would take back the answer, and with it the reason of a refused upload. Whether its bytes are
//! sealed is [`crate::wire`]'s, and what is said on a connection [`crate::guard`]'s.

use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

use crate::ServerLimits;
use crate::failures::Failures;
use crate::tls::Tls;
use crate::wire::Wire;

/// How long a client that still sends after the last answer is listened to, and how much it may say: a
/// flood leaves the timer no turn.
const LINGER_MAX: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: usize = 64 << 20;
/// Bytes of it that are thrown away at a time.
const SCRAP_BYTES: usize = 8 << 10;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Connected<IncomingStream<'_, Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A listener with room for so many connections.
pub(crate) struct Connections {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    room: Arc<Semaphore>,
    silence_max: Duration,
    handshake_max: Duration,
    failures: Arc<Failures>,
}

impl Connections {
    pub(crate) fn new(
        listener: TcpListener,
        tls: Option<Arc<Tls>>,
        limits: ServerLimits,
        failures: Arc<Failures>,
    ) -> Self {
        Self {
            listener,
            tls,
            room: Arc::new(Semaphore::new(limits.connections_max)),
            silence_max: Duration::from_secs(limits.connection_silence_s_max),
            handshake_max: Duration::from_secs(limits.handshake_s_max),
            failures,
        }
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // Nobody closes the semaphore, so there is a permit.
        let place = Arc::clone(&self.room).acquire_owned().await.ok();
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        let stream = match &self.tls {
            None => Wire::Clear(stream),
            Some(tls) => {
                let failures = Arc::clone(&self.failures);
                Wire::opening(&tls.acceptor(), stream, self.handshake_max, failures)
            }
        };
        let silence_max = self.silence_max;
        let silence = Box::pin(sleep(silence_max));
        (Connection { stream, silence, silence_max, linger: None, _place: place }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when nothing has moved on it for a while.
pub(crate) struct Connection {
    stream: Wire,
    silence: Pin<Box<Sleep>>,
    silence_max: Duration,
    /// How the connection ends; `None` before that.
    linger: Option<Linger>,
    _place: Option<OwnedSemaphorePermit>,
}

/// The end of a connection: the server has said everything, the client may not have.
struct Linger {
    until: Pin<Box<Sleep>>,
    /// Whether the client was told that nothing more comes.
    told: bool,
    /// Bytes that it said since.
    heard: usize,
}

impl Linger {
    fn new() -> Self {
        Self { until: Box::pin(sleep(LINGER_MAX)), told: false, heard: 0 }
    }
}

impl Connection {
    /// What a read or a write came to: something moved, or nothing has for too long.
    fn moved<T>(
        &mut self,
        context: &mut Context<'_>,
        done: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.silence.set(sleep(self.silence_max));
            return done;
        }
        ready!(self.silence.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, to);
        self.moved(context, read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.moved(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.moved(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_pending() {
            // What is flushed was written before, which moved something then.
            ready!(self.silence.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        flushed
    }

    /// Says that nothing more comes, then listens until the client says the same.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, linger, .. } = &mut *self;
        let Linger { until, told, heard } = linger.get_or_insert_with(Linger::new);
        if !*told {
            match Pin::new(&mut *stream).poll_shutdown(context) {
                Poll::Ready(done) => done?,
                // It takes nothing, so it cannot be told.
                Poll::Pending => {
                    ready!(until.as_mut().poll(context));
                    return Poll::Ready(Ok(()));
                }
            }
            *told = true;
        }
        let mut scrap = [0; SCRAP_BYTES];
        while *heard < LINGER_BYTES_MAX {
            let mut to = ReadBuf::new(&mut scrap);
            match Pin::new(&mut *stream).poll_read(context, &mut to) {
                Poll::Ready(Ok(())) if !to.filled().is_empty() => *heard += to.filled().len(),
                Poll::Ready(_) => break,
                Poll::Pending => {
                    ready!(until.as_mut().poll(context));
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}
