//! The client's half of a run's event stream: every released event once and in order, also when the
//! connection is lost in between.

use std::pin::Pin;

use domain::RunId;
use eventsource_stream::{Event, EventStreamError, Eventsource as _};
use futures_util::{Stream, StreamExt as _};

use crate::retry::{TRIES, Tries};
use crate::types::EventView;
use crate::{Client, ClientError};

type Frames = Pin<Box<dyn Stream<Item = Result<Event, EventStreamError<reqwest::Error>>> + Send>>;

/// Follows one run; made by [`Client::events`].
pub struct RunEvents {
    client: Client,
    run: RunId,
    last: Option<u64>,
    frames: Option<Frames>,
    tries: Tries,
}

impl RunEvents {
    pub(crate) fn new(client: Client, run: RunId, last: Option<u64>) -> Self {
        let tries = Tries::new(TRIES);
        Self { client, run, last, frames: None, tries }
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
                    Err(e @ (ClientError::Silent(_) | ClientError::Between { .. })) => {
                        self.lost(e).await?;
                    }
                    Err(e) => return Err(e),
                }
                continue;
            };
            match frames.next().await {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    let view: EventView = serde_json::from_str(&frame.data)
                        .map_err(|source| ClientError::Decode { status: 200, source })?;
                    self.last = Some(view.seq);
                    self.tries.succeeded();
                    return Ok(Some(view));
                }
                Some(Err(EventStreamError::Transport(e))) => self.lost(e.into()).await?,
                // Not text, or not events: what follows cannot be trusted to be whole.
                Some(Err(EventStreamError::Utf8(_) | EventStreamError::Parser(_))) => {
                    return Err(ClientError::Broken);
                }
            }
        }
    }

    async fn lost(&mut self, error: ClientError) -> Result<(), ClientError> {
        self.frames = None;
        let Some(pause) = self.tries.after_loss() else {
            return Err(error);
        };
        self.client.tell(&error, pause);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
