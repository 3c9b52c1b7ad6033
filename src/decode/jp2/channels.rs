//! Which components make which channels of the raster.

use std::sync::Arc;

use super::boxes::{Color, Column, Container, Definition, Mapping};
use super::codestream::Component;
use super::fields::malformed;
use crate::decode::{ColorModel, DecodeError};
use crate::raster::Layout;

/// The channels of the raster and the colour that they have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channels {
    pub space: Space,
    pub colors: Vec<Channel>,
    pub alpha: Option<Alpha>,
}

/// The colour space of the decoded channels, before conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    Gray,
    Rgb,
    /// sYCC (IEC 61966-2-1, annex F), which becomes RGB.
    YCbCr,
    Cmyk,
}

/// Where the samples of a channel come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    pub component: usize,
    /// The palette's values for the component's.
    pub palette: Option<Arc<Column>>,
    pub precision: u8,
    pub signed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alpha {
    pub channel: Channel,
    pub premultiplied: bool,
}

impl Space {
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb | Self::YCbCr => 3,
            Self::Cmyk => 4,
        }
    }

    /// The enumerated colour spaces (15444-1, table I.10; 15444-2, table M.25).
    fn of_number(number: u32) -> Option<Self> {
        match number {
            12 => Some(Self::Cmyk),
            16 => Some(Self::Rgb),
            17 => Some(Self::Gray),
            18 => Some(Self::YCbCr),
            _ => None,
        }
    }

    /// The data colour space in the header of an ICC profile (ICC.1, 7.2.6).
    fn of_profile(profile: &[u8]) -> Option<Self> {
        match profile.get(16..20)? {
            b"GRAY" => Some(Self::Gray),
            b"RGB " => Some(Self::Rgb),
            b"CMYK" => Some(Self::Cmyk),
            _ => None,
        }
    }

    fn of_color(color: &Color) -> Option<Self> {
        match color {
            Color::Enumerated(number) => Self::of_number(*number),
            Color::Profile(profile) => Self::of_profile(profile),
            Color::Other(_) => None,
        }
    }

    /// Without a colour specification the number of channels tells.
    const fn of_count(count: usize) -> Self {
        if count < 3 { Self::Gray } else { Self::Rgb }
    }
}

/// The first colour specification that is understood; the others are for readers that understand more (I.5.3.3).
pub fn color(container: &Container) -> Option<&Color> {
    let mut colors = container.colors.iter();
    colors.find(|color| Space::of_color(color).is_some())
}

impl Channels {
    /// The channels of a file with boxes.
    pub fn of_container(
        container: &Container,
        components: &[Component],
    ) -> Result<Self, DecodeError> {
        let channels = mapped(container, components)?;
        let space = match (color(container), container.colors.first()) {
            (Some(color), _) => Space::of_color(color),
            (None, Some(unknown)) => return Err(unsupported(unknown)),
            (None, None) => None,
        };
        match (space, container.definitions.is_empty()) {
            (None, true) => Self::by_count(&channels),
            (Some(space), true) => Self::in_order(space, &channels),
            (space, false) => Self::defined(space, &channels, &container.definitions),
        }
    }

    /// The channels of a raw codestream, in which alpha cannot be told from an unspecified channel.
    pub fn of_codestream(components: &[Component]) -> Result<Self, DecodeError> {
        Self::by_count(&plain(components))
    }

    fn by_count(channels: &[Channel]) -> Result<Self, DecodeError> {
        let mut found = Self::in_order(Space::of_count(channels.len()), channels)?;
        if let 2 | 4 = channels.len() {
            found.alpha = channels.last().map(|channel| Alpha {
                channel: channel.clone(),
                premultiplied: false,
            });
        }
        Ok(found)
    }

    /// Without definitions the first channels are the colours, and the rest have no meaning (I.5.3.6).
    fn in_order(space: Space, channels: &[Channel]) -> Result<Self, DecodeError> {
        let colors = channels.get(..space.channels()).ok_or_else(too_few)?;
        Ok(Self {
            space,
            colors: colors.to_vec(),
            alpha: None,
        })
    }

