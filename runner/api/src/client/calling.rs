//! How the client makes a call: with the session's token, again where that can help, and what an answer
//! means.

use domain::RunId;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Request, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;

use super::{Answer, Client};
use crate::retry::Tries;
use crate::{ClientError, Code, IDEMPOTENCY_KEY, Problem, Silence};

impl Client {
    /// Makes a call whose answer is JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, call: RequestBuilder) -> Answer<T> {
        let (status, body) = self.answer(call).await?;
        decode(status, &body)
    }

    /// Makes a call that acts once, however often it is made.
    pub(super) async fn once<T: DeserializeOwned>(
        &self,
        call: RequestBuilder,
        key: &str,
    ) -> Answer<T> {
        self.json(call.header(IDEMPOTENCY_KEY, key)).await
    }

    /// Makes a call of which every answer of the API counts, whatever its status.
    pub(super) async fn any<T: DeserializeOwned>(&self, call: RequestBuilder) -> Answer<T> {
        let response = self.send(call.build()?).await?;
        let status = response.status();
        decode(status, &response.bytes().await?)
    }

    /// Makes a call as often as it takes, and gives its whole answer.
    pub(super) async fn answer(&self, call: RequestBuilder) -> Answer<(StatusCode, Vec<u8>)> {
        let request = call.build()?;
        let repeatable = is_reading(&request) || request.headers().contains_key(IDEMPOTENCY_KEY);
        let mut tries = Tries::new(self.tries_max);
        let mut renewed = false;
        loop {
            // What is streamed from disk cannot be sent twice.
            let Some(this) = request.try_clone() else {
                return self.read(request).await;
            };
            match self.read(this).await {
                Ok(answer) => return Ok(answer),
                Err(e) if !renewed && self.is_over(&e) => {
                    renewed = true;
                    self.renew().await.ok_or(e)?;
                }
                Err(e) => self.again(&mut tries, e, repeatable).await?,
            }
        }
    }

    /// Waits until a call may be made again.
    ///
    /// # Errors
    /// The error itself, when another try would not help.
    pub(super) async fn again(
        &self,
        tries: &mut Tries,
        error: ClientError,
        repeatable: bool,
    ) -> Answer<()> {
        let Some(pause) = tries.pause(&error, repeatable) else {
            return Err(error);
        };
        self.tell(&error, pause);
        tokio::time::sleep(pause).await;
        Ok(())
    }

    pub(crate) fn tell(&self, error: &ClientError, pause: std::time::Duration) {
        if let Some(attendant) = &self.attendant {
            attendant.again(error, pause);
        }
    }

    /// Whether the session that the client has is over.
    fn is_over(&self, error: &ClientError) -> bool {
        let refused = matches!(error, ClientError::Problem(p) if p.code == Code::Unauthorized);
        refused && self.attendant.is_some() && self.token.get().is_some()
    }

    async fn renew(&self) -> Option<()> {
        let token = self.attendant.as_ref()?.renew().await?;
        self.token.set(token);
        Some(())
    }

    async fn read(&self, request: Request) -> Answer<(StatusCode, Vec<u8>)> {
        let acts = !is_reading(&request);
        let response = accepted(self.send(request).await?).await?;
        let status = response.status();
        let body = response.bytes().await.map_err(|e| silent(e, acts))?;
        Ok((status, body.to_vec()))
    }

    async fn send(&self, mut request: Request) -> Answer<Response> {
        let bearer =
            self.token.get().map(|token| HeaderValue::from_str(&format!("Bearer {token}")));
        // A token that is no header is none that a server gave.
        if let Some(Ok(mut bearer)) = bearer {
            bearer.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, bearer);
        }
        let acts = !is_reading(&request);
        self.http.execute(request).await.map_err(|e| silent(e, acts))
    }

    /// A stream of events has no time limit: it ends with its run.
    pub(crate) async fn open_events(&self, id: &RunId, last: Option<u64>) -> Answer<Response> {
        let mut call = self.unlimited(Method::GET, &format!("/v1/runs/{id}/events"));
        if let Some(last) = last {
            call = call.header("last-event-id", last);
        }
        let request = call.header("accept", "text/event-stream").build()?;
        accepted(self.send(request).await?).await
    }
}

/// Whether a call changes nothing that anybody relies on. A challenge that nobody answers is forgotten.
fn is_reading(request: &Request) -> bool {
    request.method() == Method::GET || request.url().path() == "/v1/challenges"
}

fn silent(error: reqwest::Error, acts: bool) -> ClientError {
    match error.into() {
        ClientError::Silent(silence) => ClientError::Silent(Silence { acts, ..silence }),
        other => other,
    }
}

fn decode<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Answer<T> {
    let status = status.as_u16();
    serde_json::from_slice(body).map_err(|source| ClientError::Decode { status, source })
}

/// A response with success, or the problem in it.
async fn accepted(response: Response) -> Answer<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    match decode::<Problem>(status, &response.bytes().await?) {
        Ok(problem) => Err(Box::new(problem).into()),
        // A proxy answers for a server that it cannot reach.
        Err(_) if status.is_server_error() => Err(ClientError::Between { status: status.as_u16() }),
        Err(e) => Err(e),
    }
}
