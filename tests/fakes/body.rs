//! Bodies that do what a server should not do: break off, or never end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A body that ends well, breaks off, or goes on for ever.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The length that the headers promise; unknown when absent.
    pub(crate) declared: Option<u64>,
    /// What comes next.
    pub(crate) next: Option<Bytes>,
    /// What comes after that.
    pub(crate) end: End,
}

/// How a body ends.
#[derive(Debug)]
pub(crate) enum End {
    Clean,
    Broken,
    Breaking,
    Repeated,
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let chunk = match self.end {
            End::Repeated => self.next.clone(),
            _ => self.next.take().filter(|chunk| !chunk.is_empty()),
        };
        match (chunk, &self.end) {
            (Some(chunk), _) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            // hyper sends what it has only when it has to wait, so wait once.
            (None, End::Broken) => {
                self.end = End::Breaking;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            (None, End::Breaking) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            (None, _) => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.declared.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
