//! The compressions of bytes: what goes in are the bytes of a strip or tile, what comes out are as many as its rows
//! need, never more. Compressions of pixels are in [`coded`](super::coded).

use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};
use weezl::{BitOrder, LzwStatus};

use super::fax::{self, Scheme};
use super::malformed;
use crate::decode::DecodeError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Fax(Scheme),
    Lzw,
    Jpeg,
    Deflate,
    PackBits,
    Zstandard,
    WebP,
    /// Aperio's 33003 holds Y'CbCr that the codestream does not turn to RGB.
    Jpeg2000 {
        ycbcr: bool,
    },
}

impl Compression {
    /// From the value of Compression, and of T4Options that refines it.
    pub fn from_tag(value: u64, t4_options: u64) -> Result<Self, DecodeError> {
        let two_dimensions = t4_options & 1 != 0;
        Ok(match value {
            1 => Self::None,
            2 => Self::Fax(Scheme::ModifiedHuffman),
            3 => Self::Fax(Scheme::Group3 { two_dimensions }),
            4 => Self::Fax(Scheme::Group4),
            5 => Self::Lzw,
            7 => Self::Jpeg,
            8 | 32946 => Self::Deflate,
            32773 => Self::PackBits,
            33003 => Self::Jpeg2000 { ycbcr: true },
            33004 | 33005 | 34712 => Self::Jpeg2000 { ycbcr: false },
            50000 => Self::Zstandard,
            50001 => Self::WebP,
            other => return Err(unsupported(other)),
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::None => "uncompressed",
            Self::Fax(Scheme::ModifiedHuffman) => "CCITT RLE",
            Self::Fax(Scheme::Group3 { .. }) => "CCITT Group 3",
            Self::Fax(Scheme::Group4) => "CCITT Group 4",
            Self::Lzw => "LZW",
            Self::Jpeg => "JPEG",
            Self::Deflate => "Deflate",
            Self::PackBits => "PackBits",
            Self::Zstandard => "Zstandard",
            Self::WebP => "WebP",
            Self::Jpeg2000 { .. } => "JPEG 2000",
        }
    }

    /// Whether whole pixels are coded, and not bytes.
    pub fn codes_pixels(self) -> bool {
        matches!(self, Self::Jpeg | Self::WebP | Self::Jpeg2000 { .. })
    }

    /// Whether the predictor is part of it: for all others the tag has no meaning.
    pub fn predicts(self) -> bool {
        matches!(self, Self::Lzw | Self::Deflate | Self::Zstandard)
    }
}

fn unsupported(compression: u64) -> DecodeError {
    let name = match compression {
        6 => "old-style JPEG",
        9 | 10 => "JBIG",
        32766 => "NeXT RLE",
        32771 => "word-aligned CCITT RLE",
        32809 => "ThunderScan",
        34661 => "JBIG",
        34676 | 34677 => "SGI Log",
        34887 => "LERC",
        34892 => "lossy DNG JPEG",
        34925 => "LZMA",
        50002 | 52546 => "JPEG XL",
        _ => "unknown",
    };
    DecodeError::unsupported(format!("TIFF compression {compression} ({name})"))
}

/// What a decompression has to give.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub width: u32,
    pub rows: u32,
    /// Bytes of each row.
    pub stride: usize,
    /// Rows that the data hold.
    pub all_rows: u32,
}

impl Wanted {
    /// Bytes in all: to be checked against the limits before decompression.
    pub fn length(self) -> u64 {
        (self.stride as u64).saturating_mul(u64::from(self.rows))
    }
}

/// Decompresses one strip or tile after the other to the same place.
#[derive(Default)]
pub struct Decompressor {
    out: Vec<u8>,
    deflate: Option<libdeflater::Decompressor>,
}

