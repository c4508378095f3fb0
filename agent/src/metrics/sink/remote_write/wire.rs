//! A request as it goes on the wire in either version of the protocol, and what tells the
//! versions apart: headers that users cannot change, and what receivers answer.

use bytes::Bytes;
use prost::Message;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};

use super::settings::WriteVersion;
use super::{encode, second};
use crate::metrics::sample::Sample;

/// One request as it is sent.
#[derive(Debug, Clone)]
pub struct Body {
    pub(super) version: WriteVersion,
    pub(super) bytes: Bytes,
}

impl Body {
    /// Of a request of version 1.0. The samples say what kind of metric each of its is.
    pub(super) fn new(
        version: WriteVersion,
        first: Vec<u8>,
        samples: &mut dyn Iterator<Item = &Sample>,
    ) -> Result<Self, snap::Error> {
        let encoded = match version {
            WriteVersion::One => first,
            WriteVersion::Two => {
                let first = encode::WriteRequest::decode(&*first).unwrap_or_default();
                second::from_first(&first, samples).encode_to_vec()
            }
        };
        Ok(Self { version, bytes: encode::compressed(&encoded)?.into() })
    }

    /// The request in version 1.0, whatever it was made in.
    pub(super) fn first(&self) -> encode::WriteRequest {
        let plain = snap::raw::Decoder::new().decompress_vec(&self.bytes).unwrap_or_default();
        match self.version {
            WriteVersion::One => encode::WriteRequest::decode(&*plain).unwrap_or_default(),
            WriteVersion::Two => {
                second::to_first(&second::Request::decode(&*plain).unwrap_or_default())
            }
        }
    }

    /// The same request on the wire of version 1.0.
    pub(super) fn in_first(&self) -> Result<Self, snap::Error> {
        let bytes = encode::compressed(&self.first().encode_to_vec())?.into();
        Ok(Self { version: WriteVersion::One, bytes })
    }
}

/// The headers by which a receiver of version 2.0 says what it has written.
const WRITTEN: [&str; 3] = [
    "x-prometheus-remote-write-samples-written",
    "x-prometheus-remote-write-histograms-written",
    "x-prometheus-remote-write-exemplars-written",
];

/// Whether who gave this answer to a request of version 2.0 knows that version. One of 1.0
/// that does not look at the content's type reads an empty request, and takes it.
pub(super) fn knows_second(answer: &Response) -> bool {
    let says = |name: &&str| answer.headers().contains_key(*name);
    match answer.status() {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => false,
        status => !status.is_success() || WRITTEN.iter().any(says),
    }
}

/// How many samples a receiver of version 2.0 says that it has written.
pub(super) fn written(answer: &Response) -> usize {
    let text = answer.headers().get(WRITTEN[0]).and_then(|value| value.to_str().ok());
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// The headers that tell the versions apart, which users cannot change.
pub(super) fn version_headers(version: WriteVersion) -> HeaderMap {
    let (kind, number) = match version {
        WriteVersion::One => ("application/x-protobuf", "0.1.0"),
        WriteVersion::Two => {
            ("application/x-protobuf;proto=io.prometheus.write.v2.Request", "2.0.0")
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert("x-prometheus-remote-write-version", HeaderValue::from_static(number));
    headers
}
