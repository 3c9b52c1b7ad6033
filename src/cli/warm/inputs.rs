//! What the arguments mean.

use std::fs::{self, File};
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

/// One thing to warm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// A file that should be a manifest or a collection.
    File(PathBuf),
    Url(String),
    /// Not checked yet.
    Identifier(String),
}

/// For `-`, lines are taken from `lines`: identifiers and URLs, never files.
///
/// # Errors
/// If a folder, or the lines, cannot be read.
pub fn resolve(arguments: &[String], mut lines: impl BufRead) -> io::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if argument == "-" {
            read_lines(&mut lines, &mut inputs)?;
        } else if is_url(argument) {
            inputs.push(Input::Url(argument.clone()));
        } else if path.is_dir() {
            add_folder(path, &mut inputs)?;
        } else if path.is_file() && is_document(path) {
            inputs.push(Input::File(path.to_owned()));
        } else {
            inputs.push(Input::Identifier(argument.clone()));
        }
    }
    Ok(inputs)
}

fn read_lines(lines: &mut impl BufRead, inputs: &mut Vec<Input>) -> io::Result<()> {
    for line in lines.lines() {
        let line = line?;
        let line = line.trim();
        if is_url(line) {
            inputs.push(Input::Url(line.to_owned()));
        } else if !line.is_empty() {
            inputs.push(Input::Identifier(line.to_owned()));
        }
    }
    Ok(())
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// The documents of a folder and those below it, by name. What is hidden is left out, and links to folders are not followed.
fn add_folder(folder: &Path, inputs: &mut Vec<Input>) -> io::Result<()> {
    let entries: io::Result<Vec<_>> = fs::read_dir(folder)?.collect();
    let mut entries = entries?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            add_folder(&path, inputs)?;
        } else if path.is_file() && is_document(&path) {
            inputs.push(Input::File(path));
        }
    }
    Ok(())
}

/// By its name, or because it begins as a JSON object does. An image whose name is an identifier is none.
fn is_document(path: &Path) -> bool {
    let has_name = path
        .extension()
        .is_some_and(|extension| extension == "json");
    has_name || begins_as_object(path).unwrap_or(false)
}

fn begins_as_object(path: &Path) -> io::Result<bool> {
    let mut start = [0; 64];
    let length = File::open(path)?.read(&mut start)?;
    let start = start[..length].trim_ascii_start();
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    Ok(start.trim_ascii_start().starts_with(b"{"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(arguments: &[&str], lines: &str) -> Vec<Input> {
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        resolve(&arguments, lines.as_bytes()).unwrap()
    }

    #[test]
    fn identifiers_urls_and_lines() {
        let identifier = |text: &str| Input::Identifier(text.to_owned());
        let url = |text: &str| Input::Url(text.to_owned());
        assert_eq!(
            resolved(
                &["maps/1", "https://a.org/m.json", "-"],
                "b/2\r\n\n  http://a.org/x \nc"
            ),
            [
                identifier("maps/1"),
                url("https://a.org/m.json"),
                identifier("b/2"),
                url("http://a.org/x"),
                identifier("c"),
            ]
        );
    }

    #[test]
    fn a_folder_is_its_documents() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for hidden in ["deep/er", ".git"] {
            fs::create_dir_all(path(hidden)).unwrap();
        }
        for (name, text) in [
            ("b.json", "no JSON at all"),
            ("a", "\u{FEFF} {\"type\": \"Manifest\"}"),
            ("deep/er/c.json", "{}"),
            ("image.jpg", "\u{FF}\u{D8}"),
            (".git/d.json", "{}"),
            ("notes.txt", ""),
        ] {
            fs::write(path(name), text).unwrap();
        }
        std::os::unix::fs::symlink(folder.path(), path("deep/loop")).unwrap();
        let file = |name: &str| Input::File(path(name));
        let all = [file("a"), file("b.json"), file("deep/er/c.json")];
        let argument = |name: &str| path(name).to_str().unwrap().to_owned();
        assert_eq!(resolved(&[&argument("")], ""), all);
        assert_eq!(resolved(&[&argument("a")], ""), [file("a")]);
        let image = argument("image.jpg");
        assert_eq!(resolved(&[&image], ""), [Input::Identifier(image.clone())]);
    }
}
