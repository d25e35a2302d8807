//! Any bytes: heard to the end or refused with an error, never a panic, never more than a bounded memory.
//!
//! A panic inside the decoder's crates is caught by `audio` and becomes an error, so it does not end the run: its place is printed, to
//! be reported upstream. A panic of our own code is not caught and does.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use cantoscribe::audio::AudioFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: std::panic::set_hook(Box::new(|panic| {
    if let Some(place) = panic.location() {
        eprintln!("panicked at {place}");
    }
})), |bytes: &[u8]| {
    let Ok(mut file) = AudioFile::from_reader(Path::new("fuzz"), Box::new(Cursor::new(bytes.to_vec()))) else { return };
    let mut heard = 0;
    let mut samples = Vec::new();
    loop {
        samples.clear();
        match file.read(&mut samples) {
            Ok(true) => heard += samples.len() as u64,
            Ok(false) => break,
            Err(_) => return assert!(file.identity().is_none()),
        }
        assert!(samples.len() <= 16_000 && samples.iter().all(|sample| sample.is_finite()));
    }
    assert_eq!(file.identity().map(|identity| identity.length.0), Some(heard));
});
