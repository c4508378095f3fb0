//! The fleet that the verbs are tried on: twelve services in two regions of the build account, 60
//! images, shared, encrypted, in use and not; and the account that uses them.

use serde_json::{Value, json};

use crate::rig::{BUILD, REGION, TARGET};

/// The services, each with its number.
pub(crate) const SERVICES: [&str; 12] = [
    "web", "api", "mimir", "mysql", "opinion", "consul", "worker", "mail", "search", "cache",
    "auth", "proxy",
];

/// The id of a service's image.
pub(crate) fn image_id(service: usize, version: usize) -> String {
    format!("ami-{service:08x}{version:08x}")
}

/// Five versions of each service, the oldest 100 days old; every third service is shared, every
/// fourth encrypted.
fn images() -> Vec<Value> {
    let of_service = |(service, app): (usize, &&str)| {
        let app = (*app).to_owned();
        (0..5).map(move |number| {
            let version = format!("1.{}.0", number + 8);
            let shared = if service % 3 == 0 { vec![TARGET] } else { Vec::new() };
            json!({
                "id": image_id(service, number),
                "name": format!("{app}-{version}"),
                "description": format!("Image of {app} version {version} timestamp 20260701120000"),
                "tags": { "app": app, "version": version, "Name": format!("{app}-{version}") },
                "age_days": 100 - 20 * number,
                "volumes": 1 + service % 2,
                "encrypted": service % 4 == 1,
                "share": shared,
            })
        })
    };
    SERVICES.iter().enumerate().flat_map(of_service).collect()
}

/// All of it.
pub(crate) fn seeded() -> Value {
    let mut images = images();
    // Opted out, marked, nobody's, and another service's test.
    images[5]["tags"]["amm:SkipClean"] = json!("true");
    images[10]["tags"]["amm:Clean"] = json!("false");
    images[15]["tags"].as_object_mut().expect("tags").remove("app");
    images[20]["tags"]["version"] = json!("test-workflow");
    let version = |service, number, description: &str| json!({ "image": image_id(service, number), "description": description, "age_days": 30 });
    json!({
        BUILD: {
            REGION: {
                "images": images,
                "snapshots": [
                    { "id": "snap-orphan000000000001", "age_days": 90, "size_gib": 30,
                      "description": "Created by CreateImage(i-1) for ami-0dead0dead0dead00" },
                    { "id": "snap-orphan000000000002", "age_days": 1,
                      "description": "Created by CreateImage(i-1) for ami-0dead0dead0dead01" },
                    { "id": "snap-backup000000000001", "age_days": 90, "description": "backup" },
                ],
                "templates": [
                    { "name": "cache", "default": 2, "versions": [
                        version(9, 0, "1.8.0"), version(9, 1, "1.9.0"), version(9, 2, "1.10.0"),
                        version(9, 2, "again"), version(9, 3, "1.11.0"), version(9, 4, "1.12.0")] },
                    { "name": "auth", "default": 1, "versions": [version(10, 1, "1.9.0")] },
                ],
                "configurations": [{ "name": "proxy-old", "image": image_id(11, 0) }],
                "groups": [
                    { "name": "cache", "template": "cache", "version": "3", "min": 1, "max": 3 },
                    { "name": "auth", "template": "auth", "version": "$Default" },
                ],
                "instances": [
                    { "image": image_id(6, 0), "state": "stopped", "age_days": 30,
                      "tags": { "Name": "worker-test" } },
                    { "image": image_id(6, 2), "age_days": 30, "tags": { "Name": "my-testimonials" } },
                    { "image": image_id(6, 3), "age_days": 1, "tags": { "Name": "mail-test" } },
                    { "image": image_id(7, 0), "state": "terminated" },
                ],
                "volumes": [
                    { "id": "vol-00000000000000001", "age_days": 30, "size_gib": 100,
                      "tags": { "Name": "worker-test" } },
                    { "id": "vol-00000000000000002", "age_days": 30,
                      "tags": { "Name": "db-test-results" } },
                    { "id": "vol-00000000000000003", "age_days": 1, "tags": { "Name": "worker-test" } },
                ],
                "zones": [
                    { "name": "stg.local", "records": [
                        { "name": "worker-test.stg.local", "values": ["10.99.0.1"] },
                        { "name": "worker.stg.local", "values": ["10.99.0.2"] },
                        { "name": "db-test-results.stg.local", "values": ["10.99.0.3"] }] },
                    { "name": "example.com", "private": false, "records": [
                        { "name": "worker-test.example.com", "values": ["192.0.2.1"] }] },
                ],
            },
            "us-east-1": {
                "images": [{ "id": "ami-1a00000000000001", "name": "web-1.8.0",
                    "tags": { "app": "web", "version": "1.8.0" }, "age_days": 100 }],
            },
        },
        TARGET: { REGION: {
            "instances": [{ "image": image_id(0, 1), "tags": { "Name": "web" } }],
        } },
    })
}

/// A large fleet: 5,000 images of 100 services, and 2,000 instances of their newest ones.
pub(crate) fn large() -> Value {
    let images: Vec<_> = (0..5000)
        .map(|number| {
            let (service, version) = (number % 100, number / 100);
            json!({
                "id": image_id(service, version),
                "name": format!("service-{service}-1.{version}.0"),
                "tags": { "app": format!("service-{service}"), "version": format!("1.{version}.0") },
                "age_days": 300 - 5 * version,
            })
        })
        .collect();
    let templates: Vec<_> = (0..20)
        .map(|service| {
            let version = json!({ "image": image_id(service, 49), "age_days": 30 });
            json!({ "name": format!("service-{service}"), "versions": [version] })
        })
        .collect();
    let instances: Vec<_> = (0..20)
        .map(|service| json!({ "image": image_id(service, 49 - service), "count": 100 }))
        .collect();
    json!({ BUILD: { REGION: {
        "images": images, "templates": templates, "instances": instances,
    } } })
}
