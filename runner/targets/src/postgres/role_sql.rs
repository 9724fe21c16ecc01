//! The SQL that makes a target's login role: for a database administrator to read, and to run on the
//! primary. Text only; nothing here connects.
//!
//! Every name is quoted, and one with characters that a terminal could hide is written with escapes,
//! so that what is read is what runs, in comments as well. [`super::doctor`] looks for what this sets.

mod views;

use std::fmt::Write as _;

use domain::display::neutralise;

use super::gate::Relation;
use super::spec::Identity;

pub use views::{MaskViews, ViewsError};

/// Sessions of the role at a time: a run has one, and a cancel request takes one for a moment.
const CONNECTIONS_MAX: u32 = 8;
/// Temporary files of one session, which a session cannot raise.
const TEMP_FILES: &str = "64MB";

/// Whose role it is.
#[derive(Debug, Clone)]
pub struct RoleSql<'a> {
    /// The target's name.
    pub target: &'a str,
    /// Which policy says so.
    pub policy: &'a str,
    /// Cluster, database and role.
    pub identity: &'a Identity,
    /// What the role may read.
    pub reads: &'a [Relation],
    /// Milliseconds of one statement.
    pub statement_ms_max: u64,
    /// Views that stand in the place of tables of which something is hidden; without them the role reads
    /// the raw columns, and the gate hides.
    pub views: Option<&'a MaskViews>,
}

impl RoleSql<'_> {
    /// The whole script.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = self.head();
        out.push_str(&self.guard());
        out.push_str(&self.settings());
        if let Some(views) = self.views {
            out.push_str(&views.text());
        }
        out.push_str("-- Whatever the role was granted before in this database.\n");
        out.push_str(&revokes(&self.identity.role));
        out.push_str(&self.grants());
        out.push_str(&self.tail());
        if let Some(views) = self.views {
            out.push_str(&views.advice());
        }
        out
    }

    fn head(&self) -> String {
        let Identity { system_identifier, database, role } = self.identity;
        let (target, policy) = (neutralise(self.target), neutralise(self.policy));
        format!(
            "-- The login role {role} of Borescope's target {target}: least privilege.\n\
             -- Made of {policy}.\n\
             --\n\
             -- Read it. Then run it on the PRIMARY of cluster {system_identifier}, in database {database}, as a\n\
             -- superuser, so that it stops at the first error:\n\
             --     psql -X -v ON_ERROR_STOP=1 -f FILE DATABASE\n\
             -- Standbys replay it. It takes whatever else the role was granted in this database, so it is\n\
             -- run again after each policy that changes the target.\n\n\
             BEGIN;\n\
             SET LOCAL search_path = pg_catalog, pg_temp;\n\
             SET LOCAL standard_conforming_strings = on;\n\n",
            role = name(role),
            database = name(database),
        )
    }

    /// Nothing changes anywhere else than meant, and to no role that is more than a reader.
    fn guard(&self) -> String {
        let Identity { system_identifier, database, role } = self.identity;
        let (ident, text) = (name(role), literal(role));
        let place = literal(&format!(
            "this is not the primary of cluster {system_identifier}, database {database}: nothing was changed"
        ));
        let powers = literal(&format!(
            "the role {role} has powers, memberships or property of its own: take them away, or name \
             another role in the policy; nothing was changed"
        ));
        let body = format!(
            "BEGIN
    IF (SELECT system_identifier FROM pg_control_system()) <> {system}
        OR current_database() <> {database} OR pg_is_in_recovery() THEN
        RAISE EXCEPTION USING MESSAGE = {place};
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {text}) THEN
        CREATE ROLE {ident} LOGIN NOINHERIT
            NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
    IF EXISTS (SELECT FROM pg_roles r WHERE rolname = {text} AND (
        rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
        OR EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
        OR EXISTS (SELECT FROM pg_shdepend d WHERE d.deptype = 'o'
            AND d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid))) THEN
        RAISE EXCEPTION USING MESSAGE = {powers};
    END IF;
END",
            system = system_identifier.cast_signed(),
            database = literal(database),
        );
        format!(
            "-- Only there, and only a role that is nothing more than a reader.\n{}\n",
            block(&body)
        )
    }

    fn settings(&self) -> String {
        let role = name(&self.identity.role);
        let ms = self.statement_ms_max;
        format!(
            "-- How much it can take. Sessions of the runner ask for less; the settings hold for any other.\n\
             ALTER ROLE {role} LOGIN NOINHERIT CONNECTION LIMIT {CONNECTIONS_MAX};\n\
             ALTER ROLE {role} SET default_transaction_read_only = on;\n\
             ALTER ROLE {role} SET statement_timeout = {ms};\n\
             ALTER ROLE {role} SET idle_in_transaction_session_timeout = '10s';\n\
             -- These two a session cannot change. The second keeps parameters, and the keys of masks,\n\
             -- out of the server's log.\n\
             ALTER ROLE {role} SET temp_file_limit = {files};\n\
             ALTER ROLE {role} SET log_parameter_max_length = 0;\n\n",
            files = literal(TEMP_FILES),
        )
    }

    fn grants(&self) -> String {
        let Identity { database, role, .. } = self.identity;
        let role = name(role);
        let mut out = format!(
            "-- What the policy lets it read.\nGRANT CONNECT ON DATABASE {} TO {role};\n",
            name(database)
        );
        let reads = self.views.map_or_else(|| self.reads.to_vec(), |views| views.reads(self.reads));
        let mut schemas: Vec<&str> = reads.iter().map(|r| r.schema.as_str()).collect();
        schemas.sort_unstable();
        schemas.dedup();
        for schema in schemas {
            let _ = writeln!(out, "GRANT USAGE ON SCHEMA {} TO {role};", name(schema));
        }
        for read in &reads {
            let columns: Vec<String> = read.columns_read().into_iter().map(|c| name(c)).collect();
            let _ = writeln!(
                out,
                "GRANT SELECT ({}) ON TABLE {}.{} TO {role};",
                columns.join(", "),
                name(&read.schema),
                name(&read.name),
            );
        }
        out.push_str("\nCOMMIT;\n\n");
        out
    }

    fn tail(&self) -> String {
        let Identity { database, role, .. } = self.identity;
        let (database, role) = (name(database), name(role));
        format!(
            "-- Still to do by hand:\n\
             -- * how it proves who it is. With a password: \\password {role} in psql, which sends a hash only,\n\
             --   and password_file in borescope.toml. Without: peer on a Unix socket.\n\
             -- * pg_hba.conf of the standby lets it into {database} only, from the runner only:\n\
             --       hostssl {database} {role} RUNNERS-ADDRESS/32 scram-sha-256\n\
             -- These concern every role of the database, so they are yours to decide:\n\
             -- REVOKE CREATE ON SCHEMA public FROM PUBLIC;\n\
             -- REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC;\n\
             -- When the standby has replayed it, look: borescope check\n"
        )
    }
}

