//! A body cut into pieces of given lengths.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::ask::Body;
use super::error::{Failure, RemoteError};

pub struct Chunks {
    body: Body,
    /// What came but is not taken.
    rest: Bytes,
}

impl Chunks {
    pub fn new(body: Body) -> Self {
        let rest = Bytes::new();
        Self { body, rest }
    }

    /// What comes next, at most so many bytes, at least one; `None` at the end.
    ///
    /// # Errors
    /// Those of the body.
    pub async fn next_or_end(&mut self, most: usize) -> Result<Option<Bytes>, RemoteError> {
        while self.rest.is_empty() {
            match self.body.next().await {
                Some(next) => self.rest = next?,
                None => return Ok(None),
            }
        }
        Ok(Some(self.rest.split_to(most.min(self.rest.len()))))
    }

    async fn next(&mut self, most: usize) -> Result<Bytes, RemoteError> {
        let next = self.next_or_end(most).await?;
        next.ok_or(Failure::BrokenOff.into())
    }

    /// Exactly so many bytes, in memory of their own: what is kept must not hold all that came with it.
    ///
    /// # Errors
    /// [`Failure::BrokenOff`] at the end, and those of the body.
    pub async fn take(&mut self, length: usize) -> Result<Bytes, RemoteError> {
        let mut taken = BytesMut::with_capacity(length);
        while taken.len() < length {
            let next = self.next(length - taken.len()).await?;
            taken.extend_from_slice(&next);
        }
        Ok(taken.freeze())
    }

    /// # Errors
    /// As of [`take`](Self::take).
    pub async fn fill(&mut self, buffer: &mut [u8]) -> Result<(), RemoteError> {
        let mut filled = 0;
        while filled < buffer.len() {
            let next = self.next(buffer.len() - filled).await?;
            buffer[filled..filled + next.len()].copy_from_slice(&next);
            filled += next.len();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn pieces_do_not_depend_on_how_the_body_came() {
        let pieces = ["abc", "", "d", "efghij"].map(|piece| Ok(Bytes::from(piece)));
        let mut chunks = Chunks::new(stream::iter(pieces).boxed());
        assert_eq!(chunks.take(2).await.unwrap(), "ab");
        assert_eq!(chunks.take(4).await.unwrap(), "cdef");
        let mut buffer = [0; 3];
        chunks.fill(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"ghi");
        let end = chunks.take(2).await;
        assert_eq!(end, Err(Failure::BrokenOff.into()));
    }
}
