//! Reading columns: what does not parse becomes an error that names the row.

use std::fmt::Display;
use std::str::FromStr;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::StoreError;

/// One row with the names that its errors carry.
pub(crate) struct Reader<'a> {
    row: &'a SqliteRow,
    table: &'static str,
    key: String,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        row: &'a SqliteRow,
        table: &'static str,
        key_column: &str,
    ) -> Result<Self, StoreError> {
        let key = row.try_get(key_column)?;
        Ok(Self { row, table, key })
    }

    fn corrupt(&self, column: &'static str, problem: impl Display) -> StoreError {
        let problem = problem.to_string();
        StoreError::Corrupt { table: self.table, key: self.key.clone(), column, problem }
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        Ok(self.row.try_get(column)?)
    }

    pub(crate) fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        Ok(self.row.try_get(column)?)
    }

    pub(crate) fn parse<T: FromStr<Err: Display>>(
        &self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|e| self.corrupt(column, e))
    }

    pub(crate) fn parse_opt<T: FromStr<Err: Display>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.row.try_get(column)?;
        text.map(|t| t.parse().map_err(|e| self.corrupt(column, e))).transpose()
    }

    pub(crate) fn json<T: for<'de> serde::Deserialize<'de>>(
        &self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|e| self.corrupt(column, e))
    }

    pub(crate) fn json_opt<T: for<'de> serde::Deserialize<'de>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.row.try_get(column)?;
        text.map(|t| serde_json::from_str(&t).map_err(|e| self.corrupt(column, e))).transpose()
    }

    pub(crate) fn number(&self, column: &'static str) -> Result<u64, StoreError> {
        let n: i64 = self.row.try_get(column)?;
        u64::try_from(n).map_err(|_| self.corrupt(column, "is negative"))
    }

    pub(crate) fn number_opt(&self, column: &'static str) -> Result<Option<u64>, StoreError> {
        let n: Option<i64> = self.row.try_get(column)?;
        n.map(|n| u64::try_from(n).map_err(|_| self.corrupt(column, "is negative"))).transpose()
    }
}

/// A number as SQLite stores it.
pub(crate) fn int(n: u64, what: &'static str) -> Result<i64, StoreError> {
    i64::try_from(n).map_err(|_| StoreError::TooLarge { what })
}
