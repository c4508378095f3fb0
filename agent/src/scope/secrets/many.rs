//! Several references at the same time: parameters by tens in one question, and
//! everything else side by side.

use std::collections::HashMap;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use tokio::time::{Instant, timeout_at};

use super::{ATTEMPT, BACKOFF, Fault, SecretError, Secrets};
use crate::config::SecretRef;
use crate::platform::retry::{Retryable, Tries, Verdict};
use crate::scope::batch;
use crate::scope::fetch::together;

/// A reference, and what came of it.
pub(super) type Resolved = (SecretRef, Result<SecretString, SecretError>);

impl Secrets {
    /// The values that several references stand for, all within one budget:
    /// parameters in few questions, everything at the same time. The error is that
    /// of the first reference that has one.
    pub async fn resolve_all(
        &self,
        references: &[SecretRef],
    ) -> Result<HashMap<SecretRef, SecretString>, SecretError> {
        let resolved = self.every(references).await;
        let mut found = HashMap::new();
        let mut errors = Vec::new();
        for (reference, result) in resolved {
            match result {
                Ok(value) => drop(found.insert(reference, value)),
                Err(error) => errors.push(error),
            }
        }
        let place = |error: &SecretError| references.iter().position(|own| *own == error.reference);
        match errors.into_iter().min_by_key(place) {
            Some(error) => Err(error),
            None => Ok(found),
        }
    }

    /// What came of each of several references, as far as it is known: of questions that
    /// nobody answers, only the first is told.
    pub(super) async fn every(&self, references: &[SecretRef]) -> Vec<Resolved> {
        let deadline = Instant::now() + self.budget;
        let batches = batch::batches(references.iter().filter_map(|reference| match reference {
            SecretRef::Ssm(name) => Some(name.as_str()),
            _ => None,
        }));
        let batched = |reference: &SecretRef| match reference {
            SecretRef::Ssm(name) => batches.iter().any(|names| names.contains(name)),
            _ => false,
        };
        let mut alone: Vec<&SecretRef> = Vec::new();
        for reference in references {
            if !batched(reference) && !alone.contains(&reference) {
                alone.push(reference);
            }
        }
        let (batched, alone) = tokio::join!(
            together(batches.iter().map(|names| self.batch(deadline, names)).collect()),
            self.each(deadline, alone),
        );
        batched.into_iter().flatten().chain(alone).collect()
    }

    /// The values of several references, each asked for by itself.
    async fn each(&self, deadline: Instant, references: Vec<&SecretRef>) -> Vec<Resolved> {
        let one = async |reference: &SecretRef| {
            (reference.clone(), self.before(deadline, reference).await)
        };
        together(references.into_iter().map(one).collect()).await
    }

    /// The values of several parameters, asked for together where that is
    /// allowed. Where nobody answers it is the first one's failure.
    async fn batch(&self, deadline: Instant, names: &[String]) -> Vec<Resolved> {
        let mut tries = Tries::new(deadline, BACKOFF);
        let answer = loop {
            let limit = deadline.min(Instant::now() + ATTEMPT);
            let attempt = timeout_at(limit, self.parameters(names)).await;
            match attempt.unwrap_or(Err(Fault::Timeout(ATTEMPT))) {
                Err(error) if tries.again(&error).await => {}
                result => break result,
            }
        };
        let references: Vec<SecretRef> = names.iter().cloned().map(SecretRef::Ssm).collect();
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.verdict() == Verdict::Permanent => {
                return self.each(deadline, references.iter().collect()).await;
            }
            Err(source) => {
                let mut resolved = Vec::new();
                let mut failed = None;
                for reference in references {
                    match self.stand_in(&reference, &source) {
                        Some(value) => resolved.push((reference, Ok(value))),
                        None => failed = failed.or(Some(reference)),
                    }
                }
                resolved.extend(failed.map(|reference| {
                    let attempts = tries.count;
                    (reference.clone(), Err(SecretError { reference, attempts, source }))
                }));
                return resolved;
            }
        };
        let mut resolved = Vec::new();
        let mut left = Vec::new();
        for (reference, value) in references.iter().zip(answer) {
            match value {
                Some(Ok(value)) => resolved.push((reference.clone(), Ok(self.masked(&value)))),
                Some(Err(source)) => {
                    let error =
                        SecretError { reference: reference.clone(), attempts: tries.count, source };
                    resolved.push((reference.clone(), Err(error)));
                }
                None => left.push(reference),
            }
        }
        resolved.extend(self.each(deadline, left).await);
        resolved
    }

    /// What each of several parameters holds; `None` where the answer does not
    /// say.
    async fn parameters(
        &self,
        names: &[String],
    ) -> Result<Vec<Option<Result<Zeroizing<String>, Fault>>>, Fault> {
        let config = &self.aws.get().await?.config;
        let mut answer = batch::ask(config, names, true)
            .await
            .map_err(|source| Fault::Aws { operation: batch::OPERATION, source })?;
        let absent = || Fault::Absent("parameter");
        let found = names
            .iter()
            .map(|name| match answer.position(name) {
                Some(at) => Some(answer.found[at].value.take().map(Zeroizing::new).ok_or(absent())),
                None => answer.lacks(name).then(|| Err(absent())),
            })
            .collect();
        // What nobody asked for is wiped too.
        for parameter in &mut answer.found {
            drop(parameter.value.take().map(Zeroizing::new));
        }
        Ok(found)
    }
}
