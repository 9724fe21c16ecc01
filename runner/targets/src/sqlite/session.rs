//! A session: one thread that owns the connection, and its handle for async callers.
//!
//! SQLite blocks, so statements run on a thread of the session's own; the handle only sends jobs
//! and waits. Dropping a waiting future, or the handle, stops the statement and ends the thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use domain::{ParamType, QueryAnalysis, Value};
use tokio::sync::oneshot;

use super::statement::{Job, run};
use super::{SqliteSpec, open};
use crate::{Canceller, Caps, Session, Spool, TargetError};

/// Milliseconds beyond a statement's time in which the thread must have answered. A single call of
/// a function cannot be interrupted; a thread that exceeds this is given up.
const GRACE_MS: u64 = 2_000;

type Reply = oneshot::Sender<Result<Spool, TargetError>>;

/// The handle.
pub(super) struct SqliteSession {
    jobs: mpsc::Sender<(Job, Reply)>,
    canceller: Canceller,
    statement_ms_max: u64,
    lost: bool,
}

/// Tells the thread that nobody waits any more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl SqliteSession {
    /// Starts the thread and opens the target on it.
    pub(super) async fn start(spec: SqliteSpec) -> Result<Self, TargetError> {
        let (jobs, inbox) = mpsc::channel::<(Job, Reply)>();
        let (opened, is_open) = oneshot::channel();
        let statement_ms_max = spec.statement_ms_max;
        let work = move || match open::open(&spec) {
            Ok(target) => {
                // A caller that is gone has dropped the job sender too; the loop ends at once.
                let _ = opened.send(Ok(()));
                while let Ok((job, reply)) = inbox.recv() {
                    let _ = reply.send(run(&target, &job));
                }
            }
            Err(e) => {
                let _ = opened.send(Err(e));
            }
        };
        let thread = std::thread::Builder::new().name("target-sqlite".into());
        thread.spawn(work).map_err(|_| TargetError::SessionLost)?;
        is_open.await.map_err(|_| TargetError::SessionLost)??;
        Ok(Self { jobs, canceller: Canceller::default(), statement_ms_max, lost: false })
    }
}

#[async_trait::async_trait]
impl Session for SqliteSession {
    async fn query_as_reviewed(
        &mut self,
        sql: &str,
        params: &[(ParamType, Value)],
        caps: Caps,
        reviewed: Option<&QueryAnalysis>,
    ) -> Result<Spool, TargetError> {
        if self.lost {
            return Err(TargetError::SessionLost);
        }
        let abandoned = Arc::new(AtomicBool::new(false));
        let _stop = StopOnDrop(Arc::clone(&abandoned));
        let cancelled = self.canceller.clone();
        let (sql, params, reviewed) = (sql.to_owned(), params.to_vec(), reviewed.cloned());
        let job = Job { sql, params, caps, reviewed, abandoned, cancelled };
        let (reply, answer) = oneshot::channel();
        let ms_max = caps.time_ms_max.min(self.statement_ms_max);
        let patience = Duration::from_millis(ms_max.saturating_add(GRACE_MS));
        let sent = self.jobs.send((job, reply)).is_ok();
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(result)) if sent => result,
            Ok(_) => {
                self.lost = true;
                Err(TargetError::SessionLost)
            }
            Err(_) => {
                self.lost = true;
                Err(TargetError::StatementTime { ms_max })
            }
        }
    }

    fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }
}

impl Drop for SqliteSession {
    fn drop(&mut self) {
        self.canceller.cancel();
    }
}
