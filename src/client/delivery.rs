//! Delivering a recording, over as many connections as it takes.

use std::time::Duration;

use super::connection::{self, Course, Ended};
use super::{Address, ClientError, Event, Pending};

/// The first wait after a break, and the longest.
const SHORTEST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A recording and where it goes.
pub struct Delivery {
    /// The server.
    pub address: Address,
    /// The recording.
    pub pending: Pending,
}

/// Sends a recording as it is kept, until the server has finished it; then deletes it here. A break is told and mended.
///
/// # Errors
/// What no further try would mend. The recording then stays in the outbox, unless it was erased on the server.
pub async fn deliver(delivery: Delivery, tell: impl Fn(Event) + Sync) -> Result<(), ClientError> {
    let Delivery { address, mut pending } = delivery;
    let course = Course::default();
    let mut wait = SHORTEST_WAIT;
    loop {
        let ended = connection::run(&address, &mut pending, &course, &tell).await;
        if course.was_ready.get() {
            wait = SHORTEST_WAIT;
        }
        let reason = match ended {
            Ended::Finished => return pending.erase(),
            Ended::FinishedUnseen => {
                tell(Event::EndUnseen);
                return pending.erase();
            }
            Ended::Stopped(error) => {
                if matches!(error, ClientError::Erased) {
                    pending.erase()?;
                }
                return Err(error);
            }
            Ended::Busy(reason) => {
                wait = LONGEST_WAIT;
                reason
            }
            Ended::Broken(reason) => reason,
        };
        tell(Event::Broken { reason, again_in: wait });
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}
