//! The bytes of one connection: as they are, or through TLS.
//!
//! A handshake is part of its connection and not of accepting it, so that one who is slow keeps nobody
//! else out; it takes its connection's place, and ends in time. How long a connection may be silent,
//! and how it ends, is [`crate::connections`]'.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

use crate::failures::Failures;

/// One connection's bytes.
pub(crate) enum Wire {
    /// Without TLS.
    Clear(TcpStream),
    /// Before the end of the handshake.
    Opening(Box<Opening>),
    /// With TLS.
    Sealed(Box<TlsStream<TcpStream>>),
    /// The handshake has failed.
    Over,
}

/// A handshake and when it has to be done.
pub(crate) struct Opening {
    handshake: Accept<TcpStream>,
    until: Pin<Box<Sleep>>,
    failures: Arc<Failures>,
}

impl Wire {
    /// The server's half of TLS over `stream`; the handshake has to be done within `most`.
    pub(crate) fn opening(
        acceptor: &TlsAcceptor,
        stream: TcpStream,
        most: Duration,
        failures: Arc<Failures>,
    ) -> Self {
        let (handshake, until) = (acceptor.accept(stream), Box::pin(sleep(most)));
        Self::Opening(Box::new(Opening { handshake, until, failures }))
    }

    /// What bytes go through, once the handshake is done.
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Bytes>>> {
        if let Self::Opening(opening) = self {
            let done = match Pin::new(&mut opening.handshake).poll(context) {
                Poll::Ready(done) => done,
                Poll::Pending => {
                    ready!(opening.until.as_mut().poll(context));
                    Err(io::ErrorKind::TimedOut.into())
                }
            };
            match done {
                Ok(stream) => *self = Self::Sealed(Box::new(stream)),
                Err(e) => {
                    opening.failures.handshake(&e);
                    *self = Self::Over;
                    return Poll::Ready(Err(e));
                }
            }
        }
        Poll::Ready(match self {
            Self::Clear(stream) => Ok(Pin::new(stream)),
            Self::Sealed(stream) => Ok(Pin::new(&mut **stream)),
            Self::Opening(_) | Self::Over => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_open(context))?.poll_read(context, to)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(context))?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(context))?.poll_write_vectored(context, bytes)
    }

    /// Both kinds of stream are; it is asked before the handshake.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Clear(stream) => Pin::new(stream).poll_flush(context),
            Self::Sealed(stream) => Pin::new(&mut **stream).poll_flush(context),
            // Nothing was written yet.
            Self::Opening(_) | Self::Over => Poll::Ready(Ok(())),
        }
    }

    /// Says that nothing more comes; with TLS in its own words first.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Sealed(stream) => Pin::new(&mut **stream).poll_shutdown(context),
            Self::Opening(_) | Self::Over => {
                *self = Self::Over;
                Poll::Ready(Ok(()))
            }
        }
    }
}
