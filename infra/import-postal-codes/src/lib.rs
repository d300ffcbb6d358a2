//! Imports GeoNames postal code files into the table of places.
//!
//! A file is read row by row and never held as a whole. Of several rows with one code the last one
//! stands, so that an import that is done again, from anywhere, ends with the same table.

mod progress;
mod row;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use domain::limits::{MAX_BATCH_WRITES, MAX_POSTAL_ROW_BYTES};
use futures::future::try_join_all;
use store::{PostalCode, Store, StoreError};

pub use progress::{Import, Progress, beside};
pub use row::Broken;

/// Batches that are written at once. A new table takes 4,000 writes a second; eight batches of 25,
/// each of some 10 ms, are more than that.
const BATCHES_AT_ONCE: usize = 8;
/// How often a batch is tried while the database is busy, and how long it waits before the second
/// time: twice as long before each further one, 51 s in all.
const TRIES: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Who is told how it goes.
pub trait Watch {
    /// So much is stored.
    fn came(&mut self, progress: &Progress);
    /// A line, from 1, is not imported; the others are.
    fn broken(&mut self, line: u64, why: &Broken);
}

/// Imports a file, from where an earlier import of it was broken off. `table` names the table and
/// where it is, for that alone. What cannot be stored ends it with an error; what was stored until
/// then is not done again.
pub async fn import(
    store: &Store,
    table: &str,
    file: &Path,
    watch: &mut dyn Watch,
) -> Result<Progress> {
    let name = || file.display().to_string();
    let mut progress = Progress::load(file, table).with_context(name)?;
    let mut reader = BufReader::new(File::open(file).with_context(name)?);
    reader
        .seek(SeekFrom::Start(progress.bytes))
        .with_context(name)?;
    let mut asked_for = BTreeSet::new();
    watch.came(&progress);
    loop {
        let mut codes = BTreeMap::new();
        let before = progress.lines;
        for _ in 0..BATCHES_AT_ONCE * MAX_BATCH_WRITES {
            let Some((row, bytes)) = next_row(&mut reader).with_context(name)? else {
                break;
            };
            progress.lines += 1;
            progress.bytes += bytes;
            match row::read(&row) {
                Ok(code) => {
                    progress.imported += 1;
                    codes.insert((code.country.clone(), code.area.clone()), code);
                }
                Err(why) => {
                    progress.broken += 1;
                    watch.broken(progress.lines, &why);
                }
            }
        }
        if progress.lines == before {
            Progress::forget(file)?;
            return Ok(progress);
        }
        let codes: Vec<PostalCode> = codes.into_values().collect();
        try_join_all(
            codes
                .chunks(MAX_BATCH_WRITES)
                .map(|batch| put(store, batch)),
        )
        .await?;
        let countries = codes.iter().map(|code| code.country.clone());
        let new: BTreeSet<String> = countries.filter(|c| !asked_for.contains(c)).collect();
        if !new.is_empty() {
            store.add_postal_countries(&new).await?;
            asked_for.extend(new);
        }
        progress.save(file)?;
        watch.came(&progress);
    }
}

/// The next row without its line break, and the bytes that it takes in the file. Of a row that is too
/// long there is one byte more than there may be.
fn next_row(reader: &mut impl BufRead) -> std::io::Result<Option<(Vec<u8>, u64)>> {
    // The row, a line break of two bytes, and one more.
    let most = MAX_POSTAL_ROW_BYTES + 3;
    let mut row = Vec::new();
    let mut bytes = reader
        .by_ref()
        .take(most as u64)
        .read_until(b'\n', &mut row)? as u64;
    if bytes == 0 {
        return Ok(None);
    }
    if row.ends_with(b"\n") {
        row.pop();
        if row.ends_with(b"\r") {
            row.pop();
        }
    } else if row.len() == most {
        bytes += reader.skip_until(b'\n')? as u64;
    }
    Ok(Some((row, bytes)))
}

/// Stores a batch, as soon as the database has the capacity for it.
async fn put(store: &Store, batch: &[PostalCode]) -> Result<()> {
    let mut left = batch.to_vec();
    let mut pause = FIRST_PAUSE;
    let mut why = String::from("it has no capacity");
    for n in 0..TRIES {
        if n > 0 {
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        match store.put_postal_codes(&left).await {
            Ok(unwritten) if unwritten.is_empty() => return Ok(()),
            Ok(unwritten) => left = unwritten,
            Err(error @ StoreError::Transient { .. }) => why = error.to_string(),
            Err(error) => return Err(error.into()),
        }
    }
    bail!(
        "the database does not take what is to be stored ({why}); run this again, and it goes on from here"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_end_where_lines_do() {
        let long = "x".repeat(2 * MAX_POSTAL_ROW_BYTES);
        let edge = "y".repeat(MAX_POSTAL_ROW_BYTES);
        let text = format!("a\r\n\n{long}\n{edge}\r\n{edge}z");
        let mut reader = text.as_bytes();
        let mut rows = Vec::new();
        let mut total = 0;
        while let Some((row, bytes)) = next_row(&mut reader).unwrap() {
            rows.push(row.len());
            total += bytes;
        }
        let most = MAX_POSTAL_ROW_BYTES;
        assert_eq!(rows, [1, 0, most + 3, most, most + 1]);
        assert_eq!(total, text.len() as u64);
    }
}
