//! Where a document may come from.

use std::fs;
use std::time::Duration;

use gild::configure::report::SourceOutcome;
use gild::platform::error::chain_text;
use gild::platform::http;
use gild::scope::verdict::Verdict;

use super::{World, again, source, value, with_aws};
use crate::fakes::calls::Calls;
use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::link::{Certificate, Link};
use crate::fakes::place::loopback;
use crate::fakes::server::text;
use crate::program::gild;

const OWNER: &str = "x-amz-expected-bucket-owner";
#[tokio::test]
async fn a_document_does_not_come_from_this_host_unless_the_image_says_so() {
    let world = World::new(&[], "scope.global.sources = ['FILES/g.toml']\n");
    world.files.put("/g.toml", "vars.a = 'x'\n");
    assert_eq!(world.resolve().await.verdict, Verdict::Ready);
    let asked = world.files.requests().len();
    fs::remove_file(world.root.path().join("usr/lib/gild/config.d/20.toml")).unwrap();
    let port = world.files.address().port();
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "localhost", "0"] {
        let sources = format!("scope.global.sources = ['http://{host}:{port}/g.toml']\n");
        world.write("usr/lib/gild/config.d/10.toml", &sources);
        let resolution = world.resolve().await;
        let report = source(&resolution, "g.toml");
        let error = report.error.as_deref().unwrap();
        assert!(error.contains("scope.local_targets = true"), "{error}");
        assert!(error.contains("this host itself"), "{error}");
        assert_eq!(report.attempts, 1, "{host}");
    }
    assert_eq!(world.files.requests().len(), asked);
}

#[tokio::test]
async fn a_web_server_is_told_whose_bucket_it_must_be_and_a_refusal_says_it() {
    let scope = "scope.global.sources = [{ url = 'FILES/g.toml', owner = '000000000123' }]\n\
                 scope.account.sources = ['FILES/a.toml']\n";
    let world = World::new(&[], scope);
    world.files.put("/g.toml", "vars.a = 'x'\n");
    world.files.put("/a.toml", "vars.b = 'x'\n");
    assert_eq!(world.resolve().await.verdict, Verdict::Ready);
    for asked in world.files.requests() {
        let expected = if asked.path == "/g.toml" { "000000000123" } else { "" };
        assert_eq!(asked.header(OWNER), expected);
    }
    world.files.faults.always("/", Fault::Status(403, "AccessDenied".into()));
    let resolution = world.resolve().await;
    let error = |part| source(&resolution, part).error.clone().unwrap();
    assert!(error("g.toml").contains("expected to belong to account 000000000123"));
    assert!(error("g.toml").contains("403"));
    assert!(!error("a.toml").contains("expected to belong"));
}

#[tokio::test]
async fn an_owner_that_cannot_be_one_is_named() {
    for (sources, wrong) in [
        ("[{ url = 'https://x.example/y', owner = '1234' }]", "twelve digits"),
        ("[{ url = 's3://x/y', owner = 123456789012 }]", "twelve digits"),
        ("[{ url = 'ssm:/x', owner = '123456789012' }]", "only s3:// and http(s) sources"),
        ("[{ url = 'tags:gild:', owner = '123456789012' }]", "only s3:// and http(s) sources"),
    ] {
        let world = World::new(&[], &format!("scope.global.sources = {sources}\n"));
        let resolution = world.resolve().await;
        let Verdict::Failed { reason } = &resolution.verdict else { panic!("{sources}") };
        assert!(reason.contains("10.toml") && reason.contains(wrong), "{reason}");
        assert!(reason.contains("scope.global.sources.owner"), "{reason}");
    }
}

#[tokio::test]
async fn a_bucket_named_after_the_account_must_be_the_account_s() {
    let test = "targets::a_bucket_named_after_the_account_must_be_the_account_s";
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let calls = Calls::start(loopback(), move |asked| match asked.path.as_str() {
        "/other/denied.toml" => text(403, denied),
        _ => text(200, "vars.a = 'x'\n"),
    });
    if !with_aws(test, calls.endpoint(), &[]) {
        let owners: Vec<(String, String)> = calls
            .asked()
            .iter()
            .map(|asked| (asked.path.clone(), asked.header(OWNER).to_owned()))
            .collect();
        for (path, owner) in [
            ("/internal-123456789012/own.toml", "123456789012"),
            ("/internal-123456789012/said.toml", "000000000123"),
            ("/other/none.toml", ""),
            ("/other/denied.toml", "000000000123"),
        ] {
            assert!(owners.contains(&(path.to_owned(), owner.to_owned())), "{path} {owners:?}");
        }
        return;
    }
    let scope = "
[scope.global]
sources = ['s3://internal-{account}/own.toml', 's3://other/none.toml',
    { url = 's3://internal-{account}/said.toml', owner = '000000000123' },
    { url = 's3://other/denied.toml', owner = '000000000123' }]
";
    let resolution = World::new(&[], scope).resolve().await;
    for part in ["own.toml", "none.toml", "said.toml"] {
        assert_eq!(source(&resolution, part).state, SourceOutcome::Fetched);
    }
    let error = source(&resolution, "denied.toml").error.clone().unwrap();
    assert!(error.contains("expected to belong to account 000000000123"), "{error}");
    assert!(error.contains("AccessDenied"), "{error}");
}

#[tokio::test]
async fn the_certificates_of_a_bundle_are_trusted_too() {
    let test = "targets::the_certificates_of_a_bundle_are_trusted_too";
    if !super::inside() {
        let files = Files::start(loopback());
        files.put("/x.toml", "vars.a = 'x'\n");
        let certificate = Certificate::new();
        let server = Link::new(files.address(), Duration::ZERO, Some(&certificate));
        let root = tempfile::tempdir().unwrap();
        let bundle = root.path().join("ca.pem");
        // A bundle that begins with remarks, as many do.
        fs::write(&bundle, format!("# ours\n{}", certificate.pem)).unwrap();
        let url = format!("https://localhost:{}/x.toml", server.address().port());
        again(test, || {
            vec![("AWS_CA_BUNDLE", bundle.display().to_string()), ("GILD_TEST_URL", url.clone())]
        });
        // Without it the server is a stranger.
        let error = http::client().unwrap().get(&url).send().await.unwrap_err();
        assert!(chain_text(&error).contains("certificate"), "{error:?}");
        return;
    }
    let url = std::env::var("GILD_TEST_URL").unwrap();
    let world = World::new(&[], &format!("scope.global.sources = ['{url}']\n"));
    let resolution = world.resolve().await;
    assert_eq!(value(&resolution, "vars.a"), "x", "{:?}", resolution.sources);
}

#[test]
fn a_bundle_that_cannot_be_read_is_an_error_at_start() {
    for verb in ["run", "configure"] {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("run/gild")).unwrap();
        let mut command = gild();
        command.arg("--root").arg(root.path()).arg(verb);
        let output = command.env("AWS_CA_BUNDLE", "/nonexistent/ca.pem").output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{verb}");
        assert!(errors.contains("'/nonexistent/ca.pem', which AWS_CA_BUNDLE names"), "{errors}");
    }
}
