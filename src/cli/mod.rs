//! The command line: one file for each command.
//!
//! Exit codes: 0 all is well, 1 there is a problem, 2 the command is written wrongly.

mod check;
mod config;
mod explain;
mod hash_secret;
mod health;
mod import;
mod info;
mod progress;
mod purge;
mod pyramid;
mod serve;
mod settings;
mod sign;
mod warm;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{causes, decode};

/// An IIIF image server.
#[derive(Parser)]
#[command(name = "azulejo", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    Config(config::Show),
    Check(check::Check),
    Health(health::Health),
    Info(info::Info),
    Explain(explain::Explain),
    Pyramid(pyramid::Pyramid),
    Purge(purge::Purge),
    Warm(warm::Warm),
    Import(import::Import),
    HashSecret(hash_secret::HashSecret),
    Sign(sign::Sign),
    /// What this program is run as by itself, to have documents rendered.
    #[command(name = decode::pdf::RENDERER, hide = true)]
    RenderPdf,
}

/// How every command ends.
type Outcome = Result<(), Box<dyn Error>>;

/// The command is written wrongly in a way that its grammar cannot say.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// Runs the command that the arguments of this process name.
pub fn run() -> ExitCode {
    decode::pdf::use_renderers();
    let outcome = match Cli::parse().command {
        Command::RenderPdf => decode::pdf::run_renderer().map_err(Into::into),
        Command::Serve(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Health(command) => command.run(),
        Command::Info(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Pyramid(command) => command.run(),
        Command::Purge(command) => command.run(),
        Command::Warm(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::HashSecret(command) => command.run(),
        Command::Sign(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("azulejo: {}", with_causes(&*error));
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

/// The error and what led to it, one a line.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<String> = causes::all(error).map(ToString::to_string).collect();
    texts.join("\n  because: ")
}

/// Writes a result to the standard output. A reader that stops early, such as `head`, is no problem.
fn print(text: &str) -> Outcome {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::decode::DecodeError;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn causes_are_told() {
        let error = DecodeError::Io(io::Error::other("the disk is gone"));
        assert_eq!(
            with_causes(&error),
            "the source could not be read\n  because: the disk is gone"
        );
    }
}
