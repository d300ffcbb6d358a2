//! The binary as a user meets it on the command line.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Lines};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use local::http_client::HttpClient;
use serde_json::Value;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(120);
/// Ports that are free, whichever they are.
const FREE: [&str; 4] = ["--http", "0", "--aws", "0"];

fn waybill(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waybill"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs it to its end, which has to come.
fn run(arguments: &[&str]) -> Output {
    let mut command = waybill(arguments);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{arguments:?} does not end: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// A start that has to fail: the one line that says why.
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
    assert_eq!(output.stdout, b"", "{arguments:?}");
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 1, "{arguments:?}: {errors}");
    assert!(lines[0].starts_with("waybill: "), "{errors}");
    lines[0].to_owned()
}

/// A directory of its own, gone with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("waybill-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn a_busy_port_is_one_line_and_code_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for arguments in [
        ["--http", &port, "--aws", "0"],
        ["--http", "0", "--aws", &port],
    ] {
        let line = refused(&arguments);
        assert!(line.contains(&port) && line.contains("in use"), "{line}");
    }
}

#[test]
fn a_data_directory_that_is_none_is_one_line_and_code_2() {
    let directory = Directory::new("data");
    let file = directory.file("a-file", "no directory");
    let spoiled = Directory::new("spoiled");
    spoiled.file("dynamodb.sqlite", &"no database at all ".repeat(500));
    let blocked = Directory::new("blocked");
    std::fs::create_dir(blocked.0.join("dynamodb.sqlite")).unwrap();
    let beneath = format!("{file}/beneath");
    for data in [
        &file,
        &beneath,
        spoiled.0.to_str().unwrap(),
        blocked.0.to_str().unwrap(),
    ] {
        let line = refused(&[&FREE[..], &["--data", data]].concat());
        assert!(line.contains(data), "{line}");
    }
}

#[test]
fn a_template_that_cannot_be_run_is_one_line_and_code_2() {
    let directory = Directory::new("template");
    let ours = include_str!("../../template.yaml");
    let renamed = ours.replace("target/lambda/ship-order", "target/lambda/send-order");
    let missing = directory.0.join("nowhere.yaml");
    let broken = [
        (missing.to_str().unwrap().to_owned(), "nowhere.yaml"),
        (directory.0.to_str().unwrap().to_owned(), "template"),
        (directory.file("empty.yaml", ""), "template"),
        (directory.file("text.yaml", "just words"), "template"),
        (
            directory.file("yaml.yaml", "Resources:\n  A: {Type: [\n  B: 1\n"),
            "template",
        ),
        (directory.file("half.yaml", &ours[..ours.len() / 2]), ""),
        (
            directory.file("shape.yaml", "Resources: [1, 2]"),
            "template",
        ),
        (
            directory.file("cycle.yaml", &ours.replace("Ref: MailFrom", "Ref: Nobody")),
            "Nobody",
        ),
        (directory.file("other.yaml", &renamed), "-order is in the"),
    ];
    for (file, named) in broken {
        let line = refused(&[&FREE[..], &["--template", &file]].concat());
        assert!(line.contains(named), "{file}: {line}");
    }
}

#[test]
fn accounts_and_keys_of_another_form_are_one_line_and_code_2() {
    for wrong in [
        "shopify",
        "shopify=secret",
        "shopify/eu",
        "shopify/eu=",
        "/eu=secret",
    ] {
        let line = refused(&[&FREE[..], &["--account", wrong]].concat());
        assert!(line.contains("CHANNEL/NAME=SECRET"), "{line}");
    }
    for wrong in ["operator", "operator=", "=key"] {
        let line = refused(&[&FREE[..], &["--key", wrong]].concat());
        assert!(line.contains("ROLE=KEY"), "{line}");
    }
    for role in [
        "king",
        "warehouse",
        "warehouse:",
        "reader:hamburg",
        "Operator",
    ] {
        let line = refused(&[&FREE[..], &["--key", &format!("{role}=key")]].concat());
        assert!(
            line.contains("operator, reader or warehouse:LOCATION"),
            "{line}"
        );
    }
    let line = refused(&["--http", "70000"]);
    assert!(line.contains("70000"), "{line}");
}

