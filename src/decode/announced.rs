//! What decoders read, as a remote source sees it: after [`Decoder::read_ahead`] nothing but what was announced, and not
//! much less.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use super::contract::windows_of;
use super::samples::{self, Sample};
use super::{Aids, Decoder, Limits, SourceFormat, Window, open};
use crate::geometry::Rect;
use crate::input::{Input, ReadAt};

/// What a remote source would fetch at once, for files as small as these.
const BLOCK: u64 = 4 << 10;

/// Bytes of which each read has to be announced, once that is asked for.
struct Announced {
    bytes: Vec<u8>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_strict: bool,
    announced: Vec<Range<u64>>,
    /// How often something was announced.
    announcements: usize,
    read: Vec<Range<u64>>,
    /// How often something was needed that lies in no block fetched before: each time one waits for an answer.
    waits: usize,
    blocks: BTreeSet<u64>,
}

impl Announced {
    fn new(bytes: Vec<u8>) -> Arc<Self> {
        let state = Mutex::default();
        Arc::new(Self { bytes, state })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Forgets what was announced and read; what was fetched stays.
    fn begin(&self, is_strict: bool) {
        let mut state = self.state();
        state.is_strict = is_strict;
        state.read.clear();
    }

    /// Times that one had to wait, so far.
    fn waits(&self) -> usize {
        self.state().waits
    }
}

impl State {
    fn holds(&self, range: &Range<u64>) -> bool {
        let within = |known: &Range<u64>| known.start <= range.start && range.end <= known.end;
        self.announced.iter().any(within)
    }

    /// Fetches the blocks of some ranges that are not there yet, all at once.
    fn fetch(&mut self, ranges: &[Range<u64>]) {
        let before = self.blocks.len();
        for range in ranges {
            let blocks = range.start / BLOCK..range.end.div_ceil(BLOCK);
            self.blocks.extend(blocks);
        }
        self.waits += usize::from(self.blocks.len() > before);
    }
}

impl ReadAt for Announced {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let range = offset..offset + buffer.len() as u64;
        let mut state = self.state();
        if state.is_strict && !range.is_empty() && !state.holds(&range) {
            return Err(io::Error::other(format!("{range:?} was not announced")));
        }
        state.fetch(std::slice::from_ref(&range));
        state.read.push(range);
        self.bytes.read_exact_at(buffer, offset)
    }

    fn read_ahead(&self, ranges: &[Range<u64>]) -> io::Result<()> {
        let mut state = self.state();
        state.fetch(ranges);
        state.announcements += 1;
        state.announced = ranges.to_vec();
        Ok(())
    }
}

fn open_strictly(bytes: &[u8]) -> (Arc<Announced>, Box<dyn Decoder>) {
    let input = Announced::new(bytes.to_vec());
    let decoder = open(Arc::clone(&input) as Input, &Limits::default()).unwrap();
    (input, decoder)
}

/// The files that are made for this, and all others.
fn all() -> Vec<Sample> {
    let folders = ["fixtures/images", "fixtures/packets"];
    let files = folders.map(|folder| samples::folder(Path::new(folder)));
    let decoded = samples::all().iter().cloned();
    decoded.chain(files.into_iter().flatten()).collect()
}

fn bytes_of(ranges: &[Range<u64>]) -> u64 {
    let mut ranges = ranges.to_vec();
    ranges.sort_by_key(|range| range.start);
    let mut end = 0;
    let mut add = |range: &Range<u64>| {
        let added = range.end.saturating_sub(range.start.max(end));
        end = end.max(range.end);
        added
    };
    ranges.iter().map(&mut add).sum()
}

fn windows(decoder: &dyn Decoder) -> Vec<Window> {
    let levels = decoder.header().levels.iter().enumerate();
    levels
        .flat_map(|(level, stored)| {
            let parts = windows_of(stored.dimensions).into_iter().step_by(3);
            let rects = parts.chain([Rect::whole(stored.dimensions)]);
            rects.map(move |rect| Window { level, rect })
        })
        .collect()
}

/// Bytes announced and bytes read for a window of an image that has just been opened.
fn announced_and_read(sample: &Sample, window: &Window) -> (u64, u64) {
    let (input, decoder) = open_strictly(&sample.bytes);
    decoder.read_ahead(window).unwrap();
    let announced = bytes_of(&input.state().announced);
    input.begin(true);
    let stored = decoder.stored(window, None, u64::MAX);
    let decoded = decoder.decode_with(
        window,
        Aids {
            threads: 2,
            ..Aids::NONE
        },
    );
    decoded.unwrap_or_else(|error| panic!("{}, {window:?}: {error}", sample.name));
    let read = bytes_of(&input.state().read);
    let plain = open(Arc::new(sample.bytes.clone()), &Limits::default()).unwrap();
    let expected = plain.stored(window, None, u64::MAX);
    assert!(stored == expected, "{}, {window:?}", sample.name);
    (announced, read)
}

#[test]
fn only_what_was_announced_is_read() {
    for sample in all() {
        let (_, decoder) = open_strictly(&sample.bytes);
        let (mut announced, mut read) = (0, 0);
        for window in windows(&*decoder) {
            let bytes = announced_and_read(&sample, &window);
            (announced, read) = (announced + bytes.0, read + bytes.1);
        }
        let can_choose = matches!(
            decoder.header().format,
            SourceFormat::Tiff | SourceFormat::Jp2
        );
        assert!(
            !can_choose || announced * 10 <= read * 11,
            "{}: of {announced} bytes {read} are read",
            sample.name
        );
    }
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("fixtures/images/{name}")).unwrap()
}

/// Each directory of a chain says where the next one is; all else is fetched together.
#[test]
fn opening_waits_for_no_more_than_the_directories() {
    for (name, most) in [
        ("tiff-pyramid-pages.tif", 3),
        ("tiff-pyramid-subifd.tif", 2),
        ("tiff-bigtiff-tiled-lzw.tif", 1),
        ("jp2-tiled128-lossless.jp2", 2),
        ("jp2-tile-parts.jp2", 2),
        ("jpeg-icc-rgb.jpg", 2),
        ("png-icc-rgb.png", 2),
    ] {
        let (input, _) = open_strictly(&fixture(name));
        let waits = input.waits();
        assert!(waits <= most, "{name}: {waits}");
    }
}

/// The end of the codestream, the headers of the tile-parts, the packets.
#[test]
fn the_tiles_of_a_window_are_looked_up_together() {
    let bytes = std::fs::read("fixtures/packets/tiled.j2k").unwrap();
    let (input, decoder) = open_strictly(&bytes);
    let opening = input.state().announcements;
    let rect = Rect::whole(decoder.header().stored_dimensions());
    decoder.read_ahead(&Window { level: 0, rect }).unwrap();
    assert_eq!(input.state().announcements - opening, 3);
}
