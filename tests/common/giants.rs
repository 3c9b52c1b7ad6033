//! Images of 300 megapixels, put together of a few encoded tiles that stand there many times.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::iter;
use std::path::Path;

use libdeflater::{CompressionLvl, Compressor};

/// Tiles on each side, and pixels of a tile.
const TIFF_TILES: u32 = 68;
pub const TIFF_TILE: u32 = 256;
const JP2_TILES: u32 = 17;
pub const JP2_TILE: u32 = 1024;

/// How many different tiles there are: enough for neighbours to differ.
const KINDS: u32 = 7;

/// A tiled pyramid TIFF of 17,408 × 17,408 pixels in RGB, Deflate, levels down to one tile, all directories at the end as libtiff
/// and libvips leave them.
pub fn write_tiff(path: &Path) -> io::Result<()> {
    let kinds: Vec<Vec<u8>> = (0..KINDS).map(deflated_noise).collect();
    let mut file = BufWriter::new(File::create(path)?);
    // BigTIFF: byte order, version 43, offsets of 8 bytes, and the place of the first directory, which follows.
    file.write_all(b"II\x2B\0\x08\0\0\0\0\0\0\0\0\0\0\0")?;
    let whole = TIFF_TILES * TIFF_TILE;
    let sides = iter::successors(Some(whole), |side| {
        (*side > TIFF_TILE).then(|| side.div_ceil(2))
    });
    let mut levels = Vec::new();
    for (level, side) in sides.enumerate() {
        let tiles = side.div_ceil(TIFF_TILE);
        let mut places = Vec::new();
        for index in 0..tiles * tiles {
            let kind =
                &kinds[((index / tiles) * 3 + index % tiles + level as u32) as usize % kinds.len()];
            places.push((file.stream_position()?, kind.len() as u64));
            file.write_all(kind)?;
        }
        levels.push((side, places));
    }
    let mut link = 8;
    for (level, (side, places)) in levels.iter().enumerate() {
        let at = write_directory(&mut file, level, *side, places)?;
        let end = file.stream_position()?;
        file.seek(io::SeekFrom::Start(link))?;
        file.write_all(&at.to_le_bytes())?;
        file.seek(io::SeekFrom::Start(end))?;
        link = end - 8;
    }
    file.flush()
}

/// With two random bits in each sample, so that it compresses about as well as a photograph.
fn deflated_noise(seed: u32) -> Vec<u8> {
    let mut state = seed * 2 + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8 & 0x03
    };
    let base = (seed * 30) as u8;
    let pixels: Vec<u8> = (0..TIFF_TILE * TIFF_TILE * 3)
        .map(|_| base + next())
        .collect();
    let mut compressor = Compressor::new(CompressionLvl::new(3).unwrap());
    let mut deflated = vec![0; compressor.zlib_compress_bound(pixels.len())];
    let length = compressor.zlib_compress(&pixels, &mut deflated).unwrap();
    deflated.truncate(length);
    deflated
}

/// Where it stands; the link to the next one are its last 8 bytes.
fn write_directory(
    file: &mut (impl Write + Seek),
    level: usize,
    side: u32,
    places: &[(u64, u64)],
) -> io::Result<u64> {
    let offsets = write_numbers(file, places.iter().map(|(offset, _)| *offset))?;
    let lengths = write_numbers(file, places.iter().map(|(_, length)| *length))?;
    let at = file.stream_position()?;
    let count = places.len() as u64;
    let (short, long, long8) = (3, 4, 16);
    let (first_offset, first_length) = places[0];
    let many = |at: u64, only: u64| if count > 1 { at } else { only };
    let entries = [
        (254, long, 1, u64::from(level > 0)),
        (256, long, 1, side.into()),
        (257, long, 1, side.into()),
        (258, short, 3, 0x0008_0008_0008),
        (259, short, 1, 8),
        (262, short, 1, 2),
        (277, short, 1, 3),
        (322, long, 1, TIFF_TILE.into()),
        (323, long, 1, TIFF_TILE.into()),
        (324, long8, count, many(offsets, first_offset)),
        (325, long8, count, many(lengths, first_length)),
    ];
    file.write_all(&(entries.len() as u64).to_le_bytes())?;
    for (tag, kind, count, value) in entries {
        file.write_all(&u16::to_le_bytes(tag))?;
        file.write_all(&u16::to_le_bytes(kind))?;
        file.write_all(&u64::to_le_bytes(count))?;
        file.write_all(&u64::to_le_bytes(value))?;
    }
    file.write_all(&[0; 8])?;
    Ok(at)
}

