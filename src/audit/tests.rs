//! Logs in memory: proofs of every size, and every kind of damage found and named.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A log in memory, as a folder would hold it.
#[derive(Clone, Default)]
struct Log {
    edge: Edge,
    files: BTreeMap<String, Vec<u8>>,
}

impl LogFiles for Log {
    fn paths(&self) -> Result<Vec<String>, AuditError> {
        Ok(self.files.keys().filter(|path| path.starts_with("tile/")).cloned().collect())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, AuditError> {
        Ok(self.files.get(path).cloned())
    }
}

impl Log {
    /// A head is signed at each of these sizes.
    fn of_sizes(sizes: impl IntoIterator<Item = u64>) -> Self {
        let mut log = Self::default();
        sizes.into_iter().for_each(|size| log.grow_to(size));
        log
    }

    fn grow_to(&mut self, size: u64) {
        let (before, mut sheets) = (self.edge.size(), Vec::new());
        for number in before..size {
            self.edge.push(&entry(number), &mut sheets).unwrap();
        }
        sheets.extend(self.edge.partial(before));
        self.files.extend(sheets.into_iter().map(|sheet| (sheet.path.to_string(), sheet.bytes)));
        self.files.insert(CHECKPOINT.to_owned(), Checkpoint::sign(&self.edge, &signer()).1.into_bytes());
    }

    fn head(&self) -> Checkpoint {
        Checkpoint::sign(&self.edge, &signer()).0
    }

    fn faults(&self) -> Vec<Fault> {
        verify(self, &signer().verifier(), None).unwrap().faults
    }

    fn tree(&self) -> Tree<impl Fn(TilePath) -> Result<Vec<u8>, AuditError>> {
        Tree::new(self.edge.size(), |path| Ok(self.files[&path.to_string()].clone()))
    }

    fn entries_mut(&mut self, bundle: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let mut entries: Vec<Vec<u8>> = tile::entries_of(&self.files[bundle]).unwrap().into_iter().map(<[u8]>::to_vec).collect();
        change(&mut entries);
        let mut bytes = Vec::new();
        entries.iter().for_each(|entry| tile::put_entry(&mut bytes, entry).unwrap());
        self.files.insert(bundle.to_owned(), bytes);
    }

    fn flip(&mut self, path: &str, at: usize) {
        self.files.get_mut(path).unwrap()[at] ^= 1;
    }
}

fn signer() -> NoteSigner {
    NoteSigner::from_seed("log.example/audit", &[7; 32]).unwrap()
}

fn entry(number: u64) -> Vec<u8> {
    Event::new(UnixMillis(number), Actor::System, Action::View { count: 1 }, Outcome::Done).encode().unwrap()
}

/// RFC 6962, section 2.1, word for word.
fn merkle_tree_hash(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty(),
        [one] => *one,
        many => {
            let k = (1..).map(|power| 1 << power).find(|k| k * 2 >= many.len()).filter(|_| many.len() > 2).unwrap_or(1);
            Hash::node(merkle_tree_hash(&many[..k]), merkle_tree_hash(&many[k..]))
        }
    }
}

#[test]
fn proofs_of_every_size_verify_and_prove_nothing_else() {
    let leaves: Vec<Hash> = (0..70).map(|number| Hash::leaf(&entry(number))).collect();
    let roots: Vec<Hash> = (0..=leaves.len()).map(|size| merkle_tree_hash(&leaves[..size])).collect();
    let mut log = Log::default();
    for size in 0..=70_u64 {
        log.grow_to(size);
        let root = roots[size as usize];
        assert_eq!(log.edge.root(), root, "{size}");
        for index in 0..size {
            let proof = log.tree().inclusion(index).unwrap();
            let leaf = leaves[index as usize];
            verify_inclusion(leaf, index, size, &proof, root).unwrap();
            assert!(verify_inclusion(leaf, index + 1, size, &proof, root).is_err());
            assert!(verify_inclusion(Hash::empty(), index, size, &proof, root).is_err());
            assert!(verify_inclusion(leaf, index, size, &[proof.clone(), vec![root]].concat(), root).is_err());
            assert!(proof.is_empty() || verify_inclusion(leaf, index, size, &proof[1..], root).is_err());
        }
        for old in 0..=size {
            let proof = log.tree().consistency(old).unwrap();
            let old_root = roots[old as usize];
            assert_eq!(log.tree().root_of_first(old).unwrap(), old_root);
            verify_consistency(old, old_root, size, root, &proof).unwrap();
            assert!(verify_consistency(old, leaves[0], size, root, &proof).is_err() || old == 1);
            assert!(verify_consistency(old, old_root, size, Hash::empty(), &proof).is_err() || size == 0 || old == 0);
            assert!(verify_consistency(old, old_root, size, root, &[proof.clone(), vec![root]].concat()).is_err());
            assert!(proof.is_empty() || verify_consistency(old, old_root, size, root, &proof[1..]).is_err());
        }
        assert!(log.tree().inclusion(size).is_err() && log.tree().consistency(size + 1).is_err());
    }
}

