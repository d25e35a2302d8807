//! Identifiers made from what they identify, so that one note gives one document.

use sha2::{Digest, Sha256};

use super::{Options, Party};
use crate::interop::InteropError;
use crate::note::Note;

/// What all identifiers of one document are made from: the note and everything said beside it.
pub(super) struct Seed([u8; 32]);

impl Seed {
    pub(super) fn new(note: &Note, options: &Options) -> Result<Self, InteropError> {
        let mut hash = Sha256::new();
        hash.update(serde_json::to_vec(note).map_err(|_| InteropError::NotJson)?);
        let party = |party: &Option<Party>| party.as_ref().map(Party::token).unwrap_or_default();
        let beside = [party(&options.patient), party(&options.author), options.at.as_str().into(), options.language.tag().into()];
        for part in beside {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Ok(Self(hash.finalize().into()))
    }

    /// What the identifiers of a resource by itself are made from.
    pub(super) fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// A UUID of version 8 (RFC 9562, section 5.8: from data of our own) for the `index`th resource of a kind.
    pub(super) fn uuid(&self, kind: &str, index: usize) -> String {
        let digest: [u8; 32] =
            Sha256::new().chain_update(self.0).chain_update(kind).chain_update((index as u64).to_be_bytes()).finalize().into();
        let (head, _) = digest.split_at(16);
        let number = head.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let number = number & !(0xF << 76) | 8 << 76;
        let number = number & !(0b11 << 62) | 0b10 << 62;
        let hex = format!("{number:032x}");
        let (a, rest) = hex.split_at(8);
        let (b, rest) = rest.split_at(4);
        let (c, rest) = rest.split_at(4);
        let (d, e) = rest.split_at(4);
        format!("{a}-{b}-{c}-{d}-{e}")
    }
}
