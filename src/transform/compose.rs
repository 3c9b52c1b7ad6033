//! Laying a picture over another.

use super::color::plain;
use super::quality::luminance;
use crate::raster::{Layout, Raster, Samples};

/// The same as sRGB with alpha.
pub fn with_alpha(raster: Raster) -> Raster {
    let raster = plain(raster);
    let samples = raster.as_u8().unwrap_or_default();
    let pixels: Vec<[u8; 4]> = match raster.layout() {
        Layout::Gray => samples.iter().map(|&v| [v, v, v, 255]).collect(),
        Layout::GrayAlpha => {
            let pixels = samples.as_chunks().0.iter();
            pixels.map(|&[v, alpha]| [v, v, v, alpha]).collect()
        }
        Layout::Rgb => {
            let pixels = samples.as_chunks().0.iter();
            pixels.map(|&[r, g, b]| [r, g, b, 255]).collect()
        }
        Layout::Rgba | Layout::Cmyk => return raster,
    };
    let samples = Samples::U8(pixels.into_flattened());
    Raster::new(raster.dimensions(), Layout::Rgba, samples)
}

/// Lays a stamp with alpha over a plain raster at all these places, of which the corners lie on it; what reaches beyond its far edges is
/// cut off. The raster keeps its channels: on gray, the stamp is gray.
pub fn compose(under: Raster, stamp: &Raster, places: &[(u32, u32)], opacity: f64) -> Raster {
    let under = plain(under);
    let stamp = &with_alpha(stamp.clone());
    let over = Over {
        stamp,
        places,
        opacity,
        width: under.dimensions().width() as usize,
    };
    let (dimensions, layout) = (under.dimensions(), under.layout());
    let Samples::U8(mut samples) = under.into_samples() else {
        unreachable!("a plain raster has 8 bits")
    };
    match layout {
        Layout::Gray => over.lay::<1>(&mut samples, |[v], ink| {
            [mix(v, 255, ink.gray(), ink.alpha).0]
        }),
        Layout::GrayAlpha => over.lay::<2>(&mut samples, |[v, under], ink| {
            let (v, alpha) = mix(v, under, ink.gray(), ink.alpha);
            [v, alpha]
        }),
        Layout::Rgb => over.lay::<3>(&mut samples, |pixel, ink| {
            std::array::from_fn(|i| mix(pixel[i], 255, ink.rgb[i], ink.alpha).0)
        }),
        Layout::Rgba | Layout::Cmyk => over.lay::<4>(&mut samples, |pixel, ink| {
            let mixed = |i: usize| mix(pixel[i], pixel[3], ink.rgb[i], ink.alpha);
            [mixed(0).0, mixed(1).0, mixed(2).0, mixed(0).1]
        }),
    }
    Raster::new(dimensions, layout, Samples::U8(samples))
}

/// A pixel of the stamp.
#[derive(Clone, Copy)]
struct Ink {
    rgb: [u8; 3],
    alpha: u8,
}

impl Ink {
    fn gray(self) -> u8 {
        luminance(self.rgb)
    }
}

struct Over<'a> {
    stamp: &'a Raster,
    places: &'a [(u32, u32)],
    opacity: f64,
    /// Of what is under it.
    width: usize,
}

impl Over<'_> {
    fn lay<const N: usize>(&self, samples: &mut [u8], blend: impl Fn([u8; N], Ink) -> [u8; N]) {
        let (under, _) = samples.as_chunks_mut::<N>();
        let stamp = self.stamp.as_u8().unwrap_or_default().as_chunks::<4>().0;
        let across = self.stamp.dimensions().width() as usize;
        for &(x, y) in self.places {
            let lines = under.chunks_exact_mut(self.width).skip(y as usize);
            for (line, inks) in lines.zip(stamp.chunks_exact(across)) {
                for (pixel, &[r, g, b, alpha]) in line[x as usize..].iter_mut().zip(inks) {
                    let alpha = (f64::from(alpha) * self.opacity).round() as u8;
                    let rgb = [r, g, b];
                    *pixel = blend(*pixel, Ink { rgb, alpha });
                }
            }
        }
    }
}

