//! Sound as a WAV file that every browser plays.

/// Bytes before the first sample.
pub const WAV_HEADER_BYTES: usize = 44;

/// The header of a WAV file of so many mono 16-bit samples. Longer than its 32-bit sizes can say, it says the most.
#[must_use]
pub fn wav_header(rate: u32, samples: u64) -> [u8; WAV_HEADER_BYTES] {
    let rest_of_header = (WAV_HEADER_BYTES - 8) as u32;
    let most = (u32::MAX - rest_of_header) & !1;
    let bytes = u32::try_from(samples.saturating_mul(2)).unwrap_or(most).min(most);
    let mut header = [0; WAV_HEADER_BYTES];
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &(bytes + rest_of_header).to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &rate.to_le_bytes(),
        &rate.saturating_mul(2).to_le_bytes(),
        &2_u16.to_le_bytes(),
        &16_u16.to_le_bytes(),
        b"data",
        &bytes.to_le_bytes(),
    ];
    for (place, byte) in header.iter_mut().zip(fields.into_iter().flatten()) {
        *place = *byte;
    }
    header
}

/// A WAV file of mono samples.
#[must_use]
pub fn to_wav(rate: u32, samples: &[i16]) -> Vec<u8> {
    let mut file = wav_header(rate, samples.len() as u64).to_vec();
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}
