//! `azulejo hash-secret`

use std::io::{self, BufRead};

use clap::Args;

use super::{Outcome, Usage, print};
use crate::config::secret_hash::SecretHash;

/// Print the hash of a secret, for the configuration
///
/// The secret is read from the standard input, up to the end of the first line, so that it stands in no list of processes and in no history of a shell.
#[derive(Args)]
pub struct HashSecret {}

impl HashSecret {
    pub fn run(&self) -> Outcome {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        let secret = line.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            let message = "the standard input has no secret: `openssl rand -hex 32 | tee secret | azulejo hash-secret`";
            return Err(Usage(message.to_owned()).into());
        }
        let hash = SecretHash::of(secret.as_bytes()).map_err(|error| error.to_string())?;
        print(&format!("{hash}\n"))
    }
}
