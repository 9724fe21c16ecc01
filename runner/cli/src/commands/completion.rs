//! `borescope completion` and `borescope man`: what shells and `man` want to know, made from the same
//! arguments that are parsed.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::env::Shells;

use super::Call;
use crate::args::Cli;
use crate::completing::VARIABLE;
use crate::exit::Exit;

/// Arguments of `completion`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope completion bash > ~/.local/share/bash-completion/completions/borescope
  borescope completion zsh > ~/.zfunc/_borescope
  borescope completion fish > ~/.config/fish/completions/borescope.fish

The shell then asks this program while you type: it completes commands, flags, contexts, scripts,
targets and the parameters of a script.")]
pub(crate) struct CompletionArgs {
    /// Shell to write for
    #[arg(value_parser = ["bash", "elvish", "fish", "zsh"])]
    shell: String,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope man --out ~/.local/share/man/man1
  borescope man | man -l -

With --out, a page for the program and one for each command; else the program's on standard output.")]
pub(crate) struct ManArgs {
    /// Folder to write the pages to; made if missing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints the script of a shell.
pub(crate) fn completion(call: &Call<'_>, args: &CompletionArgs) -> anyhow::Result<Exit> {
    let shell = Shells::builtins();
    let shell = shell.completer(&args.shell).context("the shell is not known")?;
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, "borescope", "borescope", "borescope", &mut script)?;
    call.out.verbatim(&script)?;
    Ok(Exit::Ok)
}

/// Prints or writes manual pages.
pub(crate) fn man(call: &Call<'_>, args: &ManArgs) -> anyhow::Result<Exit> {
    let Some(dir) = &args.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        call.out.verbatim(&page)?;
        return Ok(Exit::Ok);
    };
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    clap_mangen::generate_to(Cli::command(), dir)
        .with_context(|| format!("cannot write to {}", dir.display()))?;
    call.out.note(format!("written to {}; read them with: man borescope", dir.display()));
    Ok(Exit::Ok)
}
