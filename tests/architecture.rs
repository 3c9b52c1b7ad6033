//! Which module may use which: the table of `ARCHITECTURE.md` as a fact.

use std::collections::BTreeSet;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};

/// A module, and the modules of this crate that it may use. What is not listed uses none.
const ALLOWED: [(&str, &[&str]); 38] = [
    (
        "access",
        &[
            "breaker", "budget", "cache", "causes", "client", "config", "iiif", "registry",
            "route", "source", "view", "overlay",
        ],
    ),
    ("breaker", &[]),
    ("bucket", &["config"]),
    ("budget", &[]),
    ("causes", &[]),
    ("client", &["tls"]),
    ("files", &[]),
    ("geometry", &[]),
    ("input", &[]),
    ("machine", &[]),
    ("orientation", &["geometry"]),
    ("page", &[]),
    ("presentation", &["geometry", "iiif"]),
    ("raster", &["geometry"]),
    ("resident", &[]),
    ("tls", &[]),
    (
        "overlay",
        &["config", "decode", "geometry", "raster", "transform"],
    ),
    ("view", &["config", "geometry", "iiif", "overlay"]),
    ("ffi", &["geometry", "input"]),
    ("iiif", &["config", "geometry", "orientation", "page"]),
    (
        "decode",
        &[
            "config",
            "ffi",
            "geometry",
            "input",
            "orientation",
            "page",
            "raster",
        ],
    ),
    ("transform", &["geometry", "orientation", "raster"]),
    (
        "encode",
        &[
            "config",
            "decode",
            "ffi",
            "geometry",
            "iiif",
            "raster",
            "transform",
        ],
    ),
    (
        "plan",
        &[
            "decode",
            "geometry",
            "iiif",
            "orientation",
            "raster",
            "transform",
            "view",
        ],
    ),
    (
        "cache",
        &[
            "breaker", "bucket", "config", "decode", "files", "geometry", "iiif", "machine",
            "page", "raster", "resident", "source", "tls",
        ],
    ),
    (
        "source",
        &[
            "breaker", "bucket", "causes", "config", "files", "iiif", "input", "machine", "page",
            "resident", "tls",
        ],
    ),
    ("registry", &["breaker", "config"]),
    ("queue", &["causes", "registry"]),
    (
        "ingest",
        &[
            "causes", "config", "decode", "files", "input", "page", "pyramid", "queue", "registry",
            "source", "work",
        ],
    ),
    ("error", &["decode", "encode", "iiif", "transform"]),
    ("work", &["config", "error", "machine"]),
    // Knows the sections, which stand beside the code that they configure.
    (
        "config",
        &[
            "access",
            "cache",
            "decode",
            "encode",
            "http",
            "iiif",
            "ingest",
            "pyramid",
            "route",
            "registry",
            "source",
            "telemetry",
            "work",
            "overlay",
            "view",
        ],
    ),
    (
        "route",
        &[
            "breaker", "causes", "client", "config", "iiif", "ingest", "input", "page", "registry",
            "source",
        ],
    ),
    ("telemetry", &["config"]),
    (
        "pyramid",
        &[
            "cache", "config", "decode", "ffi", "files", "geometry", "iiif", "raster", "source",
            "work",
        ],
    ),
    (
        "pipeline",
        &[
            "access",
            "ingest",
            "cache",
            "config",
            "decode",
            "encode",
            "error",
            "iiif",
            "geometry",
            "input",
            "page",
            "plan",
            "pyramid",
            "raster",
            "registry",
            "route",
            "source",
            "transform",
            "work",
            "view",
        ],
    ),
    (
        "http",
        &[
            "access",
            "budget",
            "cache",
            "causes",
            "config",
            "error",
            "iiif",
            "ingest",
            "pipeline",
            "presentation",
            "queue",
            "registry",
            "view",
            "overlay",
        ],
    ),
    (
        "cli",
        &[
            "access",
            "ingest",
            "causes",
            "client",
            "config",
            "decode",
            "geometry",
            "http",
            "iiif",
            "input",
            "pipeline",
            "presentation",
            "pyramid",
            "registry",
            "route",
            "source",
            "telemetry",
            "tls",
            "work",
        ],
    ),
];

/// Crates that only these modules may use.
const CONFINED: [(&str, &[&str]); 8] = [
    ("axum", &["http"]),
    ("object_store", &["bucket", "cache", "source"]),
    ("redis", &["cache", "cli"]),
    ("tower", &["http"]),
    ("reqwest", &["access", "cli", "client", "route", "source"]),
    ("rustls", &["tls"]),
    ("sqlx", &["access", "ingest", "queue", "registry"]),
    (
        "tokio",
        &[
            "access", "breaker", "cache", "cli", "http", "ingest", "main", "queue", "registry",
            "source", "work",
        ],
    ),
];

