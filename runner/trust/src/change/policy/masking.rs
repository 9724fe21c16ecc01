//! Between two versions of a target: what is hidden, and what no longer is.

use domain::display::neutralise;

use super::super::Changes;
use super::reordered;
use crate::documents::{ColumnMask, Denied, PolicyTarget};

/// What a new target hides.
pub(super) fn comes(changes: &mut Changes, t: &PolicyTarget) {
    let id = &t.id;
    for m in &t.masks {
        changes.narrows(format!("{id}: {} is masked: {}", column(m), mask(m)));
    }
    for d in &t.denied {
        changes.narrows(format!("{id}: {} is denied", denied(d)));
    }
    for f in &t.row_filters {
        let (table, filter) = (neutralise(&f.table), neutralise(&f.filter));
        changes.narrows(format!("{id}: {table} shows only rows with {filter}"));
    }
}

/// What changes of it.
pub(super) fn of(changes: &mut Changes, old: &PolicyTarget, new: &PolicyTarget) {
    masks(changes, old, new);
    let id = &new.id;
    for d in new.denied.iter().filter(|d| !old.denied.contains(d)) {
        changes.narrows(format!("{id}: {} is denied", denied(d)));
    }
    for d in old.denied.iter().filter(|d| !new.denied.contains(d)) {
        changes.grave(format!("{id}: {} is denied no more", denied(d)));
    }
    reordered(changes, &format!("{id}: denied columns"), &old.denied, &new.denied);
    filters(changes, old, new);
}

fn masks(changes: &mut Changes, old: &PolicyTarget, new: &PolicyTarget) {
    let id = &new.id;
    for m in &new.masks {
        let name = column(m);
        match old.mask(&m.table, &m.column) {
            None => changes.narrows(format!("{id}: {name} is masked: {}", mask(m))),
            Some(before) if before.mask != m.mask => {
                changes.grave(format!(
                    "{id}: {name} is masked: {} instead of {}",
                    mask(m),
                    mask(before)
                ));
            }
            Some(before) => match (before.unmask, m.unmask) {
                (false, true) => changes.grave(format!("{id}: a grant may unmask {name}")),
                (true, false) => changes.narrows(format!("{id}: no grant may unmask {name}")),
                _ => {}
            },
        }
    }
    for m in old.masks.iter().filter(|m| new.mask(&m.table, &m.column).is_none()) {
        // Whoever takes the column out of `reads` too reads there that it is gone.
        changes.grave(format!("{id}: {} is masked no more; it was {}", column(m), mask(m)));
    }
    let names = |t: &PolicyTarget| {
        t.masks.iter().map(|m| (m.table.clone(), m.column.clone())).collect::<Vec<_>>()
    };
    reordered(changes, &format!("{id}: masks"), &names(old), &names(new));
}

fn filters(changes: &mut Changes, old: &PolicyTarget, new: &PolicyTarget) {
    let id = &new.id;
    for f in &new.row_filters {
        let (table, filter) = (neutralise(&f.table), neutralise(&f.filter));
        match old.row_filter(&f.table) {
            None => changes.narrows(format!("{id}: {table} shows only rows with {filter}")),
            Some(before) if before != f.filter => changes.grave(format!(
                "{id}: {table} shows only rows with {filter} instead of {}",
                neutralise(before)
            )),
            Some(_) => {}
        }
    }
    for f in old.row_filters.iter().filter(|f| new.row_filter(&f.table).is_none()) {
        let (table, filter) = (neutralise(&f.table), neutralise(&f.filter));
        changes.grave(format!("{id}: {table} shows all rows, no more only those with {filter}"));
    }
    let tables =
        |t: &PolicyTarget| t.row_filters.iter().map(|f| f.table.clone()).collect::<Vec<_>>();
    reordered(changes, &format!("{id}: row filters"), &tables(old), &tables(new));
}

fn column(m: &ColumnMask) -> String {
    format!("{}.{}", neutralise(&m.table), neutralise(&m.column))
}

fn denied(d: &Denied) -> String {
    format!("{}.{}", neutralise(&d.table), neutralise(&d.column))
}

fn mask(m: &ColumnMask) -> String {
    let unmask = if m.unmask { ", unless a grant unmasks it" } else { "" };
    format!("{}{unmask}", m.mask)
}
