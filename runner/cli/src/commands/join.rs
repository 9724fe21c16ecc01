//! `borescope join`: pin a trust domain's keyring and ask to be enrolled.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;
use domain::display::neutralise;
use domain::{Digest, FreeText, KeyClaimId};
use ledger::TrustFile;
use serde_json::json;
use trust::{Envelope, KeyClaim, Keyring, Role, Seen};

use super::Call;
use super::login::{authorities, log_in};
use crate::believed::{Memory, Pin, keyrings};
use crate::config::{self, Config, Context};
use crate::exit::{Exit, Failure, verdict};
use crate::out::Style;
use crate::session::{Session, World, client, wire};
use crate::signer::Signer;

/// How long a claim waits for somebody who accepts it, seconds: a week.
const LIFE_S: i64 = 7 * 86_400;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope join https://borescope.shop.example --as nina --key ~/.ssh/id_ed25519
  borescope join https://borescope.shop.example --as nina --key … --keyring sha256:…
  borescope join http://127.0.0.1:7777 --as nina --key … --trust trust.toml

Shows trust domain and keyring of the server, which you compare with somebody whom you trust, by
another channel: everything that you will ever be shown is verified against it. Then it hands in a key
claim, which a holder of the role `directory` accepts. Whoever is enrolled already is just logged in.")]
pub(crate) struct JoinArgs {
    /// Address of the server, as people dial it
    #[arg(value_name = "URL")]
    server: String,
    /// Trust file with trust domain and keyring digest, from somebody whom you trust
    #[arg(long, value_name = "FILE", conflicts_with = "keyring")]
    trust: Option<PathBuf>,
    /// The keyring's digest, from somebody whom you trust
    #[arg(long, value_name = "DIGEST")]
    keyring: Option<Digest>,
    /// Certificate authorities to believe beside the system's, PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// What people call you
    #[arg(long, value_name = "TEXT")]
    name: Option<FreeText>,
    /// For whoever accepts it: how to make sure that it is you
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: FreeText,
}

pub(crate) async fn command(call: &Call<'_>, args: JoinArgs) -> anyhow::Result<Exit> {
    let missing = |flag: &str| {
        let help = "borescope join URL --as PERSON --key FILE";
        Failure::usage(format!("to join you need {flag}"), help)
    };
    let person = call.who.person.clone().ok_or_else(|| missing("--as PERSON"))?;
    let key = call.who.key.clone().ok_or_else(|| missing("--key FILE"))?;
    let key = std::path::absolute(&key).unwrap_or(key);
    let signer = Signer::open(&key)?;
    let ca = args.ca.as_deref().map(authorities).transpose()?;
    let client = client(&args.server, ca.as_deref())?;
    let (first, successors) = keyrings(&client).await?;
    let pin = pin(call, &args, &first, &successors)?;
    let world = World::real();
    let keyring = believed(&pin, &first, &successors)?.live(world.now())?;
    let name = call.who.context.clone().unwrap_or_else(|| "default".to_owned());
    let context = Context {
        url: client.base().to_owned(),
        ca,
        person,
        key,
        trust_domain: pin.trust_domain.clone(),
        keyring: pin.keyring,
        keepers: Vec::new(),
    };
    let named = name.clone();
    let mut config = Config::load(&call.env.dir)?;
    not_another(&config, &name, &context)?;
    let mut session = Session {
        client,
        person: context.person.clone(),
        key: signer,
        trust_domain: pin.trust_domain,
        keyring: pin.keyring,
        keepers: Vec::new(),
        memory: Memory::of(&call.env.dir, &name),
        world,
    };
    let keep = move || -> anyhow::Result<()> {
        config.contexts.insert(name.clone(), context);
        config.current = Some(name);
        config.save(&call.env.dir)
    };
    match log_in(&mut session).await {
        Ok(opened) => {
            session.authority().await?;
            keep()?;
            config::keep_token(&call.env.dir, &named, &opened.token)?;
            enrolled(call, &named, &session)
        }
        Err(error) if verdict(&error).exit == Exit::Denied as u8 => {
            let claimed = claim(&session, &args).await?;
            keep()?;
            asked(call, &named, &session, keyring.doc(), &claimed)
        }
        Err(error) => Err(error),
    }
}

/// A context that is something else is not overwritten in passing.
fn not_another(config: &Config, name: &str, new: &Context) -> Result<(), Failure> {
    match config.contexts.get(name) {
        Some(old) if (&old.trust_domain, old.keyring) != (&new.trust_domain, new.keyring) => {
            Err(Failure::usage(
                format!("the context {name} pins another keyring, of {}", old.trust_domain),
                "give the new one a name of its own: --context NAME",
            ))
        }
        _ => Ok(()),
    }
}

