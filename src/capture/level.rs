//! How loud it is.

/// Peak and mean of a stretch of sound, in dB below full scale. Digital silence is minus infinity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The largest sample.
    pub peak: f64,
    /// The root of the mean square.
    pub rms: f64,
}

/// Measures the sound that is pushed until it is asked.
#[derive(Debug, Default)]
pub struct Meter {
    largest: u16,
    squares: f64,
    samples: u64,
}

impl Meter {
    /// Adds sound, of all channels.
    pub fn push(&mut self, samples: &[i16]) {
        for sample in samples {
            self.largest = self.largest.max(sample.unsigned_abs());
            self.squares += f64::from(*sample) * f64::from(*sample);
        }
        self.samples += samples.len() as u64;
    }

    /// The level since the last call; of nothing there is none.
    pub fn take(&mut self) -> Option<Level> {
        let Self { largest, squares, samples } = std::mem::take(self);
        let decibel = |amplitude: f64| 20.0 * (amplitude / 32_768.0).log10();
        (samples > 0).then(|| Level { peak: decibel(f64::from(largest)), rms: decibel((squares / samples as f64).sqrt()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(samples: &[i16]) -> Option<Level> {
        let mut meter = Meter::default();
        meter.push(samples);
        meter.take()
    }

    #[test]
    fn levels_are_in_decibel_below_full_scale() {
        assert_eq!(level(&[i16::MIN; 4]), Some(Level { peak: 0.0, rms: 0.0 }));
        assert_eq!(level(&[0; 4]), Some(Level { peak: f64::NEG_INFINITY, rms: f64::NEG_INFINITY }));
        let sine: Vec<i16> = (0..48_000).map(|n| (16_384.0 * (f64::from(n) * 0.05).sin()).round() as i16).collect();
        let Level { peak, rms } = level(&sine).unwrap();
        assert!((peak + 6.02).abs() < 0.01, "{peak}");
        assert!((rms + 9.03).abs() < 0.01, "{rms}");
    }

    #[test]
    fn a_meter_starts_anew_when_it_was_asked() {
        let mut meter = Meter::default();
        assert_eq!(meter.take(), None);
        meter.push(&[32_767]);
        assert!(meter.take().is_some());
        assert_eq!(meter.take(), None);
    }
}
