//! The end of the demo: what to try next.

use super::stage::Stage;
use crate::out::{Out, Style};

/// Shows commands; with `--keep` those that work right now.
pub(super) fn show(stage: &Stage, keep: bool, out: Out) -> anyhow::Result<()> {
    let bold = |text: &str| out.style(Style::Bold, text);
    if !keep {
        out.lines(
            format!(
                "\n{}\n  borescope demo --keep     leave the server running and try it yourself\n  \
             borescope init --help     set up a server for your own SQLite database\n  \
             scripts/                  three scripts to read; sdk/rust to write your own",
                bold("Next")
            )
            .lines(),
        )?;
        return Ok(());
    }
    let (dir, url) = (stage.dir().display(), &stage.url);
    out.lines(["", &format!("{} {url}", bold("The server runs on"))])?;
    out.line("Keys of alice, bob, carol and mallory are in the folder's keys/.")?;
    out.lines(
        format!(
            "\n{}\n  cd {dir}\n  borescope login --context demo --url {url} \\\n      \
         --as alice --key keys/alice --trust trust.toml\n  \
         borescope scripts\n  borescope show customer-timeline\n  borescope runs",
            bold("As alice, in another terminal")
        )
        .lines(),
    )?;
    out.lines(
        format!(
            "\n{}\n  borescope verify result/evidence.json --trust trust.toml \\\n      \
         --output result/output.json --recording result/recording.rec\n  \
         borescope replay result/recording.rec --bundle bundles/stuck-orders\n  \
         borescope verify data/runner/ledger --trust trust.toml",
            bold("As an auditor, in the same folder, without the server")
        )
        .lines(),
    )?;
    out.lines(
        format!(
            "\n{}\n  cd {dir}/bundles/payment-mismatch && sha256sum -c bundle.sha256\n  \
         curl -H \"authorization: Bearer {}\" \\\n      \
         $(find . -type f -printf ' -F %P=@%p') {url}/v1/revisions",
            bold("With plain curl: upload a bundle, one form field a file"),
            stage.token
        )
        .lines(),
    )?;
    out.lines(["", "Ctrl-C stops the server and removes the folder."])?;
    Ok(())
}
