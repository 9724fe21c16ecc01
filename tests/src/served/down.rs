//! A server that is down, with everything that it kept: what somebody who owns its disk has.

use std::path::Path;
use std::sync::Arc;

use app::AppLimits;
use executor::AuthorityDocuments;
use server::ServerLimits;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{Served, open, url};
use crate::ambient::ManualClock;
use crate::company::Company;
use crate::watch::Seen;

/// Everything but the server.
pub struct Down {
    company: Company,
    clock: Arc<ManualClock>,
    seen: Arc<Seen>,
    founding: AuthorityDocuments,
    dir: TempDir,
}

impl Served {
    /// Stops the server, so that it can be started again over what it kept.
    pub async fn down(self) -> Down {
        // A server that has ended by itself hears nothing, and its error comes next.
        let _ = self.stop.send(());
        self.serving.await.unwrap().unwrap();
        let Self { company, clock, seen, founding, dir, .. } = self;
        Down { company, clock, seen, founding, dir }
    }
}

impl Down {
    /// Where everything is kept.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts the server again, on another port.
    ///
    /// # Errors
    /// Why it refuses to.
    pub async fn up(self) -> Result<Served, String> {
        let Self { company, clock, seen, founding, dir } = self;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let origin = url(address, false);
        let way = (&clock, &seen, dir.path(), origin);
        let (app, runner) = open(&company, &founding, way, AppLimits::DEFAULT).await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let serving =
            tokio::spawn(server::serve(listener, None, app, ServerLimits::DEFAULT, shutdown));
        let authority = None;
        Ok(Served {
            company,
            clock,
            seen,
            runner,
            address,
            authority,
            founding,
            dir,
            stop,
            serving,
        })
    }
}
