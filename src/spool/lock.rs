//! The lock of a file that one process alone writes.

use std::fs::{File, TryLockError};
use std::thread;
use std::time::Duration;

/// Takes the lock of a file. It is tried for a fifth of a second: a program that another thread is just starting has our open files
/// until it runs, a lock that was let go of too.
///
/// # Errors
/// [`TryLockError::WouldBlock`] while another has it, and when the system does not lock.
pub(crate) fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..20 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
            other => return other,
        }
    }
    file.try_lock()
}
