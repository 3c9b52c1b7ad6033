//! How large an overlay is on an answer, and where it stands.

use super::config::{OverlayConfig, Position};
use crate::geometry::{Dimensions, round_half_up};

/// How large it is drawn: as it is or as wide as it is to be, and shrunk until it fits between the insets, if there is anything between
/// them. Never enlarged beyond the answer.
pub fn size(config: &OverlayConfig, natural: Dimensions, frame: Dimensions) -> Dimensions {
    let inside = |side: u32| match side.saturating_sub(config.inset.saturating_mul(2)) {
        0 => side,
        rest => rest,
    };
    let most = (inside(frame.width()), inside(frame.height()));
    let wanted = config.width.map_or(natural.width(), |part| {
        (part * f64::from(frame.width())).round() as u32
    });
    let width = wanted.clamp(1, most.0);
    let height = in_proportion(width, natural.width(), natural.height());
    if height <= most.1 {
        return Dimensions::at_least_one(width, height);
    }
    let width = in_proportion(most.1, natural.height(), natural.width());
    Dimensions::at_least_one(width.min(most.0), most.1)
}

fn in_proportion(side: u32, of: u32, other: u32) -> u32 {
    let scaled = u128::from(side) * u128::from(other);
    u32::try_from(round_half_up(scaled, u128::from(of))).unwrap_or(u32::MAX)
}

/// The upper left corners of all its places.
pub fn places(config: &OverlayConfig, size: Dimensions, frame: Dimensions) -> Vec<(u32, u32)> {
    let across = Side::new(frame.width(), size.width(), config.inset);
    let down = Side::new(frame.height(), size.height(), config.inset);
    let (x, y) = match config.position {
        Position::TopLeft => (across.start(), down.start()),
        Position::Top => (across.middle(), down.start()),
        Position::TopRight => (across.end(), down.start()),
        Position::Left => (across.start(), down.middle()),
        Position::Center => (across.middle(), down.middle()),
        Position::Right => (across.end(), down.middle()),
        Position::BottomLeft => (across.start(), down.end()),
        Position::Bottom => (across.middle(), down.end()),
        Position::BottomRight => (across.end(), down.end()),
        Position::Repeat => {
            let rows = down.all();
            return rows
                .flat_map(|y| across.all().map(move |x| (x, y)))
                .collect();
        }
    };
    vec![(x, y)]
}

/// One side of the answer, and of what is drawn on it.
#[derive(Clone, Copy)]
struct Side {
    frame: u32,
    drawn: u32,
    inset: u32,
}

impl Side {
    fn new(frame: u32, drawn: u32, inset: u32) -> Self {
        Self {
            frame,
            drawn,
            inset,
        }
    }

    fn free(self) -> u32 {
        self.frame - self.drawn
    }

    fn start(self) -> u32 {
        self.inset.min(self.free())
    }

    fn middle(self) -> u32 {
        self.free() / 2
    }

    fn end(self) -> u32 {
        self.free() - self.start()
    }

    /// Cut off at the far edge.
    fn all(self) -> impl Iterator<Item = u32> {
        let step = self.drawn.saturating_add(self.inset);
        (0..self.frame).step_by(step as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dimensions(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).unwrap()
    }

    fn config(position: Position, inset: u32, width: Option<f64>) -> OverlayConfig {
        OverlayConfig {
            position,
            inset,
            width,
            ..OverlayConfig::default()
        }
    }

    #[test]
    fn it_is_as_it_is_or_a_part_of_the_answer_and_fits() {
        let sized = |inset, width, frame: (u32, u32)| {
            let config = config(Position::Center, inset, width);
            let size = size(&config, dimensions(100, 50), dimensions(frame.0, frame.1));
            (size.width(), size.height())
        };
        assert_eq!(sized(10, None, (1_000, 1_000)), (100, 50));
        assert_eq!(sized(10, Some(0.5), (1_000, 1_000)), (500, 250));
        assert_eq!(sized(10, None, (60, 1_000)), (40, 20));
        assert_eq!(sized(10, Some(1.0), (1_000, 70)), (100, 50));
        assert_eq!(sized(10, None, (1_000, 45)), (50, 25));
        assert_eq!(sized(10, None, (8, 8)), (8, 4), "no place for insets");
        assert_eq!(sized(0, None, (1, 1)), (1, 1));
    }

    #[test]
    fn nine_places_with_their_insets() {
        let at = |position| {
            let config = config(position, 10, None);
            places(&config, dimensions(20, 10), dimensions(100, 80))
        };
        for (position, place) in [
            (Position::TopLeft, (10, 10)),
            (Position::Top, (40, 10)),
            (Position::TopRight, (70, 10)),
            (Position::Left, (10, 35)),
            (Position::Center, (40, 35)),
            (Position::Right, (70, 35)),
            (Position::BottomLeft, (10, 60)),
            (Position::Bottom, (40, 60)),
            (Position::BottomRight, (70, 60)),
        ] {
            assert_eq!(at(position), [place], "{position:?}");
        }
    }

    #[test]
    fn repeated_it_fills_the_answer() {
        let config = config(Position::Repeat, 5, None);
        let all = places(&config, dimensions(20, 10), dimensions(60, 20));
        let expected = [(0, 0), (25, 0), (50, 0), (0, 15), (25, 15), (50, 15)];
        assert_eq!(all, expected);
    }

    proptest! {
        #[test]
        fn it_always_lies_on_the_answer(
            width in 1..2_000_u32, height in 1..2_000_u32, frame_width in 1..2_000_u32, frame_height in 1..2_000_u32,
            inset in 0..100_u32, part in prop::option::of(0.001..1.0_f64),
        ) {
            let frame = dimensions(frame_width, frame_height);
            let config = config(Position::BottomRight, inset, part);
            let drawn = size(&config, dimensions(width, height), frame);
            prop_assert!(drawn.fits_in(frame));
            let [(x, y)] = places(&config, drawn, frame)[..] else { panic!("one place") };
            prop_assert!(x + drawn.width() <= frame_width && y + drawn.height() <= frame_height);
        }
    }
}
