//! The session from samples to segments, with a detector that takes loud for speech and a recogniser that says what it was given.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::sync::{Arc, Mutex};

use cantoscribe::audio::{AudioError, AudioFile, SampleIndex, to_wav};
use cantoscribe::speech::endpoint::{EndpointSettings, Utterance};
use cantoscribe::speech::model::{HeardWord, Hypothesis};
use cantoscribe::speech::script::HongKongScript;
use cantoscribe::speech::session::{Hear, Session};
use cantoscribe::speech::vad::{Frame, VoiceDetector};
use cantoscribe::speech::{HeardUtterance, Numbers, Segment, Segmenter, SpeechError, Writing};

const FRAME: usize = 512;

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
            let frame: Vec<f32> = self.pending.drain(..FRAME).collect();
            let energy = frame.iter().map(|sample| sample * sample).sum::<f32>() / FRAME as f32;
            let probability = if energy > 1e-4 { 0.95 } else { 0.01 };
            frames.push(Frame { start: SampleIndex(self.next), probability, energies: [energy; 4] });
            self.next += FRAME as u64;
        }
        Ok(frames)
    }

    fn flush(&mut self) -> Result<Option<Frame>, SpeechError> {
        let last = if self.pending.is_empty() { None } else { self.push(&vec![0.0; FRAME - self.pending.len()])?.pop() };
        self.reset()?;
        Ok(last)
    }

    fn reset(&mut self) -> Result<(), SpeechError> {
        *self = Self::default();
        Ok(())
    }
}

/// Says how many samples it was given, in one word, and keeps them.
fn parrot(heard: Arc<Mutex<Vec<Vec<f32>>>>) -> Hear {
    Box::new(move |samples| {
        heard.lock().unwrap().push(samples.to_vec());
        let text = format!("{} 个", samples.len());
        let word = HeardWord { text: "个".into(), samples: 1600..samples.len(), probability: 0.5 };
        Ok(Hypothesis { text: text.into(), words: vec![word], average_log_probability: -0.5, ..Hypothesis::default() })
    })
}

fn session(hear: Hear, settings: EndpointSettings) -> Session {
    Session::new(
        Box::new(Loud::default()),
        hear,
        Arc::new(Writing::new(HongKongScript::load().unwrap(), Numbers::Said)),
        settings,
    )
    .unwrap()
}

fn run(session: &mut Session, samples: &[f32], chunk: usize) -> Vec<Segment> {
    let mut segments = Vec::new();
    for chunk in samples.chunks(chunk) {
        segments.extend(session.push(chunk).unwrap());
    }
    segments.extend(session.finish().unwrap());
    segments.into_iter().map(|heard| heard.segment).collect()
}

/// A ramp, so that every sample is its own, loud or scaled down to silence by turns of (seconds loud, seconds silent).
fn talk(turns: &[(usize, usize)]) -> Vec<f32> {
    let mut samples = Vec::new();
    for (loud, silent) in turns {
        for index in 0..16_000 * (loud + silent) {
            let value = 0.1 + (samples.len() % 65_536) as f32 / 131_072.0;
            samples.push(if index < 16_000 * loud { value } else { value * 1e-3 });
        }
    }
    samples
}

#[test]
fn segments_carry_ids_times_words_and_confidence_of_the_recording() {
    let samples = talk(&[(0, 2), (3, 2), (1, 2)]);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let segments = run(&mut session(parrot(heard.clone()), EndpointSettings::default()), &samples, 5000);
    assert_eq!(segments.iter().map(|segment| segment.id).collect::<Vec<_>>(), [0, 1]);
    let first = &segments[0];
    // Loud from 2 s (in frame 62, which begins at 1.984 s) to 5 s (in frame 156, which ends at 5.024 s); 320 ms around it.
    assert_eq!((first.start_ms, first.end_ms), (Some(1664), Some(5344)));
    assert_eq!(first.text.reveal(), format!("{} 個", (5344 - 1664) * 16));
    let word = &first.words.as_ref().unwrap()[0];
    assert_eq!((word.text.reveal(), word.start_ms, word.end_ms, word.confidence), ("個", 1764, 5344, Some(0.5)));
    assert!((first.confidence.unwrap() - (-0.5f64).exp()).abs() < 1e-9);
    assert_eq!(heard.lock().unwrap()[0], samples[1664 * 16..5344 * 16], "the recogniser got just these samples");
}

