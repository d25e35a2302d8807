//! Who looks on while it is measured: progress, and the wish to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Setting;

/// A wish to stop, shared by all its clones.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks whatever looks at it to end. Tells whether it had been asked before.
    pub fn ask(&self) -> bool {
        self.0.swap(true, Ordering::Relaxed)
    }

    /// Whether it was asked.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Is told what is being measured.
pub trait Watch: Sync {
    /// Another setting begins, the `number`th (from 1) of so many.
    fn setting(&self, number: usize, of: usize, setting: &Setting);

    /// Another stage begins, which has so many steps.
    fn stage(&self, what: &str, steps: u64);

    /// So many steps of the stage are done.
    fn at(&self, steps: u64);

    /// Something worth knowing that is not in the report.
    fn say(&self, line: &str);
}
