//! Targets that hide something, of an engine that can.

use domain::mask::DateUnit;
use domain::{ColumnPath, Mask};

use super::*;

fn mask() -> impl Strategy<Value = Mask> {
    let keep = (0..=8_u64, 1..=8_u64)
        .prop_map(|(keep_first, keep_last)| Mask::Partial { keep_first, keep_last });
    prop_oneof![
        Just(Mask::Null),
        Just(Mask::Full),
        keep,
        Just(Mask::Email),
        (0..3_u8).prop_map(|n| Mask::KeyedHash { class: t(&format!("class-{n}")) }),
        (2..=NUMBER_MAX).prop_map(|width| Mask::Bucket { width }),
        Just(Mask::DateTruncate { unit: DateUnit::Week }),
    ]
}

/// One table: columns with what is done to them, and perhaps a filter.
type Table = (std::collections::BTreeMap<String, (Option<Mask>, bool)>, bool, Option<String>);

fn tables() -> impl Strategy<Value = Vec<Table>> {
    let columns = btree_map(".{1,6}", (of(mask()), any::<bool>()), 1..4);
    vec((columns, any::<bool>(), of("[^\\pC]{0,5}[a-z\"\\\\]")), 0..3)
}

/// `targets` as PostgreSQL databases with masks, denied columns and row filters.
pub(super) fn target(
    targets: impl Strategy<Value = PolicyTarget>,
) -> impl Strategy<Value = PolicyTarget> {
    (targets, tables()).prop_map(|(mut target, tables)| {
        target.engine = Engine::Postgres;
        target.identity = TargetIdentity::Postgres(PostgresIdentity {
            system_identifier: "7423847238472384723".to_owned(),
            database: "shop".to_owned(),
            role: "debug".to_owned(),
        });
        target.lag_s_max = Some(target.retention_days);
        target.cost_max = Some(target.statement_ms_max.max(1));
        target.reads.clear();
        for (n, (columns, denies, filter)) in tables.into_iter().enumerate() {
            let table = format!("s.t{n}");
            for (column, (mask, unmask)) in &columns {
                let unmask = *unmask && ColumnPath::of(&table, column).is_ok();
                let (table, column) = (table.clone(), column.clone());
                target.masks.extend(mask.clone().map(|mask| ColumnMask {
                    table,
                    column,
                    mask,
                    unmask,
                }));
            }
            if denies {
                // No column of the strategy is so long.
                let column = "denied\u{202e}".to_owned();
                target.denied.push(Denied { table: table.clone(), column });
            }
            let filter = filter.map(|filter| RowFilter { table: table.clone(), filter });
            target.row_filters.extend(filter);
            target.reads.push(Read { table, columns: columns.into_keys().collect() });
        }
        target
    })
}
