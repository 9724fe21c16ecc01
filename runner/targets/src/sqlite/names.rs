//! Names of one session that no statement can know.
//!
//! The authorizer tells who reads a column by a name only, and a CTE can carry any name that its
//! author knows. So what is allowed to read the file has names with 128 random bits, made anew for
//! each session, and nothing that leaves this module's neighbours shows them: not a column's name,
//! not an error, not the evidence.

use rusqlite::Connection;

use super::statement::failure;
use crate::TargetError;

/// The names of one session.
pub(super) struct Names {
    token: String,
    /// The granted tables as policy writes them: what [`Names::hide`] puts in their place.
    tables: Vec<String>,
}

impl Names {
    /// New names. The bits are SQLite's own: a cipher's stream with a key of the operating system's,
    /// of which queries cannot ask for any.
    pub(super) fn new(conn: &Connection, tables: Vec<String>) -> Result<Self, TargetError> {
        let token = conn.query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0));
        Ok(Self { token: token.map_err(failure)?, tables })
    }

    /// The schema that the file is attached as.
    pub(super) fn schema(&self) -> String {
        format!("s{}", self.token)
    }

    /// The inner view of the `n`-th granted table.
    pub(super) fn inner(&self, n: usize) -> String {
        format!("v{}_{n}", self.token)
    }

    /// The function that computes the mask of its `column`-th column.
    pub(super) fn mask(&self, n: usize, column: usize) -> String {
        format!("m{}_{n}_{column}", self.token)
    }

    /// The same words without these names.
    pub(super) fn hide(&self, words: &str) -> String {
        if !words.contains(&self.token) {
            return words.to_owned();
        }
        let mut words = words.replace(&format!("{}.", self.schema()), "");
        words = words.replace(&self.schema(), "the target");
        // From the last, because the first's name begins the tenth's.
        for (n, table) in self.tables.iter().enumerate().rev() {
            words = words.replace(&self.inner(n), table);
        }
        words.replace(&self.token, "")
    }
}
