//! Reading a checkpoint's tensors: from safetensors, one file or shards with an index, from a PyTorch pickle, or from a packed file; those
//! of a decoder from a GGUF file too.

use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::quantized::QMatMul;
use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorInfo};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::gguf::Gguf;
use super::packed::{Packed, Packer, identity};
use super::{LoadOptions, PackedWeights, pickle};
use crate::speech::SpeechError;

/// [`INDEX`] of a sharded checkpoint.
#[derive(Deserialize)]
struct Index {
    weight_map: HashMap<String, String>,
}

/// The names that weights have in one file: Hugging Face's, and FunASR's.
const SAFETENSORS: &str = "model.safetensors";
const PICKLE: &str = "model.pt";
/// Names the shards, where there are several.
pub const INDEX: &str = "model.safetensors.index.json";

struct Shard {
    path: PathBuf,
    bytes: Vec<u8>,
    /// By name; `data_offsets` are from the file's beginning.
    tensors: HashMap<String, TensorInfo>,
}

enum Origin {
    Checkpoint(Vec<Shard>),
    Packed(Packed),
}

/// The tensors of a checkpoint, each checked as it is taken: present, of the shape asked for, of a floating type, finite.
pub struct Weights {
    origin: Origin,
    /// Where those of a decoder are, if not with the others.
    gguf: Option<Gguf>,
    device: Device,
    /// Where what is taken is kept, when a packed file is to be made of it.
    packer: Option<RefCell<Packer>>,
}

impl Weights {
    /// Maps the packed file, where the options name one. Else reads `model.safetensors`, the shards that
    /// `model.safetensors.index.json` names, or `model.pt`, below `folder`.
    ///
    /// # Errors
    /// A file that is missing, cut short or of another format is named; so is a packed one of another layout or precision.
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
        Ok(Self { origin, gguf: None, device: options.device.clone(), packer: None })
    }

    /// Reads the checkpoint below `folder` and keeps what is taken of it.
    ///
    /// # Errors
    /// As [`Weights::open`].
    pub fn to_pack(folder: &Path) -> Result<Self, SpeechError> {
        let origin = Origin::Checkpoint(read_shards(folder)?);
        Ok(Self { origin, gguf: None, device: Device::Cpu, packer: Some(RefCell::default()) })
    }

    /// Those of a GGUF file alone.
    #[must_use]
    pub fn of_gguf(gguf: Gguf, device: &Device) -> Self {
        Self { origin: Origin::Checkpoint(Vec::new()), gguf: Some(gguf), device: device.clone(), packer: None }
    }

    /// The same, with those tensors from a GGUF file that it is said to have.
    #[must_use]
    pub fn with_gguf(self, gguf: Gguf) -> Self {
        Self { gguf: Some(gguf), ..self }
    }

    /// Whether a tensor, or what it belongs to, is looked for in a GGUF file.
    #[must_use]
    pub fn in_gguf(&self, name: &str) -> bool {
        self.gguf.as_ref().is_some_and(|file| file.is_of_it(name))
    }

    /// Whether a GGUF file has the tensor.
    #[must_use]
    pub fn gguf_has(&self, name: &str) -> bool {
        self.gguf.as_ref().is_some_and(|file| file.has(name))
    }

    /// Takes the tensor `name`, of exactly this shape, from the GGUF file, to be multiplied with as it is stored.
    ///
    /// # Errors
    /// [`SpeechError::Tensor`] that names file and tensor.
    pub(super) fn quantised(&self, name: &str, shape: &[usize]) -> Result<QMatMul, SpeechError> {
        match &self.gguf {
            Some(file) => Ok(QMatMul::from_qtensor(file.quantised(name, shape, &self.device)?)?),
            None => Ok(QMatMul::Tensor(self.unpacked(name, shape)?)),
        }
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

    /// The file and shape of the tensor `name`, where it is there and not packed.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<(&Path, &[usize])> {
        let Origin::Checkpoint(shards) = &self.origin else { return None };
        shards.iter().find_map(|shard| Some((shard.path.as_path(), shard.tensors.get(name)?.shape.as_slice())))
    }

    /// Takes the tensor `name` as f32, of exactly this shape, to be used as it is.
    ///
    /// # Errors
    /// [`SpeechError::Tensor`] that names file and tensor.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, SpeechError> {
        if let Some(file) = self.gguf.as_ref().filter(|file| file.is_of_it(name)) {
            return file.floats(name, shape, &self.device);
        }
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
        if let Some(file) = self.gguf.as_ref().filter(|file| file.is_of_it(name)) {
            return file.floats(name, shape, &self.device);
        }
        match &self.origin {
            Origin::Packed(packed) => Err(packed.wrong(name, "it is packed".to_owned())),
            Origin::Checkpoint(shards) => self.read(shards, name, shape),
        }
    }

    fn read(&self, shards: &[Shard], name: &str, shape: &[usize]) -> Result<Tensor, SpeechError> {
        let Some((shard, info)) = shards.iter().find_map(|shard| Some((shard, shard.tensors.get(name)?))) else {
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
        let bytes = shard.bytes.get(start..end).ok_or_else(|| wrong("its bytes lie beyond the end of the file".to_owned()))?;
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
        let bytes = read_file(&path)?;
        if path.ends_with(PICKLE) {
            return Ok(Self { tensors: pickle::tensors(&path, &bytes)?, path, bytes });
        }
        let (header, metadata) = match SafeTensors::read_metadata(&bytes) {
            Ok(read) => read,
            Err(error) => return Err(SpeechError::Format { path, problem: format!("no whole safetensors file: {error}") }),
        };
        let data = header.saturating_add(size_of::<u64>());
        let from_the_beginning = |info: &TensorInfo| {
            let (start, end) = info.data_offsets;
            TensorInfo { data_offsets: (data.saturating_add(start), data.saturating_add(end)), ..info.clone() }
        };
        let tensors = metadata.tensors().into_iter().map(|(name, info)| (name, from_the_beginning(info))).collect();
        Ok(Self { path, bytes, tensors })
    }
}

