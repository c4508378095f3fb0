//! HTTP and TCP.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A server that gives one fixed answer to everyone; an empty answer is
/// silence.
async fn server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut request = [0; 1024];
                while stream.read(&mut request).await.unwrap_or(0) > 0 {
                    if answer.is_empty() {
                        std::future::pending::<()>().await;
                    }
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    address
}

async fn probed(kind: &str, target: &str, limit: Duration) -> Probed {
    let probe = match kind {
        "http" => probe(serde_json::json!({ "http": format!("http://{target}/health") })),
        _ => probe(serde_json::json!({ "tcp": target })),
    };
    run(&*probe, &means(Path::new("/")), limit).await
}

#[tokio::test]
async fn an_expected_status_is_well() {
    let address = server("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(probed("http", &address, LIMIT).await.result.is_ok());
}

#[tokio::test]
async fn errors_and_redirects_are_not_well() {
    for (answer, status) in [
        ("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 500),
        ("HTTP/1.1 302 Found\r\nLocation: /up\r\nContent-Length: 0\r\n\r\n", 302),
    ] {
        let address = server(answer).await;
        let error = probed("http", &address, LIMIT).await.result.unwrap_err();
        assert!(matches!(error, ProbeError::Status { status: seen, .. } if seen == status));
    }
}

#[tokio::test]
async fn an_endless_body_does_not_matter() {
    let address = server("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nhello").await;
    assert!(probed("http", &address, LIMIT).await.result.is_ok());
}

#[tokio::test]
async fn silence_costs_the_whole_deadline_and_says_so() {
    let address = server("").await;
    let limit = Duration::from_millis(50);
    let probed = probed("http", &address, limit).await;
    assert_eq!(probed.took, limit);
    assert!(matches!(probed.result, Err(ProbeError::Timeout { .. })));
}

#[tokio::test]
async fn a_closed_port_is_not_well_for_either_kind() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    for kind in ["http", "tcp"] {
        let error = why(probed(kind, &address, LIMIT).await);
        assert!(error.contains("refused"), "{error}");
    }
}

#[tokio::test]
async fn an_open_port_is_well_by_address_and_by_name() {
    let address = server("").await;
    assert!(probed("tcp", &address, LIMIT).await.result.is_ok());
    let by_name = address.replace("127.0.0.1", "localhost");
    assert!(probed("tcp", &by_name, LIMIT).await.result.is_ok());
}
