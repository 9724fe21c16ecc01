//! Whether the server is the one that policy names, the role is harmless, and the replica is fresh.
//!
//! Once at connect: cluster, database, role, pinned settings. In every transaction: still the same
//! server process, still in recovery, not too far behind. A failover can change the latter between
//! two statements; a pooler can change the former.

use std::time::{Duration, Instant};

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement};

use super::connect::PINNED;
use super::failure::failure;
use super::spec::{Identity, PostgresSpec};
use crate::TargetError;

/// Roles that a login role must not be a member of: PostgreSQL's own, and those with powers.
const WHO: &str = "
    SELECT c.system_identifier, current_database()::text, session_user::text, current_user::text,
        r.rolsuper, r.rolreplication, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb,
        (SELECT m.rolname::text FROM pg_catalog.pg_roles m
         WHERE m.oid <> r.oid AND pg_has_role(r.oid, m.oid, 'MEMBER')
             AND (m.rolname LIKE 'pg\\_%' OR m.rolsuper OR m.rolreplication OR m.rolbypassrls
                  OR m.rolcreaterole OR m.rolcreatedb)
         ORDER BY m.rolname LIMIT 1),
        EXISTS (SELECT 1 FROM pg_catalog.pg_shdepend d WHERE d.deptype = 'o'
            AND d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = r.oid),
        pg_backend_pid(), pg_postmaster_start_time()::text, current_setting('server_version')
    FROM pg_catalog.pg_control_system() c, pg_catalog.pg_roles r WHERE r.rolname = session_user";

/// What the role may do that no reader may: functions that PostgreSQL, or an extension, keeps from
/// everybody by default; and writing, anywhere outside of PostgreSQL's own schemas.
const POWERS: &str = "
    SELECT
        (SELECT array_to_string((array_agg(DISTINCT p.proname::text))[1:10], ', ') FROM pg_catalog.pg_init_privs i
         JOIN pg_catalog.pg_proc p ON p.oid = i.objoid
         WHERE i.classoid = 'pg_catalog.pg_proc'::regclass
             AND has_function_privilege(p.oid, 'EXECUTE')
             AND NOT EXISTS (SELECT FROM aclexplode(i.initprivs) a
                 WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')),
        (SELECT array_to_string((array_agg(c.oid::regclass::text))[1:10], ', ') FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname <> 'information_schema'
             AND n.nspname NOT LIKE 'pg\\_%' AND (
                 EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.privilege_type
                         IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
                     AND CASE WHEN a.grantee = 0 THEN true
                              ELSE pg_has_role(a.grantee, 'MEMBER') END)
                 OR EXISTS (SELECT FROM pg_catalog.pg_attribute t, aclexplode(t.attacl) a
                     WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL
                         AND a.privilege_type IN ('INSERT', 'UPDATE')
                         AND CASE WHEN a.grantee = 0 THEN true
                                  ELSE pg_has_role(a.grantee, 'MEMBER') END)))";

/// What can change under a session. The receiver's columns are hidden from a bare role, its
/// existence is not. Everything received was replayed: no lag, however long ago the last transaction
/// was; but only while something is being received. Otherwise the last transaction's time is the
/// only bound that there is.
const STATE: &str = "
    SELECT pg_is_in_recovery(),
        CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_stat_wal_receiver)
                  AND pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0::float8
             ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8
        END,
        pg_backend_pid(), pg_postmaster_start_time()::text, session_user::text, current_user::text,
        current_database()::text, current_setting('transaction_read_only'),
        pg_last_wal_receive_lsn()::text,
        EXISTS (SELECT 1 FROM pg_catalog.pg_stat_wal_receiver)
            AND pg_last_wal_replay_lsn() >= $2::pg_lsn,
        set_config('statement_timeout', $1, true)";

/// A record that was received a moment ago and is not replayed yet looks like a lag since the last
/// transaction, or an unknown one. So a lag above the limit is looked at again for half a second:
/// what had been received at the first look and is replayed by now is no older than that look.
const LAG_LOOKS_MAX: usize = 25;
const LAG_LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The server as found at connect.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) version: String,
    pid: i32,
    started: String,
    state: Statement,
}

/// Compares cluster, database, role and settings with policy.
pub(super) async fn check(client: &Client, spec: &PostgresSpec) -> Result<Found, TargetError> {
    let names = PINNED.iter().map(|(name, _)| format!("current_setting('{name}')"));
    let settings = format!("SELECT ARRAY[{}]", names.collect::<Vec<_>>().join(", "));
    let (who, powers, shown, state) = tokio::join!(
        client.query_typed_opt(WHO, &[]),
        client.query_typed_one(POWERS, &[]),
        client.query_typed_one(&settings, &[]),
        client.prepare_typed(STATE, &[Type::TEXT, Type::TEXT]),
    );
    let pooled = |problem: String| TargetError::Pooled { problem };
    let who = who.map_err(failure)?;
    // Nobody has the name only if it was changed while we connected.
    let who = who.ok_or_else(|| pooled("the session's role has no entry".into()))?;
    let get = |at: usize| who.try_get::<_, String>(at).map_err(failure);
    let flag = |at: usize| who.try_get::<_, bool>(at).map_err(failure);

    let Identity { system_identifier, database, role } = &spec.identity;
    let system = who.try_get::<_, i64>(0).map_err(failure)?.cast_unsigned();
    same("system identifier", &system_identifier.to_string(), &system.to_string())?;
    same("database", database, &get(1)?)?;
    same("role", role, &get(2)?)?;
    same("role", role, &get(3)?)?;

    let flags = [
        (4, "is a superuser"),
        (5, "may replicate the whole cluster"),
        (6, "bypasses row security"),
        (7, "may create roles"),
        (8, "may create databases"),
        (10, "owns relations, functions or the like"),
    ];
    let can = |problem: &str, detail: String| {
        Err(TargetError::Role { role: role.clone(), problem: problem.into(), detail })
    };
    for (at, power) in flags {
        if flag(at)? {
            return can(power, String::new());
        }
    }
    let powers = powers.map_err(failure)?;
    let named = [
        (&who, 9, "is a member of a role with powers"),
        (&powers, 0, "may call functions that PostgreSQL keeps from ordinary roles"),
        (&powers, 1, "may write"),
    ];
    for (row, at, power) in named {
        if let Some(names) = row.try_get::<_, Option<String>>(at).map_err(failure)? {
            return can(power, names);
        }
    }

    let shown = shown.map_err(failure)?.try_get::<_, Vec<String>>(0).map_err(failure)?;
    for ((name, pinned), found) in PINNED.iter().zip(&shown) {
        if pinned != found {
            return Err(pooled(format!("the session has {name} = {found}, not {pinned}")));
        }
    }
    let (pid, started) = (who.try_get(11).map_err(failure)?, get(12)?);
    Ok(Found { version: get(13)?, pid, started, state: state.map_err(failure)? })
}

