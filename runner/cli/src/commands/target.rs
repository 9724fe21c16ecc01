//! `borescope target`: what a target needs where it is, for whoever administers it there.
//!
//! Out of the verified policy, so nothing is asked of production. What is there already, and what of it
//! is wrong, [`super::check`] says.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::TargetId;
use serde_json::json;
use targets::postgres::{Identity, MaskViews, RoleSql};
use trust::{Authority, TargetIdentity};

use super::Call;
use super::check::in_force;
use crate::exit::{Exit, Failure};
use crate::server_config::ServerConfig;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope target grant-sql orders-replica > grant.sql      read it; then, on the primary:
  psql -X -v ON_ERROR_STOP=1 -f grant.sql orders")]
pub(crate) struct TargetArgs {
    /// What about the target
    #[command(subcommand)]
    what: What,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
enum What {
    /// Print the SQL that makes a PostgreSQL target's login role, with least privilege
    GrantSql(GrantSqlArgs),
}

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope target grant-sql orders-replica > grant.sql
  borescope target grant-sql orders-replica --config /srv/borescope    out of a server's folder
  borescope target grant-sql orders-replica --mask-views debug_views   the database masks, not only we

It prints, and runs nothing: a database administrator reads it and runs it on the primary, from which
the standbys get it. It makes the policy's role unless it is there, refuses one that is more than a
reader, limits it, takes whatever else it was granted in that database, and grants exactly the policy's
columns. It has no password. Afterwards borescope check finds nothing to warn of.

With --mask-views it also makes views of the tables of which policy hides something, in a schema of their
own, and grants these and no raw column. The next policy then has to name the views; what to write stands
at the end of what is printed. A keyed hash stays the runner's work: such columns are left out.")]
struct GrantSqlArgs {
    /// Target
    #[arg(value_name = "TARGET")]
    id: TargetId,
    /// Take the policy out of this server's folder, where the server runs, and not from the server
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Let views in this new schema hide what policy hides, and grant no raw column
    #[arg(long, value_name = "SCHEMA")]
    mask_views: Option<String>,
}

/// Does what is asked.
pub(crate) async fn command(call: &Call<'_>, args: TargetArgs) -> anyhow::Result<Exit> {
    match args.what {
        What::GrantSql(args) => {
            let authority = match &args.config {
                Some(path) => in_force(&ServerConfig::load(path)?)?,
                None => call.session().await?.authority().await?,
            };
            grant_sql(call, &authority, &args)
        }
    }
}

fn grant_sql(call: &Call<'_>, authority: &Authority, args: &GrantSqlArgs) -> anyhow::Result<Exit> {
    let id = &args.id;
    let Some(target) = authority.target(id) else {
        let known: Vec<&str> = authority.policy().targets.iter().map(|t| t.id.as_str()).collect();
        return Err(Failure::usage(
            format!("the policy has no target {id}"),
            format!("it has {}", known.join(", ")),
        )
        .into());
    };
    let TargetIdentity::Postgres(identity) = &target.identity else {
        return Err(Failure::usage(
            format!("{id} is of {}, which has no roles", target.engine),
            "the runner opens the file read-only; the file's permissions keep others from it",
        )
        .into());
    };
    let reads = executor::ports::postgres_reads(target, &BTreeSet::new())?;
    let identity = Identity {
        system_identifier: identity.system()?,
        database: identity.database.clone(),
        role: identity.role.clone(),
    };
    let policy = authority.policy_ref();
    let views = args.mask_views.as_deref().map(|schema| MaskViews::of(schema, &reads));
    let views = views.transpose().map_err(|e| {
        Failure::usage(e.to_string(), "choose another schema, or print it without --mask-views")
    })?;
    let sql = RoleSql {
        target: id.as_str(),
        policy: &format!("policy version {} ({})", policy.version, policy.digest),
        identity: &identity,
        reads: &reads,
        statement_ms_max: target.statement_ms_max,
        views: views.as_ref(),
    };
    let sql = sql.text();
    if call.out.json {
        call.out.json(&json!({ "target": id, "sql": sql }))?;
    } else {
        call.out.lines(sql.lines())?;
    }
    Ok(Exit::Ok)
}
