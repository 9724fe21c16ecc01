//! A person at a server: a client, a key, and what is believed. Every command that talks to a
//! server works on one of these; the demo makes several.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use api::types::DocumentView;
use api::{Authorities, Client, ClientConfig};
use domain::bundle::INDEX_PATH;
use domain::{BundleIndex, BundlePath, Clock, Digest, Entropy, PersonId, Timestamp, TrustDomain};
use executor::{OsEntropy, SystemClock};
use serde_json::value::RawValue;
use trust::{Authority, Document, Envelope, Header, Salt, Verified};

use crate::args::Who;
use crate::attendant::Attendant;
use crate::believed::{Memory, Pin, Shown};
use crate::bundle::Bundle;
use crate::config::{self, Config, Context, Environment};
use crate::exit::Failure;
use crate::out::Out;
use crate::signer::Signer;

/// To connect to a server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For one call; the wait for a run is added.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Time and entropy of this process.
#[derive(Clone)]
pub(crate) struct World {
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Ids and salts.
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl World {
    /// The machine's own.
    pub(crate) fn real() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy) }
    }

    /// The current second.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The header of a new document that is valid from now.
    pub(crate) fn header<I>(&self, domain: &TrustDomain, id: I, life_s: i64) -> Header<I> {
        let now = self.now();
        Header {
            trust_domain: domain.clone(),
            id,
            not_before: now,
            not_after: now.plus_s(life_s),
            salt: Salt(self.entropy.salt()),
        }
    }
}

/// A person at a server.
pub(crate) struct Session {
    /// Talks to the server, with the person's token.
    pub(crate) client: Client,
    /// Who signs.
    pub(crate) person: PersonId,
    /// Signs.
    pub(crate) key: Signer,
    /// The audience of every signature.
    pub(crate) trust_domain: TrustDomain,
    /// The keyring that is believed, and those that follow it.
    pub(crate) keyring: Digest,
    /// Status keepers that are told of stops directly.
    pub(crate) keepers: Vec<Client>,
    /// The newest versions seen.
    pub(crate) memory: Memory,
    /// Time and entropy.
    pub(crate) world: World,
}

/// A client without a session. `ca` are certificate authorities to believe beside the system's, PEM.
pub(crate) fn client(url: &str, ca: Option<&str>) -> anyhow::Result<Client> {
    let authorities = ca.map(Authorities::from_pem).transpose();
    let authorities = authorities.context("the certificate authority of this context")?;
    Ok(Client::new(ClientConfig {
        base: url.to_owned(),
        authorities: authorities.unwrap_or_default(),
        token: None,
        connect_timeout: CONNECT_TIMEOUT,
        call_timeout: CALL_TIMEOUT,
        entropy: Arc::new(OsEntropy),
    })?)
}

/// Clients of the status keepers of a context.
pub(crate) fn keepers(context: &Context) -> anyhow::Result<Vec<Client>> {
    context.keepers.iter().map(|url| client(url, context.ca.as_deref())).collect()
}

impl Session {
    /// The session that command line and contexts describe. Without a valid token it logs in first:
    /// the key is at hand, and a token permits nothing that the key does not sign.
    pub(crate) async fn open(who: &Who, env: &Environment, out: Out) -> anyhow::Result<Self> {
        let (name, context) = Config::load(&env.dir)?.choose(who)?;
        let key = Signer::open(&context.key)?;
        let bare = client(&context.url, context.ca.as_deref())?;
        let keep = who.person.is_none() && who.url.is_none();
        let attendant = Attendant {
            out,
            client: bare.clone(),
            person: context.person.clone(),
            key: context.key.clone(),
            trust_domain: context.trust_domain.clone(),
            keep: keep.then(|| (env.dir.clone(), name.clone())),
            said: Mutex::default(),
        };
        let mut session = Self {
            client: bare.attended_by(Arc::new(attendant)),
            keepers: keepers(&context)?,
            person: context.person,
            key,
            trust_domain: context.trust_domain,
            keyring: context.keyring,
            memory: Memory::of(&env.dir, &name),
            world: World::real(),
        };
        // A token belongs to the server that gave it; another address is told nothing.
        let known = config::token(&env.dir, &name).filter(|_| who.url.is_none());
        if let Some(token) = known {
            session.client = session.client.with_token(token);
            // A session that is over is renewed on the way.
            if session.client.session().await?.person == session.person {
                return Ok(session);
            }
        }
        let opened = crate::commands::login::log_in(&mut session).await?;
        if keep {
            config::keep_token(&env.dir, &name, &opened.token)?;
        }
        Ok(session)
    }

    /// The header of a new document of this person.
    pub(crate) fn header<I>(&self, id: I, life_s: i64) -> Header<I> {
        self.world.header(&self.trust_domain, id, life_s)
    }

    /// Signs a document; the result is ready to be filed. The person may have to type or touch.
    pub(crate) fn sign<D: Document>(&self, doc: &D) -> anyhow::Result<Envelope> {
        self.key.sign(doc)
    }

