//! Errors printed as one chain. Every error type says only what its own layer
//! tried; the causes are joined here, once, at the edge.

use std::error::Error;

/// The texts of an error and of its sources, outermost first. A source that
/// repeats the text above it is left out.
pub fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut next = error.source();
    while let Some(source) = next {
        let text = source.to_string();
        if texts.last().is_none_or(|above| !above.contains(&text)) {
            texts.push(text);
        }
        next = source.source();
    }
    texts
}

/// The whole chain on one line: `failed to fetch 'x': connection refused`.
pub fn chain_text(error: &(dyn Error + 'static)) -> String {
    chain(error).join(": ")
}
