//! The signed order of a run.

use std::time::Duration;

use api::types::{RunOrdered, RunView};
use domain::{Digest, RunId, RunRequestId};
use trust::{Authority, RunRequest};

use super::{Ask, Under, is_ours};
use crate::dossier::Requested;
use crate::exit::{Failure, about_run};
use crate::session::{Session, wire};

/// How long a run request may be used, seconds; the longest that runners accept is 300.
const LIFE_S: i64 = 120;

/// How long the server is asked to wait before it answers: most runs end in that time, in one call.
const AT_ONCE: Duration = Duration::from_secs(1);

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

/// Sends the input, then the order.
pub(super) async fn send(
    session: &Session,
    run: &RunId,
    order: &RunOrdered,
    input: &[u8],
) -> anyhow::Result<RunView> {
    let stored = session.client.store_input(input.to_vec()).await?;
    if stored.digest != Digest::of(input) {
        let message = "the server stored other bytes than were sent";
        return Err(Failure::evidence(message, "nothing ran; try again").into());
    }
    let ordered = session.client.order_run(order, AT_ONCE, None).await;
    let view = ordered.map_err(|e| about_run(run, false, e))?;
    is_ours(&view, run)?;
    Ok(view)
}
