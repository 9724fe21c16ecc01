//! Compiled components on disk: authenticated, because loading one is running native code.
//!
//! A file is `MAC ‖ artifact`. The MAC covers the component's digest, wasmtime's full version and
//! the engine build, so a file of another component, version or configuration does not verify. A
//! file that does not verify is as good as absent; it is compiled again and overwritten.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use domain::Digest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::engine::WASMTIME_VERSION;

const MAC_BYTES: usize = 32;
const DOMAIN: &[u8] = b"borescope-artifact-v1\0";

/// The artifacts of one engine build in one directory.
pub(crate) struct Artifacts<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) key: &'a [u8; 32],
    pub(crate) build: Digest,
}

impl Artifacts<'_> {
    fn path(&self, component: &Digest) -> PathBuf {
        self.dir.join(format!("{}-{}.artifact", component.hex(), self.build.short()))
    }

    fn mac(&self, component: &Digest, artifact: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key).ok()?;
        mac.update(DOMAIN);
        mac.update(component.as_bytes());
        mac.update(Digest::of(WASMTIME_VERSION.as_bytes()).as_bytes());
        mac.update(self.build.as_bytes());
        mac.update(artifact);
        Some(mac)
    }

    /// The artifact's bytes, if there is one and it verifies. The whole file is in memory before it
    /// is checked, so nobody can change it in between.
    pub(crate) fn load(&self, component: &Digest) -> Option<Vec<u8>> {
        let path = self.path(component);
        let mut bytes = std::fs::read(&path).ok()?;
        let verified = bytes.len() > MAC_BYTES && {
            let (tag, artifact) = bytes.split_at(MAC_BYTES);
            self.mac(component, artifact).is_some_and(|mac| mac.verify_slice(tag).is_ok())
        };
        if !verified {
            tracing::warn!(path = %path.display(), "a compiled component does not verify; it is compiled again");
            return None;
        }
        bytes.drain(..MAC_BYTES);
        Some(bytes)
    }

    /// Keeps an artifact. Failing costs a compilation later, so it is logged and not an error. A
    /// crash leaves a temporary file or a complete one; a torn one does not verify.
    pub(crate) fn store(&self, component: &Digest, artifact: &[u8]) {
        let Some(mac) = self.mac(component, artifact) else {
            return;
        };
        let path = self.path(component);
        let temporary = path.with_extension("new");
        let written = std::fs::create_dir_all(self.dir)
            .and_then(|()| std::fs::File::create(&temporary))
            .and_then(|mut f| {
                f.write_all(&mac.finalize().into_bytes())?;
                f.write_all(artifact)
            })
            .and_then(|()| std::fs::rename(&temporary, &path));
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "a compiled component is not kept");
        }
    }
}
