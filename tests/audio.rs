#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

//! Recordings, whole and damaged, through the decoder.

use std::f64::consts::PI;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use cantoscribe::audio::{AudioError, AudioFile, Channel, FileIdentity, Place};

/// The layout of a WAV file made here.
#[derive(Clone, Copy)]
struct Wav {
    rate: u32,
    channels: u16,
    tag: u16,
    bits: u16,
}

const PLAIN: Wav = Wav { rate: 16_000, channels: 1, tag: 1, bits: 16 };

impl Wav {
    /// Header and data, with the data size and RIFF size as given or true.
    fn file(self, data: &[u8], data_size: Option<u32>) -> Vec<u8> {
        let block = self.channels * (self.bits / 8);
        let size = data_size.unwrap_or(data.len() as u32);
        let mut bytes = b"RIFF".to_vec();
        bytes.extend(if data_size.is_some() { size } else { 36 + data.len() as u32 }.to_le_bytes());
        bytes.extend(b"WAVEfmt \x10\0\0\0");
        bytes.extend(self.tag.to_le_bytes());
        bytes.extend(self.channels.to_le_bytes());
        bytes.extend(self.rate.to_le_bytes());
        bytes.extend((self.rate.wrapping_mul(u32::from(block))).to_le_bytes());
        bytes.extend(block.to_le_bytes());
        bytes.extend(self.bits.to_le_bytes());
        bytes.extend(b"data");
        bytes.extend(size.to_le_bytes());
        bytes.extend(data);
        bytes
    }

    /// `seconds` of a tone of amplitude a half on every channel.
    fn tone(self, hertz: f64, seconds: f64) -> Vec<u8> {
        let samples = (f64::from(self.rate) * seconds) as u32;
        let mut data = Vec::new();
        for n in 0..samples {
            let value = 0.5 * (2.0 * PI * hertz * f64::from(n) / f64::from(self.rate)).sin();
            for _ in 0..self.channels {
                match (self.tag, self.bits) {
                    (1, 8) => data.push((value * 127.0 + 128.0) as u8),
                    (1, bits) => {
                        let scaled = (value * f64::from(1_u32 << (bits - 1))) as i32;
                        data.extend(&scaled.to_le_bytes()[..usize::from(bits / 8)]);
                    }
                    (3, 32) => data.extend((value as f32).to_le_bytes()),
                    (3, 64) => data.extend(value.to_le_bytes()),
                    other => panic!("{other:?}"),
                }
            }
        }
        self.file(&data, None)
    }
}

fn heard(bytes: Vec<u8>) -> Result<(Vec<f32>, FileIdentity), AudioError> {
    read(AudioFile::from_reader(Path::new("x.wav"), Box::new(Cursor::new(bytes)))?)
}

fn read(mut file: AudioFile) -> Result<(Vec<f32>, FileIdentity), AudioError> {
    let mut samples = Vec::new();
    loop {
        let before = samples.len();
        match file.read(&mut samples) {
            Ok(true) => assert!((1..=16_000).contains(&(samples.len() - before))),
            Ok(false) => break,
            Err(error) => {
                assert!(file.identity().is_none() && file.read(&mut samples).is_err(), "{error}");
                return Err(error);
            }
        }
    }
    let identity = file.identity().unwrap();
    assert_eq!(identity.length.0, samples.len() as u64);
    Ok((samples, identity))
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Frequency by zero crossings, and amplitude, of the middle of what was heard.
fn frequency_and_amplitude(samples: &[f32]) -> (f64, f64) {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let rises = (1..middle.len()).filter(|n| middle[*n - 1] < 0.0 && middle[*n] >= 0.0).collect::<Vec<_>>();
    let span = (rises[rises.len() - 1] - rises[0]) as f64 / 16_000.0;
    let power = middle.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / middle.len() as f64;
    ((rises.len() - 1) as f64 / span, (2.0 * power).sqrt())
}

fn assert_tone(samples: &[f32], hertz: f64, seconds: f64, tolerance: usize, what: &str) {
    let expected = (seconds * 16_000.0) as usize;
    assert!(samples.len().abs_diff(expected) <= tolerance, "{what}: {} samples, not {expected}", samples.len());
    let (found, amplitude) = frequency_and_amplitude(samples);
    assert!((found - hertz).abs() < hertz / 200.0, "{what}: {found} Hz");
    // The lossy encoders themselves are off by up to 6% on a pure tone.
    assert!((amplitude - 0.5).abs() < 0.04, "{what}: amplitude {amplitude}");
}

#[test]
fn wav_of_any_rate_and_channels() {
    for rate in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000, 12_345] {
        for channels in [1, 2, 6] {
            let (samples, _) = heard(Wav { rate, channels, ..PLAIN }.tone(440.0, 0.5)).unwrap();
            assert_tone(&samples, 440.0, 0.5, 2, &format!("{rate} Hz, {channels} channels"));
        }
    }
}

