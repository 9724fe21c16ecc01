//! The end of the demo: what to try next.

use super::stage::Stage;
use super::steps::Story;
use crate::out::{Out, Style};

/// Shows commands; with `--keep` those that work right now.
pub(super) fn show(stage: &Stage, story: &Story, keep: bool, out: Out) -> anyhow::Result<()> {
    let bold = |text: &str| out.style(Style::Bold, text);
    if !keep {
        out.line(format!(
            "\n{}\n  borescope demo --keep     leave the server running and try it yourself\n  \
             borescope init --help     set up a server for your own SQLite database\n  \
             scripts/                  three scripts to read; sdk/rust to write your own",
            bold("Next")
        ))?;
        return Ok(());
    }
    let (dir, url) = (stage.dir().display(), &stage.url);
    out.line(format!("\n{} {url}", bold("The server runs on")))?;
    out.line(format!("Keys of alice, bob, carol, mallory: {dir}/keys/"))?;
    out.line(format!(
        "\n{}\n  borescope login --context demo --url {url} --as alice \\\n      \
         --key {dir}/keys/alice --trust {dir}/trust.toml\n  \
         borescope scripts\n  borescope show customer-timeline\n  borescope runs",
        bold("As alice, in another terminal")
    ))?;
    out.line(format!(
        "\n{}\n  borescope verify {result}/evidence.json --trust {dir}/trust.toml \\\n      \
         --output {result}/output.json --recording {result}/recording.rec\n  \
         borescope replay {result}/recording.rec --bundle {dir}/bundles/stuck-orders\n  \
         borescope verify {ledger} --trust {dir}/trust.toml",
        bold("As an auditor, without the server"),
        result = story.result.display(),
        ledger = stage.data.ledger().display()
    ))?;
    out.line(format!(
        "\n{}\n  cd {dir}/bundles/payment-mismatch && sha256sum -c bundle.sha256\n  \
         curl -H \"authorization: Bearer {}\" \\\n      \
         $(find . -type f -printf ' -F %P=@%p') {url}/v1/revisions",
        bold("With plain curl: upload a bundle, one form field a file"),
        stage.token
    ))?;
    out.line("\nCtrl-C stops the server and removes the folder.")?;
    Ok(())
}