    fn defined(
        space: Option<Space>,
        channels: &[Channel],
        definitions: &[Definition],
    ) -> Result<Self, DecodeError> {
        let channel = |definition: &Definition| channels.get(usize::from(definition.channel));
        let of_kind = |kind| definitions.iter().filter(move |found| found.kind == kind);
        let space = space.unwrap_or_else(|| Space::of_count(of_kind(Definition::COLOR).count()));
        // Colours are numbered from one; a colour that is not defined is the channel of its own number.
        let colors = (0..space.channels())
            .map(|color| {
                of_kind(Definition::COLOR)
                    .find(|definition| usize::from(definition.association) == color + 1)
                    .map_or_else(|| channels.get(color), channel)
                    .cloned()
                    .ok_or_else(too_few)
            })
            .collect::<Result<_, _>>()?;
        let alpha = [Definition::OPACITY, Definition::PREMULTIPLIED_OPACITY]
            .into_iter()
            .flat_map(of_kind)
            .find(|definition| definition.association == Definition::WHOLE);
        Ok(Self {
            space,
            colors,
            alpha: alpha.and_then(|definition| {
                Some(Alpha {
                    channel: channel(definition)?.clone(),
                    premultiplied: definition.kind == Definition::PREMULTIPLIED_OPACITY,
                })
            }),
        }
        .without_alpha_on_ink())
    }

    /// No raster layout has ink and alpha.
    fn without_alpha_on_ink(mut self) -> Self {
        if self.space == Space::Cmyk {
            self.alpha = None;
        }
        self
    }

    /// All channels of the raster, in its order.
    pub fn all(&self) -> impl Iterator<Item = &Channel> {
        let alpha = self.alpha.iter().map(|alpha| &alpha.channel);
        self.colors.iter().chain(alpha)
    }

    pub fn layout(&self) -> Layout {
        match (self.space, self.alpha.is_some()) {
            (Space::Gray, false) => Layout::Gray,
            (Space::Gray, true) => Layout::GrayAlpha,
            (Space::Rgb | Space::YCbCr, false) => Layout::Rgb,
            (Space::Rgb | Space::YCbCr, true) => Layout::Rgba,
            (Space::Cmyk, _) => Layout::Cmyk,
        }
    }

    /// Bits of the deepest channel.
    pub fn bit_depth(&self) -> u8 {
        self.all()
            .map(|channel| channel.precision)
            .max()
            .unwrap_or(8)
    }

    pub fn has_palette(&self) -> bool {
        self.all().any(|channel| channel.palette.is_some())
    }

    pub fn color_model(&self) -> ColorModel {
        match self.space {
            _ if self.has_palette() => ColorModel::Palette,
            Space::Gray if self.bit_depth() == 1 => ColorModel::Bilevel,
            Space::Gray => ColorModel::Gray,
            Space::Rgb => ColorModel::Rgb,
            Space::YCbCr => ColorModel::YCbCr,
            Space::Cmyk => ColorModel::Cmyk,
        }
    }
}

/// The channels in the order of the component mapping, or else of the components.
fn mapped(container: &Container, components: &[Component]) -> Result<Vec<Channel>, DecodeError> {
    let mapping = &container.mapping;
    if mapping.is_empty() || container.palette.is_none() {
        return Ok(plain(components));
    }
    let channels = plain(components);
    mapping
        .iter()
        .map(|mapping| through_palette(mapping, container, &channels))
        .collect()
}

fn through_palette(
    mapping: &Mapping,
    container: &Container,
    channels: &[Channel],
) -> Result<Channel, DecodeError> {
    let direct = channels.get(usize::from(mapping.component));
    let direct = direct.ok_or_else(|| malformed("a channel of a component that is not there"))?;
    let Some(column) = mapping.column else {
        return Ok(direct.clone());
    };
    let columns = container
        .palette
        .as_ref()
        .map(|palette| &palette.columns[..]);
    let column = columns.and_then(|columns| columns.get(usize::from(column)));
    let column =
        column.ok_or_else(|| malformed("a channel of a palette column that is not there"))?;
    Ok(Channel {
        component: direct.component,
        palette: Some(Arc::clone(column)),
        precision: column.precision,
        signed: column.signed,
    })
}

fn plain(components: &[Component]) -> Vec<Channel> {
    let channel = |(component, found): (usize, &Component)| Channel {
        component,
        palette: None,
        precision: found.precision,
        signed: found.signed,
    };
    components.iter().enumerate().map(channel).collect()
}

fn too_few() -> DecodeError {
    malformed("fewer channels than the colour space has")
}

