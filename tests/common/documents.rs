//! Documents with pages, as they are wanted.

use std::io::Cursor;

use tiff::encoder::{TiffEncoder, colortype::Gray8};

/// A TIFF with a page of each of these widths and heights, from black to white.
pub fn tiff(pages: &[(u32, u32)]) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file).unwrap();
    for &(width, height) in pages {
        let samples: Vec<u8> = (0..width * height).map(|at| (at % width) as u8).collect();
        encoder
            .write_image::<Gray8>(width, height, &samples)
            .unwrap();
    }
    file.into_inner()
}
