//! Purchase orders of X12 interchanges, with `infra/import-orders` as its user calls it.

use domain::OrderId;
use end_to_end::Shop;
use serde_json::json;

use crate::importing::{Folder, import, results, status};

const DRY: &str = "--dry-run";
const HEAD: &str = "ISA*00*          *00*          *ZZ*FERNANDCO      *ZZ*BRINDLEWICK    *261124*1630*U*00401*000000117*0*P*>~\n";
const GROUP: &str = "GS*PO*FERNANDCO*BRINDLEWICK*20261124*1630*117*X*004010~\n";
const LINE: &str = "PO1*1*1*EA*89.00*PE*VN*GRD-HAND-40~\n";
const TO: &str = "CUR*BY*USD~\nN1*ST*Owen~\nN3*71 Alder Lane~\nN4*Portland*OR*97205*US~\n";

/// A transaction set of these segments, with the right count.
fn set(number: &str, segments: &str) -> String {
    let count = segments.lines().count() + 2;
    format!("ST*850*{number}~\n{segments}SE*{count}*{number}~\n")
}

fn order(number: &str, purchase: &str) -> String {
    set(
        number,
        &format!("BEG*00*SA*{purchase}**20261124~\n{TO}{LINE}CTT*1~\n"),
    )
}

/// An interchange of one group of these sets.
fn interchange(sets: &[String]) -> String {
    let count = sets.iter().filter(|set| set.contains("ST*")).count();
    format!(
        "{HEAD}{GROUP}{}GE*{count}*117~\nIEA*1*000000117~\n",
        sets.concat()
    )
}

