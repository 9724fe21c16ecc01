//! `borescope policy`: targets and their rules, and changing them; who can do what, and why not.

pub(crate) mod masking;

mod test;
mod who_can;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use domain::{Digest, PolicyId};
use trust::imagine::Ground;
use trust::{Authority, Policy, Versioned as _, source};

use super::Call;
use super::keys::propose::{header, issue, read, under, usage};
use super::keys::{LIFE, print_source};
use super::proposals::{self, WhichArgs, next_step};
use crate::exit::{Exit, Failure};
use crate::out::Style;
use crate::view::{limits, number};
use crate::when;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope policy show
  borescope policy who-can --target shop-replica
  borescope policy who-can --person alice
  borescope policy source > policy/targets.toml          edit it, then:
  borescope policy test policy/tests.toml
  borescope policy propose policy/targets.toml
  borescope policy sign 3f2a91c0d4e5
  borescope policy adopt 3f2a91c0d4e5")]
pub(crate) struct PolicyArgs {
    /// What about the policy
    #[command(subcommand)]
    what: PolicyCommand,
}

/// What can be done with the policy.
#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Show targets with their rules, and runners
    Show(ShowArgs),
    /// Print the policy in force as the text that people edit
    Source(SourceArgs),
    /// Propose the next policy: runs the tests beside it, shows what changes, signs
    Propose(ProposeArgs),
    /// Read a proposal and add your signature
    Sign(WhichArgs),
    /// Put a proposal in force that has all its signatures
    Adopt(WhichArgs),
    /// Take back a proposal that you signed
    Drop(WhichArgs),
    /// Who may do what on a target, or what a person may do where, and which rule says no
    WhoCan(who_can::WhoCanArgs),
    /// Check expected decisions, as policy/tests.toml has them
    Test(test::TestArgs),
}

/// Arguments.
#[derive(Debug, Args)]
struct ShowArgs {}

/// Arguments.
#[derive(Debug, Args)]
struct SourceArgs {}

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope policy propose policy/targets.toml

When there is a tests.toml beside the file, its expectations are checked first, and a policy that
decides otherwise is not proposed.

What a target hides stands behind the rest of it in the file:
  [[target.mask]]
  table = \"shop.customers\"
  column = \"email\"
  kind = \"email\"     null, full, partial (keep_first, keep_last), email, keyed-hash (class),
                     bucket (width), date-truncate (unit), deny
  unmask = true      a grant may take the mask away; false if not given
  [[target.row_filter]]
  table = \"shop.customers\"
  filter = \"country <> 'XX'\"")]
struct ProposeArgs {
    /// policy/targets.toml
    file: PathBuf,
    /// Name this proposed keyring instead of the one in force
    #[arg(long, value_name = "DIGEST")]
    under: Option<Digest>,
    /// How long it is valid
    #[arg(long, value_name = "TIME", default_value = LIFE, value_parser = when::duration_s)]
    valid: u64,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
}

/// Does what is asked.
pub(crate) async fn command(call: &Call<'_>, args: PolicyArgs) -> anyhow::Result<Exit> {
    match args.what {
        PolicyCommand::Show(_) => show(call).await,
        PolicyCommand::Source(_) => {
            let authority = call.session().await?.authority().await?;
            print_source(call, &authority.policy().source())
        }
        PolicyCommand::Propose(args) => propose(call, args).await,
        PolicyCommand::Sign(args) => proposals::sign(call, &args).await,
        PolicyCommand::Adopt(args) => proposals::adopt(call, &args).await,
        PolicyCommand::Drop(args) => proposals::take_back(call, &args).await,
        PolicyCommand::WhoCan(args) => who_can::command(call, args).await,
        PolicyCommand::Test(args) => test::command(call, args).await,
    }
}

