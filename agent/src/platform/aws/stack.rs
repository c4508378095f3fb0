//! The SDK's calls over gild's own HTTP stack, with a cap on what is read.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Limited};
use reqwest::Client;

use super::renewing::Renewing;
use super::role;

/// The SDK's view of the one HTTP stack, without a cap: for whoever reads answers piece
/// by piece and has a cap of his own.
pub fn streaming(client: &Client) -> SharedHttpClient {
    SharedHttpClient::new(Stack { client: client.clone(), most: usize::MAX, credentials: None })
}

/// The SDK's view of the one HTTP stack.
#[derive(Debug, Clone)]
pub(super) struct Stack {
    /// The one HTTP client.
    pub(super) client: Client,
    /// The largest answer.
    pub(super) most: usize,
    /// What hears of refusals.
    pub(super) credentials: Option<Renewing>,
}

impl HttpClient for Stack {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            client: self.client.clone(),
            most: self.most,
            credentials: self.credentials.clone(),
            read_timeout: settings.read_timeout(),
        })
    }
}

#[derive(Debug)]
struct Connector {
    client: Client,
    most: usize,
    credentials: Option<Renewing>,
    read_timeout: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (client, most) = (self.client.clone(), self.most);
        let credentials = self.credentials.clone();
        let read_timeout = self.read_timeout;
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?
                .map(reqwest::Body::wrap);
            let request = reqwest::Request::try_from(request)
                .map_err(|error| ConnectorError::user(error.into()))?;
            let names_role = role::is_asked(request.url());
            let call = client.execute(request);
            let answer = match read_timeout {
                None => call.await,
                Some(limit) => tokio::time::timeout(limit, call)
                    .await
                    .map_err(|error| ConnectorError::timeout(error.into()))?,
            };
            let answer = answer.map_err(|error| {
                if error.is_timeout() {
                    ConnectorError::timeout(error.into())
                } else {
                    ConnectorError::io(error.into())
                }
            })?;
            let (head, body) = http::Response::from(answer).into_parts();
            let body = SdkBody::from_body_1_x(Limited::new(body, most));
            let body = match credentials {
                Some(credentials) if Renewing::may_refuse(head.status.as_u16()) => {
                    let said = body.collect().await;
                    let said = said.map_err(ConnectorError::io)?.to_bytes();
                    credentials.heard(&said);
                    SdkBody::from(said)
                }
                _ if names_role && head.status.is_success() => {
                    let said = body.collect().await.map_err(ConnectorError::io)?.to_bytes();
                    if !role::is_name(&said) {
                        let error = role::NotAName(said.len());
                        return Err(ConnectorError::other(error.into(), None));
                    }
                    SdkBody::from(said)
                }
                _ => body,
            };
            let answer = http::Response::from_parts(head, body);
            Response::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
