//! The catalog as an analysis has it: relations with their columns' types, the definitions of views and
//! of types that somebody made, policies of row security, and functions.
//!
//! Read by our own fixed statements: when a reviewer asks, and in the transaction of each query after
//! the server has parsed it. Parsing locks what the query names, and the transaction reads what was
//! committed until then, so what is compared is what will be executed. Definitions are hashed at the
//! server; nothing in them depends on statistics or on numbers of this one catalog.

use std::collections::BTreeMap;

use domain::Digest;
use domain::analysis::{Catalog, ColumnShape, Definition, RelationKind, RelationShape};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::failure::failure;
use super::gate::Relation;
use crate::TargetError;

/// Relations by name, with what decides what reading them means. `used` is what a view rests on:
/// views and functions, as the catalog's dependencies have them.
const RELATIONS: &str = "
    WITH asked AS (
        SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relkind, c.relrowsecurity
        FROM unnest($1::text[], $2::text[]) AS g(schema, name)
        JOIN pg_catalog.pg_namespace n ON n.nspname = g.schema
        JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = g.name)
    SELECT asked.name, asked.relkind::text,
        CASE WHEN asked.relkind IN ('v', 'm') THEN (
            WITH RECURSIVE used(class, id) AS (
                SELECT 'pg_catalog.pg_class'::regclass::oid, asked.oid
                UNION
                SELECT d.refclassid, d.refobjid FROM used u
                JOIN pg_catalog.pg_rewrite r ON u.class = 'pg_catalog.pg_class'::regclass AND r.ev_class = u.id
                JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                WHERE d.refclassid IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass))
            SELECT encode(sha256(convert_to(coalesce(string_agg(text, E'\\n' ORDER BY text), ''), 'UTF8')), 'hex')
            FROM (
                SELECT jsonb_build_array( n.nspname, c.relname, c.relkind, c.reloptions,
                    pg_get_userbyid(c.relowner), pg_get_viewdef(c.oid))::text AS text
                FROM used u JOIN pg_catalog.pg_class c ON c.oid = u.id
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE u.class = 'pg_catalog.pg_class'::regclass
                UNION ALL
                SELECT jsonb_build_array( n.nspname, p.proname, pg_get_function_identity_arguments(p.oid),
                    p.prorettype::regtype, l.lanname, p.prosrc, p.probin, p.prosecdef, p.provolatile,
                    p.proconfig, pg_get_userbyid(p.proowner))::text
                FROM used u JOIN pg_catalog.pg_proc p ON p.oid = u.id
                JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                JOIN pg_catalog.pg_language l ON l.oid = p.prolang
                WHERE u.class = 'pg_catalog.pg_proc'::regclass) AS texts)
        END,
        CASE WHEN asked.relrowsecurity THEN (
            SELECT encode(sha256(convert_to(coalesce(string_agg(jsonb_build_array( p.polname, p.polcmd,
                p.polpermissive, ARRAY(SELECT pg_get_userbyid(r) FROM unnest(p.polroles) r),
                pg_get_expr(p.polqual, p.polrelid))::text, E'\\n' ORDER BY p.polname), ''), 'UTF8')), 'hex')
            FROM pg_catalog.pg_policy p WHERE p.polrelid = asked.oid)
        END,
        a.names, a.types, a.ids
    FROM asked LEFT JOIN LATERAL (
        SELECT array_agg(t.attname::text ORDER BY t.attnum) AS names,
            array_agg(format_type(t.atttypid, t.atttypmod) ORDER BY t.attnum) AS types,
            array_agg(t.atttypid ORDER BY t.attnum) AS ids
        FROM pg_catalog.pg_attribute t
        WHERE t.attrelid = asked.oid AND t.attnum > 0 AND NOT t.attisdropped) a ON true
    ORDER BY asked.name";

/// Types that are not PostgreSQL's own, with all that they are made of.
const TYPES: &str = "
    SELECT asked.id, (
        WITH RECURSIVE made(id) AS (
            SELECT asked.id
            UNION
            SELECT part.id FROM made m JOIN pg_catalog.pg_type t ON t.oid = m.id
            CROSS JOIN LATERAL (
                SELECT t.typelem AS id UNION ALL SELECT t.typbasetype
                UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
                UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
                    WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            ) part WHERE part.id <> 0)
        SELECT encode(sha256(convert_to(string_agg(jsonb_build_array( n.nspname, t.typname, t.typtype,
            t.typinput::text, t.typoutput::text, format_type(t.typbasetype, t.typtypmod), t.typnotnull,
            (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder)
             FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
            (SELECT string_agg(pg_get_constraintdef(c.oid), ',' ORDER BY c.conname)
             FROM pg_catalog.pg_constraint c WHERE c.contypid = t.oid),
            (SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ','
                ORDER BY a.attnum)
             FROM pg_catalog.pg_attribute a
             WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))::text,
            E'\\n' ORDER BY n.nspname, t.typname), 'UTF8')), 'hex')
        FROM made m JOIN pg_catalog.pg_type t ON t.oid = m.id
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname <> 'pg_catalog' OR t.oid = asked.id)
    FROM (SELECT DISTINCT unnest($1::oid[]) AS id) asked
    JOIN pg_catalog.pg_type t ON t.oid = asked.id
    LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
    WHERE t.typnamespace <> 'pg_catalog'::regnamespace OR e.typnamespace <> 'pg_catalog'::regnamespace";