#[test]
fn wav_of_any_sample_format() {
    for (tag, bits) in [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64)] {
        let (samples, identity) = heard(Wav { tag, bits, ..PLAIN }.tone(440.0, 0.5)).unwrap();
        assert_tone(&samples, 440.0, 0.5, 0, &format!("tag {tag}, {bits} bits"));
        assert_eq!(identity.length.milliseconds(), 500);
    }
}

#[test]
fn channels_are_mixed_to_their_mean() {
    let frames = [[16_384_i16, -16_384, 8_192, 8_192]; 100];
    let data: Vec<u8> = frames.iter().flatten().flat_map(|sample| sample.to_le_bytes()).collect();
    let (samples, _) = heard(Wav { channels: 4, ..PLAIN }.file(&data, None)).unwrap();
    assert_eq!(samples, [0.125; 100]);
}

#[test]
fn samples_pass_unchanged_at_16_khz() {
    let data: Vec<u8> = (0..40_000_i32).flat_map(|n| (n.wrapping_mul(7) as i16).to_le_bytes()).collect();
    let (samples, identity) = heard(PLAIN.file(&data, None)).unwrap();
    assert!(samples.iter().zip(0_i32..).all(|(sample, n)| *sample == f32::from(n.wrapping_mul(7) as i16) / 32_768.0));
    assert_eq!(identity.length.milliseconds(), 2_500);
    assert_eq!(identity.sha256.len(), 64);
}

#[test]
fn a_size_that_a_recorder_could_not_state_means_until_the_end() {
    let data: Vec<u8> = (1..=5_001_i16).flat_map(i16::to_le_bytes).collect();
    for size in [0, u32::MAX] {
        let (samples, _) = heard(PLAIN.file(&data, Some(size))).unwrap();
        assert_eq!(samples.len(), 5_001, "size {size:x}");
        assert_eq!(samples[5_000], 5_001.0 / 32_768.0);
    }
}

#[test]
fn rf64_states_its_size_elsewhere() {
    let data: Vec<u8> = (1..=700_i16).flat_map(i16::to_le_bytes).collect();
    let plain = PLAIN.file(&data, Some(u32::MAX));
    let mut bytes = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
    bytes.extend([0; 8]);
    bytes.extend(1_400_u64.to_le_bytes());
    bytes.extend([0; 12]);
    bytes.extend(&plain[12..]);
    bytes.extend(b"LIST\x04\0\0\0INFO");
    let (samples, _) = heard(bytes).unwrap();
    assert_eq!(samples.len(), 700);
}

#[test]
fn chunks_around_the_data_are_no_sound() {
    let data: Vec<u8> = (1..=300_i16).flat_map(i16::to_le_bytes).collect();
    let mut bytes = PLAIN.file(&data, None);
    bytes.splice(36..36, *b"LIST\x05\0\0\0INFO\0\0");
    bytes.extend(b"bext\x04\0\0\0abcd");
    let riff = bytes.len() as u32 - 8;
    bytes[4..8].copy_from_slice(&riff.to_le_bytes());
    assert_eq!(heard(bytes).unwrap().0.len(), 300);
}

