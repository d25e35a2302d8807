//! Long audio, cut where it is quiet.

use std::ops::Range;

use crate::audio::SAMPLE_RATE;

/// Samples of a piece, 20 minutes; a cut is looked for so far to either side of its end.
pub const PIECE: usize = 1200 * SAMPLE_RATE as usize;
const AROUND: usize = 5 * SAMPLE_RATE as usize;
/// Samples that must be quiet together, 0.1 s.
const WINDOW: usize = SAMPLE_RATE as usize / 10;

/// Where to cut so many samples of audio, each piece about `piece` long: at the quietest sample of the quietest window
/// (`qwen_asr/inference/utils.py`, `split_audio_into_chunks`). The pieces tile the audio.
#[must_use]
pub fn pieces(samples: &[f32], piece: usize) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while samples.len() - start > piece {
        let cut = start + piece;
        let left = cut.saturating_sub(AROUND).max(start);
        let right = (cut + AROUND).min(samples.len());
        let quietest = samples.get(left..right).and_then(quietest).map_or(cut, |place| left + place);
        let end = quietest.max(start + 1).min(samples.len());
        pieces.push(start..end);
        start = end;
    }
    pieces.push(start..samples.len());
    pieces
}

/// The first of equals.
fn quietest(samples: &[f32]) -> Option<usize> {
    let loudness = |samples: &[f32]| samples.iter().map(|sample| f64::from(sample.abs())).sum::<f64>();
    let mut sum = loudness(samples.get(..WINDOW)?);
    let mut best = (sum, 0);
    for (place, pair) in samples.iter().zip(samples.iter().skip(WINDOW)).enumerate() {
        sum += f64::from(pair.1.abs()) - f64::from(pair.0.abs());
        if sum < best.0 {
            best = (sum, place + 1);
        }
    }
    let window = samples.get(best.1..best.1 + WINDOW)?.iter().map(|sample| sample.abs()).enumerate();
    let inner = window.reduce(|best, next| if next.1 < best.1 { next } else { best })?;
    Some(best.1 + inner.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_tile_the_audio_and_end_where_it_is_quiet() {
        let mut samples = vec![0.5; 40 * 16_000];
        for quiet in [14 * 16_000, 31 * 16_000] {
            samples[quiet..quiet + 2 * WINDOW].fill(0.01);
            samples[quiet + WINDOW] = 0.001;
        }
        let found = pieces(&samples, 15 * 16_000);
        let middle = 14 * 16_000 + WINDOW;
        assert_eq!(found.len(), 3);
        assert_eq!((found[0].clone(), found[1].start), (0..middle, middle));
        assert!((31 * 16_000..31 * 16_000 + 2 * WINDOW).contains(&found[1].end), "{found:?}");
        assert_eq!((found[2].start, found[2].end), (found[1].end, samples.len()));
        for whole in [samples.as_slice(), &[]] {
            assert_eq!(pieces(whole, samples.len()), std::iter::once(0..whole.len()).collect::<Vec<_>>());
        }
    }
}
