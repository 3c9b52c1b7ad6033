//! What something is called.

/// Characters: a sentence or two. A file may call itself by a whole book.
const LONGEST: usize = 1_000;

/// A text of one line. Promise: at most 1,000 characters, and none that controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(String);

impl Label {
    /// As much of a text as a label holds, with `…` where it was cut.
    pub fn new(text: &str) -> Self {
        let mut kept: String = text.chars().take(LONGEST).map(tame).collect();
        if text.chars().nth(LONGEST).is_some() {
            kept.pop();
            kept.push('…');
        }
        Self(kept)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn tame(character: char) -> char {
    if character.is_control() {
        ' '
    } else {
        character
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_is_longer_than_people_read() {
        let label = |text: &str| Label::new(text).as_str().to_owned();
        assert_eq!(label("Old maps"), "Old maps");
        assert_eq!(label("Old\nmaps\0"), "Old maps ");
        assert_eq!(label(&"ä".repeat(1_000)), "ä".repeat(1_000));
        let cut = format!("{}…", "ä".repeat(999));
        assert_eq!(label(&"ä".repeat(4_000_000)), cut);
    }
}