/// `scripts/tone-fixtures` makes these: 1.5 s of 440 Hz.
#[test]
fn compressed_formats_keep_tone_and_length() {
    // Exact where the container states the length; ADTS and WebM do not, and keep the encoder's padding.
    let aac_frames = 2 * 1024 / 3;
    for (name, tolerance) in [
        ("tone.flac", 0),
        ("tone.mp3", 0),
        ("tone.m4a", 0),
        ("tone.ogg", 0),
        ("tone.opus", 0),
        ("tone.webm", 320),
        ("tone-live.webm", 320),
        ("tone.aac", aac_frames),
    ] {
        let (samples, identity) = read(AudioFile::open(&fixture(name)).unwrap()).unwrap();
        assert_tone(&samples, 440.0, 1.5, tolerance, name);
        assert_eq!(identity.sha256.len(), 64);
        if tolerance == 0 {
            // No delay: the tone starts where it started.
            let (sum, count) = (0..4_000).fold((0.0, 0.0), |(sum, count), n| {
                let expected = 0.5 * (2.0 * PI * 440.0 * f64::from(n) / 16_000.0).sin();
                (sum + (f64::from(samples[n as usize]) - expected).abs(), count + 1.0)
            });
            assert!(sum / count < 0.06, "{name} is {} off at its start", sum / count);
        }
    }
}

#[test]
fn a_name_does_not_decide_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("visit.mp3");
    std::fs::copy(fixture("tone.flac"), &path).unwrap();
    assert_eq!(read(AudioFile::open(&path).unwrap()).unwrap().0.len(), 24_000);
}

#[test]
fn what_is_not_audio_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let empty = path("empty.wav", b"");
    let text = path("text.wav", b"Patient says the pain started on Monday.\n");
    let zeros = path("zeros.wav", &[0; 10_000]);
    let random: Vec<u8> = (0..10_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let random = path("random.mp3", &random);
    let open = |path: &Path| AudioFile::open(path).err().unwrap();
    assert!(matches!(open(&empty), AudioError::Empty { .. }));
    assert!(matches!(open(&text), AudioError::UnknownFormat { .. }));
    assert!(matches!(open(&zeros), AudioError::UnknownFormat { .. }));
    assert!(matches!(open(&random), AudioError::UnknownFormat { .. }));
    assert!(matches!(open(folder.path()), AudioError::NotAFile { .. }));
    assert!(matches!(open(&folder.path().join("none.wav")), AudioError::Open { .. }));
    for path in [empty, text, zeros, random] {
        assert!(open(&path).to_string().contains(path.to_str().unwrap()), "{}", open(&path));
    }
}

#[test]
fn headers_that_cannot_be_are_refused() {
    let data = [0; 64];
    let refused = |bytes| heard(bytes).unwrap_err();
    for rate in [0, 7_999, 192_001, u32::MAX] {
        assert!(matches!(refused(Wav { rate, ..PLAIN }.file(&data, None)), AudioError::SampleRate { rate: r, .. } if r == rate));
    }
    for channels in [0, 65, 4_000] {
        let bytes = Wav { channels, ..PLAIN }.file(&data, None);
        assert!(matches!(refused(bytes), AudioError::Channels { channels: c, .. } if c == u32::from(channels)));
    }
    assert!(matches!(refused(PLAIN.file(&[], None)), AudioError::NoSamples { .. }));
    assert!(matches!(refused(PLAIN.file(&[], Some(0))), AudioError::NoSamples { .. }));
    assert!(matches!(refused(PLAIN.file(&data, None)[..30].to_vec()), AudioError::Corrupt { .. } | AudioError::NoEnd { .. }));
    assert!(matches!(refused(PLAIN.file(&data, None)[..36].to_vec()), AudioError::NoEnd { .. }));
}

#[test]
fn a_wav_that_claims_more_than_it_holds_is_refused() {
    let error = heard(PLAIN.file(&[0; 100], Some(4_000_000_000))).unwrap_err();
    assert!(matches!(error, AudioError::EndsEarly { stated: 4_000_000_000, found: 100, .. }), "{error}");
    let whole = PLAIN.tone(440.0, 1.0);
    for cut in [45, 1_000, whole.len() - 1] {
        assert!(matches!(heard(whole[..cut].to_vec()), Err(AudioError::EndsEarly { .. })), "cut at {cut}");
    }
}

#[test]
fn samples_that_are_no_numbers_are_refused_with_their_place() {
    let wav = Wav { tag: 3, bits: 32, channels: 2, rate: 48_000 };
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30] {
        let mut samples = vec![0.25_f32; 2 * 96_000];
        samples[2 * 60_000 + 1] = bad;
        let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let error = heard(wav.file(&data, None)).unwrap_err();
        assert!(
            matches!(error, AudioError::NotFinite { sample: 60_000, channel: 1, seconds, .. } if seconds == 1.25),
            "{bad}: {error}"
        );
    }
}

