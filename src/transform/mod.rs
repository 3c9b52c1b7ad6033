//! From raster to raster: one verb a file.
//!
//! In the order of a request: [`paint`](redact::paint) hides what nobody may see, [`extend`](extend::extend) repeats the last row and column of a rounded level,
//! [`scale`](scale::scale) crops and resizes the decoded pixels, [`to_srgb`](color::to_srgb) makes plain 8-bit gray or
//! sRGB of them, [`orient`](orient::orient) brings them upright and makes the turns that need no new pixels,
//! [`rotate`](rotate::rotate) makes the others, [`gray`](quality::gray) and [`bitonal`](quality::bitonal) take the
//! colour away, [`compose`](compose::compose) lays overlays over what there is before that, and [`flatten`](flatten::flatten), called by the encoders' side, the transparency.

pub mod color;
pub mod compose;
pub mod extend;
pub mod flatten;
pub mod orient;
pub mod quality;
pub mod redact;
pub mod rotate;
pub mod scale;

/// Why pixels could not be transformed. None of these is the fault of a request or of a file.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    #[error("the crop {left},{top},{width},{height} is not within the {raster} raster")]
    Crop {
        left: f64,
        top: f64,
        width: f64,
        height: f64,
        raster: crate::geometry::Dimensions,
    },
    #[error("resizing failed: {0}")]
    Resize(String),
    #[error("converting the colours failed: {0}")]
    Color(String),
}

#[cfg(test)]
mod testing {
    use crate::geometry::Dimensions;
    use crate::raster::{Layout, Raster, Samples};

    pub fn raster(width: u32, height: u32, layout: Layout, samples: &[u8]) -> Raster {
        let dimensions = Dimensions::new(width, height).unwrap();
        Raster::new(dimensions, layout, Samples::U8(samples.to_vec()))
    }

    pub fn raster16(width: u32, height: u32, layout: Layout, samples: &[u16]) -> Raster {
        let dimensions = Dimensions::new(width, height).unwrap();
        Raster::new(dimensions, layout, Samples::U16(samples.to_vec()))
    }

    /// The channels of one pixel of an 8-bit raster.
    pub fn pixel(raster: &Raster, x: u32, y: u32) -> &[u8] {
        let channels = raster.layout().channels();
        let index = (y as usize * raster.dimensions().width() as usize + x as usize) * channels;
        &raster.as_u8().unwrap()[index..index + channels]
    }
}
