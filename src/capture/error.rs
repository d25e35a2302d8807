//! Why there is no sound.

/// A device that cannot be found, opened or heard any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// The machine has no sound system that we know.
    #[error("this machine's sound system cannot be used: {0}")]
    NoHost(String),
    /// There is nothing to record with.
    #[error("no input device was found: connect a microphone, or start the sound server")]
    NoDevice,
    /// No device has that name.
    #[error("no input device is called `{asked}`; there {}", listed(there))]
    Unknown {
        /// As the user wrote it.
        asked: String,
        /// Names of the devices there are.
        there: Vec<String>,
    },
    /// Several devices have that in their names.
    #[error("`{asked}` may be any of several input devices: {}", fitting.join(", "))]
    Ambiguous {
        /// As the user wrote it.
        asked: String,
        /// Names of the devices that it fits.
        fitting: Vec<String>,
    },
    /// The device offers nothing that can be streamed.
    #[error("input device `{device}` offers no format with 1 to {} channels at {} to {} Hz", super::device::MOST_CHANNELS, super::device::RATES.start(), super::device::RATES.end())]
    Format {
        /// Its name.
        device: String,
    },
    /// The device cannot be opened.
    #[error("cannot record from `{device}`: {reason}")]
    Open {
        /// Its name.
        device: String,
        /// What the sound system says.
        reason: String,
    },
    /// The device failed, or was pulled out, while it was recorded from.
    #[error("input device `{device}` was lost: {reason}")]
    Lost {
        /// Its name.
        device: String,
        /// What the sound system says.
        reason: String,
    },
    /// The device is there and gives nothing.
    #[error("input device `{device}` has given no sound for {seconds} s, not even silence")]
    Stalled {
        /// Its name.
        device: String,
        /// For how long.
        seconds: u64,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "is none".to_owned() } else { format!("are: {}", names.join(", ")) }
}
