//! The binaries that are deployed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// The profile that binaries are deployed from.
const PROFILE: &str = "deploy";
/// What a zip archive of one file called `bootstrap` adds to its compressed bytes: the file's header, its entry
/// in the directory and the directory's end.
const ZIP_FRAME: usize = 30 + 9 + 46 + 9 + 22;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn target() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    chosen.unwrap_or_else(|| workspace().join("target"))
}

/// Where each function's binary is: as cargo leaves it, or cargo-lambda. Builds them if one is missing.
pub fn find_or_build(functions: &[&'static str]) -> Result<BTreeMap<&'static str, PathBuf>> {
    let found = || -> Option<BTreeMap<&'static str, PathBuf>> {
        let found = functions.iter().map(|function| {
            let path = target().join(PROFILE).join(function);
            let paths = [path.join("bootstrap"), path];
            Some((*function, paths.into_iter().find(|path| path.is_file())?))
        });
        found.collect()
    };
    if let Some(found) = found() {
        return Ok(found);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--profile", PROFILE, "--bins"]);
    build.args(functions.iter().flat_map(|function| ["-p", *function]));
    build.current_dir(workspace());
    eprintln!("cold-start: {build:?}");
    ensure!(build.status()?.success(), "the build failed");
    found().context("the build has left no binaries")
}

/// The size of a binary, and of the zip archive that it is deployed in.
pub fn sizes(path: &Path) -> Result<(usize, usize)> {
    let binary = std::fs::read(path).with_context(|| path.display().to_string())?;
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(&binary)?;
    Ok((binary.len(), deflated.finish()?.len() + ZIP_FRAME))
}
