//! Where the payloads are.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Says it even where the test harness keeps the output of tests that pass to itself.
pub fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").unwrap();
}

/// The JSON files beneath a folder of the payloads, sorted; none where there are no payloads, or none of this kind.
pub fn json_files(folder: &str) -> Vec<PathBuf> {
    let root = match std::env::var_os("WAYBILL_PAYLOADS") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/payloads"),
    };
    if !root.is_dir() {
        let missing = format!("no payloads in {}", root.display());
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        say(&format!(
            "SKIPPED: {missing}; set WAYBILL_PAYLOADS to their directory"
        ));
        return Vec::new();
    }
    if !root.join(folder).is_dir() {
        say(&format!("none of {folder} in {}", root.display()));
        return Vec::new();
    }
    let mut files = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(
        !files.is_empty(),
        "no JSON in {folder:?} of {}",
        root.display()
    );
    files
}

/// A file's name, for messages.
pub fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
