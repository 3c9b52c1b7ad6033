//! The chart that the fixtures show, pixel by pixel: the same formulas as `fixtures/chart.py`.

/// Width and height of most fixtures.
pub const DIMENSIONS: (u32, u32) = (301, 211);

/// Three by five points, five rows of three bits from the top.
const DIGITS: [u16; 10] = [
    0b111_101_101_101_111,
    0b010_110_010_010_111,
    0b111_001_111_100_111,
    0b111_001_111_001_111,
    0b101_101_111_001_001,
    0b111_100_111_001_111,
    0b111_100_111_101_111,
    0b111_001_010_010_010,
    0b111_101_111_101_111,
    0b111_101_111_001_111,
];

/// The colour of the chart at a point of the endless plane.
pub fn pixel(x: u32, y: u32) -> [u8; 3] {
    let (column, row, u, v) = (x / 32, y / 32, x % 32, y % 32);
    let number = 37 * column + 101 * row;
    let [r, g, b] = match (column + 2 * row) % 5 {
        _ if u == 0 || v == 0 => [255; 3],
        0 => color(number),
        1 => [8 * u, 8 * v, 255 - 8 * u],
        2 => [255 * ((x + y) % 2); 3],
        3 => digits(column, row, u, v),
        _ => color(number + u / 16 + 2 * (v / 16)),
    };
    [r as u8, g as u8, b as u8]
}

fn color(number: u32) -> [u32; 3] {
    [number, number / 6, number / 36].map(|digit| digit % 6 * 51)
}

fn digits(column: u32, row: u32, u: u32, v: u32) -> [u32; 3] {
    let (digit, left) = if u < 16 { (column, 2) } else { (row, 18) };
    let point = (u.wrapping_sub(left) / 4, v.wrapping_sub(6) / 4);
    match point {
        (i @ 0..3, j @ 0..5) if DIGITS[digit as usize % 10] >> (14 - 3 * j - i) & 1 == 1 => [0; 3],
        _ => [255, 220, 120],
    }
}

/// Luma in whole numbers.
pub fn gray(x: u32, y: u32) -> u8 {
    let [r, g, b] = pixel(x, y).map(u32::from);
    ((299 * r + 587 * g + 114 * b + 500) / 1000) as u8
}

/// Black or white.
pub fn bilevel(x: u32, y: u32) -> u8 {
    if gray(x, y) >= 128 { 255 } else { 0 }
}

/// The chart in the 256 colours of the palette images.
pub fn indexed(x: u32, y: u32) -> [u8; 3] {
    let [r, g, b] = pixel(x, y).map(u32::from);
    [(r >> 5) * 255 / 7, (g >> 5) * 255 / 7, (b >> 6) * 85].map(|sample| sample as u8)
}

/// The opacity of the images that have alpha: by block.
pub fn alpha(x: u32, y: u32) -> u8 {
    (255 - (x / 32 + y / 32) % 4 * 85) as u8
}

/// The sixteen-bit sample of a channel whose upper byte is `sample`.
pub fn deep(sample: u8, x: u32, y: u32, channel: u32) -> u16 {
    u16::from(sample) << 8 | ((x + 2 * y + 85 * channel) & 255) as u16
}
