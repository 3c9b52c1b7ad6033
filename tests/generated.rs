//! The files that are generated from the source are current. `AZULEJO_REGENERATE=1 cargo test --test generated` writes
//! them.

use std::path::Path;
use std::{env, fs};

use azulejo::config::{Config, Layers, generate};
use azulejo::http::metrics::metrics_md;

fn check(path: &str, current: &str) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("AZULEJO_REGENERATE").is_some() {
        fs::write(&full, current).unwrap();
    }
    let stored = fs::read_to_string(&full).unwrap_or_default();
    assert!(
        stored == current,
        "{path} is not current: AZULEJO_REGENERATE=1 cargo test --test generated"
    );
}

#[test]
fn the_default_configuration_is_current() {
    check("config/default.toml", &generate::default_toml());
}

#[test]
fn the_schema_is_current() {
    check("config/schema.json", &generate::schema_json());
}

#[test]
fn the_manual_is_current() {
    check("docs/configuration.md", &generate::configuration_md());
}

#[test]
fn the_table_of_metrics_is_current() {
    check("docs/metrics.md", &metrics_md());
}

fn load(path: &str) -> Config {
    let layers = Layers {
        file: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)),
        ..Layers::default()
    };
    let loaded = Config::load(&layers);
    loaded
        .unwrap_or_else(|errors| panic!("{path}: {errors}"))
        .config
}

#[test]
fn the_default_configuration_changes_nothing() {
    assert_eq!(load("config/default.toml"), Config::default());
}

#[test]
fn every_example_loads() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples");
    let mut names: Vec<_> = fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "behind-a-proxy.toml",
            "buckets.toml",
            "invenio.toml",
            "loris.toml",
            "small-archive.toml",
            "tamu.toml"
        ]
    );
    for name in names {
        let config = load(&format!("config/examples/{}", name.display()));
        assert_ne!(config, Config::default(), "{}", name.display());
    }
}
