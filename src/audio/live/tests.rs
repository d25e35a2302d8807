use std::io::Cursor;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::audio::AudioFile;

fn format(encoding: StreamEncoding, rate: u32, channels: u16) -> StreamFormat {
    StreamFormat::new(encoding, rate, channels).unwrap()
}

/// All outputs of a take, and that they are of one length.
fn take(decoder: &mut StreamDecoder, frames: &[&[u8]]) -> Vec<Vec<f32>> {
    let mut outputs: Vec<Vec<f32>> = Vec::new();
    let pieces: Vec<_> = frames.iter().map(|frame| decoder.push(frame).unwrap()).collect();
    for piece in pieces.into_iter().chain([decoder.finish().unwrap()]) {
        assert!(piece.windows(2).all(|pair| pair[0].len() == pair[1].len()));
        outputs.resize(piece.len(), Vec::new());
        outputs.iter_mut().zip(piece).for_each(|(output, piece)| output.extend(piece));
    }
    outputs
}

fn bits(outputs: &[Vec<f32>]) -> Vec<Vec<u32>> {
    outputs.iter().map(|output| output.iter().map(|sample| sample.to_bits()).collect()).collect()
}

fn is_refused<T>(result: &Result<T, AudioError>) -> bool {
    matches!(result, Err(AudioError::Frame { .. }))
}

/// The packets of an Ogg file with one stream, its two headers left out.
fn packets(ogg: &[u8]) -> Vec<Vec<u8>> {
    let (mut packets, mut packet, mut rest) = (Vec::new(), Vec::new(), ogg);
    while rest.len() > 27 {
        let segments = usize::from(rest[26]);
        let (sizes, mut data) = rest[27..].split_at(segments);
        for size in sizes {
            let (piece, after) = data.split_at(usize::from(*size));
            packet.extend_from_slice(piece);
            data = after;
            if *size < 255 {
                packets.push(std::mem::take(&mut packet));
            }
        }
        rest = data;
    }
    packets.split_off(2)
}

fn tone() -> Vec<Vec<u8>> {
    packets(include_bytes!("../../../tests/fixtures/tone.opus"))
}