fn write_numbers(
    file: &mut (impl Write + Seek),
    numbers: impl Iterator<Item = u64>,
) -> io::Result<u64> {
    let at = file.stream_position()?;
    for number in numbers {
        file.write_all(&number.to_le_bytes())?;
    }
    Ok(at)
}

/// A tiled JPEG 2000 of 17,408 × 17,408 pixels. `tiles` are JP2 files of one tile of 1,024 × 1,024 pixels, made with the same
/// settings. With `lengths`, the main header says how long each tile is (TLM; ISO/IEC 15444-1, A.7.1).
pub fn write_jp2(path: &Path, tiles: &[Vec<u8>], lengths: bool) -> io::Result<()> {
    let side = JP2_TILES * JP2_TILE;
    let parsed: Vec<Codestream<'_>> = tiles.iter().map(|tile| Codestream::of(tile)).collect();
    let count = JP2_TILES * JP2_TILES;
    let chosen =
        |index: u32| &parsed[(index / JP2_TILES + index % JP2_TILES) as usize % parsed.len()];

    let mut boxes = parsed[0].boxes.to_vec();
    let ihdr = find(&boxes, b"ihdr") + 4;
    boxes[ihdr..ihdr + 4].copy_from_slice(&side.to_be_bytes());
    boxes[ihdr + 4..ihdr + 8].copy_from_slice(&side.to_be_bytes());
    let mut header = parsed[0].main_header.to_vec();
    // SIZ: marker, length, capabilities; then width, height, and after the offset of the image those of a tile.
    for (at, value) in [(6, side), (10, side), (22, JP2_TILE), (26, JP2_TILE)] {
        header[2 + at..2 + at + 4].copy_from_slice(&value.to_be_bytes());
    }
    if lengths {
        header.extend(length_marker(
            (0..count).map(|index| chosen(index).tile.len() as u32),
        ));
    }

    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&boxes)?;
    // A box up to the end of the file.
    file.write_all(&[0, 0, 0, 0])?;
    file.write_all(b"jp2c")?;
    file.write_all(&header)?;
    for index in 0..count {
        let tile = chosen(index).tile;
        file.write_all(&tile[..4])?;
        file.write_all(&u16::try_from(index).unwrap().to_be_bytes())?;
        file.write_all(&tile[6..])?;
    }
    file.write_all(&[0xFF, 0xD9])?;
    file.flush()
}

fn length_marker(lengths: impl Iterator<Item = u32>) -> Vec<u8> {
    // Which marker it is, and how wide its numbers are: 16 bits for the tile, 32 for its length.
    let mut body = vec![0, 0x60];
    for (index, length) in (0_u16..).zip(lengths) {
        body.extend(index.to_be_bytes());
        body.extend(length.to_be_bytes());
    }
    let length = u16::try_from(body.len() + 2).unwrap();
    [&[0xFF, 0x55][..], &length.to_be_bytes(), &body].concat()
}

/// A JP2 file of one tile-part, taken apart.
struct Codestream<'a> {
    /// Up to the box of the codestream.
    boxes: &'a [u8],
    main_header: &'a [u8],
    /// From its SOT marker on.
    tile: &'a [u8],
}

impl<'a> Codestream<'a> {
    fn of(file: &'a [u8]) -> Self {
        let begin = find(file, b"jp2c");
        let codestream = &file[begin..];
        let tile = find(codestream, &[0xFF, 0x90, 0x00, 0x0A]) - 4;
        let end = codestream.len() - 2;
        assert_eq!(codestream[end..], [0xFF, 0xD9]);
        let length = u32::from_be_bytes(codestream[tile + 6..tile + 10].try_into().unwrap());
        assert_eq!(length as usize, end - tile, "it is the only one");
        Self {
            boxes: &file[..begin - 8],
            main_header: &codestream[..tile],
            tile: &codestream[tile..end],
        }
    }
}

/// Behind the first occurrence.
fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    let at = bytes
        .windows(wanted.len())
        .position(|window| window == wanted);
    at.expect("it is there") + wanted.len()
}
