//! Certificates that no public authority has signed.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A server that shows this certificate, and the port where it listens.
async fn server(certificate: CertificateDer<'static>, key: &KeyPair) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that trusts nobody goes away.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 1024];
            if stream.read(&mut request).await.unwrap_or(0) > 0 {
                let _ = stream.write_all(ANSWER).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    port
}

fn params(name: &str, is_ca: IsCa) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = is_ca;
    params
}

fn bundle(pem: &str) -> (NamedTempFile, String) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    let path = file.path().display().to_string();
    (file, path)
}

async fn ask(port: u16, more: serde_json::Value) -> Probed {
    let mut text = serde_json::json!({ "http": format!("https://127.0.0.1:{port}/health") });
    text.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    find(text).await
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_taken_where_it_is_named() {
    // As "openssl req -x509" makes it: an authority's, and here for another name.
    for is_ca in [IsCa::Ca(BasicConstraints::Unconstrained), IsCa::NoCa] {
        let key = KeyPair::generate().unwrap();
        let own = params("es.internal", is_ca).self_signed(&key).unwrap();
        let port = server(own.der().clone(), &key).await;
        let said = why(ask(port, serde_json::json!({})).await);
        assert!(said.contains("invalid peer certificate"), "{said}");
        let (_file, path) = bundle(&own.pem());
        ask(port, serde_json::json!({ "ca_file": path })).await.result.unwrap();
        ask(port, serde_json::json!({ "insecure": true })).await.result.unwrap();
        // The file of another one.
        let other = params("127.0.0.1", IsCa::NoCa).self_signed(&key).unwrap();
        let (_file, path) = bundle(&other.pem());
        let said = why(ask(port, serde_json::json!({ "ca_file": path })).await);
        assert!(said.contains("invalid peer certificate"), "{said}");
    }
}

#[tokio::test]
async fn what_an_authority_signs_is_taken_under_its_own_name_only() {
    let authority = params("Example", IsCa::Ca(BasicConstraints::Unconstrained));
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let (_file, path) = bundle(&issuer.pem());
    for (name, expected) in [("127.0.0.1", true), ("192.0.2.1", false)] {
        let key = KeyPair::generate().unwrap();
        let signed = params(name, IsCa::NoCa).signed_by(&key, &issuer).unwrap();
        let port = server(signed.der().clone(), &key).await;
        let probed = ask(port, serde_json::json!({ "ca_file": path })).await;
        assert_eq!(probed.result.is_ok(), expected, "{name}: {:?}", probed.result);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_and_read_again() {
    let key = KeyPair::generate().unwrap();
    let own = params("127.0.0.1", IsCa::NoCa).self_signed(&key).unwrap();
    let port = server(own.der().clone(), &key).await;
    let (file, path) = bundle("");
    let url = format!("https://127.0.0.1:{port}/");
    let probe = probe(serde_json::json!({ "http": url, "ca_file": path }));
    let means = means(Path::new("/"));
    let said = why(run(&*probe, &means, LIMIT).await);
    let expected = format!("'{path}', which ca_file names, holds no certificate");
    assert!(said.contains(&expected), "{said}");
    // A certificate of yesterday, and then the one of today: nothing has to be restarted.
    let old = params("127.0.0.1", IsCa::NoCa).self_signed(&KeyPair::generate().unwrap()).unwrap();
    std::fs::write(file.path(), old.pem()).unwrap();
    let said = why(run(&*probe, &means, LIMIT).await);
    assert!(said.contains("invalid peer certificate"), "{said}");
    std::fs::write(file.path(), own.pem()).unwrap();
    run(&*probe, &means, LIMIT).await.result.unwrap();
}
