//! Whether a text is SQL at all, as SQLite's own parser says, with no database behind it.
//!
//! For authors, who should learn this before anybody reviews it. What names mean is told by
//! [`super::reads()`], and counts only at the target.

use rusqlite::hooks::{AuthContext, Authorization};
use rusqlite::{Connection, Error};

use super::open::restrict;
use super::statement::is_syntax;

/// Words of the parser and the byte where it stopped, when the text is not SQL.
pub(super) fn error(sql: &str) -> Option<(String, usize)> {
    let conn = Connection::open_in_memory().ok()?;
    restrict(&conn).ok()?;
    // Denies the first thing that is asked after parsing: names mean nothing here.
    let deny = |_: AuthContext<'_>| Authorization::Deny;
    conn.authorizer(Some(deny)).ok()?;
    match conn.prepare(sql) {
        Err(Error::SqlInputError { msg, offset, .. }) if is_syntax(&msg) => {
            Some((msg, usize::try_from(offset).unwrap_or(0)))
        }
        // Of a text that lacks its end no place is given.
        Err(Error::SqliteFailure(_, Some(msg))) if is_syntax(&msg) => {
            Some((msg, sql.trim_end().len()))
        }
        _ => None,
    }
}
