//! `borescope logout`: end the session of a context, and forget its token.

use anyhow::Context as _;
use api::{ClientError, Code};
use clap::Args;
use domain::SessionId;

use super::Call;
use crate::args::Who;
use crate::config::{self, Config};
use crate::exit::Exit;
use crate::session::client;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope logout
  borescope logout --context shop-dev

The context stays: the next command logs in again, for which it needs your key.")]
pub(crate) struct LogoutArgs {}

/// Logs out.
pub(crate) async fn command(call: &Call<'_>, _: LogoutArgs) -> anyhow::Result<Exit> {
    // A token belongs to its context, whatever else the command line names.
    let of = Who { context: call.who.context.clone(), ..Who::default() };
    let (name, context) = Config::load(&call.env.dir)?.choose(&of)?;
    let token = config::token(&call.env.dir, &name);
    // First: whatever the server says, nobody here uses it any more.
    config::forget_token(&call.env.dir, &name)?;
    let ended = match token {
        Some(token) => {
            let client = client(&context.url, context.ca.as_deref())?.with_token(token);
            end(&client).await.context(
                "the token is forgotten here, but the server was not told; its session ends by \
                 itself, or by `borescope sessions --revoke`",
            )?
        }
        None => None,
    };
    if call.out.json {
        call.out.json(&serde_json::json!({ "context": name, "ended": ended }))?;
    } else if let Some(id) = ended {
        call.out.line(format!("logged out of {}: {id} has ended (context {name})", context.url))?;
    } else {
        call.out.line(format!("no session was open at {} (context {name})", context.url))?;
    }
    Ok(Exit::Ok)
}

/// Ends the client's own session; `None` when it was over.
async fn end(client: &api::Client) -> Result<Option<SessionId>, ClientError> {
    let done = async { client.revoke_session(&client.session().await?.id).await };
    match done.await {
        Ok(session) => Ok(Some(session.id)),
        Err(ClientError::Problem(p)) if p.code == Code::Unauthorized => Ok(None),
        Err(e) => Err(e),
    }
}
