//! A new master key.

use super::{MasterSource, Opening, Store, StoreError};

/// Wraps all keys of a data folder, which nobody uses, with a new master key: one that is made and kept in the folder, or one from where
/// the operator keeps it. Says how many keys of recordings and patients that were.
///
/// Until the key store has changed, which it does all at once, the former master key opens the folder, and from then on the new one alone.
///
/// # Errors
/// As [`Store::open_with`]; when the new key cannot be had or is the present one; when something cannot be written.
pub async fn rotate_keys(opening: &Opening, new: &MasterSource) -> Result<usize, StoreError> {
    let store = Store::open_with(opening).await?;
    store.tell_unlocked().await?;
    let (keys, folder) = (&store.shared.keys, &store.shared.folder);
    let key = if *new == MasterSource::Folder { folder.make_next_master_key()? } else { new.fetch_elsewhere().await? };
    if keys.is_master(&key) {
        return Err(StoreError::SameKey);
    }
    let count = keys.rotate(&key).await?;
    if *new == MasterSource::Folder {
        folder.settle_master_key(&key)?;
    } else if opening.master == MasterSource::Folder {
        folder.remove_master_key()?;
    }
    store.close().await;
    // Opens it as it will be opened from now on, and keeps the event.
    Store::open_with(&Opening { master: new.clone(), ..opening.clone() }).await?.close().await;
    Ok(count)
}
