//! From decoded components to a raster.

use super::channels::{Alpha, Channel, Channels, Space};
use super::codestream::Size;
use super::fields::malformed;
use super::grid::samples_within;
use crate::decode::DecodeError;
use crate::ffi::openjpeg::{Component, Part};
use crate::geometry::Rect;
use crate::raster::{Raster, Samples};

/// What was decoded, and which window of which level it is for.
pub struct Decoded<'a> {
    pub size: &'a Size,
    pub part: &'a Part,
    pub rect: Rect,
    pub components: &'a [Component<'a>],
}

/// Puts the channels of a window together: 8 bits each, or 16 if any has more than 8.
///
/// # Errors
/// If the decoder returned other components than the main header declares.
pub fn raster(decoded: &Decoded<'_>, channels: &Channels) -> Result<Raster, DecodeError> {
    let samples = if channels.bit_depth() <= 8 {
        Samples::U8(interleaved(decoded, channels)?)
    } else {
        Samples::U16(interleaved(decoded, channels)?)
    };
    let dimensions = decoded.rect.dimensions();
    Ok(Raster::new(dimensions, channels.layout(), samples))
}

/// A sample of the raster.
trait Sample: Copy + Default + Into<u32> {
    const MAX: u32;

    /// Larger values become the largest.
    fn saturated(value: u32) -> Self;

    /// Values beyond the range become the nearest within.
    fn clamped(value: i32) -> Self;
}

impl Sample for u8 {
    const MAX: u32 = Self::MAX as u32;

    fn saturated(value: u32) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }

    fn clamped(value: i32) -> Self {
        value.clamp(0, i32::from(Self::MAX)) as Self
    }
}

impl Sample for u16 {
    const MAX: u32 = Self::MAX as u32;

    fn saturated(value: u32) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }

    fn clamped(value: i32) -> Self {
        value.clamp(0, i32::from(Self::MAX)) as Self
    }
}

fn interleaved<T: Sample>(
    decoded: &Decoded<'_>,
    channels: &Channels,
) -> Result<Vec<T>, DecodeError> {
    let count = channels.layout().channels();
    let pixels = decoded.rect.width() as usize * decoded.rect.height() as usize;
    let mut samples = vec![T::default(); pixels * count];
    let planes = channels
        .all()
        .map(|channel| decoded.plane(channel.component))
        .collect::<Result<Vec<_>, _>>()?;
    if channels.all().all(is_direct::<T>) && planes.iter().all(Plane::is_dense) {
        copy_rows(&planes, &mut samples)?;
    } else {
        for (index, (channel, plane)) in channels.all().zip(&planes).enumerate() {
            plane.copy(channel, samples[index..].iter_mut().step_by(count))?;
        }
    }
    if channels.space == Space::YCbCr {
        samples.chunks_exact_mut(count).for_each(to_rgb);
    }
    if let Some(Alpha {
        premultiplied: true,
        ..
    }) = channels.alpha
    {
        samples.chunks_exact_mut(count).for_each(unmultiply);
    }
    Ok(samples)
}

impl Decoded<'_> {
    fn plane(&self, component: usize) -> Result<Plane<'_>, DecodeError> {
        let missing = || malformed("a component is missing");
        let decoded = self.components.get(component).ok_or_else(missing)?;
        let declared = self.size.components.get(component).ok_or_else(missing)?;
        let part = self.part;
        let reduction = part.reduction;
        let across = samples_within(part.x0, part.x1, declared.step_x, reduction);
        let down = samples_within(part.y0, part.y1, declared.step_y, reduction);
        if across.end - across.start != u64::from(decoded.width)
            || down.end - down.start != u64::from(decoded.height)
        {
            return Err(malformed("a component of unexpected size"));
        }
        let index = |sample: u64, start: u64| {
            usize::try_from(sample.saturating_sub(start)).unwrap_or(usize::MAX)
        };
        let (x, y) = (
            self.rect.x()..self.rect.right(),
            self.rect.y()..self.rect.bottom(),
        );
        let columns = self.size.x.shown(declared.step_x, reduction, &x);
        let rows = self.size.y.shown(declared.step_y, reduction, &y);
        Ok(Plane {
            samples: decoded.samples,
            width: decoded.width as usize,
            columns: columns.map(|sample| index(sample, across.start)).collect(),
            rows: rows.map(|sample| index(sample, down.start)).collect(),
        })
    }
}

