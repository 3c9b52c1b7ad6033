//! What has to be decoded together.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::geometry::{Dimensions, Rect};

/// The parts of a level that are decoded as a whole, whatever is wanted of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Any rectangle costs what its pixels cost.
    Pixel,
    /// Tiles, the first in the upper left corner.
    Tile(Dimensions),
    /// Strips of so many rows.
    Rows(u32),
    /// The whole level.
    Level,
}

impl Unit {
    /// The units that a rectangle of a level touches, as one rectangle.
    pub fn enclosing(self, rect: Rect, level: Dimensions) -> Rect {
        let Some((width, height)) = self.sides(level) else {
            return rect;
        };
        let (x, right) = widened(rect.x(), rect.right(), width, level.width());
        let (y, bottom) = widened(rect.y(), rect.bottom(), height, level.height());
        Rect::new(x, y, right - x, bottom - y).unwrap_or(rect)
    }

    /// The units that a rectangle of a level touches, one by one. A pixel is none.
    pub fn touching(self, rect: Rect, level: Dimensions) -> impl Iterator<Item = Rect> {
        let all = self.enclosing(rect, level);
        self.sides(level)
            .into_iter()
            .flat_map(move |(width, height)| {
                let columns = (all.x()..all.right()).step_by(width as usize);
                let rows = (all.y()..all.bottom()).step_by(height as usize);
                rows.flat_map(move |y| {
                    let corners = columns.clone().filter_map(move |x| Rect::new(x, y, 1, 1));
                    corners.map(move |corner| self.enclosing(corner, level))
                })
            })
    }

    /// Width and height of each but the last of a row or column. A pixel has none.
    fn sides(self, level: Dimensions) -> Option<(u32, u32)> {
        match self {
            Self::Pixel => None,
            Self::Tile(tile) => Some((tile.width(), tile.height())),
            Self::Rows(rows) => Some((level.width(), rows)),
            Self::Level => Some((level.width(), level.height())),
        }
    }

    /// Whether a rectangle of a level begins where a unit does.
    pub fn begins(self, rect: Rect, level: Dimensions) -> bool {
        let enclosing = self.enclosing(rect, level);
        (enclosing.x(), enclosing.y()) == (rect.x(), rect.y())
    }

    /// Whether a rectangle of a level is exactly one unit.
    pub fn is_one(self, rect: Rect, level: Dimensions) -> bool {
        let corner = Rect::new(rect.x(), rect.y(), 1, 1);
        self != Self::Pixel && corner.map(|corner| self.enclosing(corner, level)) == Some(rect)
    }
}

/// From the multiple of `step` before `start` to the one after `end`, but not beyond `last`.
fn widened(start: u32, end: u32, step: u32, last: u32) -> (u32, u32) {
    let end = end.checked_next_multiple_of(step).unwrap_or(last);
    (start - start % step, end.min(last))
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pixel => f.write_str("pixel"),
            Self::Tile(tile) => write!(f, "tile of {tile}"),
            Self::Rows(rows) => write!(f, "{rows} rows"),
            Self::Level => f.write_str("level"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
        Rect::new(x, y, width, height).unwrap()
    }

    #[test]
    fn a_window_is_widened_to_the_units_that_it_touches() {
        let level = Dimensions::new(1000, 700).unwrap();
        let tile = Unit::Tile(Dimensions::new(256, 128).unwrap());
        let window = rect(300, 600, 100, 80);
        assert_eq!(Unit::Pixel.enclosing(window, level), window);
        assert_eq!(tile.enclosing(window, level), rect(256, 512, 256, 188));
        assert_eq!(
            tile.enclosing(rect(255, 0, 2, 1), level),
            rect(0, 0, 512, 128)
        );
        assert_eq!(
            Unit::Rows(16).enclosing(window, level),
            rect(0, 592, 1000, 96)
        );
        assert_eq!(Unit::Level.enclosing(window, level), rect(0, 0, 1000, 700));
    }

    #[test]
    fn units_that_are_touched_fill_what_encloses_them() {
        let level = Dimensions::new(1000, 700).unwrap();
        let tile = Unit::Tile(Dimensions::new(256, 128).unwrap());
        let touched = |unit: Unit, window| unit.touching(window, level).collect::<Vec<_>>();
        assert_eq!(
            touched(tile, rect(700, 630, 200, 30)),
            [
                rect(512, 512, 256, 128),
                rect(768, 512, 232, 128),
                rect(512, 640, 256, 60),
                rect(768, 640, 232, 60)
            ]
        );
        assert_eq!(touched(tile, rect(0, 0, 1, 1)), [rect(0, 0, 256, 128)]);
        let rows = [rect(0, 0, 1000, 400), rect(0, 400, 1000, 300)];
        assert_eq!(touched(Unit::Rows(400), rect(3, 399, 1, 2)), rows);
        assert_eq!(touched(Unit::Level, rect(3, 9, 1, 2)), [Rect::whole(level)]);
        assert_eq!(touched(Unit::Pixel, rect(3, 9, 1, 2)), []);
    }

    #[test]
    fn one_unit_is_told_from_a_part_and_from_several() {
        let level = Dimensions::new(1000, 700).unwrap();
        let tile = Unit::Tile(Dimensions::new(256, 256).unwrap());
        assert!(tile.is_one(rect(256, 0, 256, 256), level));
        assert!(tile.is_one(rect(768, 512, 232, 188), level), "at the edge");
        assert!(!tile.is_one(rect(0, 0, 512, 256), level));
        assert!(!tile.is_one(rect(0, 0, 255, 256), level));
        assert!(!tile.is_one(rect(1, 0, 256, 256), level));
        assert!(tile.begins(rect(256, 512, 300, 100), level));
        assert!(!tile.begins(rect(256, 511, 300, 100), level));
        assert!(Unit::Level.is_one(rect(0, 0, 1000, 700), level));
        assert!(!Unit::Pixel.is_one(rect(0, 0, 1, 1), level));
    }
}
