//! The body that Slack's incoming webhooks take: a text for notices, and one
//! attachment with blocks. The limits are those of Slack's pages on blocks.

use serde_json::{Value, json};

use super::letter::Letter;
use super::limits::{UTF16, code_block, cut, line, lines};

/// The longest header.
const HEADER: usize = 150;
/// The longest text of a section.
const SECTION: usize = 3000;
/// The longest fact: a section's field may have 2000.
const FACT: usize = 300;
/// The most fields of a section.
const FIELDS: usize = 10;
/// The longest text beside the blocks: a limit of our own.
const TEXT: usize = 1000;

/// The body.
pub(super) fn body(letter: &Letter<'_>) -> Value {
    let title = nonempty(&line(&letter.title));
    let color = format!("#{:06X}", letter.message.event.colour());
    let header = json!({ "type": "plain_text", "text": cut(&title, HEADER, UTF16) });
    let mut blocks = vec![json!({ "type": "header", "text": header })];
    let section = |text: String| json!({ "type": "section", "text": markdown(text) });
    if let Some(text) = &letter.text {
        blocks.push(section(escaped(&lines(text), SECTION)));
    }
    if let Some((place, message)) = letter.trouble() {
        // An asterisk would end what is bold.
        let place = escaped(&line(&place).replace('*', "∗"), FACT);
        let room = SECTION - FACT - "**\n".len();
        blocks.push(section(format!("*{place}*\n{}", marked(&code_block(message, room, size)))));
    }
    let facts = letter.facts().into_iter().take(FIELDS);
    let fields: Vec<Value> = facts
        .map(|(name, fact)| markdown(format!("*{name}*\n{}", escaped(&line(&fact), FACT))))
        .collect();
    blocks.push(json!({ "type": "section", "fields": fields }));
    if let Some(held_back) = letter.held_back() {
        blocks.push(section(held_back));
    }
    json!({
        "text": escaped(&title, TEXT),
        "attachments": [{ "color": color, "blocks": blocks }],
    })
}

fn markdown(text: String) -> Value {
    json!({ "type": "mrkdwn", "text": nonempty(&text) })
}

fn nonempty(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

/// The text at most `limit` long when its letters are escaped.
fn escaped(text: &str, limit: usize) -> String {
    marked(&cut(text, limit, size))
}

/// How long a letter is when it is escaped.
fn size(letter: char) -> usize {
    match letter {
        '&' => "&amp;".len(),
        '<' | '>' => "&lt;".len(),
        other => other.len_utf16(),
    }
}

/// The text with the three letters escaped that Slack reads as its own, so that
/// nothing in it is a mention or a link.
fn marked(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
