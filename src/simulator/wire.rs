//! Connections that can be cut at a chosen byte.
//!
//! A handler cannot close its connection, so every connection shares a [`Cut`] with the handlers
//! of its requests and looks at it before it writes.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Where the next answer on a connection is cut off.
#[derive(Debug, Clone, Copy, Default)]
enum CutAt {
    #[default]
    Never,
    /// Before the next byte.
    Now,
    /// After the head and so many bytes of the body.
    Body(usize),
}

/// The handle by which a handler cuts its own connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Cut(Arc<Mutex<CutAt>>);

impl Cut {
    /// Nothing more is written.
    pub(super) fn now(&self) {
        self.set(CutAt::Now);
    }

    /// The head and so many bytes of the body are written, and nothing more.
    pub(super) fn in_body(&self, bytes: usize) {
        self.set(CutAt::Body(bytes));
    }

    fn set(&self, at: CutAt) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// How much of `data`, which begins with the head, may still be written.
    fn allowance(&self, data: &[u8]) -> usize {
        let mut at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *at {
            CutAt::Never => data.len(),
            CutAt::Now => 0,
            CutAt::Body(bytes) => {
                *at = CutAt::Now;
                let head = data.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |end| end + 4);
                data.len().min(head + bytes)
            }
        }
    }
}

/// An accepted connection.
pub(super) struct Wire {
    stream: TcpStream,
    cut: Cut,
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let allowed = self.cut.allowance(buf);
        if allowed == 0 && !buf.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, &buf[..allowed])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The listening socket.
pub(super) struct Wires(pub(super) TcpListener);

impl Listener for Wires {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Wire { stream, cut: Cut::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Wires>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Wires>) -> Self {
        stream.io().cut.clone()
    }
}
