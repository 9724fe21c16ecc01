//! The target that scripts are built for. Its presence is looked up in the compiler's own folder,
//! which also works where the compiler does not come from rustup.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::steps::say;

/// The target of every script and guest.
const TARGET: &str = "wasm32-wasip2";

/// Installs the target if it is missing, and says so. `root` decides which toolchain is meant.
pub(crate) fn ensure_target(root: &Path) -> Result<()> {
    if library(root)?.is_dir() {
        return Ok(());
    }
    say(&format!("the Wasm target is missing: rustup target add {TARGET}"));
    let status = Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(root)
        .status()
        .with_context(|| format!("cannot start rustup; install the target {TARGET} yourself"))?;
    ensure!(status.success(), "`rustup target add {TARGET}` failed; its reason is above");
    let library = library(root)?;
    ensure!(
        library.is_dir(),
        "rustup installed {TARGET} for another toolchain than rustc's: {} is missing",
        library.display()
    );
    Ok(())
}

/// Where the compiler looks for the target's standard library.
fn library(root: &Path) -> Result<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(root)
        .output()
        .context("cannot start rustc; is it in PATH?")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`rustc --print sysroot` failed: {}", stderr.trim());
    let sysroot = String::from_utf8_lossy(&output.stdout);
    Ok(Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("lib"))
}
