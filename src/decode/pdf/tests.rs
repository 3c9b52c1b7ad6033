//! What pages look like, rendered in this process.

use std::fs;
use std::sync::Arc;

use super::*;
use crate::decode;

fn bytes(name: &str) -> Vec<u8> {
    fs::read(format!("fixtures/pdf/{name}.pdf")).unwrap()
}

fn opened(name: &str, page: u32) -> Result<Box<dyn Decoder>, DecodeError> {
    let page = Page::new(page).unwrap();
    decode::open_page(Arc::new(bytes(name)), &Limits::DEFAULT, page)
}

fn sides(decoder: &dyn Decoder) -> (u32, u32) {
    let dimensions = decoder.header().dimensions();
    (dimensions.width(), dimensions.height())
}

fn whole(decoder: &dyn Decoder, level: usize) -> Raster {
    let rect = Rect::whole(decoder.header().levels[level].dimensions);
    decoder.decode(&Window { level, rect }).unwrap()
}

/// At a place of the page in its units, from its upper left corner.
fn color_at(decoder: &dyn Decoder, x: f64, y: f64) -> [u8; 3] {
    let pixels = f64::from(PdfLimits::DEFAULT.resolution) / 72.0;
    let rect = Rect::new((x * pixels) as u32, (y * pixels) as u32, 1, 1).unwrap();
    let raster = decoder.decode(&Window { level: 0, rect }).unwrap();
    raster.as_u8().unwrap().try_into().unwrap()
}

/// Mean difference of samples.
fn difference(a: &Raster, b: &Raster) -> f64 {
    let (a, b) = (a.as_u8().unwrap(), b.as_u8().unwrap());
    let all = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)));
    all.sum::<u64>() as f64 / a.len() as f64
}

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255; 3];

#[test]
fn each_page_is_upright_and_has_its_own_size() {
    let at = |x, y| (x, y);
    // Where the lower left corner of the page as written has come to, 40 and 25 units from it.
    let corners = [
        at(40.0, 275.0),
        at(25.0, 40.0),
        at(160.0, 25.0),
        at(275.0, 160.0),
        at(275.0, 160.0),
    ];
    let pages = [
        (833, 1250),
        (1250, 833),
        (833, 1250),
        (1250, 833),
        (1250, 833),
    ];
    for (index, (corner, expected)) in corners.into_iter().zip(pages).enumerate() {
        let page = opened("rotated", index as u32 + 1).unwrap();
        assert_eq!(page.header().pages, 5);
        assert_eq!(sides(&*page), expected, "page {}", index + 1);
        assert_eq!(
            color_at(&*page, corner.0, corner.1),
            RED,
            "page {}",
            index + 1
        );
    }
}

#[test]
fn a_page_ends_with_its_crop_box_and_media_box() {
    let page = opened("crop-box", 1).unwrap();
    assert_eq!(sides(&*page), (708, 417), "170 by 100 units");
    assert_eq!(color_at(&*page, 5.0, 95.0), [204, 255, 204]);
    assert_eq!(color_at(&*page, 10.0, 60.0), RED, "its stroke");
    let clipped = opened("crop-box", 2).unwrap();
    assert_eq!(
        sides(&*clipped),
        (416, 1290),
        "99.75 by 309.5 units, turned"
    );
    let shifted = opened("crop-box", 3).unwrap();
    assert_eq!(sides(&*shifted), (1292, 875), "310 by 210 units");
    assert_eq!(
        color_at(&*shifted, 20.0, 100.0),
        WHITE,
        "left of the origin"
    );
}

#[test]
fn units_may_be_larger() {
    let page = opened("user-unit", 1).unwrap();
    assert_eq!(sides(&*page), (1042, 833), "250 by 200 points");
    assert_eq!(color_at(&*page, 50.0, 150.0), BLUE);
}

