//! Bodies that do what a server should not do: break off, or never end.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A body that ends well, breaks off, or goes on for ever.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The length that the headers promise; unknown when absent.
    pub(crate) declared: Option<u64>,
    /// What comes next.
    pub(crate) next: Option<Bytes>,
    /// What comes after that.
    pub(crate) end: End,
    /// Counts the bytes that were handed to the connection.
    pub(crate) sent: Arc<AtomicU64>,
}

/// How a body ends.
#[derive(Debug)]
pub(crate) enum End {
    Clean,
    Broken,
    Breaking,
    Repeated,
    Silent,
    Dripping(Duration, Pin<Box<Sleep>>),
}

impl End {
    /// Byte by byte, with a pause before each.
    pub(crate) fn dripping(pause: Duration) -> Self {
        Self::Dripping(pause, Box::pin(sleep(pause)))
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let End::Dripping(pause, wait) = &mut self.end {
            if wait.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            *wait = Box::pin(sleep(*pause));
        }
        let chunk = match self.end {
            End::Repeated => self.next.clone(),
            End::Dripping(..) => {
                self.next.take().filter(|rest| !rest.is_empty()).map(|mut rest| {
                    let first = rest.split_to(1);
                    self.next = Some(rest);
                    first
                })
            }
            _ => self.next.take().filter(|chunk| !chunk.is_empty()),
        };
        match (chunk, &self.end) {
            (Some(chunk), _) => {
                self.sent.fetch_add(chunk.len() as u64, Ordering::SeqCst);
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            // hyper sends what it has only when it has to wait, so wait once.
            (None, End::Broken) => {
                self.end = End::Breaking;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            // Until the other side has had enough.
            (None, End::Silent) => Poll::Pending,
            (None, End::Breaking) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            (None, _) => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.declared.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
