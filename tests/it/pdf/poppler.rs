//! Pages beside what Poppler's `pdftoppm` makes of them, at a third of their size: what a reader sees on a screen.

use std::fs;
use std::process::Command;

use crate::server::{Picture, Server, fixtures};

/// Samples differ by so much, of 255, on average: letters are smoothed in one way or another, and lines that are thinner than a pixel.
const USUAL: f64 = 4.5;

/// More than that, and why.
const OUTLIERS: [(&str, f64, &str); 10] = [
    (
        "cairo",
        18.0,
        "hayro makes the dots of a pattern whole pixels wide, so that they come to stand elsewhere",
    ),
    (
        "standard-fonts",
        12.0,
        "hayro's ZapfDingbats are others than Debian's, and its Courier is heavier",
    ),
    (
        "samples",
        12.0,
        "Poppler paints pixels of images from 300 dpi on one pixel further where their edges are between pixels",
    ),
    ("tiling-patterns", 10.0, "as the dots of cairo"),
    ("typeset", 9.0, "small letters: hinted here, heavier there"),
    ("embedded-truetype", 7.5, "small letters"),
    (
        "jbig2",
        8.0,
        "black and white lines of an image, smoothed in one way or another",
    ),
    ("ccitt", 8.0, "as jbig2"),
    (
        "cmyk",
        8.0,
        "inks become colours by a profile of a press here, by a formula there",
    ),
    ("ghostscript-cmyk", 6.0, "as cmyk"),
];

/// Pages whose crop box is wider than the media box: Poppler takes all of that box's width then, and not what both share (14.11.2.1).
const UNLIKE: [(&str, u32); 3] = [
    ("crop-box", 2),
    ("encrypted-rc4", 2),
    ("encrypted-without-password", 2),
];

/// Of a page that is turned it takes the sides before that.
fn poppler(name: &str, page: u32, (width, height): (u32, u32)) -> Picture {
    let found = rendered(name, page, (width, height));
    if found.size() == (width, height) {
        found
    } else {
        rendered(name, page, (height, width))
    }
}

fn rendered(name: &str, page: u32, (x, y): (u32, u32)) -> Picture {
    let made = Command::new("pdftoppm")
        .args(["-cropbox", "-png", "-singlefile"])
        .args(["-f", &page.to_string(), "-scale-to-x", &x.to_string()])
        .args(["-scale-to-y", &y.to_string()])
        .arg(fixtures(&format!("pdf/{name}.pdf")))
        .output()
        .unwrap();
    let problem = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{name} {page}: {problem}");
    Picture::from_png(&made.stdout)
}

/// Of the colours, on average.
fn difference(a: &Picture, b: &Picture) -> f64 {
    assert_eq!(a.size(), b.size());
    let of = |(a, b): (&[u8; 4], &[u8; 4])| -> u64 {
        (0..3)
            .map(|channel| u64::from(a[channel].abs_diff(b[channel])))
            .sum()
    };
    let sum: u64 = a.pixels.iter().zip(&b.pixels).map(of).sum();
    sum as f64 / (3 * a.pixels.len()) as f64
}

async fn compared(server: &Server, name: &str, page: u32) -> f64 {
    let image = format!("/iiif/3/{name}.pdf;{page}");
    let information = server.json(&format!("{image}/info.json")).await;
    let third = |side: &str| (information[side].as_u64().unwrap() as u32).div_ceil(3);
    let (width, height) = (third("width"), third("height"));
    let ours = server
        .picture(&format!("{image}/full/{width},{height}/0/default.png"))
        .await;
    difference(&ours, &poppler(name, page, (width, height)))
}

#[tokio::test]
async fn pages_look_like_those_of_poppler() {
    let server = Server::configured(fixtures("pdf"), |config| {
        config.compatibility.page_count = true;
    });
    let mut wrong = Vec::new();
    let mut count = 0;
    for name in names() {
        let information = server.json(&format!("/iiif/3/{name}.pdf/info.json")).await;
        let pages = information["page_count"].as_u64().unwrap_or(1) as u32;
        for page in 1..=pages.min(5) {
            if UNLIKE.contains(&(&*name, page)) {
                continue;
            }
            let most = OUTLIERS.iter().find(|(other, ..)| *other == name);
            let found = compared(&server, &name, page).await;
            eprintln!("{name} {page}: {found:.2}");
            count += 1;
            if found > most.map_or(USUAL, |(_, most, _)| *most) {
                wrong.push(format!("{name} {page}: {found:.2}"));
            }
        }
    }
    assert!(count >= 60, "{count} pages");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn names() -> Vec<String> {
    let files = fs::read_dir(fixtures("pdf")).unwrap().flatten();
    let name = |file: fs::DirEntry| {
        let name = file.file_name().into_string().unwrap();
        name.strip_suffix(".pdf").map(str::to_owned)
    };
    let mut names: Vec<String> = files.filter_map(name).filter(|it| it != "locked").collect();
    names.sort();
    names
}
