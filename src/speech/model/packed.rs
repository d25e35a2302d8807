//! Weights as the fused operators take them, in a file that is mapped at start instead of read and packed.
//!
//! It is a safetensors file whose tensors begin on cache lines: first the panels of every matrix, then everything else in f32. Its
//! metadata say what it was made of, in one string ([`identity`]).

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorInfo};

use super::Precision;
use crate::speech::SpeechError;
use crate::speech::kernels::{Mapping, Panels};

/// To be counted up when the layout of panels, or what is kept, changes.
const FORMAT: u32 = 1;
/// The key of the metadata.
const KEY: &str = "cantoscribe";
/// Bytes of a cache line.
const LINE: usize = 64;

/// What a packed file is tied to: this layout, a precision, and the SHA-256 of the checkpoint's weights.
#[must_use]
pub fn identity(precision: Precision, source: &str) -> String {
    format!("packed {FORMAT}, {}, of {source}", precision.name())
}

/// A packed file, mapped.
pub struct Packed {
    path: PathBuf,
    mapping: Mapping,
    /// Where the tensors' bytes begin.
    data: usize,
    metadata: Metadata,
}

impl Packed {
    /// Maps a file and reads its header.
    ///
    /// # Errors
    /// A file that cannot be read, or is no safetensors file.
    pub fn open(path: &Path) -> Result<Self, SpeechError> {
        let path = path.to_owned();
        let mapping = match Mapping::open(&path) {
            Ok(mapping) => mapping,
            Err(source) => return Err(SpeechError::Read { path, source }),
        };
        match SafeTensors::read_metadata(mapping.bytes()) {
            Ok((header, metadata)) => Ok(Self { data: header.saturating_add(size_of::<u64>()), path, mapping, metadata }),
            Err(error) => Err(SpeechError::Format { path, problem: format!("no whole safetensors file: {error}") }),
        }
    }

    /// As [`identity`] wrote it; empty in a file that this module did not write.
    #[must_use]
    pub fn identity(&self) -> &str {
        self.metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY)).map(String::as_str).unwrap_or_default()
    }

    /// The panels of a matrix.
    ///
    /// # Errors
    /// [`SpeechError::Tensor`] when they are missing, of another type or do not lie on cache lines.
    pub fn panels(&self, name: &str, dtype: Dtype) -> Result<Panels, SpeechError> {
        let (info, begin) = self.info(name, dtype)?;
        let (start, end) = info.data_offsets;
        let panels = self.mapping.panels(begin..begin.saturating_add(end.saturating_sub(start)));
        panels.ok_or_else(|| self.wrong(name, "it does not lie on whole cache lines".to_owned()))
    }

    /// Numbers of this shape.
    ///
    /// # Errors
    /// [`SpeechError::Tensor`] when they are missing, or of another type or shape.
    pub fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, SpeechError> {
        let (info, begin) = self.info(name, Dtype::F32)?;
        if info.shape != shape {
            return Err(self.wrong(name, format!("expected shape {shape:?}, found {:?}", info.shape)));
        }
        let length = info.data_offsets.1.saturating_sub(info.data_offsets.0);
        let bytes = self.mapping.bytes().get(begin..begin.saturating_add(length)).unwrap_or_default();
        Ok(bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect())
    }

    /// An error about one of its tensors.
    pub fn wrong(&self, name: &str, problem: String) -> SpeechError {
        SpeechError::Tensor { path: self.path.clone(), tensor: name.to_owned(), problem }
    }

    fn info(&self, name: &str, dtype: Dtype) -> Result<(&TensorInfo, usize), SpeechError> {
        let Some(info) = self.metadata.info(name) else { return Err(self.wrong(name, "it is missing".to_owned())) };
        if info.dtype != dtype {
            return Err(self.wrong(name, format!("expected {dtype:?}, found {:?}", info.dtype)));
        }
        Ok((info, self.data.saturating_add(info.data_offsets.0)))
    }
}

/// Gathers what a packed file holds while a checkpoint is being loaded.
#[derive(Default)]
pub struct Packer {
    panels: Vec<Entry>,
    floats: Vec<Entry>,
}

struct Entry {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Packer {
    /// Keeps a matrix' panels: whole cache lines.
    pub fn keep_panels(&mut self, name: String, dtype: Dtype, panels: &Panels) {
        let bytes = panels.bytes().to_vec();
        let shape = vec![bytes.len() * 8 / dtype.bitsize().max(1)];
        self.panels.push(Entry { name, dtype, shape, bytes });
    }

    /// Keeps numbers, once.
    pub fn keep_floats(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        if self.floats.iter().all(|entry| entry.name != name) {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            self.floats.push(Entry { name: name.to_owned(), dtype: Dtype::F32, shape: shape.to_vec(), bytes });
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// As `out`.
    pub fn write(&self, identity: &str, out: &mut dyn Write) -> io::Result<()> {
        let entries = || self.panels.iter().chain(&self.floats);
        let mut end = 0;
        let infos = entries().map(|entry| {
            let start = end;
            end += entry.bytes.len();
            let info = TensorInfo { dtype: entry.dtype, shape: entry.shape.clone(), data_offsets: (start, end) };
            (entry.name.clone(), info)
        });
        let about = HashMap::from([(KEY.to_owned(), identity.to_owned())]);
        let metadata = Metadata::new(Some(about), infos.collect()).map_err(io::Error::other)?;
        let mut header = serde_json::to_vec(&metadata)?;
        // The format allows spaces after the header.
        header.resize((size_of::<u64>() + header.len()).next_multiple_of(LINE) - size_of::<u64>(), b' ');
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        entries().try_for_each(|entry| out.write_all(&entry.bytes))
    }
}
