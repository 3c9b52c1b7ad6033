//! Filled in next.

use super::{DecodeError, Decoder, Limits};
use crate::input::Input;

pub fn open(_input: Input, _limits: &Limits) -> Result<Box<dyn Decoder>, DecodeError> {
    Err(DecodeError::unsupported("gif"))
}
