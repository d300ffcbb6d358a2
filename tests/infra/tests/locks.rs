//! The fuzz targets are a workspace of their own, with a lock file of its own, that is built locked: a
//! package of ours that has got another dependency would stop their build, where nobody has looked.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Dependencies = BTreeMap<String, BTreeSet<String>>;

/// The packages of a lock file that come from no registry, each with the names of what it depends on.
fn locked(lock: &str) -> Dependencies {
    let ours = lock
        .split("[[package]]")
        .filter(|p| !p.contains("source = "));
    let named = ours.filter_map(|package| {
        let name = package.split_once("name = \"")?.1.split('"').next()?;
        let list = package.split_once("dependencies = [").map_or("", |d| d.1);
        // With its version where the file has several of the name.
        let names = list.split('"').skip(1).step_by(2);
        let names = names
            .filter_map(|one| one.split(' ').next())
            .map(str::to_owned);
        Some((name.to_owned(), names.collect()))
    });
    named.collect()
}

/// The same of our manifests, tests apart.
fn wanted(root: &Path) -> Dependencies {
    let mut wanted = Dependencies::new();
    for folder in ["shared", "functions", "infra", "tests"] {
        for package in std::fs::read_dir(root.join(folder)).unwrap() {
            let manifest = package.unwrap().path().join("Cargo.toml");
            let Ok(manifest) = std::fs::read_to_string(manifest) else {
                continue;
            };
            let name = manifest
                .split_once("name = \"")
                .unwrap()
                .1
                .split('"')
                .next();
            let list = manifest.split_once("[dependencies]").map_or("", |d| d.1);
            let list = list.lines().take_while(|line| !line.starts_with('['));
            let list = list.filter_map(|line| line.split(['.', ' ', '=']).next());
            let list = list.filter(|name| !name.is_empty() && !name.starts_with('#'));
            wanted.insert(name.unwrap().to_owned(), list.map(str::to_owned).collect());
        }
    }
    wanted
}

#[test]
fn the_lock_file_of_the_fuzz_targets_knows_our_packages_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let wanted = wanted(&root);
    let locked = locked(include_str!("../../fuzz/Cargo.lock"));
    let remedy =
        "run `cargo metadata --manifest-path tests/fuzz/Cargo.toml`, and commit its lock file";
    assert!(locked.len() > 20, "only {locked:?}");
    for (name, dependencies) in &locked {
        assert_eq!(wanted.get(name), Some(dependencies), "{name}: {remedy}");
    }
}
