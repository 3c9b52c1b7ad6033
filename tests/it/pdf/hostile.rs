//! Documents that want to do harm: to the stack, the memory, the time, and the patience of a parser.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// Their names say what they are.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nested-arrays", page(&"[".repeat(1_000_000), "")),
        (
            "nested-dictionaries",
            page("", &format!("/X {}", "<< /A ".repeat(500_000))),
        ),
        ("nested-states", page(&"q ".repeat(3_000_000), "")),
        ("form-in-itself", one_form("/F Do", "/F 5 0 R")),
        ("forms-of-forms", forms_of_forms()),
        ("pattern-in-itself", pattern_in_itself()),
        ("glyph-in-itself", glyph_in_itself()),
        ("large-image", large_image()),
        (
            "large-fax",
            image(
                "/BitsPerComponent 1 /ColorSpace /DeviceGray /Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 2000000000 /Rows 2000000000 >>",
                b"\0\x10\x01",
            ),
        ),
        (
            "large-jbig2",
            image(
                "/BitsPerComponent 1 /ColorSpace /DeviceGray /Filter /JBIG2Decode",
                &large_jbig2(),
            ),
        ),
        (
            "large-jpeg-2000",
            image("/Filter /JPXDecode", &large_jpeg_2000()),
        ),
        ("bomb", bomb()),
        ("many-operators", many_operators()),
        (
            "many-dashes",
            page("[0.00001] 0 d 0.1 w 0 0 m 100 100 l S", ""),
        ),
        ("many-tiles", many_tiles()),
        ("many-pages", many_pages()),
        (
            "large-page",
            document(&[
                "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
                "<< /Type /Page /Parent 3 0 R /MediaBox [0 0 1000000000 1000000000] >>",
            ]),
        ),
        (
            "tree-in-itself",
            document(&["<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 9 >>"]),
        ),
        (
            "length-of-itself",
            document(&[
                "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
                "<< /Type /Page /Parent 3 0 R /Contents 5 0 R >>",
                "<< /Length 5 0 R >>\nstream\n0 0 m\nendstream",
            ]),
        ),
        ("table-in-itself", table_in_itself()),
        ("nothing", b"%PDF-1.7\n".to_vec()),
    ]
}

/// Objects 3 and on; the first is the page tree.
fn document(objects: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n2 0 obj\n<< /Type /Catalog /Pages 3 0 R >>\nendobj\n".to_vec();
    let mut table = format!(
        "xref\n0 1\n0000000000 65535 f \n2 {}\n{:010} 00000 n \n",
        objects.len() + 1,
        9
    );
    for (index, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", bytes.len());
        writeln!(bytes, "{} 0 obj", index + 3).unwrap();
        bytes.extend(object.as_ref());
        bytes.extend(b"\nendobj\n");
    }
    let (start, size) = (bytes.len(), objects.len() + 3);
    write!(
        bytes,
        "{table}trailer\n<< /Size {size} /Root 2 0 R >>\nstartxref\n{start}\n%%EOF\n"
    )
    .unwrap();
    bytes
}

fn stream(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    let mut all = format!("<< {dictionary} /Length {} >>\nstream\n", bytes.len()).into_bytes();
    all.extend(bytes);
    all.extend(b"\nendstream");
    all
}

