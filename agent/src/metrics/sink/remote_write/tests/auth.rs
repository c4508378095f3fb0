//! Who a request says that it is from.

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::*;
use crate::platform::aws::Aws;

fn aws(region: Option<&'static str>) -> Aws {
    let credentials = Credentials::new("AKIDEXAMPLE", "hush", Some("token".into()), None, "test");
    let config = SdkConfig::builder()
        .region(region.map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(credentials));
    Aws { config: config.build() }
}

fn signed(
    url: &str,
    region: Option<&str>,
    own: Option<&'static str>,
) -> Result<RemoteWrite, BuildError> {
    let region = region.map(str::to_owned);
    let settings = RemoteWriteSettings { sigv4: true, region, ..settings(url) };
    assert!(RemoteWrite::needs_aws(&settings));
    let context = SinkContext {
        client: http::client().unwrap(),
        aws: Some(aws(own)),
        secrets: HashMap::new(),
    };
    RemoteWrite::build(&settings, &identity(), &context)
}

#[tokio::test]
async fn a_signature_is_for_the_service_and_region_and_over_all_headers() {
    for (region, expected) in [(None, "eu-west-1"), (Some("us-east-1"), "us-east-1")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v1/remote_write", listener.local_addr().unwrap());
        let mut sink = signed(&url, region, Some("eu-west-1")).unwrap();
        assert!(sink.has_secrets());
        let request = sink.take(&tick(NOW), &mut Drops::default()).remove(0);
        let ((head, _), sent) =
            tokio::join!(receive(&listener, TAKEN.as_bytes()), sink.send(&request.payload));
        sent.unwrap();
        assert!(head.contains(&format!("/{expected}/aps/aws4_request")), "{head}");
        assert!(head.contains("x-amz-security-token: token"), "{head}");
        let over = "signedheaders=content-encoding;content-type;host;x-amz-date;\
                    x-amz-security-token;x-prometheus-remote-write-version";
        assert!(head.contains(over), "{head}");
        assert!(!head.contains("hush"));
        let shown = sink.show(&request.payload).join("\n");
        let line = format!("authorization: AWS4-HMAC-SHA256 … (aps in {expected})");
        assert!(shown.contains(&line), "{shown}");
        assert!(!shown.contains("hush") && !shown.contains("AKIDEXAMPLE"));
    }
}

#[test]
fn a_region_must_be_known_and_have_a_use() {
    let error = signed("http://x/", None, None).err().unwrap().to_string();
    assert_eq!(error, "'region' must be given, because the instance's is not known");
    let region = Some("eu-west-1".to_owned());
    let error = build(&RemoteWriteSettings { region, ..settings("http://x/") }).err().unwrap();
    assert_eq!(error.to_string(), "'region' must be left out where 'sigv4' is not on");
}

#[test]
fn a_request_is_from_one_only() {
    let username = Some("me".to_owned());
    let both = RemoteWriteSettings { sigv4: true, username, ..settings("http://x/") };
    let error = build(&both).err().unwrap().to_string();
    assert_eq!(error, "'sigv4' must be left out where 'username' or 'bearer' is given");
}
