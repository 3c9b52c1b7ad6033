//! Half the size: each pixel is the average of the four that it stands for.
//!
//! At an odd right or lower edge there are two or one: they are counted twice, so that the level is rounded up and
//! nothing shifts. Sums are rounded half to even: always up would make each level a little lighter than the one before.

use crate::raster::Layout;

/// A sample of 8 or 16 bits.
pub trait Sample: Copy + Default + bytemuck::Pod + Send + Sync + Into<u64> {
    /// The low bits of a sum that was divided.
    fn of(value: u64) -> Self;
    /// What has to be added to `before` to get this sample, modulo its largest value.
    fn difference(self, before: Self) -> Self;
    /// As a little-endian file has it.
    fn put(self, bytes: &mut Vec<u8>);
}

impl Sample for u8 {
    fn of(value: u64) -> Self {
        value as Self
    }

    fn difference(self, before: Self) -> Self {
        self.wrapping_sub(before)
    }

    fn put(self, bytes: &mut Vec<u8>) {
        bytes.push(self);
    }
}

impl Sample for u16 {
    fn of(value: u64) -> Self {
        value as Self
    }

    fn difference(self, before: Self) -> Self {
        self.wrapping_sub(before)
    }

    fn put(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
}

/// One row from two. The lower one is the upper one again where the image ends.
pub fn halve<S: Sample>(upper: &[S], lower: &[S], layout: Layout) -> Vec<S> {
    match layout {
        Layout::Gray => pairs::<S, 1>(upper, lower, average),
        Layout::Rgb => pairs::<S, 3>(upper, lower, average),
        Layout::Cmyk => pairs::<S, 4>(upper, lower, average),
        Layout::GrayAlpha => pairs::<S, 2>(upper, lower, weighted),
        Layout::Rgba => pairs::<S, 4>(upper, lower, weighted),
    }
}

fn pairs<S: Sample, const N: usize>(
    upper: &[S],
    lower: &[S],
    mix: impl Fn([[S; N]; 4]) -> [S; N],
) -> Vec<S> {
    let (upper, _) = upper.as_chunks::<N>();
    let (lower, _) = lower.as_chunks::<N>();
    let mut row = Vec::with_capacity(upper.len().div_ceil(2) * N);
    for (above, below) in upper.chunks(2).zip(lower.chunks(2)) {
        let last = above.len() - 1;
        row.extend(mix([above[0], above[last], below[0], below[last]]));
    }
    row
}

fn average<S: Sample, const N: usize>(pixels: [[S; N]; 4]) -> [S; N] {
    std::array::from_fn(|channel| {
        let sum: u64 = pixels.iter().map(|pixel| pixel[channel].into()).sum();
        S::of(quarter(sum))
    })
}

/// The colours count as much as they are seen; alpha is the last channel.
fn weighted<S: Sample, const N: usize>(pixels: [[S; N]; 4]) -> [S; N] {
    let alpha = |pixel: &[S; N]| -> u64 { pixel[N - 1].into() };
    let weight: u64 = pixels.iter().map(alpha).sum();
    if weight == 0 {
        return average(pixels);
    }
    std::array::from_fn(|channel| {
        if channel == N - 1 {
            return S::of(quarter(weight));
        }
        let seen = |pixel: &[S; N]| alpha(pixel) * pixel[channel].into();
        let sum: u64 = pixels.iter().map(seen).sum();
        S::of((sum + weight / 2) / weight)
    })
}

/// A fourth, rounded half to even.
fn quarter(sum: u64) -> u64 {
    (sum + 1 + (sum >> 2 & 1)) >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_rounded_half_to_even() {
        let quarters = [0, 1, 2, 3, 4, 5, 6, 7, 1020].map(quarter);
        assert_eq!(quarters, [0, 0, 0, 1, 1, 1, 2, 2, 255]);
    }

    #[test]
    fn an_odd_column_counts_twice() {
        let row = halve(&[0_u8, 4, 9], &[8, 12, 11], Layout::Gray);
        assert_eq!(row, [6, 10]);
        let deep = halve(&[65_535_u16, 65_535, 1], &[65_535, 65_535, 1], Layout::Gray);
        assert_eq!(deep, [65_535, 1]);
    }

    #[test]
    fn transparent_pixels_lend_no_colour() {
        let upper = [200_u8, 0, 0, 255, 0, 255, 0, 0];
        assert_eq!(halve(&upper, &upper, Layout::Rgba), [200, 0, 0, 128]);
        let nothing = [10_u8, 0, 20, 0];
        assert_eq!(halve(&nothing, &nothing, Layout::GrayAlpha), [15, 0]);
        let deep = [60_000_u16, 65_535, 0, 65_535];
        assert_eq!(halve(&deep, &deep, Layout::GrayAlpha), [30_000, 65_535]);
    }

    #[test]
    fn black_ink_is_not_alpha() {
        let row = halve(&[200_u8, 0, 0, 0, 0, 0, 0, 0], &[0; 8], Layout::Cmyk);
        assert_eq!(row, [50, 0, 0, 0]);
    }
}
