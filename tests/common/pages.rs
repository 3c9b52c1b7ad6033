//! TIFF files of several pages, each of one gray (TIFF 6.0, sections 2 and 4).

/// A page of these sides.
#[derive(Clone, Copy)]
pub struct Gray {
    pub width: u32,
    pub height: u32,
    pub value: u8,
    /// 1 is none; what is not known breaks the page, but no other.
    pub compression: u16,
}

impl Gray {
    pub fn new(width: u32, height: u32, value: u8) -> Self {
        Self {
            width,
            height,
            value,
            compression: 1,
        }
    }

    pub fn broken(self) -> Self {
        Self {
            compression: 999,
            ..self
        }
    }
}

/// The directories stand one after the other, each before its pixels.
pub fn tiff(pages: &[Gray]) -> Vec<u8> {
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    for (index, page) in pages.iter().enumerate() {
        let pixels = (page.width * page.height) as usize;
        let strip = file.len() as u32 + DIRECTORY;
        let entries = [
            (256, 4, page.width),
            (257, 4, page.height),
            (258, 3, 8),
            (259, 3, page.compression.into()),
            (262, 3, 1),
            (273, 4, strip),
            (277, 3, 1),
            (278, 4, page.height),
            (279, 4, pixels as u32),
        ];
        file.extend((entries.len() as u16).to_le_bytes());
        for (tag, kind, value) in entries {
            file.extend(u16::to_le_bytes(tag));
            file.extend(u16::to_le_bytes(kind));
            file.extend(1_u32.to_le_bytes());
            file.extend(u32::to_le_bytes(value));
        }
        // Offsets of directories are even.
        let end = (strip as usize + pixels).next_multiple_of(2);
        let is_last = index + 1 == pages.len();
        let next = if is_last { 0 } else { end as u32 };
        file.extend(next.to_le_bytes());
        file.resize(strip as usize + pixels, page.value);
        file.resize(end, 0);
    }
    file
}

/// Bytes of one with nine entries.
const DIRECTORY: u32 = 2 + 9 * 12 + 4;
