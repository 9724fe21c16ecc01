//! Runs and their released events.
//!
//! The state is `domain::RunState` as JSON; a move is checked against the state that is stored, in
//! the same transaction. Events are a copy of what `release()` has recorded and sent.

use domain::{Denial, Digest, Outcome, PersonId, ReceiptId, RequestId, RunId, RunState};
use sqlx::sqlite::SqliteRow;

use crate::row::{Reader, int};
use crate::{LIST_ROWS_MAX, Store, StoreError, Tx, sql};

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The digest of the run request's payload.
    pub run_request: Digest,
    /// The access request that it uses.
    pub request: Option<RequestId>,
    /// Who ordered it.
    pub caller: PersonId,
    /// What it executes.
    pub revision: Digest,
    /// Where it is.
    pub state: RunState,
    /// When it was accepted, Unix milliseconds.
    pub queued_ms: u64,
    /// When its start was recorded, Unix milliseconds.
    pub started_ms: Option<u64>,
    /// When it ended, Unix milliseconds.
    pub ended_ms: Option<u64>,
    /// Why it never started.
    pub denial: Option<Denial>,
    /// The runner's statement about it.
    pub receipt: Option<ReceiptId>,
    /// The blob with its recording.
    pub recording: Option<Digest>,
    /// The blob with its result.
    pub result: Option<Digest>,
}

/// How a run ended, and what it left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// How.
    pub outcome: Outcome,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// Why it never started.
    pub denial: Option<Denial>,
    /// The runner's statement about it.
    pub receipt: Option<ReceiptId>,
    /// The blob with its recording.
    pub recording: Option<Digest>,
    /// The blob with its result.
    pub result: Option<Digest>,
}

/// One released event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEvent {
    /// Its number in the run, from 0 without gaps.
    pub seq: u64,
    /// When it was stored, Unix milliseconds.
    pub at_ms: u64,
    /// The event, JSON.
    pub body: String,
}

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of this caller only.
    pub caller: Option<PersonId>,
    /// Only those that have not ended.
    pub open_only: bool,
}

impl Tx {
    /// Inserts a run in state `queued`; the fields of later states are ignored.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the run id has been used.
    pub async fn insert_run(&mut self, run: &Run) -> Result<(), StoreError> {
        let done = sqlx::query(sql::INSERT_RUN)
            .bind(run.id.as_str())
            .bind(run.run_request.to_string())
            .bind(run.request.as_ref().map(RequestId::as_str))
            .bind(run.caller.as_str())
            .bind(run.revision.to_string())
            .bind(json("a run state", &RunState::Queued)?)
            .bind(int(run.queued_ms, "a time")?)
            .execute(&mut *self.inner)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Exists { what: "run", key: run.id.to_string() });
        }
        Ok(())
    }

    /// One run, as this transaction leaves it.
    ///
    /// # Errors
    /// As [`Store::run`].
    pub async fn run(&mut self, id: &RunId) -> Result<Option<Run>, StoreError> {
        let query = sqlx::query(sql::RUN).bind(id.as_str());
        query.fetch_optional(&mut *self.inner).await?.as_ref().map(read).transpose()
    }

    /// Moves a run to `running`.
    ///
    /// # Errors
    /// When there is no such run, or it is not `queued`.
    pub async fn start_run(&mut self, id: &RunId, at_ms: u64) -> Result<(), StoreError> {
        let (from, to) = self.step(id, RunState::Running).await?;
        let query = sqlx::query(sql::START_RUN)
            .bind(id.as_str())
            .bind(to)
            .bind(int(at_ms, "a time")?)
            .bind(from);
        one_row(id, query.execute(&mut *self.inner).await?.rows_affected())
    }

    /// Ends a run.
    ///
    /// # Errors
    /// When there is no such run, or it cannot end so from where it is.
    pub async fn end_run(&mut self, id: &RunId, end: &RunEnd) -> Result<(), StoreError> {
        let (from, to) = self.step(id, RunState::Ended { outcome: end.outcome }).await?;
        let denial = end.denial.as_ref().map(|d| json("a denial", d)).transpose()?;
        let query = sqlx::query(sql::END_RUN)
            .bind(id.as_str())
            .bind(to)
            .bind(int(end.at_ms, "a time")?)
            .bind(denial)
            .bind(end.receipt.as_ref().map(ReceiptId::as_str))
            .bind(end.recording.map(|d| d.to_string()))
            .bind(end.result.map(|d| d.to_string()))
            .bind(from);
        one_row(id, query.execute(&mut *self.inner).await?.rows_affected())
    }

    /// The stored text of the state that the run is in, and of the one that it moves to.
    async fn step(&mut self, id: &RunId, to: RunState) -> Result<(String, String), StoreError> {
        let run = self.run(id).await?;
        let run = run.ok_or_else(|| StoreError::Absent { what: "run", key: id.to_string() })?;
        let moved = run.state.to(to);
        let to = moved.map_err(|source| StoreError::Move { run: id.to_string(), source })?;
        Ok((json("a run state", &run.state)?, json("a run state", &to)?))
    }
}

