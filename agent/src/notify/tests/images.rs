//! What is told of images, and what is believed of a manifest.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::bodies::golden;
use super::*;
use crate::notify::image::{Ami, Image, ManifestError, of_manifest};
use crate::platform::redact::Redactor;

fn image() -> Image {
    let text = |text: &str| Some(text.to_owned());
    let ami = |region: &str, id: &str| Ami {
        build: "al2023-arm64".to_owned(),
        region: region.to_owned(),
        id: id.to_owned(),
    };
    Image {
        service: text("opinion"),
        version: text("1.4.2"),
        base: text("al2023-arm64"),
        revision: text("0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"),
        amis: vec![
            ami("eu-west-1", "ami-0123456789abcdef0"),
            ami("us-east-1", "ami-0fedcba9876543210"),
        ],
    }
}

fn told(event: Event, image: Image) -> Message {
    Message {
        id: "8c1f0a5d2b3e4f60".to_owned(),
        at: "2026-11-22T10:00:12.345Z".to_owned(),
        started_at: "2026-11-22T10:00:00.000Z".to_owned(),
        version: "0.1.0".to_owned(),
        duration_ms: Some(245_000.0),
        ..Message::of_image(event, image)
    }
}

#[test]
fn every_receiver_is_told_of_images_in_its_form() {
    let failed = Message {
        task: Some("mysql : Install the server".to_owned()),
        text: Some("No package mysql-server available.".to_owned()),
        ..told(Event::BakeFailed, Image { amis: Vec::new(), ..image() })
    };
    let harm = "```@everyone <!channel> [a](https://evil.example) \u{202e}\u{1b}[31m";
    let hostile = Image { service: Some(harm.to_owned()), ..image() };
    let many = Image { amis: vec![image().amis.remove(0); 200], ..image() };
    for (receiver, settings) in
        [("discord", DISCORD), ("sns", SNS), ("webhook", WEBHOOK), ("slack", SLACK)]
    {
        golden(&format!("{receiver}-baked"), &body(settings, &told(Event::Baked, image()), 0));
        golden(&format!("{receiver}-bake-failed"), &body(settings, &failed, 0));
        let hostile = told(Event::Baked, hostile.clone());
        golden(&format!("{receiver}-baked-hostile"), &body(settings, &hostile, 0));
        let unknown = told(Event::BakeFailed, Image::default());
        golden(&format!("{receiver}-bake-failed-bare"), &body(settings, &unknown, 0));
        within_limits(receiver, &body(settings, &told(Event::Baked, many.clone()), 0));
    }
}

#[test]
fn every_receiver_is_told_of_a_fleet_in_its_form() {
    let told = |event, text: &str| Message {
        id: "00112233445566778899".to_owned(),
        at: "2026-11-23T12:00:00.000Z".to_owned(),
        started_at: "2026-11-23T12:00:00.000Z".to_owned(),
        version: "0.1.0".to_owned(),
        ..Message::of_fleet(event, "retain", "111122223333", "eu-west-1", text.to_owned())
    };
    for (receiver, settings) in
        [("discord", DISCORD), ("sns", SNS), ("webhook", WEBHOOK), ("slack", SLACK)]
    {
        let done = told(Event::Fleet, "12 of 12 steps; $3.40 a month less");
        golden(&format!("{receiver}-fleet"), &body(settings, &done, 0));
        let failed = told(Event::FleetFailed, "3 of 12 steps\nfailed to delete snap-1: denied");
        golden(&format!("{receiver}-fleet-failed"), &body(settings, &failed, 0));
    }
}

/// The longest text of each receiver that a list of images stands in.
fn within_limits(receiver: &str, body: &Value) {
    let (text, limit) = match receiver {
        "discord" => {
            let fields = body["embeds"][0]["fields"].as_array().unwrap();
            (fields.last().unwrap()["value"].as_str().unwrap(), 1024)
        }
        "sns" => (body["message"].as_str().unwrap(), 200_000),
        "slack" => (body["attachments"][0]["blocks"][1]["text"]["text"].as_str().unwrap(), 3000),
        _ => (body["message"].as_str().unwrap(), 8000),
    };
    assert!(text.contains("ami-0123456789abcdef0"), "{receiver}: {text}");
    assert!(text.encode_utf16().count() <= limit, "{receiver}: {} > {limit}", text.len());
}

#[test]
fn a_secret_in_what_packer_says_is_masked() {
    let redactor = Redactor::default();
    redactor.add("correct horse battery");
    let mut image = image();
    image.revision = Some("correct horse battery".to_owned());
    image.amis[0].build = "x correct horse battery".to_owned();
    let message = told(Event::Baked, image).redacted(&redactor);
    let body = body(WEBHOOK, &message, 0).to_string();
    assert!(!body.contains("correct horse"), "{body}");
}

