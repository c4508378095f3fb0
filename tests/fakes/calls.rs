//! An AWS of the test's own, for what moto does not do: refusals, pages, and the
//! question of who asked what.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::Response;

use super::fault::Faults;
use super::server::{Asked, Server, Service};

type Calling = dyn Fn(&Asked) -> Response<Bytes> + Send + Sync;

/// The running fake.
pub(crate) struct Calls {
    server: Server,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// Orders for things to go wrong.
    pub(crate) faults: Faults,
}

impl Calls {
    /// Answers each call on `listener` by `answer`.
    pub(crate) fn start(
        listener: TcpListener,
        answer: impl Fn(&Asked) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let service = Answers { answer: Box::new(answer), asked: Arc::clone(&asked) };
        let faults = Faults::default();
        Self { server: Server::start(listener, faults.clone(), service), asked, faults }
    }

    /// The address for `AWS_ENDPOINT_URL`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Every call that it answered itself, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Answers {
    answer: Box<Calling>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Service for Answers {
    fn handle(&self, asked: &Asked) -> Response<Bytes> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
        (self.answer)(asked)
    }
}
