//! The cheapest host call, with its event encoded, hashed and written as the runner does it, and
//! without any of that.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::sync::Arc;

use async_trait::async_trait;
use domain::manifest::{Engine, Query};
use domain::{Outcome, Pair, Value};
use sandbox::recording::{Event, encode_frame};
use sandbox::{CallError, Cancel, Host, HostFault, OpenedCursor, Page, QueryBudget};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

use super::Scale;
use super::bed::{Meter, sandbox, workshop};
use super::instantiate::plan;
use super::stats::{Row, Unit, alternate, seconds};

/// A host that records nothing and reaches nothing.
pub(super) struct Deaf;

/// A host that writes what it is told into a file, as the runner does.
struct Writing {
    file: BufWriter<File>,
    hasher: Sha256,
}

impl Writing {
    fn new() -> Self {
        let file = BufWriter::new(tempfile::tempfile_in(workshop()).unwrap());
        Self { file, hasher: Sha256::new() }
    }

    fn take(&mut self, event: &Event) {
        let frame = encode_frame(event);
        self.hasher.update(&frame);
        self.file.write_all(&frame).unwrap();
    }
}

/// Both hosts refuse queries and differ in what they do with an event.
macro_rules! host {
    ($name:ident, |$this:ident, $event:ident| $record:expr) => {
        #[async_trait]
        impl Host for $name {
            async fn intent(&mut self, call: &Event) -> Result<(), HostFault> {
                self.record(call)
            }

            fn record(&mut self, $event: &Event) -> Result<(), HostFault> {
                let $this = self;
                $record;
                Ok(())
            }

            async fn sql_open(
                &mut self,
                _: &Pair,
                _: &Query,
                _: Vec<Value>,
                _: QueryBudget,
            ) -> Result<OpenedCursor, CallError> {
                Err(CallError::Timeout)
            }

            async fn sql_next(&mut self, _: u64, _: u32) -> Result<Page, CallError> {
                Err(CallError::Timeout)
            }

            fn sql_close(&mut self, _: u64) {}

            async fn progress(&mut self, _: u8, _: &str) -> Result<(), HostFault> {
                Ok(())
            }
        }
    };
}

host!(Deaf, |this, event| std::hint::black_box((this, event)));
host!(Writing, |this, event| this.take(event));

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let calls = scale.pick(50_000, 10);
    let meter = Meter::of(Engine::Sqlite);
    let sandbox = sandbox();
    let admitted = rt.block_on(sandbox.admit(Arc::clone(&meter.component))).unwrap();
    let plan = plan(&meter, &format!("{{\"calls\":{calls}}}"));
    let linked = sandbox.link(&admitted, &plan.effective).unwrap();
    let one = |host: &mut dyn Host| {
        let cancel = Cancel::new();
        let run = sandbox.run(&linked, plan.clone(), host, &cancel);
        let time = seconds(|| assert_eq!(rt.block_on(run).outcome, Outcome::Succeeded));
        time / f64::from(calls)
    };
    let (ours, plain) = alternate(scale, 20, || one(&mut Writing::new()), || one(&mut Deaf));
    let what = "a host call, recorded";
    vec![Row::pair(what, Unit::Seconds, ours, ("not recorded", plain))]
}
