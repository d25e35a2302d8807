//! The room's microphone: an input device of this machine to interleaved 16-bit samples at the device's own rate.
//!
//! Part of the shell, for a device is neither pure nor repeatable. Invariant: what the device gave is either read or counted as lost.
//! The real-time callback never waits and never allocates; between it and the reader stands a ring of fixed size.

mod device;
mod error;
mod level;
mod pcm;
mod recorder;
mod ring;

pub use device::{Device, choose, devices};
pub use error::CaptureError;
pub use level::{Level, Meter};
pub use recorder::{Losses, Recorder};

/// A sample as 16-bit PCM: rounded, and held within the range.
#[must_use]
pub fn to_pcm(sample: f32) -> i16 {
    pcm::ToPcm::to_pcm(sample)
}
