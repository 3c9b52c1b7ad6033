//! The marker segments of a baseline JPEG of one scan (ITU-T T.81, annex B), read and written.

use super::huffman::Table;
use super::{ComponentTables, Tables};
use crate::geometry::Dimensions;

/// Of an interleaved scan.
pub const MOST_COMPONENTS: usize = 4;

const START: u8 = 0xD8;
const END: u8 = 0xD9;
const BASELINE: u8 = 0xC0;
const HUFFMAN_TABLES: u8 = 0xC4;
const START_OF_SCAN: u8 = 0xDA;
const QUANTISATION_TABLES: u8 = 0xDB;
const RESTART_INTERVAL: u8 = 0xDD;

/// What the segments before the scan say, and the scan.
pub struct Stream<'a> {
    pub dimensions: Dimensions,
    pub components: Vec<Component>,
    /// Quantisation tables by their number, with the byte that says their precision.
    quantisation: [Vec<u8>; 4],
    /// Huffman tables by class and number, as they stand in the segment.
    huffman: [[Vec<u8>; 4]; 2],
    /// The entropy-coded data.
    pub scan: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    id: u8,
    horizontal: u8,
    vertical: u8,
    quantisation: u8,
    dc: usize,
    ac: usize,
    /// Blocks in each coded unit.
    pub blocks: u32,
}

impl<'a> Stream<'a> {
    /// `shared` are tables that stand elsewhere, as a JPEG without a frame (TIFF technical note 2).
    ///
    /// `None` if it is anything but 8-bit baseline in one interleaved scan without restarts.
    pub fn parse(shared: &[u8], jpeg: &'a [u8]) -> Option<Self> {
        let mut stream = Self {
            dimensions: Dimensions::at_least_one(1, 1),
            components: Vec::new(),
            quantisation: Default::default(),
            huffman: Default::default(),
            scan: &[],
        };
        stream.read_segments(shared)?;
        let scan = stream.read_segments(jpeg)??;
        stream.scan = scan.strip_suffix(&[0xFF, END])?;
        let is_quantised = |component: &Component| {
            let table = stream.quantisation.get(usize::from(component.quantisation));
            table.is_some_and(|table| !table.is_empty())
        };
        stream.components.iter().all(is_quantised).then_some(stream)
    }

    /// The Huffman tables of each component.
    pub(super) fn tables(&self) -> Option<Tables> {
        let table = |class: usize, number: usize| {
            let (counts, symbols) = self.huffman[class][number].split_first_chunk()?;
            Table::new(counts, symbols)
        };
        let tables = |component: &Component| {
            Some(ComponentTables {
                dc: table(0, component.dc)?,
                ac: table(1, component.ac)?,
            })
        };
        self.components.iter().map(tables).collect()
    }

