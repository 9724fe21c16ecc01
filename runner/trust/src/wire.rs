//! The two encodings that OpenSSH formats are made of: length-prefixed strings (RFC 4251 section 5)
//! and armored base64 blocks. Strict: one text per value, nothing left over.
//!
//! Neighbours: [`crate::key`], [`crate::secret`] and [`crate::sshsig`] are its only users.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes in a line of OpenSSH's armor of private keys and signatures.
const ARMOR_COLUMNS: usize = 70;

/// Reads length-prefixed values off the front of a slice.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `n` bytes; `None` when fewer are left.
    pub(crate) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let n = usize::try_from(self.u32()?).ok()?;
        self.take(n)
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Appends `bytes` with their length in front.
pub(crate) fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    // Every caller passes text or keys of a few hundred bytes, far below 2^32.
    let n = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&n.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Standard base64 with padding.
pub(crate) fn base64_of(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes standard base64 with padding and no other characters; `None` for every variant.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A block `-----BEGIN label-----` … `-----END label-----` as OpenSSH writes it.
pub(crate) fn armor(label: &str, bytes: &[u8]) -> String {
    let mut out = format!("-----BEGIN {label}-----\n");
    for (i, c) in base64_of(bytes).chars().enumerate() {
        if i > 0 && i % ARMOR_COLUMNS == 0 {
            out.push('\n');
        }
        out.push(c);
    }
    out.push_str(&format!("\n-----END {label}-----\n"));
    out
}

/// The bytes of an armored block; line ends may be LF or CRLF, nothing may stand around it.
pub(crate) fn dearmor(label: &str, text: &str) -> Option<Vec<u8>> {
    let mut lines = text.trim_end().lines();
    if lines.next()? != format!("-----BEGIN {label}-----") {
        return None;
    }
    let mut body = String::with_capacity(text.len());
    for line in lines.by_ref() {
        if line == format!("-----END {label}-----") {
            return if lines.next().is_none() { from_base64(&body) } else { None };
        }
        body.push_str(line);
    }
    None
}
