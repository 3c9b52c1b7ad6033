//! ICC profiles: which conversion to sRGB one asks for, remembered for the next image that has it.

use std::sync::{Mutex, PoisonError};

use moxcms::{
    CmsError, ColorProfile, DataColorSpace, Layout as CmsLayout, RenderingIntent, TransformOptions,
};

use super::{Conversion, without_inks};
use crate::geometry::Dimensions;
use crate::raster::{Layout, Samples};

/// The samples that a conversion is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub layout: Layout,
    /// 16 bits.
    pub deep: bool,
}

/// Conversions remembered. A collection has been digitised with a handful of devices.
const REMEMBERED: usize = 16;

/// Larger profiles are not remembered: press profiles have about half of it.
const LARGEST_REMEMBERED: usize = 1 << 20;

/// What was found out about a profile: `None` if it changes nothing, or cannot be used.
struct Entry {
    profile: Vec<u8>,
    kind: Kind,
    conversion: Option<Conversion>,
}

/// Most recently used last. Building a conversion takes longer than applying it to a tile; comparing the bytes of
/// profiles takes next to nothing, and unlike comparing hashes it cannot be wrong.
static CACHE: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// How samples of this kind become sRGB (gray ones gray); `None` if they are so already, or if the profile cannot be
/// used.
pub fn conversion(profile: &[u8], kind: Kind) -> Option<Conversion> {
    if let Some(known) = recall(profile, kind) {
        return known;
    }
    let built = match build(profile, kind) {
        Ok(conversion) => conversion,
        Err(error) => {
            tracing::debug!(?error, ?kind, "an embedded colour profile is ignored");
            None
        }
    };
    remember(profile, kind, built.clone());
    built
}

fn recall(profile: &[u8], kind: Kind) -> Option<Option<Conversion>> {
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let found = cache
        .iter()
        .position(|entry| entry.kind == kind && entry.profile == profile)?;
    let entry = cache.remove(found);
    let conversion = entry.conversion.clone();
    cache.push(entry);
    Some(conversion)
}

fn remember(profile: &[u8], kind: Kind, conversion: Option<Conversion>) {
    if profile.len() > LARGEST_REMEMBERED {
        return;
    }
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= REMEMBERED {
        cache.remove(0);
    }
    cache.push(Entry {
        profile: profile.to_vec(),
        kind,
        conversion,
    });
}

fn build(profile: &[u8], kind: Kind) -> Result<Option<Conversion>, CmsError> {
    let source = ColorProfile::new_from_slice(profile)?;
    if source.color_space != color_space(kind.layout) {
        return Err(CmsError::InvalidProfile);
    }
    let target = target(kind.layout);
    let (from, into) = (
        cms_layout(kind.layout),
        cms_layout(without_inks(kind.layout)),
    );
    let options = TransformOptions {
        rendering_intent: RenderingIntent::Perceptual,
        ..TransformOptions::default()
    };
    let shallow = source.create_transform_8bit(from, &target, into, options)?;
    if changes_nothing(&Conversion::U8(shallow.clone()), kind.layout)? {
        return Ok(None);
    }
    if !kind.deep {
        return Ok(Some(Conversion::U8(shallow)));
    }
    let deep = source.create_transform_16bit(from, &target, into, options)?;
    Ok(Some(Conversion::U16(deep)))
}

fn color_space(layout: Layout) -> DataColorSpace {
    match layout {
        Layout::Gray | Layout::GrayAlpha => DataColorSpace::Gray,
        Layout::Rgb | Layout::Rgba => DataColorSpace::Rgb,
        Layout::Cmyk => DataColorSpace::Cmyk,
    }
}

/// Four channels are one layout to the library; the profile says whether the last is alpha or ink.
fn cms_layout(layout: Layout) -> CmsLayout {
    match layout {
        Layout::Gray => CmsLayout::Gray,
        Layout::GrayAlpha => CmsLayout::GrayAlpha,
        Layout::Rgb => CmsLayout::Rgb,
        Layout::Rgba | Layout::Cmyk => CmsLayout::Rgba,
    }
}

/// sRGB, or gray with the tone curve of sRGB: what viewers take gray images without a profile for.
fn target(layout: Layout) -> ColorProfile {
    let srgb = ColorProfile::new_srgb();
    if color_space(layout) != DataColorSpace::Gray {
        return srgb;
    }
    let mut gray = ColorProfile::new_gray_with_gamma(1.0);
    gray.gray_trc = srgb.red_trc;
    gray
}

/// Whether a conversion leaves a grid of colours as they are, within one level. sRGB profiles come in many writings,
/// and this recognises them all.
fn changes_nothing(conversion: &Conversion, layout: Layout) -> Result<bool, CmsError> {
    if layout == Layout::Cmyk {
        return Ok(false);
    }
    let probes = probes(layout);
    let count = probes.len() / layout.channels();
    let extent = Dimensions::at_least_one(count as u32, 1);
    let probes = Samples::U8(probes);
    let (Samples::U8(before), Samples::U8(after)) =
        (&probes, &conversion.apply(&probes, extent, layout)?)
    else {
        return Ok(false);
    };
    Ok(before.iter().zip(after).all(|(a, b)| a.abs_diff(*b) <= 1))
}

/// Opaque colours: every gray, or a cube of RGB with nine levels a side.
fn probes(layout: Layout) -> Vec<u8> {
    const LEVELS: [u8; 9] = [0, 31, 63, 95, 127, 159, 191, 223, 255];
    let cube = || {
        LEVELS.into_iter().flat_map(|r| {
            LEVELS
                .into_iter()
                .flat_map(move |g| LEVELS.into_iter().map(move |b| [r, g, b]))
        })
    };
    match layout {
        Layout::Gray => (0..=255).collect(),
        Layout::GrayAlpha => (0..=255).flat_map(|value| [value, 255]).collect(),
        Layout::Rgb => cube().flatten().collect(),
        Layout::Rgba | Layout::Cmyk => cube().flat_map(|[r, g, b]| [r, g, b, 255]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_profile_is_bounded() {
        let kind = Kind {
            layout: Layout::Gray,
            deep: false,
        };
        for number in 0..40_u8 {
            conversion(&[number], kind);
        }
        assert!(CACHE.lock().unwrap().len() <= REMEMBERED);
        assert!(recall(&[39], kind).is_some());
    }

    #[test]
    fn the_same_profile_serves_each_kind_of_samples() {
        let profile = ColorProfile::new_adobe_rgb().encode().unwrap();
        for layout in [Layout::Rgb, Layout::Rgba] {
            for deep in [false, true] {
                let found = conversion(&profile, Kind { layout, deep });
                assert_eq!(matches!(found, Some(Conversion::U16(_))), deep);
            }
        }
    }
}
