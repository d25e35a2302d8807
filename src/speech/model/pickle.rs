//! Where the tensors of a PyTorch checkpoint lie: a zip archive of raw numbers and a pickle that says what they are.
//!
//! A pickle is a program. Candle's reader only builds a tree of what the program mentions and calls nothing; here each class is held
//! against a short list before it is even built, so that a file that asks for anything but tensors is refused by name, and one that would
//! be nested too deep or grow too large is refused before it does.

mod extents;

use std::collections::HashMap;
use std::io::{Cursor, Read as _};
use std::path::Path;

use candle_core::pickle::{Object, Stack};
use safetensors::tensor::{Dtype, TensorInfo};
use zip::{CompressionMethod, ZipArchive};

use self::extents::Extents;
use crate::speech::SpeechError;

/// No pickle of numbers of tensors comes near this; a longer one is not read.
const MAX_BYTES: u64 = 16 << 20;
/// Keys under which FunASR's loader looks for the tensors, from the outside in; a checkpoint without them is flat.
const WRAPPERS: [&str; 3] = ["state_dict", "model_state_dict", "model"];
/// The classes that weights are made of, besides storages.
const CLASSES: [(&str, &str); 3] =
    [("collections", "OrderedDict"), ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_parameter")];
/// Storages by their element.
const STORAGES: [(&str, Dtype); 10] = [
    ("FloatStorage", Dtype::F32),
    ("HalfStorage", Dtype::F16),
    ("BFloat16Storage", Dtype::BF16),
    ("DoubleStorage", Dtype::F64),
    ("LongStorage", Dtype::I64),
    ("IntStorage", Dtype::I32),
    ("ShortStorage", Dtype::I16),
    ("CharStorage", Dtype::I8),
    ("ByteStorage", Dtype::U8),
    ("BoolStorage", Dtype::BOOL),
];

/// The opcode that names a class: two lines, its module and its name.
const GLOBAL: u8 = b'c';
/// The opcode of an integer of any length: a byte that says how many bytes, and those.
const LONG: u8 = 0x8a;
/// The opcode of a text: four bytes that say how many bytes, and those.
const TEXT: u8 = b'X';

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Every tensor of the checkpoint `bytes`, which is the file `path`; `data_offsets` are from the file's beginning.
///
/// # Errors
/// [`SpeechError::Format`] for what is no whole archive, or names a class that weights do not need; [`SpeechError::Tensor`] for a
/// tensor that is not laid out in one piece or whose numbers are not there.
pub fn tensors(path: &Path, bytes: &[u8]) -> Result<HashMap<String, TensorInfo>, SpeechError> {
    let wrong = |problem: String| SpeechError::Format { path: path.to_owned(), problem };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| wrong(format!("no whole PyTorch archive: {error}")))?;
    let names: Vec<String> = archive.file_names().flatten().map(std::borrow::Cow::into_owned).collect();
    let Some(folder) = names.iter().find_map(|name| name.strip_suffix("data.pkl")) else {
        return Err(wrong("a zip archive without `data.pkl`: no PyTorch checkpoint".to_owned()));
    };
    let member = |archive: &mut Archive<'_>, name: &str| {
        let mut content = Vec::new();
        let mut member = archive.by_name(&format!("{folder}{name}"))?.take(MAX_BYTES);
        member.read_to_end(&mut content)?;
        Ok::<_, zip::result::ZipError>(content)
    };
    if member(&mut archive, "byteorder").is_ok_and(|order| order != b"little") {
        return Err(wrong("its numbers are big-endian".to_owned()));
    }
    let pickle = member(&mut archive, "data.pkl").map_err(|error| wrong(format!("`data.pkl`: {error}")))?;
    let tree = tree(&pickle).map_err(|problem| wrong(format!("`data.pkl`: {problem}")))?;
    let entries = state(tree).ok_or_else(|| wrong("`data.pkl` holds no tensors by name".to_owned()))?;
    let mut found = HashMap::with_capacity(entries.len());
    for (key, value) in entries {
        let (Object::Unicode(name), Some(arguments)) = (key, rebuilt(value)) else { continue };
        let info = Rebuilt::read(arguments).and_then(|tensor| tensor.locate(&mut archive, folder));
        match info {
            Ok(info) => found.insert(name, info),
            Err(problem) => return Err(SpeechError::Tensor { path: path.to_owned(), tensor: name, problem }),
        };
    }
    Ok(found)
}

/// What a pickle builds, each of its classes allowed.
fn tree(pickle: &[u8]) -> Result<Object, String> {
    let (mut stack, mut extents) = (Stack::empty(), Extents::default());
    let mut rest = pickle;
    let cut = || "it is cut short".to_owned();
    loop {
        match *rest {
            [] => return Err(cut()),
            [GLOBAL, ref lines @ ..] => allow(lines)?,
            // Candle's reader would shift it out of its 64 bits.
            [LONG, length, ..] if usize::from(length) > size_of::<i64>() => return Err("an integer of over 64 bits".to_owned()),
            // Candle's reader would make room for it before it looks.
            [TEXT, a, b, c, d, ref text @ ..] if (text.len() as u64) < u64::from(u32::from_le_bytes([a, b, c, d])) => {
                return Err(cut());
            }
            _ => {}
        }
        extents.follow(rest)?;
        if stack.read(&mut rest).map_err(|error| error.to_string())? {
            return stack.finalize().map_err(|error| error.to_string());
        }
    }
}

