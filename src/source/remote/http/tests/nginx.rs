//! Against the real nginx.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use super::*;
use crate::source::contract::Place;

/// It ends with this value.
struct Nginx {
    child: Child,
    address: String,
    folder: tempfile::TempDir,
}

impl Nginx {
    /// Another process may take a free port before nginx does.
    fn start() -> Self {
        (0..5)
            .find_map(|_| Self::try_to_start())
            .expect("nginx starts")
    }

    fn try_to_start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        fs::create_dir(folder.path().join("files")).unwrap();
        fs::write(
            folder.path().join("nginx.conf"),
            config_of(folder.path(), &address),
        )
        .unwrap();
        let child = Command::new("/usr/sbin/nginx")
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(folder.path().join("nginx.conf"))
            .args(["-e", "error.log"])
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx; scripts/install-test-tools installs it");
        let mut nginx = Self {
            child,
            address,
            folder,
        };
        let start = Instant::now();
        // It writes its number when it listens.
        while !nginx.folder.path().join("nginx.pid").exists() {
            if nginx.child.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(start.elapsed() < Duration::from_secs(60));
            thread::sleep(Duration::from_millis(20));
        }
        Some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Place for Nginx {
    fn put(&self, key: &str, bytes: &[u8]) {
        let path = self.folder.path().join("files").join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let new = self.folder.path().join("new");
        fs::write(&new, bytes).unwrap();
        fs::rename(&new, path).unwrap();
    }

    fn remove(&self, key: &str) {
        fs::remove_file(self.folder.path().join("files").join(key)).unwrap();
    }
}

/// One process, so that it can be ended.
fn config_of(folder: &Path, address: &str) -> String {
    let folder = folder.display();
    format!(
        "daemon off; master_process off; pid {folder}/nginx.pid; events {{}}
        http {{
            access_log off;
            client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
            uwsgi_temp_path {folder}; scgi_temp_path {folder};
            server {{ listen {address}; root {folder}/files; }}
        }}"
    )
}

#[test]
fn it_does_what_every_source_has_to_with_nginx() {
    let nginx = Nginx::start();
    let config = HttpSourceConfig {
        url: Some(format!("http://{}/", nginx.address)),
        private_networks: vec!["127.0.0.0/8".parse().unwrap()],
        revalidate_after: 0,
        ..HttpSourceConfig::default()
    };
    let scratch = Scratch::new();
    contract::check(&open(&config, &scratch.shared).unwrap(), &nginx);
}
