//! Signed notes: <https://c2sp.org/signed-note>, with Ed25519.
//!
//! ```text
//! text, ending in a line break
//! (an empty line)
//! — NAME BASE64(4 bytes that name the key, 64 bytes of signature)
//! ```
//!
//! Keys are written as the format's own tools write them: a public one as `NAME+HASH+BASE64`, a private one with `PRIVATE+KEY+`
//! before it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::AuditError;

/// The signature type of Ed25519.
const ED25519: u8 = 1;
/// Bytes of a public key and of a secret one.
const KEY_BYTES: usize = 32;
/// What a private key's text begins with.
const PRIVATE: &str = "PRIVATE+KEY+";
/// What each line of a signature begins with.
const DASH: &str = "\u{2014} ";
/// Longer notes, and notes with more signatures, are not read. Sixteen signatures of the largest kind have room.
const MOST_BYTES: usize = 128 << 10;
const MOST_SIGNATURES: usize = 64;

/// What a key is found by in a note: its name and the first bytes of a hash of both.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct KeyName {
    pub(super) name: String,
    id: [u8; 4],
}

impl KeyName {
    /// What a key of this signature type is found by.
    fn new(name: &str, kind: u8, key: &VerifyingKey) -> Result<Self, AuditError> {
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(AuditError::BadKeyName);
        }
        let hash: [u8; 32] =
            Sha256::new_with_prefix(name).chain_update([b'\n', kind]).chain_update(key.as_bytes()).finalize().into();
        let [a, b, c, d, ..] = hash;
        Ok(Self { name: name.to_owned(), id: [a, b, c, d] })
    }

    /// Reads a public key of this signature type.
    pub(super) fn parse(text: &str, kind: u8) -> Result<(Self, VerifyingKey), AuditError> {
        let (name, id, key) = parts(text.trim(), kind)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| AuditError::BadKey)?;
        let name = Self::new(name, kind, &key)?;
        if name.id == id { Ok((name, key)) } else { Err(AuditError::BadKey) }
    }

    /// The public key's text.
    pub(super) fn written(&self, kind: u8, key: &VerifyingKey) -> String {
        let bytes: Vec<u8> = std::iter::once(kind).chain(*key.as_bytes()).collect();
        format!("{}+{}+{}", self.name, self.hex(), STANDARD.encode(bytes))
    }

    pub(super) fn hex(&self) -> String {
        self.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A note taken apart. Whose its signatures are, and whether they are right, was not looked at.
pub(super) struct Note<'a> {
    /// What is signed.
    pub(super) text: &'a str,
    signatures: Vec<SignatureLine<'a>>,
}

/// A signature, by whomever.
pub(super) struct SignatureLine<'a> {
    /// The line, without its end.
    pub(super) line: &'a str,
    name: &'a str,
    id: [u8; 4],
    /// What follows the key's id.
    pub(super) signature: Vec<u8>,
}

impl<'a> Note<'a> {
    /// Takes a note apart.
    ///
    /// # Errors
    /// [`AuditError::BadNote`] where it is none.
    pub(super) fn parse(note: &'a str) -> Result<Self, AuditError> {
        if note.len() > MOST_BYTES || note.chars().any(|c| c.is_control() && c != '\n') {
            return Err(AuditError::BadNote);
        }
        // The last empty line: the text may have others.
        let (before, signatures) = note.rsplit_once("\n\n").ok_or(AuditError::BadNote)?;
        let text = note.get(..=before.len()).ok_or(AuditError::BadNote)?;
        let signatures = signatures.strip_suffix('\n').ok_or(AuditError::BadNote)?;
        if signatures.split('\n').count() > MOST_SIGNATURES {
            return Err(AuditError::BadNote);
        }
        let signatures: Option<Vec<_>> = signatures.split('\n').map(SignatureLine::parse).collect();
        Ok(Self { text, signatures: signatures.ok_or(AuditError::BadNote)? })
    }

