//! `docs/compliance.md` names a test for every requirement, and each of these tests exists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The groups of requirements and how many each has.
const GROUPS: [(&str, u32); 21] = [
    ("U", 9),
    ("E", 14),
    ("R", 16),
    ("S", 28),
    ("T", 11),
    ("Q", 10),
    ("F", 12),
    ("O", 2),
    ("V", 4),
    ("C", 12),
    ("I3.", 25),
    ("I2.", 16),
    ("N", 10),
    ("H", 5),
    ("X", 7),
    ("P", 12),
    ("ER", 10),
    ("K", 8),
    ("L", 6),
    ("A", 26),
    ("B", 7),
];

/// Requirements of what Azulejo does not have. To add one is a decision.
const NOT_APPLICABLE: [&str; 1] = ["L06"];

/// What the last column of a table says of each requirement.
type Rows = BTreeMap<String, Vec<String>>;

fn read(path: &str) -> String {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(full).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn required() -> BTreeSet<String> {
    let numbers = |(group, count): (&str, u32)| {
        let group = group.to_owned();
        (1..=count).map(move |number| format!("{group}{number:02}"))
    };
    GROUPS.into_iter().flat_map(numbers).collect()
}

/// The rows that begin with the number of a requirement; what they name between backticks in the last column.
fn rows() -> Rows {
    let required = required();
    let mut rows = Rows::new();
    for line in read("docs/compliance.md").lines() {
        let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let number = cells[0].trim_start_matches("| ");
        let (Some(last), true) = (cells.last(), required.contains(number)) else {
            continue;
        };
        let names = last.split('`').skip(1).step_by(2).map(str::to_owned);
        let twice = rows.insert(number.to_owned(), names.collect());
        assert!(twice.is_none(), "{number} has two rows");
    }
    rows
}

#[test]
fn every_requirement_has_a_row() {
    let rows: BTreeSet<String> = rows().into_keys().collect();
    let required = required();
    let missing: Vec<&String> = required.difference(&rows).collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
}

#[test]
fn every_requirement_but_those_that_do_not_apply_has_a_test() {
    let rows = rows();
    let without: Vec<&String> = rows
        .iter()
        .filter(|(_, names)| names.is_empty())
        .map(|(number, _)| number)
        .collect();
    assert_eq!(without, NOT_APPLICABLE);
}

#[test]
fn every_test_exists() {
    let mut wrong = Vec::new();
    for (number, names) in rows() {
        for name in names {
            if !exists(&name) {
                wrong.push(format!("{number}: {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "no such tests:\n{}", wrong.join("\n"));
}

/// Of each attack in a table of `docs/security.md`.
#[test]
fn every_attack_has_tests_that_exist() {
    let page = read("docs/security.md");
    let tables = page.lines().filter(|line| line.starts_with("| "));
    let attacks: Vec<&str> = tables
        .filter(|line| !line.starts_with("| attack |"))
        .collect();
    assert!(attacks.len() > 20, "{}", attacks.len());
    let mut wrong = Vec::new();
    for attack in attacks {
        let last = attack
            .trim_end_matches(" |")
            .rsplit(" | ")
            .next()
            .unwrap_or_default();
        let names: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        if names.is_empty() || !names.iter().all(|name| exists(name)) {
            wrong.push(attack);
        }
    }
    assert!(
        wrong.is_empty(),
        "without such tests:\n{}",
        wrong.join("\n")
    );
}

/// `file: function`, or a file alone where its tests have no such names.
fn exists(name: &str) -> bool {
    match name.split_once(": ") {
        Some((file, function)) => {
            let test = format!("fn {function}(");
            read(file).lines().any(|line| line.contains(&test))
        }
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join(name).is_file(),
    }
}
