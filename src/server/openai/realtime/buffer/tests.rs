use super::*;
use crate::speech::SpeechError;
use crate::speech::model::silero_vad::FRAME;
use crate::speech::vad::{BLOCKS, Frame};

/// Calls speech what is loud.
#[derive(Default)]
struct Loud {
    pending: Vec<f32>,
    next: u64,
}

impl VoiceDetector for Loud {
    fn push(&mut self, samples: &[f32]) -> Result<Vec<Frame>, SpeechError> {
        self.pending.extend_from_slice(samples);
        let mut frames = Vec::new();
        while self.pending.len() >= FRAME {
            let rest = self.pending.split_off(FRAME);
            let frame = std::mem::replace(&mut self.pending, rest);
            let loud = frame.iter().any(|sample| sample.abs() > 0.1);
            let probability = if loud { 0.9 } else { 0.0 };
            frames.push(Frame { start: SampleIndex(self.next), probability, energies: [0.0; BLOCKS] });
            self.next += FRAME as u64;
        }
        Ok(frames)
    }

    fn flush(&mut self) -> Result<Option<Frame>, SpeechError> {
        let rest = vec![0.0; (FRAME - self.pending.len()) % FRAME];
        let frame = self.push(&rest)?.pop();
        self.reset()?;
        Ok(frame)
    }

    fn reset(&mut self) -> Result<(), SpeechError> {
        *self = Self::default();
        Ok(())
    }
}

fn buffer(manual: bool) -> Buffer {
    Buffer::new(Box::new(Loud::default()), EndpointSettings::default(), manual).unwrap()
}

/// Seconds of a tone, and of silence, by turns.
fn pcm(turns: &[(f32, f32)]) -> Vec<u8> {
    let mut samples: Vec<i16> = Vec::new();
    for (loud, silent) in turns {
        samples.extend((0..(loud * RATE as f32) as usize).map(|index| if index % 48 < 24 { 12_000 } else { -12_000 }));
        samples.extend(std::iter::repeat_n(0, (silent * RATE as f32) as usize));
    }
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// What happened, in short: a letter, the item and milliseconds, or how many utterances.
fn told(turns: &[Turn]) -> Vec<(char, u64, u64)> {
    turns
        .iter()
        .map(|turn| match turn {
            Turn::Started { item, at } => ('s', *item, at.milliseconds()),
            Turn::Stopped { item, at } => ('e', *item, at.milliseconds()),
            Turn::Committed { item, utterances } => ('c', *item, utterances.len() as u64),
        })
        .collect()
}

#[test]
fn speech_becomes_items_whatever_the_messages() {
    let sound = pcm(&[(0.0, 1.0), (1.5, 1.0), (1.0, 1.0), (0.0, 1.0)]);
    let whole = told(&buffer(false).append(&sound).unwrap().unwrap());
    let kinds: Vec<_> = whole.iter().map(|(kind, item, _)| (*kind, *item)).collect();
    assert_eq!(kinds, [('s', 0), ('e', 0), ('c', 0), ('s', 1), ('e', 1), ('c', 1)]);
    let within = |at: u64, expected: u64| at.abs_diff(expected) < 100;
    assert!(within(whole[0].2, 680) && within(whole[1].2, 2820) && within(whole[3].2, 3180), "{whole:?}");
    for length in [2, 480, 9600] {
        let mut buffer = buffer(false);
        let turns: Vec<_> = sound.chunks(length).flat_map(|chunk| buffer.append(chunk).unwrap().unwrap()).collect();
        assert_eq!(told(&turns), whole, "messages of {length} bytes");
    }
}

#[test]
fn a_commit_ends_what_is_being_said() {
    let mut buffer = buffer(false);
    assert_eq!(told(&buffer.append(&pcm(&[(1.0, 0.0)])).unwrap().unwrap()), [('s', 0, 0)]);
    assert!(buffer.holds_speech());
    assert_eq!(told(&buffer.commit().unwrap().unwrap()), [('e', 0, 1000), ('c', 0, 1)]);
    assert_eq!(buffer.commit().unwrap(), Err(Full::Empty));
    let next = told(&buffer.append(&pcm(&[(0.0, 1.0), (1.0, 1.0)])).unwrap().unwrap());
    assert_eq!((next[0].0, next[0].1, next[2]), ('s', 1, ('c', 1, 1)));
    assert!(next[0].2.abs_diff(1680) < 100, "times are the session's: {next:?}");
}

#[test]
fn without_a_detector_the_client_commits() {
    let mut buffer = buffer(true);
    assert!(buffer.append(&pcm(&[(1.0, 1.0), (1.0, 1.0), (0.5, 0.0)])).unwrap().unwrap().is_empty());
    assert_eq!(told(&buffer.commit().unwrap().unwrap()), [('c', 0, 3)]);
    buffer.append(&pcm(&[(0.0, 1.0)])).unwrap().unwrap();
    assert_eq!(told(&buffer.commit().unwrap().unwrap()), [('c', 1, 0)]);
    buffer.append(&pcm(&[(1.0, 1.0)])).unwrap().unwrap();
    buffer.clear().unwrap();
    assert!(!buffer.holds_speech());
    assert_eq!(buffer.commit().unwrap(), Err(Full::Empty));
}

#[test]
fn a_commit_that_is_overdue_is_asked_for() {
    let mut buffer = buffer(true);
    let minute = pcm(&[(20.0, 1.0), (20.0, 1.0), (20.0, 1.0)]);
    let taken = (0..20).take_while(|_| buffer.append(&minute).unwrap().is_ok()).count();
    assert!((5..=7).contains(&taken), "{taken} minutes");
    assert_eq!(buffer.append(&minute).unwrap(), Err(Full::TooLong));
    buffer.commit().unwrap().unwrap();
    assert!(buffer.append(&minute).unwrap().is_ok());
}

#[test]
fn turns_can_be_divided_otherwise_between_items() {
    let mut buffer = buffer(false);
    buffer.append(&pcm(&[(1.0, 1.0)])).unwrap().unwrap();
    assert!(!buffer.holds_speech());
    let shorter = EndpointSettings { pause_ms: 320, ..EndpointSettings::default() };
    buffer.divide(Box::new(Loud::default()), shorter, false).unwrap();
    let turns = told(&buffer.append(&pcm(&[(1.0, 0.4), (1.0, 0.4)])).unwrap().unwrap());
    let kinds: Vec<_> = turns.iter().map(|(kind, item, _)| (*kind, *item)).collect();
    assert_eq!(kinds, [('s', 1), ('e', 1), ('c', 1), ('s', 2), ('e', 2), ('c', 2)]);
    assert!(turns[0].2.abs_diff(2000) < 100, "times are the session's: {turns:?}");
}
