//! Calls of the bundle's reviewed queries: name, parameters, pages.
//!
//! A script passes parameters by name and never SQL text. Paging happens in here; the host may give
//! smaller pages than asked for. Cells become structs in `row`.

use std::collections::VecDeque;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::borescope::debug::sql;
use crate::error::from_host;
use crate::{Column, Error, Result, Value, row};

/// Rows asked for at a time. The host caps a page by bytes as well; a thousand small rows is about
/// the point where the call's own cost no longer shows.
const PAGE_ROWS: u32 = 1_000;

/// Starts a call of the query that the manifest declares under this name.
pub fn query(name: &str) -> Query {
    Query { name: name.to_owned(), params: Vec::new() }
}

/// The names of the queries that this run may open, sorted; fewer than the manifest declares when
/// reviewers, approvers or the policy left some out.
#[must_use]
pub fn queries() -> Vec<String> {
    sql::queries()
}

/// A call of a query, not yet sent.
#[derive(Debug, Clone)]
#[must_use = "nothing is asked before `open`, `all` or `first`"]
pub struct Query {
    name: String,
    params: Vec<(String, Value)>,
}

impl Query {
    /// Sets a parameter. One that the manifest fills from the approved input (`from`) must not be
    /// set here: the host answers [`Error::Invalid`].
    pub fn param(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.push((name.to_owned(), value.into()));
        self
    }

    /// Sends the call. Counts as one of the query's `calls_max`.
    ///
    /// # Errors
    /// [`Error::Denied`] if the query is not among the run's effective capabilities;
    /// [`Error::Limit`], [`Error::Invalid`], [`Error::Timeout`] and [`Error::Backend`] as they say.
    pub fn open(self) -> Result<Cursor> {
        let params: Vec<_> = self.params.into_iter().map(|(n, v)| (n, v.into())).collect();
        let inner = sql::open(&self.name, &params).map_err(from_host)?;
        let columns = inner.columns().into_iter().map(Column::from).collect();
        Ok(Cursor { inner, columns, buffered: VecDeque::new(), done: false })
    }

    /// Every row, as structs; fails if any limit of the query cuts the result short.
    ///
    /// # Errors
    /// As [`Query::open`] and [`Rows`].
    pub fn all<T: DeserializeOwned>(self) -> Result<Vec<T>> {
        self.open()?.rows().collect()
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As [`Query::open`] and [`Rows`].
    pub fn first<T: DeserializeOwned>(self) -> Result<Option<T>> {
        self.open()?.rows().next().transpose()
    }
}

/// An open result. Dropping it closes it at the target.
pub struct Cursor {
    inner: sql::Cursor,
    columns: Vec<Column>,
    buffered: VecDeque<Vec<Value>>,
    done: bool,
}

impl Cursor {
    /// The columns, known also when there is no row.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The rows as structs: a field takes the column of its name.
    #[must_use]
    pub fn rows<T: DeserializeOwned>(self) -> Rows<T> {
        Rows { cursor: self, row: PhantomData }
    }

    /// The rows as they are, cells in the order of [`Cursor::columns`].
    #[must_use]
    pub fn values(self) -> Values {
        Values { cursor: self }
    }

    /// The next row. After the last one and after an error: nothing.
    fn next_row(&mut self) -> Option<Result<Vec<Value>>> {
        // A page may be empty without being the last.
        while self.buffered.is_empty() && !self.done {
            match self.inner.next(PAGE_ROWS) {
                Ok(page) => {
                    self.done = page.done;
                    let rows = page.rows.into_iter();
                    self.buffered =
                        rows.map(|r| r.into_iter().map(Value::from).collect()).collect();
                }
                Err(error) => {
                    self.done = true;
                    return Some(Err(from_host(error)));
                }
            }
        }
        self.buffered.pop_front().map(Ok)
    }
}

/// Rows as structs. An item is an error when the host ends the result early ([`Error::Limit`],
/// [`Error::Timeout`], [`Error::Backend`]) or a row does not fit the struct ([`Error::Invalid`]).
pub struct Rows<T> {
    cursor: Cursor,
    row: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Iterator for Rows<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let row = self.cursor.next_row()?;
        Some(row.and_then(|cells| row::from_cells(&self.cursor.columns, cells)))
    }
}

/// Rows as values; errors as in [`Rows`].
pub struct Values {
    cursor: Cursor,
}

impl Iterator for Values {
    type Item = Result<Vec<Value>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.cursor.next_row()
    }
}
