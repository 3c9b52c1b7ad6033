//! The arguments that give settings.

use std::env;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Usage;
use crate::config::layers::variable;
use crate::config::{Flag, Layers};

const ROOT: &str = "source.root";

/// Which configuration file is read.
#[derive(Args)]
pub struct ConfigFile {
    /// Configuration file; without it the environment variable AZULEJO_CONFIG names one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    pub fn path(&self) -> Option<PathBuf> {
        let of_environment = || env::var_os("AZULEJO_CONFIG").filter(|path| !path.is_empty());
        self.config
            .clone()
            .or_else(|| of_environment().map(PathBuf::from))
    }

    /// The layers, without flags.
    pub fn layers(&self) -> Layers {
        Layers::of_process(self.path(), Vec::new())
    }
}

/// The settings of a server.
#[derive(Args)]
pub struct Settings {
    /// Directory with the images
    dir: Option<PathBuf>,

    /// Address and port to listen on, such as 0.0.0.0:8182
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,

    #[command(flatten)]
    file: ConfigFile,
}

impl Settings {
    pub fn layers(&self) -> Result<Layers, Usage> {
        let mut flags = Vec::new();
        if let Some(dir) = &self.dir {
            flags.push(root_flag(dir)?);
        }
        flags.extend(self.listen.clone().map(|value| Flag {
            name: "--listen",
            key: "server.listen",
            value,
        }));
        Ok(Layers::of_process(self.file.path(), flags))
    }

    /// As [`layers`](Self::layers), for commands that need images. Without any hint where they are, the working
    /// directory is not served: it may be someone's home. Only the images that come with Azulejo are looked for.
    ///
    /// # Errors
    /// If nothing says which directory is meant.
    pub fn layers_with_images(&self) -> Result<Layers, Usage> {
        let mut layers = self.layers()?;
        if self.dir.is_none() && !names_images(&layers) {
            layers.flags.push(root_flag(example_images()?)?);
        }
        Ok(layers)
    }
}

fn names_images(layers: &Layers) -> bool {
    let root = variable(ROOT);
    let named =
        |(name, value): &(String, String)| name.eq_ignore_ascii_case(&root) && !value.is_empty();
    layers.file.is_some() || layers.environment.iter().any(named)
}

fn example_images() -> Result<&'static Path, Usage> {
    let images = Path::new("fixtures/images");
    if images.is_dir() {
        return Ok(images);
    }
    Err(Usage(
        "which directory holds the images? Give it as `azulejo serve DIR`, as source.root in a file named by \
         --config, or as AZULEJO_SOURCE__ROOT"
            .to_owned(),
    ))
}

fn root_flag(dir: &Path) -> Result<Flag, Usage> {
    let path = dir.to_str();
    let path =
        path.ok_or_else(|| Usage(format!("the name of {} is not Unicode", dir.display())))?;
    Ok(Flag {
        name: "DIR",
        key: ROOT,
        value: path.to_owned(),
    })
}

/// Where a server that listens there is found from this machine: one on the unspecified address listens on the loopback
/// address, too.
pub fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_asked_at_an_address_of_this_machine() {
        let of = |listen: &str| reachable(listen.parse().unwrap()).to_string();
        assert_eq!(of("0.0.0.0:8182"), "127.0.0.1:8182");
        assert_eq!(of("[::]:80"), "[::1]:80");
        assert_eq!(of("10.1.2.3:1"), "10.1.2.3:1");
    }

    #[test]
    fn a_file_or_a_variable_names_the_images() {
        let with = |name: &str, value: &str| Layers {
            environment: vec![(name.to_owned(), value.to_owned())],
            ..Layers::default()
        };
        assert!(!names_images(&Layers::default()));
        assert!(!names_images(&with("AZULEJO_SOURCE__ROOT", "")));
        assert!(names_images(&with("AZULEJO_SOURCE__ROOT", "/images")));
        let with_file = Layers {
            file: Some("a.toml".into()),
            ..Layers::default()
        };
        assert!(names_images(&with_file));
    }
}
