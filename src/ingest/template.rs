//! Format strings: texts with a place for the number of a page, in a small part of the grammar of Python's `str.format`.
//!
//! A placeholder is `{`, perhaps `:` and behind it a sign, a `0`, a width and a `d`, each of which may be missing, and `}`. `{{` and `}}` are
//! braces. Everything else with a brace is refused: it would fail in Python, or mean something else than one number.

use std::iter::Peekable;
use std::str::CharIndices;

/// Wider numbers are no use, and a width of a billion would be an attack.
const WIDEST: usize = 32;

/// A format string that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Number(Shape),
}

/// How a number is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shape {
    sign: Sign,
    has_zeros: bool,
    /// Characters at least.
    width: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sign {
    /// `-`: of negative numbers only.
    #[default]
    Negative,
    /// `+`.
    Always,
    /// A space before those that are not negative.
    Space,
}

/// Why a text is no format string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (character {position})")]
pub struct TemplateError {
    /// The place of the wrong character, from 1.
    pub position: usize,
    pub reason: &'static str,
}

impl Template {
    /// # Errors
    /// If a brace is part of neither a placeholder nor a pair.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut reader = Reader::new(text);
        let mut parts = Vec::new();
        let mut plain = String::new();
        while let Some(character) = reader.next() {
            match character {
                '{' if reader.takes('{') => plain.push('{'),
                '}' if reader.takes('}') => plain.push('}'),
                '}' => return Err(reader.wrong("a } without its {: a brace in the text is }}")),
                '{' => {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Number(reader.placeholder()?));
                }
                other => plain.push(other),
            }
        }
        parts.push(Part::Text(plain));
        Ok(Self(parts))
    }

    /// Whether it differs from page to page.
    pub fn has_placeholder(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Number(_)))
    }

    /// The text for a number.
    pub fn expand(&self, number: i64) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Number(shape) => text.push_str(&shape.write(number)),
            }
        }
        text
    }
}

impl Shape {
    fn write(self, number: i64) -> String {
        let sign = match self.sign {
            _ if number < 0 => "-",
            Sign::Negative => "",
            Sign::Always => "+",
            Sign::Space => " ",
        };
        let digits = number.unsigned_abs();
        let width = self.width;
        if self.has_zeros {
            let width = width.saturating_sub(sign.len());
            return format!("{sign}{digits:0width$}");
        }
        let text = format!("{sign}{digits}");
        format!("{text:>width$}")
    }
}

