//! One question to the emulator itself.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// The answer's body.
pub(super) fn get(address: SocketAddr, path: &str) -> String {
    request(address, "GET", path, "")
}

/// Tells it something.
pub(super) fn post(address: SocketAddr, path: &str, body: &str) {
    request(address, "POST", path, body);
}

/// Calls a JSON service of AWS. moto checks no signatures, but reads the service from them.
pub(super) fn aws(address: SocketAddr, region: &str, service: &str, target: &str, body: &str) {
    let headers = format!(
        "X-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.1\r\n{}",
        authorization(region, service)
    );
    with_headers(address, "POST", "/", &headers, body).expect("moto does it");
}

/// Asks S3, in the region where a bucket needs no place; what it says where it refuses is the error.
pub(super) fn s3(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> Result<String, String> {
    with_headers(address, method, path, &authorization("us-east-1", "s3"), body)
}

fn authorization(region: &str, service: &str) -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/{region}/{service}/aws4_request, \
         SignedHeaders=host, Signature=none\r\n"
    )
}

fn request(address: SocketAddr, method: &str, path: &str, body: &str) -> String {
    let answer = with_headers(address, method, path, "", body);
    answer.unwrap_or_else(|refused| panic!("{method} {path}: {refused}"))
}

/// The answer's body; the whole answer where its status is an error.
fn with_headers(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Result<String, String> {
    let mut stream = TcpStream::connect(address).expect("the emulator listens");
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    match head.contains(" 200 ") {
        true => Ok(body.to_owned()),
        false => Err(answer.clone()),
    }
}
