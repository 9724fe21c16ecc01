//! What a client does at a person's side when a call does not go through: it says that it tries again,
//! and logs in when the session is over. The key is at hand, and a token permits nothing that the key
//! does not sign.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use api::{Client, ClientError};
use domain::{PersonId, TrustDomain};

use crate::commands::login;
use crate::config;
use crate::out::Out;
use crate::signer::Signer;

/// Who is told, and who logs in.
pub(crate) struct Attendant {
    /// Where to say it.
    pub(crate) out: Out,
    /// Without a session.
    pub(crate) client: Client,
    /// Who logs in.
    pub(crate) person: PersonId,
    /// Their key's file.
    pub(crate) key: PathBuf,
    /// The audience of the login.
    pub(crate) trust_domain: TrustDomain,
    /// Where the token is kept: folder and context; nowhere for somebody else than the context's person.
    pub(crate) keep: Option<(PathBuf, String)>,
    /// What was said last: the same is not said again and again.
    pub(crate) said: Mutex<String>,
}

impl Attendant {
    async fn log_in(&self) -> anyhow::Result<String> {
        let key = Signer::open(&self.key)?;
        let (client, domain) = (&self.client, &self.trust_domain);
        let opened = login::answer_challenge(client, &self.person, domain, &key).await?;
        if let Some((dir, context)) = &self.keep {
            config::keep_token(dir, context, &opened.token)?;
        }
        Ok(opened.token)
    }
}

impl api::Attendant for Attendant {
    fn again(&self, why: &ClientError, _: Duration) {
        let text = format!("{why}; trying again");
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if *said != text {
            self.out.note(&text);
            *said = text;
        }
    }

    fn renew(&self) -> Pin<Box<dyn Future<Output = Option<String>> + Send + '_>> {
        Box::pin(async {
            match self.log_in().await {
                Ok(token) => {
                    self.out.note("the session was over: logged in again");
                    Some(token)
                }
                Err(error) => {
                    let error = crate::exit::chain(&error);
                    self.out.note(format!("the session is over, and logging in fails: {error}"));
                    None
                }
            }
        })
    }
}
