//! `borescope review`: read a revision from bytes that were hashed here, sign a verdict.

mod analysis;
mod asking;
mod ceiling;
mod reading;
mod rebuilding;
mod self_serve;
mod signing;
pub(crate) mod targets;
mod unpack;

use std::path::PathBuf;

use api::types::DocumentView;
use clap::Args;
use domain::decide::{SelfServeClause, Verdict};
use domain::{Digest, FreeText, GroupName, PersonId, Scope};
use trust::{Authority, Rebuilt, Submission};

pub(crate) use self::analysis::Seen;
use self::reading::Subject;
pub(crate) use self::signing::file;
use self::signing::sign;
use self::targets::Chosen;
use super::Call;
use crate::against::{Against, Listed};
use crate::blast::Script;
use crate::bundle::Bundle;
use crate::dossier::{Approved, approved_before};
use crate::exit::{Exit, Failure};
use crate::narrow::{NarrowArgs, in_words};
use crate::on::{self, On};
use crate::session::{Session, verified};
use crate::view::change::Side;
use crate::view::said;

/// How long a review counts, seconds: 90 days, then somebody looks again.
const LIFE_S: i64 = 90 * 86_400;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope review stuck-orders                  read it, then answer: accept, edit, changes, reject
  borescope review 3f2a91c0d4e5 --full           every file whole, not only what changed
  borescope review stuck-orders --dir ./look     its files and the approved ones, for an editor
  borescope review stuck-orders --test           and run its fixtures here
  borescope review stuck-orders --rebuild        and build its component from its source once more
  borescope review stuck-orders --approve --comment \"read every query\"
  borescope review stuck-orders --approve --self-serve on-call:5
  borescope review stuck-orders@1.2.0 --request-changes --comment \"…\"
  borescope review stuck-orders@1.2.0 --target shop=shop-replica --reject --comment \"…\"

Opens with what changed since the revision that reviewers approved last, which follows from their
signatures, not from what the server says. Without --target it is about all targets that fit the
script and that you review for. The ceiling that you sign is what the manifest asks for there, within
the targets' policy, or less; nobody can grant more than that. With --self-serve members of these
groups may run it within the ceiling without an approval, as often a day; policy and keyring must
allow it, too. --rebuild runs the author's build script and macros, offline and confined by the kernel
to a folder of their own (Linux with Landlock). A --reject bars the revision for these targets at once, also for runs that go on,
whatever others say, until you withdraw it (borescope withdraw) or the role `lift` lifts it.")]
pub(crate) struct ReviewArgs {
    /// Revision: digest, its first digits, NAME or NAME@VERSION
    reference: String,
    /// Where: TARGET, or LOGICAL=TARGET where the script has several; group:NAME for all of a group;
    /// repeat for more
    #[arg(long = "target", value_name = "[LOGICAL=]TARGET", value_parser = on::parse)]
    targets: Vec<On>,
    /// Show every file whole, not only what changed
    #[arg(long)]
    full: bool,
    /// Write the files to read into this folder, with those that were approved last, and sign nothing
    #[arg(long, value_name = "DIR", conflicts_with = "VerdictArgs")]
    dir: Option<PathBuf>,
    /// Run its fixtures here, in the sandbox, before the verdict
    #[arg(long, conflicts_with = "dir")]
    test: bool,
    /// Build its component from its source once more, confined, and sign what came of it
    #[arg(long, conflicts_with = "dir")]
    rebuild: bool,
    #[command(flatten)]
    verdict: VerdictArgs,
    /// Members of these groups may run it without an approval, so many times a day each, as on-call:5,
    /// or on one target only, as on-call,payments@shop-replica:5; repeat for more
    #[arg(long, value_name = "GROUPS:N", value_parser = self_serve::parse, requires = "approve")]
    self_serve: Vec<self_serve::Opened>,
    #[command(flatten)]
    narrow: NarrowArgs,
    /// For the author and for whoever asks later
    #[arg(long, default_value = "", hide_default_value = true)]
    comment: FreeText,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
}

/// One verdict.
#[derive(Debug, Args)]
#[group(required = false, multiple = false)]
struct VerdictArgs {
    /// It may run within its ceiling
    #[arg(long)]
    approve: bool,
    /// Not yet
    #[arg(long)]
    request_changes: bool,
    /// No
    #[arg(long)]
    reject: bool,
}