#[test]
fn once_ends_with_code_0_and_a_summary_on_the_last_line() {
    let output = run(&[&FREE[..], &["--once", "--json"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{errors}");
    assert_eq!(errors, "");
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["ok"], true);
    let orders = last["orders"].as_array().unwrap();
    let count = |status: &str| {
        orders
            .iter()
            .filter(|order| order["status"] == status)
            .count()
    };
    assert!(orders.len() >= 10, "{last}");
    assert_eq!(last["by_measure"], 1, "{last}");
    for status in ["delivered", "returned", "cancelled", "backordered", "held"] {
        assert!(count(status) > 0, "no order is {status}: {last}");
    }
    let calls = &last["aws_calls"];
    let by_operation = calls["by_operation"].as_object().unwrap();
    let sum: u64 = by_operation
        .values()
        .map(|calls| calls.as_u64().unwrap())
        .sum();
    assert_eq!(calls["total"].as_u64(), Some(sum));
    assert!(sum > 0);
    // Each order's way was told as it happened.
    for order in orders {
        let number = format!("#{}", order["number"].as_str().unwrap());
        assert!(
            text.lines()
                .any(|l| l.contains(&number) && l.ends_with("accepted and stored"))
        );
    }
}

/// A running cloud, and what it prints.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut command = waybill(&[&FREE[..], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that has a text in it.
    fn line_with(&mut self, text: &str) -> String {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        lines
            .find(|line| line.contains(text))
            .unwrap_or_else(|| panic!("it never said {text:?}"))
    }

    /// A client of its HTTP API.
    fn client(&mut self) -> HttpClient {
        let line = self.line_with("http://");
        let address = line.split("http://").nth(1).unwrap().trim_end_matches('/');
        HttpClient::new(address.parse().unwrap())
    }

    /// Sends the signal of Ctrl-C; the code that it ends with.
    fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", "INT", &id]).status();
        assert!(sent.unwrap().success());
        // Somebody has to read what it still says.
        self.lines.by_ref().for_each(drop);
        self.child.wait().unwrap().code()
    }
}

#[tokio::test]
async fn what_the_command_line_adds_opens_the_api_and_ctrl_c_ends_it() {
    let mut running = Running::start(&[
        "--no-demo",
        "--account",
        "shopify/eu=a=b",
        "--key",
        "reader=read=me",
        "--key",
        "warehouse:newark=pick",
    ]);
    let http = running.client();
    running.line_with("Ctrl-C");
    let get = async |path: &str, key: &str| {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        http.send(http::Method::GET, path, &headers, "")
            .await
            .unwrap()
            .0
    };
    assert_eq!(get("/warehouses", "read=me").await, 200);
    assert_eq!(get("/warehouses", "pick").await, 403);
    assert_eq!(get("/warehouses", "nobody").await, 401);
    assert_eq!(get("/", "").await, 200, "the console");
    let body = "{}";
    let mut mac = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(b"a=b").unwrap();
    hmac::Mac::update(&mut mac, body.as_bytes());
    let signature = data_encoding::BASE64.encode(&hmac::Mac::finalize(mac).into_bytes());
    let headers = [("x-shopify-hmac-sha256", signature.as_str())];
    let (status, answer) = http
        .send(http::Method::POST, "/webhooks/shopify/eu", &headers, body)
        .await
        .unwrap();
    assert_eq!(
        (status, &answer["status"]),
        (200, &Value::from("kept")),
        "{answer}"
    );
    assert_eq!(running.interrupt(), Some(0));
}

#[test]
fn ctrl_c_in_the_middle_of_the_demo_ends_it_cleanly() {
    let mut running = Running::start(&[]);
    running.line_with("accepted and stored");
    assert_eq!(running.interrupt(), Some(0));
}

#[test]
fn what_was_kept_in_a_directory_is_there_at_the_next_start() {
    let directory = Directory::new("kept");
    let data = directory.0.join("made/for/it");
    let data = data.to_str().unwrap();
    for start in ["first", "second"] {
        let output = run(&[&FREE[..], &["--once", "--json", "--data", data]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{start}: {text}");
        let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        // The orders of the demo have the same names every time: the second finds them finished.
        assert_eq!(last["ok"], true, "{start}: {last}");
        assert_eq!(last["mails"] == 0, start == "second", "{start}: {last}");
    }
}