/// What the results say of an order, its rows one after the other: the result, the column and the detail.
fn told(looked: &[[String; 5]], name: &str) -> Vec<[String; 3]> {
    let of = looked.iter().filter(|row| row[1] == name);
    of.map(|row| [row[2].clone(), row[3].clone(), row[4].clone()])
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_is_looked_at_and_then_taken_in_once() {
    let (shop, folder) = (Shop::open().await, Folder::new("edi"));
    let sample = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../events/purchase-orders.edi"
    );
    let file = folder.file(std::fs::read(sample).unwrap());
    let (code, text) = import(&shop, &file, &[DRY]).await;
    assert!(
        code == 0 && text.contains("2 to be taken in"),
        "{code} {text}"
    );
    assert_eq!(
        status(&shop, "FERNANDCO/4500018841").await,
        404,
        "nothing is stored"
    );
    for told in ["2 taken in", "2 taken in before"] {
        let (code, text) = import(&shop, &file, &[]).await;
        assert!(code == 0 && text.contains(told), "{code} {text}");
    }
    let taken = results(&file, ".results.csv");
    let rows = taken.iter().map(|row| (row[0].as_str(), row[1].as_str()));
    let rows: Vec<_> = rows.collect();
    assert_eq!(
        rows,
        [
            ("3", "FERNANDCO/4500018841"),
            ("22", "FERNANDCO/4500018842")
        ]
    );
    // What the order has no place for is told.
    assert_eq!(taken[0][4], "let pass: REF*DP");
    shop.settle().await;
    let id = OrderId::of("api", "default", "FERNANDCO/4500018841");
    let order = shop.order(id.as_str()).await;
    assert_eq!(
        (&order["total"], &order["number"], &order["holds"]),
        (&json!("720.50"), &json!("4500018841"), &json!([]))
    );
    assert_eq!(order["placed_at"], "2026-11-24T00:00:00Z");
    assert_eq!(order["lines"][1]["discount"], "5.00", "{order}");
    // The same again with other control numbers is known; another of the same number is not taken in.
    let text = std::fs::read_to_string(sample).unwrap();
    let again = text.replace("000000117", "000000118");
    let file = folder.file(&again);
    let (_, told) = import(&shop, &file, &[DRY]).await;
    assert!(told.contains("2 known"), "{told}");
    let file = folder.file(
        again
            .replace("PO1*1*12*", "PO1*1*2*")
            .replace("*14~", "*4~"),
    );
    let (code, told) = import(&shop, &file, &[]).await;
    assert!(code == 1 && told.contains("1 refused"), "{code} {told}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_names_its_segment_and_element_and_keeps_no_other_set_from_being_taken_in() {
    let (shop, folder) = (Shop::open().await, Folder::new("edi-wrong"));
    let beg = |purchase: &str| format!("BEG*00*SA*{purchase}**20261124~\n");
    let of = |purchase: &str, rest: &str| format!("{}{TO}{rest}", beg(purchase));
    let sets = [
        order("0001", "good"),
        set("0002", &of("price", "PO1*1*1*EA*8,90*PE*VN*GRD-HAND-40~\n")),
        set(
            "0003",
            &of("cents", "PO1*1*1*EA*8.905*PE*VN*GRD-HAND-40~\n"),
        ),
        set(
            "0004",
            &of("cases", "PO1*1*1*CA*8.90*HP*UP*012345678905~\n"),
        ),
        set("0005", &of("parts", &format!("{LINE}SDQ*EA*92*0001*1~\n"))),
        set("0006", &of("sum", &format!("{LINE}CTT*2*7~\n"))),
        order("0007", "short").replace("SE*9", "SE*8"),
        order("0007", "twice"),
        set("0009", "BEG*04*BK*change**20261124~\n"),
        set("0010", &of("day", LINE).replace("20261124", "24.11.")),
        set(
            "0011",
            &of("freight", &format!("SAC*C*B840***1.00~\n{LINE}")),
        ),
        set("0012", &of("none", "")),
        set("0013", &format!("{}{LINE}", beg("bare"))),
        set(
            "0014",
            &of("two", &format!("N1*ST*Ida~\nN3*3 Elm Road~\n{LINE}")),
        ),
        set(
            "0015",
            &of("nowhere", LINE).replace("N3*71 Alder Lane~\n", ""),
        )
        .replace("SE*8", "SE*7"),
        order("0016", "last"),
    ];
    let bad_money = folder.file(interchange(&sets));
    let (code, text) = import(&shop, &bad_money, &[DRY]).await;
    assert!(
        code == 1 && text.contains("2 to be taken in") && text.contains("14 refused"),
        "{code} {text}"
    );
    let looked = results(&bad_money, ".dry-run.csv");
    let is = |name: &str, expected: &[(&str, &str)]| {
        let told = told(&looked, &format!("FERNANDCO/{name}"));
        let said = |(column, detail): &(&str, &str)| {
            told.iter()
                .any(|row| row[0] == "refused" && row[1] == *column && row[2].contains(detail))
        };
        assert!(
            !told.is_empty() && expected.iter().all(said),
            "{name}: {told:?}"
        );
    };
    for name in ["good", "last"] {
        assert_eq!(
            told(&looked, &format!("FERNANDCO/{name}"))[0][0],
            "to be taken in"
        );
    }
    is("price", &[("PO104", "PO104: expected a decimal number")]);
    is(
        "cents",
        &[(
            "PO104",
            "PO104: expected a decimal amount in USD with at most 2",
        )],
    );
    is(
        "cases",
        &[(
            "PO103; PO105; PO106",
            "PO103: expected a unit of what is sold here (EA",
        )],
    );
    is("parts", &[("SDQ", "SDQ: is not read")]);
    is("sum", &[("CTT01; CTT02", "CTT01: expected 1 lines")]);
    is("short", &[("SE01", "SE01: expected 9 segments")]);
    is(
        "twice",
        &[(
            "ST02",
            "ST02: expected a number of its own within the group",
        )],
    );
    is(
        "change",
        &[(
            "BEG01; BEG02",
            "BEG01: expected 00 (original) or 07 (duplicate)",
        )],
    );
    is("day", &[("BEG05", "BEG05: expected a date like 20261130")]);
    is(
        "freight",
        &[("SAC02", "SAC02: expected a charge of the way")],
    );
    is("none", &[("ST", "ST: expected a line (PO1)")]);
    is("bare", &[("ST", "ST: expected the currency (CUR)")]);
    // At the edges of what is taken: a number's characters, and a name's.
    let priced = |zeros: usize, purchase: &str| {
        let price = format!("89.{}", "0".repeat(zeros));
        order("1", purchase).replace("89.00", &price)
    };
    let (most, over) = ("a".repeat(118), "b".repeat(119));
    for (set, taken) in [
        (priced(17, "digits"), true),
        (priced(18, "digits"), false),
        (order("1", &most), true),
        (order("1", &over), false),
    ] {
        let file = folder.file(interchange(&[set]));
        let (code, text) = import(&shop, &file, &[DRY]).await;
        assert_eq!(code == 0, taken, "{text}");
    }
    is(
        "two",
        &[("N1", "N1: expected one address for the whole order")],
    );
    is("nowhere", &[("", "/shipping_address/line1: is missing")]);
    // Its address has no country, its item no number of ours: that is agreed on, and no fault.
    let agreed = set(
        "1",
        &format!(
            "{}N1*ST*Owen~\nN3*71 Alder Lane~\nN4*Portland*OR*97205~\nPO1*1*1*CA*89**IN*GRD-HAND-40~\n",
            beg("agreed")
        ),
    );
    let file = folder.file(interchange(&[agreed]));
    let options = [
        DRY,
        "--currency",
        "USD",
        "--country",
        "US",
        "--units",
        "EA,CA",
        "--sku",
        "VN,IN",
    ];
    let (code, text) = import(&shop, &file, &options).await;
    assert!(
        code == 0 && text.contains("1 to be taken in"),
        "{code} {text}"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_an_interchange_is_told_and_what_is_whole_is_taken_in() {
    let (shop, folder) = (Shop::open().await, Folder::new("edi-envelope"));
    let looked = async |content: &str, expected: &str| {
        let file = folder.file(content);
        let (code, text) = import(&shop, &file, &[DRY]).await;
        assert!(text.contains(expected), "{code} {text}");
        (code, results(&file, ".dry-run.csv"))
    };
    let whole = interchange(&[order("0001", "one"), order("0002", "two")]);
    // Other separators, everything on one line, an empty segment, two interchanges, of which one is a test, and no end of the last segment.
    let test = whole
        .replace("*0*P*>", "*0*T*>")
        .replace('*', "|")
        .replace("~\n", "'")
        .replace("'GE", "''GE");
    let both = format!("{whole}{}", test.trim_end_matches('\''));
    let (code, rows) = looked(&both, "2 to be taken in").await;
    assert_eq!((code, rows.len()), (0, 4));
    let held = rows
        .iter()
        .filter(|row| row[2] == "to be held" && row[4].contains("test"));
    assert_eq!(held.count(), 2, "{rows:?}");
    // Broken off in the middle of the second.
    let cut = &whole[..whole.rfind("N4*").unwrap() + 10];
    let (code, rows) = looked(cut, "1 to be taken in").await;
    let columns: Vec<_> = rows
        .iter()
        .map(|row| (row[1].as_str(), row[3].as_str()))
        .collect();
    assert_eq!(
        (code, columns),
        (
            1,
            vec![
                ("FERNANDCO/one", ""),
                ("FERNANDCO/two", "ST"),
                ("FERNANDCO/two", "N4"),
                ("", "N4"),
                ("", "N4"),
            ]
        )
    );
    // Counts and numbers that do not agree, and another kind of document between orders.
    let odd = whole
        .replace("GE*2*117", "GE*3*118")
        .replace("IEA*1*000000117", "IEA*2*000000119");
    let odd = odd.replace("ST*850*0002", "ST*860*0002");
    let (code, rows) = looked(&odd, "1 to be taken in").await;
    let columns: Vec<_> = rows.iter().map(|row| row[3].as_str()).collect();
    assert_eq!(
        (code, columns),
        (1, vec!["", "ST01", "GE01", "GE02", "IEA01", "IEA02"])
    );
    // What cannot be told apart.
    let file = folder.file("ISA*00*too short~");
    let (code, text) = import(&shop, &file, &[DRY]).await;
    assert!(
        code == 2 && text.contains("segment 1: expected an ISA segment of 106 bytes"),
        "{code} {text}"
    );
    for (bytes, expected) in [(16 * 1024 - 1, 1), (16 * 1024, 2)] {
        let note = format!("MSG*{}", "x".repeat(bytes - 4));
        let long = whole.replacen("CTT*1~\nSE*9", &format!("{note}~\nCTT*1~\nSE*10"), 1);
        let file = folder.file(long);
        let (code, text) = import(&shop, &file, &[DRY]).await;
        let right = match expected {
            1 => code == 0 && text.contains("2 to be taken in"),
            _ => code == 2 && text.contains("expected the end of a segment after 16384 bytes"),
        };
        assert!(right, "{bytes}: {code} {text}");
    }
    shop.close().await;
}
