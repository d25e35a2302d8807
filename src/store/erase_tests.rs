//! Nothing is left of what was erased, whenever the process stopped.

use std::collections::HashSet;
use std::fs;

use super::holds::Heeded;
use super::tests::*;
use super::*;
use crate::record::{Draft, Signature};

async fn nothing_of_an_erased_recording_is_left_and_the_others_are_whole(site: Site) {
    let store = site.open().await;
    let (mut kept, mut gone) = (Vec::new(), Vec::new());
    for number in 0..10 {
        kept.push(filled(&store, &format!("stays{number} ")).await);
        gone.push(filled(&store, &format!("goes{number} ")).await);
    }
    // Rows grow between one another's rows, so that SQLite moves them from page to page.
    for round in 0..15 {
        for recording in kept.iter().chain(&gone) {
            let heard = segment(round, &"later".repeat(round as usize * 11));
            store.add_final(&recording.id, 1, round, round + 1, Some(&heard)).await.unwrap();
        }
    }
    let mut needles = HashSet::new();
    for (number, recording) in gone.iter().enumerate() {
        let old_hash = [0xb0 + number as u8; 32];
        store.set_token_hash(&recording.id, old_hash, &by()).await.unwrap();
        needles.insert(old_hash[..16].to_vec());
        store.set_token_hash(&recording.id, std::array::from_fn(|index| (number * 32 + index) as u8), &by()).await.unwrap();
        needles.insert((0..16).map(|index| (number * 32 + index) as u8).collect());
        needles.extend(recording.id.as_bytes().chunks_exact(16).map(<[u8]>::to_vec));
        let spool = fs::read(store.spool_path(&recording.id)).unwrap();
        // Behind its header, which another recording's spool may have too.
        needles.extend(spool[200..].chunks_exact(16).map(<[u8]>::to_vec));
        for value in sealed_values(&store, &recording.id).await {
            needles.extend(value.chunks_exact(16).map(<[u8]>::to_vec));
        }
    }
    let left = || {
        let found = files(site.path());
        assert!(!found.iter().any(|(name, _)| gone.iter().any(|recording| name.contains(&recording.id))) || gone.is_empty());
        found.iter().map(|(_, bytes)| bytes.windows(16).filter(|part| needles.contains(*part)).count()).sum::<usize>()
    };
    // Somebody else's old snapshot, for which PostgreSQL keeps deleted rows, as for its own analysis of tables.
    #[cfg(postgres)]
    let _snapshot = match &site.url {
        Some(url) => Some(postgres::snapshot(url).await),
        None => None,
    };
    for recording in &gone {
        store.erase(&recording.id, Erasable::Signed, &by()).await.unwrap();
        assert!(store.recording(&recording.id).await.unwrap().is_none());
        assert!(!holds(site.path(), recording.id.as_bytes()));
    }
    assert!(needles.len() > 10_000, "{} pieces were looked for", needles.len());
    assert_eq!(left(), 0, "while it is open");
    #[cfg(postgres)]
    if site.url.is_some() {
        let tables = postgres::tables(store.database().pool()).await;
        assert!(kept.iter().all(|recording| tables.windows(16).any(|part| part == recording.id.as_bytes())));
        assert_eq!(tables.windows(16).filter(|part| needles.contains(*part)).count(), 0, "in PostgreSQL's tables");
    }
    store.close().await;
    assert_eq!(left(), 0, "after it was closed");
    let store = site.open().await;
    assert_eq!(store.recordings().await.unwrap().len(), kept.len());
    for recording in &kept {
        assert_eq!(store.finals(&recording.id).await.unwrap().len(), 35);
        assert_eq!(store.document(&recording.id).await.unwrap().unwrap().version, 2);
    }
}

async fn an_erasing_that_was_interrupted_ends_at_the_next_start(site: Site) {
    let store = site.open().await;
    let recording = filled(&store, "gone").await;
    let sealed = sealed_values(&store, &recording.id).await;
    // As far as a process comes that is killed after the first step.
    assert!(store.mark(&recording.id, Erasable::Signed, &by(), Some(Heeded::All)).await.unwrap().is_some());
    assert!(store.recording(&recording.id).await.unwrap().is_none() && store.recordings().await.unwrap().is_empty());
    assert!(matches!(store.add_final(&recording.id, 3, 1, 2, None).await, Err(StoreError::Missing { .. })));
    assert!(matches!(store.finals(&recording.id).await, Err(StoreError::Missing { .. })));
    store.close().await;
    assert!(holds(site.path(), recording.id.as_bytes()));
    let store = site.open().await;
    assert!(!holds(site.path(), recording.id.as_bytes()));
    assert!(sealed.iter().all(|value| !holds(site.path(), &value[..16])));
    assert!(!store.spool_path(&recording.id).exists());
}

async fn a_signed_note_goes_only_where_that_may(site: Site) {
    let store = site.open().await;
    let signature = || Signature::new("Dr Chan", "2026-11-26T09:00:00Z").unwrap();
    for _ in 0..12 {
        let id = filled(&store, "signed").await.id;
        assert_eq!(store.erasable(&id).await.unwrap(), Erasable::Unsigned);
        let reviewed = Draft::new(2, note("2")).review(signature()).unwrap();
        store.save_review(&id, &reviewed, &SeenVisit::Unsaid, &by()).await.unwrap();
        assert_eq!(store.erasable(&id).await.unwrap(), Erasable::Unsigned);
        let signing = {
            let (store, id, signed) = (store.clone(), id.clone(), reviewed.sign(signature()));
            tokio::spawn(async move { store.save_signature(&id, &signed, &SeenVisit::Unsaid, &by()).await })
        };
        // At once: either it is erased and never signed, or signed and kept.
        let erased = store.erase(&id, Erasable::Unsigned, &by()).await;
        let signed = signing.await.unwrap();
        assert_ne!(erased.is_ok(), signed.is_ok(), "{erased:?} {signed:?}");
        if signed.is_ok() {
            assert!(matches!(erased, Err(StoreError::Signed)), "{erased:?}");
        }
    }
    let id = filled(&store, "kept").await.id;
    let reviewed = Draft::new(2, note("2")).review(signature()).unwrap();
    store.save_review(&id, &reviewed, &SeenVisit::Unsaid, &by()).await.unwrap();
    store.save_signature(&id, &reviewed.sign(signature()), &SeenVisit::Unsaid, &by()).await.unwrap();
    let before = events(&store).await.len();
    assert!(matches!(store.erase(&id, Erasable::Unsigned, &by()).await, Err(StoreError::Signed)));
    assert_eq!(events(&store).await.len(), before);
    assert_eq!(store.erasable(&id).await.unwrap(), Erasable::Signed);
    assert!(store.document(&id).await.unwrap().is_some());
    store.erase(&id, Erasable::Signed, &by()).await.unwrap();
    assert!(store.recording(&id).await.unwrap().is_none());
}

on_both! {
    a_signed_note_goes_only_where_that_may,
    nothing_of_an_erased_recording_is_left_and_the_others_are_whole,
    an_erasing_that_was_interrupted_ends_at_the_next_start,
}
