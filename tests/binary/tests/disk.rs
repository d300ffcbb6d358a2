//! A directory that cannot be written to, and a disk that fills up.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Command;

use binary::{Client, Directory, PATIENCE, Request, Tables, Waybill};
use serde_json::json;

/// A start that has to fail: the one line that says why.
fn refused(waybill: Waybill) -> String {
    let (status, errors) = waybill.end();
    assert_eq!(status.code(), Some(2), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(
        errors.starts_with("waybill: cannot keep data in "),
        "{errors}"
    );
    errors
}

/// Nobody may write there, not even root.
#[test]
fn a_directory_that_cannot_be_written_to_is_one_line_and_code_2() {
    for directory in ["/proc", "/proc/self", "/proc/waybill/data"] {
        let line = refused(Waybill::start(&["--data", directory]));
        assert!(
            line.contains(directory) && line.contains("--data"),
            "{line}"
        );
    }
}

#[test]
fn a_directory_that_another_process_keeps_is_one_line_and_code_2() {
    let directory = Directory::new("taken");
    let first = Waybill::start(&["--data", directory.path()]);
    first.ready();
    let line = refused(Waybill::start(&["--data", directory.path()]));
    assert!(line.contains("another waybill"), "{line}");
    first.kill();
    Waybill::start(&["--data", directory.path()]).ready();
}

/// A file system that is mounted for reading only; needs the right to mount one, which a user has in a namespace of
/// its own unless the machine forbids it.
#[test]
fn a_file_system_for_reading_only_is_one_line_and_code_2() {
    if !can_mount() {
        return;
    }
    let directory = Directory::new("read-only");
    let script = format!(
        "mount -t tmpfs -o ro none {} && exec \"$@\"",
        directory.path()
    );
    let waybill = Waybill::start_by(&NAMESPACE, &script, &["--data", directory.path()]);
    let line = refused(waybill);
    assert!(line.contains("Read-only file system"), "{line}");
}

#[test]
fn a_disk_without_room_for_a_start_is_one_line_and_code_2() {
    let directory = Directory::new("tiny");
    let line = refused(start_limited(&directory, 400));
    assert!(line.contains(directory.path()), "{line}");
}

/// Files that may not grow any further, as a disk that is full: works everywhere, and is undone while it runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_files_can_grow_again_all_goes_on() {
    let directory = Directory::new("limited");
    let waybill = start_limited(&directory, 6000);
    let filled = fill(&waybill).await;
    let process = waybill.id().to_string();
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &process, "--fsize=unlimited:unlimited"]);
    assert!(prlimit.status().unwrap().success());
    go_on(&waybill, filled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_with_room_takes_up_what_was_answered_on_a_full_disk() {
    let directory = Directory::new("moved");
    let waybill = start_limited(&directory, 6000);
    let filled = fill(&waybill).await;
    waybill.kill();
    let waybill = Waybill::start(&["--data", directory.path()]);
    go_on(&waybill, filled).await;
}

/// A disk that is full, in earnest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_there_is_room_on_a_full_disk_again_all_goes_on() {
    if !can_mount() {
        return;
    }
    let directory = Directory::new("full");
    let (ballast, data) = (directory.join("ballast"), directory.join("data"));
    let script = format!(
        "mount -t tmpfs -o size=8m none {} && head -c 4M /dev/zero > {ballast} && exec \"$@\"",
        directory.path()
    );
    let waybill = Waybill::start_by(&NAMESPACE, &script, &["--data", &data]);
    let filled = fill(&waybill).await;
    std::fs::remove_file(format!("/proc/{}/root{ballast}", waybill.id())).unwrap();
    go_on(&waybill, filled).await;
}

/// A binary whose files may have so many blocks of 512 bytes. The signal that comes with that limit is ignored: a full
/// disk sends none.
fn start_limited(directory: &Directory, blocks: u32) -> Waybill {
    let script = format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$@\"");
    Waybill::start_by(&[], &script, &["--data", directory.path()])
}

const NAMESPACE: [&str; 4] = ["unshare", "--user", "--map-root-user", "--mount"];

/// Whether a file system can be mounted here. Where it cannot, a test says so and proves nothing.
fn can_mount() -> bool {
    let directory = Directory::new("mount");
    let script = format!("mount -t tmpfs none {}", directory.path());
    let mut command = Command::new(NAMESPACE[0]);
    let tried = command
        .args(&NAMESPACE[1..])
        .args(["sh", "-c", &script])
        .output();
    let can = tried.as_ref().is_ok_and(|tried| tried.status.success());
    assert!(
        can || std::env::var_os("CI").is_none(),
        "CI has to be able to mount: {tried:?}"
    );
    if !can {
        // Past what catches the output of tests that pass.
        let line = format!("SKIPPED: no file system can be mounted here: {tried:?}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    can
}

/// What was sent while the disk filled up.
struct Filled {
    /// The ids of the orders that were answered with success.
    taken: BTreeSet<String>,
    /// The orders that were not.
    refused: Vec<Request>,
}

/// Sends orders until the disk is full, and some more.
async fn fill(waybill: &Waybill) -> Filled {
    let mut client = Client::at(waybill.ready().0);
    let document = end_to_end::document(&[("KTL-COPPER-12", 1)]);
    let (mut taken, mut refused) = (BTreeSet::new(), Vec::new());
    for n in 0.. {
        let order = Request::order(&format!("order-{n}"), &document);
        let answer = client.try_send(&order).await;
        let (status, answer) = answer.unwrap_or_else(|| panic!("no answer: {}", waybill.errors()));
        if status == 201 {
            taken.insert(answer["id"].as_str().unwrap().to_owned());
        } else {
            let unavailable = (503, &json!("urn:waybill:problem:unavailable"));
            assert_eq!((status, &answer["type"]), unavailable, "{answer}");
            refused.push(order);
        }
        if refused.len() == 4 {
            break;
        }
        assert!(n < 5000, "the disk does not fill up");
    }
    // What is there can still be read.
    let id = taken.first().unwrap();
    let read = client
        .try_send(&Request::get(format!("/orders/{id}")))
        .await;
    assert_eq!(read.unwrap().0, 200);
    Filled { taken, refused }
}

/// Sends again what was refused: everything that was taken is there, nothing else, and all comes to rest.
async fn go_on(waybill: &Waybill, filled: Filled) {
    let (http, aws) = waybill.ready();
    let mut client = Client::at(http);
    let mut taken = filled.taken;
    for order in &filled.refused {
        let receipt = client.ask(order).await;
        taken.insert(receipt["id"].as_str().unwrap().to_owned());
    }
    let tables = Tables::at(aws).await;
    let stories = tables.rest_but_for_claims(PATIENCE).await;
    tables.audit(&stories).await;
    let found: BTreeSet<String> = stories.iter().map(|s| s.order.id.to_string()).collect();
    assert_eq!(found, taken);
    assert!(
        !waybill.errors().contains("panicked"),
        "{}",
        waybill.errors()
    );
}
