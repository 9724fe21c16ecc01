//! The grant compared with the catalog: what is granted exists, can be read by the role, and is read
//! from this server alone; masks fit the types of their columns, and the server takes each relation's
//! masks and row filter.
//!
//! Independent of the gate: [`Grants::check_origins`] looks at where the server says that result
//! columns come from.

use std::collections::BTreeSet;

use domain::Column;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::failure::{NOT_GRANTED, failure};
use super::gate::{Grant, Hidden, Relation, gate};
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
        a.names, a.numbers, a.types, a.readable, a.bases
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS g(schema, name, at)
    LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = g.schema
    LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = g.name
    LEFT JOIN LATERAL (
        SELECT array_agg(t.attname::text ORDER BY t.attnum) AS names,
            array_agg(t.attnum ORDER BY t.attnum) AS numbers,
            array_agg(format_type(t.atttypid, t.atttypmod) ORDER BY t.attnum) AS types,
            array_agg(has_column_privilege(c.oid, t.attnum, 'SELECT') ORDER BY t.attnum) AS readable,
            array_agg((
                WITH RECURSIVE base(id, of, kind) AS (
                    SELECT y.oid, y.typbasetype, y.typtype FROM pg_catalog.pg_type y
                    WHERE y.oid = t.atttypid
                    UNION ALL SELECT y.oid, y.typbasetype, y.typtype
                    FROM base JOIN pg_catalog.pg_type y ON base.kind = 'd' AND y.oid = base.of)
                SELECT format_type(id, NULL) FROM base WHERE kind <> 'd') ORDER BY t.attnum) AS bases
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
        let types = Type::TEXT_ARRAY;
        let rows = client
            .query_typed(GRANTED, &[(&schemas, types.clone()), (&names, types)])
            .await
            .map_err(failure)?;
        let mut grants = Self {
            grant: Grant { relations: Vec::new(), recursion: spec.recursion },
            tables: Vec::new(),
            relations: Vec::new(),
            origins: BTreeSet::new(),
        };
        for (read, row) in spec.reads.iter().zip(&rows) {
            grants.add(read, row)?;
        }
        grants.check_hidden(client, &spec.identity.role).await?;
        Ok(grants)
    }

    fn add(&mut self, read: &Relation, row: &Row) -> Result<(), TargetError> {
        let full = format!("{}.{}", read.schema, read.name);
        let relation = check_relation(&full, row)?;
        let attributes = attributes(row)?;
        let named = |column: &String| attributes.iter().find(|a| a.name == *column);
        let is_filtered_by =
            |column: &String| read.hidden.filter.iter().any(|f| f.columns().contains(column));
        for column in read.columns_read() {
            let what = || format!("column {full}.{column}");
            let Some(attribute) = named(column) else {
                return Err(TargetError::Missing { what: what() });
            };
            if !attribute.readable {
                let problem = "the role may not read it; GRANT SELECT on it to the role";
                return Err(TargetError::Ungrantable { what: what(), problem });
            }
            if attribute.base_type == "json" && is_filtered_by(column) {
                let problem = "its row filter looks into json, which fails where a text in it is \
                               none; filter by another column, or make this one jsonb";
                return Err(TargetError::Ungrantable { what: what(), problem });
            }
        }
        let mut hidden = read.hidden.clone();
        let mut columns = Vec::new();
        for Attribute { name, number, mut db_type, base_type, .. } in attributes {
            if !read.columns.contains(&name) {
                continue;
            }
            match hidden.masks.get_mut(&name) {
                Some(mask) => {
                    *mask = mask.fit(&base_type).map_err(|problem| TargetError::Unmaskable {
                        what: format!("{full}.{name}"),
                        db_type: db_type.clone(),
                        problem,
                    })?;
                    if mask.is_text() {
                        db_type = "text".to_owned();
                    }
                }
                None => _ = self.origins.insert((relation, number)),
            }
            columns.push(Column { name, db_type });
        }
        let Relation { schema, name, .. } = read.clone();
        let names = columns.iter().map(|c| c.name.clone()).collect();
        self.grant.relations.push(Relation { schema, name, columns: names, hidden });
        self.relations.push(relation);
        self.tables.push((full, columns));
        Ok(())
    }

    /// Has the server read each relation that hides something as every query will, and refuses to hash
    /// where the server would write down what it hashes with.
    async fn check_hidden(&self, client: &Client, role: &str) -> Result<(), TargetError> {
        for relation in &self.grant.relations {
            let Hidden { masks, filter, denied: _ } = &relation.hidden;
            if masks.is_empty() && filter.is_none() {
                continue;
            }
            let name = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
            let all = format!("SELECT * FROM {}.{}", name(&relation.schema), name(&relation.name));
            let what = format!("table {}.{}", relation.schema, relation.name);
            let gated = gate(&all, &[], &self.grant)
                .map_err(|refusal| TargetError::Config { problem: format!("{what}: {refusal}") })?;
            let keys = vec![Type::BYTEA; 2 * gated.keys.len()];
            client.prepare_typed(&gated.sql, &keys).await.map_err(|e| match failure(e) {
                TargetError::NotAllowed { .. } | TargetError::Database { .. } => {
                    let problem = "the server does not take its row filter or its masks; correct \
                                   them in the policy, so that the filter is a condition over its \
                                   columns";
                    TargetError::Ungrantable { what, problem }
                }
                other => other,
            })?;
        }
        if self.grant.classes().is_empty() { Ok(()) } else { keys_stay_secret(client, role).await }
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

    /// Each column that the role has to read, as `oid.name`: those that are granted, and those that row
    /// filters name.
    pub(super) fn granted_columns(&self) -> Vec<String> {
        let relations = self.relations.iter().zip(&self.grant.relations);
        let columns = relations.flat_map(|(oid, relation)| {
            relation.columns_read().into_iter().map(move |column| format!("{oid}.{column}"))
        });
        columns.collect()
    }

    /// How many relations are outside the grant.
    pub(super) async fn others(&self, client: &Client) -> Result<u64, TargetError> {
        let types = Type::OID_ARRAY;
        let row =
            client.query_typed_one(OTHERS, &[(&self.relations, types)]).await.map_err(failure)?;
        row.try_get::<_, i64>(0).map(i64::cast_unsigned).map_err(failure)
    }
}

