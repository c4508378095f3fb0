//! Connections that show a certificate, against a receiver that asks for one.

use std::error::Error;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::platform::error::chain_text;

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn issuer() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Issuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, in PEM.
fn leaf(issuer: &Issuer) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (params.signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
}

/// A receiver that takes clients of this issuer only.
fn acceptor(issuer: &Issuer) -> TlsAcceptor {
    let mut roots = RootCertStore::empty();
    roots.add(issuer.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
    let (certificate, key) = leaf(issuer);
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        );
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

/// A sink with these texts for certificate and key.
fn connected(
    settings: &RemoteWriteSettings,
    certificate: &str,
    key: &str,
) -> Result<RemoteWrite, BuildError> {
    let secrets = [("/certificate", certificate), ("/key", key)]
        .map(|(name, value)| (SecretRef::Ssm(name.to_owned()), SecretString::from(value)));
    let context =
        SinkContext { client: http::client().unwrap(), aws: None, secrets: secrets.into() };
    RemoteWrite::build(settings, &identity(), &context)?.connect(settings, &context)
}

fn mutual(url: &str, ca_file: &Path) -> RemoteWriteSettings {
    RemoteWriteSettings {
        ca_file: Some(ca_file.display().to_string()),
        client_certificate: Some(SecretRef::Ssm("/certificate".to_owned())),
        client_key: Some(SecretRef::Ssm("/key".to_owned())),
        ..settings(url)
    }
}

/// What becomes of one push by a client of `client` to a receiver of `server`, whom it
/// trusts by `ca`.
async fn push(server: &Issuer, client: &Issuer, ca: &Issuer) -> Result<(), SendError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), ca.pem()).unwrap();
    let (certificate, key) = leaf(client);
    let settings = mutual(&format!("https://localhost:{port}/push"), file.path());
    let mut sink = connected(&settings, &certificate, &key).unwrap();
    assert!(sink.has_secrets());
    let acceptor = acceptor(server);
    let receiving = async {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = acceptor.accept(stream).await else { return };
        let mut bytes = vec![0; 64 * 1024];
        if stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {
            stream.write_all(TAKEN.as_bytes()).await.unwrap();
        }
        // Until the client is done.
        let _ = stream.read(&mut bytes).await;
    };
    let request = sink.take(&tick(NOW), &mut Drops::default()).remove(0);
    let sending = async {
        let sent = sink.send(&request.payload).await;
        drop(sink);
        sent
    };
    tokio::join!(receiving, sending).1
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_certificate_is_shown_it() {
    let own = issuer();
    push(&own, &own, &own).await.unwrap();
}

#[tokio::test]
async fn strangers_on_either_side_are_refused_and_only_the_own_may_be_outdated() {
    let (own, other) = (issuer(), issuer());
    let error = push(&own, &other, &own).await.unwrap_err();
    assert!(error.refuses_secrets(), "{}", chain_text(&error));
    assert_eq!(error.verdict(), Verdict::Transient);
    let error = push(&own, &own, &other).await.unwrap_err();
    assert!(!error.refuses_secrets(), "{}", chain_text(&error));
    assert!(chain_text(&error).contains("invalid peer certificate"), "{}", chain_text(&error));
}

fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text += &format!(": {error}");
        next = error.source();
    }
    text
}

#[test]
fn what_cannot_be_used_is_told_with_what_could_and_without_the_key() {
    let (issuer, file) = (issuer(), tempfile::NamedTempFile::new().unwrap());
    std::fs::write(file.path(), issuer.pem()).unwrap();
    let settings = mutual("https://x/", file.path());
    let (certificate, key) = leaf(&issuer);
    let (other, _) = leaf(&issuer);
    let refused = |certificate: &str, key: &str| {
        whole(&connected(&settings, certificate, key).err().unwrap())
    };
    assert!(connected(&settings, &certificate, &key).is_ok());
    for nothing in ["", "no PEM", &key, &certificate[..certificate.len() / 2]] {
        let error = refused(nothing, &key);
        assert!(error.contains("client certificate must be one in PEM"), "{error}");
    }
    let locked = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for nothing in ["", "hush", &certificate, &locked, &key[..key.len() / 2]] {
        let error = refused(&certificate, nothing);
        assert!(error.contains("a private key in PEM that is not encrypted"), "{error}");
        assert!(!error.contains("hush") && !error.contains(&key[40..60]), "{error}");
    }
    let error = refused(&other, &key);
    assert!(error.contains("must be that of the client certificate"), "{error}");
    std::fs::write(file.path(), "").unwrap();
    let error = refused(&certificate, &key);
    assert!(error.contains("which ca_file names, holds no certificate"), "{error}");
}

#[test]
fn certificates_that_could_not_be_used_are_refused_before_anything_is_fetched() {
    let good = mutual("https://x/", Path::new("/etc/ca.pem"));
    let refused = |settings: RemoteWriteSettings| build(&settings).err().unwrap().to_string();
    assert!(build(&good).is_ok(), "no secret is needed to show what would be sent");
    let error = refused(RemoteWriteSettings { client_key: None, ..good.clone() });
    assert_eq!(error, "'client_key' must be given with 'client_certificate'");
    let error = refused(RemoteWriteSettings { client_certificate: None, ..good.clone() });
    assert_eq!(error, "'client_certificate' must be given with 'client_key'");
    let error = refused(mutual("http://x/", Path::new("/etc/ca.pem")));
    assert_eq!(error, "'url' must be one of https:// where there are certificates");
    let error = refused(RemoteWriteSettings { ca_file: Some("ca.pem".to_owned()), ..good.clone() });
    assert_eq!(error, "'ca_file' must be a file's whole path, from / on");
    assert_eq!(RemoteWrite::secrets(&good).len(), 2);
}
