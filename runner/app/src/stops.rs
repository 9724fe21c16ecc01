//! What is in force against runs, as the runner of this process has it: stops that nobody lifted,
//! rejections that nobody lifted or withdrew. The store lists the documents; it does not decide which
//! of them count.

use trust::InForce;

use crate::App;

impl App {
    /// Everything that was said against runs.
    pub(crate) fn in_force_against(&self) -> InForce {
        self.runner.state().in_force()
    }
}
