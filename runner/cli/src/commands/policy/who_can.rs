//! `borescope policy who-can`: the rules of the runner, asked about one person at a time.

use clap::Args;
use domain::decide::StopSubject;
use domain::{PersonId, TargetId};
use serde_json::json;
use trust::imagine::Ground;
use trust::imagine::who::{self, Act, OfAct};

use crate::against::{Against, Ban, Banned, Listed};
use crate::commands::Call;
use crate::exit::{Exit, Failure};
use crate::out::Style;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope policy who-can --target shop-replica
  borescope policy who-can --person alice

The answers come from the function by which the runner decides. One person is looked at at a time, as
if everybody else agreed and nothing were stopped; what is stopped stands at the end.")]
#[group(id = "about", required = true, multiple = false)]
pub(crate) struct WhoCanArgs {
    /// Everybody on this target
    #[arg(long, value_name = "TARGET", group = "about")]
    target: Option<TargetId>,
    /// This person everywhere
    #[arg(long = "person", value_name = "PERSON", group = "about")]
    whom: Option<PersonId>,
}

pub(super) async fn command(call: &Call<'_>, args: WhoCanArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let authority = session.authority().await?;
    let ground = Ground::of(&authority);
    let against = Listed::fetch(&session).await?.in_force(&authority, None);
    match (&args.target, &args.whom) {
        (Some(id), _) => target(call, &ground, id, &stopped(&against, &ground, Some(id), None)),
        (None, Some(id)) => person(call, &ground, id, &stopped(&against, &ground, None, Some(id))),
        (None, None) => {
            Err(Failure::usage("about whom or what?", "--target T or --person P").into())
        }
    }
}

/// The stops that touch this target or person, or everybody.
fn stopped<'a>(
    against: &'a Against,
    ground: &Ground<'_>,
    target: Option<&TargetId>,
    person: Option<&PersonId>,
) -> Vec<&'a Ban> {
    let keys = person.and_then(|id| ground.directory.people.iter().find(|p| p.id == *id));
    let is_key = |print: &str| {
        keys.is_some_and(|p| p.keys.iter().any(|k| k.key.fingerprint().as_str() == print))
    };
    let touches = |ban: &&Ban| match &ban.what {
        Banned::Subject(StopSubject::Everything) => true,
        Banned::Subject(StopSubject::Person(id)) => person.is_none_or(|p| p == id),
        Banned::Subject(StopSubject::Key(print)) => person.is_none() || is_key(print),
        Banned::Subject(StopSubject::Target(id)) => target.is_none_or(|t| t == id),
        Banned::Subject(StopSubject::Revision(_) | StopSubject::Request(_))
        | Banned::Revision(..) => false,
    };
    against.bans().into_iter().filter(touches).collect()
}

/// Says that the answers above do not hold now.
fn show_stopped(call: &Call<'_>, stopped: &[&Ban]) -> anyhow::Result<()> {
    for ban in stopped {
        let Banned::Subject(subject) = &ban.what else { continue };
        let label = call.out.style(Style::Bad, "stopped now: ");
        call.out.field(&label, &format!("{subject}, by {} ({})", ban.by, ban.id))?;
    }
    Ok(())
}

fn ids<'a>(stopped: &[&'a Ban]) -> Vec<&'a str> {
    stopped.iter().map(|ban| ban.id.as_str()).collect()
}

