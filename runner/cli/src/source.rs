//! `source.tar`: the sources in a bundle, as reviewers read them.
//!
//! One file, one path, one meaning: what another program could unpack differently is refused, or the
//! source that was read would not be the one that somebody builds. So there are plain files with plain
//! paths and nothing else: no links, no devices, no extended headers, no path twice. `borescope build` makes
//! the archive by `pack`; what is done with it is [`crate::view`]'s and `review`'s.

mod pack;

use std::collections::BTreeMap;

use domain::display::neutralise;

pub(crate) use pack::pack;

/// The archive's place in a bundle.
pub(crate) const SOURCE_PATH: &str = "source.tar";

/// Files: more than anybody reads.
const FILES_MAX: usize = 2_000;
/// Bytes of a path.
const PATH_BYTES_MAX: usize = 255;
/// Bytes of a block: everything begins at a multiple of it.
const BLOCK: usize = 512;

/// A script's sources by path.
pub(crate) type Source = BTreeMap<String, Vec<u8>>;

/// Why an archive is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("source.tar, at byte {at}: {problem}")]
pub(crate) struct SourceError {
    /// Where its block begins.
    at: usize,
    problem: String,
}

/// Reads a whole archive.
///
/// # Errors
/// The first thing that is not a plain file or folder.
pub(crate) fn parse(tar: &[u8]) -> Result<Source, SourceError> {
    let (mut files, mut at) = (Source::new(), 0);
    loop {
        let wrong = |problem: String| SourceError { at, problem };
        let Some(header) = tar.get(at..at + BLOCK) else {
            return Err(wrong("it ends before its end marker".to_owned()));
        };
        if header.iter().all(|b| *b == 0) {
            if tar.len() < at + 2 * BLOCK || tar[at..].iter().any(|b| *b != 0) {
                return Err(wrong("something stands behind its end".to_owned()));
            }
            return check_folders(files);
        }
        let Header { path, size } = Header::read(header).map_err(wrong)?;
        let (begin, wrong) = (at + BLOCK, |problem: String| SourceError { at, problem });
        let padded = size.checked_next_multiple_of(BLOCK).and_then(|n| n.checked_add(begin));
        let content = padded.filter(|end| *end <= tar.len());
        let Some(end) = content else {
            return Err(wrong("the file is longer than the archive".to_owned()));
        };
        if tar[begin + size..end].iter().any(|b| *b != 0) {
            return Err(wrong("something stands between two files".to_owned()));
        }
        if let Some(path) = path {
            if files.len() == FILES_MAX {
                return Err(wrong(format!("it has more than {FILES_MAX} files")));
            }
            let shown = neutralise(&path);
            if files.insert(path, tar[begin..begin + size].to_vec()).is_some() {
                return Err(wrong(format!("{shown} is in it twice")));
            }
        }
        at = end;
    }
}

/// A path that is a file cannot be a folder as well, nor another file where letters have no case.
fn check_folders(files: Source) -> Result<Source, SourceError> {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    let wrong = |problem| Err(SourceError { at: 0, problem });
    for path in files.keys() {
        if let Some(other) = names.insert(path.to_ascii_lowercase(), path) {
            return wrong(format!("{other} and {path} are one file where letters have no case"));
        }
    }
    for path in files.keys() {
        let lower = path.to_ascii_lowercase();
        let mut folders = lower.match_indices('/').map(|(end, _)| &lower[..end]);
        if let Some(folder) = folders.find_map(|f| names.get(f)) {
            return wrong(format!("{folder} is a file, and {path} is in a folder of that name"));
        }
    }
    Ok(files)
}

/// What one header says.
struct Header {
    /// `None`: a folder, which its files make.
    path: Option<String>,
    size: usize,
}

impl Header {
    fn read(header: &[u8]) -> Result<Self, String> {
        let sum = |bytes: &[u8]| bytes.iter().map(|b| usize::from(*b)).sum::<usize>();
        // The checksum counts its own field as blanks.
        let expected = sum(&header[..148]) + 8 * usize::from(b' ') + sum(&header[156..]);
        if number(&header[148..156]) != Some(expected) {
            return Err("its checksum is wrong, or it is no header".to_owned());
        }
        let prefix = match &header[257..265] {
            b"ustar\x0000" => text(&header[345..500])?,
            b"ustar  \0" if header[345..].iter().all(|b| *b == 0) => String::new(),
            _ => return Err("the archive is not of the form ustar".to_owned()),
        };
        let mut name = text(&header[..100])?;
        if !prefix.is_empty() {
            name = format!("{prefix}/{name}");
        }
        if !matches!(header[156], b'0' | b'5' | 0) {
            return Err(format!(
                "{} is neither a file nor a folder (type {}); links and extended headers are refused",
                neutralise(&name),
                neutralise(&char::from(header[156]).to_string())
            ));
        }
        if header[500..].iter().any(|b| *b != 0) || header[157..257].iter().any(|b| *b != 0) {
            return Err("the header has more than a plain file's has".to_owned());
        }
        let size = number(&header[124..136]).ok_or("the size is no octal number")?;
        if header[156] != b'5' {
            return Ok(Self { path: Some(plain(&name)?), size });
        }
        let folder = name.trim_end_matches('/');
        if size > 0 || (folder != "." && plain(folder).is_err()) {
            return Err(format!("{} is no plain folder", neutralise(&name)));
        }
        Ok(Self { path: None, size })
    }
}

/// Octal digits, then only blanks and NULs.
fn number(field: &[u8]) -> Option<usize> {
    let end = field.iter().position(|b| matches!(b, b' ' | 0)).unwrap_or(field.len());
    let (digits, rest) = field.split_at(end);
    if digits.is_empty() || rest.iter().any(|b| !matches!(b, b' ' | 0)) {
        return None;
    }
    let digits = std::str::from_utf8(digits).ok().filter(|d| !d.starts_with('+'))?;
    usize::from_str_radix(digits, 8).ok()
}

/// Text up to the first NUL, with nothing hidden behind it.
fn text(field: &[u8]) -> Result<String, String> {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    if field[end..].iter().any(|b| *b != 0) {
        return Err("something stands behind a name's end".to_owned());
    }
    String::from_utf8(field[..end].to_vec()).map_err(|_| "a name is not UTF-8".to_owned())
}

/// A relative path of plain segments; a leading `./` is taken away.
fn plain(name: &str) -> Result<String, String> {
    let path = name.strip_prefix("./").unwrap_or(name);
    let is_plain = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+@".contains(&b))
    };
    if path.len() <= PATH_BYTES_MAX && path.split('/').all(is_plain) {
        return Ok(path.to_owned());
    }
    Err(format!(
        "\"{}\" is not a path of plain segments (letters, digits and ._-+@, joined by /)",
        neutralise(name)
    ))
}

#[cfg(test)]
mod tests;
