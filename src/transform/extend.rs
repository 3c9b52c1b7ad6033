//! Repeats the last column and row.

use std::sync::Arc;

use crate::geometry::Dimensions;
use crate::raster::{Raster, Samples};

/// Grows a raster to the right and downwards by copies of its last column and row.
///
/// Stored levels that were rounded down lack a pixel at their far edges; scaling what is there over the whole length
/// would shift the picture against the other levels.
pub fn extend(raster: Arc<Raster>, to: Dimensions) -> Arc<Raster> {
    if raster.dimensions() == to {
        return raster;
    }
    let samples = match raster.samples() {
        Samples::U8(samples) => Samples::U8(grow(samples, &raster, to)),
        Samples::U16(samples) => Samples::U16(grow(samples, &raster, to)),
    };
    Arc::new(Raster::new(to, raster.layout(), samples))
}

fn grow<T: Copy>(samples: &[T], raster: &Raster, to: Dimensions) -> Vec<T> {
    let channels = raster.layout().channels();
    let stride = raster.dimensions().width() as usize * channels;
    let missing = to.width().saturating_sub(raster.dimensions().width()) as usize;
    let last_row = raster.dimensions().height() as usize - 1;
    let mut grown = Vec::with_capacity(to.area() as usize * channels);
    for y in 0..to.height() as usize {
        let start = y.min(last_row) * stride;
        let row = &samples[start..start + stride];
        grown.extend_from_slice(row);
        for _ in 0..missing {
            grown.extend_from_slice(&row[stride - channels..]);
        }
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Layout;

    #[test]
    fn the_far_edges_are_repeated() {
        let small = Dimensions::new(2, 1).unwrap();
        let raster = Raster::new(small, Layout::GrayAlpha, Samples::U8(vec![1, 2, 3, 4]));
        let grown = extend(Arc::new(raster), Dimensions::new(3, 2).unwrap());
        assert_eq!(
            grown.as_u8(),
            Some(&[1, 2, 3, 4, 3, 4, 1, 2, 3, 4, 3, 4][..])
        );
    }
}
