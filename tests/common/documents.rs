//! Documents with pages, as they are wanted.

use std::io::Cursor;

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};
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

/// A PDF with a page of each of these widths and heights in points, with its number on it.
pub fn pdf(pages: &[(f32, f32)]) -> Vec<u8> {
    let id = |number: usize| Ref::new(i32::try_from(number).unwrap());
    let (catalog, tree, font) = (id(1), id(2), id(3));
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    let kids = (0..pages.len()).map(|at| id(4 + 2 * at));
    pdf.pages(tree)
        .kids(kids)
        .count(i32::try_from(pages.len()).unwrap());
    for (at, &(width, height)) in pages.iter().enumerate() {
        let mut page = pdf.page(id(4 + 2 * at));
        page.media_box(Rect::new(0.0, 0.0, width, height))
            .parent(tree)
            .contents(id(5 + 2 * at));
        page.resources().fonts().pair(Name(b"F"), font);
        page.finish();
        let mut content = Content::new();
        content
            .begin_text()
            .set_font(Name(b"F"), 24.0)
            .next_line(20.0, 20.0);
        content
            .show(Str((at + 1).to_string().as_bytes()))
            .end_text();
        pdf.stream(id(5 + 2 * at), &content.finish());
    }
    pdf.type1_font(font).base_font(Name(b"Helvetica"));
    pdf.finish()
}
