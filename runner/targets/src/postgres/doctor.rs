//! What an operator should know of a target that works: grants beyond the policy's, functions that the
//! role could call were it not for the gate, settings that let one query hurt the replica.
//!
//! Fixed queries, outside of any run. What is dangerous by itself is no finding: [`super::identity`]
//! and [`super::grants`] refuse the session for it.

use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::failure::failure;
use super::grants::Grants;
use super::spec::PostgresSpec;
use crate::TargetError;

/// Names that one finding lists.
const NAMES_MAX: usize = 10;

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether something should be done; otherwise it is worth knowing.
    pub warns: bool,
    /// What was found; it has names from the database's catalog.
    pub what: String,
    /// What to do, or what follows.
    pub help: String,
}

/// Names of things, one a row, and what they mean.
struct Look {
    /// May use [`GRANTED`].
    sql: &'static str,
    warns: bool,
    what: &'static str,
    help: &'static str,
}

/// The grant: relations, and columns as `oid.name`.
const GRANTED: &str = "WITH granted AS (SELECT $1::oid[] AS relations, $2::text[] AS columns) ";

const LOOKS: &[Look] = &[
    Look {
        sql: "SELECT format('%I.%I', n.nspname, c.relname) FROM granted g, pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
                AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
                AND c.oid <> ALL (g.relations) AND has_schema_privilege(n.oid, 'USAGE')
                AND has_any_column_privilege(c.oid, 'SELECT') ORDER BY 1",
        warns: true,
        what: "the role may read relations beyond the policy, which only the gate keeps from scripts",
        help: "REVOKE SELECT on them from the role, and from PUBLIC",
    },
    Look {
        sql: "SELECT format('%s.%I', c.oid::regclass, t.attname) FROM granted g, pg_class c
            JOIN pg_attribute t ON t.attrelid = c.oid
            WHERE c.oid = ANY (g.relations) AND t.attnum > 0 AND NOT t.attisdropped
                AND format('%s.%s', c.oid, t.attname) <> ALL (g.columns)
                AND has_column_privilege(c.oid, t.attnum, 'SELECT') ORDER BY 1",
        warns: true,
        what: "the role may read columns beyond the policy, which only the gate keeps from scripts",
        help: "REVOKE SELECT on the tables from the role, and GRANT it the policy's columns only",
    },
    Look {
        sql: "SELECT format('%I', m.rolname) FROM pg_roles m WHERE m.rolname <> session_user
            AND pg_has_role(m.oid, 'MEMBER')  ORDER BY 1",
        warns: true,
        what: "the role is a member of others, so it has what they have",
        help: "REVOKE these memberships, and grant it what it needs",
    },
    Look {
        sql: "SELECT format('%I', n.nspname) FROM pg_namespace n WHERE n.nspname NOT LIKE 'pg\\_%'
            AND has_schema_privilege(n.oid, 'CREATE') ORDER BY 1",
        warns: true,
        what: "the role may create in schemas, should the server ever be a primary",
        help: "REVOKE CREATE ON SCHEMA from the role, and from PUBLIC",
    },
    Look {
        sql: "SELECT DISTINCT format('%I.%I', n.nspname, p.proname) FROM pg_proc p
            JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE p.prosecdef AND n.nspname <> 'pg_catalog' AND has_schema_privilege(n.oid, 'USAGE')
                AND has_function_privilege(p.oid, 'EXECUTE')  ORDER BY 1",
        warns: true,
        what: "the role may call functions that act with their owners' rights (SECURITY DEFINER)",
        help: "REVOKE EXECUTE on them from PUBLIC, and GRANT it to whoever needs them",
    },
    Look {
        sql: "SELECT DISTINCT format('%I', e.extname) FROM pg_extension e
            JOIN pg_depend d ON d.refobjid = e.oid AND d.deptype = 'e'
                AND d.refclassid = 'pg_extension'::regclass AND d.classid = 'pg_proc'::regclass
            WHERE e.extname IN ('dblink', 'plproxy', 'http', 'pg_net', 'adminpack', 'xml2',
                'tablefunc', 'pg_cron', 'pageinspect', 'pg_prewarm')
                AND has_function_privilege(d.objid, 'EXECUTE')  ORDER BY 1",
        warns: true,
        what: "the role may call functions of extensions that run SQL text, open connections or touch \
               the server",
        help: "REVOKE EXECUTE on their functions from PUBLIC",
    },
    Look {
        sql: "SELECT format('%s.%I (%s)', c.oid::regclass, t.attname, y.oid::regtype)
            FROM granted g, pg_class c JOIN pg_attribute t ON t.attrelid = c.oid
            JOIN pg_type a ON a.oid = t.atttypid
            JOIN pg_type y ON y.oid = CASE WHEN a.typcategory = 'A' THEN a.typelem ELSE a.oid END
            WHERE c.oid = ANY (g.relations) AND format('%s.%s', c.oid, t.attname) = ANY (g.columns)
                AND y.typtype = 'b' AND y.typnamespace <> 'pg_catalog'::regnamespace
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype = 'e'
                    AND d.classid = 'pg_type'::regclass AND d.objid = y.oid) ORDER BY 1",
        warns: true,
        what: "granted columns have types of somebody's own, whose functions run when they are shown",
        help: "take these columns out of the policy, or grant a view that casts them",
    },
    Look {
        sql: "SELECT c.oid::regclass::text FROM granted g, pg_class c
            WHERE c.oid = ANY (g.relations) AND c.relkind = 'v' ORDER BY 1",
        warns: false,
        what: "granted views read with their owners' rights",
        help: "what they show is what scripts see: look at their definitions when they change",
    },
    Look {
        sql: "SELECT c.oid::regclass::text FROM granted g, pg_class c
            WHERE c.oid = ANY (g.relations) AND c.relrowsecurity ORDER BY 1",
        warns: false,
        what: "row security filters granted tables",
        help: "scripts see the rows that its policies let the role see",
    },
    Look {
        sql: "SELECT DISTINCT l.relation::regclass::text FROM granted g, pg_locks l
            WHERE l.relation = ANY (g.relations) AND l.mode = 'AccessExclusiveLock' AND l.granted ORDER BY 1",
        warns: true,
        what: "replay holds granted tables at this moment, so queries on them end at once",
        help: "wait until the change on the primary is over",
    },
];