    /// Keyring, directory and policy of the server, verified against the pinned keyring and the newest
    /// versions seen.
    pub(crate) async fn authority(&self) -> anyhow::Result<Authority> {
        let pin = Pin { trust_domain: self.trust_domain.clone(), keyring: self.keyring };
        let seen = self.memory.seen(&pin)?;
        let shown = Shown::by(&self.client).await?;
        let established = match shown.establish(&pin, &seen, self.world.now()) {
            Ok(authority) => Ok(authority),
            Err(first) => {
                // Something may have been adopted between two of the answers.
                let again = Shown::by(&self.client).await?;
                if again == shown {
                    Err(first)
                } else {
                    again.establish(&pin, &seen, self.world.now())
                }
            }
        };
        let authority = established.map_err(|e| {
            Failure::evidence(
                format!("the server's keyring, directory and policy are not to be believed: {e}"),
                "compare the context's keyring digest with your administrators; sign nothing until it fits",
            )
        })?;
        self.memory.keep(&pin, &authority)?;
        Ok(authority)
    }

    /// A signed statement by its id or digest, verified: the one that was asked for.
    pub(crate) async fn statement<D: Document>(
        &self,
        authority: &Authority,
        reference: &str,
    ) -> anyhow::Result<Verified<D>> {
        let view = self.client.document(reference).await?;
        let found: Verified<D> = verified(authority, &view)?;
        let payload: serde_json::Value = serde_json::from_slice(envelope(&view)?.payload())?;
        let is_it = payload["header"]["id"] == reference || found.digest().to_string() == reference;
        if is_it {
            return Ok(found);
        }
        Err(Failure::evidence(
            format!("the server shows {} for {reference}", payload["header"]["id"]),
            "the server is broken or lies; sign nothing",
        )
        .into())
    }

    /// Fetches a revision's files and hashes them here.
    pub(crate) async fn fetch(&self, revision: &Digest) -> anyhow::Result<Bundle> {
        let bytes = self.client.file(revision, &path(INDEX_PATH)?).await?;
        if Digest::of(&bytes) != *revision {
            return Err(Failure::evidence(
                format!("the server's {INDEX_PATH} of {revision} has another digest"),
                "the server is broken or lies; sign nothing",
            )
            .into());
        }
        let index = BundleIndex::parse(&bytes)?;
        let mut files = std::collections::BTreeMap::new();
        for (path, digest) in index.files() {
            let bytes = self.client.file(revision, path).await?;
            if Digest::of(&bytes) != *digest {
                return Err(Failure::evidence(
                    format!("the server's {path} is not the one that {revision} lists"),
                    "the server is broken or lies; sign nothing",
                )
                .into());
            }
            files.insert(path.clone(), bytes);
        }
        Bundle::check(index, files)
    }

    /// The revision that `reference` names: a digest, its first hex digits, a script's name (its
    /// newest revision) or `name@version`.
    pub(crate) async fn resolve(&self, reference: &str) -> anyhow::Result<Digest> {
        if let Ok(digest) = reference.parse::<Digest>() {
            return Ok(digest);
        }
        let all = self.client.scripts().await?;
        let prefix = reference.strip_prefix("sha256:").unwrap_or(reference);
        let is_prefix = prefix.len() >= 6 && prefix.bytes().all(|b| b.is_ascii_hexdigit());
        let (name, version) = match reference.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (reference, None),
        };
        let named = |s: &&api::types::ScriptView| {
            s.script.as_str() == name && version.is_none_or(|v| s.version.as_str() == v)
        };
        if let Some(newest) = all.iter().filter(named).max_by_key(|s| s.created_ms) {
            return Ok(newest.revision);
        }
        let by_digest =
            |s: &&api::types::ScriptView| is_prefix && s.revision.hex().starts_with(prefix);
        let mut found = all.iter().filter(by_digest).map(|s| s.revision);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(Failure::usage(
                format!("\"{reference}\" begins more than one revision"),
                "give more digits",
            )
            .into()),
            (None, _) => Err(Failure::usage(
                format!("there is no script or revision \"{reference}\""),
                "list them: borescope scripts",
            )
            .into()),
        }
    }
}

/// The signed envelope out of a server's answer. Nothing else of the answer is believed.
pub(crate) fn envelope(view: &DocumentView) -> anyhow::Result<Envelope> {
    Envelope::from_json(view.envelope.get().as_bytes())
        .with_context(|| format!("the server's {} {}", view.kind, view.id))
}

/// Verifies a document out of a server's answer.
pub(crate) fn verified<D: Document>(
    authority: &Authority,
    view: &DocumentView,
) -> anyhow::Result<Verified<D>> {
    let envelope = envelope(view)?;
    authority
        .verify(&envelope, &BTreeSet::new())
        .with_context(|| format!("the server's {} {}", view.kind, view.id))
}

/// Bytes that a signed document names.
pub(crate) fn hashed(bytes: Vec<u8>, digest: &Digest) -> Result<Vec<u8>, Failure> {
    if Digest::of(&bytes) == *digest {
        return Ok(bytes);
    }
    Err(Failure::evidence(
        "the server shows another input than the one that was signed for",
        "the server is broken or lies; sign nothing",
    ))
}

/// An envelope as the API carries it: its exact JSON.
pub(crate) fn wire(envelope: &Envelope) -> anyhow::Result<api::Envelope> {
    let json = String::from_utf8(envelope.to_json()?)?;
    Ok(RawValue::from_string(json)?)
}

/// A path inside a bundle.
pub(crate) fn path(text: &str) -> anyhow::Result<BundlePath> {
    Ok(text.parse::<BundlePath>()?)
}

/// Reads an input file.
pub(crate) fn read_input(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)?;
        return Ok(bytes);
    }
    Ok(std::fs::read(path).map_err(|e| {
        Failure::usage(
            format!("the input {} cannot be read: {e}", path.display()),
            "give a JSON file that fits the script's input.schema.json",
        )
    })?)
}
