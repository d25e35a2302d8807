//! What a reference implementation gave, for the tests of the families.

use std::fs;
use std::path::Path;

use candle_core::Tensor;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

/// The largest error that a correct implementation makes in f32, of the largest value there is.
pub const TOLERANCE: f32 = 1e-3;

/// `reference.safetensors` of a folder.
pub struct Reference(Vec<u8>);

impl Reference {
    pub fn read(folder: &Path) -> Self {
        Self(fs::read(folder.join("reference.safetensors")).unwrap())
    }

    pub fn tensor(&self, name: &str) -> TensorView<'_> {
        SafeTensors::deserialize(&self.0).unwrap().tensor(name).unwrap()
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        self.tensor(name).data().as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
    }

    pub fn ids(&self, name: &str) -> Vec<u32> {
        self.tensor(name).data().as_chunks().0.iter().map(|four| u32::from_le_bytes(*four)).collect()
    }

    pub fn samples(&self) -> Vec<f32> {
        let integers = self.tensor("samples").data().as_chunks().0.iter().map(|two| i16::from_le_bytes(*two)).collect::<Vec<_>>();
        integers.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect()
    }

    pub fn text(&self) -> String {
        let (_, metadata) = SafeTensors::read_metadata(&self.0).unwrap();
        metadata.metadata().as_ref().unwrap()["text"].clone()
    }
}

/// The largest difference, of the largest expected value.
pub fn error(ours: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(ours.len(), expected.len());
    let largest = |values: &mut dyn Iterator<Item = f32>| values.fold(0.0_f32, |largest, value| largest.max(value.abs()));
    largest(&mut ours.iter().zip(expected).map(|(a, b)| a - b)) / largest(&mut expected.iter().copied())
}

pub fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}
