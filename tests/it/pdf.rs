//! Pages of documents as images, over HTTP; hostile ones, in a server that is a process of its own.

mod hostile;
mod poppler;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::process::{Process, ask};
use crate::server::{Server, fixtures};

const THUMBNAIL: &str = "full/100,/0/default.png";

#[tokio::test]
async fn a_page_has_an_information_of_its_own() {
    let server = Server::over(fixtures("pdf"));
    for (name, width, height) in [
        ("rotated.pdf", 833, 1250),
        ("rotated.pdf;1", 833, 1250),
        ("rotated.pdf;2", 1250, 833),
        ("rotated%3B2", 1250, 833),
        ("rotated", 833, 1250),
    ] {
        let json = server.json(&format!("/iiif/3/{name}/info.json")).await;
        assert_eq!(
            (&json["width"], &json["height"]),
            (&width.into(), &height.into()),
            "{name}"
        );
    }
    for name in [
        "rotated.pdf;6",
        "rotated.pdf;0",
        "rotated.pdf;x",
        "none.pdf;2",
    ] {
        let path = format!("/iiif/3/{name}/{THUMBNAIL}");
        assert_eq!(server.status(&path).await, 404, "{name}");
    }
}

#[tokio::test]
async fn a_page_of_a_tiff_is_named_like_one_of_a_document() {
    let server = Server::of_fixtures();
    let first = server
        .picture("/iiif/3/tiff-two-pages.tif/full/max/0/default.png")
        .await;
    let second = server
        .picture("/iiif/3/tiff-two-pages.tif;2/full/max/0/default.png")
        .await;
    assert_ne!(first, second);
    assert_eq!(
        server
            .status("/iiif/3/tiff-two-pages.tif;99/info.json")
            .await,
        404
    );
}

/// A file that has such a name is that image, and no page.
#[tokio::test]
async fn a_file_with_such_a_name_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(fixtures("pdf/rotated.pdf"), folder.path().join("x")).unwrap();
    fs::copy(fixtures("images/chart.png"), folder.path().join("x;2")).unwrap();
    let server = Server::over(folder.path());
    let named = server.json("/iiif/3/x;2/info.json").await;
    let page = server.json("/iiif/3/x;4/info.json").await;
    assert_ne!(named["width"], 1250);
    assert_eq!(page["width"], 1250);
}

#[tokio::test]
async fn pages_may_be_named_otherwise() {
    let server = Server::configured(fixtures("pdf"), |config| {
        let patterns = ["{id}_p{page}", "{id}/page/{page}"];
        config.pages.patterns = patterns.map(|it| it.parse().unwrap()).into();
        config.compatibility.page_count = true;
    });
    for name in ["rotated.pdf_p2", "rotated.pdf%2Fpage%2F2"] {
        let json = server.json(&format!("/iiif/3/{name}/info.json")).await;
        assert_eq!(json["width"], 1250, "{name}");
        assert_eq!(json["page_count"], 5, "{name}");
    }
    assert_eq!(server.status("/iiif/3/rotated.pdf;2/info.json").await, 404);
}

#[tokio::test]
async fn another_resolution_is_another_image() {
    let disk = tempfile::tempdir().unwrap();
    for (resolution, width) in [(300, 833), (150, 417)] {
        let server = Server::opened(fixtures("pdf"), |config| {
            config.cache.disk.directory = Some(disk.path().to_owned());
            config.decode.pdf.resolution = resolution;
        })
        .await;
        let json = server.json("/iiif/3/rotated.pdf/info.json").await;
        assert_eq!(json["width"], width);
        server.settle().await;
    }
}

#[tokio::test]
async fn a_document_that_asks_for_a_password_is_told() {
    let server = Server::over(fixtures("pdf"));
    let answer = server.get(&format!("/iiif/3/locked.pdf/{THUMBNAIL}")).await;
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("password"), "{}", answer.text());
}

fn over(root: &Path) -> Process {
    Process::over(
        root,
        &[
            ("AZULEJO_DECODE__PDF__SECONDS", "2"),
            ("AZULEJO_DECODE__PDF__MEMORY", "256 MiB"),
        ],
    )
}

fn get(server: &Process, name: &str) -> (u16, String) {
    let (answer, _) = persist(server, &format!("/iiif/3/{name}/{THUMBNAIL}"));
    answer
}

/// Asks again for as long as the machine is too busy to tell what a document does; and how often it was.
fn persist(server: &Process, path: &str) -> ((u16, String), usize) {
    let mut refusals = 0;
    loop {
        let (status, _, body) = ask(server.address(), "GET", path, "");
        let text = String::from_utf8_lossy(&body).into_owned();
        if status != 503 || refusals == 30 {
            return ((status, text), refusals);
        }
        refusals += 1;
    }
}

/// K04, K09: whatever they do, they do it to a process that is ended; the server answers, and goes on.
#[test]
fn hostile_documents_break_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let all = hostile::all();
    for (name, bytes) in &all {
        fs::write(folder.path().join(format!("{name}.pdf")), bytes).unwrap();
    }
    fs::copy(fixtures("pdf/typeset.pdf"), folder.path().join("good.pdf")).unwrap();
    let server = over(folder.path());
    let mut told = Vec::new();
    for (name, _) in &all {
        let (status, text) = get(&server, &format!("{name}.pdf"));
        assert!(matches!(status, 200 | 500), "{name}: {status} {text}");
        if status == 500 {
            told.push(format!("{name}: {text}"));
        }
        assert_eq!(get(&server, "good.pdf").0, 200, "after {name}");
    }
    let says = |name: &str, text: &str| {
        let found = told.iter().find(|it| it.starts_with(&format!("{name}:")));
        assert!(
            found.is_some_and(|it| it.contains(text)),
            "{name}: {told:#?}"
        );
    };
    says("forms-of-forms", "takes longer than 2 seconds");
    says("large-fax", "more memory than allowed");
    says("many-pages", "exceeds the limit");
    says("large-page", "exceeds the limit");
}

