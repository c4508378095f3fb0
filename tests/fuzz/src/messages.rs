//! What is to be told, as it lies on disk, damaged on the way; and what each
//! receiver would be sent of it.

use std::fs;
use std::sync::{Arc, LazyLock};

use gild::config::format::Format;
use gild::config::{Document, Layer, LayerName, Merged, Settings, builtin};
use gild::notify::letter::Letter;
use gild::notify::record::Record;
use gild::notify::spool::Spool;
use gild::platform::redact::Redactor;

/// One receiver of each kind.
static RECEIVERS: LazyLock<Settings> = LazyLock::new(|| {
    let text = b"
        notify.a = { type = 'discord', url = 'https://discord.example/x' }
        notify.b = { type = 'sns', topic = 'boots' }
        notify.c = { type = 'webhook', url = 'https://hooks.example/x' }
        notify.d = { type = 'webhook', url = 'https://hooks.example/x', format = 'slack' }
    ";
    let layer = Layer {
        name: LayerName::Local,
        source: Arc::from("fuzz"),
        version: None,
        last_good: false,
        document: Document::parse(text, Format::Toml).expect("a document"),
    };
    let merged = Merged::fold([&builtin::layer(), &layer]);
    Settings::typed(&merged.root).settings.expect("settings")
});

/// A message and the daemon's record of what it has told, which are the input
/// both.
pub fn message(bytes: &[u8]) {
    let root = tempfile::tempdir().expect("a directory");
    let (spool, record) = (root.path().join("notify"), root.path().join("told.json"));
    fs::create_dir(&spool).expect("a directory");
    fs::write(spool.join("0000000001-failed.json"), bytes).expect("a file");
    fs::write(&record, bytes).expect("a file");
    let mut record = Record::load(&record);
    for spooled in Spool::at(&spool).list() {
        let message = spooled.message.clone().redacted(&Redactor::default());
        for (name, notifier) in &RECEIVERS.notify {
            let _ = (record.is_settled(&spooled.id, name), record.recent(name).count());
            let letter = Letter::new(&message, &notifier.rules, u32::MAX);
            let body = notifier.receiver.preview(&letter);
            let length = body.to_string().len();
            assert!(length <= 256 << 10, "no receiver takes {length} bytes");
        }
        record.keep(&[spooled]);
    }
}