/// One sample over another, and their opacity: both straight.
fn mix(under: u8, under_alpha: u8, over: u8, alpha: u8) -> (u8, u8) {
    let (under, over) = (u32::from(under), u32::from(over));
    let (below, above) = (u32::from(under_alpha), u32::from(alpha));
    // In units of 1/255².
    let (share, rest) = (above * 255, below * (255 - above));
    let opacity = share + rest;
    if opacity == 0 {
        return (0, 0);
    }
    let sample = (over * share + under * rest + opacity / 2) / opacity;
    (sample as u8, ((opacity + 127) / 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::testing::raster;

    fn red(alpha: u8) -> Raster {
        raster(1, 1, Layout::Rgba, &[255, 0, 0, alpha])
    }

    #[test]
    fn half_of_each_is_the_middle() {
        let under = raster(2, 1, Layout::Rgb, &[0, 100, 200, 0, 100, 200]);
        let seen = compose(under, &red(255), &[(1, 0)], 0.2);
        let wanted = [0, 100, 200, 51, 80, 160];
        assert_eq!(seen, raster(2, 1, Layout::Rgb, &wanted));
    }

    #[test]
    fn opacity_is_that_of_the_stamp_times_its_own() {
        let under = raster(1, 1, Layout::Gray, &[100]);
        let seen = |alpha, opacity| compose(under.clone(), &red(alpha), &[(0, 0)], opacity);
        assert_eq!(seen(0, 1.0), under);
        assert_eq!(seen(255, 0.0), under);
        assert_eq!(seen(255, 1.0), raster(1, 1, Layout::Gray, &[76]));
        assert_eq!(seen(128, 1.0), raster(1, 1, Layout::Gray, &[88]));
    }

    #[test]
    fn on_nothing_only_the_stamp_is_seen() {
        let under = raster(1, 1, Layout::Rgba, &[9, 9, 9, 0]);
        let seen = compose(under, &red(100), &[(0, 0)], 1.0);
        assert_eq!(seen, raster(1, 1, Layout::Rgba, &[255, 0, 0, 100]));
        let under = raster(1, 1, Layout::GrayAlpha, &[9, 255]);
        let seen = compose(under, &red(255), &[(0, 0)], 1.0);
        assert_eq!(seen, raster(1, 1, Layout::GrayAlpha, &[76, 255]));
        let nothing = raster(1, 1, Layout::GrayAlpha, &[0, 0]);
        assert_eq!(compose(nothing.clone(), &red(0), &[(0, 0)], 1.0), nothing);
    }

    #[test]
    fn what_reaches_beyond_is_cut_off() {
        let under = raster(2, 2, Layout::Gray, &[0; 4]);
        let stamp = raster(2, 2, Layout::Gray, &[10, 20, 30, 40]);
        let seen = compose(under, &stamp, &[(1, 1), (0, 1)], 1.0);
        assert_eq!(seen, raster(2, 2, Layout::Gray, &[0, 0, 10, 20]));
    }

    #[test]
    fn every_layout_gets_alpha() {
        let expected = raster(1, 1, Layout::Rgba, &[7, 7, 7, 255]);
        assert_eq!(with_alpha(raster(1, 1, Layout::Gray, &[7])), expected);
        assert_eq!(with_alpha(raster(1, 1, Layout::Rgb, &[7, 7, 7])), expected);
        assert_eq!(
            with_alpha(raster(1, 1, Layout::GrayAlpha, &[7, 255])),
            expected
        );
        assert_eq!(with_alpha(raster(1, 1, Layout::Cmyk, &[0, 0, 0, 248])), {
            let light = raster(1, 1, Layout::Rgb, &[7, 7, 7]);
            with_alpha(light)
        });
    }
}
