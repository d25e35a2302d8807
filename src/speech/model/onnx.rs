//! The weights in an ONNX file, and nothing else of it: enough of the protobuf wire format to find a graph's initialisers.
//!
//! Field numbers are those of `onnx.proto` (ONNX project, IR version 8): `ModelProto.graph` 7, `GraphProto.initializer` 5,
//! `TensorProto.dims` 1, `.data_type` 2, `.name` 8, `.raw_data` 9.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};

use crate::speech::SpeechError;

const GRAPH: u64 = 7;
const INITIALIZER: u64 = 5;
const DIMS: u64 = 1;
const DATA_TYPE: u64 = 2;
const NAME: u64 = 8;
const RAW_DATA: u64 = 9;
/// `TensorProto.DataType.FLOAT`
const FLOAT: u64 = 1;

/// The initialisers of one file, by name.
pub struct Initializers {
    path: PathBuf,
    bytes: Vec<u8>,
    tensors: HashMap<String, Initializer>,
}

#[derive(Default)]
struct Initializer {
    shape: Vec<usize>,
    data_type: u64,
    /// Where its values lie in the file.
    data: std::ops::Range<usize>,
}

impl Initializers {
    /// Reads a file's table of initialisers.
    ///
    /// # Errors
    /// A file that cannot be read, or is no whole ONNX file, is named.
    pub fn open(path: &Path) -> Result<Self, SpeechError> {
        let bytes = std::fs::read(path).map_err(|source| SpeechError::Read { path: path.to_owned(), source })?;
        match read_model(&bytes) {
            Some(tensors) => Ok(Self { path: path.to_owned(), tensors, bytes }),
            None => Err(SpeechError::Format { path: path.to_owned(), problem: "no whole ONNX file".to_owned() }),
        }
    }

    /// The tensor `name`, of exactly this shape, on the processor.
    ///
    /// # Errors
    /// [`SpeechError::Tensor`] that names file and tensor: missing, another shape or type, cut short, a value not finite.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, SpeechError> {
        let wrong = |problem: String| SpeechError::Tensor { path: self.path.clone(), tensor: name.to_owned(), problem };
        let found = self.tensors.get(name).ok_or_else(|| wrong("it is missing".to_owned()))?;
        if found.shape != shape {
            return Err(wrong(format!("expected shape {shape:?}, found {:?}", found.shape)));
        }
        if found.data_type != FLOAT {
            return Err(wrong(format!("expected ONNX data type {FLOAT}, found {}", found.data_type)));
        }
        let (values, rest) = self.bytes.get(found.data.clone()).unwrap_or_default().as_chunks::<4>();
        let values: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let expected: usize = shape.iter().product();
        if values.len() != expected || !rest.is_empty() {
            return Err(wrong(format!("expected {expected} values, found {} bytes", found.data.len())));
        }
        if !values.iter().all(|value| value.is_finite()) {
            return Err(wrong("it holds a value that is not finite".to_owned()));
        }
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }
}

/// One field of a message: its number, and a number or where its bytes lie.
enum Field {
    Varint(u64, u64),
    Bytes(u64, std::ops::Range<usize>),
    Fixed,
}

/// Reads the fields of the message in `bytes[at..end]`, one after another.
struct Message<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl Message<'_> {
    fn varint(&mut self) -> Option<u64> {
        let mut value: u64 = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at).filter(|_| self.at < self.end)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn skip(&mut self, length: usize) -> Option<std::ops::Range<usize>> {
        let start = self.at;
        let end = start.checked_add(length).filter(|end| *end <= self.end)?;
        self.at = end;
        Some(start..end)
    }

    /// The next field; nothing when it is malformed or reaches beyond the message.
    fn field(&mut self) -> Option<Field> {
        let key = self.varint()?;
        let number = key >> 3;
        match key & 7 {
            0 => Some(Field::Varint(number, self.varint()?)),
            1 => self.skip(8).map(|_| Field::Fixed),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Some(Field::Bytes(number, self.skip(length)?))
            }
            5 => self.skip(4).map(|_| Field::Fixed),
            _ => None,
        }
    }
}

/// Every field of a message in turn; nothing when one is malformed.
fn each(bytes: &[u8], range: std::ops::Range<usize>, mut visit: impl FnMut(Field) -> Option<()>) -> Option<()> {
    let mut message = Message { bytes, at: range.start, end: range.end };
    while message.at < message.end {
        visit(message.field()?)?;
    }
    Some(())
}

