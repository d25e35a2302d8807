//! Reading a SentencePiece model as far as it is needed: its pieces, and cutting words into them.
//!
//! The file is a protocol buffer (<https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto>): field 1 of the
//! model is a piece, and of a piece field 1 its text, field 2 its score and field 3 its type. Everything else is passed over.

use std::collections::HashMap;

/// What a piece is; the numbers are the file's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, 1; the file leaves it out.
    Normal,
    /// Stands for all text that has no piece, 2.
    Unknown,
    /// Never text, 3.
    Control,
    /// Text, 4, or a tag, that is never cut.
    UserDefined,
    /// Never produced, 5.
    Unused,
    /// One byte, 6, written as `<0xE8>`.
    Byte,
}

/// A piece, whose place in the file is its id.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// `▁` stands for a space.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// Of two pieces the one of the higher score is made first of a text.
    pub score: f32,
}

/// A field of a message.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Single(f32),
    /// Eight bytes, of which nothing is needed here.
    Fixed,
}

/// Cuts texts into pieces, as SentencePiece's byte-pair encoding does
/// (<https://github.com/google/sentencepiece/blob/master/src/bpe_model.cc>).
pub struct Pieces {
    /// Ids and scores of pieces of text, by the text; `▁` is a space in it.
    by_text: HashMap<String, (u32, f32)>,
}

impl Pieces {
    /// Of all pieces, in order of their ids.
    #[must_use]
    pub fn new(pieces: &[Piece]) -> Self {
        let text = |(id, piece): (u32, &Piece)| match piece.kind {
            Kind::Normal | Kind::UserDefined => Some((piece.text.replace('\u{2581}', " "), (id, piece.score))),
            _ => None,
        };
        Self { by_text: (0..).zip(pieces).filter_map(text).collect() }
    }

    /// The ids of a text; nothing where a character has no piece.
    #[must_use]
    pub fn cut(&self, text: &str) -> Option<Vec<u32>> {
        let mut parts: Vec<String> = text.chars().map(String::from).collect();
        loop {
            let pairs = parts.windows(2).enumerate().filter_map(|(place, pair)| {
                let joined = pair.concat();
                let (_, score) = self.by_text.get(&joined)?;
                Some((place, joined, *score))
            });
            // The first of equals.
            let best = pairs.reduce(|best, next| if next.2 > best.2 { next } else { best });
            let Some((place, joined, _)) = best else { break };
            parts.splice(place..place + 2, [joined]);
        }
        parts.iter().map(|part| self.by_text.get(part).map(|(id, _)| *id)).collect()
    }
}

/// All pieces, in order of their ids.
///
/// # Errors
/// What is wrong, for bytes that are no SentencePiece model or are cut short.
pub fn pieces(mut model: &[u8]) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    while !model.is_empty() {
        if let (1, Field::Bytes(piece)) = next(&mut model).ok_or("it is cut short, or no SentencePiece model")? {
            pieces.push(read_piece(piece).ok_or_else(|| format!("piece {} is malformed", pieces.len()))?);
        }
    }
    if pieces.is_empty() { Err("it has no pieces: no SentencePiece model".to_owned()) } else { Ok(pieces) }
}

fn read_piece(mut message: &[u8]) -> Option<Piece> {
    let mut piece = Piece { text: String::new(), kind: Kind::Normal, score: 0.0 };
    while !message.is_empty() {
        match next(&mut message)? {
            (1, Field::Bytes(text)) => piece.text = std::str::from_utf8(text).ok()?.to_owned(),
            (2, Field::Single(score)) => piece.score = score,
            (3, Field::Number(kind)) => {
                piece.kind = match kind {
                    1 => Kind::Normal,
                    2 => Kind::Unknown,
                    3 => Kind::Control,
                    4 => Kind::UserDefined,
                    5 => Kind::Unused,
                    6 => Kind::Byte,
                    _ => return None,
                }
            }
            _ => {}
        }
    }
    Some(piece)
}

/// Takes a field with its number off the front.
fn next<'a>(message: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let key = number(message)?;
    let field = match key & 7 {
        0 => Field::Number(number(message)?),
        1 => take(message, 8).map(|_| Field::Fixed)?,
        2 => {
            let length = usize::try_from(number(message)?).ok()?;
            Field::Bytes(take(message, length)?)
        }
        5 => Field::Single(f32::from_le_bytes(take(message, 4)?.try_into().ok()?)),
        _ => return None,
    };
    Some((key >> 3, field))
}

/// Takes a number, seven bits a byte, the lowest first.
fn number(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = *take(message, 1)?.first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(message: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A piece with a score, as the library writes it.
    fn message(text: &str, kind: Option<u8>) -> Vec<u8> {
        let mut piece = vec![0x0a, text.len() as u8];
        piece.extend(text.as_bytes());
        piece.extend([0x15, 0, 0, 0x80, 0xbf]);
        piece.extend(kind.into_iter().flat_map(|kind| [0x18, kind]));
        [vec![0x0a, piece.len() as u8], piece].concat()
    }

    #[test]
    fn pieces_are_read_and_the_rest_is_passed_over() {
        let trainer = [0x12, 2, 0x18, 1];
        let model = [message("<unk>", Some(2)), message("▁食", None), trainer.to_vec(), message("<0xE8>", Some(6))].concat();
        let found = pieces(&model).unwrap();
        let found: Vec<(&str, Kind)> = found.iter().map(|piece| (piece.text.as_str(), piece.kind)).collect();
        assert_eq!(found, [("<unk>", Kind::Unknown), ("▁食", Kind::Normal), ("<0xE8>", Kind::Byte)]);
    }

    #[test]
    fn a_text_is_cut_into_the_pieces_of_the_highest_score() {
        let piece = |text: &str, kind, score| Piece { text: text.to_owned(), kind, score };
        let letters = ["a", "b", "c", "▁"].map(|letter| piece(letter, Kind::Normal, -9.0));
        let longer = [("ab", -1.0), ("bc", -2.0), ("abc", -3.0), ("▁a", -4.0)];
        let longer = longer.map(|(text, score)| piece(text, Kind::Normal, score));
        let pieces = Pieces::new(&[[piece("<unk>", Kind::Unknown, 0.0)].as_slice(), &letters, &longer].concat());
        assert_eq!(pieces.cut("abc"), Some(vec![7]));
        assert_eq!(pieces.cut("abbc"), Some(vec![5, 6]));
        assert_eq!(pieces.cut(" aa"), Some(vec![8, 1]));
        assert_eq!(pieces.cut("a食"), None);
    }

    #[test]
    fn what_is_no_model_is_refused() {
        let model = message("食", Some(4));
        for cut in 1..model.len() {
            assert!(pieces(&model[..cut]).is_err(), "{cut} bytes");
        }
        for bytes in [&b""[..], b"{\"model\": 1}", &[0x0a, 2, 0x18, 9], &[0xff; 12], &[0x12, 0]] {
            assert!(pieces(bytes).is_err(), "{bytes:?}");
        }
    }
}
