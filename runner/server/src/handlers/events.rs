//! A run's released events as server-sent events.
//!
//! Nothing is buffered for a client: events are read from the store as it takes them, so a slow
//! client holds a few events and one of a bounded number of streams, and is dropped when it takes
//! none for a while. It comes back with `Last-Event-ID` and misses nothing.

use std::sync::Arc;
use std::time::Duration;

use api::{Code, shapes};
use app::{App, AppError, Feed};
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use domain::RunId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::Answer;
use crate::body::At;
use crate::openapi::Finds;
use crate::problem::Refusal;
use crate::render;
use crate::routes::Streams;
use crate::session::Session;

/// Events that wait for one client, beside what its connection holds.
const EVENTS_WAITING_MAX: usize = 4;
/// A comment in silence, so that proxies keep the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

type Frames = Sse<axum::response::sse::KeepAliveStream<ReceiverStream<Result<Event, Cut>>>>;

/// The stream ends before its run does: the connection is cut, so that nobody takes it for the end.
#[derive(Debug, thiserror::Error)]
#[error("the stream ends early")]
pub(crate) struct Cut;

/// A run's released events, from the first or from the one after `Last-Event-ID`, until it ends
#[utoipa::path(get, path = "/v1/runs/{id}/events", tag = "runs", security(("session" = [])),
    params(("id" = shapes::Run, Path, description = "The run."), LastEventId),
    responses((status = 200, body = shapes::EventFrame, content_type = "text/event-stream",
        description = "`id` is the event's number, `event` is started, progress or ended, `data` this."), Finds))]
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    State(Streams { permits, stall_max }): State<Streams>,
    Session(who): Session,
    At(id): At<RunId>,
    LastEventId(last): LastEventId,
) -> Answer<Frames> {
    let feed = app.feed(&who, &id, last.map_or(0, |n| n.saturating_add(1))).await?;
    let permit = Semaphore::try_acquire_owned(permits).map_err(|_| {
        Refusal::new(Code::Unavailable, "too many streams are open", "try again in a moment")
            .retry_after(1)
    })?;
    let (frames, taken) = mpsc::channel(EVENTS_WAITING_MAX);
    tokio::spawn(pump(feed, frames, permit, stall_max));
    Ok(Sse::new(ReceiverStream::new(taken)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Hands events to the connection until the run is over, or the client is gone or takes none.
async fn pump(
    mut feed: Feed,
    frames: mpsc::Sender<Result<Event, Cut>>,
    _permit: OwnedSemaphorePermit,
    stall_max: Duration,
) {
    loop {
        let next = tokio::select! {
            next = feed.next() => next,
            () = frames.closed() => return,
        };
        let frame = match next {
            Ok(Some(event)) => frame(event).ok_or(Cut),
            Ok(None) => return,
            Err(AppError::Unauthorized(_) | AppError::NotFound(_)) => {
                tracing::info!("a stream of events ends with the right to it");
                Err(Cut)
            }
            Err(e) => {
                tracing::error!(error = %app::chain(&e), "a stream of events ends early");
                Err(Cut)
            }
        };
        let last = frame.is_err();
        match tokio::time::timeout(stall_max, frames.send(frame)).await {
            Ok(Ok(())) if last => return,
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                tracing::info!("a client that takes no events is dropped");
                return;
            }
        }
    }
}

fn frame(event: store::RunEvent) -> Option<Event> {
    #[derive(serde::Deserialize)]
    struct Kind {
        event: String,
    }
    let kind: Kind = serde_json::from_str(&event.body).ok()?;
    let view = render::event(event).ok()?;
    Event::default().id(view.seq.to_string()).event(kind.event).json_data(&view).ok()
}

/// `Last-Event-ID`: the number of the last event that the client has.
pub(crate) struct LastEventId(Option<u64>);

impl<S: Send + Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        let Some(value) = parts.headers.get("last-event-id") else {
            return Ok(Self(None));
        };
        let number = value.to_str().ok().and_then(|text| text.parse::<u32>().ok());
        let number = number.ok_or_else(|| {
            let detail = "`Last-Event-ID` is not the number of an event";
            Refusal::new(Code::BadRequest, detail, "send the last `id` that you got, or none")
        })?;
        Ok(Self(Some(number.into())))
    }
}

impl IntoParams for LastEventId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let number = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0))
            .maximum(Some(u32::MAX));
        let last = ParameterBuilder::new()
            .name("Last-Event-ID")
            .parameter_in(ParameterIn::Header)
            .required(utoipa::openapi::Required::False)
            .description(Some("The `id` of the last event that you have."))
            .schema(Some(number));
        vec![last.build()]
    }
}
