//! Stretches of the input in memory.

use std::borrow::Cow;
use std::ops::Range;

use super::segments::truncated;
use crate::decode::DecodeError;
use crate::input::{Input, read_ahead, read_range};

/// Bytes between two stretches for which it is not worthwhile to read twice.
const GAP: u64 = 256;

/// What has been read, in its order.
#[derive(Default)]
pub struct Loaded(Vec<(u64, Vec<u8>)>);

impl Loaded {
    /// Reads what of these ranges is not there yet.
    ///
    /// # Errors
    /// If the input ends before, or cannot be read.
    pub fn load(&mut self, input: &Input, mut ranges: Vec<Range<u64>>) -> Result<(), DecodeError> {
        ranges.retain(|range| self.get(range).is_none());
        let stretches = joined(ranges);
        read_ahead(&**input, stretches.clone())?;
        for stretch in stretches {
            let length = usize::try_from(stretch.end - stretch.start).unwrap_or(usize::MAX);
            let bytes = read_range(&**input, stretch.start, length).map_err(truncated)?;
            self.0.push((stretch.start, bytes));
        }
        self.0.sort_unstable_by_key(|(start, _)| *start);
        Ok(())
    }

    /// The bytes of a range, if they lie in one of the stretches.
    pub fn get(&self, range: &Range<u64>) -> Option<&[u8]> {
        let after = self.0.partition_point(|(start, _)| *start <= range.start);
        let length = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        // A shorter stretch may lie within a longer one that begins before it.
        let mut before = self.0[..after].iter().rev();
        before.find_map(|(start, bytes)| {
            let from = usize::try_from(range.start - start).ok()?;
            bytes.get(from..from.checked_add(length)?)
        })
    }

    /// Several ranges as one, if all of them are there.
    pub fn concatenated(&self, ranges: &[Range<u64>]) -> Option<Cow<'_, [u8]>> {
        if let [range] = ranges {
            return self.get(range).map(Cow::Borrowed);
        }
        let slices: Option<Vec<_>> = ranges.iter().map(|range| self.get(range)).collect();
        slices.map(|slices| Cow::Owned(slices.concat()))
    }
}

/// As few stretches as hold the ranges, without much between them.
pub fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable_by_key(|range| range.start);
    let mut stretches: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match stretches.last_mut() {
            Some(last) if last.end.saturating_add(GAP) >= range.start => {
                last.end = last.end.max(range.end);
            }
            _ => stretches.push(range),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_lies_close_together_is_read_together() {
        let ranges = vec![50_000..50_010, 0..10, 10..20, 30..40, 5..5];
        assert_eq!(joined(ranges), [0..40, 50_000..50_010]);
    }

    #[test]
    fn ranges_are_found_in_what_was_read() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|index| index as u8).collect();
        let input: Input = Arc::new(bytes);
        let mut loaded = Loaded::default();
        loaded.load(&input, vec![90_000..90_100, 0..10]).unwrap();
        loaded.load(&input, vec![50_000..50_002, 3..5]).unwrap();
        assert_eq!(loaded.0.len(), 3, "what is there is not read again");
        assert_eq!(loaded.get(&(3..6)), Some(&[3, 4, 5][..]));
        assert_eq!(loaded.get(&(8..11)), None);
        assert_eq!(loaded.get(&(40_000..40_001)), None);
        loaded
            .load(&input, vec![49_900..49_990, 50_010..50_100])
            .unwrap();
        assert!(
            loaded.get(&(50_010..50_100)).is_some(),
            "around what was there"
        );
        let both = loaded.concatenated(&[3..4, 50_001..50_002]).unwrap();
        assert_eq!(*both, [3, (50_001_u32 & 0xFF) as u8]);
        assert!(loaded.concatenated(&[3..4, 20_000..20_001]).is_none());
        assert!(loaded.concatenated(&[]).unwrap().is_empty());
        let beyond = loaded.load(&input, vec![0..1, 99_990..100_001]);
        assert!(matches!(beyond, Err(DecodeError::Malformed { .. })));
    }
}