/// How hearing a file can fail.
#[derive(Debug)]
enum Unheard {
    Audio,
    Speech,
    Unwanted,
}

impl From<AudioError> for Unheard {
    fn from(_: AudioError) -> Self {
        Self::Audio
    }
}

impl From<SpeechError> for Unheard {
    fn from(_: SpeechError) -> Self {
        Self::Speech
    }
}

fn file_session() -> Session<Unheard> {
    let hear: Hear<Unheard> = Box::new(|samples| {
        Ok(Hypothesis {
            text: format!("{}", samples.len()).into(),
            tokens: vec![1, 2],
            temperature: 0.4,
            ..Hypothesis::default()
        })
    });
    let script = Arc::new(Writing::new(HongKongScript::load().unwrap(), Numbers::Said));
    Session::new(Box::new(Loud::default()), hear, script, EndpointSettings::default()).unwrap()
}

#[test]
fn a_file_is_told_second_by_second_with_how_each_segment_was_read() {
    let samples = talk(&[(1, 2), (3, 2)]);
    let wav = to_wav(16_000, &samples.iter().map(|sample| (sample * 32_767.0) as i16).collect::<Vec<_>>());
    let open = |bytes: &[u8]| AudioFile::from_reader("x".as_ref(), Box::new(std::io::Cursor::new(bytes.to_vec())));
    let (mut places, mut heard) = (Vec::new(), Vec::new());
    file_session()
        .hear_file(&mut open(&wav).unwrap(), |place, segments| {
            places.push(place.0);
            heard.extend(segments);
            Ok(())
        })
        .unwrap();
    assert!(places.windows(2).all(|pair| pair[0] <= pair[1]) && places.len() >= 8, "{places:?}");
    assert_eq!(places.last(), Some(&(samples.len() as u64)));
    assert_eq!(heard.iter().map(|heard| heard.segment.id).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((heard[0].reading.tokens.as_slice(), heard[0].reading.temperature), (&[1, 2][..], 0.4));
    let mut told = 0;
    let ended = file_session().hear_file(&mut open(&wav).unwrap(), |_, _| {
        told += 1;
        Err(Unheard::Unwanted)
    });
    assert!(matches!(ended, Err(Unheard::Unwanted)) && told == 1, "{ended:?} after {told}");
}

#[test]
fn segments_do_not_depend_on_the_chunks_and_a_session_can_be_used_again() {
    let samples = talk(&[(1, 1), (40, 1), (2, 3), (1, 0)]);
    let mut again = session(parrot(Arc::default()), EndpointSettings::default());
    let whole = run(&mut again, &samples, samples.len());
    assert!(whole.len() >= 5, "the long one is cut");
    for chunk in [160, 511, 4801, 100_000] {
        assert_eq!(run(&mut again, &samples, chunk), whole, "chunks of {chunk}");
    }
}

#[test]
fn silence_never_reaches_the_model_and_text_without_words_is_no_segment() {
    let never: Hear = Box::new(|_| panic!("the model was given silence"));
    assert!(run(&mut session(never, EndpointSettings::default()), &talk(&[(0, 30)]), 777).is_empty());
    let blank: Hear = Box::new(|_| Ok(Hypothesis { text: " ".into(), ..Hypothesis::default() }));
    assert!(run(&mut session(blank, EndpointSettings::default()), &talk(&[(1, 2), (1, 2)]), 777).is_empty());
    let nothing = run(&mut session(parrot(Arc::default()), EndpointSettings::default()), &[], 1);
    assert!(nothing.is_empty());
}

#[test]
fn speech_without_a_pause_is_heard_once_and_whole() {
    let samples = talk(&[(100, 0)]);
    let heard = Arc::new(Mutex::new(Vec::new()));
    run(&mut session(parrot(heard.clone()), EndpointSettings::default()), &samples, 3000);
    let heard = heard.lock().unwrap();
    assert!(heard.len() >= 4 && heard.iter().all(|piece| piece.len() <= 28 * 16_000));
    assert_eq!(heard.concat(), samples);
}

#[test]
fn an_hour_is_held_in_a_bounded_buffer() {
    let mut session = session(parrot(Arc::default()), EndpointSettings::default());
    let minutes = [talk(&[(60, 0)]), talk(&[(3, 1), (20, 2), (4, 30)]), talk(&[(0, 60)])];
    let (mut most, mut segments) = (0, 0);
    for minute in 0..60 {
        for chunk in minutes[minute % 3].chunks(1600) {
            segments += session.push(chunk).unwrap().len();
            most = most.max(session.buffered_samples());
        }
    }
    segments += session.finish().unwrap().len();
    assert!(segments >= 90, "{segments} segments");
    assert!(most < 31 * 16_000, "{most} samples held");
    assert_eq!(session.buffered_samples(), 0);
}

fn segmenter() -> Segmenter {
    Segmenter::new(Box::new(Loud::default()), EndpointSettings::default()).unwrap()
}

fn take(segmenter: &mut Segmenter, samples: &[f32], chunk: usize) -> Vec<HeardUtterance> {
    let mut heard = Vec::new();
    for chunk in samples.chunks(chunk) {
        heard.extend(segmenter.push(chunk).unwrap());
    }
    heard.extend(segmenter.finish().unwrap());
    heard
}

#[test]
fn two_takes_give_the_utterances_of_each_and_the_second_goes_on_where_the_first_ended() {
    // The first take breaks off in the middle of speech and of a frame, the second begins in it.
    let first = &talk(&[(1, 2), (3, 0)])[..5 * 16_000 + 77];
    let second = talk(&[(2, 2), (0, 1), (40, 0)]);
    let alone = [take(&mut segmenter(), first, 999), take(&mut segmenter(), &second, 999)];
    assert!(alone[0].len() == 2 && alone[1].len() >= 3);
    let base = first.len() as u64;
    let shifted = alone[1].iter().cloned().map(|mut heard| {
        heard.utterance.start.0 += base;
        heard.utterance.end.0 += base;
        heard
    });
    let expected: Vec<HeardUtterance> = alone[0].iter().cloned().chain(shifted).collect();
    for chunk in [160, 4801, 1_000_000] {
        let mut both = segmenter();
        let mut found = take(&mut both, first, chunk);
        assert_eq!((both.position().0, both.buffered_samples()), (base, 0));
        found.extend(take(&mut both, &second, chunk));
        assert_eq!(found, expected, "chunks of {chunk}");
        assert_eq!(both.position().0, base + second.len() as u64);
        // A take of nothing changes nothing.
        assert!(both.finish().unwrap().is_empty());
    }
}

#[test]
fn what_grows_becomes_the_utterance_that_was_promised() {
    let samples = talk(&[(0, 1), (3, 1), (1, 0)]);
    let mut segmenter = segmenter();
    let (mut promised, mut ended) = (None, Vec::new());
    for (chunk, heard_to) in samples.chunks(160).zip((160..).step_by(160)) {
        ended.extend(segmenter.push(chunk).unwrap());
        assert_eq!(segmenter.position().0, heard_to);
        let Some(growing) = segmenter.growing() else { continue };
        let range = growing.start.0 as usize..growing.end.0 as usize;
        assert_eq!(growing.samples, &samples[range.clone()]);
        assert!(growing.start < growing.speech_end && range.end <= heard_to as usize);
        if growing.complete {
            assert_eq!(growing.end.0, growing.speech_end.0 + 320 * 16);
            promised = Some(HeardUtterance {
                utterance: Utterance { start: growing.start, end: growing.end, cut: false },
                samples: growing.samples.to_vec(),
            });
        } else {
            assert!(growing.end.0 + 512 > heard_to.min(growing.speech_end.0 + 320 * 16));
        }
    }
    assert_eq!(ended.first(), promised.as_ref());
    assert!(!segmenter.growing().unwrap().complete);
    ended.extend(segmenter.finish().unwrap());
    assert_eq!((ended.len(), segmenter.growing()), (2, None));
}