/// Those whose parent is this process.
fn children(id: u32) -> BTreeSet<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |child: &u32| {
        let state = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        let after = state.rsplit_once(") ").map_or("", |(_, after)| after);
        after.split(' ').nth(1) == Some(&id.to_string())
    };
    ids.filter(is_child).collect()
}

#[test]
fn a_document_stays_open_in_its_process_until_the_server_ends() {
    let server = over(&fixtures("pdf"));
    assert_eq!(children(server.id()).len(), 0);
    assert_eq!(get(&server, "rotated.pdf").0, 200);
    let first = children(server.id());
    assert_eq!(first.len(), 1);
    for page in 2..=5 {
        assert_eq!(get(&server, &format!("rotated.pdf;{page}")).0, 200);
    }
    assert_eq!(children(server.id()), first, "all pages, one process");
    assert_eq!(get(&server, "cairo.pdf").0, 200);
    let both = children(server.id());
    assert_eq!(both.len(), 2);
    let ids = both.iter().map(u32::to_string);
    let killed = Command::new("kill").arg("-9").args(ids).status().unwrap();
    assert!(killed.success());
    let other = "/iiif/3/cairo.pdf/full/120,/0/default.png";
    assert_eq!(
        ask(server.address(), "GET", other, "").0,
        200,
        "another one is started"
    );
    let both = children(server.id());
    server.stop();
    while both
        .iter()
        .any(|id| Path::new(&format!("/proc/{id}")).exists())
    {
        thread::sleep(Duration::from_millis(10));
    }
}

/// The server ends of processes that were killed or died, from its log.
fn ended(server: Process) -> usize {
    let log = server.stop();
    log.matches("a process that renders PDF has ended").count()
}

/// A server over one hostile document, `bad.pdf`, that says how processes end.
fn over_hostile(folder: &Path, wanted: &str) -> Process {
    let all = hostile::all();
    let (_, bytes) = all.iter().find(|(name, _)| *name == wanted).unwrap();
    fs::write(folder.join("bad.pdf"), bytes).unwrap();
    Process::over(
        folder,
        &[
            ("AZULEJO_DECODE__PDF__SECONDS", "2"),
            ("AZULEJO_LOG__LEVEL", "debug"),
        ],
    )
}

/// Whatever part of it, and at whatever size.
#[test]
fn a_page_ends_one_process_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let server = over_hostile(folder.path(), "forms-of-forms");
    let mut unlucky = 0;
    for part in [
        "full/100,/0/default.png",
        "full/50,/0/default.png",
        "0,0,64,64/max/0/default.png",
        "200,200,64,64/max/0/default.png",
        "100,0,64,64/32,/0/default.jpg",
    ] {
        let ((status, text), refusals) = persist(&server, &format!("/iiif/3/bad.pdf/{part}"));
        unlucky += refusals;
        assert_eq!(status, 500, "{part}: {text}");
        assert!(
            text.contains("takes longer than 2 seconds"),
            "{part}: {text}"
        );
    }
    assert_eq!(ended(server), 1 + unlucky);
}

/// Whichever page is asked for, and whether or not there is one.
#[test]
fn a_document_that_cannot_be_opened_is_opened_once_for_all_its_pages() {
    let folder = tempfile::tempdir().unwrap();
    let server = over_hostile(folder.path(), "nested-dictionaries");
    let mut unlucky = 0;
    for name in ["bad.pdf;2", "bad.pdf", "bad.pdf;3", "bad.pdf;1"] {
        let path = format!("/iiif/3/{name}/{THUMBNAIL}");
        let ((status, text), refusals) = persist(&server, &path);
        unlucky += refusals;
        assert_eq!(status, 500, "{name}: {text}");
    }
    assert_eq!(ended(server), 1 + unlucky);
}

/// Pages that are asked for together, and pages that are not there, as the first of all.
#[test]
fn a_document_is_opened_once_for_all_its_pages() {
    let server = over(&fixtures("pdf"));
    let (status, _) = get(&server, "rotated.pdf;6");
    assert_eq!(status, 404);
    let kept = children(server.id());
    assert_eq!(kept.len(), 1, "it stays open");
    assert_eq!(get(&server, "rotated.pdf;7").0, 404);
    assert_eq!(get(&server, "rotated.pdf;2").0, 200);
    assert_eq!(children(server.id()), kept);
    let server = over(&fixtures("pdf"));
    thread::scope(|scope| {
        for page in 1..=5 {
            let server = &server;
            scope.spawn(move || {
                let path = format!("/iiif/3/rotated.pdf;{page}/info.json");
                assert_eq!(ask(server.address(), "GET", &path, "").0, 200);
            });
        }
    });
    assert_eq!(children(server.id()).len(), 1, "one for all");
}

/// What was rendered by another process is what is rendered here.
#[tokio::test]
async fn processes_render_the_same() {
    let here = Server::over(fixtures("pdf"));
    let there = over(&fixtures("pdf"));
    for name in [
        "typeset.pdf",
        "rotated.pdf;2",
        "soft-mask.pdf",
        "locked.pdf",
    ] {
        let path = format!("/iiif/3/{name}/{THUMBNAIL}");
        let wanted = here.get(&path).await;
        let (status, _, body) = ask(there.address(), "GET", &path, "");
        assert_eq!(status, wanted.status.as_u16(), "{name}");
        assert!(body == wanted.body, "{name}");
    }
}