#[test]
fn annotations_are_seen_unless_they_are_hidden() {
    let page = opened("annotations", 1).unwrap();
    assert_eq!(color_at(&*page, 70.0, 45.0), [255, 128, 0]);
    assert_eq!(color_at(&*page, 30.0, 170.0), [230; 3], "the hidden one");
}

#[test]
fn layers_that_are_off_are_not_seen() {
    let page = opened("optional-content", 1).unwrap();
    assert_eq!(color_at(&*page, 50.0, 150.0), [0, 153, 0]);
    assert_eq!(color_at(&*page, 150.0, 150.0), WHITE);
}

/// The contract of decoders, but that positions are fractions of pixels, which are rounded otherwise from another corner: a
/// line of a fax may be a pixel off, and one of an image that is made smaller is made of other samples.
#[test]
fn windows_are_parts_of_the_whole() {
    for (name, most, most_of_a_line) in [
        ("typeset", 0.3, 2.0),
        ("cairo", 0.3, 2.0),
        ("scan-with-text", 0.3, 2.0),
        ("blend-modes", 0.3, 2.0),
        ("soft-mask", 0.3, 6.0),
        ("jbig2", 1.0, 255.0),
    ] {
        let page = opened(name, 1).unwrap();
        for level in [1, 2] {
            let all = whole(&*page, level);
            for rect in crate::decode::contract::windows_of(all.dimensions()) {
                let found = page.decode(&Window { level, rect }).unwrap();
                let is_line = rect.width().min(rect.height()) == 1;
                let most = if is_line { most_of_a_line } else { most };
                let mean = difference(&found, &all.crop(rect));
                assert!(mean <= most, "{name} {level} {rect}: {mean}");
            }
        }
    }
}

/// What is larger than one rendering is put together of several.
#[test]
fn large_windows_are_put_together() {
    let limits = Limits {
        pdf: PdfLimits {
            resolution: 2400,
            ..PdfLimits::DEFAULT
        },
        ..Limits::DEFAULT
    };
    let page = decode::open(Arc::new(bytes("rotated")), &limits).unwrap();
    assert_eq!(sides(&*page), (6667, 10000));
    let rect = Rect::new(300, 8300, 4200, 1500).unwrap();
    let found = page.decode(&Window { level: 0, rect }).unwrap();
    let at = |x: usize, y: usize| &found.as_u8().unwrap()[(y * 4200 + x) * 3..][..3];
    // The red rectangle from 10 to 70 units, from the left and of the height from 10 to 40.
    for (x, y, expected) in [
        (100, 500, RED),
        (2030, 500, RED),
        (2040, 500, WHITE),
        (4150, 1400, WHITE),
    ] {
        assert_eq!(at(x, y), expected, "{x} {y}");
    }
}

#[test]
fn a_page_that_is_not_there() {
    let problem = opened("rotated", 6).err().unwrap();
    assert!(matches!(problem, DecodeError::NoPage { pages: 5, .. }));
}

#[test]
fn pages_share_the_document() {
    let first = opened("rotated", 1).unwrap();
    let second = first.turn_to(Page::new(2).unwrap()).unwrap().unwrap();
    assert_eq!(sides(&*second), (1250, 833));
    let none = first.turn_to(Page::new(6).unwrap()).unwrap();
    assert!(matches!(none, Err(DecodeError::NoPage { .. })));
}

/// Else many documents of many pages would fill the memory.
#[test]
fn what_pages_share_counts_once() {
    let first = opened("rotated", 1).unwrap();
    let second = opened("rotated", 2).unwrap();
    let shared = 5 * size_of::<outline::PageSize>() as u64;
    assert!(first.memory() >= second.memory() + shared);
}

#[test]
fn encrypted_documents_open_if_they_ask_for_nothing() {
    for name in ["encrypted-without-password", "encrypted-rc4"] {
        let page = opened(name, 1).unwrap();
        assert_eq!(color_at(&*page, 10.0, 60.0), RED, "{name}");
    }
    let locked = opened("locked", 1).err().unwrap();
    assert!(matches!(locked, DecodeError::Unsupported(_)), "{locked}");
}

