//! From the wish to the answer: what is to run, on which way it may, its order, its end.

use std::path::Path;
use std::time::Duration;

use api::types::RunView;
use tokio::time::Instant;

use super::follow::Teller;
use super::interrupt::{Interrupt, Left};
use super::way::{self, Way};
use super::{
    Ask, Resumed, RunArgs, Under, again, asked, exit, finish, order, owes, recent, show, write,
};
use crate::chosen;
use crate::commands::Call;
use crate::exit::Exit;
use crate::session::{Session, read_input};

/// One command's way.
pub(super) struct Trip<'a> {
    call: &'a Call<'a>,
    session: &'a Session,
    until: Instant,
    interrupt: Interrupt,
}

impl<'a> Trip<'a> {
    /// It takes `wait` in all.
    pub(super) fn begin(call: &'a Call<'a>, session: &'a Session, wait: Duration) -> Self {
        let until = tokio::time::sleep(wait).deadline();
        Self { call, session, until, interrupt: Interrupt::new(call.out) }
    }

    /// On which way it runs, with which input. The inner error: it does not, and that is told.
    pub(super) async fn cleared(
        &self,
        args: &RunArgs,
    ) -> anyhow::Result<Result<(Under, Vec<u8>), Exit>> {
        let Self { call, session, until, interrupt } = self;
        if let (Some(request), Some(input)) = (&args.request, &args.what.input) {
            return Ok(Ok((Under::Request(request.clone()), read_input(input)?)));
        }
        if let Some(Resumed::Request(id)) = &args.resume {
            let chosen = asked::of_request(session, id).await?;
            interrupt.leaves(Left::Asked(id.clone()));
            let waited = asked::wait(call, session, &chosen.dossier, id, *until).await?;
            return Ok(waited.map(|()| (Under::Request(id.clone()), chosen.input)));
        }
        let mut chosen = match &args.again {
            Some(run) => again::of_run(call, session, run).await?,
            None => match chosen::choose(call, session, "run", &args.what).await? {
                Ok(chosen) => chosen,
                Err(exit) => return Ok(Err(exit)),
            },
        };
        recent::warn(call, session, &chosen).await?;
        let way = way::find(session, &mut chosen).await?;
        asked::tell(call, &way);
        let id = match way {
            Way::Open(under) => return Ok(Ok((under, chosen.input))),
            Way::Waits(id, _) => {
                interrupt.leaves(Left::Asked(id.clone()));
                id
            }
            Way::Closed(denial, other) => {
                let other = other.as_ref();
                match asked::ask(call, session, &args.what, &chosen, &denial, other, interrupt)
                    .await?
                {
                    Ok(id) => id,
                    Err(exit) => return Ok(Err(exit)),
                }
            }
        };
        let waited = asked::wait(call, session, &chosen.dossier, &id, *until).await?;
        Ok(waited.map(|()| (Under::Request(id), chosen.input)))
    }

    /// Signs and orders.
    pub(super) async fn order(&self, ask: &Ask) -> anyhow::Result<RunView> {
        let authority = self.session.authority().await?;
        let (run, order) = order::sign(self.session, &authority, ask).await?;
        self.interrupt.leaves(Left::Ordered(run.clone()));
        order::send(self.session, &run, &order, &ask.input).await
    }

    /// What is left once it is ordered: its end, its evidence, and what it gave.
    pub(super) async fn rest(
        &self,
        view: RunView,
        under: Option<&Under>,
        dir: Option<&Path>,
    ) -> anyhow::Result<Exit> {
        let Self { call, session, until, interrupt } = self;
        interrupt.leaves(Left::Ordered(view.id.clone()));
        let mut teller = Teller::new(call.out);
        let ran = finish(session, view, *until, &mut teller).await?;
        drop(teller);
        if let Some(dir) = dir {
            write(session, dir, &ran).await?;
        }
        show(call.out, &ran, under)?;
        owes(call, session, &ran).await?;
        if let Some(dir) = dir {
            call.out.note(format!("written to {}", dir.display()));
        }
        Ok(exit(&ran.view.state))
    }
}
