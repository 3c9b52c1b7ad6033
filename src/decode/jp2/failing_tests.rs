//! Sources that cannot be read for a while: that is theirs, and not the file's fault, and nothing wrong is remembered.

use std::io;
use std::ops::Range;
use std::sync::Mutex;

use super::tests::{LIMITS, noise};
use super::*;
use crate::input::ReadAt;

/// Bytes of which some cannot be read.
struct Failing {
    bytes: Vec<u8>,
    unreadable: Mutex<Range<u64>>,
}

impl Failing {
    fn set(&self, unreadable: Range<u64>) {
        *self.unreadable.lock().unwrap() = unreadable;
    }
}

impl ReadAt for Failing {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let unreadable = self.unreadable.lock().unwrap().clone();
        let end = offset + buffer.len() as u64;
        if offset.max(unreadable.start) < end.min(unreadable.end) {
            // Damaged packets are invalid data, too.
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no answer"));
        }
        self.bytes.read_exact_at(buffer, offset)
    }
}

/// An opened image without PLT, one packet for each resolution, and its input.
fn image() -> (Arc<Failing>, Image) {
    let input = Arc::new(Failing {
        bytes: noise(Dimensions::new(900, 900).unwrap()),
        unreadable: Mutex::default(),
    });
    let coded = Coded::open(Arc::clone(&input) as Input, 0, input.size(), &LIMITS);
    (input, coded.unwrap().into_image().unwrap())
}

fn assert_is_of_the_source<T>(result: Result<T, DecodeError>) {
    let Err(DecodeError::Io(error)) = result else {
        panic!("not what the source said: {:?}", result.err());
    };
    assert_eq!(error.to_string(), "no answer");
}

#[test]
fn an_error_while_packets_are_followed_is_the_source_s() {
    let (input, Image { coded, .. }) = image();
    let tiles = || coded.tiles.get(&coded.codestream, &coded.main, 0..1);
    // The headers of the tile-part and of the first packet can be read, and what is behind the tile-part.
    input.set(coded.main.end + (8 << 10)..input.size() - 100);
    assert_is_of_the_source(tiles());
    input.set(0..0);
    assert!(tiles().unwrap()[0].packets.is_some());
}

#[test]
fn an_error_while_packets_are_read_is_the_source_s() {
    let (input, image) = image();
    let rect = Rect::new(500, 500, 16, 16).unwrap();
    let window = Window { level: 0, rect };
    let part = image.part(&window).unwrap();
    let tiles = image.our_tiles(&part).unwrap().unwrap();
    let decode = || image.decode_band(&window, &part, &tiles, rect, 1);
    // The last packet is too large to be read as a whole: first its header is, then what is needed.
    let first = tiles[0].parts[0].data.start;
    let (_, _, last) = tiles[0].placed_packets().last().unwrap();
    for from in [first, last.start, last.start + (8 << 10)] {
        input.set(from..u64::MAX);
        assert_is_of_the_source(decode());
    }
    input.set(0..0);
    assert!(decode().is_ok());
}
