//! `borescope keys`: people, their keys, groups and roles, and changing them.

mod accept;
pub(crate) mod propose;
mod revoke;
pub(crate) mod show;

use clap::{Args, Subcommand, ValueEnum};
use domain::PersonId;
use trust::Versioned as _;

use super::Call;
use super::proposals::{self, WhichArgs};
use crate::allowed_signers;
use crate::exit::Exit;

/// How long a new version is valid unless somebody says otherwise, seconds: a year.
pub(crate) const LIFE: &str = "365d";

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope keys show --person alice
  borescope keys source directory > directory.toml      edit it, then:
  borescope keys propose directory.toml
  borescope keys proposals
  borescope keys sign 3f2a91c0d4e5                       shows what it changes, and asks
  borescope keys adopt 3f2a91c0d4e5
  borescope keys allowed-signers > allowed_signers
  borescope show rev_0198f0c0-… --pae --out proof      what else `ssh-keygen -Y verify` needs")]
pub(crate) struct KeysArgs {
    /// What about the keys
    #[command(subcommand)]
    what: KeysCommand,
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Show people, their keys and groups, who holds which role
    Show(ShowArgs),
    /// Print the directory or the keyring in force as the text that people edit
    Source(SourceArgs),
    /// Propose the next directory (or keyring) from such a text: shows what changes, signs
    Propose(propose::ProposeArgs),
    /// List what is proposed and what each proposal still lacks
    Proposals(ProposalsArgs),
    /// Read a proposal and add your signature
    Sign(WhichArgs),
    /// Put a proposal in force that has all its signatures
    Adopt(WhichArgs),
    /// Take back a proposal that you signed
    Drop(WhichArgs),
    /// Propose a directory in which a key, or every key of a person, signs no more
    Revoke(revoke::RevokeArgs),
    /// Propose a directory with the key of a claim that came by `borescope join`
    Accept(accept::AcceptArgs),
    /// Print an allowed_signers file for stock `ssh-keygen -Y verify`
    AllowedSigners(AllowedSignersArgs),
}

/// Arguments.
#[derive(Debug, Args)]
struct ShowArgs {
    /// Only this person, service or agent, with everything that they may do
    #[arg(long, value_name = "PERSON")]
    person: Option<PersonId>,
}

/// Which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// People
    Directory,
    /// Roles and floors
    Keyring,
}

/// Arguments.
#[derive(Debug, Args)]
struct SourceArgs {
    /// Which document
    #[arg(value_enum, default_value_t = Which::Directory)]
    which: Which,
}

/// Arguments.
#[derive(Debug, Args)]
struct ProposalsArgs {}

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope keys allowed-signers > allowed_signers
  ssh-keygen -Y verify -f allowed_signers -I alice -n borescope-review-v1@shop.example/test \\
      -s review.sig < review.pae

One line for each active key of the directory, the keyring and the runners, with the kinds of
documents that it may sign, out of the keyring that your context pins. Necessary, not sufficient:
thresholds, groups and the touch of a security key are checked by borescope, not by ssh-keygen.")]
pub(crate) struct AllowedSignersArgs {}

/// Does what is asked.
pub(crate) async fn command(call: &Call<'_>, args: KeysArgs) -> anyhow::Result<Exit> {
    match args.what {
        KeysCommand::Show(args) => show::command(call, args.person.as_ref()).await,
        KeysCommand::Source(args) => source(call, args.which).await,
        KeysCommand::Propose(args) => propose::command(call, args).await,
        KeysCommand::Proposals(_) => proposals::list(call).await,
        KeysCommand::Sign(args) => proposals::sign(call, &args).await,
        KeysCommand::Adopt(args) => proposals::adopt(call, &args).await,
        KeysCommand::Drop(args) => proposals::take_back(call, &args).await,
        KeysCommand::Revoke(args) => revoke::command(call, args).await,
        KeysCommand::Accept(args) => accept::command(call, args).await,
        KeysCommand::AllowedSigners(_) => allowed(call).await,
    }
}

async fn source(call: &Call<'_>, which: Which) -> anyhow::Result<Exit> {
    let authority = call.session().await?.authority().await?;
    let text = match which {
        Which::Directory => authority.directory().source(),
        Which::Keyring => authority.keyring().source(),
    };
    print_source(call, &text)
}

/// Prints a source as it is: whatever a terminal could obey is escaped in it, as TOML does it.
pub(crate) fn print_source(call: &Call<'_>, text: &str) -> anyhow::Result<Exit> {
    if call.out.json {
        call.out.json(&serde_json::json!({ "source": text }))?;
    } else {
        call.out.lines(text.lines())?;
    }
    Ok(Exit::Ok)
}

async fn allowed(call: &Call<'_>) -> anyhow::Result<Exit> {
    let authority = call.session().await?.authority().await?;
    for signer in allowed_signers::of(&authority) {
        if call.out.json {
            call.out.json(&signer)?;
        } else {
            call.out.line(signer.to_string())?;
        }
    }
    Ok(Exit::Ok)
}
