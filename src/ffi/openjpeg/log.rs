//! What OpenJPEG says while it works.

use std::ffi::{CStr, c_char, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use openjpeg_sys as raw;

/// Collects the first damaging message and counts decoded tiles. OpenJPEG's threads share it.
#[derive(Default)]
pub struct Log {
    problem: OnceLock<String>,
    tiles_decoded: AtomicU32,
}

impl Log {
    /// The first error, or the first warning that means missing or damaged data.
    pub fn problem(&self) -> Option<&str> {
        self.problem.get().map(String::as_str)
    }

    /// OpenJPEG leaves the pixels of absent tiles black without an error; only its messages tell.
    pub fn tiles_decoded(&self) -> u32 {
        self.tiles_decoded.load(Ordering::Relaxed)
    }

    /// Sends the messages of a codec to `log`.
    ///
    /// # Safety
    /// Both pointers are live, and `log` stays so for as long as the codec is used.
    pub unsafe fn attach(log: *const Self, codec: *mut raw::opj_codec_t) {
        let log = log.cast_mut().cast::<c_void>();
        // SAFETY: as promised by the caller; the handlers cast the pointer back to what it was.
        unsafe {
            raw::opj_set_info_handler(codec, Some(on_info), log);
            raw::opj_set_warning_handler(codec, Some(on_warning), log);
            raw::opj_set_error_handler(codec, Some(on_error), log);
        }
    }

    fn note(&self, message: &str) {
        self.problem.get_or_init(|| message.trim().to_owned());
    }
}

/// Warnings that leave every pixel as coded. All others mean that data are missing or damaged, and that OpenJPEG has
/// made pixels up.
fn is_harmless(warning: &str) -> bool {
    const HARMLESS: [&str; 10] = [
        "Despite JP2 BPC",
        // A useless index of tile-parts is ignored.
        "opj_j2k_read_tlm()",
        "declares more tile-parts than found in TLM",
        "Unknown marker",
        // SOP markers may be left out (A.8.1).
        "SOP marker",
        "Psot value is not correct",
        "Empty SOT marker detected",
        "TPsot==TNsot",
        "So we limit the number of elements stored",
        "Cannot perform MCT on components with different sizes",
    ];
    HARMLESS.iter().any(|known| warning.contains(known))
}

/// # Safety
/// `message` is a C string and `log` what was given to [`Log::attach`].
unsafe fn receive(message: *const c_char, log: *mut c_void, handle: fn(&Log, &str)) {
    if message.is_null() || log.is_null() {
        return;
    }
    // SAFETY: as promised by the caller; several threads may call at a time, and nobody has the log
    // for itself.
    unsafe {
        let text = CStr::from_ptr(message).to_string_lossy();
        handle(&*log.cast_const().cast::<Log>(), &text);
    }
}

unsafe extern "C" fn on_info(message: *const c_char, log: *mut c_void) {
    // SAFETY: OpenJPEG passes what was attached.
    unsafe {
        receive(message, log, |log, text| {
            let done = u32::from(text.contains("has been decoded"));
            log.tiles_decoded.fetch_add(done, Ordering::Relaxed);
        });
    }
}

unsafe extern "C" fn on_warning(message: *const c_char, log: *mut c_void) {
    // SAFETY: OpenJPEG passes what was attached.
    unsafe {
        receive(message, log, |log, text| {
            if !is_harmless(text) {
                log.note(text);
            }
        });
    }
}

unsafe extern "C" fn on_error(message: *const c_char, log: *mut c_void) {
    // SAFETY: OpenJPEG passes what was attached.
    unsafe { receive(message, log, Log::note) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_warnings_about_damage_count() {
        assert!(is_harmless("Expected SOP marker\n"));
        assert!(!is_harmless("Stream does not end with EOC\n"));
        assert!(!is_harmless("PTERM check failure: 3 remaining bytes"));
    }
}