async fn propose(call: &Call<'_>, args: ProposeArgs) -> anyhow::Result<Exit> {
    let text = read(&args.file)?;
    let session = call.session().await?;
    let authority = session.authority().await?;
    let under = under(&session, &authority, args.under.as_ref()).await?;
    let named = under.as_ref().map_or_else(|| authority.keyring_ref(), |k| k.version);
    let header = header(&session, PolicyId::new, args.valid);
    let next = source::policy(&text, issue(header, authority.policy_ref(), named))
        .with_context(|| args.file.display().to_string())
        .map_err(usage)?;
    masking::filters_pass(&next).map_err(usage)?;
    let keyring = under.as_ref().map_or_else(|| authority.keyring(), |k| &k.keyring);
    let ground = Ground { keyring, directory: authority.directory(), policy: &next };
    let tests = args.file.with_file_name("tests.toml");
    if !tests.exists() {
        call.out.note(format!("there are no expected decisions beside it ({})", tests.display()));
    } else if !test::all_pass(call, &tests, &ground)? {
        return Err(Failure::new(
            Exit::Denied,
            format!("{} expects other decisions", tests.display()),
            "correct the policy, or the expectations that have changed; nothing was signed",
        )
        .into());
    }
    match proposals::propose(call, &session, &authority, &next, under, args.yes).await? {
        None => Ok(Exit::Denied),
        Some(proposed) => {
            next_step(call, "proposed: policy", &proposed)?;
            Ok(Exit::Ok)
        }
    }
}

async fn show(call: &Call<'_>) -> anyhow::Result<Exit> {
    let authority = call.session().await?.authority().await?;
    if call.out.json {
        call.out.json(authority.policy())?;
        return Ok(Exit::Ok);
    }
    lines(call, &authority)?;
    call.out.note("who that is: borescope policy who-can --target ID; all of it: policy source");
    Ok(Exit::Ok)
}

fn lines(call: &Call<'_>, authority: &Authority) -> anyhow::Result<()> {
    let (out, version) = (call.out, authority.policy_ref());
    out.line(format!("policy version {} ({})", version.version, version.digest))?;
    let policy: &Policy = authority.policy();
    let names = |all: &[domain::GroupName]| {
        let all: Vec<&str> = all.iter().map(AsRef::as_ref).collect();
        if all.is_empty() { "nobody".to_owned() } else { all.join(", ") }
    };
    let quorum = |q: &domain::decide::Quorum| {
        let each = match q.from_each.as_slice() {
            [] => String::new(),
            each => format!(", one of each of {}", names(each)),
        };
        format!("{} of {}{each}", q.required, names(&q.groups))
    };
    for t in &policy.targets {
        let prod = if t.prod { ", production" } else { "" };
        out.line(format!("{} {}{prod}", out.style(Style::Bold, t.id.as_str()), t.engine))?;
        out.line(format!("  callers    {}", names(&t.callers)))?;
        out.line(format!("  reviews    {}", quorum(&t.reviews)))?;
        out.line(format!("  approvals  {}", quorum(&t.approvals)))?;
        if let Some(s) = &t.self_serve {
            let a_day = s.runs_per_day;
            out.line(format!("  self-serve {}, {a_day} runs a day each", names(&s.groups)))?;
        }
        if let Some(b) = &t.break_glass {
            let approvals = quorum(&b.approvals);
            out.line(format!("  emergency  {}; approvals {approvals}", names(&b.groups)))?;
        }
        out.field("  limits     ", &limits(&t.limits))?;
        let cost = t.cost_max.map(|cost| format!(", expected to cost {} at most", number(cost)));
        let recursion = if t.recursion { ", may recurse" } else { "" };
        let ms = number(t.statement_ms_max);
        let statement = format!("{ms} ms{}{recursion}", cost.unwrap_or_default());
        out.field("  statement  ", &statement)?;
        for read in &t.reads {
            out.field("  reads      ", &format!("{} ({})", read.table, read.columns.join(", ")))?;
        }
        for (label, what) in masking::hidden(t) {
            out.field(&format!("  {label:<11}"), &what)?;
        }
    }
    for r in &policy.runners {
        out.line(format!("runner {} {}", r.name, r.key.fingerprint().as_str()))?;
    }
    Ok(())
}