    /// The signatures that say they are of this key. One that signed twice has none that counts.
    pub(super) fn by(&self, key: &KeyName) -> Vec<&SignatureLine<'a>> {
        self.signatures.iter().filter(|line| line.name == key.name && line.id == key.id).collect()
    }
}

impl<'a> SignatureLine<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
        let signature = STANDARD.decode(signature).ok()?;
        let (id, signature) = signature.split_first_chunk::<4>()?;
        let whole = !name.is_empty() && !signature.is_empty();
        whole.then(|| Self { line, name, id: *id, signature: signature.to_vec() })
    }
}

/// Who signs notes. Its `Debug` shows the name alone; the secret is wiped when dropped.
pub struct NoteSigner {
    name: KeyName,
    key: SigningKey,
}

impl NoteSigner {
    /// A signer of this name whose secret is these 32 random bytes.
    ///
    /// # Errors
    /// When the name is empty or has a space, a control character or a plus in it.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, AuditError> {
        let key = SigningKey::from_bytes(seed);
        Ok(Self { name: KeyName::new(name, ED25519, &key.verifying_key())?, key })
    }

    /// Reads a private key as [`Self::reveal`] writes it.
    ///
    /// # Errors
    /// [`AuditError::BadKey`] where it is none, or none of Ed25519.
    pub fn parse(text: &str) -> Result<Self, AuditError> {
        let (name, id, secret) = parts(text.trim().strip_prefix(PRIVATE).ok_or(AuditError::BadKey)?, ED25519)?;
        let signer = Self::from_seed(name, &secret)?;
        if signer.name.id == id { Ok(signer) } else { Err(AuditError::BadKey) }
    }

    /// The private key. Call this only to write it to a file that nobody else can read.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(self.key.to_bytes());
        let mut key = Zeroizing::new(vec![ED25519]);
        key.extend_from_slice(secret.as_slice());
        let key = Zeroizing::new(STANDARD.encode(&*key));
        Zeroizing::new(format!("{PRIVATE}{}+{}+{}", self.name.name, self.name.hex(), *key))
    }

    /// What others check its notes with.
    #[must_use]
    pub fn verifier(&self) -> NoteVerifier {
        NoteVerifier { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name.name
    }

    /// The whole note of this text, which ends in a line break.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let mut signature = self.name.id.to_vec();
        signature.extend(self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n{DASH}{} {}\n", self.name.name, STANDARD.encode(signature))
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.name.name)
    }
}

/// Whose signature is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    name: KeyName,
    key: VerifyingKey,
}

impl NoteVerifier {
    /// Reads a public key, `NAME+HASH+BASE64`.
    ///
    /// # Errors
    /// [`AuditError::BadKey`] where it is none, or none of Ed25519.
    pub fn parse(text: &str) -> Result<Self, AuditError> {
        let (name, key) = KeyName::parse(text, ED25519)?;
        Ok(Self { name, key })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name.name
    }

    /// The text of a note that this key signed. Signatures of others are passed over.
    ///
    /// # Errors
    /// [`AuditError::BadNote`] where it is no note; [`AuditError::NotSigned`] where no signature of it is this key's, or one that
    /// claims to be is not.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, AuditError> {
        Ok(self.opened(note)?.0.text)
    }

    /// The note taken apart, and the line of this key's signature.
    pub(super) fn opened<'a>(&self, note: &'a str) -> Result<(Note<'a>, &'a str), AuditError> {
        let note = Note::parse(note)?;
        let line = match *note.by(&self.name) {
            [signature] => {
                let right = Signature::from_slice(&signature.signature).map_err(|_| AuditError::BadNote)?;
                self.key.verify_strict(note.text.as_bytes(), &right).ok().map(|()| signature.line)
            }
            _ => None,
        };
        let line = line.ok_or_else(|| AuditError::NotSigned { by: self.to_string() })?;
        Ok((note, line))
    }
}

