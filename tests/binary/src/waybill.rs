//! The binary: where it is, and a process of it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock};

use crate::PATIENCE;

/// The binary of the profile that this runs in. `cargo test --workspace` has built it; where it is missing, or older
/// than one of its sources, cargo builds it.
pub fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let own = std::env::current_exe().unwrap();
        let parent = own.parent().unwrap();
        let folder = match parent.ends_with("deps") {
            true => parent.parent().unwrap(),
            false => parent,
        };
        let path = folder.join("waybill");
        if !is_fresh(&path) {
            build(folder.file_name().unwrap().to_str().unwrap());
        }
        path
    })
}

/// Whether the binary is there and newer than all that cargo says it was made from.
fn is_fresh(path: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
    let (Ok(built), Ok(list)) = (changed(path), fs::read_to_string(path.with_extension("d")))
    else {
        return false;
    };
    // `target/debug/waybill: source source ...`, a space in a name written as `\ `.
    let sources = list.split_once(": ").map_or("", |(_, sources)| sources);
    let sources = sources.replace("\\ ", "\0");
    let mut sources = sources.split_whitespace().map(|s| s.replace('\0', " "));
    sources.all(|source| changed(Path::new(&source)).is_ok_and(|changed| changed <= built))
}

fn build(folder: &str) {
    let profile = match folder {
        "debug" => "dev",
        profile => profile,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args([
            "build",
            "--package",
            "local",
            "--bin",
            "waybill",
            "--profile",
            profile,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.unwrap().success(), "cargo cannot build waybill");
}

fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command.env_remove("LOG");
    command
}

/// What the binary is always told: any free ports, and no demo.
const ARGUMENTS: [&str; 5] = ["--no-demo", "--http", "0", "--aws", "0"];

/// A running binary, killed when dropped.
pub struct Waybill {
    child: Child,
    said: Receiver<SocketAddr>,
    addresses: OnceLock<(SocketAddr, SocketAddr)>,
    errors: Arc<Mutex<String>>,
}

impl Waybill {
    /// Starts the binary with more arguments. It is not ready yet.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = command(path());
        command.args(ARGUMENTS).args(arguments);
        Self::spawn(command)
    }

    /// Starts the binary through a shell's `script`, which ends in `exec "$@"`; the shell itself through `wrapper`.
    pub fn start_by(wrapper: &[&str], script: &str, arguments: &[&str]) -> Self {
        let shell = ["sh", "-c", script, "sh"];
        let all = [wrapper, &shell[..]].concat();
        let mut command = command(all[0]);
        command
            .args(&all[1..])
            .arg(path())
            .args(ARGUMENTS)
            .args(arguments);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, addresses) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        // Somebody has to read to the end: a process that cannot write what it says would break.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let address = line
                    .split("http://")
                    .nth(1)
                    .and_then(|rest| rest.split('/').next());
                if let Some(address) = address.and_then(|address| address.parse().ok()) {
                    sender.send(address).ok();
                }
            }
        });
        let mut stderr = child.stderr.take().unwrap();
        let errors = Arc::new(Mutex::new(String::new()));
        let said = errors.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = stderr.read(&mut bytes) {
                said.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&bytes[..n]));
            }
        });
        Self {
            child,
            said: addresses,
            addresses: OnceLock::new(),
            errors,
        }
    }

    /// Waits until it answers: the addresses of its API and of its AWS services.
    pub fn ready(&self) -> (SocketAddr, SocketAddr) {
        let address = || {
            let address = self.said.recv_timeout(PATIENCE);
            address.unwrap_or_else(|_| panic!("it does not start: {}", self.errors()))
        };
        *self.addresses.get_or_init(|| (address(), address()))
    }

    /// What it has said on standard error.
    pub fn errors(&self) -> String {
        self.errors.lock().unwrap().clone()
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        assert!(!self.errors().contains("panicked"), "{}", self.errors());
    }

    /// Waits for its end: how it ended, and what it said on standard error.
    pub fn end(mut self) -> (ExitStatus, String) {
        let started = std::time::Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it said last may still be on its way.
                std::thread::sleep(std::time::Duration::from_millis(50));
                return (status, self.errors());
            }
            assert!(started.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

impl Drop for Waybill {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A directory of its own, gone with the test.
pub struct Directory(PathBuf);

impl Directory {
    /// An empty one.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (process, n) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("waybill-{name}-{process}-{n}"));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Its path.
    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// The path of something in it.
    pub fn join(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
