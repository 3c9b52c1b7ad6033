//! The steps of a request, done pixel by pixel to a picture: what the server's result must equal.

use std::fs;
use std::path::Path;

use crate::chart;
use crate::server::Picture;

impl Picture {
    /// What `chart.png` and most of the fixtures show.
    pub fn chart() -> Self {
        let (width, height) = chart::DIMENSIONS;
        Self::new(width, height, |x, y| {
            let [r, g, b] = chart::pixel(x, y);
            [r, g, b, 255]
        })
    }

    /// The chart with the opacity of the fixtures that have one.
    pub fn transparent_chart() -> Self {
        let (width, height) = chart::DIMENSIONS;
        Self::new(width, height, |x, y| {
            let [r, g, b] = chart::pixel(x, y);
            [r, g, b, chart::alpha(x, y)]
        })
    }

    /// All of one colour.
    pub fn flat(width: u32, height: u32, color: [u8; 4]) -> Self {
        Self::new(width, height, |_, _| color)
    }

    pub fn cropped(&self, x: u32, y: u32, width: u32, height: u32) -> Self {
        Self::new(width, height, |u, v| self.at(x + u, y + v))
    }

    /// Left and right exchanged.
    pub fn mirrored(&self) -> Self {
        Self::new(self.width, self.height, |x, y| {
            self.at(self.width - 1 - x, y)
        })
    }

    /// By 90 degrees, clockwise.
    pub fn turned(&self) -> Self {
        Self::new(self.height, self.width, |x, y| {
            self.at(y, self.height - 1 - x)
        })
    }

    /// Laid on one colour.
    pub fn on(&self, [r, g, b]: [u8; 3]) -> Self {
        Self::new(self.width, self.height, |x, y| {
            let [red, green, blue, alpha] = self.at(x, y).map(u32::from);
            let over = |top: u32, under: u8| {
                ((top * alpha + u32::from(under) * (255 - alpha) + 127) / 255) as u8
            };
            [over(red, r), over(green, g), over(blue, b), 255]
        })
    }

    /// Stores it as an image of a server over this directory.
    pub fn store(&self, root: &Path, name: &str) {
        let file = root.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, self.to_png()).unwrap();
    }
}

/// The JPEG within a PDF.
pub fn picture_of_pdf(pdf: &[u8]) -> Picture {
    let find = |wanted: &[u8]| {
        pdf.windows(wanted.len())
            .position(|window| window == wanted)
    };
    let start = find(b"\xff\xd8\xff").unwrap();
    let end = pdf
        .windows(2)
        .rposition(|window| window == b"\xff\xd9")
        .unwrap();
    Picture::from_any(&pdf[start..end + 2])
}
