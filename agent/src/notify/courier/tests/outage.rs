//! Receivers that are down for five minutes. Time passes as fast as the courier
//! goes round: what it wants to wait is taken off its waits.

use std::process::Command;
use std::sync::atomic::AtomicUsize;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::identity::Provenance;
use crate::notify::spool::Spool;
use crate::platform::tls;

const MINUTE: Duration = Duration::from_secs(60);
const ACCEPTED: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
<PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";

/// The SDK takes its endpoints from the environment, which only another process has
/// for itself.
#[test]
fn receivers_that_are_down_for_five_minutes_are_told_late_but_once() {
    let told = Command::new(std::env::current_exe().unwrap())
        .args(["notify::courier::tests::outage::five_minutes", "--exact", "--ignored"])
        .env("AWS_ENDPOINT_URL_SNS", "http://topic.test")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&told.stdout);
    assert!(told.status.success() && said.contains("1 passed"), "{said}");
}

/// A receiver: whether it is up, how often it was tried, and what it was told.
#[derive(Clone, Default)]
struct Receiver {
    up: Arc<AtomicBool>,
    tries: Arc<AtomicUsize>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            self.tries.fetch_add(1, Ordering::Relaxed);
            if self.up.load(Ordering::Relaxed) {
                self.take(stream).await;
            }
        }
    }

    /// Reads one message to its end and says that it is taken.
    async fn take(&self, mut stream: TcpStream) {
        let (mut text, mut buffer) = (String::new(), vec![0; 64 << 10]);
        let whole = |text: &str| {
            let (head, body) = text.split_once("\r\n\r\n")?;
            let length = |line: &str| line.strip_prefix("content-length: ")?.parse::<usize>().ok();
            let length = head.to_lowercase().lines().find_map(length)?;
            (body.len() >= length).then(|| body.to_owned())
        };
        let body = loop {
            let count = stream.read(&mut buffer).await.unwrap();
            assert_ne!(count, 0, "{text}");
            text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
            if let Some(body) = whole(&text) {
                break body;
            }
        };
        lock(&self.told).push(body);
        let length = ACCEPTED.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{ACCEPTED}"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    }

    fn tries(&self) -> usize {
        self.tries.load(Ordering::Relaxed)
    }

    fn told(&self) -> Vec<String> {
        lock(&self.told).clone()
    }
}

fn identity() -> Identity {
    let text = |text: &str| Some(text.to_owned());
    Identity {
        provenance: Provenance::Host,
        instance_id: "i-0123456789abcdef0".to_owned(),
        instance_type: None,
        region: text("eu-west-1"),
        availability_zone: None,
        account: text("123456789012"),
        image_id: None,
        private_ip: None,
        public_ip: None,
        hostname: "host".to_owned(),
        autoscaling_group: None,
        tags: BTreeMap::new(),
    }
}

/// Goes round until so much time has passed or nothing waits any more; whether something does.
async fn pass(rounds: &mut Rounds, orders: &Arc<Orders>, time: Duration) -> bool {
    let mut passed = Duration::ZERO;
    while passed < time {
        let Some(pause) = rounds.round(orders).await else { return false };
        for wait in rounds.waits.values_mut() {
            wait.until = wait.until.checked_sub(pause).unwrap();
        }
        passed += pause;
    }
    true
}

#[tokio::test]
#[ignore = "run by the test above, in a process of its own"]
async fn five_minutes() {
    let directory = tempfile::tempdir().unwrap();
    let receivers = [Receiver::default(), Receiver::default()];
    let mut addresses = Vec::new();
    for receiver in &receivers {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        tokio::spawn(receiver.clone().serve(listener));
    }
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::client().unwrap())
        .no_proxy()
        .resolve("topic.test", addresses[1])
        .build();
    let context = Context { client: client.unwrap(), ..context(directory.path()) };
    let notifiers = settings(&format!(
        "[notify.chat]\ntype = \"discord\"\nurl = \"http://{}/api/webhooks/1/x\"\n\
         [notify.topic]\ntype = \"sns\"\ntopic = \"boots\"\n",
        addresses[0]
    ));
    let notifiers = notifiers.notify;
    let spooled = Spooled::new(message(Event::Failed), &notifiers, &[]).unwrap();
    let spool = Spool::at(&context.paths.messages());
    spool.add(&Spooled { by: None, ..spooled }).unwrap();
    let orders = Arc::new(Orders { notifiers, identity: Some(identity()) });

    let mut rounds = Rounds::new(&context, Arc::default());
    assert!(pass(&mut rounds, &orders, 5 * MINUTE).await, "it waits");
    for receiver in &receivers {
        assert!(receiver.tries() >= 3, "tried {} times", receiver.tries());
        assert!(receiver.told().is_empty());
        receiver.up.store(true, Ordering::Relaxed);
    }
    assert!(!pass(&mut rounds, &orders, 11 * MINUTE).await, "nothing waits");
    // Neither the same daemon nor another one says it again.
    assert!(!pass(&mut rounds, &orders, 60 * MINUTE).await);
    assert!(!pass(&mut Rounds::new(&context, Arc::default()), &orders, 60 * MINUTE).await);
    let [chat, topic] = receivers.map(|receiver| receiver.told());
    assert_eq!((chat.len(), topic.len()), (1, 1));
    assert!(chat[0].contains("Unable to start service mysqld"), "{}", chat[0]);
    assert!(
        topic[0].contains("Action=Publish") && topic[0].contains("Unable%20to"),
        "{}",
        topic[0]
    );
}
