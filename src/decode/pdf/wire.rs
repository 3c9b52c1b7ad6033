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

/// An outline of a million pages.
const LONGEST: u32 = 128 << 20;

pub fn send(stream: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(message)?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(text);
    stream.write_all(&bytes)?;
    stream.flush()
}

/// # Errors
/// `UnexpectedEof` if the other side is gone.
pub fn receive<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = vec![0; length as usize];
    stream.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
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
    fn nonsense_is_not_allocated() {
        let mut nonsense = &[0xFF_u8; 8][..];
        assert!(receive::<Rendered>(&mut nonsense).is_err());
    }
}
