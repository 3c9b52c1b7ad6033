//! JPEG 2000 output is not there yet.

use crate::decode::Resolution;
use crate::raster::Raster;

/// # Errors
/// Always, until the encoder is there.
pub fn encode(_raster: &Raster, _resolution: Option<Resolution>) -> Result<Vec<u8>, &'static str> {
    Err("not supported yet")
}
