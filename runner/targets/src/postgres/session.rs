//! A session: one connection of one run, never shared and never used again.
//!
//! Dropping a future of it, or cancelling it, ends it for good.

use std::time::{Duration, Instant};

use domain::analysis::Catalog;
use domain::plan::Expected;
use domain::{ParamType, QueryAnalysis, Value};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::Reach;
use super::connect::{CONNECT_TIME_MAX, CancelOnDrop, Live, connect};
use super::gate::Passed;
use super::grants::Grants;
use super::identity::{self, Found};
use super::spec::PostgresSpec;
use super::statement::{Place, expect, run};
use super::{catalog, doctor, gate};
use crate::{Canceller, Caps, Fault, Session, Spool, TargetError};

/// Beyond a statement's time, in which the server must have ended it. Then the session is given up.
const GRACE: Duration = Duration::from_millis(500);

/// An open session.
pub(super) struct PostgresSession {
    live: Live,
    spec: PostgresSpec,
    found: Found,
    grants: Grants,
    passed: Passed,
    /// Free for another session when this one is gone.
    _place: Option<OwnedSemaphorePermit>,
}

impl PostgresSession {
    /// The same, with its place among the target's sessions.
    pub(super) fn in_place(self, place: OwnedSemaphorePermit) -> Self {
        Self { _place: Some(place), ..self }
    }

    /// Connects and checks everything that can be checked before a statement.
    pub(super) async fn open(spec: &PostgresSpec) -> Result<Self, TargetError> {
        spec.check()?;
        let opening = async {
            let live = connect(spec).await?;
            let unanswered = CancelOnDrop::of(&live);
            let session = Self::checked(live, spec).await;
            unanswered.answered();
            session
        };
        timeout(CONNECT_TIME_MAX, opening).await.unwrap_or_else(|_| {
            Err(TargetError::Unreachable {
                hint: "the server did not answer in time; check that it is not overloaded",
                fault: Fault::Target,
                detail: String::new(),
            })
        })
    }

    async fn checked(live: Live, spec: &PostgresSpec) -> Result<Self, TargetError> {
        let found = identity::check(&live.client, spec).await?;
        let grants = Grants::load(&live.client, spec).await?;
        let passed = Passed::under(grants.grant.clone());
        let session = Self { live, spec: spec.clone(), found, grants, passed, _place: None };
        session.state().await?;
        Ok(session)
    }

    /// Checks the state, as each statement does again.
    async fn state(&self) -> Result<u64, TargetError> {
        let Self { live, spec, found, .. } = self;
        identity::check_state(&live.client, spec, found, spec.statement_ms_max).await
    }

    /// The catalog of all that is granted, and of every function that can be called.
    pub(super) async fn catalog(&self) -> Result<Catalog, TargetError> {
        let functions: Vec<String> = gate::callable().map(str::to_owned).collect();
        let unanswered = CancelOnDrop::of(&self.live);
        let read = catalog::read(&self.live.client, &self.spec.reads, &functions).await;
        unanswered.answered();
        read
    }

    /// What the planner expects of a statement.
    pub(super) async fn plan(
        &mut self,
        sql: &str,
        params: &[ParamType],
    ) -> Result<Expected, TargetError> {
        let Self { live, spec, found, grants, .. } = self;
        let ms_max = spec.statement_ms_max;
        let unanswered = CancelOnDrop::of(live);
        let place = Place { spec, found, grants, reviewed: None };
        let expecting = expect(&mut live.client, &place, sql, params, ms_max);
        let patience = Duration::from_millis(ms_max).saturating_add(GRACE);
        let Ok(result) = timeout(patience, expecting).await else {
            return Err(TargetError::StatementTime { ms_max });
        };
        unanswered.answered();
        result
    }

    pub(super) async fn reach(&self) -> Result<Reach, TargetError> {
        let Self { live, spec, grants, .. } = self;
        let hidden_relations = grants.others(&live.client).await?;
        let findings = doctor::look(&live.client, spec, grants).await?;
        Ok(Reach {
            identity: spec.identity.clone(),
            version: self.found.version.clone(),
            lag_s: self.state().await?,
            tables: grants.tables.clone(),
            hidden_relations,
            findings,
        })
    }
}

#[async_trait::async_trait]
impl Session for PostgresSession {
    async fn query_as_reviewed(
        &mut self,
        sql: &str,
        params: &[(ParamType, Value)],
        caps: Caps,
        reviewed: Option<&QueryAnalysis>,
    ) -> Result<Spool, TargetError> {
        let Self { live, spec, found, grants, passed, .. } = self;
        if live.canceller.is_cancelled() {
            return Err(TargetError::Cancelled);
        }
        if live.client.is_closed() {
            return Err(TargetError::SessionLost);
        }
        let unanswered = CancelOnDrop::of(live);
        let ms_max = caps.time_ms_max.min(spec.statement_ms_max);
        let started = Instant::now();
        let place = Place { spec, found, grants, reviewed };
        let running = run(&mut live.client, &place, passed, sql, params, caps, ms_max);
        let patience = Duration::from_millis(ms_max).saturating_add(GRACE);
        let Ok(result) = timeout(patience, running).await else {
            return Err(TargetError::StatementTime { ms_max });
        };
        unanswered.answered();
        match result {
            Err(_) if live.canceller.is_cancelled() => Err(TargetError::Cancelled),
            // The server ends a statement for its time with the same code as for a request.
            Err(TargetError::Cancelled) if started.elapsed() >= Duration::from_millis(ms_max) => {
                Err(TargetError::StatementTime { ms_max })
            }
            other => other,
        }
    }

    fn canceller(&self) -> Canceller {
        self.live.canceller.clone()
    }
}