fn same(what: &'static str, expected: &str, found: &str) -> Result<(), TargetError> {
    let (expected, found) = (expected.to_owned(), found.to_owned());
    if expected == found { Ok(()) } else { Err(TargetError::Identity { what, expected, found }) }
}

/// Checks what can change, outside of a transaction. Gives the lag, seconds, rounded up.
pub(super) async fn check_state(
    client: &Client,
    spec: &PostgresSpec,
    found: &Found,
    ms_max: u64,
) -> Result<u64, TargetError> {
    let mut looks = Looks::default();
    loop {
        if let Some(lag_s) = looks.again(client, spec, found, ms_max).await? {
            return Ok(lag_s);
        }
    }
}

/// Looks at the state until the lag is within its limit.
#[derive(Default)]
pub(super) struct Looks {
    count: usize,
    /// When the first look was, and the end of what the replica had received by then.
    first: Option<(Instant, Option<String>)>,
}

impl Looks {
    /// Looks once; in a statement's transaction before anything else. Sets the transaction's statement
    /// timeout. Gives the lag, seconds, rounded up; `None` when it is to be looked again, in *another*
    /// transaction: this one goes on to see what there was at its first look.
    ///
    /// # Errors
    /// When the server is not the one that was checked, or has not caught up for too many looks.
    pub(super) async fn again(
        &mut self,
        client: &Client,
        spec: &PostgresSpec,
        found: &Found,
        ms_max: u64,
    ) -> Result<Option<u64>, TargetError> {
        if self.count > 0 {
            tokio::time::sleep(LAG_LOOK_AGAIN).await;
        }
        self.count += 1;
        let now = Instant::now();
        let received = self.first.as_ref().and_then(|(_, received)| received.as_deref());
        let seen = look(client, spec, found, ms_max, received).await?;
        let (began, _) = self.first.get_or_insert((now, seen.received));
        let since_first = seen.replayed_it.then(|| seconds(began.elapsed().as_secs_f64()));
        let lag_s = [seen.lag_s, since_first].into_iter().flatten().min();
        match lag_s {
            Some(lag_s) if lag_s <= spec.lag_s_max => Ok(Some(lag_s)),
            _ if self.count == LAG_LOOKS_MAX => {
                Err(TargetError::Lag { found_s: lag_s, s_max: spec.lag_s_max })
            }
            _ => Ok(None),
        }
    }
}

/// What one look at the state saw.
struct Look {
    lag_s: Option<u64>,
    /// The end of what the replica has received.
    received: Option<String>,
    /// It has replayed what an earlier look saw as received.
    replayed_it: bool,
}

async fn look(
    client: &Client,
    spec: &PostgresSpec,
    found: &Found,
    ms_max: u64,
    received: Option<&str>,
) -> Result<Look, TargetError> {
    let row = client.query_one(&found.state, &[&ms_max.to_string(), &received]).await;
    let row = row.map_err(failure)?;
    let get = |at: usize| row.try_get::<_, String>(at).map_err(failure);
    if row.try_get::<_, i32>(2).map_err(failure)? != found.pid || get(3)? != found.started {
        let problem = "another server process answers than the one that was checked".into();
        return Err(TargetError::Pooled { problem });
    }
    same("role", &spec.identity.role, &get(4)?)?;
    same("role", &spec.identity.role, &get(5)?)?;
    same("database", &spec.identity.database, &get(6)?)?;
    if get(7)? != "on" {
        let problem = "the transaction is not read-only, as it was asked to be".into();
        return Err(TargetError::Pooled { problem });
    }
    if !row.try_get::<_, bool>(0).map_err(failure)? {
        return Err(TargetError::NotReplica);
    }
    Ok(Look {
        lag_s: row.try_get::<_, Option<f64>>(1).map_err(failure)?.map(seconds),
        received: row.try_get(8).map_err(failure)?,
        replayed_it: row.try_get::<_, Option<bool>>(9).map_err(failure)?.unwrap_or(false),
    })
}

/// Whole seconds, rounded up. The clocks of two machines differ, so it can be less than 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float saturates when it is cast, and is not negative here"
)]
fn seconds(lag: f64) -> u64 {
    lag.max(0.0).ceil() as u64
}
