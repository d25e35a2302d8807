//! Whatever a client sends over `WS /v1/listen`: an address, text frames and binary frames. The first byte of the input says how
//! the rest is divided. Refused or taken, nothing may panic; what is counted must be what is decoded.
#![no_main]

use cantoscribe::audio::{Mixing, StreamDecoder};
use cantoscribe::server::protocol::{Opening, count, parse};
use libfuzzer_sys::fuzz_target;

const ADDRESSES: [&str; 6] = [
    "rate=16000&channels=1&format=pcm_s16le",
    "rate=8000&channels=3&format=pcm_s16le",
    "rate=48000&channels=2&format=pcm_f32le",
    "rate=16000&channels=8&format=pcm_f32le",
    "rate=48000&channels=1&format=opus",
    "rate=48000&channels=2&format=opus",
];

fn pairs(address: &str) -> Vec<(String, String)> {
    address.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect()
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    if let Ok(text) = std::str::from_utf8(rest) {
        let _ = parse(text);
        let _ = Opening::parse(&pairs(text));
    }
    let address = ADDRESSES[usize::from(*choice) % ADDRESSES.len()];
    let Ok(Opening::Begin { format, .. }) = Opening::parse(&pairs(address)) else { panic!("a good address was refused") };
    let mixing = if choice & 0x80 == 0 { Mixing::Mono } else { Mixing::Separate };
    let mut decoder = StreamDecoder::new(format, mixing).expect("a checked format has a decoder");
    let (mut counted, mut heard) = (0_u64, 0_u64);
    // Frames of uneven lengths, the length in the first byte of each.
    let mut rest = rest;
    while let Some((length, more)) = rest.split_first() {
        let (frame, left) = more.split_at(usize::from(*length).min(more.len()));
        rest = left;
        let Ok(samples) = count(frame, &format) else { continue };
        let Ok(channels) = decoder.push(frame) else { continue };
        counted += samples;
        heard += channels.first().map_or(0, Vec::len) as u64;
        assert!(channels.iter().all(|channel| channel.len() == channels[0].len() && channel.iter().all(|sample| sample.is_finite())));
    }
    let last = decoder.finish().expect("a decoder ends");
    heard += last.first().map_or(0, Vec::len) as u64;
    let rate = u64::from(format.rate());
    assert!(heard.abs_diff((counted * 16_000 + rate / 2) / rate) <= 1, "{counted} samples at {rate} Hz became {heard}");
});
