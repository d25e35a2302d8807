//! Ctrl-C, or SIGTERM: once to finish, twice to leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;

/// Whether the user wants to stop.
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens for Ctrl-C and SIGTERM from now on. The second one ends the program where it is: what was said is on the disk, and stays there.
    pub fn on_ctrl_c() -> anyhow::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&asked);
        let handler = move || {
            if shared.swap(true, Ordering::Relaxed) {
                eprintln!("\ncantoscribe: left at once; the recording is kept, unfinished");
                std::process::exit(1);
            }
        };
        ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")?;
        Ok(Self(asked))
    }

    /// Ctrl-C was pressed once.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