/// Cut anywhere, no format passes for a shorter recording, save those that state neither length nor end, cut between two packets.
#[test]
fn every_cut_is_noticed() {
    for name in ["tone.flac", "tone.mp3", "tone.m4a", "tone.ogg", "tone.opus", "tone.webm", "tone.aac"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        assert!(heard(whole.clone()).is_ok());
        for cut in (0..whole.len()).step_by(whole.len() / 97).chain([whole.len() - 1]) {
            // ADTS has no length and no end: between two of its frames nothing shows that more was there.
            let result = heard(whole[..cut].to_vec());
            let unseen = name == "tone.aac" && adts_frame_starts(&whole).contains(&cut);
            assert!(result.is_err() || unseen, "{name} cut at {cut} of {}", whole.len());
        }
    }
}

#[test]
fn a_live_recording_cut_within_a_packet_is_noticed() {
    let whole = std::fs::read(fixture("tone-live.webm")).unwrap();
    assert!(matches!(heard(whole[..whole.len() - 1].to_vec()), Err(AudioError::EndsEarly { .. })));
}

fn adts_frame_starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    while let Some([_, _, _, a, b, c]) = bytes.get(starts[starts.len() - 1]..).and_then(|rest| rest.first_chunk::<6>()) {
        let length = (usize::from(a & 3) << 11) | (usize::from(*b) << 3) | usize::from(c >> 5);
        starts.push(starts[starts.len() - 1] + length);
    }
    starts
}

/// A byte changed in the middle: noticed where the format has a checksum, and a place named.
#[test]
fn damage_in_the_middle_is_noticed_and_placed() {
    for name in ["tone.flac", "tone.ogg", "tone.opus"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for tenth in 3..10 {
            let mut bytes = whole.clone();
            let place = whole.len() * tenth / 10;
            bytes[place] ^= 0x55;
            match heard(bytes) {
                Err(AudioError::Corrupt { at: Place::Byte(byte), .. }) => assert!(byte <= place as u64, "{name}"),
                Err(AudioError::Corrupt { at: Place::Second(second), .. }) => assert!(second <= 1.5, "{name}"),
                other => assert!(other.is_err(), "{name} changed at {place}"),
            }
        }
    }
    for name in ["tone.mp3", "tone.aac"] {
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        let middle = bytes.len() / 2;
        bytes.splice(middle..middle + 50, []);
        assert!(matches!(heard(bytes), Err(AudioError::Corrupt { at: Place::Byte(_), .. })), "{name}");
    }
}

#[test]
fn errors_say_what_and_where() {
    let says = |bytes| heard(bytes).unwrap_err().to_string();
    assert_eq!(says(PLAIN.file(&[0; 100], Some(200))), "`x.wav` ends early: it states 200 bytes of samples and holds 100");
    assert_eq!(
        says(Wav { rate: 0, ..PLAIN }.file(&[0; 100], None)),
        "`x.wav` has a sample rate of 0 Hz, not one from 8000 to 192000 Hz"
    );
    assert_eq!(says(Wav { channels: 0, ..PLAIN }.file(&[0; 100], None)), "`x.wav` has 0 channels, not 1 to 64");
}

#[test]
fn one_channel_is_heard_without_the_others_and_there_must_be_as_many_as_speakers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.wav");
    // A constant on the left, its opposite on the right: their mean is silence.
    let data: Vec<u8> = (0..16_000).flat_map(|_| [8192_i16, -8192].map(i16::to_le_bytes).concat()).collect();
    std::fs::write(&path, Wav { channels: 2, ..PLAIN }.file(&data, None)).unwrap();
    let hear = |index, of| read(AudioFile::open_channel(&path, Channel { index, of })?);
    let (mixed, identity) = read(AudioFile::open(&path).unwrap()).unwrap();
    assert!(mixed.iter().all(|sample| *sample == 0.0));
    for (index, value) in [(0, 0.25), (1, -0.25)] {
        let (samples, same) = hear(index, 2).unwrap();
        assert!(samples.iter().all(|sample| *sample == value));
        assert_eq!(same, identity);
    }
    let error = hear(0, 3).unwrap_err().to_string();
    assert!(error.contains("2 channel(s)") && error.contains("3 speaker(s)"), "{error}");
}
