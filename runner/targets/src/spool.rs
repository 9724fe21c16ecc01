//! What a statement returned, held by the host until the script has paged through it.
//!
//! In memory: caps bound it. Not a cursor at the target; that one is closed before this exists.

use std::collections::VecDeque;

use domain::{Column, LimitName, Value};

/// The rows of one statement, complete up to the caps.
#[derive(Debug, Clone, PartialEq)]
pub struct Spool {
    columns: Vec<Column>,
    rows: VecDeque<Vec<Value>>,
    rows_total: u64,
    bytes_total: u64,
    limit_hit: Option<LimitName>,
    lag_s: Option<u64>,
}

impl Spool {
    /// A spool of these rows. `limit_hit` names the cap that kept further rows out.
    #[must_use]
    pub fn new(columns: Vec<Column>, rows: Vec<Vec<Value>>, limit_hit: Option<LimitName>) -> Self {
        let bytes_total = rows.iter().flatten().map(Value::size_bytes).sum();
        Self {
            columns,
            rows_total: rows.len() as u64,
            bytes_total,
            rows: rows.into(),
            limit_hit,
            lag_s: None,
        }
    }

    /// The same, read from a replica that was so many seconds behind at most.
    #[must_use]
    pub fn behind(self, lag_s: u64) -> Self {
        Self { lag_s: Some(lag_s), ..self }
    }

    /// Seconds that the replica was behind when the statement began, rounded up; `None` of what is no
    /// replica.
    #[must_use]
    pub const fn lag_s(&self) -> Option<u64> {
        self.lag_s
    }

    /// The columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Takes the next rows, at most `rows_max`; and whether the spool is empty now.
    pub fn next(&mut self, rows_max: usize) -> (Vec<Vec<Value>>, bool) {
        let n = rows_max.min(self.rows.len());
        let page = self.rows.drain(..n).collect();
        (page, self.rows.is_empty())
    }

    /// Rows that the statement returned, whether taken or not.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows_total
    }

    /// Bytes of their cells.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes_total
    }

    /// The cap that was reached while there was more: `query-rows` or `query-bytes`. The caller
    /// gives the script the spooled rows first, then this.
    #[must_use]
    pub fn limit_hit(&self) -> Option<LimitName> {
        self.limit_hit
    }
}