/// Bytes that begin as a packet of any kind does.
fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let sizes = prop_oneof![0_usize..6, 0_usize..80, 1200_usize..1400];
    (any::<u8>(), any::<u8>(), sizes).prop_flat_map(|(toc, second, size)| {
        prop::collection::vec(any::<u8>(), size).prop_map(move |rest| [vec![toc, second], rest].concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn frame_borders_leave_no_trace(
        rate in prop::sample::select(vec![8_000, 16_000, 44_100, 48_000, 192_000]),
        channels in 1_u16..=8,
        float in any::<bool>(),
        values in prop::collection::vec(any::<i16>(), 0..20_000),
        cuts in prop::collection::vec(0_usize..900, 1..5),
        separate in any::<bool>(),
    ) {
        let encoding = if float { StreamEncoding::PcmF32le } else { StreamEncoding::PcmS16le };
        let format = format(encoding, rate, channels);
        let whole = values.len() / usize::from(channels);
        let bytes: Vec<u8> = values[..whole * usize::from(channels)]
            .iter()
            .flat_map(|value| if float { (f32::from(*value) / 1000.0).to_le_bytes().to_vec() } else { value.to_le_bytes().to_vec() })
            .collect();
        let block = bytes.len().checked_div(whole).unwrap_or(1);
        let (mut frames, mut rest) = (Vec::new(), bytes.as_slice());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() || frames.len() > 500 {
                break;
            }
            let (frame, after) = rest.split_at((cut * block).min(rest.len()));
            frames.push(frame);
            rest = after;
        }
        frames.push(rest);
        let mixing = if separate { Mixing::Separate } else { Mixing::Mono };
        let mut decoder = StreamDecoder::new(format, mixing).unwrap();
        let once = take(&mut decoder, &[&bytes]);
        // The same decoder again: after a take it has started anew.
        let cut = take(&mut decoder, &frames);
        prop_assert_eq!(bits(&once), bits(&cut));
        prop_assert_eq!(once.len(), if separate { usize::from(channels) } else { 1 });
        prop_assert_eq!(once[0].len() as f64, (whole as f64 * 16_000.0 / f64::from(rate)).round());
        let counted: u64 = frames.iter().map(|frame| format.samples(frame).unwrap()).sum();
        prop_assert_eq!(counted, whole as u64);
    }

    #[test]
    fn bytes_that_are_not_whole_samples_are_refused(channels in 1_u16..=8, blocks in 0_usize..50, more in 1_usize..32) {
        for (encoding, bytes) in [(StreamEncoding::PcmS16le, 2), (StreamEncoding::PcmF32le, 4)] {
            let block = bytes * usize::from(channels);
            let format = format(encoding, 16_000, channels);
            prop_assert_eq!(format.samples(&vec![0; blocks * block]).unwrap(), blocks as u64);
            if more % block != 0 {
                let frame = vec![0; blocks * block + more];
                prop_assert!(is_refused(&format.samples(&frame)));
                prop_assert!(StreamDecoder::new(format, Mixing::Mono).unwrap().push(&frame).is_err());
            }
        }
    }

    #[test]
    fn floats_that_are_no_sound_are_refused_and_leave_no_trace(
        bad in prop::sample::select(vec![f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 65_537.0, -1e30, f32::MAX]),
        place in 0_usize..400,
    ) {
        let format = format(StreamEncoding::PcmF32le, 44_100, 2);
        let bytes = |samples: &[f32]| samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<u8>>();
        let mut samples = vec![0.25; 400];
        let good = bytes(&samples);
        samples[place] = bad;
        let mut decoder = StreamDecoder::new(format, Mixing::Separate).unwrap();
        let alone = take(&mut decoder, &[&good, &good]);
        let before = decoder.push(&good).unwrap();
        prop_assert!(is_refused(&decoder.push(&bytes(&samples))));
        let after = take(&mut decoder, &[&good]);
        let both: Vec<Vec<f32>> = before.into_iter().zip(after).map(|(a, b)| [a, b].concat()).collect();
        prop_assert_eq!(bits(&alone), bits(&both));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_packet_that_is_accepted_is_decoded_whole_and_to_numbers(
        packets in prop::collection::vec(any_packet(), 1..6),
        channels in 1_u16..=2,
    ) {
        let format = format(StreamEncoding::Opus, OPUS_RATE, channels);
        let mut decoder = StreamDecoder::new(format, Mixing::Separate).unwrap();
        let mut playback = Playback::new(format).unwrap();
        let (mut total, mut played) = (0, Vec::new());
        for packet in &packets {
            match format.samples(packet) {
                Ok(samples) => {
                    prop_assert!((120..=5_760).contains(&samples) && samples % 120 == 0);
                    total += samples;
                    let outputs = decoder.push(packet).unwrap();
                    prop_assert_eq!(outputs.len(), usize::from(channels));
                    prop_assert!(outputs.iter().flatten().all(|sample| sample.is_finite()));
                    playback.push(packet, &mut played).unwrap();
                }
                refused => {
                    prop_assert!(is_refused(&refused));
                    prop_assert!(decoder.push(packet).is_err() && playback.push(packet, &mut played).is_err());
                }
            }
        }
        prop_assert_eq!(played.len() as u64, total);
        prop_assert!(decoder.finish().unwrap().iter().all(|rest| rest.iter().all(|sample| sample.is_finite())));
    }
}

#[test]
fn packets_are_counted_by_their_first_byte() {
    let format = format(StreamEncoding::Opus, OPUS_RATE, 1);
    let samples = |packet: &[u8]| format.samples(packet).ok();
    assert_eq!(samples(&[]), Some(0));
    // 2.5 ms of CELT, 10 and 60 ms of SILK, 20 ms of both; then two frames of one size, and of two.
    for (packet, expected) in [
        (&[16 << 3][..], 120),
        (&[0 << 3, 1, 2], 480),
        (&[3 << 3, 1], 2_880),
        (&[13 << 3, 1], 960),
        (&[3 << 3 | 1, 1, 2], 5_760),
        (&[3 << 3 | 2, 1, 1, 2, 3], 5_760),
        (&[16 << 3 | 3, 48], 5_760),
        (&[16 << 3 | 3, 0x80 | 3, 0, 1, 9, 9, 9], 360),
        (&[16 << 3 | 3, 0x40 | 2, 3, 7, 7, 0, 0, 0], 240),
    ] {
        assert_eq!(samples(packet), Some(expected), "{packet:?}");
        assert!(StreamDecoder::new(format, Mixing::Mono).unwrap().push(packet).is_ok(), "{packet:?}");
    }
    // Odd halves, a size beyond the end, no frames, too many, too long, padding beyond the end.
    for packet in [
        &[1, 1][..],
        &[2, 9, 1],
        &[2],
        &[2, 252],
        &[3],
        &[3, 0],
        &[16 << 3 | 3, 49],
        &[3 << 3 | 3, 3, 0, 0, 0],
        &[3, 0x41],
        &[3, 0x41, 255],
        &[3, 0x41, 5, 1],
        &[3, 0x82, 252],
        &[3, 0x82, 9, 1],
        &[0; 1_277],
    ] {
        assert_eq!(samples(packet), None, "{packet:?}");
    }
}

#[test]
fn a_stream_reads_as_the_file_of_the_same_samples() {
    let values: Vec<i16> = (0..60_000_i32).map(|n| (n.wrapping_mul(7_919) >> 3) as i16).collect();
    for (rate, channels) in [(16_000, 1), (44_100, 2), (48_000, 6)] {
        let frame: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let mut wav = to_wav(rate, &values);
        wav[22] = channels;
        wav[28..32].copy_from_slice(&(rate * 2 * u32::from(channels)).to_le_bytes());
        wav[32] = 2 * channels;
        let mut file = AudioFile::from_reader(Path::new("x.wav"), Box::new(Cursor::new(wav))).unwrap();
        let mut expected = Vec::new();
        while file.read(&mut expected).unwrap() {}
        let format = format(StreamEncoding::PcmS16le, rate, u16::from(channels));
        let frames: Vec<&[u8]> = frame.chunks(480 * usize::from(channels)).collect();
        assert_eq!(take(&mut StreamDecoder::new(format, Mixing::Mono).unwrap(), &frames), [expected]);
    }
}

#[test]
fn opus_packets_give_the_tone_that_went_in() {
    let tone = tone();
    let frames: Vec<&[u8]> = tone.iter().map(Vec::as_slice).collect();
    let format = format(StreamEncoding::Opus, OPUS_RATE, 1);
    let total: u64 = frames.iter().map(|frame| format.samples(frame).unwrap()).sum();
    assert!(total >= 72_000 && total == frames.len() as u64 * 960);
    let mut decoder = StreamDecoder::new(format, Mixing::Mono).unwrap();
    let outputs = take(&mut decoder, &frames);
    assert_eq!(outputs[0].len() as u64, total / 3);
    let power = outputs[0][4_000..20_000].iter().map(|sample| sample * sample).sum::<f32>() / 16_000.0;
    assert!((power - 0.125).abs() < 0.01, "{power}");
    // Empty frames are none, and a second take reads as the first: nothing of the first is remembered.
    let with_empty: Vec<&[u8]> = frames.iter().flat_map(|frame| [&[][..], frame]).collect();
    assert_eq!(take(&mut decoder, &with_empty), outputs);
    // From the middle, after half a second it sounds as from the start.
    let (mut whole, mut part) = (Vec::new(), Vec::new());
    let mut playback = Playback::new(format).unwrap();
    frames.iter().for_each(|frame| playback.push(frame, &mut whole).unwrap());
    let mut playback = Playback::new(format).unwrap();
    frames[36..].iter().for_each(|frame| playback.push(frame, &mut part).unwrap());
    assert_eq!(whole.len() as u64, total);
    let worst = whole[61 * 960..].iter().zip(&part[25 * 960..]).map(|(a, b)| (i32::from(*a) - i32::from(*b)).abs()).max();
    assert!(worst < Some(1_000), "{worst:?}");
}

#[test]
fn what_is_played_is_what_came() {
    let values: Vec<i16> = (-600..600).map(|n| n * 27).chain([i16::MIN, i16::MAX]).collect();
    let frame: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut played = Vec::new();
    Playback::new(format(StreamEncoding::PcmS16le, 22_050, 1)).unwrap().push(&frame, &mut played).unwrap();
    assert_eq!(played, values);
    let floats: Vec<u8> = [-70.0_f32, -1.0, 0.5, 70.0].iter().flat_map(|sample| sample.to_le_bytes()).collect();
    played.clear();
    Playback::new(format(StreamEncoding::PcmF32le, 22_050, 2)).unwrap().push(&floats, &mut played).unwrap();
    assert_eq!(played, [i16::MIN, i16::MAX]);
}

#[test]
fn a_wav_states_its_size_as_far_as_it_can() {
    let file = to_wav(16_000, &[1, -1]);
    assert_eq!(file.len(), WAV_HEADER_BYTES + 4);
    assert_eq!((&file[..8], &file[40..]), (&b"RIFF\x28\0\0\0"[..], &b"\x04\0\0\0\x01\0\xff\xff"[..]));
    for samples in [u64::from(u32::MAX), u64::MAX] {
        let header = wav_header(192_000, samples);
        let size = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
        assert_eq!((size(4), size(40)), (u32::MAX - 1, u32::MAX - 37));
    }
}

#[test]
fn formats_that_cannot_be_heard_are_refused() {
    use StreamEncoding::{Opus, PcmF32le, PcmS16le};
    for (encoding, rate, channels, option) in [
        (PcmS16le, 7_999, 1, "rate"),
        (PcmS16le, 192_001, 1, "rate"),
        (PcmF32le, 0, 1, "rate"),
        (PcmF32le, 16_000, 0, "channels"),
        (PcmS16le, 16_000, 9, "channels"),
        (Opus, 16_000, 1, "rate"),
        (Opus, 48_000, 3, "channels"),
        (Opus, 48_000, 0, "channels"),
    ] {
        let error = StreamFormat::new(encoding, rate, channels).unwrap_err();
        assert!(matches!(error, AudioError::StreamFormat { option: found, .. } if found == option), "{error}");
    }
    for encoding in StreamEncoding::ALL {
        assert_eq!(encoding.to_string().parse::<StreamEncoding>().unwrap(), encoding);
    }
    let error = "mp3".parse::<StreamEncoding>().unwrap_err().to_string();
    assert_eq!(error, "`format` cannot be that: expected pcm_s16le, pcm_f32le or opus");
    let error = StreamFormat::new(Opus, 16_000, 1).unwrap_err().to_string();
    assert_eq!(error, "`rate` cannot be 16000: expected 48000 for opus");
}