fn flate(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    stream(
        &format!("{dictionary} /Filter /FlateDecode"),
        &deflated(bytes),
    )
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One page of 100 by 100 units; `more` are objects from number 6 on.
fn with(content: Vec<u8>, resources: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let page = format!(
        "<< /Type /Page /Parent 3 0 R /MediaBox [0 0 100 100] /Contents 5 0 R /Resources << {resources} >> >>"
    );
    let mut objects = vec![
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>".to_vec(),
        page.into_bytes(),
        content,
    ];
    objects.extend_from_slice(more);
    document(&objects)
}

fn page(content: &str, resources: &str) -> Vec<u8> {
    with(flate("", content.as_bytes()), resources, &[])
}

const FORM: &str = "/Type /XObject /Subtype /Form /BBox [0 0 100 100]";

fn one_form(content: &str, forms: &str) -> Vec<u8> {
    let resources = format!("/XObject << {forms} >>");
    with(
        stream(
            &format!("{FORM} /Resources << {resources} >>"),
            content.as_bytes(),
        ),
        &resources,
        &[],
    )
}

/// Each paints the next one ten times.
fn forms_of_forms() -> Vec<u8> {
    let content = "/F Do ".repeat(10);
    let form = |number: usize| {
        let next = format!("/Resources << /XObject << /F {number} 0 R >> >>");
        stream(&format!("{FORM} {next}"), content.as_bytes())
    };
    let mut forms: Vec<Vec<u8>> = (7..36).map(form).collect();
    forms.push(stream(FORM, b"0 0 10 10 re f"));
    with(
        flate("", content.as_bytes()),
        "/XObject << /F 6 0 R >>",
        &forms,
    )
}

fn pattern_in_itself() -> Vec<u8> {
    let pattern = "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9";
    let resources = "/Pattern << /P 6 0 R >>";
    let content = b"/Pattern cs /P scn 0 0 100 100 re f";
    let pattern = stream(&format!("{pattern} /Resources << {resources} >>"), content);
    with(stream("", content), resources, &[pattern])
}

fn glyph_in_itself() -> Vec<u8> {
    let font = "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /FirstChar 97 /LastChar 97 /Widths [1] \
        /Encoding << /Differences [97 /a] >> /CharProcs << /a 7 0 R >> /Resources << /Font << /T 6 0 R >> >> >>";
    let glyph = stream("", b"1 0 d0 BT /T 1 Tf (aaaaaaaaaa) Tj ET");
    with(
        stream("", b"BT /T 50 Tf (a) Tj ET"),
        "/Font << /T 6 0 R >>",
        &[font.into(), glyph],
    )
}

fn image(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!("/Type /XObject /Subtype /Image /Width 60000 /Height 60000 {dictionary}");
    with(
        stream("", b"100 0 0 100 0 0 cm /I Do"),
        "/XObject << /I 6 0 R >>",
        &[stream(&head, bytes)],
    )
}

/// 10.8 GB of zeros, deflated twice: a few kilobytes.
fn large_image() -> Vec<u8> {
    let mut inner = ZlibEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..1500 {
        inner.write_all(&zeros).unwrap();
    }
    let twice = deflated(&inner.finish().unwrap());
    image(
        "/BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter [/FlateDecode /FlateDecode]",
        &twice,
    )
}

fn large_jbig2() -> Vec<u8> {
    let segment = |number: u32, kind: u8, data: &[u8]| {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&number.to_be_bytes()[..], &[kind, 0, 1], &length, data].concat()
    };
    let side = 0x7FFF_FFFF_u32.to_be_bytes();
    let information = [&side[..], &side, &[0; 11]].concat();
    let region = [&side[..], &side, &[0; 9], &[1, 0, 0x10, 0x01]].concat();
    [segment(0, 48, &information), segment(1, 38, &region)].concat()
}

/// A codestream that is 2^31 pixels wide and high, of one tile.
fn large_jpeg_2000() -> Vec<u8> {
    let side = 0x7FFF_FFFF_u32.to_be_bytes();
    let zero = [0; 4];
    let size = [
        &[0, 47, 0, 0][..],
        &side,
        &side,
        &zero,
        &zero,
        &side,
        &side,
        &zero,
        &zero,
        &[0, 3, 7, 1, 1, 7, 1, 1, 7, 1, 1],
    ]
    .concat();
    let style = [0, 12, 0, 0, 0, 1, 0, 5, 4, 4, 0, 1];
    let quantization = [&[0, 19, 0x40][..], &[0x48; 16]].concat();
    let part = [0, 10, 0, 0, 0, 0, 0, 0, 0, 1];
    [
        &[0xFF, 0x4F, 0xFF, 0x51][..],
        &size,
        &[0xFF, 0x52],
        &style,
        &[0xFF, 0x5C],
        &quantization,
        &[0xFF, 0x90],
        &part,
        &[0xFF, 0x93, 0, 0, 0xFF, 0xD9],
    ]
    .concat()
}

/// A page of 1.5 GB.
fn bomb() -> Vec<u8> {
    let mut inner = ZlibEncoder::new(Vec::new(), Compression::best());
    let spaces = vec![b' '; 1 << 20];
    for _ in 0..1500 {
        inner.write_all(&spaces).unwrap();
    }
    let twice = deflated(&inner.finish().unwrap());
    with(
        stream("/Filter [/FlateDecode /FlateDecode]", &twice),
        "",
        &[],
    )
}

fn many_operators() -> Vec<u8> {
    page(&"0 0 m 50 100 100 0 20 30 c 9 9 l B ".repeat(1_000_000), "")
}

fn many_tiles() -> Vec<u8> {
    let pattern = "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 0.00001 /YStep 0.00001 /Resources << >>";
    with(
        stream("", b"/Pattern cs /P scn 0 0 100 100 re f"),
        "/Pattern << /P 6 0 R >>",
        &[stream(pattern, b"0 0 1 1 re f")],
    )
}

fn many_pages() -> Vec<u8> {
    document(&[format!(
        "<< /Type /Pages /Count 1 /Kids [{}] >>",
        "<< /Type /Page >>".repeat(100_000)
    )])
}

/// The table says that it continues where it begins.
fn table_in_itself() -> Vec<u8> {
    let bytes = page("0 0 10 10 re f", "");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let start = text
        .rsplit("startxref\n")
        .next()
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    let at = bytes.windows(6).rposition(|it| it == b"/Root ").unwrap();
    [
        &bytes[..at],
        format!("/Prev {start} ").as_bytes(),
        &bytes[at..],
    ]
    .concat()
}