#[test]
fn an_edge_comes_back_from_its_files() {
    let mut log = Log::default();
    for size in [0, 1, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537] {
        log.grow_to(size);
        let read = |path: TilePath| Ok::<_, AuditError>(log.files[&path.to_string()].clone());
        assert_eq!(Edge::restore(size, read).unwrap().root(), log.edge.root(), "{size}");
        assert_eq!(log.tree().root_of_first(size).unwrap(), log.edge.root(), "{size}");
        assert_eq!(log.faults(), [], "{size}");
        if let Some(last) = size.checked_sub(1) {
            let proof = log.tree().inclusion(last).unwrap();
            verify_inclusion(Hash::leaf(&entry(last)), last, size, &proof, log.edge.root()).unwrap();
        }
    }
}

/// One changed file at a time: whatever byte it is, the fault names that file, and where it can, the entry.
#[test]
fn every_flipped_byte_is_found_and_named() {
    let log = Log::of_sizes([2, 5]);
    for (path, bytes) in &log.files {
        for at in 0..bytes.len() {
            let mut changed = log.clone();
            changed.flip(path, at);
            if path == CHECKPOINT {
                assert!(verify(&changed, &signer().verifier(), None).is_err(), "{path} byte {at}");
                continue;
            }
            let faults = changed.faults();
            assert!(!faults.is_empty(), "{path} byte {at}");
            assert!(faults.iter().all(|fault| fault.to_string().contains(&format!("`{path}`"))), "{path} byte {at}: {faults:?}");
        }
    }
}

#[test]
fn what_is_changed_dropped_or_moved_is_named() {
    let log = Log::of_sizes([200, 300, 1000]);
    let bundle = "tile/entries/001";
    let after = |change: &dyn Fn(&mut Log)| {
        let mut changed = log.clone();
        change(&mut changed);
        changed.faults()
    };
    let entry_fault = |entry, instead| Fault::Entry { entry, path: bundle.to_owned(), instead };
    let malformed = Fault::Malformed { path: bundle.to_owned() };

    assert_eq!(after(&|log| log.entries_mut(bundle, |entries| entries[4] = entry(9999))), [entry_fault(260, None)]);
    assert_eq!(
        after(&|log| log.entries_mut(bundle, |entries| entries.swap(4, 9))),
        [entry_fault(260, Some(265)), entry_fault(265, Some(260))]
    );
    let dropped = after(&|log| log.entries_mut(bundle, |entries| drop(entries.remove(4))));
    assert_eq!(dropped, [malformed.clone(), entry_fault(260, Some(261))]);
    let added = after(&|log| log.entries_mut(bundle, |entries| entries.insert(4, entry(9999))));
    assert_eq!(added, [malformed, entry_fault(260, None)]);

    for path in log.files.keys().filter(|path| path.starts_with("tile/")) {
        let faults = after(&|log| drop(log.files.remove(path)));
        // A narrower file that is gone is none: it may be deleted once there is a wider one.
        let narrower = path.contains(".p/") && !TilePath::parse(path).is_some_and(|path| log.is_last(path));
        assert_eq!(faults, if narrower { vec![] } else { vec![Fault::Missing { path: path.clone() }] }, "{path}");
        let faults = after(&|log| drop(log.files.insert(path.clone(), Vec::new())));
        assert!(faults.iter().any(|fault| *fault == Fault::Malformed { path: path.clone() }), "{path}: {faults:?}");
    }

    let swapped = after(&|log| {
        let (a, b) = (log.files["tile/0/000"].clone(), log.files["tile/0/001"].clone());
        log.files.extend([("tile/0/000".to_owned(), b), ("tile/0/001".to_owned(), a)]);
    });
    assert_eq!(swapped, ["tile/0/000", "tile/0/001"].map(|path| Fault::Tile { path: path.to_owned(), hash: 0 }));
    let stray = after(&|log| drop(log.files.insert("tile/0/notes.txt".to_owned(), Vec::new())));
    assert_eq!(stray, [Fault::Stray { path: "tile/0/notes.txt".to_owned() }]);
}

impl Log {
    fn is_last(&self, path: TilePath) -> bool {
        TilePath::widest(path.layer, path.index, self.edge.size()) == Some(path)
    }
}

