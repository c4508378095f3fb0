//! moto, the emulator of the AWS control planes, as a child process.
//!
//! S3, SSM, Secrets Manager and more behind one address for `AWS_ENDPOINT_URL`. It checks no
//! signatures but reads the service from them, hence the made-up header.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::place::Place;
use super::tool::tool;

const START: Duration = Duration::from_secs(60);

/// The running emulator, killed when dropped.
#[derive(Debug)]
pub(crate) struct Moto {
    child: Child,
    address: SocketAddr,
    place: Place,
}

impl Moto {
    /// Starts it at `place` and waits until it answers.
    pub(crate) fn start(place: &Place) -> Self {
        let program = tool("GILD_TEST_MOTO", "moto_server");
        let mut child = place
            .command(&program.to_string_lossy())
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env_remove("AWS_ENDPOINT_URL")
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("moto_server starts");
        let log = BufReader::new(child.stderr.take().expect("its log is a pipe"));
        let (found, address) = mpsc::channel();
        // Reads on after the address, because a full pipe would stop moto.
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once("Running on http://") {
                    let _ = found.send(url.trim().parse());
                }
            }
        });
        let address = address.recv_timeout(START);
        let mut moto = Self { child, address: ([127, 0, 0, 1], 0).into(), place: place.clone() };
        // The child belongs to `moto` by now, so a panic here ends it.
        moto.address = address.expect("moto_server says where it listens").expect("an address");
        moto
    }

    /// The address for `AWS_ENDPOINT_URL`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Writes an SSM parameter.
    pub(crate) fn put_parameter(&self, region: &str, name: &str, kind: &str, value: &str) {
        let body =
            serde_json::json!({ "Name": name, "Type": kind, "Value": value, "Overwrite": true });
        self.call(region, "ssm", "AmazonSSM.PutParameter", &body);
    }

    /// Makes a secret.
    pub(crate) fn put_secret(&self, region: &str, name: &str, value: &str) {
        let body = serde_json::json!({ "Name": name, "SecretString": value });
        self.call(region, "secretsmanager", "secretsmanager.CreateSecret", &body);
    }

    /// Writes an object and its bucket.
    pub(crate) fn put_object(&self, bucket: &str, key: &str, body: impl AsRef<[u8]>) {
        let header = authorization("us-east-1", "s3");
        let object = format!("/{bucket}/{key}");
        for (path, body) in [(format!("/{bucket}"), &[][..]), (object, body.as_ref())] {
            self.request("PUT", &path, &[("Authorization", &header)], body);
        }
    }

    /// Removes an object.
    pub(crate) fn remove_object(&self, bucket: &str, key: &str) {
        let header = authorization("us-east-1", "s3");
        self.request("DELETE", &format!("/{bucket}/{key}"), &[("Authorization", &header)], b"");
    }

    /// Makes an Auto Scaling group with these tags and one instance, whose id it says.
    pub(crate) fn put_group(&self, region: &str, name: &str, tags: &[(&str, &str)]) -> String {
        let encoded = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let name = encoded(name);
        let mut group = format!(
            "CreateAutoScalingGroup&AutoScalingGroupName={name}&LaunchConfigurationName={name}\
             &MinSize=1&MaxSize=1&AvailabilityZones.member.1={region}a"
        );
        for (index, (key, value)) in tags.iter().enumerate() {
            let tag = format!("&Tags.member.{}", index + 1);
            let (key, value) = (encoded(key), encoded(value));
            group.push_str(&format!(
                "{tag}.ResourceId={name}{tag}.ResourceType=auto-scaling-group{tag}.Key={key}\
                 {tag}.Value={value}{tag}.PropagateAtLaunch=true"
            ));
        }
        let template = format!(
            "CreateLaunchConfiguration&LaunchConfigurationName={name}&ImageId=ami-12c6146b\
             &InstanceType=t3.micro"
        );
        self.query(region, "autoscaling", &template);
        self.query(region, "autoscaling", &group);
        let answer = self.query(region, "autoscaling", "DescribeAutoScalingInstances");
        let member = answer
            .split("<member>")
            .find(|member| {
                member.contains(&format!("<AutoScalingGroupName>{name}</AutoScalingGroupName>"))
            })
            .unwrap_or_else(|| panic!("no instance of {name}: {answer}"));
        let (_, id) = member.split_once("<InstanceId>").expect("an instance has an id");
        id.split('<').next().expect("an element ends").to_owned()
    }

    /// One call of a service that reads forms: an action and its fields.
    fn query(&self, region: &str, service: &str, action: &str) -> String {
        let header = authorization(region, service);
        let headers = [
            ("Authorization", header.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let body = format!("Version=2011-01-01&Action={action}");
        self.request("POST", "/", &headers, body.as_bytes())
    }

    /// One call of a JSON service.
    pub(crate) fn call(
        &self,
        region: &str,
        service: &str,
        target: &str,
        body: &serde_json::Value,
    ) -> String {
        let header = authorization(region, service);
        let headers = [
            ("Authorization", header.as_str()),
            ("X-Amz-Target", target),
            ("Content-Type", "application/x-amz-json-1.1"),
        ];
        self.request("POST", "/", &headers, body.to_string().as_bytes())
    }

    /// One call of a service that is asked by a form, such as SNS.
    pub(crate) fn form(&self, region: &str, service: &str, form: &str) -> String {
        let header = authorization(region, service);
        let headers = [
            ("Authorization", header.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        self.request("POST", "/", &headers, form.as_bytes())
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let answer = self.place.http(self.address, method, path, headers, body);
        let (status, answer) =
            answer.unwrap_or_else(|error| panic!("moto, {method} {path}: {error}"));
        assert!(status < 300, "moto, {method} {path}: {status} {answer}");
        answer
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn authorization(region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20240101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}
