//! Entries as they lie in layers that may tear, mix up or lose bytes: with their name, their length and a checksum.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `AZULEJO1` |
//! | 32 | the key: image and entry |
//! | 8 | when it was made: milliseconds since 1970 |
//! | 8 | length of the body |
//! | 8 | XXH3 (64 bits) of all of the above and the body |
//! | | the body |
//!
//! Numbers are little-endian.

use std::hash::Hasher;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use twox_hash::XxHash3_64;

use super::entry::{Entry, EntryKey, LARGEST_BODY};

const MAGIC: &[u8; 8] = b"AZULEJO1";
const MADE: usize = 40;
const LENGTH: usize = 48;
const CHECKSUM: usize = 56;
/// Bytes before the body.
pub const HEADER: usize = 64;
/// Bytes of the largest record: it is in memory as a whole.
pub const LARGEST_RECORD: u64 = (HEADER + LARGEST_BODY) as u64;

/// The record of an entry.
pub fn seal(key: &EntryKey, entry: &Entry) -> Bytes {
    let made = entry.made.duration_since(UNIX_EPOCH).unwrap_or_default();
    let made = u64::try_from(made.as_millis()).unwrap_or(u64::MAX);
    let mut record = Vec::with_capacity(HEADER + entry.body.len());
    record.extend_from_slice(MAGIC);
    record.extend_from_slice(key.image.as_bytes());
    record.extend_from_slice(key.entry.as_bytes());
    record.extend_from_slice(&made.to_le_bytes());
    record.extend_from_slice(&(entry.body.len() as u64).to_le_bytes());
    let checksum = checksum(&record, &entry.body);
    record.extend_from_slice(&checksum.to_le_bytes());
    record.extend_from_slice(&entry.body);
    record.into()
}

/// The entry of a record; `None` if it is not, byte for byte, what was sealed under this key.
pub fn unseal(key: &EntryKey, record: &Bytes) -> Option<Entry> {
    let (header, body) = record.split_at_checked(HEADER)?;
    let is_sound = header.starts_with(MAGIC)
        && header[8..24] == *key.image.as_bytes()
        && header[24..40] == *key.entry.as_bytes()
        && number(header, LENGTH) == body.len() as u64
        && number(header, CHECKSUM) == checksum(&header[..CHECKSUM], body);
    if !is_sound {
        return None;
    }
    let made = UNIX_EPOCH.checked_add(Duration::from_millis(number(header, MADE)));
    Some(Entry {
        body: record.slice(HEADER..),
        made: made.unwrap_or(SystemTime::UNIX_EPOCH),
    })
}

fn number(header: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&header[at..at + 8]);
    u64::from_le_bytes(bytes)
}

fn checksum(header: &[u8], body: &[u8]) -> u64 {
    let mut hasher = XxHash3_64::new();
    hasher.write(header);
    hasher.write(body);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(entry: &str) -> EntryKey {
        EntryKey::sample("image", entry)
    }

    fn entry() -> Entry {
        Entry {
            body: Bytes::from_static(b"a tile"),
            made: UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
        }
    }

    #[test]
    fn what_is_sealed_comes_back() {
        let record = seal(&key("a"), &entry());
        assert_eq!(unseal(&key("a"), &record), Some(entry()));
        let empty = Entry {
            body: Bytes::new(),
            ..entry()
        };
        assert_eq!(
            unseal(&key("a"), &seal(&key("a"), &empty)),
            Some(empty),
            "an empty body is a body"
        );
    }

    #[test]
    fn a_change_of_any_byte_is_noticed() {
        let record = seal(&key("a"), &entry());
        for at in 0..record.len() {
            let mut changed = record.to_vec();
            changed[at] ^= 0x10;
            assert_eq!(unseal(&key("a"), &changed.into()), None, "byte {at}");
        }
    }

    #[test]
    fn what_is_torn_or_too_long_or_of_another_entry_is_noticed() {
        let record = seal(&key("a"), &entry());
        for length in 0..record.len() {
            assert_eq!(unseal(&key("a"), &record.slice(..length)), None);
        }
        let longer = [&record[..], b"x"].concat();
        assert_eq!(unseal(&key("a"), &longer.into()), None);
        assert_eq!(unseal(&key("b"), &record), None);
    }
}
