//! Views that compute what the gate would put in front of a table: for databases where somebody may make
//! them, so that the login role has no right on the raw columns at all.
//!
//! Each is a `security_barrier` view, owned by a role that nobody is and that may read the columns it
//! needs. Its expressions are the gate's own, deparsed. Where they depend on a column's type, which no
//! policy knows, they are functions with one overload for each type that fits: the server chooses, and
//! refuses a type that does not fit. A keyed hash cannot be a view's: its key belongs to one grant.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use domain::display::{neutralise, quoted_toml};

use super::super::gate::{self, Filter, Hidden, Mask, Relation};
use super::{block, literal, name, revokes};

/// Bytes of a PostgreSQL name.
const NAME_BYTES_MAX: usize = 63;
/// The types of columns that masks by type fit, as `format_type` has them.
const NUMBERS: &[&str] = &["smallint", "integer", "bigint", "numeric", "real", "double precision"];
const MOMENTS: &[&str] = &["date", "timestamp without time zone", "timestamp with time zone"];

/// Why there are no views.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewsError {
    /// Two tables would have one view, or its name does not fit.
    #[error("{table} cannot have a view of its own name in {schema}: {problem}")]
    Name {
        /// The table.
        table: String,
        /// The views' schema.
        schema: String,
        /// What is in the way.
        problem: &'static str,
    },
    /// Something that cannot be printed as it is.
    #[error(
        "what policy hides of {table} has characters that cannot be seen, so nobody could read the view \
         that they would stand in; write the row filter without them, or leave the table to the gate"
    )]
    Unreadable {
        /// The table.
        table: String,
    },
    /// The gate cannot write a mask or a filter as text.
    #[error("what policy hides of {table} cannot be written as SQL: {refusal}")]
    Gate {
        /// The table.
        table: String,
        /// Why.
        refusal: gate::Refusal,
    },
}

/// The views of all tables of which something is hidden.
#[derive(Debug, Clone)]
pub struct MaskViews {
    /// Their schema, and the role that owns them.
    pub(super) schema: String,
    views: Vec<View>,
    /// `CREATE FUNCTION`, one each.
    functions: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct View {
    table: Relation,
    name: String,
    /// Columns with what computes them.
    columns: Vec<(String, String)>,
    left_out: Vec<String>,
    filter: Option<String>,
}

impl MaskViews {
    /// Those of what policy lets a role read, in a schema of this name.
    ///
    /// # Errors
    /// When one of them cannot be.
    pub fn of(schema: &str, reads: &[Relation]) -> Result<Self, ViewsError> {
        let hides = |r: &&Relation| !r.hidden.masks.is_empty() || r.hidden.filter.is_some();
        let mut views =
            Self { schema: schema.to_owned(), views: Vec::new(), functions: BTreeSet::new() };
        for table in reads.iter().filter(hides) {
            let view = views.view(table)?;
            views.views.push(view);
        }
        Ok(views)
    }

    /// What the login role reads: the views instead of their tables, and tables that hide nothing.
    #[must_use]
    pub fn reads(&self, reads: &[Relation]) -> Vec<Relation> {
        let of = |table: &Relation| {
            let same = |v: &&View| (&v.table.schema, &v.table.name) == (&table.schema, &table.name);
            match self.views.iter().find(same) {
                Some(view) => {
                    let columns = view.columns.iter().map(|(column, _)| column.clone()).collect();
                    Relation::plain(&self.schema, &view.name, columns)
                }
                None => table.clone(),
            }
        };
        reads.iter().map(of).filter(|r| !r.columns.is_empty()).collect()
    }

