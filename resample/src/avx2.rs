//! The two passes, with AVX2.

use std::arch::x86_64::*;

use crate::Rgb;
use crate::weights::{PRECISION, Weights};

/// What a row must have at least.
pub const FEWEST_SAMPLES: usize = 32;
/// Rows of the result that are made together.
const ROWS: usize = 4;
const CHANNELS: usize = 3;

/// Rows of samples, each of which may be read and written a little beyond its end.
struct Band {
    samples: Vec<u8>,
    stride: usize,
}

impl Band {
    fn new(length: usize) -> Self {
        const BEYOND: usize = 32;
        let stride = length + BEYOND;
        Self {
            samples: vec![0; stride * ROWS],
            stride,
        }
    }

    fn rows(&self) -> [&[u8]; ROWS] {
        let stride = self.stride;
        std::array::from_fn(|row| &self.samples[row * stride..][..stride])
    }

    fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.samples.chunks_exact_mut(self.stride)
    }
}

/// As many pixels as there are weights across and down. What is touched across has at least [`FEWEST_SAMPLES`].
#[target_feature(enable = "avx2")]
pub fn resample(image: Rgb<'_>, across: &Weights, down: &Weights) -> Vec<u8> {
    let touched = across.touched(image.width);
    let samples = touched.start * CHANNELS..touched.end * CHANNELS;
    let (width, height) = (across.starts.len(), down.starts.len());
    // The last weights of a row are zero where there is no pixel, and what they are multiplied with is read from beyond.
    let mut tall = Band::new((touched.len() + across.count) * CHANNELS);
    let mut done = Band::new(width * CHANNELS);
    let mut out = Vec::with_capacity(width * height * CHANNELS);
    let mut sources = Vec::with_capacity(down.count);
    for top in (0..height).step_by(ROWS) {
        let rows = top..height.min(top + ROWS);
        for (row, into) in rows.clone().zip(tall.rows_mut()) {
            let source = |below: usize| (down.starts[row] + below).min(image.height - 1);
            sources.clear();
            sources.extend((0..down.count).map(|below| &image.row(source(below))[samples.clone()]));
            filter_down(&sources, down.of(row), &mut into[..samples.len()]);
        }
        filter_across(tall.rows(), across, touched.start, &mut done);
        for row in done.rows_mut().take(rows.len()) {
            out.extend_from_slice(&row[..width * CHANNELS]);
        }
    }
    out
}

/// A row out of as many rows as there are weights.
#[target_feature(enable = "avx2")]
fn filter_down(rows: &[&[u8]], weights: &[i16], out: &mut [u8]) {
    let (pairs, weights) = (rows.as_chunks::<2>().0, weights.as_chunks::<2>().0);
    let last = out.len() - FEWEST_SAMPLES;
    for at in (0..out.len()).step_by(FEWEST_SAMPLES) {
        // The last may do again what the one before has done.
        let at = at.min(last);
        let mut sums = [half(); 4];
        for ([upper, lower], weights) in pairs.iter().zip(weights) {
            let weights = both(*weights);
            for (sum, samples) in sums
                .iter_mut()
                .zip(paired(load(upper, at), load(lower, at)))
            {
                *sum = add(*sum, samples, weights);
            }
        }
        let [first, second, third, fourth] = sums.map(|sum| whole(sum));
        let (low, high) = (
            _mm256_packs_epi32(first, second),
            _mm256_packs_epi32(third, fourth),
        );
        let bytes: [u8; FEWEST_SAMPLES] = bytemuck::cast(_mm256_packus_epi16(low, high));
        out[at..at + FEWEST_SAMPLES].copy_from_slice(&bytes);
    }
}

/// The samples of two rows side by side, as words. Packing the four brings them back in their order.
#[inline]
#[target_feature(enable = "avx2")]
fn paired(upper: __m256i, lower: __m256i) -> [__m256i; 4] {
    let zero = _mm256_setzero_si256();
    let low = _mm256_unpacklo_epi8(upper, lower);
    let high = _mm256_unpackhi_epi8(upper, lower);
    [
        _mm256_unpacklo_epi8(low, zero),
        _mm256_unpackhi_epi8(low, zero),
        _mm256_unpacklo_epi8(high, zero),
        _mm256_unpackhi_epi8(high, zero),
    ]
}

