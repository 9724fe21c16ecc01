//! What a component may import: the interfaces of the host contract, and the WASI that language
//! runtimes drag in, which [`crate::wasi`] answers from an empty world. Nothing else has a name here.

use wasmparser::ComponentTypeRef;

use crate::error::Refusal;

/// Interfaces of `borescope:debug`, at exactly the version of the contract.
pub(crate) const DEBUG_VERSION: &str = "0.1.0";
const DEBUG: [&str; 5] = [
    "borescope:debug/types",
    "borescope:debug/sql",
    "borescope:debug/log",
    "borescope:debug/output",
    "borescope:debug/run-context",
];
/// WASI 0.2, any patch.
const WASI: [&str; 27] = [
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:clocks/wall-clock",
    "wasi:clocks/monotonic-clock",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:filesystem/types",
    "wasi:filesystem/preopens",
    "wasi:sockets/network",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Bytes of an import's name; the longest that is allowed has 40. A version may carry any text.
const NAME_BYTES_MAX: usize = 100;

/// The name up to `@`.
pub(crate) fn without_version(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

/// Whether it is a release of WASI 0.2: no draft, and nothing behind the patch.
fn is_patch_of_0_2(version: &str) -> bool {
    let patch = version.strip_prefix("0.2.").unwrap_or_default();
    !patch.is_empty() && patch.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn check(name: &str, ty: &ComponentTypeRef) -> Result<(), Refusal> {
    let (interface, version) = name.split_once('@').unwrap_or((name, ""));
    let is_debug = DEBUG.contains(&interface) && version == DEBUG_VERSION;
    let is_wasi = WASI.contains(&interface) && is_patch_of_0_2(version);
    let fits = name.len() <= NAME_BYTES_MAX;
    if fits && (is_debug || is_wasi) && matches!(ty, ComponentTypeRef::Instance(_)) {
        return Ok(());
    }
    let allowed = format!(
        "{} at {DEBUG_VERSION}, and the wasi:cli, io, clocks, random, filesystem and sockets of WASI 0.2",
        DEBUG.join(", ")
    );
    Err(Refusal::Import { name: super::shown(name), allowed })
}
