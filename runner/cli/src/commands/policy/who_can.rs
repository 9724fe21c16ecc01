//! `borescope policy who-can`: the rules of the runner, asked about one person at a time.

use clap::Args;
use domain::{PersonId, TargetId};
use serde_json::json;
use trust::imagine::Ground;
use trust::imagine::who::{self, Act, OfAct};

use crate::commands::Call;
use crate::exit::{Exit, Failure};
use crate::out::Style;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope policy who-can --target shop-replica
  borescope policy who-can --person alice

The answers come from the function by which the runner decides. One person is looked at at a time, as
if everybody else agreed and nothing were stopped.")]
#[group(id = "about", required = true, multiple = false)]
pub(crate) struct WhoCanArgs {
    /// Everybody on this target
    #[arg(long, value_name = "TARGET", group = "about")]
    target: Option<TargetId>,
    /// This person everywhere
    #[arg(long, value_name = "PERSON", group = "about")]
    person: Option<PersonId>,
}

pub(super) async fn command(call: &Call<'_>, args: WhoCanArgs) -> anyhow::Result<Exit> {
    let authority = call.session().await?.authority().await?;
    let ground = Ground::of(&authority);
    match (&args.target, &args.person) {
        (Some(id), _) => target(call, &ground, id),
        (None, Some(id)) => person(call, &ground, id),
        (None, None) => {
            Err(Failure::usage("about whom or what?", "--target T or --person P").into())
        }
    }
}

fn target(call: &Call<'_>, ground: &Ground<'_>, id: &TargetId) -> anyhow::Result<Exit> {
    let acts = who::of_target(ground, id)?;
    let roles = who::roles(ground);
    let out = call.out;
    if out.json {
        out.json(&json!({ "target": id, "acts": acts, "roles": roles }))?;
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
                    out.field(&label, &format!("{} ({})", no.fact, no.rule.code()))?;
                }
            }
        }
    }
    for held in roles {
        let people: Vec<&str> = held.people.iter().map(PersonId::as_str).collect();
        out.line(format!("role {}: {} of {}", held.role, held.threshold, people.join(", ")))?;
    }
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

fn person(call: &Call<'_>, ground: &Ground<'_>, id: &PersonId) -> anyhow::Result<Exit> {
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
            "targets": targets,
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
                    out.line(format!("  {} {}", out.style(Style::Good, "may    "), act.words()))?
                }
                Some(no) => {
                    let label = format!("  {} {}: ", out.style(Style::Dim, "may not"), act.words());
                    out.field(&label, &format!("{} ({})", no.fact, no.rule.code()))?;
                }
            }
        }
    }
    Ok(Exit::Ok)
}

fn answers(
    ground: &Ground<'_>,
    person: &PersonId,
    target: &TargetId,
) -> Vec<(Act, Option<domain::Denial>)> {
    let answer = |act| (act, who::may(ground, person, act, target).err());
    Act::ALL.into_iter().map(answer).collect()
}