impl VerdictArgs {
    const fn verdict(&self) -> Option<Verdict> {
        match (self.approve, self.request_changes, self.reject) {
            (true, _, _) => Some(Verdict::Approve),
            (_, true, _) => Some(Verdict::RequestChanges),
            (_, _, true) => Some(Verdict::Reject),
            _ => None,
        }
    }
}

/// What a reviewer says.
pub(crate) struct Said {
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// What it may do at most.
    pub(crate) ceiling: Scope,
    /// Who may run it without an approval.
    pub(crate) self_serve: Vec<SelfServeClause>,
    /// Whether the component was built again here.
    pub(crate) rebuilt: Rebuilt,
    /// For people.
    pub(crate) comment: FreeText,
}

/// A revision, fetched and hashed here, with what is on file about it, verified here.
struct Fetched {
    authority: Authority,
    against: Against,
    bundle: Bundle,
    said: Vec<DocumentView>,
    chosen: Chosen,
    approved: Option<Approved>,
}

impl Fetched {
    async fn fetch(session: &Session, reference: &str, named: &[On]) -> anyhow::Result<Self> {
        let digest = session.resolve(reference).await?;
        let bundle = session.fetch(&digest).await?;
        let authority = session.authority().await?;
        let chosen = if named.is_empty() {
            let groups = groups(&authority, session);
            targets::sensible(Script::of(&bundle), authority.policy(), groups)?
        } else {
            let each = on::each(authority.policy(), named)?.concat();
            let pairs = on::pairs(&bundle.manifest, &each)?;
            targets::named(&bundle.manifest, authority.policy(), pairs)?
        };
        let against = Listed::fetch(session).await?.in_force(&authority, None);
        let said = session.client.revision(&digest).await?.documents;
        let approved =
            approved_before(session, &authority, &against, &bundle, &chosen.pairs).await?;
        Ok(Self { authority, against, bundle, said, chosen, approved })
    }
}

fn groups<'a>(authority: &'a Authority, session: &Session) -> &'a [GroupName] {
    authority.person(&session.person).map(|p| p.groups.as_slice()).unwrap_or_default()
}

/// Shows the revision; signs when there is a verdict and the person agrees.
pub(crate) async fn command(call: &Call<'_>, args: ReviewArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let fetched = Fetched::fetch(&session, &args.reference, &args.targets).await?;
    let Fetched { authority, against, bundle, said, chosen, approved } = &fetched;
    let pairs = &chosen.pairs;
    let most = targets::proposed(&bundle.manifest, authority.policy(), pairs);
    let mut said_so_far = Said {
        verdict: args.verdict.verdict().unwrap_or(Verdict::Approve),
        ceiling: args.narrow.apply(most.scope())?,
        self_serve: args.self_serve.iter().map(|o| o.clause(pairs)).collect(),
        rebuilt: Rebuilt::NotTried,
        comment: args.comment,
    };
    let mut new = Side::of(bundle)?;
    new.rebuilt = said::rebuilt(authority, said, &bundle.revision);
    let old = approved.as_ref().map(|a| Side::of(&a.bundle)).transpose()?;
    let subject = Subject {
        new: &new,
        old: approved.as_ref().zip(old.as_ref()),
        authority,
        against,
        said,
        pairs,
        ceiling: &most,
    };
    let out = call.out;
    if let Some(dir) = &args.dir {
        unpack::write(dir, &new, old.as_ref())?;
        return unpacked(call, &subject, dir);
    }
    let given = args.verdict.verdict();
    if !out.json {
        out.read(&subject.lines(call, args.full), &call.env.pager)?;
    } else if given.is_none() {
        out.json(&subject.json(call))?;
    }
    if args.test && !super::test::of_bundle(out, bundle).await? && given == Some(Verdict::Approve) {
        let help = "read what differs above; --request-changes tells the author";
        return Err(
            Failure::new(Exit::Script, "a fixture fails, and nothing was signed", help).into()
        );
    }
    if args.rebuild {
        said_so_far.rebuilt = rebuilding::rebuild(call, &new, given)?;
    }
    let said = match given {
        Some(_) => {
            one_choice(&bundle.revision, chosen)?;
            if !out.json {
                out.field("ceiling: ", &in_words(&said_so_far.ceiling))?;
                let opened = &said_so_far.self_serve;
                opened.iter().try_for_each(|c| out.lines(self_serve::in_words(c, authority)))?;
            }
            Some(said_so_far)
        }
        None => ask(call, &session, &fetched, &most, said_so_far)?,
    };
    match said {
        Some(said) => sign(call, &session, &fetched, said, args.yes).await,
        None => Ok(Exit::Ok),
    }
}

