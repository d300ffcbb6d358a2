//! How far an import has come: kept beside the file, so that an import that was broken off goes on.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// How far an import has come. Everything before it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Which import: the file as it was, and the table.
    pub of: Import,
    /// Bytes of the file that are done.
    pub bytes: u64,
    /// Lines of the file that are done.
    pub lines: u64,
    /// Of these, the ones that were imported.
    pub imported: u64,
    /// Of these, the ones that were broken.
    pub broken: u64,
}

/// A file and where it goes. If any of it is another one, an import begins anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The table, and where it is.
    pub table: String,
    /// The file's size.
    pub bytes: u64,
    /// When the file was last changed, in seconds since 1970.
    pub changed_s: u64,
}

impl Progress {
    /// What is known of the import of a file into a table: nothing, if it is a new one.
    pub fn load(file: &Path, table: &str) -> Result<Self> {
        let about = fs::metadata(file)?;
        let changed = about.modified()?.duration_since(UNIX_EPOCH);
        let of = Import {
            table: table.into(),
            bytes: about.len(),
            changed_s: changed.map_or(0, |since| since.as_secs()),
        };
        let kept = beside(file);
        let known: Option<Self> = match fs::read(&kept) {
            // What cannot be read says nothing of how far it was: then all of it is done again.
            Ok(text) => serde_json::from_slice(&text).ok(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| kept.display().to_string()),
        };
        let fresh = Self {
            of,
            ..Self::default()
        };
        Ok(known.filter(|known| known.of == fresh.of).unwrap_or(fresh))
    }

    /// Keeps it. A process that dies here leaves what was kept before.
    pub fn save(&self, file: &Path) -> Result<()> {
        let kept = beside(file);
        let new = kept.with_extension("progress-new");
        fs::write(&new, serde_json::to_vec(self)?)
            .and_then(|()| fs::rename(&new, &kept))
            .with_context(|| kept.display().to_string())
    }

    /// Forgets it, when all of the file is done.
    pub fn forget(file: &Path) -> Result<()> {
        let kept = beside(file);
        match fs::remove_file(&kept) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| kept.display().to_string())
            }
            _ => Ok(()),
        }
    }
}

/// `DE.txt.progress` beside `DE.txt`.
pub fn beside(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".progress");
    name.into()
}
