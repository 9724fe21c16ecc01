//! `borescope login`: sign the server's challenge, keep the context and the token.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use api::types::{ChallengeRequest, SessionOpened};
use api::{Authorities, Client};
use clap::Args;
use domain::{PersonId, Timestamp, TrustDomain};
use ledger::TrustFile;
use trust::{Login, Salt};

use super::Call;
use crate::believed::Memory;
use crate::config::{self, Config, Context};
use crate::exit::{Exit, Failure};
use crate::session::{Session, World, client, wire};
use crate::signer::Signer;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope login --url http://127.0.0.1:7777 --as alice --key ~/.ssh/id_ed25519 --trust trust.toml
  borescope login --url https://borescope.shop.example --ca shop-ca.pem --as alice --key … --trust …
  borescope login --context shop-dev     log in again
  borescope login … --key ~/.ssh/id_ed25519_sk.pub       a security key, or a key of your agent

Beyond this machine the server must speak TLS: its certificate has to come from one of the system's
authorities, or from one in --ca, of which the context keeps a copy.

The key is kept as a path: a private file, or a .pub file whose key your agent or security key holds.
Passphrases, agents and touches are asked for by ssh-keygen, whenever something is signed.

The trust file comes from whoever set the server up (`borescope init` writes it). It says which
keyring you believe; the server is never asked for that.")]
pub(crate) struct LoginArgs {
    /// Trust file with trust domain and keyring digest; needed for a new context
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,

    /// Certificate authorities to believe beside the system's, PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Status keeper to tell of stops directly; repeat. Replaces those of the context
    #[arg(long = "keeper", value_name = "URL")]
    keepers: Vec<String>,
}

/// Logs in and keeps what is needed for the next commands.
pub(crate) async fn command(call: &Call<'_>, args: LoginArgs) -> anyhow::Result<Exit> {
    let mut config = Config::load(&call.env.dir)?;
    let (name, mut context) = match &args.trust {
        Some(path) => {
            let name = call.who.context.clone().unwrap_or_else(|| "default".to_owned());
            (name, new_context(call, path)?)
        }
        None => config.choose(call.who)?,
    };
    if let Some(path) = &args.ca {
        context.ca = Some(authorities(path)?);
    }
    if !args.keepers.is_empty() {
        context.keepers = args.keepers;
        crate::session::keepers(&context)?;
    }
    let client = client(&context.url, context.ca.as_deref())?;
    // As the client writes it: the login is bound to that.
    client.base().clone_into(&mut context.url);
    let mut session = Session {
        client,
        person: context.person.clone(),
        key: Signer::open(&context.key)?,
        trust_domain: context.trust_domain.clone(),
        keyring: context.keyring,
        keepers: Vec::new(),
        memory: Memory::of(&call.env.dir, &name),
        world: World::real(),
    };
    let opened = log_in(&mut session).await?;
    // What the server shows must fit the pin before it becomes a context.
    session.authority().await?;
    config.contexts.insert(name.clone(), context.clone());
    config.current = Some(name.clone());
    config.save(&call.env.dir)?;
    config::keep_token(&call.env.dir, &name, &opened.token)?;
    if call.out.json {
        call.out.json(&serde_json::json!({
            "context": name, "person": opened.person, "url": context.url,
            "expires_ms": opened.expires_ms,
        }))?;
    } else {
        let until =
            Timestamp::from_unix_s(i64::try_from(opened.expires_ms / 1000).unwrap_or(i64::MAX));
        let until = crate::when::show(until, &call.env.zone);
        let line = format!(
            "logged in to {} as {} until {until} (context {name})",
            context.url, opened.person
        );
        call.out.line(line)?;
    }
    Ok(Exit::Ok)
}

fn new_context(call: &Call<'_>, trust: &Path) -> anyhow::Result<Context> {
    let place = trust.display();
    let text = std::fs::read_to_string(trust).with_context(|| format!("cannot read {place}"))?;
    let trust = TrustFile::parse(&text).with_context(|| format!("{place}"))?;
    let missing = |flag: &str| {
        Failure::usage(
            format!("a new context needs {flag}"),
            "borescope login --url URL --as PERSON --key FILE --trust trust.toml",
        )
    };
    let key = call.who.key.clone().ok_or_else(|| missing("--key FILE"))?;
    Ok(Context {
        url: call.who.url.clone().ok_or_else(|| missing("--url URL"))?,
        ca: None,
        keepers: Vec::new(),
        person: call.who.person.clone().ok_or_else(|| missing("--as PERSON"))?,
        key: std::path::absolute(&key).unwrap_or(key),
        trust_domain: trust.trust_domain,
        keyring: trust.keyring,
    })
}

/// The certificates of a file, as the context keeps them.
pub(super) fn authorities(path: &Path) -> anyhow::Result<String> {
    let place = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {place}"))?;
    let wrong = |problem: String| {
        let help = "--ca takes the certificates of the authority that signed the server's";
        Failure::usage(format!("{place}: {problem}"), help)
    };
    if text.contains("PRIVATE KEY") {
        return Err(
            wrong("there is a private key in it, which stays where it is".to_owned()).into()
        );
    }
    Authorities::from_pem(&text).map_err(|e| wrong(e.to_string()))?;
    Ok(text)
}

/// Signs the server's challenge; from then on the session has a token.
pub(crate) async fn log_in(session: &mut Session) -> anyhow::Result<SessionOpened> {
    let (client, domain) = (&session.client, &session.trust_domain);
    let opened = answer_challenge(client, &session.person, domain, &session.key).await?;
    session.client = session.client.clone().with_token(opened.token.clone());
    Ok(opened)
}

/// Asks for a challenge and signs it, for the origin that this client dials.
pub(crate) async fn answer_challenge(
    client: &Client,
    person: &PersonId,
    trust_domain: &TrustDomain,
    key: &Signer,
) -> anyhow::Result<SessionOpened> {
    let origin = client.base().to_owned();
    let request = ChallengeRequest { person: person.clone(), origin: origin.clone() };
    let challenge = client.challenge(&request).await?;
    let mut nonce = [0; 16];
    hex::decode_to_slice(&challenge.challenge, &mut nonce)
        .context("the server's challenge is not 32 hex digits; compare versions")?;
    let ends = i64::try_from(challenge.expires_ms / 1000).unwrap_or(i64::MAX);
    let login = Login {
        trust_domain: trust_domain.clone(),
        person: person.clone(),
        origin,
        nonce: Salt(nonce),
        not_after: Timestamp::from_unix_s(ends),
    };
    Ok(client.open_session(&wire(&key.sign(&login)?)?).await?)
}