    /// Up to the scan, if there is one: what comes after its header. The outer `None` is for what is not supported.
    fn read_segments<'b>(&mut self, jpeg: &'b [u8]) -> Option<Option<&'b [u8]>> {
        let mut rest = jpeg.strip_prefix(&[0xFF, START]).unwrap_or(jpeg);
        while let [0xFF, marker, after @ ..] = rest {
            match *marker {
                0xFF => {
                    rest = &rest[1..];
                    continue;
                }
                END => return Some(None),
                _ => {}
            }
            let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
            let payload = after.get(2..length)?;
            rest = &after[length..];
            match *marker {
                START_OF_SCAN => {
                    self.read_scan_header(payload)?;
                    return Some(Some(rest));
                }
                marker => self.read_segment(marker, payload)?,
            }
        }
        rest.is_empty().then_some(None)
    }

    fn read_segment(&mut self, marker: u8, payload: &[u8]) -> Option<()> {
        match marker {
            BASELINE => self.read_frame(payload),
            HUFFMAN_TABLES => self.read_huffman(payload),
            QUANTISATION_TABLES => self.read_quantisation(payload),
            RESTART_INTERVAL => (payload == [0, 0]).then_some(()),
            // Other frames, arithmetic conditioning, number of lines, hierarchical.
            0xC1..=0xCF | 0xDC | 0xDE | 0xDF => None,
            // Application data and comments.
            _ => Some(()),
        }
    }

    fn read_frame(&mut self, payload: &[u8]) -> Option<()> {
        let [8, h0, h1, w0, w1, count, components @ ..] = payload else {
            return None;
        };
        if !self.components.is_empty() {
            return None;
        }
        let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
        self.dimensions = Dimensions::new(side(*w0, *w1), side(*h0, *h1))?;
        let is_complete = components.len() == usize::from(*count) * 3;
        if !is_complete || !(1..=MOST_COMPONENTS).contains(&usize::from(*count)) {
            return None;
        }
        self.components = components.chunks_exact(3).map(component).collect();
        let is_usual = |factor: u8| matches!(factor, 1 | 2 | 4);
        let mut factors = self.components.iter();
        let are_usual = factors.all(|c| is_usual(c.horizontal) && is_usual(c.vertical));
        if let [only] = &mut self.components[..] {
            // A scan of one component is not interleaved: its unit is one block (A.2.2).
            (only.horizontal, only.vertical, only.blocks) = (1, 1, 1);
        }
        are_usual.then_some(())
    }

    fn read_scan_header(&mut self, payload: &[u8]) -> Option<()> {
        let (count, rest) = payload.split_first()?;
        let (selectors, spectral) = rest.split_at_checked(usize::from(*count) * 2)?;
        if usize::from(*count) != self.components.len() || spectral != [0, 63, 0] {
            return None;
        }
        for (component, selector) in self.components.iter_mut().zip(selectors.chunks_exact(2)) {
            let (dc, ac) = (selector[1] >> 4, selector[1] & 15);
            if selector[0] != component.id || dc > 3 || ac > 3 {
                return None;
            }
            (component.dc, component.ac) = (usize::from(dc), usize::from(ac));
        }
        Some(())
    }

    fn read_huffman(&mut self, mut payload: &[u8]) -> Option<()> {
        while let [place, rest @ ..] = payload {
            let counts: &[u8; 16] = rest.first_chunk()?;
            let symbols: usize = counts.iter().map(|count| usize::from(*count)).sum();
            let (table, rest) = rest.split_at_checked(16 + symbols)?;
            let class = self.huffman.get_mut(usize::from(place >> 4))?;
            *class.get_mut(usize::from(place & 15))? = table.to_vec();
            payload = rest;
        }
        Some(())
    }

    fn read_quantisation(&mut self, mut payload: &[u8]) -> Option<()> {
        while let [place, ..] = payload {
            let length = if place >> 4 == 0 { 64 } else { 128 };
            let (table, rest) = payload.split_at_checked(1 + length)?;
            *self.quantisation.get_mut(usize::from(place & 15))? = table.to_vec();
            payload = rest;
        }
        Some(())
    }

    /// Whether the coefficients of both mean the same, and their codes too.
    pub fn is_coded_like(&self, other: &Self) -> bool {
        self.components == other.components
            && self.quantisation == other.quantisation
            && self.huffman == other.huffman
    }

    /// The dimensions of a coded unit in pixels.
    pub fn unit(&self) -> Dimensions {
        let largest = |factor: fn(&Component) -> u8| {
            let factors = self.components.iter().map(factor);
            8 * u32::from(factors.max().unwrap_or(1))
        };
        Dimensions::at_least_one(largest(|c| c.horizontal), largest(|c| c.vertical))
    }

    /// A JPEG of these dimensions that is coded like this one.
    pub fn with_scan(&self, header: &[u8], dimensions: Dimensions, scan: &[u8]) -> Vec<u8> {
        const OF_TABLES: usize = 2 << 10;
        let mut out = Vec::with_capacity(scan.len() + header.len() + OF_TABLES);
        out.extend([0xFF, START]);
        out.extend(header);
        let quantisation: Vec<u8> = self.quantisation.concat();
        put_segment(&mut out, QUANTISATION_TABLES, &quantisation);
        put_segment(&mut out, BASELINE, &self.frame(dimensions));
        put_segment(&mut out, HUFFMAN_TABLES, &self.all_huffman());
        put_segment(&mut out, START_OF_SCAN, &self.scan_header());
        out.extend(scan);
        out.extend([0xFF, END]);
        out
    }

    fn frame(&self, dimensions: Dimensions) -> Vec<u8> {
        let side = |side: u32| (side as u16).to_be_bytes();
        let ([h0, h1], [w0, w1]) = (side(dimensions.height()), side(dimensions.width()));
        let mut frame = vec![8, h0, h1, w0, w1, self.components.len() as u8];
        for component in &self.components {
            let factors = component.horizontal << 4 | component.vertical;
            frame.extend([component.id, factors, component.quantisation]);
        }
        frame
    }

    fn all_huffman(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for (class, tables) in self.huffman.iter().enumerate() {
            for (number, table) in tables
                .iter()
                .enumerate()
                .filter(|(_, table)| !table.is_empty())
            {
                all.push((class << 4 | number) as u8);
                all.extend(table);
            }
        }
        all
    }

    fn scan_header(&self) -> Vec<u8> {
        let mut header = vec![self.components.len() as u8];
        for component in &self.components {
            header.extend([component.id, (component.dc << 4 | component.ac) as u8]);
        }
        header.extend([0, 63, 0]);
        header
    }
}

fn component(bytes: &[u8]) -> Component {
    let (horizontal, vertical) = (bytes[1] >> 4, bytes[1] & 15);
    Component {
        id: bytes[0],
        horizontal,
        vertical,
        quantisation: bytes[2],
        dc: 0,
        ac: 0,
        blocks: u32::from(horizontal) * u32::from(vertical),
    }
}

fn put_segment(out: &mut Vec<u8>, marker: u8, payload: &[u8]) {
    let length = (payload.len() + 2) as u16;
    out.extend([0xFF, marker]);
    out.extend(length.to_be_bytes());
    out.extend(payload);
}
