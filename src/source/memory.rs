//! Images in memory, for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

use super::contract::{self, Place};
use super::{Object, Source, SourceError, Stamp};
use crate::input::Input;
use crate::page::Page;

/// The number of the put, and the bytes.
type File = (u128, Arc<Vec<u8>>);

/// Files that were put.
#[derive(Default)]
pub struct Memory {
    files: Mutex<BTreeMap<String, File>>,
    puts: Mutex<u128>,
}

impl Memory {
    fn file(&self, key: &str) -> Option<File> {
        self.files.lock().unwrap().get(key).cloned()
    }
}

impl Place for Memory {
    fn put(&self, key: &str, bytes: &[u8]) {
        let mut number = self.puts.lock().unwrap();
        *number += 1;
        let file = (*number, Arc::new(bytes.to_vec()));
        self.files.lock().unwrap().insert(key.to_owned(), file);
    }

    fn remove(&self, key: &str) {
        self.files.lock().unwrap().remove(key);
    }
}

impl Source for Memory {
    fn find(&self, key: &str) -> Result<Object, SourceError> {
        let found = self.find_at_once(key);
        found.ok_or_else(|| SourceError::NotFound(key.to_owned()))
    }

    fn find_at_once(&self, key: &str) -> Option<Object> {
        let (number, _) = self.file(key)?;
        Some(Object {
            source: 0,
            route: 0,
            key: key.to_owned(),
            location: format!("memory:{key}"),
            version: number.to_string(),
            modified: UNIX_EPOCH,
            stamp: Stamp::Version(number),
            page: Page::FIRST,
            is_one_page: false,
        })
    }

    fn open(&self, object: &Object) -> Result<Input, SourceError> {
        let missing = || SourceError::NotFound(object.key.clone());
        let (number, bytes) = self.file(&object.key).ok_or_else(missing)?;
        if Stamp::Version(number) != object.stamp {
            return Err(SourceError::Replaced(object.key.clone()));
        }
        Ok(bytes)
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn key_of(&self, location: &str) -> Option<String> {
        location.strip_prefix("memory:").map(str::to_owned)
    }
}

#[test]
fn it_does_what_every_source_has_to() {
    let memory = Memory::default();
    contract::check(&memory, &memory);
}
