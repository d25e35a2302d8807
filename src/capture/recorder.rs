//! A running recording: the device's callback on one side of the ring, the reader on the other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait as _, StreamTrait as _};
use cpal::{Data, Error, ErrorKind, InputCallbackInfo, StreamInstant};

use super::ring::{Reader, Writer, ring};
use super::{CaptureError, Device, pcm};

/// How long the reader may be away: a disk that hangs for seconds loses nothing.
const RING_SECONDS: usize = 20;

/// A device gives sound many times a second, silence too. One that gives none for so long is gone, whatever it says.
const STALLED: Duration = Duration::from_secs(5);

/// What the device gave and nobody heard, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// Samples a channel that found our ring full.
    pub overrun: u64,
    /// How often the sound system said that it had lost sound itself.
    pub breaks: u64,
    /// Samples a channel lost in those breaks, by the device's clock.
    pub broken: u64,
}

impl Losses {
    /// Samples a channel lost in all.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.overrun + self.broken
    }

    /// Whether nothing was lost.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What the callbacks tell the reader besides sound.
#[derive(Default)]
struct Reports {
    /// The sound system reported a break, and no sound has come since.
    break_pending: AtomicBool,
    breaks: AtomicU64,
    broken: AtomicU64,
    /// Why the stream is over.
    failure: OnceLock<Error>,
}

/// A recording that runs until it is dropped.
pub struct Recorder {
    /// The device's name.
    pub device: String,
    rate: u32,
    channels: u16,
    /// Dropped when the device fails, which ends its thread.
    stream: Option<cpal::Stream>,
    ring: Reader,
    reports: Arc<Reports>,
    last_sound: Instant,
}

impl Recorder {
    /// Starts to record, at the device's own rate and with its own channels.
    ///
    /// # Errors
    /// A device that is busy, gone, or offers no format that can be streamed.
    pub fn start(device: &Device) -> Result<Self, CaptureError> {
        let format = device.format()?;
        let (rate, channels) = (format.sample_rate(), format.channels());
        let closed = |error: Error| CaptureError::Open { device: device.name.clone(), reason: error.to_string() };
        let samples = usize::try_from(rate).unwrap_or(usize::MAX).saturating_mul(RING_SECONDS);
        let (mut writer, reader) = ring(samples, usize::from(channels));
        let reports = Arc::new(Reports::default());
        let (for_sound, for_errors) = (Arc::clone(&reports), Arc::clone(&reports));
        let mut clock = Clock { rate, next: None };
        let sound = move |data: &Data, info: &InputCallbackInfo| {
            take(data, info.timestamp().capture, &mut writer, &mut clock, &for_sound);
        };
        let stream = device.device.build_input_stream_raw(
            format.config(),
            format.sample_format(),
            sound,
            move |error| report(error, &for_errors),
            None,
        );
        let stream = stream.map_err(closed)?;
        stream.play().map_err(closed)?;
        let device = device.name.clone();
        Ok(Self { device, rate, channels, stream: Some(stream), ring: reader, reports, last_sound: Instant::now() })
    }

    /// Samples a second.
    #[must_use]
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Samples in a frame.
    #[must_use]
    pub fn channels(&self) -> u16 {
        self.channels
    }

    /// Appends what came since the last call, interleaved; returns how many samples a channel it was. Never waits.
    ///
    /// # Errors
    /// A device that is lost or stalled, once everything that came before was read.
    pub fn read(&mut self, samples: &mut Vec<i16>) -> Result<u64, CaptureError> {
        // Asked before reading: what came before the failure is then surely read before it is told.
        let failure = self.reports.failure.get().cloned();
        let read = self.ring.read(samples);
        if read > 0 {
            self.last_sound = Instant::now();
            return Ok(read);
        }
        let device = self.device.clone();
        if let Some(error) = failure {
            self.stream = None;
            return Err(CaptureError::Lost { device, reason: error.to_string() });
        }
        if self.last_sound.elapsed() > STALLED {
            self.stream = None;
            return Err(CaptureError::Stalled { device, seconds: STALLED.as_secs() });
        }
        Ok(0)
    }

    /// Ends the recording; what the ring still holds can be read.
    pub fn stop(&mut self) {
        self.stream = None;
    }

    /// What was lost so far.
    #[must_use]
    pub fn losses(&self) -> Losses {
        Losses {
            overrun: self.ring.lost(),
            breaks: self.reports.breaks.load(Ordering::Relaxed),
            broken: self.reports.broken.load(Ordering::Relaxed),
        }
    }
}

