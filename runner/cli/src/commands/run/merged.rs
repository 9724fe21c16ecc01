//! What several runs of one script gave, as one: their tables under one another, with a first column
//! that says on which target each row was read.

use domain::{Column, Table, Value};

/// What one run gave.
pub(super) struct Part<'a> {
    /// Where it ran.
    pub(super) target: &'a str,
    /// Its tables.
    pub(super) tables: &'a [Table],
}

/// Tables of one name and the same columns become one, in the order in which they first come.
pub(super) fn tables(parts: &[Part<'_>]) -> Vec<Table> {
    let mut all: Vec<Table> = Vec::new();
    for part in parts {
        for table in part.tables {
            let fits = |m: &&mut Table| m.name == table.name && m.columns[1..] == table.columns[..];
            let at = match all.iter_mut().find(fits) {
                Some(merged) => merged,
                None => {
                    all.push(empty(table));
                    // It was pushed in the line above.
                    let last = all.len() - 1;
                    &mut all[last]
                }
            };
            let target = || Value::Text(part.target.to_owned());
            at.rows.extend(table.rows.iter().map(|row| [&[target()][..], row].concat()));
        }
    }
    all
}

fn empty(like: &Table) -> Table {
    let target = Column { name: "target".to_owned(), db_type: "text".to_owned() };
    let columns = [&[target][..], &like.columns].concat();
    Table { name: like.name.clone(), columns, rows: Vec::new() }
}

#[cfg(test)]
mod tests;
