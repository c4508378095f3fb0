//! A link with a length: what goes through arrives half a round trip later, and so does
//! the news that a connection is open. With or without TLS at its far end.
//!
//! A handshake takes a round trip for each of its flights here, as over a network,
//! which a pause in the server would not show.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate for this host, and who vouches for it.
#[derive(Clone)]
pub(crate) struct Certificate {
    /// The certificate as PEM: it vouches for itself.
    pub(crate) pem: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// A fresh one.
    pub(crate) fn new() -> Self {
        let made =
            rcgen::generate_simple_self_signed(["127.0.0.1", "localhost"].map(str::to_owned))
                .unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Self { pem: made.cert.pem(), config: Arc::new(config) }
    }
}

/// A running link. Gone when dropped.
pub(crate) struct Link {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Link {
    /// A link to `far` with this round trip.
    pub(crate) fn new(
        far: SocketAddr,
        round_trip: Duration,
        certificate: Option<&Certificate>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = certificate.map(|own| TlsAcceptor::from(Arc::clone(&own.config)));
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                tokio::select! {
                    () = accept(listener, far, round_trip, acceptor) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// The near end.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

async fn accept(
    listener: TcpListener,
    far: SocketAddr,
    round_trip: Duration,
    acceptor: Option<TlsAcceptor>,
) {
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let Ok((near, _)) = listener.accept().await else { continue };
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // The near side is told at once that the connection is open; what it
            // sends first pays for that.
            sleep(round_trip).await;
            let (inner, outer) = tokio::io::duplex(64 * 1024);
            tokio::spawn(late(near, outer, round_trip / 2));
            let Ok(mut far) = TcpStream::connect(far).await else { return };
            let _ = far.set_nodelay(true);
            match acceptor {
                None => {
                    let mut inner = inner;
                    let _ = tokio::io::copy_bidirectional(&mut inner, &mut far).await;
                }
                Some(acceptor) => {
                    let Ok(mut inner) = acceptor.accept(inner).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut inner, &mut far).await;
                }
            }
        });
    }
}

/// Carries both ways, each `pause` late.
async fn late(near: TcpStream, far: tokio::io::DuplexStream, pause: Duration) {
    let _ = near.set_nodelay(true);
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = tokio::io::split(far);
    tokio::join!(one_way(near_read, far_write, pause), one_way(far_read, near_write, pause));
}

/// What is read is written `pause` later; reading goes on meanwhile.
async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    pause: Duration,
) {
    let (send, mut arriving) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            if send.send((Instant::now() + pause, buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = arriving.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() || to.flush().await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
