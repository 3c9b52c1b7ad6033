//! Tag trees: numbers of a grid, told as far as they matter (ISO/IEC 15444-1, B.10.2).

use std::io;

/// The numbers of a grid, as far as they have been told.
#[derive(Clone, Debug)]
pub struct TagTree {
    /// Columns and first node of each level, the grid itself first.
    levels: Vec<(usize, usize)>,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// The number is not smaller.
    least: u32,
    is_known: bool,
}

impl TagTree {
    pub fn new(columns: usize, rows: usize) -> Self {
        let (mut columns, mut rows) = (columns, rows);
        let (mut levels, mut count) = (Vec::new(), 0);
        while columns * rows > 0 {
            levels.push((columns, count));
            count += columns * rows;
            if columns * rows == 1 {
                break;
            }
            (columns, rows) = (columns.div_ceil(2), rows.div_ceil(2));
        }
        Self {
            levels,
            nodes: vec![Node::default(); count],
        }
    }

    /// Reads until it is known whether the number at a place is below a threshold, and says so.
    ///
    /// # Errors
    /// Those of reading.
    pub fn is_below(
        &mut self,
        (column, row): (usize, usize),
        threshold: u32,
        mut bit: impl FnMut() -> io::Result<bool>,
    ) -> io::Result<bool> {
        let mut least = 0;
        let mut is_known = false;
        for (level, (columns, first)) in self.levels.iter().enumerate().rev() {
            let node = &mut self.nodes[first + (row >> level) * columns + (column >> level)];
            node.least = node.least.max(least);
            while !node.is_known && node.least < threshold {
                match bit()? {
                    true => node.is_known = true,
                    false => node.least += 1,
                }
            }
            (least, is_known) = (node.least, node.is_known);
        }
        Ok(is_known && least < threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of B.10.2: a grid of six columns and three rows, whose first numbers are 1, 3, 2 and 3.
    #[test]
    fn the_example_of_the_standard() {
        let mut tree = TagTree::new(6, 3);
        let mut bits = "01111001101".bytes().map(|bit| Ok(bit == b'1'));
        let mut number = |place| {
            (1..).find(|threshold| {
                tree.is_below(place, *threshold, || bits.next().unwrap())
                    .unwrap()
            })
        };
        assert_eq!(number((0, 0)), Some(2));
        assert_eq!(number((1, 0)), Some(4));
        assert_eq!(number((2, 0)), Some(3));
        assert!(bits.next().is_none());
    }

    #[test]
    fn what_is_not_below_is_told_by_as_few_bits() {
        let mut tree = TagTree::new(2, 1);
        let mut bits = 0;
        let mut no = || {
            bits += 1;
            Ok(false)
        };
        assert!(!tree.is_below((0, 0), 2, &mut no).unwrap());
        assert!(!tree.is_below((1, 0), 2, &mut no).unwrap());
        assert_eq!(bits, 2, "of the root alone");
    }
}
