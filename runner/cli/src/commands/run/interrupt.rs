//! Ctrl-C: nothing that was asked for or ordered is lost by it, and its person hears how to go on.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{RequestId, RunId};
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;
use crate::out::Out;

/// What goes on without this program.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Left {
    /// An access request waits.
    Asked(RequestId),
    /// A run was ordered.
    Ordered(RunId),
}

/// Watches for the signal from the moment in which something is left.
#[derive(Debug, Clone)]
pub(super) struct Interrupt {
    out: Out,
    left: Arc<Mutex<Vec<Left>>>,
}

impl Interrupt {
    pub(super) fn new(out: Out) -> Self {
        Self { out, left: Arc::default() }
    }

    /// This goes on from now, whatever becomes of this program.
    pub(super) fn leaves(&self, what: Left) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.is_empty() {
            self.watch();
        }
        // A run takes the place of the access request that it uses.
        if matches!(what, Left::Ordered(_)) {
            left.retain(|l| matches!(l, Left::Ordered(_)));
        }
        if !left.contains(&what) {
            left.push(what);
        }
    }
}

impl Interrupt {
    /// Where the signal cannot be listened to, it ends the program as it ends any other.
    fn watch(&self) {
        let Ok(mut interrupts) = signal(SignalKind::interrupt()) else { return };
        let (out, all) = (self.out, Arc::clone(&self.left));
        tokio::spawn(async move {
            interrupts.recv().await;
            let left = all.lock().unwrap_or_else(PoisonError::into_inner).clone();
            tell(out, &left);
            std::process::exit(Exit::NotInTime as i32);
        });
    }
}

fn tell(out: Out, left: &[Left]) {
    // The line on which the terminal shows ^C.
    out.note("");
    for what in left {
        match what {
            Left::Asked(id) => {
                out.note(format!("{id} is kept and waits; nothing ran"));
                out.note(format!("  go on: borescope run --resume {id}"));
            }
            Left::Ordered(id) => {
                out.note(format!("{id} was ordered and goes on without you"));
                out.note(format!("  look:  borescope run --resume {id}"));
                out.note(format!("  end:   borescope cancel {id}"));
            }
        }
    }
}