struct Reader<'a> {
    characters: Peekable<CharIndices<'a>>,
    /// Of characters read.
    position: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            characters: text.char_indices().peekable(),
            position: 0,
        }
    }

    fn next(&mut self) -> Option<char> {
        let (_, character) = self.characters.next()?;
        self.position += 1;
        Some(character)
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.takes_if(|character| character == wanted).is_some()
    }

    fn takes_if(&mut self, is_wanted: impl Fn(char) -> bool) -> Option<char> {
        let (_, character) = self.characters.next_if(|(_, next)| is_wanted(*next))?;
        self.position += 1;
        Some(character)
    }

    /// At the character that was read last.
    fn wrong(&self, reason: &'static str) -> TemplateError {
        TemplateError {
            position: self.position,
            reason,
        }
    }

    /// What stands behind a `{`.
    fn placeholder(&mut self) -> Result<Shape, TemplateError> {
        let opened = self.wrong("a { without its }: a brace in the text is {{");
        let shape = match self.takes(':') {
            true => self.shape()?,
            false => Shape::default(),
        };
        match self.next() {
            Some('}') => Ok(shape),
            Some(_) => Err(self.wrong(
                "between { and } only : stands, and behind it a sign, a 0, a width and a d",
            )),
            None => Err(opened),
        }
    }

    fn shape(&mut self) -> Result<Shape, TemplateError> {
        let sign = match self.takes_if(|character| "+- ".contains(character)) {
            Some('+') => Sign::Always,
            Some(' ') => Sign::Space,
            _ => Sign::Negative,
        };
        let has_zeros = self.takes('0');
        let mut width = 0;
        while let Some(digit) = self.takes_if(|character| character.is_ascii_digit()) {
            width = width * 10 + usize::try_from(u32::from(digit) - u32::from('0')).unwrap_or(0);
            if width > WIDEST {
                return Err(self.wrong("the width is more than 32"));
            }
        }
        self.takes('d');
        Ok(Shape {
            sign,
            has_zeros,
            width,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn expanded(template: &str, number: i64) -> String {
        Template::parse(template).unwrap().expand(number)
    }

    /// What Python 3 answers to `template.format(number)`.
    #[test]
    fn it_writes_what_python_writes() {
        for (template, number, expected) in [
            ("page-{}", 7, "page-7"),
            ("{:d}", 7, "7"),
            ("{:}", 7, "7"),
            ("{:03d}", 0, "000"),
            ("{:03}", 7, "007"),
            ("{:03d}", 1234, "1234"),
            ("{:03d}", -7, "-07"),
            ("{:-03d}", 7, "007"),
            ("{:+03d}", 7, "+07"),
            ("{: 03d}", 7, " 07"),
            ("{: d}", -7, "-7"),
            ("{:+d}", 0, "+0"),
            ("{:5d}", 42, "   42"),
            ("{:+5d}", 42, "  +42"),
            ("{:0d}", 42, "42"),
            ("{:00003d}", 7, "007"),
            ("a{{{}}}b", 7, "a{7}b"),
            ("{{}}", 7, "{}"),
            ("{{{{{:02d}", 7, "{{07"),
            ("{:02d}/{:03d}", 7, "07/007"),
            ("ü-{:02d}-ü", 7, "ü-07-ü"),
            ("", 7, ""),
            ("plain", 7, "plain"),
        ] {
            assert_eq!(expanded(template, number), expected, "{template}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_place() {
        for (template, position) in [
            ("{", 1),
            ("a{", 2),
            ("}", 1),
            ("ü}b", 2),
            ("{:d", 1),
            ("{:03", 1),
            ("{0}", 2),
            ("{1}", 2),
            ("{foo}", 2),
            ("{0:D4}", 2),
            ("{:s}", 3),
            ("{:x}", 3),
            ("{:,d}", 3),
            ("{:_d}", 3),
            ("{:>3d}", 3),
            ("{:*^9d}", 3),
            ("{:#d}", 3),
            ("{:3.2f}", 4),
            ("{:dd}", 4),
            ("{:d }", 4),
            ("{!r}", 2),
            ("{.real}", 2),
            ("{[0]}", 2),
            ("{ }", 2),
            ("{:{}}", 3),
            ("{:33d}", 4),
            ("{:999999999999999999999999}", 4),
            ("{:٣d}", 3),
            ("{}}", 3),
            ("{{}", 3),
            ("a{}b{:q}", 7),
        ] {
            let error = Template::parse(template).unwrap_err();
            assert_eq!(error.position, position, "{template}: {error}");
        }
    }

    #[test]
    fn a_placeholder_is_told_from_braces() {
        for (template, expected) in [("a", false), ("{{}}", false), ("{}", true), ("a{:d}", true)] {
            let template = Template::parse(template).unwrap();
            assert_eq!(template.has_placeholder(), expected);
        }
    }

    proptest! {
        #[test]
        fn no_text_brings_it_down(text in "[{}:0-9d+ -]{0,12}", number: i64) {
            if let Ok(template) = Template::parse(&text) {
                template.expand(number);
            }
        }

        #[test]
        fn two_pages_never_have_the_same_text(text in "[{}:0-9d+ab-]{0,12}", seed in 0..100_000_i64, step in 1..5_000_i64) {
            if let Ok(template) = Template::parse(&text)
                && template.has_placeholder()
            {
                prop_assert_ne!(template.expand(seed), template.expand(seed + step));
            }
        }
    }
}
