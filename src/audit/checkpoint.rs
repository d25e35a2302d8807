//! The signed head of a log: <https://c2sp.org/tlog-checkpoint>.

use super::hash::Hash;
use super::note::{NoteSigner, NoteVerifier};
use super::{AuditError, Edge};

/// How many entries a log has, and the root over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log. Also the name of the key that signs it.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The head of a log that ends in this edge, and the note that says so.
    #[must_use]
    pub fn sign(edge: &Edge, signer: &NoteSigner) -> (Self, String) {
        let checkpoint = Self { origin: signer.name().to_owned(), size: edge.size(), root: edge.root() };
        let note = signer.sign(&format!("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size, checkpoint.root));
        (checkpoint, note)
    }

    /// Reads a checkpoint that this key signed.
    ///
    /// # Errors
    /// When the note is damaged or not signed by this key, or what it signs is no checkpoint of the log of the key's name.
    pub fn open(note: &str, verifier: &NoteVerifier) -> Result<Self, AuditError> {
        let text = verifier.open(note)?;
        let checkpoint = Self::parse(text).ok_or(AuditError::BadCheckpoint)?;
        if checkpoint.origin == verifier.name() { Ok(checkpoint) } else { Err(AuditError::BadCheckpoint) }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, number, root) = (lines.next()?, lines.next()?, lines.next()?);
        let size: u64 = number.parse().ok()?;
        // Lines of extensions may follow, none of them empty.
        let well_formed = !origin.is_empty() && size.to_string() == number && lines.all(|line| !line.is_empty());
        let root = Hash::parse(root)?;
        well_formed.then(|| Self { origin: origin.to_owned(), size, root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_checkpoint_is_read_as_one() {
        let signer = NoteSigner::from_seed("log.example/audit", &[7; 32]).unwrap();
        let (checkpoint, note) = Checkpoint::sign(&Edge::default(), &signer);
        assert_eq!(Checkpoint::open(&note, &signer.verifier()).unwrap(), checkpoint);
        let root = Hash::empty();
        let open = |text: &str| Checkpoint::open(&signer.sign(text), &signer.verifier());
        assert!(open(&format!("log.example/audit\n0\n{root}\nan extension\n")).is_ok());
        for wrong in [
            format!("log.example/audit\n00\n{root}\n"),
            format!("log.example/audit\n+1\n{root}\n"),
            format!("log.example/audit\n-1\n{root}\n"),
            format!("another\n0\n{root}\n"),
            format!("log.example/audit\n0\n{root}\n\n"),
            "log.example/audit\n0\nAAAA\n".to_owned(),
            "log.example/audit\n0\n".to_owned(),
        ] {
            assert!(matches!(open(&wrong), Err(AuditError::BadCheckpoint)), "{wrong}");
        }
    }
}