fn unsupported(color: &Color) -> DecodeError {
    DecodeError::unsupported(match color {
        Color::Enumerated(14) => "JPEG 2000 in CIELab".to_owned(),
        Color::Enumerated(number) => format!("JPEG 2000 in the enumerated colour space {number}"),
        Color::Profile(profile) => format!(
            "JPEG 2000 with a profile for the colour space {}",
            profile.get(16..20).unwrap_or_default().escape_ascii()
        ),
        Color::Other(method) => format!("JPEG 2000 with the colour specification method {method}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::jp2::boxes::Palette;

    fn components(precisions: &[u8]) -> Vec<Component> {
        let component = |&precision| Component {
            precision,
            signed: false,
            step_x: 1,
            step_y: 1,
        };
        precisions.iter().map(component).collect()
    }

    fn define(channel: u16, kind: u16, association: u16) -> Definition {
        Definition {
            channel,
            kind,
            association,
        }
    }

    fn enumerated(number: u32) -> Container {
        Container {
            colors: vec![Color::Enumerated(number)],
            ..Container::default()
        }
    }

    fn order(channels: &Channels) -> Vec<usize> {
        channels.all().map(|channel| channel.component).collect()
    }

    #[test]
    fn channels_of_a_raw_codestream_go_by_their_number() {
        let layouts = [1, 2, 3, 4, 5].map(|count| {
            let channels = Channels::of_codestream(&components(&vec![8; count])).unwrap();
            channels.layout()
        });
        let expected = [
            Layout::Gray,
            Layout::GrayAlpha,
            Layout::Rgb,
            Layout::Rgba,
            Layout::Rgb,
        ];
        assert_eq!(layouts, expected);
    }

    #[test]
    fn channels_without_a_definition_are_colors_in_order_and_then_nothing() {
        let channels = Channels::of_container(&enumerated(16), &components(&[8; 4])).unwrap();
        assert_eq!(channels.layout(), Layout::Rgb);
        assert_eq!(order(&channels), [0, 1, 2]);
    }

    #[test]
    fn definitions_say_the_order_and_the_alpha() {
        let container = Container {
            definitions: vec![
                define(0, Definition::PREMULTIPLIED_OPACITY, 0),
                define(1, 0, 3),
                define(2, 0, 2),
                define(3, 0, 1),
            ],
            ..enumerated(16)
        };
        let channels = Channels::of_container(&container, &components(&[8; 4])).unwrap();
        assert_eq!(order(&channels), [3, 2, 1, 0]);
        assert!(channels.alpha.unwrap().premultiplied);
    }

    #[test]
    fn unspecified_channels_are_ignored() {
        let container = Container {
            definitions: vec![define(0, 0, 1), define(1, 65_535, 65_535)],
            ..enumerated(17)
        };
        let channels = Channels::of_container(&container, &components(&[8; 2])).unwrap();
        assert_eq!(channels.layout(), Layout::Gray);
    }

    #[test]
    fn channels_share_the_column_of_a_palette() {
        let column = Arc::new(Column {
            precision: 8,
            signed: false,
            values: vec![7; 1024],
        });
        let mapping = Mapping {
            component: 0,
            column: Some(0),
        };
        let container = Container {
            palette: Some(Palette {
                columns: vec![Arc::clone(&column)],
            }),
            mapping: vec![mapping; 3],
            ..enumerated(16)
        };
        let channels = Channels::of_container(&container, &components(&[8])).unwrap();
        let is_shared = |channel: &Channel| Arc::ptr_eq(channel.palette.as_ref().unwrap(), &column);
        assert!(channels.all().all(is_shared));
    }

    #[test]
    fn the_first_known_color_counts() {
        let container = Container {
            colors: vec![Color::Enumerated(21), Color::Enumerated(18)],
            ..Container::default()
        };
        let channels = Channels::of_container(&container, &components(&[8; 3])).unwrap();
        assert_eq!(channels.color_model(), ColorModel::YCbCr);
    }

    #[test]
    fn unknown_colors_are_named() {
        let error = Channels::of_container(&enumerated(14), &components(&[8; 3])).unwrap_err();
        assert_eq!(error.to_string(), "JPEG 2000 in CIELab is not supported");
    }

    #[test]
    fn too_few_channels_are_an_error() {
        assert!(Channels::of_container(&enumerated(16), &components(&[8; 2])).is_err());
        let container = Container {
            definitions: vec![define(9, 0, 1)],
            ..enumerated(17)
        };
        assert!(Channels::of_container(&container, &components(&[8])).is_err());
    }
}