/// The data callback: a copy into the ring, and after a break what the break cost.
fn take(data: &Data, captured: StreamInstant, ring: &mut Writer, clock: &mut Clock, reports: &Reports) {
    if reports.break_pending.swap(false, Ordering::Relaxed) {
        reports.broken.fetch_add(clock.missed(captured), Ordering::Relaxed);
    }
    let samples = pcm::write(data, ring);
    clock.advance(captured, samples);
}

/// The error callback.
fn report(error: Error, reports: &Reports) {
    match error.kind() {
        ErrorKind::Xrun => {
            reports.breaks.fetch_add(1, Ordering::Relaxed);
            reports.break_pending.store(true, Ordering::Relaxed);
        }
        // The stream goes on.
        ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
        _ => {
            let _ = reports.failure.set(error);
        }
    }
}

/// When the next sample is due, by the device's own time stamps.
struct Clock {
    rate: u32,
    next: Option<StreamInstant>,
}

impl Clock {
    fn advance(&mut self, captured: StreamInstant, samples: u64) {
        let seconds = samples as f64 / f64::from(self.rate.max(1));
        self.next = captured.checked_add(Duration::from_secs_f64(seconds));
    }

    /// Samples that were due before this one.
    fn missed(&self, captured: StreamInstant) -> u64 {
        let gap = self.next.map_or(Duration::ZERO, |next| captured.saturating_duration_since(next));
        (gap.as_secs_f64() * f64::from(self.rate)).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_break_is_counted_and_measured_by_the_device_s_clock() {
        let mut clock = Clock { rate: 48_000, next: None };
        assert_eq!(clock.missed(StreamInstant::from_millis(500)), 0);
        clock.advance(StreamInstant::from_millis(1000), 4_800);
        assert_eq!(clock.missed(StreamInstant::from_millis(1100)), 0);
        assert_eq!(clock.missed(StreamInstant::from_millis(1350)), 12_000);
        assert_eq!(clock.missed(StreamInstant::from_millis(900)), 0);
    }

    #[test]
    fn only_what_ends_a_stream_is_a_failure() {
        let reports = Reports::default();
        for kind in [ErrorKind::Xrun, ErrorKind::DeviceChanged, ErrorKind::RealtimeDenied, ErrorKind::Xrun] {
            report(Error::new(kind), &reports);
        }
        assert_eq!(reports.breaks.load(Ordering::Relaxed), 2);
        assert!(reports.break_pending.load(Ordering::Relaxed));
        assert_eq!(reports.failure.get(), None);
        report(Error::new(ErrorKind::DeviceNotAvailable), &reports);
        report(Error::new(ErrorKind::BackendError), &reports);
        assert_eq!(reports.failure.get().map(Error::kind), Some(ErrorKind::DeviceNotAvailable));
    }

    fn recorder(ring: Reader, reports: Arc<Reports>) -> Recorder {
        let device = "test".to_owned();
        Recorder { device, rate: 8_000, channels: 1, stream: None, ring, reports, last_sound: Instant::now() }
    }

    #[test]
    fn a_lost_device_is_told_after_its_last_sound() {
        let (mut writer, reader) = ring(4, 1);
        let reports = Arc::new(Reports::default());
        let mut recorder = recorder(reader, Arc::clone(&reports));
        let mut heard = Vec::new();
        assert_eq!(recorder.read(&mut heard), Ok(0));
        writer.write([1, 2, 3, 4, 5].into_iter());
        report(Error::new(ErrorKind::DeviceNotAvailable), &reports);
        assert_eq!(recorder.read(&mut heard), Ok(4));
        assert_eq!(recorder.losses(), Losses { overrun: 1, breaks: 0, broken: 0 });
        assert!(matches!(recorder.read(&mut heard), Err(CaptureError::Lost { .. })));
        assert_eq!(heard, [1, 2, 3, 4]);
    }

    #[test]
    fn a_device_that_gives_nothing_is_stalled() {
        let (_writer, reader) = ring(4, 1);
        let mut recorder = recorder(reader, Arc::default());
        recorder.last_sound = Instant::now().checked_sub(STALLED * 2).unwrap();
        assert!(matches!(recorder.read(&mut Vec::new()), Err(CaptureError::Stalled { seconds: 5, .. })));
    }
}
