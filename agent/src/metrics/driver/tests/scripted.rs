//! A sink that does what a script says, and how the tests put it to work.

use super::*;

pub(super) type Script = Arc<Mutex<VecDeque<Deed>>>;

/// What the sink does with one request; once the script is over, it works.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    Status(u16),
    StatusAfter(u16, Duration),
    Hang,
}

/// Sends each tick by itself, and gathers those of more than a hundred samples.
pub(super) struct Scripted {
    pub(super) period: Duration,
    pub(super) script: Script,
    pub(super) sent: Arc<Mutex<Vec<usize>>>,
    pub(super) held: usize,
    pub(super) secrets: bool,
    pub(super) left_out: LeftOut,
}

impl Scripted {
    pub(super) fn new(script: Script, sent: &Arc<Mutex<Vec<usize>>>) -> Self {
        Self {
            period: MILLISECOND,
            script,
            sent: Arc::clone(sent),
            held: 0,
            secrets: false,
            left_out: LeftOut::default(),
        }
    }
}

impl Sink for Scripted {
    type Settings = ();
    type Payload = usize;

    fn build((): &(), _: &Identity, _: &SinkContext) -> Result<Self, BuildError> {
        Ok(Self::new(Script::default(), &Arc::default()))
    }

    fn period(&self) -> Duration {
        self.period
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn left_out(&self) -> Option<&LeftOut> {
        Some(&self.left_out)
    }

    fn take(&mut self, tick: &Arc<Tick>, _: &mut Drops) -> Vec<Request<usize>> {
        let measurements = tick.samples.len();
        if measurements > 100 {
            self.held += measurements;
            return Vec::new();
        }
        vec![Request { payload: measurements, measurements }]
    }

    fn held(&self) -> usize {
        self.held
    }

    async fn send(&mut self, payload: &usize) -> Result<(), SendError> {
        let deed = self.script.lock().unwrap().pop_front();
        let (status, retry_after) = match deed {
            None => {
                self.sent.lock().unwrap().push(*payload);
                return Ok(());
            }
            Some(Deed::Hang) => return std::future::pending().await,
            Some(Deed::Status(status)) => (status, None),
            Some(Deed::StatusAfter(status, wait)) => (status, Some(wait)),
        };
        let status = reqwest::StatusCode::from_u16(status).unwrap();
        let source = HttpError::Status { status, retry_after, body: "no".to_owned() };
        Err(SendError::Push { url: "http://x/".to_owned(), source })
    }

    fn has_secrets(&self) -> bool {
        self.secrets
    }

    fn renew(&mut self, fresh: Self) {
        self.script = fresh.script;
    }

    fn show(&self, _: &usize) -> Vec<String> {
        Vec::new()
    }
}

pub(super) const QUICK: Retries = Retries {
    backoff: Backoff { first: Duration::from_millis(1), most: Duration::from_millis(2) },
    most: Duration::from_secs(30),
};

pub(super) const MILLISECOND: Duration = Duration::from_millis(1);

pub(super) fn start(script: &[Deed], retries: Retries) -> (Handle, Arc<Mutex<Vec<usize>>>) {
    start_with(MILLISECOND, script, retries)
}

pub(super) fn start_with(
    period: Duration,
    script: &[Deed],
    retries: Retries,
) -> (Handle, Arc<Mutex<Vec<usize>>>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let script = Arc::new(Mutex::new(script.iter().copied().collect()));
    let mut sink = Some(Scripted { period, ..Scripted::new(script, &sent) });
    let set_up = move || std::future::ready(Ok(sink.take().unwrap()));
    (Handle::start("test", set_up, retries), sent)
}

pub(super) fn no_secret() -> SetUpError {
    let reference = SecretRef::Ssm("/x".to_owned());
    SetUpError::Secret(SecretError { reference, attempts: 1, source: Fault::Absent("parameter") })
}

pub(super) fn tick(samples: usize) -> Arc<Tick> {
    let sample = Sample::gauge("x", vec![], 1.0);
    Arc::new(Tick::new(SystemTime::now(), vec![sample; samples]))
}

pub(super) async fn until(handle: &Handle, condition: impl Fn(&SinkStats) -> bool) -> SinkStats {
    loop {
        let stats = handle.stats();
        if condition(&stats) {
            return stats;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