impl Decompressor {
    /// As many rows as wanted. Fewer are an error, more are not looked at.
    pub fn decompress(
        &mut self,
        compression: Compression,
        data: &[u8],
        wanted: Wanted,
    ) -> Result<&mut [u8], DecodeError> {
        let length = wanted.length() as usize;
        if compression == Compression::Deflate && self.deflate_all(data, wanted) {
            return Ok(&mut self.out[..length]);
        }
        let out = self.room(length);
        let filled = match compression {
            Compression::Fax(scheme) => {
                copy(&fax::decode(data, scheme, wanted.width, wanted.rows)?, out)
            }
            Compression::None => copy(data, out),
            Compression::Lzw => lzw(data, out),
            Compression::Deflate => deflate(data, out),
            Compression::PackBits => pack_bits(data, out),
            Compression::Zstandard => zstandard(data, out)?,
            Compression::Jpeg | Compression::WebP | Compression::Jpeg2000 { .. } => {
                return Err(DecodeError::unsupported(format!(
                    "{} of this kind of pixels",
                    compression.name()
                )));
            }
        };
        if filled < length {
            let name = compression.name();
            let problem = format!("{name} data give {filled} of {length} bytes");
            return Err(malformed(problem));
        }
        Ok(out)
    }

    /// What was not compressed.
    pub fn keep(&mut self, data: Vec<u8>) -> &mut [u8] {
        self.out = data;
        &mut self.out
    }

    /// So many bytes, of whatever was there before.
    fn room(&mut self, length: usize) -> &mut [u8] {
        if self.out.len() < length {
            self.out.resize(length, 0);
        }
        &mut self.out[..length]
    }

    /// All rows by libdeflate, which takes less than half the time of a decoder that can stop anywhere, but wants to know
    /// how much will come out. False where only a few of them are wanted, or something is missing or left over.
    fn deflate_all(&mut self, data: &[u8], wanted: Wanted) -> bool {
        const MOST_BYTES: u64 = 16 << 20;
        const FASTER: u64 = 3;
        let all = Wanted {
            rows: wanted.all_rows,
            ..wanted
        };
        let is_waste = wanted.length().saturating_mul(FASTER) < all.length();
        if is_waste || all.length() > MOST_BYTES || all.length() < wanted.length() {
            return false;
        }
        let length = all.length() as usize;
        self.room(length);
        let decompressor = self
            .deflate
            .get_or_insert_with(libdeflater::Decompressor::new);
        decompressor.zlib_decompress(data, &mut self.out[..length]) == Ok(length)
    }
}

fn copy(data: &[u8], out: &mut [u8]) -> usize {
    let length = data.len().min(out.len());
    out[..length].copy_from_slice(&data[..length]);
    length
}