/// Takes what a role was granted before, object by object; `DROP OWNED` would also change policies of row
/// security that name the role. What it owns stays its own.
fn revokes(role: &str) -> String {
    let role = literal(role);
    let body = format!(
        "DECLARE
    reader CONSTANT oid := (SELECT oid FROM pg_roles WHERE rolname = {role});
    line text;
BEGIN
    FOR line IN
        SELECT format('REVOKE ALL ON %s %s FROM %I',
            CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass, {role})
        FROM pg_class c WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relowner <> reader AND (
            EXISTS (SELECT FROM aclexplode(relacl) a WHERE a.grantee = reader)
            OR EXISTS (SELECT FROM pg_attribute t, aclexplode(t.attacl) a
                WHERE t.attrelid = c.oid AND a.grantee = reader))
        UNION ALL SELECT format('REVOKE ALL ON SCHEMA %I FROM %I', nspname, {role})
        FROM pg_namespace, aclexplode(nspacl) a WHERE a.grantee = reader AND nspowner <> reader
        UNION ALL SELECT format('REVOKE ALL ON ROUTINE %s FROM %I', p.oid::regprocedure, {role})
        FROM pg_proc p, aclexplode(proacl) a WHERE a.grantee = reader AND proowner <> reader
        UNION ALL SELECT format('REVOKE ALL ON FOREIGN SERVER %I FROM %I', srvname, {role})
        FROM pg_foreign_server, aclexplode(srvacl) a WHERE a.grantee = reader
        UNION ALL SELECT format('REVOKE ALL ON DATABASE %I FROM %I', datname, {role})
        FROM pg_database, aclexplode(datacl) a WHERE a.grantee = reader
            AND datname = current_database()
    LOOP
        EXECUTE line;
    END LOOP;
END"
    );
    format!("{}\n", block(&body))
}

/// A name as SQL has it. Where quotes alone would leave characters that cannot be seen, all but plain
/// ASCII is escaped.
fn name(text: &str) -> String {
    quoted(text, '"')
}

/// A string as SQL has it, likewise; it does not depend on `standard_conforming_strings` unless it has
/// a backslash, and then it is escaped, too.
fn literal(text: &str) -> String {
    quoted(text, '\'')
}

fn quoted(text: &str, quote: char) -> String {
    let doubled = format!("{quote}{quote}");
    if neutralise(text) == text && !text.contains('\\') {
        return format!("{quote}{}{quote}", text.replace(quote, &doubled));
    }
    let mut out = format!("U&{quote}");
    for c in text.chars() {
        match c {
            c if c == quote => out.push_str(&doubled),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(c),
            c => {
                let _ = write!(out, "\\+{:06X}", u32::from(c));
            }
        }
    }
    out.push(quote);
    out
}

/// An anonymous block. Its body cannot end it early.
fn block(body: &str) -> String {
    let tags = std::iter::once("$do$".to_owned()).chain((1..).map(|n| format!("$do{n}$")));
    let tag = tags.into_iter().find(|tag| !body.contains(tag.as_str())).unwrap_or_default();
    format!("DO {tag}\n{body}\n{tag};\n")
}

#[cfg(test)]
mod tests;
