pub mod config;
pub mod jp2;
use crate::decode::Resolution;
use crate::iiif::Format;
use crate::raster::Raster;
#[derive(Clone, Debug)]
pub struct Settings { pub jpeg_quality: u8, pub webp_quality: u8, pub background: [u8; 3] }
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct EncodeError;
pub fn encode(raster: &Raster, _format: Format, _r: Option<Resolution>, _settings: &Settings) -> Result<Vec<u8>, EncodeError> {
    use crate::ffi::turbojpeg as t;
    let p = if raster.layout().channels() == 1 { t::Pixels::Gray } else { t::Pixels::Rgb };
    let e = t::Encoding { quality: 85, subsampling: t::Subsampling::S420, density: None, profile: None };
    t::encode(raster.as_u8().unwrap(), raster.dimensions(), p, &e).map_err(|_| EncodeError)
}
impl From<&config::EncodeConfig> for Settings {
    fn from(config: &config::EncodeConfig) -> Self {
        Self { jpeg_quality: config.jpeg_quality, webp_quality: config.webp_quality, background: config.background.rgb() }
    }
}
