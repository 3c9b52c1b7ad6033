//! What the headers say, as the decoder of windows takes it.

use azulejo_jpeg2000::block::Modes;
use azulejo_jpeg2000::{Component, Depth, Division, Quantization, Tile};

use super::codestream::{MainHeader, Segment};
use super::grid::samples_of;
use super::packets::Area;
use super::segments::{COC, COD, QCC, QCD, SIZ};

/// A tile whose tile-part headers have these segments. `None` if it uses what only OpenJPEG decodes: Part 15, regions of interest, orders
/// of packets that change, headers apart from their packets.
pub fn of_tile(main: &MainHeader, area: &Area, segments: &[Segment]) -> Option<Tile> {
    let is_plain = |segment: &Segment| matches!(segment.marker, SIZ | COD | COC | QCD | QCC);
    if main.packed_headers || !main.segments.iter().chain(segments).all(is_plain) {
        return None;
    }
    let color_transform = match main.sequence.color_transform {
        0 => false,
        // OpenJPEG leaves it out where there is nothing to be transformed.
        1 => main.styles.len() >= 3,
        _ => return None,
    };
    let filters = main.styles.iter().take(3).map(|style| style.reversible);
    if color_transform
        && filters
            .clone()
            .any(|filter| filter != main.styles[0].reversible)
    {
        return None;
    }
    let components = 0..main.size.components.len();
    let components = components.map(|number| component(main, area, segments, number));
    Some(Tile {
        components: components.collect::<Option<_>>()?,
        color_transform,
    })
}

fn component(
    main: &MainHeader,
    area: &Area,
    segments: &[Segment],
    number: usize,
) -> Option<Component> {
    const OF_PART_1: u8 = 0x3F;
    let (size, style) = (main.size.components.get(number)?, main.styles.get(number)?);
    if style.modes & !OF_PART_1 != 0 {
        return None;
    }
    Some(Component {
        division: Division {
            x: samples_of(&area.x, size.step_x, 0),
            y: samples_of(&area.y, size.step_y, 0),
            levels: style.levels,
            block: style.block,
            precincts: style.precincts.clone(),
        },
        modes: Modes(style.modes),
        reversible: style.reversible,
        quantization: quantization(&main.segments, segments, number)?,
        depth: Depth {
            precision: size.precision,
            signed: size.signed,
        },
    })
}

/// That of the tile goes before that of the image, that of the component before that of all (A.6.4).
fn quantization(main: &[Segment], tile: &[Segment], component: usize) -> Option<Quantization> {
    let content = [tile, main].into_iter().find_map(|segments| {
        let own = segments.iter().filter(|segment| segment.marker == QCC);
        let own = own.filter_map(|segment| segment.content.split_first());
        let mut own = own.filter(|(of, _)| usize::from(**of) == component);
        let default = segments.iter().rev().find(|segment| segment.marker == QCD);
        own.next_back()
            .map(|(_, content)| content)
            .or(default.map(|segment| &segment.content[..]))
    })?;
    Quantization::parse(content).ok()
}
