//! `output`: what a script produces besides its return value. Always linked; counted against the
//! limit `output`, which ends the run.

use domain::{Digest, Table};
use serde_json::json;
use wasmtime::component::Linker;

use super::wit::{Column, Value};
use super::{Place, digest_json, record_only, rows_in, wrap};
use crate::bridge::Ask;
use crate::recording::Artifact;
use crate::world::{Halt, World};

pub(crate) const INTERFACE: &str = "borescope:debug/output";
/// Bytes of a progress note that are shown.
const NOTE_BYTES_MAX: usize = 500;

/// Bytes that a column, a row and a cell count besides their content: about what the host needs.
const COLUMN_BYTES: u64 = 64;
const ROW_BYTES: u64 = 32;
const CELL_BYTES: u64 = 32;

type TableArgs = (String, Vec<Column>, Vec<Vec<Value>>);
type ArtifactArgs = (String, String, Vec<u8>);

fn place(function: &'static str) -> Place {
    Place { interface: INTERFACE, function }
}

pub(crate) fn link(l: &mut Linker<World>) -> wasmtime::Result<()> {
    let mut l = l.instance(&super::versioned(INTERFACE))?;
    wrap(&mut l, place("table"), record_only, digest_table, |world, args: TableArgs, _| {
        add_table(world, args)
    })?;
    wrap(
        &mut l,
        place("artifact"),
        record_only,
        |(name, content_type, bytes): &ArtifactArgs| {
            digest_json(&json!([name, content_type, Digest::of(bytes)]))
        },
        |world, (name, content_type, bytes), _| {
            world.spend_output((name.len() + content_type.len() + bytes.len()) as u64)?;
            world.artifacts.push(Artifact { name, content_type, bytes });
            Ok(())
        },
    )?;
    wrap(
        &mut l,
        place("progress"),
        |world, event, (percent, note): &(u8, String)| {
            if *percent > 100 {
                return Err(Halt::Misuse(format!(
                    "progress is {percent} percent; the most is 100"
                )));
            }
            world.spend_output(note.len() as u64)?;
            let cut = note.floor_char_boundary(NOTE_BYTES_MAX);
            Ok(Ask::Progress { event, percent: *percent, note: note[..cut].to_owned() })
        },
        |(percent, note)| digest_json(&json!([percent, note])),
        |_, _, _| Ok(()),
    )
}

fn add_table(world: &mut World, (name, columns, rows): TableArgs) -> Result<(), Halt> {
    let columns: Vec<domain::Column> = columns.into_iter().map(Into::into).collect();
    let rows = rows_in(rows);
    if let Some(row) = rows.iter().position(|r| r.len() != columns.len()) {
        let (got, width) = (rows[row].len(), columns.len());
        return Err(Halt::Misuse(format!(
            "row {row} of an output table has {got} cells; the table has {width} columns"
        )));
    }
    world.spend_output(cost(&name, &columns, &rows))?;
    world.tables.push(Table { name, columns, rows });
    Ok(())
}

/// What a table takes from the limit `output`. Empty columns, rows and cells are not free: the host
/// holds them, and the recording writes them out.
fn cost(name: &str, columns: &[domain::Column], rows: &[Vec<domain::Value>]) -> u64 {
    let head: u64 = columns.iter().map(|c| (c.name.len() + c.db_type.len()) as u64).sum();
    let cells: u64 = rows.iter().flatten().map(|cell| CELL_BYTES + cell.size_bytes()).sum();
    name.len() as u64
        + head
        + cells
        + COLUMN_BYTES * columns.len() as u64
        + ROW_BYTES * rows.len() as u64
}

fn digest_table((name, columns, rows): &TableArgs) -> Digest {
    let columns: Vec<_> = columns.iter().map(|c| json!([c.name, c.type_name])).collect();
    let rows = serde_json::to_value(rows_in(rows.clone())).unwrap_or_default();
    digest_json(&json!([name, columns, rows]))
}