/// Every function of each name.
const FUNCTIONS: &str = "
    SELECT p.proname::text, encode(sha256(convert_to(string_agg(jsonb_build_array(
        pg_get_function_identity_arguments(p.oid), p.prorettype::regtype, p.proretset, l.lanname, p.prosrc,
        p.probin, p.prosecdef, p.provolatile, p.proconfig, g.aggtransfn::text, g.aggfinalfn::text,
        g.agginitval)::text, E'\\n'
        ORDER BY pg_get_function_identity_arguments(p.oid)), 'UTF8')), 'hex')
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    LEFT JOIN pg_catalog.pg_aggregate g ON g.aggfnoid = p.oid
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY ($1)
    GROUP BY p.proname ORDER BY p.proname";

/// Reads what the catalog has of `relations`, all their columns, and of the functions of these names.
///
/// # Errors
/// As a statement of ours; a relation that is not there is left out, and so is a function.
pub(super) async fn read(
    client: &Client,
    relations: &[Relation],
    functions: &[String],
) -> Result<Catalog, TargetError> {
    let schemas: Vec<&str> = relations.iter().map(|r| r.schema.as_str()).collect();
    let names: Vec<&str> = relations.iter().map(|r| r.name.as_str()).collect();
    let texts = Type::TEXT_ARRAY;
    let asked = [(&schemas as &(dyn ToSql + Sync), texts.clone()), (&names, texts.clone())];
    let found = client.query_typed(RELATIONS, &asked).await.map_err(failure)?;
    let ids = found.iter().map(ids_of).collect::<Result<Vec<_>, _>>()?.concat();
    let made = client.query_typed(TYPES, &[(&ids, Type::OID_ARRAY)]).await.map_err(failure)?;
    let made =
        made.iter().map(|row| Ok((row.try_get::<_, u32>(0).map_err(failure)?, digest(row, 1)?)));
    let made = made.collect::<Result<BTreeMap<_, _>, TargetError>>()?;
    let called = client.query_typed(FUNCTIONS, &[(&functions, texts)]).await.map_err(failure)?;
    let function = |row: &Row| {
        let digest = digest(row, 1)?.ok_or_else(unreadable)?;
        Ok(Definition { name: row.try_get(0).map_err(failure)?, digest })
    };
    Ok(Catalog {
        relations: found
            .iter()
            .map(|row| relation(row, &made))
            .collect::<Result<_, TargetError>>()?,
        functions: called.iter().map(function).collect::<Result<_, TargetError>>()?,
    })
}

fn ids_of(row: &Row) -> Result<Vec<u32>, TargetError> {
    Ok(row.try_get::<_, Option<Vec<u32>>>(6).map_err(failure)?.unwrap_or_default())
}

fn relation(row: &Row, made: &BTreeMap<u32, Option<Digest>>) -> Result<RelationShape, TargetError> {
    let list = |at: usize| row.try_get::<_, Option<Vec<String>>>(at).map_err(failure);
    let (names, types) = (list(4)?.unwrap_or_default(), list(5)?.unwrap_or_default());
    let kind = match row.try_get::<_, String>(1).map_err(failure)?.as_str() {
        "v" => RelationKind::View,
        "m" => RelationKind::MaterializedView,
        // What else there is cannot be granted.
        _ => RelationKind::Table,
    };
    let columns = names.into_iter().zip(types).zip(ids_of(row)?);
    let columns = columns.map(|((name, db_type), id)| ColumnShape {
        name,
        db_type,
        definition: made.get(&id).copied().flatten(),
    });
    Ok(RelationShape {
        name: row.try_get(0).map_err(failure)?,
        kind,
        definition: digest(row, 2)?,
        row_security: digest(row, 3)?,
        columns: columns.collect(),
    })
}

fn digest(row: &Row, at: usize) -> Result<Option<Digest>, TargetError> {
    let hex = row.try_get::<_, Option<String>>(at).map_err(failure)?;
    let digest = hex.map(|hex| format!("sha256:{hex}").parse::<Digest>());
    digest.transpose().map_err(|_| unreadable())
}

fn unreadable() -> TargetError {
    TargetError::Database { detail: "a digest of the catalog is none".into() }
}