/// The decoded samples of a component, and which of them the columns and rows of the window show.
struct Plane<'a> {
    samples: &'a [i32],
    width: usize,
    columns: Vec<usize>,
    rows: Vec<usize>,
}

/// Whether the values of a channel are those of the raster.
fn is_direct<T: Sample>(channel: &Channel) -> bool {
    channel.palette.is_none() && !channel.signed && (1 << channel.precision) - 1 == T::MAX
}

/// Copies dense planes whose values are those of the raster.
fn copy_rows<T: Sample>(planes: &[Plane<'_>], samples: &mut [T]) -> Result<(), DecodeError> {
    match planes {
        [a] => copy_rows_of([a], samples),
        [a, b] => copy_rows_of([a, b], samples),
        [a, b, c] => copy_rows_of([a, b, c], samples),
        [a, b, c, d] => copy_rows_of([a, b, c, d], samples),
        _ => Err(malformed("no channels")),
    }
}

fn copy_rows_of<T: Sample, const N: usize>(
    planes: [&Plane<'_>; N],
    samples: &mut [T],
) -> Result<(), DecodeError> {
    let (pixels, _) = samples.as_chunks_mut::<N>();
    let width = planes[0].columns.len();
    for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
        let mut sources = [&[][..]; N];
        for (source, plane) in sources.iter_mut().zip(planes) {
            *source = plane.dense_row(y)?;
        }
        interleave(row, sources);
    }
    Ok(())
}

/// The inner loop: lengths are equal, so that the compiler can leave their checks out.
fn interleave<T: Sample, const N: usize>(pixels: &mut [[T; N]], rows: [&[i32]; N]) {
    let rows = rows.map(|row| &row[..pixels.len()]);
    for (x, pixel) in pixels.iter_mut().enumerate() {
        *pixel = std::array::from_fn(|channel| T::clamped(rows[channel][x]));
    }
}

impl Plane<'_> {
    /// Whether each pixel of a row shows the next sample.
    fn is_dense(&self) -> bool {
        self.columns.windows(2).all(|pair| pair[0] + 1 == pair[1])
    }

    /// The samples of a row of the window, if the columns are dense.
    fn dense_row(&self, y: usize) -> Result<&[i32], DecodeError> {
        let missing = || malformed("a component of unexpected size");
        let row = self.row(*self.rows.get(y).ok_or_else(missing)?)?;
        let start = self.columns.first().copied().unwrap_or_default();
        row.get(start..start + self.columns.len())
            .ok_or_else(missing)
    }

    /// Copies the samples of a channel in the order of the pixels.
    fn copy<'t, T: Sample + 't>(
        &self,
        channel: &Channel,
        mut target: impl Iterator<Item = &'t mut T>,
    ) -> Result<(), DecodeError> {
        let values = Values::new(channel);
        for &row in &self.rows {
            let row = self.row(row)?;
            for (&column, sample) in self.columns.iter().zip(&mut target) {
                let value = row.get(column).copied().unwrap_or_default();
                *sample = values.of(value);
            }
        }
        Ok(())
    }

    fn row(&self, row: usize) -> Result<&[i32], DecodeError> {
        let start = row.saturating_mul(self.width);
        let row = self.samples.get(start..start.saturating_add(self.width));
        row.ok_or_else(|| malformed("a component of unexpected size"))
    }
}

/// The sample of the raster for each value of a component.
struct Values<T> {
    /// What is added so that the smallest value becomes zero.
    offset: i32,
    table: Vec<T>,
}

impl<T: Sample> Values<T> {
    fn new(channel: &Channel) -> Self {
        let Some(palette) = &channel.palette else {
            let range = 1 << channel.precision;
            return Self {
                offset: offset(channel),
                table: (0..range).map(|value| scaled(value, channel)).collect(),
            };
        };
        let offset = offset(channel);
        let level = |&value: &i32| scaled(u32::try_from(value + offset).unwrap_or(0), channel);
        Self {
            offset: 0,
            table: palette.values.iter().map(level).collect(),
        }
    }

