//! What the server and a process that renders say to each other: JSON with its length before it, and bytes whose number
//! the JSON tells.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::config::Scans;
use super::fault::Fault;
use super::outline::Outline;

/// The first message to a process; the bytes of the document follow. The answer is an [`Opened`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Open {
    pub length: u64,
    pub pages: u32,
    pub scans: Scans,
    pub memory: u64,
    pub seconds: u32,
}

pub type Opened = Result<Outline, Fault>;

/// Each message after it is a [`Part`](super::page::Part); its samples follow the answer, if they could be rendered.
pub type Rendered = Result<(), Fault>;

/// Bytes of a message that has no pages: what is wrong, or a title, of which each character may be written with six.
const SHORT: u64 = 16 << 10;

/// Bytes of an [`Opened`] of so many pages, each of which is two long numbers, two short ones, and their names.
pub fn longest(pages: u32) -> u64 {
    const PAGE: u64 = 128;
    SHORT + PAGE * u64::from(pages)
}

pub fn send(stream: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(message)?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(text);
    stream.write_all(&bytes)?;
    stream.flush()
}

/// # Errors
/// As [`receive_long`].
pub fn receive<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<T> {
    receive_long(stream, SHORT)
}

/// A message of at most so many bytes.
///
/// # Errors
/// `UnexpectedEof` if the other side is gone.
pub fn receive_long<T: DeserializeOwned>(stream: &mut impl Read, longest: u64) -> io::Result<T> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if u64::from(length) > longest {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = vec![0; length as usize];
    stream.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use super::super::outline::PageSize;
    use super::super::page::Part;
    use super::*;

    #[test]
    fn what_is_sent_is_received() {
        let part = Part {
            page: 3,
            is_scan: false,
            whole: (2550, 3300),
            corner: (1024, 0),
            sides: (1024, 1024),
        };
        let mut sent = Vec::new();
        send(&mut sent, &part).unwrap();
        send(&mut sent, &Rendered::Err(Fault::Encrypted)).unwrap();
        let mut rest = &sent[..];
        assert_eq!(receive::<Part>(&mut rest).unwrap(), part);
        let answer: Rendered = receive(&mut rest).unwrap();
        assert_eq!(answer, Err(Fault::Encrypted));
        assert!(receive::<Rendered>(&mut rest).is_err(), "nothing is left");
    }

    #[test]
    fn the_longest_outline_is_short_enough() {
        let page = PageSize {
            width: 1.234_567_890_123_456_7e-300,
            height: -1.234_567_890_123_456_7e-300,
            scan: Some((u32::MAX, u32::MAX)),
        };
        let outline = Outline {
            version: "1.7".to_owned(),
            title: Some("\u{10FFFF}".repeat(1_000)),
            pages: vec![page; 10_000],
        };
        let mut sent = Vec::new();
        send(&mut sent, &Opened::Ok(outline.clone())).unwrap();
        let received: io::Result<Opened> = receive_long(&mut &sent[..], longest(10_000));
        assert_eq!(received.unwrap(), Opened::Ok(outline));
        assert!(receive_long::<Opened>(&mut &sent[..], longest(5_000)).is_err());
    }

    #[test]
    fn nonsense_is_not_allocated() {
        let mut nonsense = &[0xFF_u8; 8][..];
        assert!(receive::<Rendered>(&mut nonsense).is_err());
    }
}