fn read_model(bytes: &[u8]) -> Option<HashMap<String, Initializer>> {
    let mut tensors = HashMap::new();
    let mut graphs = 0;
    each(bytes, 0..bytes.len(), |field| match field {
        Field::Bytes(GRAPH, graph) => {
            graphs += 1;
            each(bytes, graph, |field| match field {
                Field::Bytes(INITIALIZER, range) => {
                    let (name, tensor) = read_initializer(bytes, range)?;
                    tensors.insert(name, tensor);
                    Some(())
                }
                _ => Some(()),
            })
        }
        _ => Some(()),
    })?;
    (graphs == 1).then_some(tensors)
}

fn read_initializer(bytes: &[u8], range: std::ops::Range<usize>) -> Option<(String, Initializer)> {
    let mut tensor = Initializer::default();
    let mut name = String::new();
    each(bytes, range, |field| {
        match field {
            Field::Varint(DIMS, size) => tensor.shape.push(usize::try_from(size).ok()?),
            Field::Bytes(DIMS, packed) => {
                let mut sizes = Message { bytes, at: packed.start, end: packed.end };
                while sizes.at < sizes.end {
                    tensor.shape.push(usize::try_from(sizes.varint()?).ok()?);
                }
            }
            Field::Varint(DATA_TYPE, code) => tensor.data_type = code,
            Field::Bytes(NAME, text) => name = std::str::from_utf8(bytes.get(text)?).ok()?.to_owned(),
            Field::Bytes(RAW_DATA, data) => tensor.data = data,
            _ => {}
        }
        Some(())
    })?;
    Some((name, tensor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_field(number: u8, content: &[u8]) -> Vec<u8> {
        assert!(content.len() < 128);
        [&[number << 3 | 2, content.len() as u8], content].concat()
    }

    /// A model with the initialiser `w`, `(2, 1)`, 1.5 and -2.
    fn model(packed: bool) -> Vec<u8> {
        let dims = if packed { bytes_field(1, &[2, 1]) } else { vec![1 << 3, 2, 1 << 3, 1] };
        let values = [1.5f32.to_le_bytes(), (-2.0f32).to_le_bytes()].concat();
        let tensor = [dims, vec![2 << 3, 1], bytes_field(8, b"w"), bytes_field(9, &values)].concat();
        [vec![1 << 3, 8], bytes_field(7, &bytes_field(5, &tensor))].concat()
    }

    fn open(bytes: &[u8]) -> Result<Initializers, SpeechError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, bytes).unwrap();
        Initializers::open(&path)
    }

    #[test]
    fn an_initialiser_is_read_with_packed_and_unpacked_dimensions() {
        for packed in [false, true] {
            let tensor = open(&model(packed)).unwrap().tensor("w", &[2, 1]).unwrap();
            assert_eq!(tensor.to_vec2::<f32>().unwrap(), [[1.5], [-2.0]]);
        }
    }

    #[test]
    fn a_file_cut_anywhere_or_altered_is_an_error_that_names_it() {
        let whole = model(false);
        for length in 0..whole.len() {
            // Cut after its first field it is a valid message, of a model without a graph.
            let error = open(&whole[..length]).err().expect("a cut file is refused").to_string();
            assert!(error.contains("model.onnx") && error.contains("no whole ONNX file"), "{error}");
        }
        for index in 0..whole.len() {
            let mut altered = whole.clone();
            altered[index] ^= 0xff;
            if let Ok(read) = open(&altered) {
                let _ = read.tensor("w", &[2, 1]);
            }
        }
    }

    #[test]
    fn a_missing_or_other_tensor_is_named() {
        let file = open(&model(false)).unwrap();
        let error = file.tensor("b", &[1]).unwrap_err().to_string();
        assert!(error.contains("`b`") && error.contains("missing"), "{error}");
        let error = file.tensor("w", &[3]).unwrap_err().to_string();
        assert!(error.contains("[3]") && error.contains("[2, 1]"), "{error}");
    }

    #[test]
    fn a_value_that_is_not_finite_is_refused() {
        let mut bytes = model(false);
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        let error = open(&bytes).unwrap().tensor("w", &[2, 1]).unwrap_err().to_string();
        assert!(error.contains("not finite"), "{error}");
    }
}
