//! What stands in for fonts that a document does not bring with it.
//!
//! For the fourteen that every reader has, and all that look like them, `hayro` has substitutes. Chinese, Japanese and Korean ones are
//! too large for that: the first that this machine has is taken, as `docs/pdf.md` says.

use std::fs;
use std::sync::{Arc, LazyLock};

use hayro::hayro_interpret::font::{FontData, FontQuery};
use hayro::hayro_interpret::hayro_cmap::{CharacterCollection, CidFamily};

/// Where Debian, Fedora, Arch and Alpine keep fonts that have all these characters.
const FILES: [&str; 8] = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/droid/DroidSansFallback.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
];

struct Found {
    data: FontData,
    /// Whether it has the forms of several languages, in the order of [`form`].
    has_forms: bool,
}

static CJK: LazyLock<Option<Found>> = LazyLock::new(|| {
    FILES.iter().find_map(|file| {
        let bytes = fs::read(file).ok()?;
        Some(Found {
            data: Arc::new(bytes),
            has_forms: file.contains("NotoSansCJK"),
        })
    })
});

/// The font, and its number in the file.
pub fn substitute(query: &FontQuery) -> Option<(FontData, u32)> {
    match query {
        FontQuery::Standard(font) => Some(font.get_font_data()),
        FontQuery::Fallback(font) => {
            let cjk = font.character_collection.as_ref().and_then(cjk);
            cjk.or_else(|| Some(font.pick_standard_font().get_font_data()))
        }
    }
}

fn cjk(collection: &CharacterCollection) -> Option<(FontData, u32)> {
    let form = form(&collection.family)?;
    let found = CJK.as_ref()?;
    let index = if found.has_forms { form } else { 0 };
    Some((Arc::clone(&found.data), index))
}

/// Which of the fonts in Noto's files has the forms of the characters that are usual there.
fn form(family: &CidFamily) -> Option<u32> {
    match family {
        CidFamily::AdobeJapan1 => Some(0),
        CidFamily::AdobeKorea1 => Some(1),
        CidFamily::AdobeGB1 => Some(2),
        CidFamily::AdobeCNS1 => Some(3),
        _ => None,
    }
}
