//! The signed order of a run.

use api::types::RunOrdered;
use domain::{Digest, RunId, RunRequestId};
use trust::{Authority, RunRequest};

use super::{Ask, Under};
use crate::dossier::Requested;
use crate::session::{Session, wire};

/// How long a run request may be used, seconds; the longest that runners accept is 300.
const LIFE_S: i64 = 120;

/// The signed order, and the run that it is for.
pub(super) async fn sign(
    session: &Session,
    authority: &Authority,
    ask: &Ask,
) -> anyhow::Result<(RunId, RunOrdered)> {
    let id = RunRequestId::new(&*session.world.clock, &*session.world.entropy);
    let (header, caller) = (session.header(id, LIFE_S), session.person.clone());
    let run = RunId::new(&*session.world.clock, &*session.world.entropy);
    let input = Digest::of(&ask.input);
    let order = match &ask.under {
        Under::Request(id) => {
            let requested = Requested::fetch(session, authority, id).await?;
            let doc = requested.doc();
            RunRequest {
                header,
                caller,
                run,
                revision: doc.revision,
                request: Some(requested.request.digest()),
                runner: doc.runner.clone(),
                pairs: requested.pairs(),
                input,
                use_number: ask.use_number.unwrap_or_else(|| requested.next_use()),
            }
        }
        Under::SelfServe { revision, pairs, runner } => RunRequest {
            header,
            caller,
            run,
            revision: *revision,
            request: None,
            runner: runner.clone(),
            pairs: pairs.clone(),
            input,
            use_number: 0,
        },
    };
    let run_request = wire(&session.sign(&order)?)?;
    Ok((order.run, RunOrdered { run_request, input: None }))
}
