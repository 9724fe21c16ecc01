//! What a reviewer at a terminal answers after reading.

use domain::capability::Capabilities;
use domain::decide::{SelfServeClause, Verdict};
use domain::{FreeText, Pair, Scope};
use trust::Authority;

use super::{Said, ceiling, self_serve};
use crate::commands::Call;
use crate::narrow::in_words;
use crate::out::{Out, Style};

/// What is proposed, and for whom it could be opened.
pub(super) struct Proposal<'p> {
    /// Who may say what.
    pub(super) authority: &'p Authority,
    /// The bindings.
    pub(super) pairs: &'p [Pair],
    /// The ceiling that may be signed at most.
    pub(super) most: &'p Capabilities,
}

/// Asks until there is a verdict; `None`: the person wants to sign nothing. `said` is what the command
/// line brought along.
pub(super) fn verdict(
    call: &Call<'_>,
    proposal: &Proposal<'_>,
    mut said: Said,
) -> anyhow::Result<Option<Said>> {
    let out = call.out;
    let opens = rules(proposal);
    loop {
        out.field("ceiling: ", &in_words(&said.ceiling))?;
        for clause in &said.self_serve {
            out.lines(self_serve::in_words(clause, proposal.authority))?;
        }
        let choice = if opens.is_some() { ", s(elf-serve)" } else { "" };
        let question =
            format!("a(ccept), e(dit the ceiling){choice}, c(hanges), r(eject), q(uit)?");
        let Some(answer) = out.ask(&out.style_err(Style::Bold, &question))? else {
            return Ok(None);
        };
        match answer.as_str() {
            "a" | "accept" => return Ok(Some(said)),
            "e" | "edit" => edit(call, proposal, &mut said)?,
            "s" | "self-serve" if opens.is_some() => {
                let default = opens.as_deref().unwrap_or_default();
                said.self_serve = opened(out, proposal.pairs, default)?.into_iter().collect();
            }
            "c" | "changes" => {
                if let Some(said) = against(out, &said, Verdict::RequestChanges)? {
                    return Ok(Some(said));
                }
            }
            "r" | "reject" => {
                if let Some(said) = against(out, &said, Verdict::Reject)? {
                    return Ok(Some(said));
                }
            }
            "q" | "quit" => return Ok(None),
            _ => out.note("type one of the letters"),
        }
    }
}

fn edit(call: &Call<'_>, proposal: &Proposal<'_>, said: &mut Said) -> anyhow::Result<()> {
    let Some(scope) = ceiling::edit(call, &said.ceiling, proposal.most)? else {
        call.out.note("the ceiling stays as it was");
        return Ok(());
    };
    let reached = |c: &SelfServeClause| {
        c.targets.iter().all(|t| scope.targets.iter().any(|s| s.target == *t))
    };
    said.self_serve.retain(reached);
    said.ceiling = scope;
    Ok(())
}

/// As a clause is typed: whom the policy lets run it without an approval, where the keyring lets anybody.
fn rules(proposal: &Proposal<'_>) -> Option<String> {
    if !proposal.authority.keyring().floors.self_serve {
        return None;
    }
    let targets = proposal.pairs.iter().filter_map(|p| proposal.authority.target(&p.target));
    let rules = targets.filter_map(|t| t.self_serve.as_ref()).next()?;
    let groups: Vec<&str> = rules.groups.iter().map(AsRef::as_ref).collect();
    Some(format!("{}:{}", groups.join(","), rules.runs_per_day))
}

fn opened(out: Out, pairs: &[Pair], default: &str) -> anyhow::Result<Option<SelfServeClause>> {
    let question =
        format!("Who may run it without an approval, how often a day? [{default}; - for nobody]");
    let Some(answer) = out.ask(&question)? else { return Ok(None) };
    let answer = if answer.is_empty() { default } else { answer.as_str() };
    if answer == "-" {
        return Ok(None);
    }
    match self_serve::parse(answer) {
        Ok(opened) => Ok(Some(opened.clause(pairs))),
        Err(problem) => {
            out.note(problem);
            Ok(None)
        }
    }
}

/// A verdict that says no has a comment: the author reads it.
fn against(out: Out, said: &Said, verdict: Verdict) -> anyhow::Result<Option<Said>> {
    let mut comment = said.comment.clone();
    if comment.as_str().trim().is_empty() {
        out.note("What should the author know? End with an empty line.");
        let mut lines = Vec::new();
        while let Some(line) = out.ask(">")?.filter(|line| !line.is_empty()) {
            lines.push(line);
        }
        match lines.join("\n").parse::<FreeText>() {
            Ok(typed) if !typed.as_str().is_empty() => comment = typed,
            Ok(_) => {
                out.note("without a comment the author cannot know what to change");
                return Ok(None);
            }
            Err(problem) => {
                out.note(problem.to_string());
                return Ok(None);
            }
        }
    }
    let ceiling: Scope = said.ceiling.clone();
    Ok(Some(Said { verdict, ceiling, self_serve: Vec::new(), rebuilt: said.rebuilt, comment }))
}
