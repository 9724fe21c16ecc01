//! What a scenario gives its runner besides ordinary orders.

use domain::RunId;
use executor::runner::NotAccepted;
use executor::{RunOrder, Runner as _};
use trust::Envelope;

use super::{Rig, Story};

impl Rig {
    /// An order without an access request.
    pub fn self_serve_order(&self, story: &Story) -> (RunId, RunOrder) {
        let (_, mut order) = self.order(story, |_, _| {});
        let (manifest, revision) = (&story.uploaded.manifest, story.uploaded.revision);
        let run = self.company.self_serve_request(manifest, revision, story.input);
        order.documents.run_request = self.company.sign("alice", &run);
        order.documents.access_request = None;
        order.documents.approvals = vec![];
        (run.run, order)
    }

    /// A status that says what this runner has in force.
    pub fn status(&self) -> Envelope {
        let in_force = self.runner.state().in_force();
        self.company.sign("carol", &self.company.status(&in_force))
    }

    /// Gives the runner a document that belongs to no order.
    pub async fn accept(&self, envelope: &Envelope) -> Result<(), NotAccepted> {
        self.runner.accept(Self::wire(envelope)).await
    }
}