/// A column as the catalog has it.
struct Attribute {
    name: String,
    number: i16,
    db_type: String,
    readable: bool,
    /// The type's name without domains around it.
    base_type: String,
}

fn attributes(row: &Row) -> Result<Vec<Attribute>, TargetError> {
    let texts = |at: usize| {
        let texts = row.try_get::<_, Option<Vec<String>>>(at).map_err(failure)?;
        Ok::<_, TargetError>(texts.unwrap_or_default())
    };
    let numbers = row.try_get::<_, Option<Vec<i16>>>(6).map_err(failure)?.unwrap_or_default();
    let readable = row.try_get::<_, Option<Vec<bool>>>(8).map_err(failure)?.unwrap_or_default();
    let (names, types, bases) = (texts(5)?, texts(7)?, texts(9)?);
    let found = names.into_iter().zip(numbers).zip(types.into_iter().zip(readable)).zip(bases);
    let one = |(((name, number), (db_type, readable)), base_type)| Attribute {
        name,
        number,
        db_type,
        readable,
        base_type,
    };
    Ok(found.map(one).collect())
}

/// The relation's number, if it is something that can be granted.
fn check_relation(full: &str, row: &Row) -> Result<u32, TargetError> {
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
    Ok(relation)
}

/// Settings that make a server write parameters, and with them keys, into its log; the value that does
/// not, and NULL where the server does not know one.
const LOGS: &str = "
    SELECT name, current_setting(name, true), quiet FROM (VALUES
        ('log_parameter_max_length', '0'), ('auto_explain.log_min_duration', '-1'),
        ('pgaudit.log_parameter', 'off')) AS s(name, quiet)
    WHERE current_setting(name, true) <> quiet LIMIT 1";

async fn keys_stay_secret(client: &Client, role: &str) -> Result<(), TargetError> {
    let Some(row) = client.query_typed_opt(LOGS, &[]).await.map_err(failure)? else {
        return Ok(());
    };
    let get = |at: usize| row.try_get::<_, String>(at).map_err(failure);
    let (setting, found, wanted) = (get(0)?, get(1)?, get(2)?);
    Err(TargetError::LogsKeys { role: role.to_owned(), setting, found, wanted })
}
