//! Filled in next.

use super::{DecodeError, Decoder, Limits};
use crate::input::Input;

pub fn open(_input: Input, _limits: &Limits) -> Result<Box<dyn Decoder>, DecodeError> {
    Err(DecodeError::unsupported("jp2"))
}

/// Decodes a whole raw codestream; its components become the interleaved channels, without any colour conversion
/// but the codestream's own.
pub(in crate::decode) fn decode_codestream(
    _codestream: Vec<u8>,
    _limits: &Limits,
) -> Result<crate::raster::Raster, DecodeError> {
    Err(DecodeError::unsupported("jp2"))
}
