//! From the wish to the answer: what is to run, on which way it may, its order, its end.

use std::path::Path;
use std::time::Duration;

use api::types::RunView;
use domain::Pair;
use tokio::time::Instant;

use super::follow::Teller;
use super::interrupt::{Interrupt, Left};
use super::way::{self, Way};
use super::{
    Ask, Ran, Resumed, RunArgs, Under, again, asked, ended, finish, order, owes, recent, show,
    write,
};
use crate::chosen::{self, Chosen};
use crate::commands::Call;
use crate::exit::Exit;
use crate::session::{Session, read_input};

/// One command's way.
pub(super) struct Trip<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) session: &'a Session,
    until: Instant,
    interrupt: Interrupt,
}

/// One run that is wanted, and whether it may be ordered; why not is told already.
pub(super) struct Cleared {
    /// Where, if that is known.
    pub(super) pairs: Vec<Pair>,
    /// With which input.
    input: Vec<u8>,
    /// On which way.
    under: Result<Under, Exit>,
}

/// A run without an access request says itself why it is wanted.
fn because(under: Under, args: &RunArgs) -> Under {
    match under {
        Under::SelfServe { revision, pairs, runner, .. } => {
            let (reason, ticket) = (args.what.reason.clone(), args.what.ticket());
            Under::SelfServe { revision, pairs, runner, reason, ticket }
        }
        Under::Request(id) => Under::Request(id),
    }
}

impl<'a> Trip<'a> {
    /// It takes `wait` in all.
    pub(super) fn begin(call: &'a Call<'a>, session: &'a Session, wait: Duration) -> Self {
        let until = tokio::time::sleep(wait).deadline();
        Self { call, session, until, interrupt: Interrupt::new(call.out) }
    }

    /// What is wanted, one for each run, and on which way it runs. The inner error: that is told.
    pub(super) async fn cleared(
        &self,
        args: &RunArgs,
    ) -> anyhow::Result<Result<Vec<Cleared>, Exit>> {
        let Self { call, session, interrupt, .. } = self;
        if let (Some(request), Some(input)) = (&args.request, &args.what.input) {
            let (under, input) = (Ok(Under::Request(request.clone())), read_input(input)?);
            return Ok(Ok(vec![Cleared { pairs: Vec::new(), input, under }]));
        }
        if let Some(Resumed::Request(id)) = &args.resume {
            let Chosen { dossier, pairs, input } = asked::of_request(session, id).await?;
            interrupt.leaves(Left::Asked(id.clone()));
            let waited = asked::wait(call, session, &dossier, id, self.until).await?;
            let under = waited.map(|()| Under::Request(id.clone()));
            return Ok(Ok(vec![Cleared { pairs, input, under }]));
        }
        let all = match &args.again {
            Some(run) => vec![again::of_run(call, session, run).await?],
            None => match chosen::choose(call, session, "run", &args.what).await? {
                Ok(all) => all,
                Err(exit) => return Ok(Err(exit)),
            },
        };
        // Everything is asked for before anything is waited for.
        let mut asked = Vec::with_capacity(all.len());
        for mut chosen in all {
            recent::warn(call, session, &chosen).await?;
            let way = self.asked(args, &mut chosen).await?;
            asked.push((chosen, way));
        }
        let waits = |(_, way): &(Chosen, Result<Way, Exit>)| match way {
            Ok(Way::Waits(id, _)) => Some(id.to_string()),
            Ok(Way::Open(_) | Way::Closed(..)) | Err(_) => None,
        };
        let waiting: Vec<String> = asked.iter().filter_map(waits).collect();
        if waiting.len() > 1 {
            call.out.note(format!("all of them: borescope approve {}", waiting.join(" ")));
        }
        let mut cleared = Vec::with_capacity(asked.len());
        for (chosen, way) in asked {
            let under = match way {
                Ok(Way::Waits(id, _)) => {
                    let waited =
                        asked::wait(call, session, &chosen.dossier, &id, self.until).await?;
                    waited.map(|()| Under::Request(id))
                }
                Ok(Way::Open(under)) => Ok(because(under, args)),
                // It was closed, and asking would not have helped.
                Ok(Way::Closed(..)) => Err(Exit::Denied),
                Err(exit) => Err(exit),
            };
            cleared.push(Cleared { pairs: chosen.pairs, input: chosen.input, under });
        }
        Ok(Ok(cleared))
    }

    /// The way of one run; where it is closed, after asking for it.
    async fn asked(
        &self,
        args: &RunArgs,
        chosen: &mut Chosen,
    ) -> anyhow::Result<Result<Way, Exit>> {
        let Self { call, session, interrupt, .. } = self;
        let way = way::find(session, chosen).await?;
        asked::tell(call, &way);
        let Way::Closed(denial, other) = way else {
            if let Way::Waits(id, _) = &way {
                interrupt.leaves(Left::Asked(id.clone()));
            }
            return Ok(Ok(way));
        };
        let asked =
            asked::ask(call, session, &args.what, chosen, &denial, other.as_ref(), interrupt);
        Ok(asked.await?.map(|id| Way::Waits(id, denial)))
    }

    /// Signs and orders one.
    pub(super) async fn order(
        &self,
        one: Cleared,
    ) -> anyhow::Result<Result<(RunView, Under), Exit>> {
        let under = match one.under {
            Ok(under) => under,
            Err(exit) => return Ok(Err(exit)),
        };
        let ask = Ask { under, input: one.input, use_number: None, wait: Duration::ZERO };
        let authority = self.session.authority().await?;
        let (run, order) = order::sign(self.session, &authority, &ask).await?;
        self.interrupt.leaves(Left::Ordered(run.clone()));
        let view = order::send(self.session, &run, &order, &ask.input).await?;
        Ok(Ok((view, ask.under)))
    }

    /// The only run that is wanted, to its end.
    pub(super) async fn one(&self, one: Cleared, dir: Option<&Path>) -> anyhow::Result<Exit> {
        match self.order(one).await? {
            Ok((view, under)) => self.rest(view, Some(&under), dir).await,
            Err(exit) => Ok(exit),
        }
    }

    /// What is left once it is ordered: its end, its evidence, and what it gave.
    pub(super) async fn rest(
        &self,
        view: RunView,
        under: Option<&Under>,
        dir: Option<&Path>,
    ) -> anyhow::Result<Exit> {
        let Self { call, session, .. } = self;
        let ran = self.ended(view, Teller::new(call.out)).await?;
        if let Some(dir) = dir {
            write(session, dir, &ran).await?;
        }
        show(call.out, &ran, under)?;
        owes(call, session, &ran).await?;
        if let Some(dir) = dir {
            call.out.note(format!("written to {}", dir.display()));
        }
        Ok(ended(&ran))
    }

    /// What a run that was ordered came to.
    pub(super) async fn ended(&self, view: RunView, mut teller: Teller) -> anyhow::Result<Ran> {
        self.interrupt.leaves(Left::Ordered(view.id.clone()));
        finish(self.session, view, self.until, &mut teller).await
    }
}
