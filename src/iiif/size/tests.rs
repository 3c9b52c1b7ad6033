//! The examples of the specification's section 4.2 (a region of 300x200), and what goes beyond them.

use super::*;
use proptest::prelude::*;

const UNLIMITED: SizeLimits = SizeLimits {
    max_width: None,
    max_height: None,
    max_area: None,
    upscaling: false,
};

const LIMITED: SizeLimits = SizeLimits {
    max_width: Some(360),
    max_height: None,
    max_area: None,
    upscaling: true,
};

fn dimensions(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

fn resolve(text: &str, limits: &SizeLimits, version: Version) -> Result<String, SizeError> {
    Size::parse(text, version)?
        .resolve(dimensions(300, 200), limits, version)
        .map(|size| size.to_string())
}

fn v3(text: &str) -> Result<String, SizeError> {
    resolve(text, &LIMITED, Version::V3)
}

fn v2(text: &str) -> Result<String, SizeError> {
    resolve(text, &LIMITED, Version::V2)
}

#[test]
fn the_examples_of_the_specification() {
    let rows = [
        ("max", "300x200"),
        ("150,", "150x100"),
        (",150", "225x150"),
        ("pct:50", "150x100"),
        ("225,100", "225x100"),
        ("!225,100", "150x100"),
        ("^max", "360x240"),
        ("^360,", "360x240"),
        ("^,240", "360x240"),
        ("^pct:120", "360x240"),
        ("^360,300", "360x300"),
        ("^!360,360", "360x240"),
    ];
    for (asked, meant) in rows {
        assert_eq!(v3(asked).as_deref(), Ok(meant), "{asked}");
    }
}

#[test]
fn s02_full_belongs_to_2_1() {
    assert_eq!(v3("full"), Err(SizeError::FullInVersion3));
    assert_eq!(v2("full").as_deref(), Ok("300x200"));
}

#[test]
fn s08_a_larger_box_gives_the_region_itself() {
    assert_eq!(v3("!2000,3000").as_deref(), Ok("300x200"));
    assert_eq!(v3("!301,200").as_deref(), Ok("300x200"));
}

#[test]
fn s09_nothing_grows_without_a_caret() {
    for text in [
        "301,",
        ",201",
        "301,200",
        "100,201",
        "pct:100.0001",
        "pct:101",
    ] {
        assert!(
            matches!(v3(text), Err(SizeError::Enlarges { .. })),
            "{text}"
        );
    }
    assert_eq!(v3("300,200").as_deref(), Ok("300x200"));
    assert_eq!(v3("pct:100").as_deref(), Ok("300x200"));
}

#[test]
fn s10_zero_is_refused() {
    for text in [
        "0,", ",0", "0,0", "0,10", "!0,10", "!10,0", "pct:0", "pct:0.0",
    ] {
        assert!(matches!(v3(text), Err(SizeError::Zero(_))), "{text}");
        assert!(matches!(v2(text), Err(SizeError::Zero(_))), "{text}");
    }
}

#[test]
fn s11_a_side_that_rounds_to_zero_is_one_pixel() {
    let size = Size::parse("3,", Version::V3).unwrap();
    let resolved = size.resolve(dimensions(300, 1), &UNLIMITED, Version::V3);
    assert_eq!(resolved, Ok(dimensions(3, 1)));
    assert_eq!(v3("pct:0.01").as_deref(), Ok("1x1"));
}

#[test]
fn s12_other_texts_are_refused() {
    let texts = [
        "",
        "100",
        ",",
        "a,b",
        "!100,",
        "!,100",
        "!max",
        "^",
        "^full",
        "!^10,10",
        "pct:",
        "pct:50,30",
        "-1,",
        "+1,",
        "1e2,",
        "1.5,",
        "1,2,3",
        "^^1,",
        "Max",
        "10 ,",
        "!pct:50",
    ];
    for text in texts {
        assert!(Size::parse(text, Version::V3).is_err(), "{text:?}");
    }
    assert!(Size::parse(",^150", Version::V3).is_err());
    for text in ["^max", "^10,", "^pct:10", "^!10,10"] {
        assert!(Size::parse(text, Version::V2).is_err(), "{text:?}");
    }
    let overflow = format!("{},", "9".repeat(30));
    assert!(v3(&overflow).is_err());
    assert!(v3(&format!("^{overflow}")).is_err());
}

#[test]
fn s13_a_caret_without_growth_changes_nothing() {
    for text in ["150,", ",150", "pct:50", "225,100", "!225,100"] {
        assert_eq!(v3(&format!("^{text}")), v3(text));
    }
}

#[test]
fn s15_over_the_limit_is_refused_or_shrunk() {
    for text in ["^361,", "^,241", "^pct:121", "^10,361"] {
        assert!(
            matches!(v3(text), Err(SizeError::OverLimit { .. })),
            "{text}"
        );
    }
    assert_eq!(v3("^!1000,1000").as_deref(), Ok("360x240"));
    let small = SizeLimits {
        max_width: Some(150),
        ..LIMITED
    };
    assert_eq!(
        resolve("max", &small, Version::V3).as_deref(),
        Ok("150x100")
    );
    assert_eq!(
        resolve("!200,200", &small, Version::V3).as_deref(),
        Ok("150x100")
    );
    assert!(resolve("200,", &small, Version::V3).is_err());
}

#[test]
fn s18_without_upscaling_growth_is_not_implemented() {
    for text in ["^301,", "^,300", "^pct:101", "^301,200", "^!400,400"] {
        assert!(
            matches!(
                resolve(text, &UNLIMITED, Version::V3),
                Err(SizeError::UpscalingOff { .. })
            ),
            "{text}"
        );
    }
    for text in ["^300,", "^max", "^!300,200"] {
        assert!(resolve(text, &UNLIMITED, Version::V3).is_ok(), "{text}");
    }
}

#[test]
fn s19_s20_s22_sizes_above_the_region_in_2_1() {
    assert_eq!(v2("360,").as_deref(), Ok("360x240"));
    assert_eq!(v2("!600,600").as_deref(), Ok("360x240"));
    assert!(matches!(v2("361,"), Err(SizeError::OverLimit { .. })));
    assert!(matches!(
        resolve("360,", &UNLIMITED, Version::V2),
        Err(SizeError::UpscalingOff { .. })
    ));
    assert_eq!(
        resolve("!600,600", &UNLIMITED, Version::V2).as_deref(),
        Ok("300x200")
    );
    let small = SizeLimits {
        max_width: Some(150),
        ..UNLIMITED
    };
    assert!(resolve("full", &small, Version::V2).is_err());
    assert_eq!(
        resolve("max", &small, Version::V2).as_deref(),
        Ok("150x100")
    );
}

#[test]
fn s21_max_is_full_without_limits() {
    assert_eq!(
        resolve("max", &UNLIMITED, Version::V2),
        resolve("full", &UNLIMITED, Version::V2)
    );
}

fn canonical(text: &str, version: Version) -> String {
    let region = dimensions(300, 200);
    let size = Size::parse(text, version).unwrap();
    let size = size.resolve(region, &LIMITED, version).unwrap();
    Size::canonical(size, region, &LIMITED, version).to_string()
}

#[test]
fn c03_c05_canonical_spellings() {
    let rows_v3 = [
        ("300,200", "max"),
        ("pct:100", "max"),
        ("^max", "^max"),
        ("^360,240", "^max"),
        ("^330,", "^330,220"),
        ("150,", "150,100"),
        ("!225,100", "150,100"),
    ];
    for (asked, expected) in rows_v3 {
        assert_eq!(canonical(asked, Version::V3), expected, "{asked}");
    }
    let rows_v2 = [
        ("max", "full"),
        ("300,", "full"),
        ("pct:50", "150,"),
        (",100", "150,"),
        ("225,100", "225,100"),
        ("360,", "360,"),
    ];
    for (asked, expected) in rows_v2 {
        assert_eq!(canonical(asked, Version::V2), expected, "{asked}");
    }
}

proptest! {
    #[test]
    fn printing_then_parsing_gives_the_same(text in "\\^?(max|!?[0-9]{1,6},[0-9]{1,6}|[0-9]{1,6},|,[0-9]{1,6}|pct:[0-9]{1,3}\\.?[0-9]{1,5})") {
        let size = Size::parse(&text, Version::V3).unwrap();
        prop_assert_eq!(Size::parse(&size.to_string(), Version::V3), Ok(size));
    }

    /// C09: the canonical spelling means the same size, in both versions.
    #[test]
    fn the_canonical_spelling_is_idempotent(
        width in 1..900_u32, height in 1..900_u32, text in "\\^?!?[0-9]{1,3},[0-9]{1,3}", max in 1..1200_u32,
        area in 1..1_000_000_u64,
    ) {
        let limits = SizeLimits { max_width: Some(max), max_height: None, max_area: Some(area), upscaling: true };
        let region = dimensions(width, height);
        for version in Version::ALL {
            let Ok(size) = Size::parse(&text, version) else { continue };
            let Ok(size) = size.resolve(region, &limits, version) else { continue };
            prop_assert!(limits.allow(size));
            let canonical = Size::canonical(size, region, &limits, version);
            prop_assert_eq!(canonical.resolve(region, &limits, version), Ok(size));
        }
    }
}
