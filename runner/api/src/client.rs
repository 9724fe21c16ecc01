//! The one HTTP client: a method a route. No ambient proxies, no redirects, explicit timeouts.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{BundlePath, Digest, Entropy, RequestId, RunId, SessionId};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};

use crate::retry::{Attendant, TRIES, TRIES_PATIENT, Tries};
use crate::tls::{self, Authorities, CertificateFault, TlsFault};
use crate::types::{
    AuditPageView, Challenge, ChallengeRequest, ConsistencyView, DocumentView, Envelope, Filed,
    Inbox, InputStored, LeavesView, ProofView, Ready, ReceiptView, RequestView, RevisionView,
    RunOrdered, RunView, ScriptView, SessionOpened, SessionView, StatusView, Uploaded,
};
use crate::{Origin, OriginError, Problem, RunEvents, Silence};

/// Where to, as whom, and for how long.
#[derive(Clone)]
pub struct ClientConfig {
    /// The origin, as `https://host:port`, without a path.
    pub base: String,
    /// Certificate authorities that are believed beside the system's.
    pub authorities: Authorities,
    /// The session's token.
    pub token: Option<String>,
    /// To connect.
    pub connect_timeout: Duration,
    /// For a whole call; the wait of a run is added.
    pub call_timeout: Duration,
    /// Idempotency keys.
    pub entropy: Arc<dyn Entropy>,
}

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server refused.
    #[error(transparent)]
    Problem(#[from] Box<Problem>),
    /// The server was not reached, or the connection broke.
    #[error(transparent)]
    Silent(#[from] Silence),
    /// Something between here and the server answered instead of it, or the server did not say what is
    /// wrong; whether it acted is unknown.
    #[error(
        "there is no answer of this API, only the HTTP status {status}: something between you and the server may have given it"
    )]
    Between {
        /// HTTP status.
        status: u16,
    },
    /// The server does not prove that it is the one that was dialled; it was told nothing.
    #[error("the server's certificate is refused")]
    Certificate(#[from] CertificateFault),
    /// The other end speaks something else than TLS.
    #[error("the server does not speak TLS at this address; compare the address with its operator")]
    NotTls,
    /// The address cannot be dialled.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The settings of TLS cannot be made.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// A stream of events is not one.
    #[error("the server's events are not of this API; compare versions")]
    Broken,
    /// The answer is not this API's.
    #[error("the server's answer (status {status}) is not of this API; compare versions")]
    Decode {
        /// HTTP status.
        status: u16,
        /// Where it differs.
        source: serde_json::Error,
    },
}

impl From<reqwest::Error> for ClientError {
    fn from(error: reqwest::Error) -> Self {
        match tls::fault(&error) {
            Some(TlsFault::Certificate(fault)) => Self::Certificate(fault),
            Some(TlsFault::NotTls) => Self::NotTls,
            None => Self::Silent(Silence::of(&error, false)),
        }
    }
}

/// Calls the API.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    origin: Origin,
    config: ClientConfig,
    token: Token,
    attendant: Option<Arc<dyn Attendant>>,
    tries_max: u32,
}

/// A session's token, which all clones of a client share: one that is renewed is renewed for all.
#[derive(Clone, Default)]
struct Token(Arc<Mutex<Option<String>>>);

impl Token {
    fn new(token: Option<String>) -> Self {
        Self(Arc::new(Mutex::new(token)))
    }

    fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, token: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }
}

pub(crate) type Answer<T> = Result<T, ClientError>;

/// A method that gets JSON.
macro_rules! gets {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $answer:ty = $path:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`crate::ClientError`].
        pub async fn $name(&self $(, $arg: $type)*) -> Answer<$answer> {
            self.json(self.call(Method::GET, &format!($path))).await
        }
    )*};
}

/// A method that gets bytes.
macro_rules! gets_bytes {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) = $path:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`crate::ClientError`].
        pub async fn $name(&self $(, $arg: $type)*) -> Answer<Vec<u8>> {
            Ok(self.answer(self.call(Method::GET, &format!($path))).await?.1)
        }
    )*};
}