/// Whether the class in these two lines is one that weights need.
fn allow(lines: &[u8]) -> Result<(), String> {
    let mut lines = lines.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line));
    let (module, name) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let storage = module == "torch" && STORAGES.iter().any(|(storage, _)| *storage == name);
    if storage || CLASSES.contains(&(&module, &name)) {
        Ok(())
    } else {
        Err(format!("it names the class `{module}.{name}`, which no weights need"))
    }
}

/// The tensors by name, out of what they may be wrapped in.
fn state(tree: Object) -> Option<Vec<(Object, Object)>> {
    let mut entries = tree.dict().ok()?;
    for wrapper in WRAPPERS {
        let place = entries
            .iter()
            .position(|(key, value)| matches!(key, Object::Unicode(key) if key == wrapper) && matches!(value, Object::Dict(_)));
        if let Some(place) = place {
            entries = entries.swap_remove(place).1.dict().ok()?;
        }
    }
    Some(entries)
}

/// What a tensor, or a parameter about one, is rebuilt from; nothing for any other value.
fn rebuilt(value: Object) -> Option<Vec<Object>> {
    let (class, arguments) = value.reduce().ok()?;
    let (_, name) = class.class().ok()?;
    let arguments = arguments.tuple().ok()?;
    match name.as_str() {
        "_rebuild_tensor_v2" => Some(arguments),
        "_rebuild_parameter" => rebuilt(arguments.into_iter().next()?),
        _ => None,
    }
}

/// The arguments that a tensor is rebuilt from.
struct Rebuilt {
    dtype: Dtype,
    /// The member that holds its storage, below `data/`.
    member: String,
    /// Elements before its first one in the storage.
    offset: usize,
    shape: Vec<usize>,
}

impl Rebuilt {
    fn read(arguments: Vec<Object>) -> Result<Self, String> {
        let malformed = || "its description is malformed".to_owned();
        let sizes = |object: Object| -> Option<Vec<usize>> {
            object.tuple().ok()?.into_iter().map(|size| usize::try_from(size.int_or_long().ok()?).ok()).collect()
        };
        let mut arguments = arguments.into_iter();
        let storage = arguments.next().and_then(|storage| storage.persistent_load().ok()?.tuple().ok());
        let offset = arguments.next().and_then(|offset| usize::try_from(offset.int_or_long().ok()?).ok());
        let (shape, strides) = (arguments.next().and_then(sizes), arguments.next().and_then(sizes));
        let mut storage = storage.ok_or_else(malformed)?.into_iter().skip(1);
        let class = storage.next().and_then(|class| class.class().ok()).map(|(_, name)| name).ok_or_else(malformed)?;
        let member = storage.next().and_then(|member| member.unicode().ok()).ok_or_else(malformed)?;
        let dtype = STORAGES.iter().find(|(name, _)| *name == class).map(|(_, dtype)| *dtype).ok_or_else(malformed)?;
        let (offset, shape) = (offset.ok_or_else(malformed)?, shape.ok_or_else(malformed)?);
        let mut step = 1_usize;
        let expected: Option<Vec<usize>> = shape
            .iter()
            .rev()
            .map(|size| {
                let stride = step;
                step = step.checked_mul(*size)?;
                Some(stride)
            })
            .collect();
        // The stride of a dimension of size 1 says nothing.
        let whole = expected.zip(strides).is_some_and(|(expected, strides)| {
            let pairs = expected.iter().rev().zip(&strides).zip(&shape);
            strides.len() == shape.len() && pairs.into_iter().all(|((expected, stride), size)| *size == 1 || expected == stride)
        });
        if !whole {
            return Err("its values do not lie in one piece".to_owned());
        }
        Ok(Self { dtype, member, offset, shape })
    }

    /// Where its values lie in the file.
    fn locate(self, archive: &mut Archive<'_>, folder: &str) -> Result<TensorInfo, String> {
        let name = format!("{folder}data/{}", self.member);
        let member = archive.by_name(&name).map_err(|error| format!("its values, `{name}`: {error}"))?;
        if member.compression() != CompressionMethod::Stored {
            return Err(format!("its values, `{name}`, are compressed"));
        }
        let size = self.dtype.bitsize() / 8;
        let bytes = self.shape.iter().try_fold(size, |bytes, size| bytes.checked_mul(*size));
        let end = bytes.and_then(|bytes| self.offset.checked_mul(size)?.checked_add(bytes));
        let begin = member.data_start().and_then(|start| usize::try_from(start).ok());
        match (begin, bytes, end) {
            (Some(begin), Some(bytes), Some(end)) if end as u64 <= member.size() => {
                let (start, end) = (begin.saturating_add(end - bytes), begin.saturating_add(end));
                Ok(TensorInfo { dtype: self.dtype, shape: self.shape, data_offsets: (start, end) })
            }
            _ => Err(format!("its values, `{name}`, are fewer than its shape {:?} needs", self.shape)),
        }
    }
}

#[cfg(test)]
mod tests;