impl Store {
    /// One run.
    ///
    /// # Errors
    /// When the database fails or the row is corrupt; so for all reads.
    pub async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError> {
        let query = sqlx::query(sql::RUN).bind(id.as_str());
        query.fetch_optional(&self.reads).await?.as_ref().map(read).transpose()
    }

    /// The runs that match, newest first, at most [`LIST_ROWS_MAX`].
    ///
    /// # Errors
    /// As [`Store::run`].
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
        let query = sqlx::query(sql::RUNS)
            .bind(filter.caller.as_ref().map(PersonId::as_str))
            .bind(filter.open_only)
            .bind(LIST_ROWS_MAX);
        query.fetch_all(&self.reads).await?.iter().map(read).collect()
    }

    /// Adds a released event (JSON) to a run and returns its number.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when there is no such run.
    pub async fn append_event(
        &self,
        run: &RunId,
        at_ms: u64,
        body: &str,
    ) -> Result<u64, StoreError> {
        let query = sqlx::query(sql::INSERT_EVENT)
            .bind(run.as_str())
            .bind(int(at_ms, "a time")?)
            .bind(body);
        let row = query.fetch_optional(&self.writes).await?;
        let row = row.ok_or_else(|| StoreError::Absent { what: "run", key: run.to_string() })?;
        Reader::new(&row, "run_events", "run")?.number("seq")
    }

    /// A run's events from number `from_seq` on, at most `rows_max`.
    ///
    /// # Errors
    /// As [`Store::run`].
    pub async fn events(
        &self,
        run: &RunId,
        from_seq: u64,
        rows_max: u32,
    ) -> Result<Vec<RunEvent>, StoreError> {
        let query = sqlx::query(sql::EVENTS)
            .bind(run.as_str())
            .bind(int(from_seq, "an event number")?)
            .bind(rows_max);
        let read = |row: &SqliteRow| {
            let row = Reader::new(row, "run_events", "run")?;
            let (seq, at_ms) = (row.number("seq")?, row.number("at_ms")?);
            Ok(RunEvent { seq, at_ms, body: row.text("body")? })
        };
        query.fetch_all(&self.reads).await?.iter().map(read).collect()
    }
}

fn one_row(id: &RunId, rows: u64) -> Result<(), StoreError> {
    match rows {
        1 => Ok(()),
        _ => Err(StoreError::Absent { what: "run", key: id.to_string() }),
    }
}

fn json(what: &'static str, value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::TooLarge { what })
}

fn read(row: &SqliteRow) -> Result<Run, StoreError> {
    let row = Reader::new(row, "runs", "id")?;
    Ok(Run {
        id: row.parse("id")?,
        run_request: row.parse("run_request")?,
        request: row.parse_opt("request")?,
        caller: row.parse("caller")?,
        revision: row.parse("revision")?,
        state: row.json("state")?,
        queued_ms: row.number("queued_ms")?,
        started_ms: row.number_opt("started_ms")?,
        ended_ms: row.number_opt("ended_ms")?,
        denial: row.json_opt("denial")?,
        receipt: row.parse_opt("receipt")?,
        recording: row.parse_opt("recording")?,
        result: row.parse_opt("result")?,
    })
}
