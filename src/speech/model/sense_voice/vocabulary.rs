//! What the ids of a checkpoint mean, from its SentencePiece model.

use std::path::{Path, PathBuf};

use super::sentence_piece::{self, Kind, Piece, Pieces};
use crate::speech::SpeechError;
use crate::speech::model::Language;
use crate::speech::model::weights::read_file;
use crate::text::PatientText;

/// What an id stands for.
enum Meaning {
    /// Bytes of text: not always whole characters.
    Text(Box<[u8]>),
    /// A remark about the utterance, written `<|name|>`.
    Tag(String),
    /// Nothing that is written.
    Nothing,
}

/// The tokens of one checkpoint. Ids are looked up, never assumed.
pub struct Vocabulary {
    path: PathBuf,
    meanings: Vec<Meaning>,
    pieces: Pieces,
}

impl Vocabulary {
    /// Reads the SentencePiece model `path`.
    ///
    /// # Errors
    /// A file that is missing or no SentencePiece model.
    pub fn load(path: PathBuf) -> Result<Self, SpeechError> {
        match sentence_piece::pieces(&read_file(&path)?) {
            Ok(pieces) => {
                let cut = Pieces::new(&pieces);
                Ok(Self { path, meanings: pieces.into_iter().map(meaning).collect(), pieces: cut })
            }
            Err(problem) => Err(SpeechError::Format { path, problem }),
        }
    }

    /// The file that it was read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many ids there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.meanings.len()
    }

    /// The bytes that the id stands for; nothing for a tag, or what is never written.
    #[must_use]
    pub fn piece(&self, id: u32) -> Option<&[u8]> {
        match self.meanings.get(usize::try_from(id).ok()?)? {
            Meaning::Text(bytes) => Some(bytes),
            Meaning::Tag(_) | Meaning::Nothing => None,
        }
    }

    /// The name of a tag; nothing for any other id.
    #[must_use]
    pub fn tag(&self, id: u32) -> Option<&str> {
        match self.meanings.get(usize::try_from(id).ok()?)? {
            Meaning::Tag(name) => Some(name),
            Meaning::Text(_) | Meaning::Nothing => None,
        }
    }

    /// The ways in which a text may be written, as ids: in capitals as it is and in none, a word of letters with a space in front and
    /// without. None where the vocabulary lacks a character.
    #[must_use]
    pub fn spell(&self, text: &PatientText) -> Vec<Vec<u32>> {
        let mut ways = vec![text.reveal().to_owned(), text.reveal().to_lowercase()];
        if text.reveal().starts_with(|first: char| first.is_ascii_alphanumeric()) {
            ways.extend(ways.clone().into_iter().map(|way| format!(" {way}")));
        }
        ways.sort_unstable();
        ways.dedup();
        ways.into_iter().filter_map(|way| self.pieces.cut(&way)).collect()
    }

    /// The id of a tag, where the vocabulary has it.
    #[must_use]
    pub fn find_tag(&self, name: &str) -> Option<u32> {
        let place = self.meanings.iter().position(|meaning| matches!(meaning, Meaning::Tag(tag) if tag == name));
        place.and_then(|place| u32::try_from(place).ok())
    }

    /// The id of the tag that says which language was heard.
    #[must_use]
    pub fn language(&self, language: Language) -> Option<u32> {
        self.find_tag(language.code())
    }

    /// The text of the ids, without the space that SentencePiece puts in front; tags are left out, broken characters replaced.
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> PatientText {
        let bytes: Vec<u8> = ids.iter().filter_map(|id| self.piece(*id)).flatten().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        text.strip_prefix(' ').unwrap_or(&text).into()
    }
}

fn meaning(piece: Piece) -> Meaning {
    let Piece { text, kind, .. } = piece;
    let tag = text.strip_prefix("<|").and_then(|text| text.strip_suffix("|>"));
    match (kind, tag) {
        (_, Some(tag)) => Meaning::Tag(tag.to_owned()),
        (Kind::Unknown | Kind::Control | Kind::Unused, None) => Meaning::Nothing,
        (Kind::Byte, None) => {
            let digits = text.strip_prefix("<0x").and_then(|text| text.strip_suffix('>'));
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            byte.map_or(Meaning::Nothing, |byte| Meaning::Text(Box::new([byte])))
        }
        (Kind::Normal | Kind::UserDefined, None) => Meaning::Text(text.replace('\u{2581}', " ").into_bytes().into()),
    }
}
