//! One writer, one reader, a fixed number of samples between them, and no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI16, AtomicUsize, Ordering};

/// Positions count samples of all channels since the start; 64 bits of them never run out.
struct Ring {
    slots: Box<[AtomicI16]>,
    /// Written by the writer alone.
    written: AtomicUsize,
    /// Written by the reader alone.
    read: AtomicUsize,
    /// Samples a channel that found the ring full.
    lost: AtomicUsize,
    channels: usize,
}

impl Ring {
    fn slot(&self, position: usize) -> Option<&AtomicI16> {
        self.slots.get(position.checked_rem(self.slots.len())?)
    }
}

/// The real-time side. Neither waits nor allocates.
pub(super) struct Writer(Arc<Ring>);

/// The other side.
pub(super) struct Reader(Arc<Ring>);

/// A ring for so many samples of each of the channels.
pub(super) fn ring(samples: usize, channels: usize) -> (Writer, Reader) {
    let channels = channels.max(1);
    let slots = (0..samples.saturating_mul(channels)).map(|_| AtomicI16::new(0)).collect();
    let [written, read, lost] = [(); 3].map(|()| AtomicUsize::new(0));
    let ring = Arc::new(Ring { slots, written, read, lost, channels });
    (Writer(Arc::clone(&ring)), Reader(ring))
}

impl Writer {
    /// Puts in what there is room for, whole frames only, and counts the rest as lost; returns how many samples a channel were given.
    ///
    /// What is in the ring stays: a gap is then at one place, where the reader fell behind.
    pub(super) fn write(&mut self, samples: impl ExactSizeIterator<Item = i16>) -> u64 {
        let ring = &self.0;
        let written = ring.written.load(Ordering::Relaxed);
        let waiting = written.wrapping_sub(ring.read.load(Ordering::Acquire));
        let given = samples.len() / ring.channels;
        let room = ring.slots.len().saturating_sub(waiting) / ring.channels;
        let kept = given.min(room);
        let end = written.wrapping_add(kept * ring.channels);
        for (at, sample) in samples.take(kept * ring.channels).enumerate() {
            if let Some(slot) = ring.slot(written.wrapping_add(at)) {
                slot.store(sample, Ordering::Relaxed);
            }
        }
        ring.written.store(end, Ordering::Release);
        ring.lost.fetch_add(given - kept, Ordering::Relaxed);
        given as u64
    }
}

impl Reader {
    /// Appends everything that is in the ring; returns how many samples a channel it was.
    pub(super) fn read(&mut self, samples: &mut Vec<i16>) -> u64 {
        let ring = &self.0;
        let read = ring.read.load(Ordering::Relaxed);
        let waiting = ring.written.load(Ordering::Acquire).wrapping_sub(read);
        samples.reserve(waiting);
        let slots = (0..waiting).filter_map(|at| ring.slot(read.wrapping_add(at)));
        samples.extend(slots.map(|slot| slot.load(Ordering::Relaxed)));
        ring.read.store(read.wrapping_add(waiting), Ordering::Release);
        (waiting / ring.channels) as u64
    }

    /// Samples a channel that found the ring full, since the start.
    pub(super) fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(range: std::ops::Range<i16>) -> Vec<i16> {
        range.collect()
    }

    #[test]
    fn what_is_written_is_read_in_order_across_the_seam() {
        let (mut writer, mut reader) = ring(5, 2);
        let mut heard = Vec::new();
        for start in (0..200).step_by(8) {
            assert_eq!(writer.write(numbers(start..start + 8).into_iter()), 4);
            assert_eq!(reader.read(&mut heard), 4);
        }
        assert_eq!(heard, numbers(0..200));
        assert_eq!(reader.lost(), 0);
    }

    #[test]
    fn an_overrun_is_counted_to_the_sample_and_splits_no_frame() {
        let (mut writer, mut reader) = ring(5, 2);
        writer.write(numbers(0..6).into_iter());
        writer.write(numbers(6..14).into_iter());
        assert_eq!(reader.lost(), 2);
        let mut heard = Vec::new();
        assert_eq!(reader.read(&mut heard), 5);
        assert_eq!(heard, numbers(0..10));
        writer.write(numbers(14..20).into_iter());
        assert_eq!(reader.read(&mut heard), 3);
        assert_eq!(heard.get(10..), Some(numbers(14..20).as_slice()));
        writer.write(numbers(0..40).into_iter());
        assert_eq!(reader.lost(), 2 + 15);
    }

    #[test]
    fn two_threads_lose_nothing_that_is_not_counted() {
        let (mut writer, mut reader) = ring(64, 3);
        let sender = std::thread::spawn(move || {
            for frame in 0..20_000u32 {
                let sample = (frame % 30_000) as i16;
                writer.write([sample, -sample, sample].into_iter());
                if frame % 50 == 0 {
                    std::thread::yield_now();
                }
            }
        });
        let mut heard = Vec::new();
        loop {
            let ended = sender.is_finished();
            if reader.read(&mut heard) == 0 && ended {
                break;
            }
        }
        sender.join().unwrap();
        assert_eq!(heard.len() as u64 / 3 + reader.lost(), 20_000);
        let mut before = -1;
        for frame in heard.chunks(3) {
            assert_eq!(frame, [frame[0], -frame[0], frame[0]]);
            assert!(frame[0] > before, "out of order");
            before = frame[0];
        }
    }
}