#[test]
fn ceilings_are_checked_when_opening() {
    let with = |pdf| Limits {
        pdf,
        ..Limits::DEFAULT
    };
    let few_bytes = PdfLimits {
        file_bytes: 700,
        ..PdfLimits::DEFAULT
    };
    let few_pages = PdfLimits {
        pages: 4,
        ..PdfLimits::DEFAULT
    };
    for limits in [with(few_bytes), with(few_pages)] {
        let problem = decode::open(Arc::new(bytes("rotated")), &limits).err();
        assert!(
            matches!(problem, Some(DecodeError::TooLarge { .. })),
            "{problem:?}"
        );
    }
}

/// What is left of it may be found and shown, but it is told where it cannot.
#[test]
fn truncated_documents_are_errors_or_pages() {
    for name in ["crop-box", "object-streams", "scan-with-text"] {
        let all = bytes(name);
        for length in (0..all.len()).step_by(all.len() / 40) {
            let input = Arc::new(all[..length].to_vec());
            let page = decode::open(input, &Limits::DEFAULT);
            let found = page.and_then(|page| {
                let level = page.header().levels.len() - 1;
                let rect = Rect::whole(page.header().levels[level].dimensions);
                page.decode(&Window { level, rect })
            });
            let is_told = matches!(
                found,
                Ok(_) | Err(DecodeError::Malformed { .. } | DecodeError::UnknownFormat)
            );
            assert!(is_told, "{name} cut to {length}: {found:?}");
        }
    }
}

#[test]
fn an_image_that_cannot_be_decoded_is_told() {
    let mut broken = bytes("jpeg-2000");
    let at = broken
        .windows(4)
        .position(|it| it == [0xFF, 0x4F, 0xFF, 0x51]);
    broken[at.unwrap() + 4..][..40].fill(0xEE);
    let page = decode::open(Arc::new(broken), &Limits::DEFAULT).unwrap();
    let level = page.header().levels.len() - 1;
    let rect = Rect::whole(page.header().levels[level].dimensions);
    let found = page.decode(&Window { level, rect });
    assert!(
        matches!(found, Err(DecodeError::Malformed { .. })),
        "{found:?}"
    );
}

/// A page with nothing but an image, at the image's own pixels.
#[test]
fn a_scan_is_the_image_itself() {
    let limits = Limits {
        pdf: PdfLimits {
            scans: config::Scans::Native,
            ..PdfLimits::DEFAULT
        },
        ..Limits::DEFAULT
    };
    let open = |name| decode::open(Arc::new(bytes(name)), &limits).unwrap();
    let jpeg = {
        let all = bytes("scan-with-text");
        let start = all
            .windows(3)
            .position(|it| it == [0xFF, 0xD8, 0xFF])
            .unwrap();
        let decoder = decode::open(Arc::new(all[start..].to_vec()), &limits).unwrap();
        whole(&*decoder, 0)
    };
    let page = open("scan-with-text");
    let found = whole(&*page, 0);
    assert_eq!(found.dimensions(), jpeg.dimensions());
    assert!(
        difference(&found, &jpeg) < 1.0,
        "but for the rounding of two decoders"
    );
    let rect = Rect::new(100, 200, 30, 40).unwrap();
    let window = page.decode(&Window { level: 0, rect }).unwrap();
    assert!(window == found.crop(rect));
    let fax = open("scan-fax");
    assert_eq!(sides(&*fax), (800, 600));
    let resolution = fax.header().resolution.unwrap();
    assert!((resolution.x - 100.0).abs() < 0.1, "{resolution:?}");
    let only = whole(&*fax, 0);
    assert!(only.as_u8().unwrap().iter().all(|it| [0, 255].contains(it)));
    assert_eq!(sides(&*open("typeset")), (2479, 3508), "no scan");
    assert_eq!(
        sides(&*open("image-mask")),
        (833, 833),
        "not all of the page"
    );
}
