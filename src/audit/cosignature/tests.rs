//! Cosignatures that are right, and all that must not pass as one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::super::{Edge, NoteSigner};
use super::*;

const NOW: UnixMillis = UnixMillis(1_771_000_000_000);

/// A witness that cosigns whatever it is given. It is written from the specification, apart from the code that it tests.
pub(crate) struct TestWitness {
    name: String,
    key: SigningKey,
}

impl TestWitness {
    pub(crate) fn new(name: &str, seed: u8) -> Self {
        Self { name: name.to_owned(), key: SigningKey::from_bytes(&[seed; 32]) }
    }

    fn id(&self) -> [u8; 4] {
        let key = self.key.verifying_key();
        Sha256::digest([self.name.as_bytes(), b"\n\x04", key.as_bytes()].concat())[..4].try_into().unwrap()
    }

    /// Its public key.
    pub(crate) fn public(&self) -> String {
        let hex: String = self.id().iter().map(|byte| format!("{byte:02x}")).collect();
        let key = [&[4_u8][..], self.key.verifying_key().as_bytes()].concat();
        format!("{}+{hex}+{}", self.name, STANDARD.encode(key))
    }

    /// The line with which it cosigns this note's text.
    pub(crate) fn line(&self, note: &str, seconds: u64) -> String {
        let text = note.split_once("\n\n").unwrap().0;
        let signature = self.key.sign(format!("cosignature/v1\ntime {seconds}\n{text}\n").as_bytes());
        let bytes = [&self.id()[..], &seconds.to_be_bytes(), &signature.to_bytes()].concat();
        format!("\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }
}

fn signed() -> (Checkpoint, String, NoteVerifier) {
    let signer = NoteSigner::from_seed("log.example/audit", &[7; 32]).unwrap();
    let (mut edge, mut sheets) = (Edge::default(), Vec::new());
    edge.push(b"an entry", &mut sheets).unwrap();
    let (checkpoint, note) = Checkpoint::sign(&edge, &signer);
    (checkpoint, note, signer.verifier())
}

fn refused(found: Result<Option<Cosigned>, AuditError>) -> bool {
    matches!(found, Err(AuditError::NotCosigned { .. }))
}

/// The key and the cosignature in the example of <https://c2sp.org/tlog-cosignature> were not published together; what is there to
/// compare with is what another program wrote: PyPI's aics-witness, in `scripts/check-witness`.
#[test]
fn a_cosigned_checkpoint_is_read_with_its_time_and_others_are_passed_over() {
    let (checkpoint, note, log) = signed();
    let (ours, theirs) = (TestWitness::new("witness.example/w1", 1), TestWitness::new("witness.example/w2", 2));
    let cosigner = Cosigner::parse(&format!("{}\n", ours.public())).unwrap();
    assert_eq!((cosigner.name(), cosigner.to_string()), ("witness.example/w1", ours.public()));
    assert!(cosigner.path().starts_with("witnessed/witness_example_w1-") && cosigner.path().len() == 37);
    assert_eq!(cosigner.open(&note, &log, NOW).unwrap(), None);
    assert_eq!(cosigner.open(&format!("{note}{}", theirs.line(&note, 1_771_000_000)), &log, NOW).unwrap(), None);
    let both = format!("{note}{}{}", theirs.line(&note, 1_771_000_000), ours.line(&note, 1_770_999_999));
    let cosigned = cosigner.open(&both, &log, NOW).unwrap().unwrap();
    assert_eq!(cosigned.checkpoint, checkpoint);
    assert_eq!(cosigned.at, UnixMillis(1_770_999_999_000));
    assert_eq!(cosigned.note, format!("{note}{}", ours.line(&note, 1_770_999_999)));
    assert_eq!(cosigner.open(&cosigned.note, &log, NOW).unwrap(), Some(cosigned.clone()));
    // Whoever knows nothing of witnesses reads it as the log's.
    assert_eq!(Checkpoint::open(&cosigned.note, &log).unwrap(), checkpoint);
}

#[test]
fn what_is_no_cosignature_of_the_key_is_refused() {
    let (_, note, log) = signed();
    let ours = TestWitness::new("witness.example/w1", 1);
    let cosigner = Cosigner::parse(&ours.public()).unwrap();
    let line = ours.line(&note, 1_771_000_000);
    let open = |lines: &str| cosigner.open(&format!("{note}{lines}"), &log, NOW);
    assert!(open(&line).unwrap().is_some());
    assert!(refused(open(&format!("{line}{line}"))));
    for seconds in [0, 1_771_000_301, u64::MAX, u64::MAX / 1000] {
        assert!(refused(open(&ours.line(&note, seconds))), "{seconds}");
    }
    assert!(open(&ours.line(&note, 1_771_000_300)).unwrap().is_some());
    // Of another text, and of another key under this one's name and id.
    assert!(refused(open(&ours.line("log.example/audit\n2\nAAAA\n\n", 1_771_000_000))));
    let forged = |bytes: &[u8]| format!("\u{2014} witness.example/w1 {}\n", STANDARD.encode([&ours.id()[..], bytes].concat()));
    for length in [1, 7, 8, 64, 71, 72, 73, 2428] {
        assert!(refused(open(&forged(&vec![1; length]))), "{length} bytes");
    }
    // The signature of a note is no cosignature, be it of the same key.
    let plain = ours.key.sign(format!("{}\n", note.split_once("\n\n").unwrap().0).as_bytes()).to_bytes();
    assert!(refused(open(&forged(&[&1_771_000_000_u64.to_be_bytes()[..], &plain].concat()))));
    // A note that another log signed.
    let other = NoteSigner::from_seed("log.example/audit", &[8; 32]).unwrap().verifier();
    assert!(matches!(cosigner.open(&format!("{note}{line}"), &other, NOW), Err(AuditError::NotSigned { .. })));
}

#[test]
fn any_flipped_bit_of_a_cosignature_leaves_none() {
    let (_, note, log) = signed();
    let ours = TestWitness::new("w", 1);
    let cosigner = Cosigner::parse(&ours.public()).unwrap();
    let line = ours.line(&note, 1_771_000_000);
    for at in 0..line.len() {
        for bit in 0..8 {
            let mut bytes = line.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let found = cosigner.open(&format!("{note}{changed}"), &log, NOW);
            assert!(!matches!(found, Ok(Some(_))), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn keys_that_are_no_witnesses_are_refused() {
    let good = TestWitness::new("w", 1).public();
    let log = NoteSigner::from_seed("w", &[1; 32]).unwrap().verifier().to_string();
    assert!(Cosigner::parse(&log).is_err() && NoteVerifier::parse(&good).is_err());
    // A point of small order: signatures of any text can be made for it by anybody.
    let weak = VerifyingKey::from_bytes(&[0; 32]).unwrap();
    let id: String = Sha256::digest([&b"w\n\x04"[..], &[0; 32]].concat())[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let weak = format!("w+{id}+{}", STANDARD.encode([&[4_u8][..], weak.as_bytes()].concat()));
    for wrong in ["", "w", &good.replace("w+", "other+"), &good[2..], &format!("{good}A"), &weak] {
        assert!(matches!(Cosigner::parse(wrong), Err(AuditError::BadCosigner)), "{wrong}");
    }
}

#[test]
fn a_request_is_what_the_specification_has() {
    let (head, note, log) = signed();
    let hash = Hash::empty();
    let request = |old, proof| Submission { log: log.clone(), head: head.clone(), note: note.clone(), old, proof }.body();
    assert_eq!(request(0, vec![]), format!("old 0\n\n{note}"));
    assert_eq!(request(12, vec![hash, hash]), format!("old 12\n{hash}\n{hash}\n\n{note}"));
    assert_eq!(read_size("0\n"), Some(0));
    assert_eq!(read_size("18446744073709551615\n"), Some(u64::MAX));
    for wrong in ["", "\n", "1", "01\n", "+1\n", "-1\n", "1 \n", "1\n\n", "1\n2\n", "18446744073709551616\n", "x\n"] {
        assert_eq!(read_size(wrong), None, "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn no_answer_of_a_witness_passes_as_a_cosignature_or_breaks_anything(answer in "(?s)(\u{2014} w [A-Za-z0-9+/=]{0,110}\n|.{0,40}|\n){0,5}") {
        let (_, note, log) = signed();
        let cosigner = Cosigner::parse(&TestWitness::new("w", 1).public()).unwrap();
        let found = cosigner.open(&format!("{note}{answer}"), &log, NOW);
        prop_assert!(!matches!(found, Ok(Some(_))));
    }
}
