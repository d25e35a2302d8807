//! CTranslate2's model file, read with distrust.
//!
//! Little-endian. A header (format version, name of the specification, its revision, number of variables); then each variable: name,
//! rank, dimensions, type, number of bytes, data; then aliases, pairs of names. A name is a 16-bit length, which counts a closing
//! NUL, and its bytes.

use std::collections::BTreeMap;

/// Format versions that this reader was written against.
const VERSIONS: std::ops::RangeInclusive<u32> = 5..=6;
/// Weights of Whisper have at most three dimensions; more than this is no such file.
const MAX_RANK: u8 = 8;

/// How a variable's values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Float32,
    Int8,
    Int16,
    Int32,
    Float16,
}

impl Kind {
    fn from_id(id: u8) -> Option<Self> {
        [Self::Float32, Self::Int8, Self::Int16, Self::Int32, Self::Float16].get(usize::from(id)).copied()
    }

    /// Bytes of one value.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Float32 | Self::Int32 => 4,
            Self::Int16 | Self::Float16 => 2,
            Self::Int8 => 1,
        }
    }
}

/// One variable: its dimensions and its bytes, which are exactly as many as those need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variable<'a> {
    shape: [usize; MAX_RANK as usize],
    rank: usize,
    pub(super) kind: Kind,
    pub(super) bytes: &'a [u8],
}

impl Variable<'_> {
    pub(super) fn shape(&self) -> &[usize] {
        self.shape.get(..self.rank).unwrap_or_default()
    }
}

/// A whole model file.
#[derive(Debug)]
pub(super) struct Model<'a> {
    pub(super) specification: String,
    pub(super) variables: BTreeMap<String, Variable<'a>>,
}

impl<'a> Model<'a> {
    /// Reads a file; every count in it is checked against the bytes that are there before it is used.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let mut rest = Rest(bytes);
        let version = rest.u32()?;
        if !VERSIONS.contains(&version) {
            return Err(format!("it is not a CTranslate2 model, or of format version {version}, which is not known"));
        }
        let specification = rest.name()?;
        let _revision = rest.u32()?;
        let mut variables = BTreeMap::new();
        for _ in 0..rest.u32()? {
            let name = rest.name()?;
            let variable = rest.variable().map_err(|why| format!("`{name}`: {why}"))?;
            if variables.insert(name.clone(), variable).is_some() {
                return Err(format!("`{name}` is there twice"));
            }
        }
        // Aliases name what is tied; Whisper's output layer is tied to the token embedding in every layout.
        for _ in 0..rest.u32()? {
            rest.name()?;
            rest.name()?;
        }
        if rest.0.is_empty() {
            Ok(Self { specification, variables })
        } else {
            Err(format!("{} bytes follow its end", rest.0.len()))
        }
    }
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| "it is cut short".to_owned())?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.take(N)?.try_into().map_err(|_| "it is cut short".to_owned())
    }

    fn u8(&mut self) -> Result<u8, String> {
        self.array().map(u8::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    fn name(&mut self) -> Result<String, String> {
        let length = self.array().map(u16::from_le_bytes)?;
        match self.take(usize::from(length))?.split_last() {
            Some((0, name)) => String::from_utf8(name.to_vec()).map_err(|_| "a name is not UTF-8".to_owned()),
            _ => Err("a name does not end where it should".to_owned()),
        }
    }

    fn variable(&mut self) -> Result<Variable<'a>, String> {
        let rank = self.u8()?;
        if rank > MAX_RANK {
            return Err(format!("it has {rank} dimensions"));
        }
        let mut shape = [0; MAX_RANK as usize];
        for dimension in shape.iter_mut().take(usize::from(rank)) {
            *dimension = self.u32()? as usize;
        }
        let id = self.u8()?;
        let kind = Kind::from_id(id).ok_or_else(|| format!("its type {id} is not known"))?;
        let count = self.u32()? as usize;
        let dimensions = shape.iter().take(usize::from(rank));
        let needed = dimensions.copied().try_fold(kind.size(), usize::checked_mul);
        if needed != Some(count) {
            return Err(format!("its {count} bytes do not fit its dimensions"));
        }
        Ok(Variable { shape, rank: usize::from(rank), kind, bytes: self.take(count)? })
    }
}