/// Says where the files are, and what they would be read for.
fn unpacked(call: &Call<'_>, subject: &Subject<'_>, dir: &std::path::Path) -> anyhow::Result<Exit> {
    let out = call.out;
    if out.json {
        out.json(&subject.json(call))?;
        return Ok(Exit::Ok);
    }
    out.lines(subject.lines(call, false).into_iter().take_while(|line| !line.is_empty()))?;
    out.line(format!(
        "{}/new has it, {}/old what was approved last",
        dir.display(),
        dir.display()
    ))?;
    out.note(
        "it is somebody else's code: let the editor run nothing of it (language servers run build \
         scripts and macros)",
    );
    let short = subject.new.bundle.revision.short();
    out.note(format!("next: borescope review {short}"));
    Ok(Exit::Ok)
}

/// Who types a verdict without having been asked says for which targets, where there is a choice.
fn one_choice(revision: &Digest, chosen: &Chosen) -> Result<(), Failure> {
    if !chosen.open {
        return Ok(());
    }
    let all: Vec<String> = chosen.pairs.iter().map(|p| format!("--target {p}")).collect();
    Err(Failure::usage(
        "the script fits more than one target, and which of them you mean is not said; nothing was \
         signed",
        format!("add those that you mean: borescope review {} {}", revision.short(), all.join(" ")),
    ))
}

/// Asks at a terminal; elsewhere says what could be typed.
fn ask(
    call: &Call<'_>,
    session: &Session,
    fetched: &Fetched,
    most: &domain::Capabilities,
    said: Said,
) -> anyhow::Result<Option<Said>> {
    let Fetched { authority, bundle, chosen, .. } = fetched;
    let out = call.out;
    if let Some(problem) = bars(session, fetched) {
        out.note(format!("you cannot review it: {problem}"));
        return Ok(None);
    }
    if !out.can_ask() {
        if !out.json {
            out.field("ceiling: ", &in_words(&said.ceiling))?;
        }
        let short = bundle.revision.short();
        out.note(format!(
            "nothing is signed; next: borescope review {short} --approve, --request-changes or --reject"
        ));
        return Ok(None);
    }
    let proposal = asking::Proposal { authority, pairs: &chosen.pairs, most };
    let said = asking::verdict(call, &proposal, said)?;
    if said.is_none() {
        out.note("nothing was signed");
    }
    Ok(said)
}

/// The person as whom somebody counts.
fn counted<'a>(authority: &'a Authority, person: &PersonId) -> Option<&'a PersonId> {
    authority.person(person).map(trust::Person::counted)
}

/// Why this person's review would not count, by the rules that count it.
fn bars(session: &Session, fetched: &Fetched) -> Option<String> {
    let Fetched { authority, bundle, said, chosen, .. } = fetched;
    let me = counted(authority, &session.person);
    let submitted = said.iter().filter(|view| view.kind == "submission");
    let mut authors = submitted.filter_map(|v| verified::<Submission>(authority, v).ok());
    let is_mine = |author: &trust::Verified<Submission>| {
        author.doc().revision == bundle.revision && counted(authority, &author.doc().author) == me
    };
    if !authority.is_solo() && authors.any(|author| is_mine(&author)) {
        return Some(
            "you submitted it, and nobody vouches for their own; ask somebody else".into(),
        );
    }
    let mine = groups(authority, session);
    let targets: Vec<_> = chosen.pairs.iter().filter_map(|p| authority.target(&p.target)).collect();
    if targets.iter().any(|t| t.reviews.admits(mine)) {
        return None;
    }
    let wanted = targets.iter().flat_map(|t| &t.reviews.groups);
    let wanted: std::collections::BTreeSet<&str> = wanted.map(AsRef::as_ref).collect();
    let wanted: Vec<&str> = wanted.into_iter().collect();
    Some(format!("reviewers there are members of {}", wanted.join(", ")))
}

/// A verdict in words.
pub(crate) const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approve",
        Verdict::RequestChanges => "request-changes",
        Verdict::Reject => "reject",
    }
}
