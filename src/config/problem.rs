//! What is wrong with a configuration, for the person who wrote it.

use std::fmt;
use std::path::Path;

/// One thing that must be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Such as `server.listen`, or the name of a file that cannot be read at all.
    pub key: String,
    /// As written.
    pub value: Option<String>,
    /// The file, environment variable or flag that gave it.
    pub origin: Option<String>,
    /// What is allowed.
    pub rule: String,
    /// What to do.
    pub remedy: String,
}

impl Problem {
    /// A problem of the whole file.
    pub fn of_file(path: &Path, rule: &str, remedy: String) -> Self {
        Self {
            key: path.display().to_string(),
            value: None,
            origin: None,
            rule: rule.to_owned(),
            remedy,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        if let Some(origin) = &self.origin {
            write!(f, "  (from {origin})")?;
        }
        let remedy = self.remedy.replace('\n', "\n    ");
        write!(f, "\n  rule: {}\n  remedy: {remedy}", self.rule)
    }
}

/// Every problem of a configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<Problem>);

impl ConfigErrors {
    /// `None` without problems. A value can break several rules of its key, which are one problem to the reader: the
    /// rule that is printed has them all.
    pub fn new(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by(|a, b| a.key.cmp(&b.key));
        problems.dedup_by(|a, b| a.key == b.key);
        (!problems.is_empty()).then_some(Self(problems))
    }

    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a problem")?,
            count => write!(f, "the configuration has {count} problems")?,
        }
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n\n{problem}"))
    }
}

impl std::error::Error for ConfigErrors {}
