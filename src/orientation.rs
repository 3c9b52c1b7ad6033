//! The eight ways to lay a rectangle of pixels: EXIF and TIFF orientation, mirroring, quarter turns.

use serde::{Deserialize, Serialize};

use crate::geometry::{Dimensions, Rect};

/// What must be done to pixels: first mirror left-right, then turn clockwise.
///
/// The order is that of the `!n` rotation of the Image API (T04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Orientation {
    pub mirrored: bool,
    pub turn: QuarterTurn,
}

/// Clockwise quarter turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum QuarterTurn {
    None,
    Quarter,
    Half,
    ThreeQuarters,
}

impl QuarterTurn {
    const ALL: [Self; 4] = [Self::None, Self::Quarter, Self::Half, Self::ThreeQuarters];

    /// From a number of clockwise quarter turns, modulo four.
    pub const fn from_count(count: u8) -> Self {
        Self::ALL[(count % 4) as usize]
    }

    /// The number of clockwise quarter turns: 0 to 3.
    pub const fn count(self) -> u8 {
        self as u8
    }
}

impl Orientation {
    pub const UPRIGHT: Self = Self {
        mirrored: false,
        turn: QuarterTurn::None,
    };

    /// From the value of the EXIF or TIFF `Orientation` tag (TIFF 6.0, page 36): what brings the stored pixels
    /// upright. Values outside 1 to 8 mean upright.
    pub const fn from_tag(value: u16) -> Self {
        let (mirrored, quarters) = match value {
            2 => (true, 0),
            3 => (false, 2),
            4 => (true, 2),
            5 => (true, 3),
            6 => (false, 1),
            7 => (true, 1),
            8 => (false, 3),
            _ => (false, 0),
        };
        Self {
            mirrored,
            turn: QuarterTurn::from_count(quarters),
        }
    }

    /// The value of the EXIF or TIFF tag: 1 to 8.
    pub const fn tag(self) -> u16 {
        match (self.mirrored, self.turn) {
            (false, QuarterTurn::None) => 1,
            (true, QuarterTurn::None) => 2,
            (false, QuarterTurn::Half) => 3,
            (true, QuarterTurn::Half) => 4,
            (true, QuarterTurn::ThreeQuarters) => 5,
            (false, QuarterTurn::Quarter) => 6,
            (true, QuarterTurn::Quarter) => 7,
            (false, QuarterTurn::ThreeQuarters) => 8,
        }
    }

    /// Whether width and height are exchanged.
    pub const fn transposes(self) -> bool {
        self.turn.count() % 2 == 1
    }

    /// The dimensions after it is applied.
    pub const fn apply_to(self, dimensions: Dimensions) -> Dimensions {
        if self.transposes() {
            dimensions.transposed()
        } else {
            dimensions
        }
    }

    /// Where the pixels of an upright rectangle are stored. `stored` are the dimensions before it is applied.
    ///
    /// # Panics
    /// If the rectangle is not within the upright dimensions.
    pub fn stored_rect(self, upright: Rect, stored: Dimensions) -> Rect {
        let Rotated { x, y, extent } = unturn(self.turn, upright, stored);
        let x = if self.mirrored {
            stored.width() - x - extent.width()
        } else {
            x
        };
        Rect::new(x, y, extent.width(), extent.height()).expect("within the stored image")
    }
}

struct Rotated {
    x: u32,
    y: u32,
    extent: Dimensions,
}

fn unturn(turn: QuarterTurn, rect: Rect, stored: Dimensions) -> Rotated {
    let from_right = |edge: u32| stored.width() - edge;
    let from_bottom = |edge: u32| stored.height() - edge;
    let (x, y, extent) = match turn {
        QuarterTurn::None => (rect.x(), rect.y(), rect.dimensions()),
        QuarterTurn::Quarter => (
            rect.y(),
            from_bottom(rect.right()),
            rect.dimensions().transposed(),
        ),
        QuarterTurn::Half => (
            from_right(rect.right()),
            from_bottom(rect.bottom()),
            rect.dimensions(),
        ),
        QuarterTurn::ThreeQuarters => (
            from_right(rect.bottom()),
            rect.x(),
            rect.dimensions().transposed(),
        ),
    };
    Rotated { x, y, extent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_survive_the_way_there_and_back() {
        for tag in 1..=8 {
            assert_eq!(Orientation::from_tag(tag).tag(), tag);
        }
        assert_eq!(Orientation::from_tag(0), Orientation::UPRIGHT);
        assert_eq!(Orientation::from_tag(9), Orientation::UPRIGHT);
    }

    /// TIFF 6.0: with orientation 6 row 0 is the right side and column 0 the top, so the pixel shown top left is
    /// stored bottom left.
    #[test]
    fn the_upper_left_pixel_is_found_where_the_tag_says() {
        let stored = Dimensions::new(4, 3).unwrap();
        let corner = Rect::new(0, 0, 1, 1).unwrap();
        let expected = [
            (1, (0, 0)),
            (2, (3, 0)),
            (3, (3, 2)),
            (4, (0, 2)),
            (5, (0, 0)),
            (6, (0, 2)),
            (7, (3, 2)),
            (8, (3, 0)),
        ];
        for (tag, at) in expected {
            let found = Orientation::from_tag(tag).stored_rect(corner, stored);
            assert_eq!((found.x(), found.y()), at, "orientation {tag}");
        }
    }
}
