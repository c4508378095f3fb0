//! A remote-write receiver that does as little as it can, so that it takes no processor from what
//! is measured: it keeps the last request, and reads it when it is asked.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Response;

use crate::fakes::fault::Faults;
use crate::fakes::place::loopback;
use crate::fakes::server::{Asked, Server, Service, text};

/// How many requests have come, and the last of them.
type Received = Arc<Mutex<(usize, Bytes)>>;

pub(crate) struct Receiver {
    server: Server,
    received: Received,
}

struct Taking(Received);

impl Service for Taking {
    fn handle(&self, asked: &Asked) -> Response<Bytes> {
        let mut received = self.0.lock().unwrap();
        *received = (received.0 + 1, asked.body.clone());
        text(204, "")
    }
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let received = Received::default();
        let server = Server::start(loopback(), Faults::default(), Taking(Arc::clone(&received)));
        Self { server, received }
    }

    /// Where to send to.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/v1/push", self.server.address())
    }

    /// How many ticks have come.
    pub(crate) fn ticks(&self) -> usize {
        self.received.lock().unwrap().0
    }

    /// How many series the last tick has.
    pub(crate) fn series(&self) -> usize {
        let body = self.received.lock().unwrap().1.clone();
        let plain = snap::raw::Decoder::new().decompress_vec(&body).unwrap_or_default();
        let mut rest = plain.as_slice();
        let mut count = 0;
        // Each is a field of its own, and there are no others.
        while !rest.is_empty() {
            let (key, wire) = prost::encoding::decode_key(&mut rest).unwrap();
            assert_eq!((key, wire), (1, prost::encoding::WireType::LengthDelimited));
            let length = prost::encoding::decode_varint(&mut rest).unwrap();
            rest = &rest[usize::try_from(length).unwrap()..];
            count += 1;
        }
        count
    }
}