fn target(
    call: &Call<'_>,
    ground: &Ground<'_>,
    id: &TargetId,
    stopped: &[&Ban],
) -> anyhow::Result<Exit> {
    let acts = who::of_target(ground, id)?;
    let roles = who::roles(ground);
    let out = call.out;
    if out.json {
        out.json(&json!({
            "target": id, "acts": acts, "roles": roles, "stopped": ids(stopped),
        }))?;
        return Ok(Exit::Ok);
    }
    for of in &acts {
        out.line(format!("who may {}{}", out.style(Style::Bold, of.act.words()), needed(of)))?;
        if let Some(impossible) = &of.impossible {
            let never = out.style(Style::Bad, "nobody can bring it about");
            out.line(format!("  {never}: {impossible}"))?;
        }
        for answer in &of.answers {
            let counted = answer.counted.as_ref();
            let counted = counted.map_or_else(String::new, |c| format!(" (counted as {c})"));
            match &answer.no {
                None => {
                    let yes = out.style(Style::Good, "yes");
                    out.line(format!("  {yes} {}{counted}", answer.person))?;
                }
                Some(no) => {
                    let label =
                        format!("  {}  {}{counted}: ", out.style(Style::Dim, "no"), answer.person);
                    out.field(&label, &no.to_string())?;
                }
            }
        }
    }
    for held in roles {
        let people: Vec<&str> = held.people.iter().map(PersonId::as_str).collect();
        out.line(format!("role {}: {} of {}", held.role, held.threshold, people.join(", ")))?;
    }
    show_stopped(call, stopped)?;
    Ok(Exit::Ok)
}

fn needed(of: &OfAct) -> String {
    let Some(quorum) = &of.quorum else { return String::new() };
    let each: Vec<&str> = quorum.from_each.iter().map(AsRef::as_ref).collect();
    let each = match each.as_slice() {
        [] => String::new(),
        each => format!(", one of each of {}", each.join(", ")),
    };
    format!(", {} needed{each}", quorum.required)
}

fn person(
    call: &Call<'_>,
    ground: &Ground<'_>,
    id: &PersonId,
    stopped: &[&Ban],
) -> anyhow::Result<Exit> {
    let out = call.out;
    let Some(person) = ground.directory.people.iter().find(|p| p.id == *id) else {
        let help = "list everybody: borescope keys show";
        return Err(Failure::usage(format!("{id} is not in the directory"), help).into());
    };
    let roles: Vec<_> = who::roles(ground).into_iter().filter(|h| h.people.contains(id)).collect();
    let agents: Vec<&PersonId> = who::agents(ground, id).into_iter().map(|a| &a.id).collect();
    let targets: Vec<_> =
        ground.policy.targets.iter().map(|t| (&t.id, answers(ground, id, &t.id))).collect();
    if out.json {
        let targets: Vec<_> = targets
            .iter()
            .map(|(target, answers)| {
                let acts = answers.iter().map(|(act, no)| json!({ "act": act, "no": no }));
                let acts: Vec<_> = acts.collect();
                json!({ "target": target, "acts": acts })
            })
            .collect();
        out.json(&json!({
            "person": id, "counted": person.counted(), "roles": roles, "agents": agents,
            "targets": targets, "stopped": ids(stopped),
        }))?;
        return Ok(Exit::Ok);
    }
    let what = crate::commands::keys::show::described(person);
    out.line(format!("{} ({what})", out.style(Style::Bold, id.as_str())))?;
    for held in roles {
        out.line(format!("  holds the role {}, with {} to sign", held.role, held.threshold))?;
    }
    for agent in agents {
        out.line(format!("  answers for {agent}, which counts as {id}"))?;
    }
    for (target, answers) in targets {
        out.line(format!("on {}", out.style(Style::Bold, target.as_str())))?;
        for (act, no) in answers {
            match no {
                None => {
                    out.line(format!("  {} {}", out.style(Style::Good, "may    "), act.words()))?;
                }
                Some(no) => {
                    let label = format!("  {} {}: ", out.style(Style::Dim, "may not"), act.words());
                    out.field(&label, &no.to_string())?;
                }
            }
        }
    }
    show_stopped(call, stopped)?;
    Ok(Exit::Ok)
}

fn answers(
    ground: &Ground<'_>,
    person: &PersonId,
    target: &TargetId,
) -> Vec<(Act, Option<who::No>)> {
    let answer = |act| (act, who::may(ground, person, act, target).err());
    Act::ALL.into_iter().map(answer).collect()
}
