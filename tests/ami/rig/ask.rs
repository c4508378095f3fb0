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

fn request(address: SocketAddr, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the emulator listens");
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.contains(" 200 "), "{method} {path}: {head}");
    body.to_owned()
}