impl fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name.written(ED25519, &self.key))
    }
}

impl fmt::Debug for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteVerifier({self})")
    }
}

/// Name, id and the 32 bytes of a key.
type Parts<'a> = (&'a str, [u8; 4], Zeroizing<[u8; KEY_BYTES]>);

/// Takes the text of a key of this signature type apart.
fn parts(text: &str, kind: u8) -> Result<Parts<'_>, AuditError> {
    let (name, rest) = text.split_once('+').ok_or(AuditError::BadKey)?;
    let (id, key) = rest.split_once('+').ok_or(AuditError::BadKey)?;
    let is_hex = id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let id = u32::from_str_radix(id, 16).ok().filter(|_| is_hex).ok_or(AuditError::BadKey)?;
    let key = Zeroizing::new(STANDARD.decode(key).map_err(|_| AuditError::BadKey)?);
    match key.split_first() {
        Some((found, key)) if *found == kind => {
            let key: [u8; KEY_BYTES] = key.try_into().map_err(|_| AuditError::BadKey)?;
            Ok((name, id.to_be_bytes(), Zeroizing::new(key)))
        }
        _ => Err(AuditError::BadKey),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_were_written_and_a_signer_shows_its_name_alone() {
        let signer = NoteSigner::from_seed("log.example/audit", &[7; 32]).unwrap();
        let again = NoteSigner::parse(&signer.reveal()).unwrap();
        assert_eq!(again.verifier(), NoteVerifier::parse(&signer.verifier().to_string()).unwrap());
        assert_eq!(again.sign("text\n"), signer.sign("text\n"));
        assert!(NoteVerifier::parse(&signer.reveal()).is_err() && NoteSigner::parse(&signer.verifier().to_string()).is_err());
        assert_eq!(format!("{signer:?}"), "NoteSigner(log.example/audit)");
    }

    #[test]
    fn any_flipped_bit_of_a_note_is_found() {
        let signer = NoteSigner::from_seed("log.example/audit", &[7; 32]).unwrap();
        let note = signer.sign("first\n\nsecond\n");
        assert_eq!(signer.verifier().open(&note).unwrap(), "first\n\nsecond\n");
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let opened = String::from_utf8(bytes).is_ok_and(|note| signer.verifier().open(&note).is_ok());
                assert!(!opened, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn signatures_of_others_are_passed_over_and_do_not_count() {
        let ours = NoteSigner::from_seed("ours", &[1; 32]).unwrap();
        let theirs = NoteSigner::from_seed("theirs", &[2; 32]).unwrap();
        let line = |signer: &NoteSigner| signer.sign("text\n").split_once("\n\n").unwrap().1.to_owned();
        let both = format!("text\n\n{}{}", line(&theirs), line(&ours));
        assert_eq!(ours.verifier().open(&both).unwrap(), "text\n");
        assert_eq!(theirs.verifier().open(&both).unwrap(), "text\n");
        let twice = format!("text\n\n{}{}", line(&ours), line(&ours));
        assert!(matches!(ours.verifier().open(&twice), Err(AuditError::NotSigned { .. })));
        let other = NoteSigner::from_seed("ours", &[3; 32]).unwrap();
        assert!(matches!(other.verifier().open(&both), Err(AuditError::NotSigned { .. })));
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let good = NoteSigner::from_seed("log", &[1; 32]).unwrap().verifier().to_string();
        assert!(NoteVerifier::parse(&format!("{good}\n")).is_ok());
        for wrong in ["", "log", "log+1", &good.replace("log+", "other+"), &good.replace('+', ""), &format!("{good}A")] {
            assert!(NoteVerifier::parse(wrong).is_err(), "{wrong}");
        }
        for name in ["", "a b", "a+b", "a\nb"] {
            assert!(NoteSigner::from_seed(name, &[1; 32]).is_err());
        }
    }
}