/// TIFF 6.0, section 13. Libraries before 1991 wrote the bits in the other order and lengthened codes one code later;
/// such data are known by their first code, which is always the one to clear the table.
fn lzw(data: &[u8], out: &mut [u8]) -> usize {
    let is_old = matches!(data, [0, second, ..] if second & 1 == 1);
    let mut decoder = if is_old {
        weezl::decode::Decoder::new(BitOrder::Lsb, 8)
    } else {
        weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8)
    };
    let (mut read, mut written) = (0, 0);
    while written < out.len() {
        let step = decoder.decode_bytes(&data[read..], &mut out[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        if !matches!(step.status, Ok(LzwStatus::Ok)) {
            break;
        }
    }
    written
}

fn deflate(data: &[u8], out: &mut [u8]) -> usize {
    let mut decoder = Decompress::new(true);
    loop {
        let (read, written) = (decoder.total_in() as usize, decoder.total_out() as usize);
        let step = decoder.decompress(&data[read..], &mut out[written..], FlushDecompress::None);
        let now = (decoder.total_in() as usize, decoder.total_out() as usize);
        let goes_on = matches!(step, Ok(Status::Ok)) && now != (read, written);
        if !goes_on || now.1 == out.len() {
            return now.1;
        }
    }
}

/// TIFF 6.0, section 9. -128 does nothing.
fn pack_bits(mut data: &[u8], out: &mut [u8]) -> usize {
    let mut written = 0;
    while let [header, rest @ ..] = data {
        if written == out.len() {
            break;
        }
        let room = out.len() - written;
        match (*header as i8, rest) {
            (-128, _) => data = rest,
            (count @ 0.., _) => {
                let length = (count as usize + 1).min(rest.len());
                written += copy(&rest[..length], &mut out[written..]);
                data = &rest[length..];
            }
            (count, [byte, rest @ ..]) => {
                let length = (1 + usize::from(count.unsigned_abs())).min(room);
                out[written..written + length].fill(*byte);
                written += length;
                data = rest;
            }
            (_, []) => break,
        }
    }
    written
}

fn zstandard(data: &[u8], out: &mut [u8]) -> Result<usize, DecodeError> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(data)?;
    let mut written = 0;
    while written < out.len() {
        match decoder.read(&mut out[written..]) {
            Ok(0) => break,
            Ok(count) => written += count,
            Err(error) => return Err(malformed(format!("Zstandard: {error}"))),
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflate(compression: Compression, data: &[u8], length: u32) -> Result<Vec<u8>, DecodeError> {
        let mut decompressor = Decompressor::default();
        let mut inflated = |all_rows| {
            let wanted = Wanted {
                width: length,
                rows: 1,
                stride: length as usize,
                all_rows,
            };
            let rows = decompressor.decompress(compression, data, wanted)?;
            Ok::<_, DecodeError>(rows.to_vec())
        };
        let (all, some) = (inflated(1), inflated(1000));
        assert_eq!(all.as_ref().ok(), some.as_ref().ok());
        all
    }

    /// The example of TIFF 6.0, page 42, with a -128 in front.
    #[test]
    fn pack_bits_follows_the_example_of_the_specification() {
        let packed = [
            0x80, 0xFE, 0xAA, 0x02, 0x80, 0x00, 0x2A, 0xFD, 0xAA, 0x03, 0x80, 0x00, 0x2A, 0x22,
            0xF7, 0xAA,
        ];
        let expected = [
            0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0xAA, 0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0x22,
            0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA,
        ];
        assert_eq!(
            inflate(Compression::PackBits, &packed, 24).unwrap(),
            expected
        );
        assert!(inflate(Compression::PackBits, &packed, 25).is_err());
    }

    #[test]
    fn what_lzw_deflate_and_zstandard_made_small_comes_back() {
        let text: Vec<u8> = (0..20_000_u32).map(|i| ((i * i) >> 7) as u8).collect();
        let lzw = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(&text);
        let old_lzw = weezl::encode::Encoder::new(BitOrder::Lsb, 8).encode(&text);
        let mut deflate = flate2::read::ZlibEncoder::new(&text[..], flate2::Compression::fast());
        let mut deflated = Vec::new();
        deflate.read_to_end(&mut deflated).unwrap();
        let packed = [
            (Compression::Lzw, lzw.unwrap()),
            (Compression::Lzw, old_lzw.unwrap()),
            (Compression::Deflate, deflated),
            (
                Compression::Zstandard,
                zstd::bulk::compress(&text, 1).unwrap(),
            ),
        ];
        for (compression, data) in packed {
            assert_eq!(
                inflate(compression, &data, 20_000).unwrap(),
                text,
                "{compression:?}"
            );
            // Only what is wanted is made, however much there is.
            assert_eq!(inflate(compression, &data, 100).unwrap(), text[..100]);
            let half = &data[..data.len() / 2];
            assert!(
                inflate(compression, half, 20_000).is_err(),
                "{compression:?}"
            );
        }
    }

    #[test]
    fn what_is_not_supported_is_named() {
        let error = Compression::from_tag(34925, 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "TIFF compression 34925 (LZMA) is not supported"
        );
    }
}
