//! Several parameters in one question, which is what Systems Manager asks of a
//! fleet that boots: it counts questions, not parameters.
//!
//! `ask` is for everyone who knows the names; `Batches` is for the documents of
//! one resolution. A question that is refused for good is answered for no name:
//! each is then asked for alone, so that one name that may not be read, or that a
//! tag has filled with nonsense, does not take the others with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::Parameter;
use tokio::sync::OnceCell;

use super::error::SourceError;
use crate::platform::aws::AwsError;
use crate::platform::retry::{Attempts, Retryable, Verdict};

/// The operation, for messages.
pub(super) const OPERATION: &str = "GetParameters";

/// How many names one question may hold.
const MOST: usize = 10;

/// The names that are worth a question together: each once, in their order.
/// Those that are left over alone are not among them, because older roles may
/// ask for one parameter only.
pub(super) fn batches<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Vec<String>> {
    let mut seen = BTreeSet::new();
    let names: Vec<&str> = names.into_iter().filter(|name| seen.insert(*name)).collect();
    names
        .chunks(MOST)
        .filter(|names| names.len() > 1)
        .map(|names| names.iter().map(|name| (*name).to_owned()).collect())
        .collect()
}

/// Asks for several parameters.
pub(super) async fn ask(
    config: &SdkConfig,
    names: &[String],
    decrypted: bool,
) -> Result<Answer, AwsError> {
    let request = Client::new(config).get_parameters().set_names(Some(names.to_vec()));
    let answer = request.with_decryption(decrypted).send().await?;
    Ok(Answer {
        found: answer.parameters.unwrap_or_default(),
        absent: answer.invalid_parameters.unwrap_or_default(),
    })
}

/// What came of several names.
#[derive(Debug)]
pub(super) struct Answer {
    /// The parameters that are there, in an order of the service's own.
    pub(super) found: Vec<Parameter>,
    absent: Vec<String>,
}

impl Answer {
    /// Where in `found` the parameter of this name is.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.found.iter().position(|parameter| is(parameter, name))
    }

    /// Whether the service says that there is no such parameter.
    pub(super) fn lacks(&self, name: &str) -> bool {
        self.absent.iter().any(|absent| absent == name)
    }
}

/// Whether a parameter is what a name asked for: a name or an ARN, which a
/// version or a label may follow.
fn is(parameter: &Parameter, asked: &str) -> bool {
    let selector = parameter.selector().unwrap_or_default();
    [parameter.name(), parameter.arn()]
        .into_iter()
        .flatten()
        .any(|name| asked.strip_prefix(name).is_some_and(|rest| rest == selector))
}

/// The batches of one resolution.
#[derive(Debug)]
pub(super) struct Batches(Vec<Batch>);

#[derive(Debug)]
struct Batch {
    names: Vec<String>,
    asked: OnceCell<Attempts<Answer, Arc<SourceError>>>,
}

/// What the batch says about a name.
#[derive(Debug)]
pub(super) enum Reply<'a> {
    /// This parameter; `None` where there is none of that name.
    Answer(Option<&'a Parameter>),
    /// Nobody answered in time.
    Failure(SourceError),
    /// Nothing: the name must be asked for alone.
    Nothing,
}

impl Batches {
    /// The batches for these names.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let batch = |names| Batch { names, asked: OnceCell::new() };
        Self(batches(names).into_iter().map(batch).collect())
    }

    /// What a name's batch says, and after how many attempts. The first who
    /// wants to know asks with `question`, and the others wait for the same answer.
    pub(super) async fn reply(
        &self,
        name: &str,
        question: impl AsyncFnOnce(&[String]) -> Attempts<Answer, SourceError>,
    ) -> (Reply<'_>, u32) {
        let Some(batch) = self.0.iter().find(|batch| batch.names.iter().any(|own| own == name))
        else {
            return (Reply::Nothing, 0);
        };
        let ask = async || {
            let Attempts { result, count } = question(&batch.names).await;
            Attempts { result: result.map_err(Arc::new), count }
        };
        let asked = batch.asked.get_or_init(ask).await;
        let reply = match &asked.result {
            Ok(answer) => match answer.position(name) {
                Some(at) => Reply::Answer(answer.found.get(at)),
                None if answer.lacks(name) => Reply::Answer(None),
                None => Reply::Nothing,
            },
            // Without a region or credentials it would be the same for each.
            Err(error) if error.verdict() == Verdict::Permanent && error.is_of_aws() => {
                Reply::Nothing
            }
            Err(error) => Reply::Failure(SourceError::Shared(Arc::clone(error))),
        };
        (reply, asked.count)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_asked_for_by_tens_and_one_alone_is_not() {
        let names: Vec<String> = (0..21).map(|number| format!("/n{number}")).collect();
        let of = |count| batches(names.iter().take(count).map(String::as_str));
        let sizes = |count| of(count).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(1), [0; 0]);
        assert_eq!(sizes(2), [2]);
        assert_eq!(sizes(11), [10]);
        assert_eq!(sizes(21), [10, 10]);
        assert_eq!(batches(["/b", "/a", "/b"]), [["/b", "/a"]]);
        assert!(batches(["/a", "/a"]).is_empty());
    }

    #[test]
    fn a_parameter_is_known_by_its_name_its_arn_and_its_version() {
        let arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/a";
        let plain = Parameter::builder().name("/a").arn(arn);
        let version = plain.clone().selector(":3").build();
        let plain = plain.build();
        assert!(is(&plain, "/a") && is(&plain, arn));
        assert!(is(&version, "/a:3") && is(&version, &format!("{arn}:3")));
        for (parameter, other) in
            [(&plain, "/a:3"), (&plain, "/ab"), (&version, "/a"), (&version, "/a:33")]
        {
            assert!(!is(parameter, other), "{other}");
        }
    }
}
