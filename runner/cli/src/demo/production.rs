//! The sample production database, on the engine that the demo plays on: where it is, what identifies
//! it, and how the runner reaches it.

use std::path::{Path, PathBuf};

use domain::manifest::Engine;

use super::postgres::PostgresShop;
use super::shop;
use crate::server_config::TargetConfig;

/// The database, up and filled.
pub(super) enum Production {
    /// A file.
    Sqlite(PathBuf),
    /// A primary with a streaming standby, filled with the same rows.
    Postgres(Box<PostgresShop>),
}

impl Production {
    /// Creates the shop in `dir`; the result also says how many orders it has.
    pub(super) fn create(engine: Engine, dir: &Path) -> anyhow::Result<(Self, u64)> {
        let path = dir.join("shop.sqlite");
        shop::create(&path)?;
        let db = rusqlite::Connection::open(&path)?;
        let orders: i64 = db.query_row("SELECT count(*) FROM orders", [], |row| row.get(0))?;
        let production = match engine {
            Engine::Sqlite => Self::Sqlite(path),
            Engine::Postgres => Self::Postgres(Box::new(PostgresShop::start(&path)?)),
        };
        Ok((production, u64::try_from(orders)?))
    }

    /// What it is, for the report.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "shop.sqlite",
            Self::Postgres(_) => "PostgreSQL, a primary with a streaming standby",
        }
    }

    /// Its engine.
    pub(super) const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// The lines of the policy that differ by engine.
    pub(super) fn policy(&self) -> String {
        match self {
            Self::Sqlite(_) => format!(
                "engine = \"sqlite\"\nidentity = {{ sqlite = {{ application_id = {} }} }}",
                shop::APPLICATION_ID
            ),
            Self::Postgres(shop) => shop.policy(),
        }
    }

    /// What stands before a table's name in the policy.
    pub(super) const fn schema(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "",
            Self::Postgres(_) => "public.",
        }
    }

    /// The way to it, as `borescope.toml` would say.
    pub(super) fn way(&self) -> TargetConfig {
        match self {
            Self::Sqlite(path) => {
                TargetConfig { path: Some(path.clone()), ..TargetConfig::default() }
            }
            Self::Postgres(shop) => {
                TargetConfig { postgres: Some(shop.way()), ..TargetConfig::default() }
            }
        }
    }
}
