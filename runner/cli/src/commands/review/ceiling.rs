//! A ceiling as its reviewer edits it: the text of what will be signed, parsed strictly. It can only become
//! smaller.

use std::fs;
use std::process::Command;

use anyhow::Context as _;
use domain::Scope;
use domain::capability::Capabilities;
use domain::display::neutralise_block;

use crate::commands::Call;
use crate::exit::Failure;
use crate::view::change::Moves;

/// Bytes of an edited text; a ceiling has far fewer.
const TEXT_BYTES_MAX: usize = 256 << 10;

/// What stands above the text.
const HEADER: &str = "\
# What this revision may do at most, as you will sign it. Make numbers smaller, remove queries or whole
# targets; nothing can become larger. Leave it as it is to sign what was proposed.
";

/// Lets the person edit `current`; `most` is what was proposed. `None`: nothing was changed.
///
/// # Errors
/// When the editor cannot be started. What is wrong with the text is shown, and it is edited again.
pub(super) fn edit(
    call: &Call<'_>,
    current: &Scope,
    most: &Capabilities,
) -> anyhow::Result<Option<Scope>> {
    let mut text = format!("{HEADER}\n{}", toml::to_string(current)?);
    loop {
        let edited = in_editor(&call.env.editor, &text)?;
        if edited == text {
            return Ok(None);
        }
        match parse(&edited, most) {
            Ok(scope) => return Ok(Some(scope)),
            Err(problem) => call.out.notes(problem.lines()),
        }
        text = edited;
        if !call.out.confirm("Edit it again? (n: the ceiling stays as it was)")? {
            return Ok(None);
        }
    }
}

/// Parses an edited ceiling and refuses one that is wider than what was proposed.
pub(super) fn parse(text: &str, most: &Capabilities) -> Result<Scope, String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("a ceiling has at most {TEXT_BYTES_MAX} bytes"));
    }
    let scope: Scope = toml::from_str(text).map_err(|e| neutralise_block(&e.to_string()))?;
    let edited = scope.capabilities().map_err(|e| e.to_string())?;
    if edited.pairs.is_empty() {
        return Err("it names no target any more; to refuse the revision, reject it".to_owned());
    }
    if !edited.within(most) {
        let Moves { wider, .. } = Moves::between(most, &edited);
        return Err(format!(
            "nothing is signed that is wider than what was proposed: {}",
            wider.join("; ")
        ));
    }
    Ok(edited.scope())
}

/// The text after the person's editor has ended.
fn in_editor(editor: &str, text: &str) -> anyhow::Result<String> {
    // Nobody else on this machine may change what will be signed: the folder is the person's own.
    let dir = tempfile::tempdir().context("cannot make a folder for the editor")?;
    let file = dir.path().join("ceiling.toml");
    fs::write(&file, text).context("cannot write what is to be edited")?;
    // As git does it: the variable may have arguments.
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$@\""), editor])
        .arg(&file)
        .status()
        .with_context(|| format!("cannot start the editor {editor}"))?;
    if !status.success() {
        return Err(Failure::usage(
            format!("the editor {editor} ended with an error; nothing was changed or signed"),
            "set EDITOR to an editor that this terminal can start",
        )
        .into());
    }
    fs::read_to_string(&file).context("cannot read what was edited")
}

#[cfg(test)]
mod tests;
