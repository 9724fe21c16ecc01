//! `borescope keys`: whose keys sign what.

use clap::{Args, Subcommand};

use super::Call;
use crate::allowed_signers;
use crate::exit::Exit;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
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
    /// Print an allowed_signers file for stock `ssh-keygen -Y verify`
    AllowedSigners(AllowedSignersArgs),
}

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope keys allowed-signers > allowed_signers
  ssh-keygen -Y verify -f allowed_signers -I alice -n borescope-review-v1@shop.example/dev \\
      -s review.sig < review.pae

One line for each active key of the directory, the keyring and the runners, with the kinds of
documents that it may sign, out of the keyring that your context pins. Necessary, not sufficient:
thresholds, groups and the touch of a security key are checked by borescope, not by ssh-keygen.")]
pub(crate) struct AllowedSignersArgs {}

/// Does what is asked.
pub(crate) async fn command(call: &Call<'_>, args: KeysArgs) -> anyhow::Result<Exit> {
    let KeysCommand::AllowedSigners(_) = args.what;
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