/// A method that files a signed document.
macro_rules! files {
    ($($(#[$doc:meta])* $name:ident -> $answer:ty = $path:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`crate::ClientError`].
        pub async fn $name(&self, envelope: &Envelope) -> Answer<$answer> {
            let call = self.call(Method::POST, $path);
            let body = envelope.get().to_owned();
            let call = call.header("content-type", "application/json").body(body);
            self.once(call, &self.fresh_key()).await
        }
    )*};
}

// After the macros, which it uses.
mod against;
mod authority;
mod calling;

impl Client {
    /// A client.
    ///
    /// # Errors
    /// When the address is not one to dial, or the TLS set-up fails.
    pub fn new(config: ClientConfig) -> Answer<Self> {
        let origin: Origin = config.base.parse()?;
        // Reading the system's authorities takes a while, so it is done where it matters.
        let named = &config.authorities;
        let roots = if origin.is_tls() { tls::config(named) } else { tls::nobody() };
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .https_only(origin.is_tls())
            .tls_backend_preconfigured(roots.map_err(ClientError::Tls)?)
            .connect_timeout(config.connect_timeout)
            .build()?;
        let token = Token::new(config.token.clone());
        Ok(Self { http, origin, config, token, attendant: None, tries_max: TRIES })
    }

    /// The same client with another session.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Token::new(Some(token.into()));
        self
    }

    /// The same client with somebody who is told of trouble and renews the session.
    #[must_use]
    pub fn attended_by(mut self, attendant: Arc<dyn Attendant>) -> Self {
        self.attendant = Some(attendant);
        self
    }

    /// The same client for somebody who waits for something that goes on at the server: it bears with a
    /// server that is away for half a minute, as one that is started anew.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.tries_max = TRIES_PATIENT;
        self
    }

    /// The origin that it dials; a login challenge is bound to it.
    #[must_use]
    pub fn base(&self) -> &str {
        self.origin.as_str()
    }

    gets! {
        /// Who am I?
        session() -> SessionView = "/v1/sessions/me";
        /// All sessions of this person that are open.
        sessions() -> Vec<SessionView> = "/v1/sessions";
        /// All scripts' revisions.
        scripts() -> Vec<ScriptView> = "/v1/scripts";
        /// One revision.
        revision(digest: &Digest) -> RevisionView = "/v1/revisions/{digest}";
        /// A document by its id, or by the digest of its payload.
        document(id_or_digest: &str) -> DocumentView = "/v1/documents/{id_or_digest}";
        /// An access request with all that belongs to it.
        access_request(id: &RequestId) -> RequestView = "/v1/access-requests/{id}";
        /// What waits for this person.
        inbox() -> Inbox = "/v1/inbox";
        /// The runs that this person may see, newest first.
        runs() -> Vec<RunView> = "/v1/runs";
        /// One run.
        run(id: &RunId) -> RunView = "/v1/runs/{id}";
        /// A run's receipt with its proof.
        receipt(id: &RunId) -> ReceiptView = "/v1/runs/{id}/receipt";
        /// All access requests.
        access_requests() -> Vec<DocumentView> = "/v1/access-requests";
        /// One page of what happened; `query` as the API documents it.
        audit(query: &str) -> AuditPageView = "/v1/audit?{query}";
        /// What the server serves from.
        status() -> StatusView = "/v1/status";
        /// That a leaf is in the log of a given size.
        proof(index: u64, size: u64) -> ProofView = "/v1/log/proof?index={index}&size={size}";
        /// That a smaller log is the beginning of a larger one.
        consistency(old: u64, new: u64) -> ConsistencyView = "/v1/log/consistency?old={old}&new={new}";
        /// Leaves of the log, as hashed.
        leaves(from: u64, count: u64) -> LeavesView = "/v1/log/leaves?from={from}&count={count}";
    }

    gets_bytes! {
        /// One file of a revision.
        file(revision: &Digest, path: &BundlePath) = "/v1/revisions/{revision}/files/{path}";
        /// An access request's input, exactly.
        request_input(id: &RequestId) = "/v1/access-requests/{id}/input";
        /// A run's input, exactly.
        run_input(id: &RunId) = "/v1/runs/{id}/input";
        /// A run's result.
        result(id: &RunId) = "/v1/runs/{id}/result";
        /// Everything that offline verification needs about a run, as one file.
        evidence(id: &RunId) = "/v1/runs/{id}/evidence";
        /// A run's recording.
        recording(id: &RunId) = "/v1/runs/{id}/recording";
        /// The log's newest signed checkpoint.
        checkpoint() = "/v1/log/checkpoint";
    }

    files! {
        /// Files a submission.
        submit -> Filed = "/v1/submissions";
        /// Files a review.
        review -> Filed = "/v1/reviews";
        /// Files an access request.
        request_access -> Filed = "/v1/access-requests";
        /// Files an approval.
        approve -> Filed = "/v1/approvals";
    }

    /// Asks for a login challenge.
    ///
    /// # Errors
    /// [`crate::ClientError`].
    pub async fn challenge(&self, request: &ChallengeRequest) -> Answer<Challenge> {
        self.json(self.call(Method::POST, "/v1/challenges").json(request)).await
    }

    /// Logs in with a signed challenge, which is good for one call.
    ///
    /// # Errors
    /// [`crate::ClientError`].
    pub async fn open_session(&self, login: &Envelope) -> Answer<SessionOpened> {
        let call = self.call(Method::POST, "/v1/sessions").body(login.get().to_owned());
        self.json(call.header("content-type", "application/json")).await
    }

    /// Ends a session of this person; one that has ended stays so.
    ///
    /// # Errors
    /// [`crate::ClientError`].
    pub async fn revoke_session(&self, id: &SessionId) -> Answer<SessionView> {
        self.json(self.call(Method::DELETE, &format!("/v1/sessions/{id}"))).await
    }

    /// Uploads a bundle, `bundle.sha256` included; files are streamed from disk.
    ///
    /// # Errors
    /// [`crate::ClientError`].
    pub async fn upload(&self, files: &[(BundlePath, PathBuf)]) -> Answer<Uploaded> {
        let key = self.fresh_key();
        let mut tries = Tries::new(self.tries_max);
        loop {
            // A body from disk cannot be sent twice, so each try has its own.
            match self.upload_with(files, &key).await {
                Err(e) => self.again(&mut tries, e, true).await?,
                done => return done,
            }
        }
    }

    async fn upload_with(&self, files: &[(BundlePath, PathBuf)], key: &str) -> Answer<Uploaded> {
        // Bundle paths are plain ASCII; the default would write `name*=`, which few servers read.
        let mut form = Form::new().percent_encode_noop();
        for (path, file) in files {
            let part = Part::file(file).await.map_err(|source| {
                let detail = format!("cannot open {}: {source}", file.display());
                Box::new(Problem::new(crate::Code::BundleInvalid, detail, "check the file"))
            })?;
            form = form.part(path.as_str().to_owned(), part);
        }
        let call = self.call(Method::POST, "/v1/revisions");
        self.once(call.multipart(form), key).await
    }

    /// Sends an input's exact bytes.
    ///
    /// # Errors
    /// [`crate::ClientError`].
    pub async fn store_input(&self, input: Vec<u8>) -> Answer<InputStored> {
        self.once(self.call(Method::POST, "/v1/inputs").body(input), &self.fresh_key()).await
    }

    /// Orders a run and waits up to `wait` for its end. The same `idempotency_key` gives the same
    /// answer without a second effect; without one the call has a fresh key of its own.
    ///
    /// # Errors
    /// [`crate::ClientError`].
    pub async fn order_run(
        &self,
        order: &RunOrdered,
        wait: Duration,
        idempotency_key: Option<&str>,
    ) -> Answer<RunView> {
        let call = self
            .call(Method::POST, "/v1/runs")
            .header("prefer", format!("wait={}", wait.as_secs()))
            .timeout(self.config.call_timeout.saturating_add(wait))
            .json(order);
        self.once(call, idempotency_key.unwrap_or(&self.fresh_key())).await
    }

    /// Cancels a run.
    ///
    /// # Errors
    /// [`crate::ClientError`].
    pub async fn cancel(&self, id: &RunId) -> Answer<RunView> {
        let call = self.call(Method::POST, &format!("/v1/runs/{id}/cancel"));
        self.once(call, &self.fresh_key()).await
    }

    /// Whether the server accepts writes; it answers with status 503 when not.
    ///
    /// # Errors
    /// [`ClientError`], but not for 503.
    pub async fn ready(&self) -> Answer<Ready> {
        self.any(self.call(Method::GET, "/readyz")).await
    }

    /// Follows a run's released events, from the one after number `last` on.
    #[must_use]
    pub fn events(&self, id: &RunId, last: Option<u64>) -> RunEvents {
        RunEvents::new(self.clone(), id.clone(), last)
    }

    fn fresh_key(&self) -> String {
        let mut random = [0; 32];
        self.config.entropy.fill(&mut random);
        Digest::from_bytes(random).hex()
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.unlimited(method, path).timeout(self.config.call_timeout)
    }

    fn unlimited(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin))
    }
}
