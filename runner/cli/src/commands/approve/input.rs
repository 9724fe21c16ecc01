//! What an access request would look for: the input itself, not only its digest.

use domain::decide::InputRule;
use domain::schema::parse_json;

use crate::dossier::Requested;
use crate::session::{Session, hashed};
use crate::view::receipt;

/// The input field by field, from bytes that were hashed here. Who may approve may read it; what
/// nobody can read nobody approves.
pub(super) async fn lines(session: &Session, requested: &Requested) -> anyhow::Result<Vec<String>> {
    let doc = requested.doc();
    let InputRule::Exact { digest } = &doc.input else {
        return Ok(vec!["whatever fits the script's schema".to_owned()]);
    };
    let bytes = hashed(session.client.request_input(&doc.header.id).await?, digest)?;
    Ok(receipt::value(&parse_json(&bytes)?))
}
