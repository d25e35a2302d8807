//! A file for bytes that must be on disk for a while, and can never be read again.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use zeroize::Zeroizing;

use super::{Key, SpoolError};

/// A file without a name, its bytes enciphered with a key that only this value has: when it is dropped, or its process killed, the
/// file is gone and what is left of it on the disk tells nothing.
///
/// Nobody else can reach the file while it is open, so its bytes are not authenticated.
pub struct Scratch {
    file: File,
    cipher: ChaCha20,
    position: u64,
}

impl Scratch {
    /// An empty file on the disk that `folder` is on.
    ///
    /// # Errors
    /// When the file cannot be made, or the system gives no random bytes.
    pub fn create(folder: &Path) -> Result<Self, SpoolError> {
        let file = tempfile::tempfile_in(folder).map_err(SpoolError::io("create a file in", folder))?;
        let key = Key::generate()?;
        // A key is for one file, and each place of it is written once: so the nonce need not be random.
        let cipher = ChaCha20::new(key.reveal().into(), &[0; 12].into());
        Ok(Self { file, cipher, position: 0 })
    }

    /// Enciphers, or deciphers, what is at the current position.
    fn cipher(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        let beyond = |_| io::Error::from(io::ErrorKind::FileTooLarge);
        self.cipher.try_seek(self.position).map_err(beyond)?;
        self.cipher.try_apply_keystream(bytes).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))
    }
}

impl Write for Scratch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut enciphered = Zeroizing::new(bytes.to_vec());
        self.cipher(&mut enciphered)?;
        self.file.write_all(&enciphered)?;
        self.position += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for Scratch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        if let Some(bytes) = buffer.get_mut(..read) {
            self.cipher(bytes)?;
        }
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Scratch {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.file.seek(to)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_from_any_place_and_is_not_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut scratch = Scratch::create(folder.path()).unwrap();
        let bytes: Vec<u8> = (0..100_000_u32).map(|index| (index / 7) as u8).collect();
        for chunk in bytes.chunks(777) {
            scratch.write_all(chunk).unwrap();
        }
        for start in [0, 1, 63, 64, 4096, 99_999] {
            assert_eq!(scratch.seek(SeekFrom::Start(start)).unwrap(), start);
            let mut read = Vec::new();
            scratch.read_to_end(&mut read).unwrap();
            assert!(read == bytes[start as usize..], "from {start}");
        }
        let mut raw = Vec::new();
        scratch.file.seek(SeekFrom::Start(0)).unwrap();
        scratch.file.read_to_end(&mut raw).unwrap();
        assert_eq!(raw.len(), bytes.len());
        assert!(!raw.windows(16).any(|window| bytes.starts_with(window)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it has a name");
    }
}
