use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::config::Layers;

/// Folders `one` and `two`, each with files that contain their own path.
fn folders(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

fn config(folder: &Path, text: &str) -> Config {
    let file = folder.join("azulejo.toml");
    let text = text.replace("ROOT", folder.to_str().unwrap());
    fs::write(&file, text).unwrap();
    let layers = Layers {
        file: Some(file),
        ..Layers::default()
    };
    Config::load(&layers)
        .unwrap_or_else(|errors| panic!("{errors}"))
        .config
}

fn routes(folder: &TempDir, text: &str) -> Routes {
    Routes::new(&config(folder.path(), text), None, None).unwrap()
}

fn identifier(text: &str) -> Identifier {
    Identifier::new(text.to_owned()).unwrap()
}

/// What stands in the file that an identifier leads to.
fn content(routes: &Routes, text: &str) -> Option<String> {
    let object = routes.find(&identifier(text)).ok()?;
    let input = routes.open(&object).unwrap();
    let bytes = crate::input::read_up_to(&*input, 0, 1_000).unwrap();
    Some(String::from_utf8(bytes).unwrap())
}

#[test]
fn without_rules_an_identifier_is_a_path() {
    let folder = folders(&["one/a.tif", "two/a.tif", "two/b.tif"]);
    let routes = routes(
        &folder,
        "[source]\nroot = 'ROOT/one'\nfurther_roots = ['ROOT/two']",
    );
    assert_eq!(content(&routes, "a.tif").unwrap(), "one/a.tif");
    assert_eq!(content(&routes, "b").unwrap(), "two/b.tif");
    assert_eq!(content(&routes, "c"), None);
    let listing = routes.list("").unwrap();
    assert_eq!(listing.images, ["a.tif", "b.tif"]);
}

/// Else one would be served from the cache of the other.
#[test]
fn images_of_two_places_have_two_locations() {
    let folder = folders(&["one/a.tif", "two/a.tif"]);
    let routes = routes(
        &folder,
        "[source]\nroot = 'ROOT/one'\n[sources.files.second]\nroot = 'ROOT/two'\n\
         [[routes]]\nidentifier = '2:{path}'\nsource = 'second'\nkeys = ['{path}']\n[[routes]]",
    );
    let location = |text| routes.find(&identifier(text)).unwrap().location;
    assert_eq!(location("a.tif"), "a.tif");
    let second = folder.path().canonicalize().unwrap().join("two/a.tif");
    assert_eq!(location("2:a.tif"), second.to_str().unwrap());
    assert_eq!(content(&routes, "2:a.tif").unwrap(), "two/a.tif");
}

#[test]
fn the_first_rule_that_leads_to_an_image_counts() {
    let folder = folders(&["one/a.tif", "two/a.tif", "two/b.tif"]);
    let routes = routes(
        &folder,
        "[sources.files.first]\nroot = 'ROOT/one'\n[sources.files.second]\nroot = 'ROOT/two'\n\
         [[routes]]\nsource = 'first'\n[[routes]]\nsource = 'second'",
    );
    assert_eq!(content(&routes, "a.tif").unwrap(), "one/a.tif");
    assert_eq!(content(&routes, "b.tif").unwrap(), "two/b.tif");
}

/// F001-2: the tiled copy, or else the original.
#[test]
fn the_first_key_that_exists_counts() {
    let folder = folders(&[
        "tiles/12/34/567_/map.png.ptif",
        "files/1234567/map.png",
        "files/1234567/new.png",
    ]);
    let routes = routes(
        &folder,
        "[sources.files.invenio]\nroot = 'ROOT'\n[[routes]]\nidentifier = 'record:{pid}:{key}'\n\
         source = 'invenio'\nkeys = ['tiles/{pid|recid}/{key}.ptif', 'files/{pid}/{key}']",
    );
    let tiled = "tiles/12/34/567_/map.png.ptif";
    assert_eq!(content(&routes, "record:1234567:map.png").unwrap(), tiled);
    let original = "files/1234567/new.png";
    assert_eq!(
        content(&routes, "record:1234567:new.png").unwrap(),
        original
    );
    assert_eq!(content(&routes, "map.png"), None);
}

/// F000-7: identifiers that need no store.
#[test]
fn base64_identifiers_with_a_table_of_prefixes() {
    let folder = folders(&["one/a b.tif", "two/a b.tif"]);
    let routes = routes(
        &folder,
        "[sources.files.all]\nroot = 'ROOT'\n\
         [[routes]]\ncoding = 'base64'\nidentifier = 'fedora:{path}'\nsource = 'all'\nkeys = ['one/{path}']\n\
         [[routes]]\ncoding = 'base64'\nidentifier = 'dspace:{path}'\nsource = 'all'\nkeys = ['two/{path}']",
    );
    assert_eq!(
        content(&routes, "ZmVkb3JhOmEgYi50aWY=").unwrap(),
        "one/a b.tif"
    );
    assert_eq!(
        content(&routes, "ZHNwYWNlOmEgYi50aWY").unwrap(),
        "two/a b.tif"
    );
    assert_eq!(content(&routes, "fedora:a b.tif"), None);
}

#[test]
fn a_source_that_cannot_be_asked_is_not_passed_over() {
    let folder = folders(&["one/a.tif", "two/a.tif"]);
    let routes = routes(
        &folder,
        "[sources.files.first]\nroot = 'ROOT/one'\n[sources.files.second]\nroot = 'ROOT/two'\n\
         [[routes]]\nsource = 'first'\n[[routes]]\nsource = 'second'",
    );
    fs::write(folder.path().join("one/a.jpg"), "another").unwrap();
    let found = routes.find(&identifier("a"));
    assert!(
        matches!(found, Err(SourceError::Ambiguous { .. })),
        "{found:?}"
    );
}

#[test]
fn it_explains_what_matched_and_what_did_not() {
    let folder = folders(&["one/a.tif", "two/b.tif"]);
    let routes = routes(
        &folder,
        "[sources.files.all]\nroot = 'ROOT'\n[[routes]]\nidentifier = 'x:{path}'\n\
         [[routes]]\nsource = 'all'\nkeys = ['one/{identifier}', 'two/{identifier}']\n[[routes]]\nsource = 'all'",
    );
    let told = routes.explain(&identifier("b.tif"));
    assert_eq!(told["rules"][0]["why"], "it does not begin with \"x:\"");
    assert_eq!(told["rules"][1]["key"], "one/b.tif");
    assert_eq!(
        told["rules"][1]["outcome"],
        "there is no image \"one/b.tif\""
    );
    assert_eq!(told["rules"][2]["outcome"], "found");
    assert_eq!(
        told["rules"].as_array().unwrap().len(),
        3,
        "the search ends there"
    );
    let found = folder.path().canonicalize().unwrap().join("two/b.tif");
    assert_eq!(told["found"]["location"], found.to_str().unwrap());
}

#[test]
fn what_is_found_at_once_is_what_is_found() {
    let folder = folders(&["one/a.tif", "two/a.tif"]);
    let routes = routes(
        &folder,
        "[sources.files.first]\nroot = 'ROOT/one'\n[sources.files.second]\nroot = 'ROOT/two'\n\
         [[routes]]\nidentifier = '1:{path}'\nsource = 'first'\nkeys = ['{path}']\n[[routes]]\nsource = 'second'",
    );
    for text in ["1:a.tif", "a.tif"] {
        let found = routes.find(&identifier(text)).unwrap();
        routes.open(&found).unwrap();
        // On some file systems nothing is.
        if let Some(at_once) = routes.find_at_once(&identifier(text)) {
            assert_eq!(
                (at_once.location, at_once.route),
                (found.location, found.route)
            );
            assert_eq!(at_once.stamp, found.stamp);
        }
    }
}

#[test]
fn rules_that_name_what_is_not_there_are_refused() {
    let load = |text: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let layers = Layers {
            file: Some(file.path().to_owned()),
            ..Layers::default()
        };
        Config::load(&layers).unwrap_err().to_string()
    };
    let errors = load(
        "[[routes]]\nsource = 'absent'\n[[routes]]\nkeys = ['{a}']\n[[routes]]\nsurce = 'files'",
    );
    assert!(errors.contains("routes.2.surce"), "{errors}");
    let errors = load("[[routes]]\nsource = 'absent'\n[[routes]]\nkeys = ['{a}']");
    assert!(errors.contains("routes.0.source = \"absent\""), "{errors}");
    assert!(errors.contains("routes.1.keys = {a}"), "{errors}");
    let errors =
        load("[sources.files.x]\nroot = '.'\n[resolvers.x]\nurl = 'http://a/'\n[resolvers.y]");
    assert!(
        errors.contains("resolvers.y.url\n  rule: must be set"),
        "{errors}"
    );
    let errors = load("[sources.files.x]\nroot = '.'\n[resolvers.x]\nurl = 'http://a/'");
    assert!(
        errors.contains("\"x\" is the name of something else"),
        "{errors}"
    );
    let errors = load("[sources.http.a]\n[sources.http.b]\nurl = 'http://10.0.0.1/'");
    assert!(
        errors.contains("neither `url` nor `hosts` is set"),
        "{errors}"
    );
    assert!(errors.contains("private address"), "{errors}");
    let errors = load(
        "[sources.objects.a]\n[sources.http.a]\nurl = 'http://a.org/'\nheaders = {'a b' = 'c'}",
    );
    assert!(errors.contains("sources.objects.a\n"), "{errors}");
    assert!(errors.contains("sources.http.a\n"), "{errors}");
    let errors = load("[[routes]]\nidentifier = '{a}{b}'\nkeys = ['{a|md5}']");
    assert!(errors.contains("no text between two parts"), "{errors}");
    assert!(errors.contains("neither recid nor pairs"), "{errors}");
}

#[test]
fn it_explains_why_a_source_cannot_be_asked() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let routes = routes(
        &folders(&[]),
        &format!(
            "[sources.http.dead]\nurl = 'http://{address}/'\nprivate_networks = ['127.0.0.0/8']\n[[routes]]\nsource = 'dead'"
        ),
    );
    let told = routes.explain(&identifier("a.tif"));
    assert_eq!(
        told["rules"][0]["outcome"],
        "the file cannot be opened: the origin cannot be reached"
    );
}