/// A manifest of two runs, as Packer writes it.
fn manifest() -> Value {
    let build = |name: &str, run: &str, artifacts: &str, time: u64| {
        json!({
            "name": name, "builder_type": "amazon-ebs", "build_time": time, "files": null,
            "artifact_id": artifacts, "packer_run_uuid": run,
            "custom_data": {
                "app": "opinion", "version": "1.4.2", "base": name, "revision": "",
                "started": "2026-11-22T10:00:00Z",
            },
        })
    };
    let second = "eu-west-1:ami-0123456789abcdef0,us-east-1:ami-0fedcba9876543210";
    json!({
        "builds": [
            build("al2023-arm64", "old", "eu-west-1:ami-00000000000000001", 1),
            build("al2023-arm64", "new", second, 1_795_341_845),
            build("al2-x86_64", "new", "eu-west-1:ami-00000000000000002", 1_795_341_700),
        ],
        "last_run_uuid": "new",
    })
}

fn read(text: &[u8], build: Option<&str>) -> Result<(Image, Option<Duration>), ManifestError> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("manifest.json");
    fs::write(&path, text).unwrap();
    of_manifest(&path, build)
}

#[test]
fn a_manifest_gives_the_images_of_its_last_run() {
    let text = manifest().to_string();
    let (all, took) = read(text.as_bytes(), None).unwrap();
    assert_eq!(all.service.as_deref(), Some("opinion"));
    assert_eq!(all.version.as_deref(), Some("1.4.2"));
    assert_eq!((all.base, all.revision), (None, None), "two bases are none");
    let ids: Vec<_> = all.amis.iter().map(|ami| (ami.build.as_str(), ami.id.as_str())).collect();
    assert_eq!(
        ids,
        [
            ("al2023-arm64", "ami-0123456789abcdef0"),
            ("al2023-arm64", "ami-0fedcba9876543210"),
            ("al2-x86_64", "ami-00000000000000002"),
        ]
    );
    assert_eq!(took, Some(Duration::from_secs(245)));

    let (one, took) = read(text.as_bytes(), Some("al2-x86_64")).unwrap();
    assert_eq!(one.base.as_deref(), Some("al2-x86_64"));
    assert_eq!(one.text(), "al2-x86_64 eu-west-1 ami-00000000000000002");
    assert_eq!(took, Some(Duration::from_secs(100)));
}

#[test]
fn what_is_no_manifest_is_refused_and_says_why() {
    let with = |key: &str, value: Value| {
        let mut manifest = manifest();
        manifest["builds"][1][key] = value;
        manifest.to_string()
    };
    let many = vec!["eu-west-1:ami-0123456789abcdef0"; 201].join(",");
    for (text, expected) in [
        (String::new(), "failed to understand"),
        ("[".repeat(10_000), "failed to understand"),
        ("x".repeat(2 << 20), "failed to read"),
        ("{}".to_owned(), "no such build"),
        (json!({ "builds": "x", "last_run_uuid": 1 }).to_string(), "no such build"),
        (with("artifact_id", json!("eu-west-1:i-0123456789")), "which is no image"),
        (with("artifact_id", json!("eu-west-1:ami-0123456z")), "which is no image"),
        (with("artifact_id", json!("@everyone:ami-01234567")), "which is no image"),
        (with("artifact_id", json!(7)), "which is no image"),
        (with("artifact_id", json!(many)), "more than 200 images"),
    ] {
        let error = read(text.as_bytes(), None).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let missing = of_manifest(std::path::Path::new("/nonexistent/manifest.json"), None);
    assert!(matches!(missing, Err(ManifestError::Read { .. })), "{missing:?}");
}

#[test]
fn a_manifest_that_lies_about_its_texts_and_times_does_no_harm() {
    let mut manifest = manifest();
    let build = &mut manifest["builds"][1];
    build["name"] = json!("a\n\u{202e}b".repeat(1000));
    build["build_time"] = json!(u64::MAX);
    build["custom_data"] = json!({ "app": ["x"], "version": "9\n9", "started": "soon" });
    manifest["builds"][2] = json!(null);
    let (image, took) = read(manifest.to_string().as_bytes(), None).unwrap();
    assert_eq!(image.service, None);
    assert_eq!(image.version.as_deref(), Some("9 9"));
    assert_eq!(image.amis[0].build.chars().count(), 200);
    assert_eq!(took, None);
}