    fn view(&mut self, table: &Relation) -> Result<View, ViewsError> {
        let full = || format!("{}.{}", table.schema, table.name);
        let bad =
            |problem| Err(ViewsError::Name { table: full(), schema: self.schema.clone(), problem });
        if self.views.iter().any(|v| v.name == table.name) {
            return bad("a table of another schema has that name; give one of them its own policy");
        }
        if self.schema.is_empty()
            || self.schema.len() > NAME_BYTES_MAX
            || self.schema.starts_with("pg_")
            || self.schema == table.schema
        {
            return bad("choose a new schema for the views, of 1 to 63 bytes");
        }
        let Hidden { masks, filter, denied: _ } = &table.hidden;
        let gated = |sql: Result<String, gate::Refusal>| {
            let sql = sql.map_err(|refusal| ViewsError::Gate { table: full(), refusal })?;
            if neutralise(&sql) == sql {
                Ok(sql)
            } else {
                Err(ViewsError::Unreadable { table: full() })
            }
        };
        let (mut columns, mut left_out) = (Vec::new(), Vec::new());
        for column in &table.columns {
            match masks.get(column) {
                None => columns.push((column.clone(), name(column))),
                Some(mask) if mask.is_keyed() => left_out.push(column.clone()),
                Some(mask) => match by_type(mask) {
                    None => columns.push((column.clone(), gated(gate::mask_sql(mask, column))?)),
                    Some((function, types)) => {
                        let call =
                            format!("{}.{}({})", name(&self.schema), name(&function), name(column));
                        for (db_type, fitted) in fitting(mask, types) {
                            let body = gated(gate::mask_sql(&fitted, "raw"))?;
                            self.functions.insert(self.function(&function, db_type, &body));
                        }
                        columns.push((column.clone(), call));
                    }
                },
            }
        }
        let filter = filter.as_ref().map(|f: &Filter| gated(gate::filter_sql(f))).transpose()?;
        Ok(View { table: table.clone(), name: table.name.clone(), columns, left_out, filter })
    }

    /// One overload.
    fn function(&self, function: &str, db_type: &str, body: &str) -> String {
        // What knows time zones is not immutable to PostgreSQL, and would not be inlined if it said so.
        let volatility = if MOMENTS.contains(&db_type) { "STABLE" } else { "IMMUTABLE" };
        format!(
            "CREATE FUNCTION {schema}.{function}(raw {db_type}) RETURNS {db_type}\n    \
             LANGUAGE sql {volatility} PARALLEL SAFE AS {body};\n\
             ALTER FUNCTION {schema}.{function}({db_type}) OWNER TO {schema};\n",
            schema = name(&self.schema),
            function = name(function),
            body = literal(&format!("SELECT {body}")),
        )
    }

    /// Makes the owner, takes the views and functions of before, and makes these.
    pub(super) fn text(&self) -> String {
        let owner = name(&self.schema);
        let mut out = format!(
            "-- The views of what is hidden, and what they are made of. Their owner may read the columns that\n\
             -- they need, and nobody is that role.\n{}\nCREATE SCHEMA IF NOT EXISTS {owner} AUTHORIZATION {owner};\n",
            block(&self.renewal())
        );
        out.push_str(&revokes(&self.schema));
        let mut schemas: Vec<&str> = self.views.iter().map(|v| v.table.schema.as_str()).collect();
        schemas.sort_unstable();
        schemas.dedup();
        for schema in schemas {
            let _ = writeln!(out, "GRANT USAGE ON SCHEMA {} TO {owner};", name(schema));
        }
        for function in &self.functions {
            out.push_str(function);
        }
        for view in &self.views {
            out.push('\n');
            out.push_str(&view.text(&owner));
        }
        out.push('\n');
        out
    }

    /// The owner is nothing more than that, and its schema has nothing but views and functions of before:
    /// those go, unless somebody built on them.
    fn renewal(&self) -> String {
        let (owner, text) = (name(&self.schema), literal(&self.schema));
        let taken = literal(&format!(
            "the name {} is taken by a role with powers or a login, or by a schema with something else in \
             it than views: choose another one; nothing was changed",
            self.schema
        ));
        format!(
            "DECLARE
    line text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {text}) THEN
        CREATE ROLE {owner} NOLOGIN NOINHERIT
            NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
    IF EXISTS (SELECT FROM pg_roles r WHERE rolname = {text} AND (
        rolcanlogin OR rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
        OR EXISTS (SELECT FROM pg_auth_members m WHERE r.oid IN (m.member, m.roleid))))
        OR EXISTS (SELECT FROM pg_namespace n JOIN pg_roles r ON r.rolname = {text}
        WHERE n.nspname = {text} AND (n.nspowner <> r.oid OR EXISTS (
            SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind <> 'v'))) THEN
        RAISE EXCEPTION USING MESSAGE = {taken};
    END IF;
    FOR line IN
        SELECT format('DROP VIEW %s', c.oid::regclass)
        FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = to_regnamespace(quote_ident({text}))
        UNION ALL SELECT format('DROP FUNCTION %s', p.oid::regprocedure)
        FROM pg_proc p WHERE p.pronamespace = to_regnamespace(quote_ident({text}))
    LOOP
        EXECUTE line;
    END LOOP;
END"
        )
    }

