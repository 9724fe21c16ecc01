//! The client's half of a run's event stream: every released event once and in order, also when the
//! connection is lost in between.

use std::pin::Pin;
use std::time::Duration;

use domain::RunId;
use eventsource_stream::{Event, EventStreamError, Eventsource as _};
use futures_util::{Stream, StreamExt as _};

use crate::types::EventView;
use crate::{Client, ClientError};

/// Connections that may be lost in a row, without an event in between, before the caller is told.
const LOST_MAX: u32 = 5;
/// The pause after the first lost connection; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);

type Frames = Pin<Box<dyn Stream<Item = Result<Event, EventStreamError<reqwest::Error>>> + Send>>;

/// Follows one run; made by [`Client::events`].
pub struct RunEvents {
    client: Client,
    run: RunId,
    last: Option<u64>,
    frames: Option<Frames>,
    lost: u32,
}

impl RunEvents {
    pub(crate) fn new(client: Client, run: RunId, last: Option<u64>) -> Self {
        Self { client, run, last, frames: None, lost: 0 }
    }

    /// The next event; `None` after the last one.
    ///
    /// # Errors
    /// [`ClientError`]; a lost connection only when it is lost again and again.
    pub async fn next(&mut self) -> Result<Option<EventView>, ClientError> {
        loop {
            let Some(frames) = &mut self.frames else {
                match self.client.open_events(&self.run, self.last).await {
                    Ok(response) => {
                        self.frames = Some(Box::pin(response.bytes_stream().eventsource()));
                    }
                    Err(ClientError::Transport(e)) => self.lost(e).await?,
                    Err(e) => return Err(e),
                }
                continue;
            };
            match frames.next().await {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    let view: EventView = serde_json::from_str(&frame.data)
                        .map_err(|source| ClientError::Decode { status: 200, source })?;
                    (self.last, self.lost) = (Some(view.seq), 0);
                    return Ok(Some(view));
                }
                Some(Err(EventStreamError::Transport(e))) => self.lost(e).await?,
                // Not text, or not events: what follows cannot be trusted to be whole.
                Some(Err(EventStreamError::Utf8(_) | EventStreamError::Parser(_))) => {
                    return Err(ClientError::Broken);
                }
            }
        }
    }

    async fn lost(&mut self, error: reqwest::Error) -> Result<(), ClientError> {
        self.frames = None;
        self.lost += 1;
        if self.lost >= LOST_MAX {
            return Err(error.into());
        }
        tokio::time::sleep(PAUSE.saturating_mul(1 << (self.lost - 1))).await;
        Ok(())
    }
}