fn read_shards(folder: &Path) -> Result<Vec<Shard>, SpeechError> {
    weight_files(folder)?.into_iter().map(Shard::open).collect()
}

/// The files that a checkpoint's weights are read from: `model.safetensors`, the shards that its index names, in order of name, or
/// `model.pt`. Where none of them is there, it is the first that is missing.
///
/// # Errors
/// An index that is malformed, or names something outside the folder.
pub fn weight_files(folder: &Path) -> Result<Vec<PathBuf>, SpeechError> {
    let [single, index, pickle] = [SAFETENSORS, INDEX, PICKLE].map(|name| folder.join(name));
    match [&single, &index, &pickle].map(|path| path.exists()) {
        [false, true, _] => shard_paths(folder, &index),
        [false, false, true] => Ok(vec![pickle]),
        _ => Ok(vec![single]),
    }
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
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, SpeechError> {
    let bytes = read_file(path)?;
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(&bytes))
        .map_err(|error| SpeechError::Format { path: path.to_owned(), problem: error.to_string() })
}

/// Reads a YAML file of a checkpoint into a type.
///
/// # Errors
/// As [`read_json`].
pub fn read_yaml<T: DeserializeOwned>(path: &Path) -> Result<T, SpeechError> {
    // An error is one line: no excerpt of the file in it.
    serde_saphyr::from_slice_with_options(&read_file(path)?, serde_saphyr::options! { with_snippet: false })
        .map_err(|error| SpeechError::Format { path: path.to_owned(), problem: error.to_string() })
}

/// Reads a whole file of a checkpoint.
///
/// # Errors
/// [`SpeechError::Read`].
pub fn read_file(path: &Path) -> Result<Vec<u8>, SpeechError> {
    std::fs::read(path).map_err(|source| SpeechError::Read { path: path.to_owned(), source })
}