    /// What a later policy says instead, in comments.
    pub(super) fn advice(&self) -> String {
        let mut out = "-- The role reads these views from here on, and no raw column. So the policy that is in force\n\
             -- opens no session until the next one says so. Put this in the place of the tables' entries in\n\
             -- `reads`, and take their `mask` and `row_filter` out:\n"
            .to_owned();
        for view in &self.views {
            let columns: Vec<String> =
                view.columns.iter().map(|(column, _)| quoted_toml(column)).collect();
            if !columns.is_empty() {
                let table = quoted_toml(&format!("{}.{}", self.schema, view.name));
                let _ = writeln!(
                    out,
                    "--     {{ table = {table}, columns = [{}] }},",
                    columns.join(", ")
                );
            }
        }
        out.push_str(
            "-- Scripts name them with that schema. A grant cannot take a view's mask away: where that is needed\n\
             -- (`unmask = true`), leave the table to the gate. A view keeps conditions of queries out of its\n\
             -- table unless they are leakproof, as comparisons of numbers are: other indexes do not help.\n\
             -- When masks change, put the tables into a policy again, and print this again.\n",
        );
        out
    }
}

impl View {
    fn text(&self, owner: &str) -> String {
        let Self { table, name: view, columns, left_out, filter } = self;
        let (from, view) = (format!("{}.{}", name(&table.schema), name(&table.name)), name(view));
        let mut out = String::new();
        for column in left_out {
            let _ = writeln!(
                out,
                "-- {} has a keyed hash, whose key belongs to one grant: no view computes it. It is left out.",
                neutralise(column)
            );
        }
        if columns.is_empty() {
            let _ = writeln!(out, "-- Nothing is left of {}.", neutralise(&from));
            return out;
        }
        let mut reads = self.needs();
        reads.retain(|column| !left_out.contains(column) || self.filters_by(column));
        let reads: Vec<String> = reads.iter().map(|column| name(column)).collect();
        let columns: Vec<String> = columns
            .iter()
            .map(|(column, sql)| format!("\n    {sql} AS {}", name(column)))
            .collect();
        let only = filter.as_ref().map_or_else(String::new, |sql| format!("\n    WHERE {sql}"));
        let _ = write!(
            out,
            "GRANT SELECT ({}) ON TABLE {from} TO {owner};\n\
             CREATE VIEW {owner}.{view} WITH (security_barrier) AS SELECT{}\n    FROM {from}{only};\n\
             ALTER VIEW {owner}.{view} OWNER TO {owner};\n",
            reads.join(", "),
            columns.join(","),
        );
        out
    }

    fn needs(&self) -> Vec<String> {
        self.table.columns_read().into_iter().cloned().collect()
    }

    fn filters_by(&self, column: &str) -> bool {
        self.table.hidden.filter.iter().any(|filter| filter.columns().contains(column))
    }
}

/// The function of a mask that is computed by its column's type, and the types that may fit.
fn by_type(mask: &Mask) -> Option<(String, &'static [&'static str])> {
    match mask.policys() {
        domain::Mask::Bucket { width } => Some((format!("bucket_{width}"), NUMBERS)),
        domain::Mask::DateTruncate { unit } => {
            Some((format!("date_truncate_{}", unit.as_str()), MOMENTS))
        }
        domain::Mask::Null
        | domain::Mask::Full
        | domain::Mask::Partial { .. }
        | domain::Mask::Email
        | domain::Mask::KeyedHash { .. } => None,
    }
}

/// The mask for each of these types that it fits.
fn fitting<'a>(
    mask: &'a Mask,
    types: &'a [&'static str],
) -> impl Iterator<Item = (&'static str, Mask)> + 'a {
    types.iter().filter_map(|db_type| Some((*db_type, mask.fit(db_type).ok()?)))
}
