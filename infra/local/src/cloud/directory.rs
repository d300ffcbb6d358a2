//! The directory that tables are kept in: one cloud's own, and written to.

use std::fs::{File, TryLockError, create_dir_all};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Error, Result, anyhow};

use crate::services::Services;

/// Services that keep their tables in a directory, and what keeps others out of it until dropped. Two clouds on the
/// same tables would each have queues of their own and know nothing of each other's work.
pub(super) fn open(directory: &Path) -> Result<(Arc<Services>, File)> {
    let shown = directory.display();
    let refused = |why: &dyn std::fmt::Display| -> Error {
        anyhow!(
            "cannot keep data in {shown}: {why}; --data takes a directory that may be written to"
        )
    };
    create_dir_all(directory).map_err(|error| refused(&error))?;
    let lock = File::create(directory.join("lock")).map_err(|error| refused(&error))?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => {
            anyhow!("cannot keep data in {shown}: another waybill does; end it, or name another")
        }
        TryLockError::Error(error) => refused(&error),
    })?;
    let services = Services::in_directory(directory);
    let services = services.map_err(|failure| refused(&failure.message()))?;
    Ok((services, lock))
}
