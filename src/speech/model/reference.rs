//! What a reference implementation gave, for the tests of the families.

use std::fs;
use std::path::Path;

use candle_core::Tensor;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::{LoadOptions, PackedWeights, Precision, load, pack};

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

    pub fn has(&self, name: &str) -> bool {
        SafeTensors::deserialize(&self.0).unwrap().tensor(name).is_ok()
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        self.tensor(name).data().as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
    }

    pub fn ids(&self, name: &str) -> Vec<u32> {
        self.tensor(name).data().as_chunks().0.iter().map(|four| u32::from_le_bytes(*four)).collect()
    }

    /// Of 16 bits, or the upper 8 of them.
    pub fn samples(&self) -> Vec<f32> {
        let samples = self.tensor("samples");
        if samples.dtype() == Dtype::I16 {
            let pairs = samples.data().as_chunks().0.iter();
            return pairs.map(|two| f32::from(i16::from_le_bytes(*two)) / 32_768.0).collect();
        }
        samples.data().iter().map(|byte| f32::from(i8::from_le_bytes([*byte])) / 128.0).collect()
    }

    /// What the metadata has under `key`.
    pub fn text(&self, key: &str) -> String {
        let (_, metadata) = SafeTensors::read_metadata(&self.0).unwrap();
        metadata.metadata().as_ref().unwrap()[key].clone()
    }
}

/// A checkpoint is heard with the same tokens from a packed file and with another number of threads.
pub fn hears_the_same_packed(folder: &Path) {
    let samples = Reference::read(folder).samples();
    let files = tempfile::tempdir().unwrap();
    for precision in [Precision::Balanced, Precision::Fast] {
        let options = LoadOptions { precision, threads: Some(2), ..LoadOptions::default() };
        let expected = load(folder, &options).unwrap().raw(&samples, None).unwrap();
        let path = files.path().join(precision.name());
        let mut packed = Vec::new();
        pack(folder, precision, "its hash", (&mut packed, &path)).unwrap();
        fs::write(&path, packed).unwrap();
        let packed = Some(PackedWeights { path, source: "its hash".to_owned() });
        let mapped = load(folder, &LoadOptions { packed, threads: Some(1), ..options }).unwrap();
        assert_eq!(mapped.raw(&samples, None).unwrap(), expected);
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
