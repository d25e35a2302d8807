//! Keys that are lost, readable by others or another's, and values that somebody changed or moved.

use std::fs;

use super::keys::Whose;
use super::tests::*;
use super::*;

async fn a_master_key_that_others_can_read_is_refused(site: Site) {
    use std::os::unix::fs::PermissionsExt;
    drop(site.open().await);
    let path = site.path().join("master.key");
    for mode in [0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(site.try_open().await, Err(StoreError::Exposed { .. })), "{mode:o}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    site.open().await;
}

async fn a_lost_or_another_master_key_is_told_and_replaced_by_none(site: Site) {
    drop(site.open().await);
    let path = site.path().join("master.key");
    let key = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(matches!(site.try_open().await, Err(StoreError::LostKey { .. })));
    assert!(!path.exists());
    for wrong in [vec![1; 32], vec![1; 31], vec![1; 33], Vec::new()] {
        fs::write(&path, wrong).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert!(matches!(site.try_open().await, Err(StoreError::WrongKey { .. })));
    }
    fs::write(&path, key).unwrap();
    site.open().await;
}

async fn a_changed_value_is_an_error_that_names_its_row_and_not_its_content(site: Site) {
    let store = site.open().await;
    let recording = filled(&store, "sealed").await;
    let id = recording.id.as_str();
    let other_byte = "CAST(substr(segment, 1, 40) || x'00' || substr(segment, 42) AS BLOB)";
    tamper(&store, &format!("UPDATE finals SET segment = {other_byte} WHERE starts = 30")).await;
    let error = store.finals(id).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!("the stored finals.segment of recording {id}, channel 0, samples 30 to 35 is damaged or was moved there")
    );
    tamper(&store, "UPDATE notes SET document = x'0102' WHERE version = 2").await;
    assert!(matches!(whole(store.document(id).await), Ok(None)), "a list leaves it out");
    assert!(matches!(whole(store.document("no").await), Ok(None)), "as what was erased meanwhile");
    let error = store.document(id).await.unwrap_err().to_string();
    assert!(error.contains(&format!("notes.document of recording {id}, version 2")), "{error}");
    assert!(store.note_version(id, 1).await.unwrap().is_some(), "the other version is whole");
    tamper(&store, "UPDATE recordings SET speakers = x''").await;
    assert!(matches!(store.recording(id).await, Err(StoreError::Damaged { .. })));
    assert!(store.recordings().await.unwrap().is_empty(), "the list is shown without it");
    store.shared.keys.tamper(Whose::Recording, id, vec![0; 72]);
    assert!(store.recording(id).await.unwrap_err().to_string().contains("recordings.data_key"));
    store.erase(id, Erasable::Signed, &by()).await.unwrap();
}

async fn a_value_moved_to_another_place_is_refused(site: Site) {
    let store = site.open().await;
    let damaged = |result: Result<(), StoreError>| assert!(matches!(result, Err(StoreError::Damaged { .. })), "{result:?}");
    // To another row.
    let id = filled(&store, "one").await.id;
    tamper(&store, "UPDATE finals SET segment = (SELECT segment FROM finals WHERE starts = 20) WHERE starts = 10").await;
    damaged(store.finals(&id).await.map(drop));
    tamper(&store, "UPDATE notes SET document = (SELECT document FROM notes WHERE version = 1)").await;
    damaged(store.document(&id).await.map(drop));
    // To another channel: the row is the same, its place is not.
    let id = filled(&store, "two").await.id;
    tamper(&store, &format!("UPDATE finals SET channel = 1 WHERE starts = 10 AND recording = '{id}'")).await;
    damaged(store.finals(&id).await.map(drop));
    // To another column.
    let id = filled(&store, "three").await.id;
    let from = format!("(SELECT document FROM notes WHERE version = 1 AND recording = '{id}')");
    tamper(&store, &format!("UPDATE transcripts SET document = {from} WHERE recording = '{id}'")).await;
    damaged(store.document(&id).await.map(drop));
    // To another recording, with its key.
    let (mine, theirs) = (filled(&store, "four").await.id, filled(&store, "five").await.id);
    store.shared.keys.tamper(Whose::Recording, &mine, store.shared.keys.wrapped(Whose::Recording, &theirs).unwrap());
    damaged(store.recording(&mine).await.map(drop));
    // The same, by whoever has the keys themselves.
    let other = store.recording(&theirs).await.unwrap().unwrap();
    let wrapped = Whose::Recording.place(&mine).seal(store.shared.keys.master(), other.key.reveal()).unwrap();
    store.shared.keys.tamper(Whose::Recording, &mine, wrapped);
    tamper(&store, &format!("DELETE FROM finals WHERE recording = '{mine}'")).await;
    tamper(&store, &format!("UPDATE finals SET recording = '{mine}' WHERE recording = '{theirs}'")).await;
    damaged(store.finals(&mine).await.map(drop));
}

on_both! {
    a_master_key_that_others_can_read_is_refused,
    a_lost_or_another_master_key_is_told_and_replaced_by_none,
    a_changed_value_is_an_error_that_names_its_row_and_not_its_content,
    a_value_moved_to_another_place_is_refused,
}
