#![no_main]
use libfuzzer_sys::fuzz_target;
fuzz_target!(|data: &[u8]| { let _ = data.len() as u32 == cantoscribe::audio::SAMPLE_RATE; });
