//! Samples to the rows that the encoder takes: filter bank, low frame rate, and normalisation by the checkpoint's statistics.

use std::path::Path;

use super::config::FrontEndConfig;
use crate::audio::{Features, FilterBank};
use crate::speech::SpeechError;
use crate::speech::model::weights::read_file;

/// A planned front end. There is no dither: the same samples give the same rows.
pub struct FrontEnd {
    bank: FilterBank,
    /// Frames of a row, and frames from one row's beginning to the next one's.
    stack: (usize, usize),
    /// Added to each value of a row.
    shift: Vec<f32>,
    /// Then multiplied.
    scale: Vec<f32>,
}

impl FrontEnd {
    /// Plans, and reads Kaldi's statistics from the file `statistics`.
    ///
    /// # Errors
    /// A file of statistics that is missing, malformed or of another width.
    pub fn load(config: &FrontEndConfig, statistics: &Path) -> Result<Self, SpeechError> {
        let wrong = |problem: String| SpeechError::Format { path: statistics.to_owned(), problem };
        let text = String::from_utf8(read_file(statistics)?).map_err(|_| wrong("it is not text".to_owned()))?;
        let component = |name: &str| {
            let values = component(&text, name).ok_or_else(|| wrong(format!("it has no numbers in brackets after `{name}`")))?;
            let (found, expected) = (values.len(), config.width());
            let problem = || wrong(format!("`{name}` has {found} values, where `n_mels` x `lfr_m` = {expected}"));
            if found == expected { Ok(values) } else { Err(problem()) }
        };
        Ok(Self {
            bank: FilterBank::new(config.n_mels, config.window_samples(), config.hop_samples()),
            stack: (config.lfr_m, config.lfr_n),
            shift: component("<AddShift>")?,
            scale: component("<Rescale>")?,
        })
    }

    /// Rows of samples at 16 kHz: none for less than one frame.
    #[must_use]
    pub fn compute(&self, samples: &[f32]) -> Features {
        let mut features = self.bank.compute(samples).stacked(self.stack.0, self.stack.1);
        for row in features.data.chunks_exact_mut(self.shift.len().max(1)) {
            for (value, (shift, scale)) in row.iter_mut().zip(self.shift.iter().zip(&self.scale)) {
                *value = (*value + shift) * scale;
            }
        }
        features
    }
}

/// The finite numbers in the first brackets after the name of a component, in Kaldi's text format.
fn component(text: &str, name: &str) -> Option<Vec<f32>> {
    let (_, after) = text.split_once(name)?;
    let (_, after) = after.split_once('[')?;
    let (values, _) = after.split_once(']')?;
    let number = |value: &str| value.parse().ok().filter(|value: &f32| value.is_finite());
    values.split_whitespace().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_found_by_name() {
        let text =
            "<Nnet> \n<Splice> 2 2 \n[ 0 ]\n<AddShift> 2 2 \n<LearnRateCoef> 0 [ -8.5 -9e-1 ]\n<Rescale> 2 2 \n[0.1 2]\n</Nnet>";
        assert_eq!(component(text, "<AddShift>"), Some(vec![-8.5, -0.9]));
        assert_eq!(component(text, "<Rescale>"), Some(vec![0.1, 2.0]));
        for broken in ["", "<Rescale> 2 2 [ 1 2", "<Rescale> [ 1 nan ]", "<Rescale> [ 1 x ]"] {
            assert_eq!(component(broken, "<Rescale>"), None, "{broken}");
        }
    }
}