#[test]
fn modules_use_only_what_is_below_them() {
    let mut violations = BTreeSet::new();
    for (module, line) in code_lines() {
        let allowed = ALLOWED
            .iter()
            .find(|(name, _)| *name == module)
            .map_or(&[][..], |(_, allowed)| allowed);
        for used in crate_modules(&line) {
            let is_known = ALLOWED.iter().any(|(name, _)| *name == used);
            if is_known && used != module && !allowed.contains(&used.as_str()) && module != "main" {
                violations.insert(format!("{module} uses {used}"));
            }
        }
    }
    assert_eq!(violations, BTreeSet::new());
}

#[test]
fn frameworks_stay_where_they_belong() {
    let mut violations = BTreeSet::new();
    for (module, line) in code_lines() {
        for (framework, users) in CONFINED {
            if uses(&line, framework) && !users.contains(&module.as_str()) {
                violations.insert(format!("{module} uses {framework}"));
            }
        }
    }
    assert_eq!(violations, BTreeSet::new());
}

/// Whether a path begins with the name; `cache::redis::` is a module of ours.
fn uses(line: &str, framework: &str) -> bool {
    let is_of_a_path = |character: char| character.is_alphanumeric() || "_:".contains(character);
    line.match_indices(&format!("{framework}::"))
        .any(|(at, _)| !line[..at].ends_with(is_of_a_path))
}

#[test]
fn unsafe_code_is_in_ffi_only() {
    let users: BTreeSet<String> = code_lines()
        .filter(|(_, line)| line.contains("unsafe {") || line.contains("unsafe fn"))
        .map(|(module, _)| module)
        .collect();
    assert_eq!(users, BTreeSet::from(["ffi".to_owned()]));
}

/// Where it is known that the processor has the instructions, and nowhere else in the crates beside this one.
#[test]
fn instructions_of_some_processors_are_called_in_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for member in ["jpeg2000/src", "resample/src"] {
        rust_files(&root.join(member), &mut files);
    }
    let calls = files.iter().flat_map(|file| {
        let text = fs::read_to_string(file).expect("readable");
        let kinds = ["unsafe {", "unsafe fn", "unsafe impl"];
        let count = kinds.iter().map(|kind| text.matches(kind).count()).sum();
        let file = file.strip_prefix(root).expect("below").to_owned();
        iter::repeat_n(file, count)
    });
    let calls: Vec<_> = calls.collect();
    assert_eq!(calls, [Path::new("resample/src/lib.rs")]);
}

/// The image is built from what `.dockerignore` lets through.
#[test]
fn containers_are_built_from_all_crates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |name| fs::read_to_string(root.join(name)).expect("readable");
    let (manifest, excluded) = (text("Cargo.toml"), text(".dockerignore"));
    let members = manifest
        .lines()
        .find_map(|line| line.strip_prefix("members = "));
    let members = members
        .expect("a workspace")
        .split(['[', ']', '"', ',', ' ']);
    for member in members.filter(|member| !member.is_empty()) {
        let exception = format!("!{member}");
        assert!(
            excluded.lines().any(|line| line == exception),
            "{exception}"
        );
    }
}

/// Each line of code outside comments and tests, with its top-level module.
fn code_lines() -> impl Iterator<Item = (String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    assert!(files.len() > 20, "the sources are found");
    files.into_iter().flat_map(move |file| {
        let below = file.strip_prefix(&root).expect("below src").to_owned();
        let first = below.iter().next().expect("a name").to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&file).expect("readable");
        let code = text
            .split("#[cfg(test)]")
            .next()
            .unwrap_or(&text)
            .to_owned();
        let lines: Vec<String> = code
            .lines()
            .map(|line| line.split("//").next().unwrap_or(line).to_owned())
            .collect();
        lines.into_iter().map(move |line| (module.clone(), line))
    })
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        let is_tests =
            path.ends_with("tests.rs") || path.ends_with("tests") || path.ends_with("contract.rs");
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_tests {
            files.push(path);
        }
    }
}

/// The modules after each `crate::` of a line.
fn crate_modules(line: &str) -> Vec<String> {
    line.split("crate::")
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(|character| character.is_alphanumeric() || *character == '_')
                .collect()
        })
        .collect()
}
