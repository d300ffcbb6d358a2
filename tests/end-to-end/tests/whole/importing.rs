//! Orders from a file, with `infra/import-orders` as its user calls it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::OrderId;
use end_to_end::Shop;
use local::seed::DEMO_KEY;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(60);
const HEADER: &str =
    "order,currency,sku,quantity,unit_price,total,payment_status,name,line1,city,country\n";

/// A folder that is gone with its owner.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let place = format!("waybill-importing-{name}-{}", std::process::id());
        let place = std::env::temp_dir().join(place);
        std::fs::create_dir_all(&place).unwrap();
        Self(place)
    }

    pub(crate) fn file(&self, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.0.join("orders.csv");
        std::fs::write(&file, content).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// The exit code of the command, and what it prints.
pub(crate) async fn import(shop: &Shop, file: &Path, options: &[&str]) -> (i32, String) {
    let command = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/import-orders");
    let url = format!("http://{}", shop.cloud.http_address().unwrap());
    let mut command = {
        let mut python = std::process::Command::new("python3");
        python.arg(command).arg(file).args(options);
        python.env("WAYBILL_URL", url).env("WAYBILL_KEY", DEMO_KEY);
        python.stdin(std::process::Stdio::null());
        python
    };
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    let ended = tokio::time::timeout(PATIENCE, ended)
        .await
        .unwrap()
        .unwrap();
    let text = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
    (ended.status.code().unwrap(), text)
}

/// Of each row of the results: its place, the order, what became of it, the column and the detail.
pub(crate) fn results(file: &Path, suffix: &str) -> Vec<[String; 5]> {
    let results = format!("{}{suffix}", file.display());
    let text = std::fs::read_to_string(results).unwrap();
    let rows = text.lines().skip(1).map(|row| {
        // Of a detail with a comma the beginning will do.
        let cells: Vec<&str> = row.split(',').collect();
        [0, 1, 2, 4, 5].map(|n| cells[n].trim_matches('"').to_owned())
    });
    rows.collect()
}

pub(crate) async fn status(shop: &Shop, order: &str) -> u16 {
    let id = OrderId::of("api", "default", order);
    shop.get_as(DEMO_KEY, &format!("/orders/{id}")).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_is_looked_at_and_then_taken_in_once() {
    let (shop, folder) = (Shop::open().await, Folder::new("sample"));
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/orders.csv");
    let file = folder.file(std::fs::read(sample).unwrap());
    let (code, text) = import(&shop, &file, &["--dry-run"]).await;
    assert!(
        code == 0 && text.contains("3 to be taken in"),
        "{code} {text}"
    );
    assert_eq!(status(&shop, "sheet-1").await, 404, "nothing is stored");
    for told in ["3 taken in", "3 taken in before"] {
        let (code, text) = import(&shop, &file, &[]).await;
        assert!(code == 0 && text.contains(told), "{code} {text}");
    }
    let taken = results(&file, ".results.csv");
    let rows = taken.iter().map(|row| (row[0].as_str(), row[1].as_str()));
    let rows: Vec<_> = rows.collect();
    let expected = [
        ("2", "sheet-1"),
        ("3", "sheet-1"),
        ("4", "sheet-2"),
        ("5", "sheet-3"),
    ];
    assert_eq!(rows, expected);
    assert!(taken.iter().all(|row| row[2] == "taken in"), "{taken:?}");
    shop.settle().await;
    let id = OrderId::of("api", "default", "sheet-1");
    let order = shop.order(id.as_str()).await;
    assert_eq!(
        (&order["total"], &order["holds"], &order["placed_at"]),
        (&json!("149.70"), &json!([]), &json!("2026-11-24T09:30:00Z"))
    );
    assert_eq!(order["lines"].as_array().unwrap().len(), 2);
    let (_, text) = import(&shop, &file, &["--dry-run"]).await;
    assert!(text.contains("3 known"), "{text}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_by_row_and_column_and_the_rest_is_taken_in() {
    let (shop, folder) = (Shop::open().await, Folder::new("wrong"));
    let good = "EUR,GRD-HAND-40,1,89.00,89.00,paid,Mira,Street 1,Berlin,DE\n";
    let rows = format!(
        "{HEADER}good,{good}short,EUR\nfew,EUR,GRD-HAND-40,-1,89.00,,paid,Mira,Street 1,Berlin,DE\n\
         two,{good}two,USD,GRD-HAND-40,1,1.00,,,,,,\nhöhe,{good}held,EUR,NO-SUCH,1,89.00,89.00,paid,Mira,Street 1,Berlin,DE\n\
         last,{good}"
    );
    let mut rows = rows.into_bytes();
    rows.extend(b"latin,EUR,GRD-HAND-40,1,89.00,89.00,paid,M\xfcller,Street 1,Berlin,DE\n");
    rows.extend(b"M\xfcller,EUR,GRD-HAND-40,1,89.00,89.00,paid,Mira,Street 1,Berlin,DE\n");
    let file = folder.file(rows);
    let (code, text) = import(&shop, &file, &["--dry-run"]).await;
    assert!(code == 1 && text.contains("6 refused"), "{code} {text}");
    let looked = results(&file, ".dry-run.csv");
    let told = |place: &str| {
        let row = looked.iter().find(|row| row[0] == place).unwrap();
        (row[2].clone(), row[3].clone(), row[4].clone())
    };
    let is = |(result, column, detail): (String, String, String), expected: [&str; 3]| {
        let right = result == expected[0] && column == expected[1] && detail.contains(expected[2]);
        assert!(right, "{result} {column} {detail}: {expected:?}");
    };
    is(told("2"), ["to be taken in", "", ""]);
    is(told("3"), ["refused", "", "as many cells as the first row"]);
    is(told("4"), ["refused", "quantity", "quantity: expected"]);
    is(told("5"), ["refused", "", ""]);
    is(
        told("6"),
        ["refused", "currency", "expected 'EUR' or nothing"],
    );
    is(told("7"), ["refused", "order", "what the order is called"]);
    is(told("8"), ["to be held", "", "unknown-sku"]);
    is(told("9"), ["to be taken in", "", ""]);
    is(told("10"), ["refused", "name", "expected UTF-8"]);
    is(
        told("11"),
        ["refused", "order; order", "what the order is called"],
    );
    let (code, text) = import(&shop, &file, &[]).await;
    let right = text.contains("1 held, 6 refused, 2 taken in");
    assert!(code == 1 && right, "{code} {text}");
    let held = results(&file, ".results.csv");
    let held = held.iter().find(|row| row[2] == "held").unwrap();
    assert!(held[4].contains("unknown-sku"), "{held:?}");
    // The mended ones are taken in, the others are not sent again.
    let mended = format!("{HEADER}good,{good}few,{good}last,{good}");
    let file = folder.file(mended);
    let (code, text) = import(&shop, &file, &[]).await;
    let right = text.contains("1 taken in,") && text.contains("2 taken in before");
    assert!(code == 0 && right, "{code} {text}");
    // What was taken in is not changed by a file.
    let other = format!("{HEADER}good,{}", good.replace("Street 1", "Street 2"));
    let file = folder.file(other);
    let (code, text) = import(&shop, &file, &[]).await;
    assert!(code == 1 && text.contains("1 refused"), "{code} {text}");
    let refused = results(&file, ".results.csv");
    let refused = refused.iter().find(|row| row[2] == "refused").unwrap();
    assert!(
        refused[4].contains("used for another document"),
        "{refused:?}"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_broken_off_goes_on() {
    let (shop, folder) = (Shop::open().await, Folder::new("broken"));
    let row =
        |n: usize| format!("row-{n};EUR;GRD-HAND-40;1;89.00;89.00;paid;Mira;Street 1;Berlin;DE\n");
    let rows: String = (0..40).map(row).collect();
    let header = HEADER.replace(',', ";");
    let file = folder.file(format!("\u{feff}{header}{rows}"));
    // The results of a run that was killed while it wrote the fourth.
    let (code, text) = import(&shop, &file, &[]).await;
    assert!(code == 0 && text.contains("40 taken in"), "{code} {text}");
    let results = format!("{}.results.csv", file.display());
    let whole = std::fs::read_to_string(&results).unwrap();
    let cut: usize = whole.lines().take(4).map(|line| line.len() + 2).sum();
    std::fs::write(&results, &whole[..cut + 30]).unwrap();
    let (code, text) = import(&shop, &file, &[]).await;
    let right = text.contains("37 taken in,") && text.contains("3 taken in before");
    assert!(code == 0 && right, "{code} {text}");
    assert_eq!(std::fs::read_to_string(&results).unwrap(), whole);
    // A stray quote would swallow all that follows.
    let file = folder.file(format!("{header}{}row-98;\"EUR\"x;G\n", row(97)));
    let (code, text) = import(&shop, &file, &[]).await;
    assert!(code == 2 && text.contains("row 3"), "{code} {text}");
    let file = folder.file("order,curency\n");
    let (code, text) = import(&shop, &file, &[]).await;
    let right =
        text.contains("no column 'curency' is known") && text.contains("no column 'currency'");
    assert!(code == 2 && right, "{code} {text}");
    shop.close().await;
}
