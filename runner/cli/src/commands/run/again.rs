//! The same once more: revision, targets and input of a run, by its signed order.

use domain::{Digest, RunId};
use trust::{Authority, RunRequest, Verified};

use crate::chosen::{Chosen, check_input};
use crate::commands::Call;
use crate::dossier::Dossier;
use crate::exit::Failure;
use crate::session::{Session, hashed};

/// What a run was ordered to do; its input is fetched and hashed here.
pub(super) async fn of_run(
    call: &Call<'_>,
    session: &Session,
    id: &RunId,
) -> anyhow::Result<Chosen> {
    let authority = session.authority().await?;
    let view = session.client.run(id).await?;
    let order = order(session, &authority, &view.run_request).await.map_err(|error| {
        let help = "one that never started is not on file; order it anew, by its script";
        Failure::usage(format!("what {id} was ordered to do is not known: {error}"), help)
    })?;
    let doc = order.doc();
    if doc.run != *id {
        let help = "the server is broken or lies; sign nothing";
        return Err(
            Failure::evidence(format!("the server shows {} for {id}", doc.run), help).into()
        );
    }
    let input = hashed(session.client.run_input(id).await?, &doc.input)?;
    let bundle = session.fetch(&doc.revision).await?;
    let dossier = Dossier::about(session, authority, bundle, &doc.pairs).await?;
    check_input(&dossier.bundle, &input)?;
    let m = &dossier.bundle.manifest;
    call.out.note(format!("{} {}  {}", m.name, m.version, dossier.bundle.revision));
    Ok(Chosen { pairs: doc.pairs.clone(), input, dossier })
}

/// A run's signed order.
pub(super) async fn order(
    session: &Session,
    authority: &Authority,
    digest: &Digest,
) -> anyhow::Result<Verified<RunRequest>> {
    session.statement(authority, &digest.to_string()).await
}
