//! Tables with a header, such as `url,id,title,page`. A dump of EIDER is one: the columns `id` and `url` of its entities.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;
use csv::{Reader, StringRecord};
use serde::Deserialize;

use super::desk::Desk;
use super::{Options, Trust, open, unreadable};
use crate::registry::{Details, NewEntry, name_uuid};

const COLUMNS: [&str; 5] = ["url", "id", "title", "page", "checksum"];

/// From CSV with the columns url and perhaps id, title, page and checksum, which its first line names; also from EIDER's table
#[derive(Args)]
pub struct Csv {
    /// The files, or - for standard input. Where there is no id, it is the UUID of version 3 of the URL
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    pub trust: Trust,

    #[command(flatten)]
    pub options: Options,
}

#[derive(Deserialize)]
struct Row {
    url: String,
    id: Option<String>,
    title: Option<String>,
    page: Option<u32>,
    checksum: Option<String>,
}

impl Csv {
    pub async fn import(&self, desk: &mut Desk) -> Result<(), Box<dyn Error>> {
        for path in &self.files {
            import(path, desk).await?;
        }
        Ok(())
    }
}

async fn import(path: &Path, desk: &mut Desk) -> Result<(), Box<dyn Error>> {
    let (file, length) = open(path)?;
    let before = desk.bar.position();
    desk.bar.inc_length(length);
    let mut table = Reader::from_reader(file);
    let header = table.headers().map_err(|error| unreadable(path, error))?;
    let header = header.clone();
    check(&header).map_err(|problem| unreadable(path, problem))?;
    let provenance = format!("import csv {}", path.display());
    let mut row = StringRecord::new();
    loop {
        let line = table.position().line();
        let place = format!("{}, line {line}", path.display());
        let entry = match table.read_record(&mut row) {
            Ok(true) => entry(&row, &header, &provenance),
            Ok(false) => return Ok(()),
            Err(error) if error.is_io_error() => return Err(unreadable(path, error).into()),
            Err(error) => Err(error.into()),
        };
        desk.take(place, entry).await?;
        desk.bar.set_position(before + table.position().byte());
    }
}

/// A column that nobody knows may be one that was meant to be another.
fn check(header: &StringRecord) -> Result<(), String> {
    if let Some(unknown) = header.iter().find(|name| !COLUMNS.contains(name)) {
        let known = COLUMNS.join(", ");
        return Err(format!(
            "its first line names {unknown:?}, which is none of {known}"
        ));
    }
    if !header.iter().any(|name| name == "url") {
        return Err("its first line names no url".to_owned());
    }
    Ok(())
}

fn entry(
    row: &StringRecord,
    header: &StringRecord,
    provenance: &str,
) -> Result<NewEntry, Box<dyn Error>> {
    let row: Row = row.deserialize(Some(header))?;
    let identifier = row.id.unwrap_or_else(|| name_uuid(&row.url).to_string());
    let details = Details {
        page: row.page,
        title: row.title,
        checksum: row.checksum,
    };
    Ok(NewEntry::new(&identifier, &row.url, details, provenance)?)
}
