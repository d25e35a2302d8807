//! Reading a checkpoint's tensors: from safetensors, one file or shards with an index, or from a packed file of them.

use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, Metadata, SafeTensors};
use serde::Deserialize;

use super::packed::{Packed, Packer, identity};
use super::{LoadOptions, PackedWeights};
use crate::speech::SpeechError;

/// `model.safetensors.index.json` of a sharded checkpoint.
#[derive(Deserialize)]
struct Index {
    weight_map: HashMap<String, String>,
}

struct Shard {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Where the tensors' bytes begin.
    data: usize,
    metadata: Metadata,
}

enum Origin {
    Checkpoint(Vec<Shard>),
    Packed(Packed),
}

/// The tensors of a checkpoint, each checked as it is taken: present, of the shape asked for, of a floating type, finite.
pub struct Weights {
    origin: Origin,
    device: Device,
    /// Where what is taken is kept, when a packed file is to be made of it.
    packer: Option<RefCell<Packer>>,
}

impl Weights {
    /// Maps the packed file, where the options name one. Else reads `model.safetensors`, or the shards that
    /// `model.safetensors.index.json` names, below `folder`.
    ///
    /// # Errors
    /// A file that is missing, cut short or no safetensors file is named; so is a packed one of another layout or precision.
    pub fn open(folder: &Path, options: &LoadOptions) -> Result<Self, SpeechError> {
        let origin = match &options.packed {
            Some(PackedWeights { path, source }) => {
                let packed = Packed::open(path)?;
                let expected = identity(options.precision, source);
                if packed.identity() != expected {
                    let problem = format!("it is not `{expected}`");
                    return Err(SpeechError::Format { path: path.clone(), problem });
                }
                Origin::Packed(packed)
            }
            None => Origin::Checkpoint(read_shards(folder)?),
        };
        Ok(Self { origin, device: options.device.clone(), packer: None })
    }

    /// Reads the checkpoint below `folder` and keeps what is taken of it.
    ///
    /// # Errors
    /// As [`Weights::open`].
    pub fn to_pack(folder: &Path) -> Result<Self, SpeechError> {
        let origin = Origin::Checkpoint(read_shards(folder)?);
        Ok(Self { origin, device: Device::Cpu, packer: Some(RefCell::default()) })
    }

    /// What was kept.
    #[must_use]
    pub fn into_packer(self) -> Packer {
        self.packer.map(RefCell::into_inner).unwrap_or_default()
    }

    /// The packed file, where they come from one.
    pub(super) fn packed(&self) -> Option<&Packed> {
        match &self.origin {
            Origin::Packed(packed) => Some(packed),
            Origin::Checkpoint(_) => None,
        }
    }

    /// Where to keep what is packed, if anywhere.
    pub(super) fn packer(&self) -> Option<RefMut<'_, Packer>> {
        self.packer.as_ref().map(RefCell::borrow_mut)
    }

    /// Takes the tensor `name` as f32, of exactly this shape, to be used as it is.
    ///
    /// # Errors
    /// [`SpeechError::Tensor`] that names file and tensor.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, SpeechError> {
        let shards = match &self.origin {
            Origin::Packed(packed) => return Ok(Tensor::from_vec(packed.floats(name, shape)?, shape, &self.device)?),
            Origin::Checkpoint(shards) => shards,
        };
        let tensor = self.read(shards, name, shape)?;
        if let Some(mut packer) = self.packer() {
            packer.keep_floats(name, shape, &tensor.flatten_all()?.to_vec1()?);
        }
        Ok(tensor)
    }

    /// Takes the tensor `name` as f32, of exactly this shape, to be packed.
    ///
    /// # Errors
    /// [`SpeechError::Tensor`] that names file and tensor.
    pub(super) fn unpacked(&self, name: &str, shape: &[usize]) -> Result<Tensor, SpeechError> {
        match &self.origin {
            Origin::Packed(packed) => Err(packed.wrong(name, "it is packed".to_owned())),
            Origin::Checkpoint(shards) => self.read(shards, name, shape),
        }
    }

    fn read(&self, shards: &[Shard], name: &str, shape: &[usize]) -> Result<Tensor, SpeechError> {
        let Some((shard, info)) = shards.iter().find_map(|shard| Some((shard, shard.metadata.info(name)?))) else {
            let path = shards.first().map(|shard| shard.path.clone()).unwrap_or_default();
            return Err(SpeechError::Tensor { path, tensor: name.to_owned(), problem: "it is missing".to_owned() });
        };
        let wrong = |problem: String| SpeechError::Tensor { path: shard.path.clone(), tensor: name.to_owned(), problem };
        if info.shape != shape {
            return Err(wrong(format!("expected shape {shape:?}, found {:?}", info.shape)));
        }
        let dtype = match info.dtype {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            other => return Err(wrong(format!("expected F32, F16 or BF16, found {other:?}"))),
        };
        let (start, end) = info.data_offsets;
        let bytes = shard
            .bytes
            .get(shard.data.saturating_add(start)..shard.data.saturating_add(end))
            .ok_or_else(|| wrong("its bytes lie beyond the end of the file".to_owned()))?;
        let tensor = Tensor::from_raw_buffer(bytes, dtype, shape, &self.device)?.to_dtype(DType::F32)?;
        // A sum is finite only if every value is: weights are far too small for it to overflow.
        if !tensor.sum_all()?.to_scalar::<f32>()?.is_finite() {
            return Err(wrong("it holds a value that is not finite".to_owned()));
        }
        Ok(tensor)
    }
}

impl Shard {
    fn open(path: PathBuf) -> Result<Self, SpeechError> {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(SpeechError::Read { path, source }),
        };
        match SafeTensors::read_metadata(&bytes) {
            Ok((header, metadata)) => Ok(Self { data: header.saturating_add(size_of::<u64>()), path, bytes, metadata }),
            Err(error) => Err(SpeechError::Format { path, problem: format!("no whole safetensors file: {error}") }),
        }
    }
}

fn read_shards(folder: &Path) -> Result<Vec<Shard>, SpeechError> {
    let single = folder.join("model.safetensors");
    let index = folder.join("model.safetensors.index.json");
    let paths = if !single.exists() && index.exists() { shard_paths(folder, &index)? } else { vec![single] };
    paths.into_iter().map(Shard::open).collect()
}

fn shard_paths(folder: &Path, index: &Path) -> Result<Vec<PathBuf>, SpeechError> {
    let parsed: Index = read_json(index)?;
    let mut names: Vec<String> = parsed.weight_map.into_values().collect();
    names.sort_unstable();
    names.dedup();
    // A name with a folder in it could point outside the checkpoint.
    if let Some(name) = names.iter().find(|name| name.contains(['/', '\\'])) {
        let problem = format!("shard `{name}` is not a file name");
        return Err(SpeechError::Format { path: index.to_owned(), problem });
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Reads a JSON file of a checkpoint into a type.
///
/// # Errors
/// [`SpeechError::Read`] or [`SpeechError::Format`], which name the file.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, SpeechError> {
    let bytes = std::fs::read(path).map_err(|source| SpeechError::Read { path: path.to_owned(), source })?;
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(&bytes))
        .map_err(|error| SpeechError::Format { path: path.to_owned(), problem: error.to_string() })
}
