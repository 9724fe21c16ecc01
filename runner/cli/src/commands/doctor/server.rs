//! What the server of a context answers, and whether it is to be believed.

use api::types::{ChallengeRequest, StatusView};
use api::{Client, ClientError, Code};
use domain::Timestamp;
use trust::{Authority, KeyStatus};

use super::super::Call;
use super::Findings;
use crate::against::Listed;
use crate::config::Context;
use crate::exit::Exit;
use crate::session::{Session, World, client, envelope};
use crate::when;

/// Seconds that clocks may differ before signatures are refused soon.
const CLOCK_S_MAX: u64 = 20;
/// Seconds before the end of a document at which its renewal is due.
const SOON_S: i64 = 14 * 86_400;

pub(super) async fn look(
    call: &Call<'_>,
    findings: &mut Findings,
    context: &Context,
) -> anyhow::Result<()> {
    let client = match client(&context.url, context.ca.as_deref()) {
        Ok(client) => client,
        Err(error) => return findings.error("server", &error),
    };
    match client.ready().await {
        Ok(ready) if ready.ready => findings.good(format!("server {} answers", context.url))?,
        Ok(ready) => findings.bad(
            Exit::Target,
            format!(
                "server {} takes nothing new: {}",
                context.url,
                ready.reason.unwrap_or_default()
            ),
            "reads go on; its operator: borescope doctor --config DIR",
        )?,
        Err(error) => return findings.error("server", &error.into()),
    }
    clock(findings, &client, context).await?;
    let session = match Session::open(call.who, call.env, call.out).await {
        Ok(session) => session,
        Err(error) => return findings.error("login", &error),
    };
    findings.good(format!("logged in as {}", session.person))?;
    let authority = match session.authority().await {
        Ok(authority) => authority,
        Err(error) => return findings.error("keyring, directory and policy", &error),
    };
    believed(findings, &session, &authority)?;
    ends(call, findings, &authority)?;
    status(findings, &session, &authority).await?;
    match session.client.status().await {
        Ok(status) => hooks(call, findings, &status),
        Err(error) => findings.error("status", &error.into()),
    }
}

/// The end of a login's challenge says what time it is at the server.
async fn clock(findings: &mut Findings, client: &Client, context: &Context) -> anyhow::Result<()> {
    let request =
        ChallengeRequest { person: context.person.clone(), origin: client.base().to_owned() };
    let Ok(challenge) = client.challenge(&request).await else { return Ok(()) };
    let here = World::real().clock.now_ms();
    let there = challenge.expires_ms.saturating_sub(app::CHALLENGE_LIFE_MS);
    let apart = here.abs_diff(there) / 1000;
    let order = if here > there { "ahead of" } else { "behind" };
    if apart <= CLOCK_S_MAX {
        return findings.good(format!("this clock and the server's are {apart} s apart"));
    }
    findings.bad(
        Exit::Usage,
        format!(
            "this clock is {} {order} the server's: signatures are refused",
            when::show_s(apart)
        ),
        "compare both with a time server: timedatectl; chronyc tracking",
    )
}

fn believed(
    findings: &mut Findings,
    session: &Session,
    authority: &Authority,
) -> anyhow::Result<()> {
    let keyring = authority.keyring_ref();
    if keyring.digest == session.keyring {
        findings.good(format!("keyring version {} is the one that you pin", keyring.version))?;
    } else {
        findings.good(format!(
            "keyring version {} follows the one that you pin by signed successions",
            keyring.version
        ))?;
    }
    let fingerprint = session.key.public().fingerprint();
    let person = authority.person(&session.person);
    let key = person.and_then(|p| p.keys.iter().find(|k| k.key.fingerprint() == fingerprint));
    match key.map(|k| k.status) {
        Some(KeyStatus::Active) => {
            findings.good(format!("the directory has this key as {}'s", session.person))
        }
        Some(KeyStatus::Retired | KeyStatus::Compromised) => findings.bad(
            Exit::Denied,
            format!(
                "the directory has this key as one that no longer signs for {}",
                session.person
            ),
            "use another with --key, or have a new one enrolled: borescope join --help",
        ),
        None => findings.bad(
            Exit::Denied,
            format!("the directory does not have this key as {}'s", session.person),
            "have it enrolled: borescope join --help",
        ),
    }
}

/// Documents that end soon: when one does, nothing is signed or run any more.
fn ends(call: &Call<'_>, findings: &mut Findings, authority: &Authority) -> anyhow::Result<()> {
    let now = World::real().now();
    let all: [(&str, &str, Timestamp); 3] = [
        ("keyring", "keys", authority.keyring().header.not_after),
        ("directory", "keys", authority.directory().header.not_after),
        ("policy", "policy", authority.policy().header.not_after),
    ];
    let (soon, later): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(_, _, end)| *end <= now.plus_s(SOON_S));
    for (what, verb, end) in soon {
        let end = when::show(end, &call.env.zone);
        findings.warn(
            format!("the {what} ends {end}; after that nothing runs"),
            format!("have it signed anew: borescope {verb} propose --help"),
        )?;
    }
    match later.iter().map(|(_, _, end)| *end).min() {
        Some(first) if later.len() == 3 => findings.good(format!(
            "keyring, directory and policy are valid until {}",
            when::show(first, &call.env.zone)
        )),
        _ => Ok(()),
    }
}

/// Whether somebody says what is in force, without which production is closed.
async fn status(
    findings: &mut Findings,
    session: &Session,
    authority: &Authority,
) -> anyhow::Result<()> {
    if !authority.policy().targets.iter().any(|t| t.prod) {
        return findings.good("no target is production, so nobody has to sign a status");
    }
    let closed = "its operator: borescope status keep --help, or [status] in borescope.toml";
    let view = match session.client.signed_status().await {
        Ok(view) => view,
        Err(ClientError::Problem(problem)) if problem.code == Code::NotFound => {
            let text = "nobody signs the status: production is closed";
            return findings.bad(Exit::Denied, text, closed);
        }
        Err(error) => return findings.error("signed status", &error.into()),
    };
    let against = Listed::fetch(session).await?.in_force(authority, None);
    let signed = authority.verify_status(&envelope(&view)?, &against.in_force);
    let now = session.world.now();
    match signed.and_then(|status| status.live(now)) {
        Ok(status) => {
            let age = now.unix_s().saturating_sub(status.doc().header.not_before.unix_s());
            let age = when::show_s(u64::try_from(age).unwrap_or(0));
            findings.good(format!("the status was signed {age} ago: production is open"))
        }
        Err(error) => {
            findings.bad(Exit::Denied, format!("the signed status does not count: {error}"), closed)
        }
    }
}

fn hooks(call: &Call<'_>, findings: &mut Findings, status: &StatusView) -> anyhow::Result<()> {
    for hook in &status.notify {
        let taken = format!("{} taken, {} dropped", hook.delivered, hook.dropped);
        let Some(since_ms) = hook.failing_since_ms else {
            findings.good(format!("webhook {}: {taken}", hook.name))?;
            continue;
        };
        let since = Timestamp::from_unix_s(i64::try_from(since_ms / 1000).unwrap_or(i64::MAX));
        findings.warn(
            format!(
                "webhook {} takes nothing since {}: {} ({taken})",
                hook.name,
                when::show(since, &call.env.zone),
                hook.problem.as_deref().unwrap_or("it does not say why"),
            ),
            "its operator: correct [[notify]] in borescope.toml and restart, or the receiver; what was \
             missed comes within a day",
        )?;
    }
    Ok(())
}