/// What is believed from now on: what somebody gave, or what the person has compared.
fn pin(
    call: &Call<'_>,
    args: &JoinArgs,
    first: &Envelope,
    successors: &[Envelope],
) -> anyhow::Result<Pin> {
    let newest = successors.last().unwrap_or(first);
    if let Some(path) = &args.trust {
        let text = super::keys::propose::read(path)?;
        let trust = TrustFile::parse(&text)?;
        return Ok(Pin { trust_domain: trust.trust_domain, keyring: trust.keyring });
    }
    let digest = args.keyring.unwrap_or_else(|| newest.payload_digest());
    let mut all = [first].into_iter().chain(successors);
    let Some(named) = all.find(|k| k.payload_digest() == digest) else {
        return Err(Failure::evidence(
            format!("the server does not know the keyring {digest}"),
            "it is not the server that you were told about, or the digest is mistyped",
        )
        .into());
    };
    let keyring: Keyring = trust::read_unverified(named)?;
    let pin = Pin { trust_domain: keyring.header.trust_domain, keyring: digest };
    let out = call.out;
    if !out.json {
        out.line(format!("trust domain {}", out.style(Style::Bold, pin.trust_domain.as_str())))?;
        out.line(format!("keyring      {}", out.style(Style::Bold, &digest.to_string())))?;
        out.line(format!("             version {}", keyring.version))?;
    }
    if args.keyring.is_some() {
        return Ok(pin);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "nobody is here to compare the keyring's digest",
            "give the digest that somebody whom you trust told you: --keyring sha256:…, or --trust FILE",
        )
        .into());
    }
    let question = "Has somebody whom you trust told you this digest, by another channel?";
    if !out.confirm(question)? {
        return Err(Failure::new(
            Exit::Denied,
            "the keyring is not compared, so that nothing of this server can be believed",
            "ask a colleague for the output of: borescope keys show",
        )
        .into());
    }
    Ok(pin)
}

fn believed(
    pin: &Pin,
    first: &Envelope,
    successors: &[Envelope],
) -> anyhow::Result<trust::Verified<Keyring>> {
    let newest = pin
        .among(first, successors)
        .and_then(|pinned| trust::newest_keyring(first, successors, &pinned, &Seen::default()));
    newest.map_err(|e| {
        Failure::evidence(
            format!("the server's keyring is not to be believed: {e}"),
            "compare address and digest with somebody whom you trust",
        )
        .into()
    })
}

/// Hands in a claim for this session's key; its digest.
async fn claim(session: &Session, args: &JoinArgs) -> anyhow::Result<Digest> {
    let id = KeyClaimId::new(&*session.world.clock, &*session.world.entropy);
    let name = match &args.name {
        Some(name) => name.clone(),
        None => session.person.as_str().parse()?,
    };
    let claim = KeyClaim {
        header: session.header(id, LIFE_S),
        person: session.person.clone(),
        name,
        key: session.key.public().clone(),
        note: args.note.clone(),
    };
    let envelope = session.sign(&claim)?;
    let claimed = session.client.claim_key(&wire(&envelope)?).await?;
    if claimed.digest != envelope.payload_digest() {
        let help = "the server is broken or lies";
        return Err(Failure::evidence("the server took in another claim", help).into());
    }
    Ok(claimed.digest)
}

fn enrolled(call: &Call<'_>, context: &str, session: &Session) -> anyhow::Result<Exit> {
    if call.out.json {
        call.out
            .json(&json!({ "context": context, "person": session.person, "enrolled": true }))?;
    } else {
        let person = &session.person;
        call.out.line(format!("{person} is enrolled, and logged in (context {context})"))?;
    }
    Ok(Exit::Ok)
}

fn asked(
    call: &Call<'_>,
    context: &str,
    session: &Session,
    keyring: &Keyring,
    claim: &Digest,
) -> anyhow::Result<Exit> {
    let (out, person) = (call.out, &session.person);
    let key = session.key.public().fingerprint();
    if out.json {
        out.json(&json!({
            "context": context, "person": person, "enrolled": false, "claim": claim,
            "key": key.as_str(),
        }))?;
        return Ok(Exit::Ok);
    }
    let holders = keyring.role(Role::Directory).map_or(&[][..], |r| &r.people);
    let holders: Vec<String> = holders.iter().map(|p| neutralise(p.as_str())).collect();
    out.line(format!("asked for {person} with the key {}", key.as_str()))?;
    out.line(format!("claim {claim}"))?;
    out.notes([
        format!(
            "next: tell one of {} your key's fingerprint, by another channel;",
            holders.join(", ")
        ),
        format!("  they accept it: borescope keys accept {} --group GROUP", claim.short()),
        format!("  then you log in: borescope login --context {context}"),
    ]);
    Ok(Exit::Ok)
}
