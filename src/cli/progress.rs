//! Progress on standard error, where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// `what` says what is counted.
pub fn progress_bar(length: usize, what: &str) -> ProgressBar {
    let template = format!("{{bar:40}} {{pos}} of {{len}} {what}, {{elapsed}}, {{eta}} to go");
    let style = ProgressStyle::with_template(&template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style)
}
