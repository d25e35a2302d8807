//! Starting from nothing: this very program as a process of its own, on one recording.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::recordings::Loaded;
use super::setting::Candidate;
use super::{BenchError, Setting, Stop};
use crate::speech::model::DeviceChoice;

/// The length of recording that a start is measured with, in seconds; the nearest one is taken.
const WANTED_SECONDS: f64 = 5.0;
/// A longer recording tells little of the start.
const LONGEST_SECONDS: f64 = 30.0;
/// How often the process is asked for its memory: what it takes after the last time is missed.
const ROUND: Duration = Duration::from_millis(2);
/// A process that gives no text for so long is ended.
const PATIENCE: Duration = Duration::from_secs(120);

/// One start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// From starting the process to the first byte of text.
    pub first_text: Duration,
    /// The most memory it held, mapped weights included; where the system tells.
    pub peak_memory: Option<u64>,
}

/// The recording to start with; nothing when all are too long.
pub(super) fn choose(recordings: &[Loaded]) -> Option<&Loaded> {
    let short = recordings.iter().filter(|recording| recording.seconds() <= LONGEST_SECONDS);
    let off = |recording: &Loaded| (recording.seconds() - WANTED_SECONDS).abs();
    short.min_by(|a, b| off(a).total_cmp(&off(b)))
}

/// Starts `binary transcribe` and waits for its end. Nothing when it took too long or was asked to stop.
pub(super) fn start(
    binary: &Path,
    models_folder: &Path,
    (candidate, setting, device): (&Candidate, &Setting, DeviceChoice),
    language: &str,
    recording: &Path,
    stop: &Stop,
) -> Result<Option<Start>, BenchError> {
    let mut command = Command::new(binary);
    command.arg("--models").arg(models_folder).args(["transcribe", "--format", "text", "--language", language]);
    command.args(["--model", &candidate.asked, "--precision", setting.precision.name()]);
    command.args(["--compute", device.name(), "--threads", &setting.threads.to_string(), "--"]).arg(recording);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let begin = Instant::now();
    let mut child = command.spawn().map_err(BenchError::io("start", binary))?;
    let mut output = child.stdout.take();
    // Read on a thread, so that neither the process nor the clock waits for the look at its memory.
    let reader = thread::spawn(move || {
        let (mut first, mut buffer) = (None, [0; 4096]);
        while output.as_mut().and_then(|output| output.read(&mut buffer).ok()).is_some_and(|length| length > 0) {
            first.get_or_insert_with(|| begin.elapsed());
        }
        first
    });
    let mut peak_memory = None;
    let status = loop {
        peak_memory = memory(child.id()).or(peak_memory);
        if let Some(status) = child.try_wait().map_err(BenchError::io("wait for", binary))? {
            break status;
        }
        if stop.asked() || begin.elapsed() > PATIENCE {
            end(&mut child);
            return Ok(None);
        }
        thread::sleep(ROUND);
    };
    if !status.success() {
        // Ctrl-C on a terminal reaches the process too.
        return if stop.asked() { Ok(None) } else { Err(BenchError::Child { status: status.to_string() }) };
    }
    let first = reader.join().ok().flatten();
    Ok(first.map(|first_text| Start { first_text, peak_memory }))
}

/// Ends the process; one that has ended by itself needs nothing.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// The most memory that a process has held so far, in bytes. Only Linux tells.
fn memory(process: u32) -> Option<u64> {
    peak(&fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

/// From `/proc/PID/status`.
fn peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_where_it_is_told() {
        assert_eq!(peak("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"), Some(2_097_152));
        assert_eq!(peak("Name:\tzombie\n"), None);
    }

    #[test]
    fn the_recording_nearest_to_five_seconds_is_taken_and_none_that_is_long() {
        let of = |seconds: usize| Loaded { path: "x".into(), transcript: None, samples: vec![0.0; seconds * 16_000] };
        assert_eq!(choose(&[of(2), of(6), of(9)]).map(Loaded::seconds), Some(6.0));
        assert!(choose(&[of(31), of(60)]).is_none());
    }
}
