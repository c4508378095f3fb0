//! The HTTP server below every fake: one thread, one runtime, gone when dropped.

use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

use super::body::{End, Sent};
use super::fault::{Fault, Faults};

/// A request with its body read, as the fakes see it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    /// A header as text, empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("")
    }
}

/// What a fake does with a request.
pub(crate) trait Service: Send + Sync + 'static {
    /// The answer when nothing goes wrong.
    fn handle(&self, asked: &Asked) -> Response<Bytes>;

    /// The name by which faults are ordered for this request.
    fn place(&self, asked: &Asked) -> String {
        asked.path.clone()
    }

    /// The answer to a caller who asks too often.
    fn throttled(&self) -> Response<Bytes> {
        text(429, "slow down")
    }
}

/// What a running fake counts.
#[derive(Clone, Debug, Default)]
struct Counts {
    connections: Arc<AtomicUsize>,
    sent: Arc<AtomicU64>,
}

/// A running fake. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    counts: Counts,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves on `listener` until dropped.
    pub(crate) fn start<S: Service>(listener: TcpListener, faults: Faults, service: S) -> Self {
        let address = listener.local_addr().expect("a listener has an address");
        let counts = Counts::default();
        let (stop, stopped) = oneshot::channel();
        let counter = counts.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime for a fake");
            runtime.block_on(async move {
                tokio::select! {
                    () = accept(listener, counter, faults, Arc::new(service)) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, counts, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has accepted.
    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// How many bytes of bodies it has handed to its connections.
    pub(crate) fn sent(&self) -> u64 {
        self.counts.sent.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A fake that panicked has already failed its request; a second
            // panic inside drop would hide which.
            drop(thread.join());
        }
    }
}

async fn accept<S: Service>(
    listener: TcpListener,
    counts: Counts,
    faults: Faults,
    service: Arc<S>,
) {
    listener.set_nonblocking(true).expect("a listener can be non-blocking");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener for a fake");
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        counts.connections.fetch_add(1, Ordering::SeqCst);
        let sent = Arc::clone(&counts.sent);
        let (faults, service) = (faults.clone(), Arc::clone(&service));
        tokio::spawn(async move {
            let serve = service_fn(|request| async {
                let response = answer(request, &faults, &*service).await?;
                Ok::<_, io::Error>(response.map(|body| Sent { sent: Arc::clone(&sent), ..body }))
            });
            // The client may go away at any time, and cutting it off is one of the faults.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), serve)
                .await;
        });
    }
}

async fn answer<S: Service>(
    request: Request<hyper::body::Incoming>,
    faults: &Faults,
    service: &S,
) -> io::Result<Response<Sent>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let asked = Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or("").to_owned(),
        headers: head.headers,
        body,
    };
    match faults.take(&service.place(&asked)) {
        None => Ok(whole(service.handle(&asked))),
        Some(fault) => apply(fault, &asked, service).await,
    }
}

async fn apply<S: Service>(fault: Fault, asked: &Asked, service: &S) -> io::Result<Response<Sent>> {
    Ok(match fault {
        Fault::Status(status, body) => whole(text(status, &body)),
        Fault::RetryAfter(status, seconds) => {
            let mut response = text(status, "");
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            whole(response)
        }
        Fault::Throttle => whole(service.throttled()),
        Fault::Delay(pause) => {
            tokio::time::sleep(pause).await;
            whole(service.handle(asked))
        }
        Fault::CutOff => half(service.handle(asked), End::Broken),
        Fault::Stall => half(service.handle(asked), End::Silent),
        Fault::Garbage => whole(text(200, "\u{0}\u{1}this is not it")),
        Fault::Endless => without_end(None),
        Fault::Huge => without_end(Some(10 << 30)),
        Fault::Drip(pause) => service.handle(asked).map(|body| Sent {
            declared: Some(body.len() as u64),
            next: Some(body),
            end: End::dripping(pause),
            sent: Arc::default(),
        }),
        Fault::Redirect(to) => {
            let mut response = text(302, "");
            let to = HeaderValue::from_str(&to).map_err(io::Error::other)?;
            response.headers_mut().insert(header::LOCATION, to);
            whole(response)
        }
        Fault::Close => return Err(io::ErrorKind::ConnectionAborted.into()),
        Fault::Hang => pending().await,
    })
}

/// The headers and the first half of an answer.
fn half(answer: Response<Bytes>, end: End) -> Response<Sent> {
    answer.map(|body| Sent {
        declared: Some(body.len() as u64),
        next: Some(body.slice(..body.len() / 2)),
        end,
        sent: Arc::default(),
    })
}

/// A plain answer.
pub(crate) fn text(status: u16, body: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status code");
    let kind = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn whole(response: Response<Bytes>) -> Response<Sent> {
    response.map(|body| Sent {
        declared: Some(body.len() as u64),
        next: Some(body),
        end: End::Clean,
        sent: Arc::default(),
    })
}

fn without_end(declared: Option<u64>) -> Response<Sent> {
    text(200, "").map(|_| Sent {
        declared,
        next: Some(Bytes::from_static(&[b'#'; 8192])),
        end: End::Repeated,
        sent: Arc::default(),
    })
}
