//! The grant compared with the catalog: what is granted exists, can be read by the role, and is read
//! from this server alone.
//!
//! Independent of the gate: [`Grants::check_origins`] looks at where the server says that result
//! columns come from.

use std::collections::BTreeSet;

use domain::Column;
use tokio_postgres::{Client, Row};

use super::failure::{NOT_GRANTED, failure};
use super::gate::{Grant, Relation};
use super::spec::PostgresSpec;
use crate::TargetError;

/// Kinds of relation that can be granted: table, partitioned table, view, materialised view.
const KINDS: &[&str] = &["r", "p", "v", "m"];

const GRANTED: &str = "
    SELECT c.oid, c.relkind::text, has_schema_privilege(n.oid, 'USAGE'),
        has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
            OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'),
        EXISTS (
            WITH RECURSIVE part(id) AS (
                SELECT c.oid UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i
                JOIN part ON i.inhparent = part.id)
            SELECT 1 FROM part JOIN pg_catalog.pg_class p ON p.oid = part.id WHERE p.relkind = 'f'),
        a.names, a.numbers, a.types, a.readable
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS g(schema, name, at)
    LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = g.schema
    LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = g.name
    LEFT JOIN LATERAL (
        SELECT array_agg(t.attname::text ORDER BY t.attnum) AS names,
            array_agg(t.attnum ORDER BY t.attnum) AS numbers,
            array_agg(format_type(t.atttypid, t.atttypmod) ORDER BY t.attnum) AS types,
            array_agg(has_column_privilege(c.oid, t.attnum, 'SELECT') ORDER BY t.attnum) AS readable
        FROM pg_catalog.pg_attribute t
        WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped) a ON true
    ORDER BY g.at";

/// Relations outside the grant.
const OTHERS: &str = "
    SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
        AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
        AND c.oid <> ALL ($1)";

/// The grant as it applies to the catalog of this moment.
#[derive(Debug, Clone)]
pub(super) struct Grants {
    /// For the gate; columns in the catalog's order.
    pub(super) grant: Grant,
    /// `schema.name`, and the visible columns with their types.
    pub(super) tables: Vec<(String, Vec<Column>)>,
    pub(super) relations: Vec<u32>,
    origins: BTreeSet<(u32, i16)>,
}

impl Grants {
    /// Reads the catalog.
    pub(super) async fn load(client: &Client, spec: &PostgresSpec) -> Result<Self, TargetError> {
        let schemas: Vec<&str> = spec.reads.iter().map(|r| r.schema.as_str()).collect();
        let names: Vec<&str> = spec.reads.iter().map(|r| r.name.as_str()).collect();
        let types = tokio_postgres::types::Type::TEXT_ARRAY;
        let rows = client
            .query_typed(GRANTED, &[(&schemas, types.clone()), (&names, types)])
            .await
            .map_err(failure)?;
        let mut grants = Self {
            grant: Grant::default(),
            tables: Vec::new(),
            relations: Vec::new(),
            origins: BTreeSet::new(),
        };
        for (read, row) in spec.reads.iter().zip(&rows) {
            grants.add(read, row)?;
        }
        Ok(grants)
    }

    fn add(&mut self, read: &Relation, row: &Row) -> Result<(), TargetError> {
        let full = format!("{}.{}", read.schema, read.name);
        let table = || format!("table {full}");
        let Some(relation) = row.try_get::<_, Option<u32>>(0).map_err(failure)? else {
            return Err(TargetError::Missing { what: table() });
        };
        let bad = |problem: &'static str| TargetError::Ungrantable { what: table(), problem };
        let kind: String = row.try_get(1).map_err(failure)?;
        if !KINDS.contains(&kind.as_str()) || row.try_get(4).map_err(failure)? {
            return Err(bad(
                "it is, or has parts that are, not a table or view of this server; grant \
                            something else",
            ));
        }
        if !row.try_get::<_, bool>(2).map_err(failure)? {
            return Err(bad("the role may not use its schema; GRANT USAGE ON SCHEMA to the role"));
        }
        if row.try_get::<_, bool>(3).map_err(failure)? {
            return Err(bad("the role may write it; REVOKE everything but SELECT from the role"));
        }
        let all: Vec<String> = row.try_get::<_, Option<_>>(5).map_err(failure)?.unwrap_or_default();
        let numbers: Vec<i16> =
            row.try_get::<_, Option<_>>(6).map_err(failure)?.unwrap_or_default();
        let types: Vec<String> =
            row.try_get::<_, Option<_>>(7).map_err(failure)?.unwrap_or_default();
        let readable: Vec<bool> =
            row.try_get::<_, Option<_>>(8).map_err(failure)?.unwrap_or_default();
        if let Some(column) = read.columns.iter().find(|c| !all.contains(c)) {
            return Err(TargetError::Missing { what: format!("column {full}.{column}") });
        }
        let mut columns = Vec::new();
        let found = all.into_iter().zip(numbers).zip(types.into_iter().zip(readable));
        for ((name, number), (db_type, readable)) in found {
            if !read.columns.contains(&name) {
                continue;
            }
            if !readable {
                let what = format!("column {full}.{name}");
                let problem = "the role may not read it; GRANT SELECT on it to the role";
                return Err(TargetError::Ungrantable { what, problem });
            }
            self.origins.insert((relation, number));
            columns.push(Column { name, db_type });
        }
        let Relation { schema, name, .. } = read.clone();
        let names = columns.iter().map(|c| c.name.clone()).collect();
        self.grant.relations.push(Relation { schema, name, columns: names });
        self.relations.push(relation);
        self.tables.push((full, columns));
        Ok(())
    }

    /// Refuses a result whose columns the server takes from anything that is not granted. An
    /// expression has no origin; the gate answers for it.
    pub(super) fn check_origins(
        &self,
        columns: &[tokio_postgres::Column],
    ) -> Result<(), TargetError> {
        for column in columns {
            let (Some(relation), number) = (column.table_oid(), column.column_id()) else {
                continue;
            };
            if !number.is_some_and(|n| self.origins.contains(&(relation, n))) {
                let detail = format!("result column of relation {relation}, number {number:?}");
                return Err(TargetError::NotAllowed { reason: NOT_GRANTED.into(), detail });
            }
        }
        Ok(())
    }

    /// Each granted column, as `oid.name`.
    pub(super) fn granted_columns(&self) -> Vec<String> {
        let tables = self.relations.iter().zip(&self.tables);
        let columns = tables.flat_map(|(oid, (_, columns))| {
            columns.iter().map(move |column| format!("{oid}.{}", column.name))
        });
        columns.collect()
    }

    /// How many relations are outside the grant.
    pub(super) async fn others(&self, client: &Client) -> Result<u64, TargetError> {
        let types = tokio_postgres::types::Type::OID_ARRAY;
        let row =
            client.query_typed_one(OTHERS, &[(&self.relations, types)]).await.map_err(failure)?;
        row.try_get::<_, i64>(0).map(i64::cast_unsigned).map_err(failure)
    }
}
