//! A GET whose status must be one of those expected. The client follows no
//! redirects: where a service sends its users elsewhere, it is not well.
//!
//! A service whose certificate no public authority has signed names the file with its
//! own (`ca_file`), or takes any (`insecure`); it then has a client of its own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, Url};

use super::{Probe, ProbeError, Running};
use crate::health::means::Means;
use crate::health::settings::ServiceSettings;
use crate::health::target::{Expect, HttpUrl};
use crate::platform::http::{HttpError, body, own_client};
use crate::platform::tls::{self, Trust};

/// A body up to this size is read, so that its connection can be used again.
const BODY_BYTES: usize = 4096;

pub(super) fn of(service: &ServiceSettings) -> Option<Arc<dyn Probe>> {
    let HttpUrl(url) = service.http.clone()?;
    let trust = match (&service.ca_file, service.insecure) {
        (_, true) => Some(Trust::Any),
        (Some(file), false) => Some(Trust::File(PathBuf::from(&file.0))),
        (None, false) => None,
    };
    let own = trust.map(|trust| Own { trust, client: Mutex::default() });
    Some(Arc::new(Http { url, expect: service.expect.clone(), own }))
}

/// A URL and the statuses that are well.
#[derive(Debug)]
struct Http {
    url: Url,
    expect: Expect,
    own: Option<Own>,
}

/// A client that trusts what only this service has.
#[derive(Debug)]
struct Own {
    trust: Trust,
    client: Mutex<Option<Client>>,
}

impl Own {
    fn client(&self) -> Result<Client, HttpError> {
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*kept {
            return Ok(client.clone());
        }
        let client = own_client(&tls::Own { trust: Some(&self.trust), shown: None })?;
        *kept = Some(client.clone());
        Ok(client)
    }

    /// The next probe reads the file again: its certificates may have been renewed.
    fn forget(&self) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Probe for Http {
    fn label(&self) -> &'static str {
        "http"
    }

    fn target(&self) -> String {
        self.url.to_string()
    }

    fn run<'a>(&'a self, means: &'a Means, _: Duration) -> Running<'a> {
        Box::pin(self.get(means))
    }
}

impl Http {
    async fn get(&self, means: &Means) -> Result<(), ProbeError> {
        let failed = |source| ProbeError::Http { url: self.url.to_string(), source };
        let client = match &self.own {
            Some(own) => own.client().map_err(failed)?,
            None => means.client.clone(),
        };
        let answer = client.get(self.url.clone()).send().await.map_err(|error| {
            if let Some(own) = &self.own {
                own.forget();
            }
            failed(HttpError::Send(error.without_url()))
        })?;
        let status = answer.status().as_u16();
        if !self.expect.holds(status) {
            let expect = self.expect.clone();
            return Err(ProbeError::Status { url: self.url.to_string(), status, expect });
        }
        // The status is the answer. Larger bodies cost their connection only.
        if answer.content_length().is_some_and(|length| length <= BODY_BYTES as u64) {
            let _ = body(answer, BODY_BYTES).await;
        }
        Ok(())
    }
}
