//! `azulejo sign`

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;

use super::settings::ConfigFile;
use super::{Outcome, Usage, print};
use crate::access::signed::Scope;
use crate::config::Config;
use crate::http;

/// Print a URL with a signature, which shows what it names to whoever has it
///
/// The secret is that of access.signing in the configuration. Nothing is asked of the server.
#[derive(Args)]
pub struct Sign {
    /// The URL of an image, its info.json or its manifest, or the path of it
    url: String,

    /// For how long it is good: a number and s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time)]
    expires: Duration,

    /// Sign for all that can be asked of the image, and not for this request alone
    #[arg(long)]
    image: bool,

    #[command(flatten)]
    file: ConfigFile,
}

impl Sign {
    pub fn run(&self) -> Outcome {
        let config = Config::load(&self.file.layers())?.config;
        let longest = config.access.signing.longest;
        if self.expires > Duration::from_secs(longest.into()) {
            let message = format!(
                "the server accepts no URL that is signed for longer than {longest} s (access.signing.longest)"
            );
            return Err(Usage(message).into());
        }
        let expires = SystemTime::now().duration_since(UNIX_EPOCH)? + self.expires;
        let scope = if self.image {
            Scope::Image
        } else {
            Scope::Request
        };
        let signed = http::sign(&config, &self.url, scope, expires.as_secs())?;
        print(&format!("{signed}\n"))
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and s, m, h or d, as in 90s, 15m, 24h or 7d".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number = text[..text.len() - 1].parse::<u32>().map_err(|_| wrong())?;
    match number {
        0 => Err("it would be over at once".to_owned()),
        number => Ok(Duration::from_secs(u64::from(number) * seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in [
            "",
            "1",
            "h",
            "0s",
            "-1h",
            "1.5h",
            "1 h",
            "1w",
            "1ä",
            "4294967296s",
        ] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
