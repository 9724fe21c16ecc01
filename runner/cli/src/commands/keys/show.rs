//! `borescope keys show`: people, keys, groups, roles.

use domain::PersonId;
use domain::display::neutralise;
use serde_json::{Value, json};
use trust::imagine::{Ground, who};
use trust::{Authority, KeyStatus, Person, PersonKey, PersonKind};

use crate::commands::Call;
use crate::exit::{Exit, Failure};
use crate::out::Style;
use crate::view::table;

pub(super) async fn command(call: &Call<'_>, person: Option<&PersonId>) -> anyhow::Result<Exit> {
    let authority = call.session().await?.authority().await?;
    let Some(id) = person else { return all(call, &authority) };
    let Some(person) = authority.person(id) else {
        let help = "list everybody: borescope keys show";
        return Err(Failure::usage(format!("{id} is not in the directory"), help).into());
    };
    if call.out.json {
        call.out.json(&as_json(&authority, person))?;
        return Ok(Exit::Ok);
    }
    one(call, &authority, person)?;
    Ok(Exit::Ok)
}

fn all(call: &Call<'_>, authority: &Authority) -> anyhow::Result<Exit> {
    let out = call.out;
    let people = &authority.directory().people;
    if out.json {
        for person in people {
            out.json(&as_json(authority, person))?;
        }
        return Ok(Exit::Ok);
    }
    let (keyring, directory) = (authority.keyring_ref(), authority.directory_ref());
    out.line(format!("{} ", out.style(Style::Bold, authority.trust_domain().as_str())).trim_end())?;
    out.line(format!("keyring version {} ({})", keyring.version, keyring.digest))?;
    for held in who::roles(&Ground::of(authority)) {
        let people: Vec<&str> = held.people.iter().map(PersonId::as_str).collect();
        out.line(format!("  {}: {} of {}", held.role, held.threshold, people.join(", ")))?;
    }
    out.line(format!("directory version {} ({})", directory.version, directory.digest))?;
    let row = |p: &Person| {
        let groups: Vec<&str> = p.groups.iter().map(AsRef::as_ref).collect();
        let keys: Vec<String> = p.keys.iter().map(key_line).collect();
        [p.id.to_string(), described(p), groups.join(", "), keys.join(" ")]
    };
    let rows: Vec<_> = people.iter().map(row).collect();
    out.lines(table::list(["person", "what", "groups", "keys"], &rows))?;
    Ok(Exit::Ok)
}

fn one(call: &Call<'_>, authority: &Authority, person: &Person) -> anyhow::Result<()> {
    let out = call.out;
    out.line(format!("{}: {}", out.style(Style::Bold, person.id.as_str()), described(person)))?;
    out.field("  name   ", &person.name)?;
    let groups: Vec<&str> = person.groups.iter().map(AsRef::as_ref).collect();
    out.line(format!("  groups {}", groups.join(", ")))?;
    for key in &person.keys {
        out.line(format!("  key    {}", key_line(key)))?;
    }
    let ground = Ground::of(authority);
    for held in who::roles(&ground).iter().filter(|h| h.people.contains(&person.id)) {
        out.line(format!("  role   {} ({} have to sign)", held.role, held.threshold))?;
    }
    for key in authority.keyring().keys.iter().filter(|k| k.person == person.id) {
        out.line(format!("  key    {} for these roles", key.key.fingerprint().as_str()))?;
    }
    for agent in who::agents(&ground, &person.id) {
        out.line(format!("  counts for {} ({})", agent.id, described(agent)))?;
    }
    out.note(format!("what they may do where: borescope policy who-can --person {}", person.id));
    Ok(())
}

/// A person in words.
pub(crate) fn described(person: &Person) -> String {
    let kind = match person.kind {
        PersonKind::Human => "human",
        PersonKind::Service => "service",
        PersonKind::Agent => "agent",
    };
    match &person.owner {
        None => kind.to_owned(),
        Some(owner) => format!("{kind} of {owner}"),
    }
}

fn status(key: &PersonKey) -> &'static str {
    match key.status {
        KeyStatus::Active => "active",
        KeyStatus::Retired => "retired",
        KeyStatus::Compromised => "compromised",
    }
}

fn key_line(key: &PersonKey) -> String {
    let print = key.key.fingerprint();
    let touched = if key.key.application().is_some() { ", on a security key" } else { "" };
    match (key.status, key.since) {
        (KeyStatus::Active, _) => format!("{}{touched}", print.as_str()),
        (_, None) => format!("{} ({}{touched})", print.as_str(), status(key)),
        (_, Some(since)) => format!("{} ({} since {since}{touched})", print.as_str(), status(key)),
    }
}

fn as_json(authority: &Authority, person: &Person) -> Value {
    let ground = Ground::of(authority);
    let roles = who::roles(&ground);
    let roles = roles.iter().filter(|h| h.people.contains(&person.id)).map(|h| h.role);
    let agents = who::agents(&ground, &person.id);
    let key = |k: &PersonKey| {
        json!({ "key": k.key, "fingerprint": k.key.fingerprint().as_str(), "status": status(k),
            "since": k.since })
    };
    json!({
        "person": person.id,
        "name": neutralise(&person.name),
        "kind": person.kind,
        "owner": person.owner,
        "groups": person.groups,
        "keys": person.keys.iter().map(key).collect::<Vec<_>>(),
        "roles": roles.collect::<Vec<_>>(),
        "agents": agents.iter().map(|a| &a.id).collect::<Vec<_>>(),
    })
}