    /// Values beyond the range become the nearest within.
    fn of(&self, value: i32) -> T {
        let index = usize::try_from(value.saturating_add(self.offset)).unwrap_or(0);
        self.table[index.min(self.table.len() - 1)]
    }
}

/// Signed values are centred on zero.
fn offset(channel: &Channel) -> i32 {
    if channel.signed {
        1 << (channel.precision - 1)
    } else {
        0
    }
}

/// The full range of the channel becomes the full range of the sample.
fn scaled<T: Sample>(value: u32, channel: &Channel) -> T {
    let range = (1_u64 << channel.precision) - 1;
    let value = (u64::from(value) * u64::from(T::MAX) + range / 2) / range;
    T::saturated(u32::try_from(value).unwrap_or(u32::MAX))
}

/// sYCC to RGB (IEC 61966-2-1, F.3), in fixed point with 16 fractional bits.
fn to_rgb<T: Sample>(pixel: &mut [T]) {
    const RED: i64 = 91_881;
    const GREEN_BLUE: i64 = 22_554;
    const GREEN_RED: i64 = 46_802;
    const BLUE: i64 = 116_130;
    const HALF: i64 = 1 << 15;
    let [y, cb, cr, ..] = pixel else { return };
    let middle = i64::from(T::MAX / 2 + 1);
    let luma = i64::from((*y).into()) << 16;
    let blue = i64::from((*cb).into()) - middle;
    let red = i64::from((*cr).into()) - middle;
    let sample =
        |value: i64| T::saturated(u32::try_from(((value + HALF) >> 16).max(0)).unwrap_or(0));
    *y = sample(luma + RED * red);
    *cb = sample(luma - GREEN_BLUE * blue - GREEN_RED * red);
    *cr = sample(luma + BLUE * blue);
}

/// Divides the colours by the alpha that they were multiplied with.
fn unmultiply<T: Sample>(pixel: &mut [T]) {
    let Some((alpha, colors)) = pixel.split_last_mut() else {
        return;
    };
    let alpha: u32 = (*alpha).into();
    if alpha == 0 {
        return;
    }
    for color in colors {
        let value = u64::from((*color).into()) * u64::from(T::MAX) + u64::from(alpha / 2);
        *color = T::saturated(u32::try_from(value / u64::from(alpha)).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(precision: u8, signed: bool) -> Channel {
        Channel {
            component: 0,
            palette: None,
            precision,
            signed,
        }
    }

    #[test]
    fn every_depth_fills_the_range() {
        let values = Values::<u8>::new(&channel(1, false));
        assert_eq!(
            [0, 1, 2, -1].map(|value| values.of(value)),
            [0, 255, 255, 0]
        );
        let values = Values::<u16>::new(&channel(12, false));
        assert_eq!(
            [0, 1, 2048, 4095].map(|value| values.of(value)),
            [0, 16, 32776, 65535]
        );
    }

    #[test]
    fn signed_values_are_moved_up() {
        let values = Values::<u8>::new(&channel(8, true));
        assert_eq!([-128, 0, 127].map(|value| values.of(value)), [0, 128, 255]);
    }

    #[test]
    fn sycc_becomes_rgb() {
        let mut pixels: [[u8; 3]; 3] = [[76, 85, 255], [200, 128, 128], [29, 255, 107]];
        for pixel in &mut pixels {
            to_rgb(pixel);
        }
        assert_eq!(pixels, [[254, 0, 0], [200, 200, 200], [0, 0, 254]]);
    }

    #[test]
    fn premultiplied_colors_are_divided() {
        let mut pixel = [64_u8, 128, 255, 128];
        unmultiply(&mut pixel);
        assert_eq!(pixel, [128, 255, 255, 128]);
        let mut clear = [9_u8, 0];
        unmultiply(&mut clear);
        assert_eq!(clear, [9, 0]);
    }
}
