//! Undoing the differences that were taken before compression (TIFF 6.0, section 14; technical note 3 for floats).

use super::ifd::ByteOrder;
use super::malformed;
use crate::decode::DecodeError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predictor {
    None,
    /// Each sample is the difference to that of the pixel on the left.
    Horizontal,
    /// The bytes of floats sorted by significance, then each the difference to the byte one pixel on the left.
    FloatingPoint,
}

impl Predictor {
    pub fn from_tag(value: u64) -> Result<Self, DecodeError> {
        match value {
            1 => Ok(Self::None),
            2 => Ok(Self::Horizontal),
            3 => Ok(Self::FloatingPoint),
            _ => Err(malformed(format!("predictor {value}"))),
        }
    }

    /// Whether it is defined for samples of so many bytes; 0 are those that are no whole bytes.
    pub fn suits(self, sample: usize) -> bool {
        match self {
            Self::None => true,
            Self::Horizontal => matches!(sample, 1 | 2 | 4 | 8),
            Self::FloatingPoint => matches!(sample, 2 | 4 | 8),
        }
    }
}

/// The samples of a row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Bytes from row to row.
    pub stride: usize,
    /// Bytes of one sample.
    pub sample: usize,
    /// Samples of one pixel that are stored together.
    pub channels: usize,
    pub order: ByteOrder,
}

/// Restores the samples of all rows, in place.
pub fn undo(predictor: Predictor, bytes: &mut [u8], row: Row) -> Result<(), DecodeError> {
    if !predictor.suits(row.sample) {
        let size = row.sample;
        let feature = format!("TIFF {predictor:?} predictor with samples of {size} bytes");
        return Err(DecodeError::unsupported(feature));
    }
    match (predictor, row.sample) {
        (Predictor::None, _) => {}
        (Predictor::Horizontal, 1) => each(bytes, row, |line| sum_bytes(line, row.channels)),
        (Predictor::Horizontal, _) => each(bytes, row, |line| sum_words(line, row)),
        (Predictor::FloatingPoint, _) => each(bytes, row, |line| join_floats(line, row)),
    }
    Ok(())
}

fn each(bytes: &mut [u8], row: Row, undo: impl Fn(&mut [u8])) {
    bytes.chunks_exact_mut(row.stride).for_each(undo);
}

fn sum_bytes(line: &mut [u8], channels: usize) {
    match channels {
        1 => sum_pixels::<1>(line),
        3 => sum_pixels::<3>(line),
        4 => sum_pixels::<4>(line),
        _ => sum_any(line, channels),
    }
}

/// The same with the pixel on the left in registers: three times as fast.
fn sum_pixels<const CHANNELS: usize>(line: &mut [u8]) {
    let mut left = [0_u8; CHANNELS];
    for pixel in line.as_chunks_mut::<CHANNELS>().0 {
        for (sample, left) in pixel.iter_mut().zip(&mut left) {
            *left = left.wrapping_add(*sample);
            *sample = *left;
        }
    }
}

fn sum_any(line: &mut [u8], channels: usize) {
    for at in channels..line.len() {
        line[at] = line[at].wrapping_add(line[at - channels]);
    }
}

fn sum_words(line: &mut [u8], row: Row) {
    let step = row.channels * row.sample;
    let mut at = step;
    while at + row.sample <= line.len() {
        let left = row.order.number(&line[at - step..at - step + row.sample]);
        let word = &mut line[at..at + row.sample];
        let sum = row.order.number(word).wrapping_add(left);
        write(row.order, word, sum);
        at += row.sample;
    }
}

/// The low bytes of a number.
fn write(order: ByteOrder, word: &mut [u8], number: u64) {
    let bytes = number.to_le_bytes();
    let low = bytes.iter().take(word.len());
    match order {
        ByteOrder::Little => word.iter_mut().zip(low).for_each(|(to, from)| *to = *from),
        ByteOrder::Big => word
            .iter_mut()
            .rev()
            .zip(low)
            .for_each(|(to, from)| *to = *from),
    }
}

fn join_floats(line: &mut [u8], row: Row) {
    sum_bytes(line, row.channels);
    let sorted = line.to_vec();
    let count = line.len() / row.sample;
    for (index, float) in line.chunks_exact_mut(row.sample).enumerate() {
        for (significance, byte) in sorted
            .iter()
            .skip(index)
            .step_by(count)
            .enumerate()
            .take(row.sample)
        {
            let at = match row.order {
                ByteOrder::Big => significance,
                ByteOrder::Little => row.sample - 1 - significance,
            };
            float[at] = *byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(stride: usize, sample: usize, channels: usize, order: ByteOrder) -> Row {
        Row {
            stride,
            sample,
            channels,
            order,
        }
    }

    #[test]
    fn differences_are_to_the_pixel_on_the_left_of_the_same_row() {
        let mut bytes = [10, 20, 1, 255, 5, 5, 1, 1];
        undo(
            Predictor::Horizontal,
            &mut bytes,
            row(4, 1, 2, ByteOrder::Little),
        )
        .unwrap();
        assert_eq!(bytes, [10, 20, 11, 19, 5, 5, 6, 6]);
    }

    #[test]
    fn words_carry_in_the_byte_order_of_the_file() {
        let mut big = [0x00, 0xFF, 0x00, 0x01];
        undo(
            Predictor::Horizontal,
            &mut big,
            row(4, 2, 1, ByteOrder::Big),
        )
        .unwrap();
        assert_eq!(big, [0x00, 0xFF, 0x01, 0x00]);
        let mut little = [0xFF, 0x00, 0x01, 0x00];
        undo(
            Predictor::Horizontal,
            &mut little,
            row(4, 2, 1, ByteOrder::Little),
        )
        .unwrap();
        assert_eq!(little, [0xFF, 0x00, 0x00, 0x01]);
    }

    /// 1.0 is 3F800000 and 0.5 is 3F000000: the sorted bytes are 3F 3F 80 00 00 00 00 00.
    #[test]
    fn floats_are_joined_from_their_sorted_bytes() {
        let mut bytes = [0x3F, 0x00, 0x41, 0x80, 0x00, 0x00, 0x00, 0x00];
        undo(
            Predictor::FloatingPoint,
            &mut bytes,
            row(8, 4, 1, ByteOrder::Big),
        )
        .unwrap();
        assert_eq!(bytes, [0x3F, 0x80, 0, 0, 0x3F, 0, 0, 0]);
    }

    #[test]
    fn samples_that_are_no_whole_bytes_are_refused() {
        let result = undo(
            Predictor::Horizontal,
            &mut [0; 2],
            row(2, 0, 1, ByteOrder::Big),
        );
        assert!(matches!(result, Err(DecodeError::Unsupported(_))));
    }
}
