//! Serves a live run: check, intent, effect, record, return — in this order, for every call.

use crate::bridge::{Ask, Reply};
use crate::drive::Driver;
use crate::gate::Gate;
use crate::port::{CallError, Host, HostFault};
use crate::recording::{CallResult, Event};

/// A live run's driver.
pub(crate) struct Live<'h> {
    pub(crate) host: &'h mut dyn Host,
    pub(crate) gate: Gate,
}

impl Live<'_> {
    /// Closes what the guest left open. Called once, after the run.
    pub(crate) fn close_all(&mut self) {
        for cursor in self.gate.close_all() {
            self.host.sql_close(cursor);
        }
    }

    async fn open(
        &mut self,
        call: &Event,
        query: &str,
        params: Vec<(String, domain::Value)>,
    ) -> Result<CallResult, HostFault> {
        let admitted = match self.gate.admit(query, params) {
            Ok(admitted) => admitted,
            Err(refused) => {
                // Nothing leaves, so no barrier; the denial is recorded like any other result.
                self.host.record(call)?;
                return Ok(CallResult::Error(refused));
            }
        };
        // If we die before this returns, nothing was sent and the intent may or may not be there. If
        // we die after it, the recording says that the query may have reached the target.
        self.host.intent(call).await?;
        let opened = self
            .host
            .sql_open(&admitted.pair, &admitted.query, admitted.params, admitted.budget)
            .await;
        Ok(match opened {
            Ok(opened) => {
                self.gate.opened(opened.cursor, admitted.query.name);
                CallResult::Opened { cursor: opened.cursor, columns: opened.columns }
            }
            Err(error) => CallResult::Error(error),
        })
    }

    async fn next(&mut self, cursor: u64, rows_max: u32) -> Result<CallResult, CallError> {
        let rows = self.gate.rows_to_ask(cursor, rows_max)?;
        let page = self.host.sql_next(cursor, rows).await?;
        self.gate.count(cursor, &page)?;
        Ok(CallResult::Page { rows: page.rows, done: page.done })
    }

    fn returns(&mut self, seq: u64, result: CallResult) -> Result<Reply, HostFault> {
        let event = Event::Return { seq, result };
        self.host.record(&event)?;
        let Event::Return { result, .. } = event else {
            let problem = "an event has changed its kind".to_owned();
            return Err(HostFault::Broken { problem });
        };
        Ok(Reply::Call(result))
    }
}

impl Driver for Live<'_> {
    type Broken = HostFault;

    async fn serve(&mut self, ask: Ask) -> Result<Reply, HostFault> {
        match ask {
            Ask::Local { event } => {
                self.host.record(&event)?;
                Ok(Reply::Done)
            }
            Ask::Progress { event, percent, note } => {
                self.host.record(&event)?;
                self.host.progress(percent, &note).await?;
                Ok(Reply::Done)
            }
            Ask::Open { event, seq, query, params } => {
                let result = self.open(&event, &query, params).await?;
                self.returns(seq, result)
            }
            Ask::Next { event, seq, cursor, rows_max } => {
                self.host.record(&event)?;
                let result = self.next(cursor, rows_max).await.unwrap_or_else(CallResult::Error);
                self.returns(seq, result)
            }
        }
    }

    fn close(&mut self, cursor: u64) {
        if self.gate.close(cursor) {
            self.host.sql_close(cursor);
        }
    }
}
