//! A decoder's weights from a GGUF file (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>), as llama.cpp lays them out.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufReader, Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use candle_core::quantized::QTensor;
use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::{Device, Tensor};

use crate::speech::SpeechError;

/// What the name of a file begins with that llama.cpp has an encoder in: encoders are read from safetensors here.
const ENCODER: &str = "mmproj";

/// The longest header, of which a vocabulary is the most: candle's reader makes values of it that take some thirty times as much memory.
const LONGEST_HEADER: u64 = 32 << 20;

/// The GGUF file in a folder of a checkpoint, in which its decoder is; nothing where there is none.
///
/// # Errors
/// A folder that cannot be read, or holds several.
pub fn decoder_file(folder: &Path) -> Result<Option<PathBuf>, SpeechError> {
    let unread = |source| SpeechError::Read { path: folder.to_owned(), source };
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let encoder = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(ENCODER));
        if path.extension().is_some_and(|extension| extension == "gguf") && !encoder {
            found.push(path);
        }
    }
    found.sort_unstable();
    if let [first, second, ..] = found.as_slice() {
        let problem = format!("`{}` lies beside it: only one of them can be the decoder", second.display());
        return Err(SpeechError::Format { path: first.clone(), problem });
    }
    Ok(found.pop())
}

/// What a tensor that is asked for is called in a file, where it is one of those that such a file has.
type Names = Box<dyn Fn(&str) -> Option<String> + Send>;

/// An open file.
pub struct Gguf {
    path: PathBuf,
    content: Content,
    file: RefCell<BufReader<File>>,
    names: Names,
}

impl Gguf {
    /// Reads a file's header.
    ///
    /// # Errors
    /// A file that cannot be read, or whose header is malformed or cut short.
    pub fn open(path: &Path, names: Names) -> Result<Self, SpeechError> {
        let mut file = match File::open(path) {
            Ok(file) => BufReader::new(file),
            Err(source) => return Err(SpeechError::Read { path: path.to_owned(), source }),
        };
        let mut header = Vec::new();
        if let Err(source) = file.by_ref().take(LONGEST_HEADER).read_to_end(&mut header) {
            return Err(SpeechError::Read { path: path.to_owned(), source });
        }
        // A header that asks for an alignment of 0 makes the reader divide by it.
        let content = catch_unwind(AssertUnwindSafe(|| Content::read(&mut Cursor::new(header))));
        let problem = match content {
            Ok(Ok(content)) => return Ok(Self { path: path.to_owned(), content, file: RefCell::new(file), names }),
            Ok(Err(error)) => told(&error.to_string()),
            Err(_) => "its header makes no sense".to_owned(),
        };
        Err(SpeechError::Format { path: path.to_owned(), problem: format!("it cannot be read as GGUF: {problem}") })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A text of its metadata.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.content.metadata.get(key)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A number of its metadata.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<f64> {
        let value = self.content.metadata.get(key)?;
        let whole = || value.to_u64().ok().map(|number| number as f64);
        whole().or_else(|| value.to_f32().ok().map(f64::from)).or_else(|| value.to_f64().ok())
    }

    /// A list of texts of its metadata; nothing where it is another kind of list.
    #[must_use]
    pub fn texts(&self, key: &str) -> Option<Vec<&str>> {
        let Value::Array(values) = self.content.metadata.get(key)? else { return None };
        values.iter().map(|value| if let Value::String(text) = value { Some(text.as_str()) } else { None }).collect()
    }

    /// A list of whole numbers of its metadata; nothing where it is another kind of list.
    #[must_use]
    pub fn whole_numbers(&self, key: &str) -> Option<Vec<i64>> {
        let Value::Array(values) = self.content.metadata.get(key)? else { return None };
        let whole = |value: &Value| match value {
            Value::I32(number) => Some(i64::from(*number)),
            other => other.to_u64().ok().and_then(|number| i64::try_from(number).ok()),
        };
        values.iter().map(whole).collect()
    }

    /// The names of its tensors.
    pub fn tensors(&self) -> impl Iterator<Item = &str> {
        self.content.tensor_infos.keys().map(String::as_str)
    }

    /// The first size of a tensor, its rows; nothing where it is not there.
    #[must_use]
    pub fn rows(&self, name: &str) -> Option<usize> {
        self.content.tensor_infos.get(name)?.shape.dims().first().copied()
    }

    /// Whether a tensor is one of those that are looked for here, and nowhere else.
    #[must_use]
    pub fn is_of_it(&self, name: &str) -> bool {
        (self.names)(name).is_some()
    }

    /// Whether it has a tensor.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        (self.names)(name).is_some_and(|name| self.content.tensor_infos.contains_key(&name))
    }

    /// Takes a tensor of exactly this shape as it is stored.
    ///
    /// # Errors
    /// [`SpeechError::Tensor`] that names file and tensor.
    pub fn quantised(&self, name: &str, shape: &[usize], device: &Device) -> Result<QTensor, SpeechError> {
        let name = (self.names)(name).unwrap_or_else(|| name.to_owned());
        let wrong = |problem: String| SpeechError::Tensor { path: self.path.clone(), tensor: name.clone(), problem };
        let info = self.content.tensor_infos.get(&name).ok_or_else(|| wrong("it is missing".to_owned()))?;
        if info.shape.dims() != shape {
            return Err(wrong(format!("expected shape {shape:?}, found {:?}", info.shape.dims())));
        }
        let start = self.content.tensor_data_offset;
        let tensor = info.read(&mut *self.file.borrow_mut(), start, device).map_err(|error| wrong(error.to_string()))?;
        let sum = tensor.dequantize(device).and_then(|values| values.sum_all()?.to_scalar::<f32>());
        if !sum.map_err(|error| wrong(error.to_string()))?.is_finite() {
            return Err(wrong("it holds a value that is not finite".to_owned()));
        }
        Ok(tensor)
    }

    /// Takes a tensor of exactly this shape as f32.
    ///
    /// # Errors
    /// As [`Gguf::quantised`].
    pub fn floats(&self, name: &str, shape: &[usize], device: &Device) -> Result<Tensor, SpeechError> {
        Ok(self.quantised(name, shape, device)?.dequantize(device)?)
    }
}

/// Candle's words, where they mislead: what it calls a tensor is the number of a type.
fn told(problem: &str) -> String {
    match problem.lines().next().unwrap_or_default().split_once("unknown dtype for tensor ") {
        Some((_, number)) => format!("a tensor is stored as type {number} of ggml's, which is not supported"),
        None => problem.to_owned(),
    }
}