/// All pixels of all rows. The rows begin with pixel `first` of the image.
#[target_feature(enable = "avx2")]
fn filter_across(rows: [&[u8]; ROWS], weights: &Weights, first: usize, out: &mut Band) {
    let (near, far) = (pixels(0), pixels(2));
    let (upper, lower) = out.samples.split_at_mut(out.stride * 2);
    let (one, two) = upper.split_at_mut(out.stride);
    let (three, four) = lower.split_at_mut(out.stride);
    for (index, (start, weights)) in weights.each().enumerate() {
        let mut at = (start - first) * CHANNELS;
        let (mut odd, mut even) = (half(), half());
        let (fours, rest) = weights.as_chunks::<4>();
        for &[a, b, c, d] in fours {
            let (ab, cd) = (both([a, b]), both([c, d]));
            let samples = load_two(rows[0], rows[1], at);
            odd = add(odd, _mm256_shuffle_epi8(samples, near), ab);
            odd = add(odd, _mm256_shuffle_epi8(samples, far), cd);
            let samples = load_two(rows[2], rows[3], at);
            even = add(even, _mm256_shuffle_epi8(samples, near), ab);
            even = add(even, _mm256_shuffle_epi8(samples, far), cd);
            at += 4 * CHANNELS;
        }
        if let &[a, b] = rest {
            let ab = both([a, b]);
            let samples = load_two(rows[0], rows[1], at);
            odd = add(odd, _mm256_shuffle_epi8(samples, near), ab);
            let samples = load_two(rows[2], rows[3], at);
            even = add(even, _mm256_shuffle_epi8(samples, near), ab);
        }
        let words = _mm256_packs_epi32(whole(odd), whole(even));
        let bytes: [u8; 32] = bytemuck::cast(_mm256_packus_epi16(words, words));
        // Three bytes and one that the next pixel overwrites: a pixel of the first row, the third; the second, the fourth.
        let at = index * CHANNELS;
        one[at..at + 4].copy_from_slice(&bytes[..4]);
        three[at..at + 4].copy_from_slice(&bytes[4..8]);
        two[at..at + 4].copy_from_slice(&bytes[16..20]);
        four[at..at + 4].copy_from_slice(&bytes[20..24]);
    }
}

/// For a shuffle of both halves: the samples of two pixels side by side, as words, from this pixel on.
#[inline]
#[target_feature(enable = "avx2")]
fn pixels(from: i8) -> __m256i {
    const NONE: i8 = -1;
    let at = from * CHANNELS as i8;
    let word = |sample: i8| [at + sample, NONE];
    let pair = |sample: i8| [word(sample), word(sample + CHANNELS as i8)];
    let nothing = [[NONE; 2]; 2];
    let half: [i8; 16] = bytemuck::cast([pair(0), pair(1), pair(2), nothing]);
    _mm256_broadcastsi128_si256(bytemuck::cast(half))
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(sum: __m256i, samples: __m256i, weights: __m256i) -> __m256i {
    _mm256_add_epi32(sum, _mm256_madd_epi16(samples, weights))
}

/// What sums begin with, so that cutting off behind the point rounds.
#[inline]
#[target_feature(enable = "avx2")]
fn half() -> __m256i {
    _mm256_set1_epi32(1 << (PRECISION - 1))
}

#[inline]
#[target_feature(enable = "avx2")]
fn whole(sum: __m256i) -> __m256i {
    _mm256_srai_epi32::<{ PRECISION as i32 }>(sum)
}

/// Two weights, over and over.
#[inline]
#[target_feature(enable = "avx2")]
fn both(weights: [i16; 2]) -> __m256i {
    _mm256_set1_epi32(bytemuck::cast(weights))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(row: &[u8], at: usize) -> __m256i {
    bytemuck::pod_read_unaligned(&row[at..at + 32])
}

/// Sixteen samples of each row: five pixels, of which four are used.
#[inline]
#[target_feature(enable = "avx2")]
fn load_two(one: &[u8], two: &[u8], at: usize) -> __m256i {
    let half = |row: &[u8]| bytemuck::pod_read_unaligned(&row[at..at + 16]);
    _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(half(one)), half(two))
}