#[test]
fn files_that_were_made_to_fit_are_found_one_above() {
    let log = Log::of_sizes([1000]);
    let fitted = |levels: usize| {
        let mut changed = log.clone();
        changed.entries_mut("tile/entries/001", |entries| entries[4] = entry(9999));
        let bundle = TilePath { layer: Layer::Entries, index: 1, width: WIDTH };
        let hashes = tile::hashes_of(bundle, &changed.files["tile/entries/001"]).unwrap();
        let bytes = |hashes: &[Hash]| hashes.iter().flat_map(|hash| *hash.bytes()).collect::<Vec<u8>>();
        changed.files.insert("tile/0/001".to_owned(), bytes(&hashes));
        if levels > 1 {
            changed.files.get_mut("tile/1/000.p/3").unwrap()[32..64].copy_from_slice(hash::perfect(&hashes).bytes());
        }
        changed.faults()
    };
    assert_eq!(fitted(1), [Fault::Range { path: "tile/0/001".to_owned(), first: 256, last: 511 }]);
    assert_eq!(fitted(2), [Fault::Root]);
}

#[test]
fn an_entry_that_is_no_event_is_named_though_it_was_signed() {
    let mut log = Log::of_sizes([3]);
    log.edge.push(b"the patient has diabetes", &mut Vec::new()).unwrap();
    log.files.extend(log.edge.partial(3).into_iter().map(|sheet| (sheet.path.to_string(), sheet.bytes)));
    log.files.insert(CHECKPOINT.to_owned(), Checkpoint::sign(&log.edge, &signer()).1.into_bytes());
    assert_eq!(log.faults(), [Fault::NotAnEvent { entry: 3 }]);
}

#[test]
fn a_rolled_back_or_rewritten_log_is_found_by_what_was_seen() {
    let faults = |log: &Log, seen: &Checkpoint| verify(log, &signer().verifier(), Some(seen)).unwrap().faults;
    let (old, new) = (Log::of_sizes([300]), Log::of_sizes([300, 700]));
    assert_eq!(faults(&new, &old.head()), []);
    assert_eq!(faults(&new, &new.head()), []);
    assert_eq!(faults(&new, &Log::default().head()), []);
    assert_eq!(faults(&old, &new.head()), [Fault::RolledBack { size: 300, seen: 700 }]);
    // Written anew, without a fault in itself, by somebody who has the key.
    let mut rewritten = Log::default();
    rewritten.edge.push(&entry(9999), &mut Vec::new()).unwrap();
    rewritten.grow_to(700);
    assert_eq!(rewritten.faults(), []);
    assert_eq!(faults(&rewritten, &old.head()), [Fault::Rewritten { seen: 300 }]);
    assert_eq!(faults(&new, &Checkpoint { root: Hash::empty(), ..old.head() }), [Fault::Rewritten { seen: 300 }]);
}

#[test]
fn what_no_head_was_signed_for_is_counted_and_not_checked() {
    let mut log = Log::of_sizes([300]);
    let head = log.files[CHECKPOINT].clone();
    log.grow_to(600);
    log.files.insert(CHECKPOINT.to_owned(), head);
    let report = verify(&log, &signer().verifier(), None).unwrap();
    // Bundles and tiles 1 (full) and 2, and the wider tile of level 1.
    assert_eq!((report.faults, report.beyond), (vec![], 5));
}

#[test]
fn a_log_of_three_levels_is_checked_to_its_top() {
    let log = Log::of_sizes([65_536 + 257]);
    assert_eq!(log.faults(), []);
    for (path, at, hash) in [("tile/1/000", 33, 1), ("tile/2/000.p/1", 0, 0), ("tile/1/001.p/1", 31, 0), ("tile/0/000", 0, 0)] {
        let path = path.to_owned();
        let mut changed = log.clone();
        changed.flip(&path, at);
        assert_eq!(changed.faults(), [Fault::Tile { path, hash }]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any file, any byte, any size, whatever heads were signed on the way.
    #[test]
    fn a_flipped_byte_is_found(
        sizes in prop::collection::btree_set(1_u64..900, 1..4),
        file in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let mut log = Log::of_sizes(sizes);
        prop_assert_eq!(log.faults(), []);
        let path = file.get(&log.files.keys().cloned().collect::<Vec<_>>()).clone();
        let bytes = log.files.get_mut(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        match verify(&log, &signer().verifier(), None) {
            Err(_) => prop_assert_eq!(path, CHECKPOINT),
            Ok(report) => {
                prop_assert!(!report.faults.is_empty());
                let named = format!("`{path}`");
                prop_assert!(report.faults.iter().all(|fault| fault.to_string().contains(&named)), "{:?}", report.faults);
            }
        }
    }

    /// Whatever stands in a file, checking ends with an answer.
    #[test]
    fn any_bytes_in_a_file_are_borne(file in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut log = Log::of_sizes([3, 300]);
        let path = file.get(&log.files.keys().cloned().collect::<Vec<_>>()).clone();
        log.files.insert(path, bytes);
        prop_assert!(verify(&log, &signer().verifier(), None).map_or(true, |report| !report.faults.is_empty()));
    }
}
