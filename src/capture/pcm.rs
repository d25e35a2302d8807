//! Any sample format of a device to 16 bits, the format that is streamed and kept.

use cpal::{Data, I24, Sample as _, SampleFormat, U24};

use super::ring::Writer;

/// A sample of any format as 16-bit PCM.
pub(super) trait ToPcm: Copy {
    fn to_pcm(self) -> i16;
}

macro_rules! integers {
    ($($format:ty),*) => {
        $(impl ToPcm for $format {
            fn to_pcm(self) -> i16 {
                i16::from_sample(self)
            }
        })*
    };
}

integers!(i8, i16, I24, i32, i64, u8, u16, U24, u32, u64);

impl ToPcm for f32 {
    /// Rounded, and held within the range. What is no number is silence.
    fn to_pcm(self) -> i16 {
        // A cast saturates, and makes zero of what is no number.
        (self * 32_768.0).round() as i16
    }
}

impl ToPcm for f64 {
    fn to_pcm(self) -> i16 {
        (self * 32_768.0).round() as i16
    }
}

/// Whether [`write`] understands the format.
pub(super) fn is_known(format: SampleFormat) -> bool {
    !format.is_dsd()
}

/// Puts a buffer of the device into the ring; returns how many samples a channel it held.
pub(super) fn write(data: &Data, ring: &mut Writer) -> u64 {
    macro_rules! by_format {
        ($($name:ident => $format:ty),*) => {
            match data.sample_format() {
                $(SampleFormat::$name => data.as_slice::<$format>().map(|samples| put(samples, ring)),)*
                _ => None,
            }
        };
    }
    by_format!(
        F32 => f32, I16 => i16, I32 => i32, I24 => I24, F64 => f64, I8 => i8, I64 => i64, U8 => u8, U16 => u16, U24 => U24, U32 => u32,
        U64 => u64
    )
    .unwrap_or_default()
}

fn put<T: ToPcm>(samples: &[T], ring: &mut Writer) -> u64 {
    ring.write(samples.iter().map(|sample| sample.to_pcm()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::ring::ring;

    #[test]
    fn floats_are_rounded_and_held_within_range() {
        let heard = [0.0f32, 0.5, -0.5, 1.0, -1.0, 7.0, -7.0, f32::NAN, f32::INFINITY, 0.6 / 32_768.0, -0.6 / 32_768.0];
        let expected = [0, 16_384, -16_384, 32_767, -32_768, 32_767, -32_768, 0, 32_767, 1, -1];
        assert_eq!(heard.map(ToPcm::to_pcm), expected);
        assert_eq!(heard.map(|sample| f64::from(sample).to_pcm()), expected);
    }

    #[test]
    fn every_16_bit_sample_survives_floats_and_wider_integers() {
        for sample in i16::MIN..=i16::MAX {
            assert_eq!((f32::from(sample) / 32_768.0).to_pcm(), sample);
            assert_eq!((f64::from(sample) / 32_768.0).to_pcm(), sample);
            assert_eq!((i32::from(sample) << 16).to_pcm(), sample);
            assert_eq!((i64::from(sample) << 48).to_pcm(), sample);
            assert_eq!(I24::new(i32::from(sample) << 8).unwrap().to_pcm(), sample);
            assert_eq!(((i32::from(sample) + 32_768) as u16).to_pcm(), sample);
        }
    }

    #[test]
    fn unsigned_formats_have_their_zero_in_the_middle() {
        assert_eq!([0u8.to_pcm(), 128u8.to_pcm(), 255u8.to_pcm()], [-32_768, 0, 32_512]);
        assert_eq!([0u16.to_pcm(), 32_768u16.to_pcm(), u16::MAX.to_pcm()], [-32_768, 0, 32_767]);
        assert_eq!([0u32.to_pcm(), (1u32 << 31).to_pcm(), u32::MAX.to_pcm()], [-32_768, 0, 32_767]);
        assert_eq!(((1u64 << 63).to_pcm(), U24::new(1 << 23).unwrap().to_pcm()), (0, 0));
    }

    #[test]
    fn a_buffer_of_any_format_reaches_the_ring() {
        let (mut writer, mut reader) = ring(8, 2);
        assert_eq!(put(&[0.5f32, -0.5, 0.25, -0.25], &mut writer), 2);
        assert_eq!(put(&[128u8, 255], &mut writer), 1);
        let mut heard = Vec::new();
        reader.read(&mut heard);
        assert_eq!(heard, [16_384, -16_384, 8_192, -8_192, 0, 32_512]);
    }
}