/// Settings, as this session has them: those of the role hold here, too.
const SETTINGS: &str = "
    SELECT current_setting('temp_file_limit'), current_setting('log_parameter_max_length'),
        (SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user),
        current_setting('hot_standby_feedback'),
        (SELECT setting::int8 FROM pg_settings WHERE name = 'max_standby_streaming_delay')";

/// Looks at everything.
pub(super) async fn look(
    client: &Client,
    spec: &PostgresSpec,
    grants: &Grants,
) -> Result<Vec<Finding>, TargetError> {
    let mut findings = Vec::new();
    let columns = grants.granted_columns();
    for look in LOOKS {
        let sql = format!("{GRANTED}{}", look.sql);
        let given: [(&(dyn ToSql + Sync), Type); 2] =
            [(&grants.relations, Type::OID_ARRAY), (&columns, Type::TEXT_ARRAY)];
        let rows = client.query_typed(&sql, &given).await.map_err(failure)?;
        let names = rows.iter().map(|row| row.try_get::<_, String>(0).map_err(failure));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        if names.is_empty() {
            continue;
        }
        let more = match names.len().saturating_sub(NAMES_MAX) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let names: Vec<String> = names.into_iter().take(NAMES_MAX).collect();
        findings.push(Finding {
            warns: look.warns,
            what: format!("{}: {}{more}", look.what, names.join(", ")),
            help: look.help.into(),
        });
    }
    settings(client, spec, &mut findings).await?;
    Ok(findings)
}

async fn settings(
    client: &Client,
    spec: &PostgresSpec,
    findings: &mut Vec<Finding>,
) -> Result<(), TargetError> {
    let row = client.query_typed_one(SETTINGS, &[]).await.map_err(failure)?;
    let text = |at: usize| row.try_get::<_, String>(at).map_err(failure);
    let mut add = |warns: bool, what: &str, help: String| {
        findings.push(Finding { warns, what: what.into(), help });
    };
    let again = |what: &str| format!("{what}; borescope target grant-sql prints it");
    if text(0)? == "-1" {
        let help = again("ALTER ROLE … SET temp_file_limit = '64MB'");
        add(true, "one query can fill the replica's disk with temporary files", help);
    }
    if text(1)? != "0" {
        let help = again("ALTER ROLE … SET log_parameter_max_length = 0");
        add(true, "the server may write parameters of queries into its log", help);
    }
    if row.try_get::<_, i32>(2).map_err(failure)? < 0 {
        let help = again("ALTER ROLE … CONNECTION LIMIT 8");
        add(true, "the role may take all of the server's connections", help);
    }
    let ms_max = spec.statement_ms_max;
    if text(3)? == "on" {
        let help = format!("VACUUM on the primary waits for queries, for {ms_max} ms at most");
        add(false, "hot_standby_feedback is on", help);
        return Ok(());
    }
    match row.try_get::<_, i64>(4).map_err(failure)? {
        -1 => add(
            false,
            "max_standby_streaming_delay is -1: replay waits for every query that is in its way",
            format!("the replica lags meanwhile, for {ms_max} ms a query at most"),
        ),
        delay if delay.cast_unsigned() <= ms_max => add(
            true,
            "replay does not wait as long as a query may take, and then cancels it",
            format!(
                "raise max_standby_streaming_delay ({delay} ms) above the policy's statement_ms_max \
                 ({ms_max} ms), or lower the latter"
            ),
        ),
        _ => {}
    }
    Ok(())
}
