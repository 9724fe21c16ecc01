//! Tables: the part of a result that people read.
//!
//! Built cell by cell, or from structs through serde (`cells`). A mistake in a row is kept and
//! reported once, by [`Table::emit`], so that the building reads as one sentence.

mod cells;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::bindings::borescope::debug::output;
use crate::{Column, Error, Result, Value};

/// Starts a table of the result.
pub fn table(name: &str) -> Table {
    Table { name: name.to_owned(), columns: Vec::new(), rows: Vec::new(), mistake: None }
}

/// A table not yet part of the result.
#[derive(Debug, Clone)]
#[must_use = "the table joins the result only by `emit`"]
pub struct Table {
    name: String,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    mistake: Option<Error>,
}

impl Table {
    /// Adds a column.
    pub fn column(mut self, name: &str) -> Self {
        self.columns.push(name.to_owned());
        self
    }

    /// Adds columns.
    pub fn columns<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().fold(self, Self::column)
    }

    /// Adds a row, as many cells as there are columns.
    pub fn row<V: Into<Value>>(mut self, cells: impl IntoIterator<Item = V>) -> Self {
        let cells: Vec<Value> = cells.into_iter().map(Into::into).collect();
        if cells.len() != self.columns.len() {
            let (name, want, got) = (&self.name, self.columns.len(), cells.len());
            let text = format!("table {name}: a row has {got} cells where {want} columns are");
            self.mistake.get_or_insert(Error::Invalid(text));
        }
        self.rows.push(cells);
        self
    }

    /// Adds a row for each struct. Fields are columns: if none were named so far, the first struct
    /// names them; otherwise the names must be the same, in the same order.
    pub fn rows<T: Serialize>(mut self, structs: impl IntoIterator<Item = T>) -> Self {
        for item in structs {
            match cells::of(&item) {
                Ok(row) => self.push(row),
                Err(e) => {
                    let text = format!("table {}: {e}", self.name);
                    self.mistake.get_or_insert(Error::Invalid(text));
                }
            }
        }
        self
    }

    /// Adds the table to the result.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the first row that did not fit.
    pub fn emit(self) -> Result<()> {
        let (name, columns, rows) = self.finish()?;
        let columns: Vec<_> = columns.into_iter().map(Into::into).collect();
        let rows: Vec<Vec<_>> =
            rows.into_iter().map(|r| r.into_iter().map(Into::into).collect()).collect();
        output::table(&name, &columns, &rows);
        Ok(())
    }

    fn push(&mut self, row: Vec<(&'static str, Value)>) {
        if self.columns.is_empty() {
            self.columns = row.iter().map(|(name, _)| (*name).to_owned()).collect();
        }
        if !self.columns.iter().map(String::as_str).eq(row.iter().map(|(name, _)| *name)) {
            let got: Vec<_> = row.iter().map(|(name, _)| *name).collect();
            let (name, want, got) = (&self.name, self.columns.join(", "), got.join(", "));
            let text = format!("table {name}: a row has the fields {got}; its columns are {want}");
            self.mistake.get_or_insert(Error::Invalid(text));
        }
        self.rows.push(row.into_iter().map(|(_, value)| value).collect());
    }

    /// Columns get the type of their first cell that is not NULL.
    fn finish(self) -> Result<(String, Vec<Column>, Vec<Vec<Value>>)> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let kind = |at: usize| {
            let mut cells = self.rows.iter().map(|row| &row[at]);
            cells.find(|cell| **cell != Value::Null).map_or("null", Value::kind)
        };
        let columns = self.columns.iter().enumerate();
        let columns =
            columns.map(|(i, name)| Column { name: name.clone(), type_name: kind(i).to_owned() });
        let columns = columns.collect();
        Ok((self.name, columns, self.rows))
    }
}
