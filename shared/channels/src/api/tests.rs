use domain::limits::MAX_PROBLEMS;
use domain::order::HoldReason;

use super::*;

const MINIMAL: &str =
    r#"{"currency":"EUR","lines":[{"sku":"A","quantity":1,"unit_price":"2.50"}]}"#;

fn now() -> Timestamp {
    "2026-03-01T08:00:00Z".parse().unwrap()
}

fn read(body: &str) -> Result<NewOrder, Unreadable> {
    parse(body.as_bytes(), "main", "key-1", now())
}

/// The problems of a document, each as `pointer: detail`.
fn problems(body: &str) -> Vec<String> {
    match read(body) {
        Err(Unreadable::Problems(problems)) => {
            assert!(!problems.is_empty());
            let shown = |p: Problem| format!("{}: {}", p.pointer, p.detail);
            problems.into_iter().map(shown).collect()
        }
        other => panic!("expected problems, found {other:?}"),
    }
}

/// The only problem of the minimal document with a text in it replaced.
fn problem(from: &str, to: &str) -> String {
    assert!(MINIMAL.contains(from));
    let problems = problems(&MINIMAL.replace(from, to));
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.into_iter().next().unwrap()
}

fn line_with(fields: &str) -> String {
    format!(r#"{{"currency":"EUR","lines":[{{{fields}}}]}}"#)
}

#[test]
fn a_minimal_document_gets_its_defaults() {
    let order = read(MINIMAL).unwrap();
    assert_eq!(order.source.channel, "api");
    assert_eq!(order.source.external_id, "key-1");
    assert_eq!(order.number, "key-1");
    assert_eq!(order.placed_at, now());
    assert!(order.taxes_included && order.mailed && !order.test && !order.cancelled);
    assert_eq!(order.lines[0].id, "1");
    assert!(!order.lines[0].intangible);
    assert!(order.payments.is_empty(), "pending");
    assert_eq!(order.contact.titles, [""]);
}

#[test]
fn a_full_document_is_read_whole() {
    let order = read(
        r#"{"number":"W-1","placed_at":"2026-02-28T23:30:00+01:00","currency":"USD",
        "taxes_included":false,
        "lines":[{"id":"a","sku":"MUG","title":"Mug","quantity":3,"unit_price":19.90,"discount":"5.00","tax":"4.38"},
                 {"id":2,"sku":4006381333931,"quantity":1,"unit_price":"10","requires_shipping":false}],
        "discount":"1.00","shipping":"4.90","tax":"0.40","total":"73.38",
        "payment":{"status":"authorised"},
        "customer":{"name":"Ada Example","email":"ada@example.com","phone":"+1 555 0100"},
        "shipping_address":{"line1":"1 Main St","city":"Springfield","region":"IL",
          "postal_code":"62701","country":"US","latitude":39.8,"longitude":-89.65},
        "deliver_by":"2026-03-10","test":true}"#,
    )
    .unwrap();
    assert_eq!(order.placed_at.to_string(), "2026-02-28T22:30:00Z");
    assert_eq!(order.lines[0].unit_price, 1990);
    assert_eq!(order.lines[1].id, "2");
    assert_eq!(order.lines[1].sku.as_deref(), Some("4006381333931"));
    assert!(order.lines[1].intangible && order.test);
    assert_eq!(order.payments, [Payment::Authorised(7338)]);
    let address = order.contact.address.as_ref().unwrap();
    assert_eq!(
        address.name, "Ada Example",
        "the customer's, without another"
    );
    assert_eq!(order.point, Some((39.8, -89.65)));
    assert_eq!(order.contact.titles, ["Mug", ""]);
    let (order, _) = order.accept(&["MUG".to_owned()].into(), now());
    assert_eq!(order.total(), 7338);
    let reasons: Vec<_> = order.holds.iter().map(|hold| &hold.reason).collect();
    assert_eq!(reasons, [&HoldReason::Test]);
}

#[test]
fn a_payment_is_of_the_total_unless_it_says_otherwise() {
    let paid = |extra: &str| {
        let body = MINIMAL.replacen('{', &format!("{{{extra},"), 1);
        read(&body).unwrap().payments
    };
    let status = r#""payment":{"status":"paid"}"#;
    assert_eq!(paid(status), [Payment::Captured(250)], "computed");
    let stated = format!(r#""total":"2.00",{status}"#);
    assert_eq!(paid(&stated), [Payment::Captured(200)], "stated");
    let on_top =
        format!(r#""taxes_included":false,"tax":0.2,"shipping":1,"discount":"0.5",{status}"#);
    assert_eq!(paid(&on_top), [Payment::Captured(320)]);
    let part = r#""payment":{"status":"paid","amount":"1.00"}"#;
    assert_eq!(paid(part), [Payment::Captured(100)]);
    assert_eq!(paid(r#""payment":{"status":"pending"}"#), []);
    let body = MINIMAL.replacen('{', r#"{"payment":{"status":"maybe"},"#, 1);
    let found = problems(&body);
    assert_eq!(
        found,
        [r#"/payment/status: expected paid, authorised or pending, found "maybe""#]
    );
}

#[test]
fn a_payment_at_a_provider_is_named_whole() {
    let body = |payment: &str| MINIMAL.replacen('{', &format!(r#"{{"payment":{payment},"#), 1);
    for status in ["paid", "authorised", "pending"] {
        let payment = format!(
            r#"{{"status":"{status}","provider":"stripe","account":"main","reference":"pi_1"}}"#
        );
        let order = read(&body(&payment)).unwrap();
        let through = order.paid_through.unwrap();
        assert_eq!(through.provider, Provider::Stripe);
        assert_eq!((&*through.account, &*through.reference), ("main", "pi_1"));
    }
    let named =
        body(r#"{"status":"paid","provider":"stripe","account":"main","reference":"pi_1"}"#);
    let named = named.replacen('{', r#"{"id":"1","placed_at":"2026-03-01T08:00:00Z","#, 1);
    let order = parse_named(named.as_bytes(), "generic", "main").unwrap();
    assert!(order.paid_through.is_some(), "the generic channel's too");
    assert_eq!(read(MINIMAL).unwrap().paid_through, None);
    for (payment, expected) in [
        (
            r#"{"status":"paid","provider":"stripe"}"#,
            vec![
                "/payment/account: is missing",
                "/payment/reference: is missing",
            ],
        ),
        (
            r#"{"status":"paid","reference":"pi_1"}"#,
            vec![
                "/payment/provider: is missing",
                "/payment/account: is missing",
            ],
        ),
        (
            r#"{"status":"paid","provider":"bank","account":"main","reference":"pi_1"}"#,
            vec![r#"/payment/provider: expected stripe, found "bank""#],
        ),
        (
            r#"{"status":"paid","provider":"stripe","account":7,"reference":"pi_1"}"#,
            vec!["/payment/account: expected a text, found 7"],
        ),
        (
            r#"{"status":"paid","provider":"stripe","account":"a/b","reference":"pi_1"}"#,
            vec!["/payment/account: expected 1 to 128 letters, digits, '-', '_' or '.'"],
        ),
        (
            r#"{"status":"paid","provider":"stripe","account":"main","reference":"ch_1"}"#,
            vec![
                "/payment/reference: expected \"pi_\" and letters, digits, '-', '_' or '.', 255 characters at most",
            ],
        ),
    ] {
        assert_eq!(problems(&body(payment)), expected, "{payment}");
    }
}

#[test]
fn a_total_that_differs_is_a_hold_and_no_error() {
    let body = MINIMAL.replacen('{', r#"{"total":"2.51","payment":{"status":"paid"},"#, 1);
    let (order, _) = read(&body).unwrap().accept(&["A".to_owned()].into(), now());
    let difference = HoldReason::Totals {
        stated: 251,
        computed: 250,
    };
    assert!(order.holds.iter().any(|hold| hold.reason == difference));
}

#[test]
fn impossible_quantities_are_told_at_their_place() {
    for (quantity, detail) in [
        ("-1", "expected 1 to 100000, found -1"),
        ("0", "expected 1 to 100000, found 0"),
        ("100001", "expected 1 to 100000, found 100001"),
        (
            "1e3",
            "expected a decimal number of at most 3 decimals, found 1e3",
        ),
        ("-0.5", "expected 0.1 to 10000, found -0.5"),
        (
            "1.0005",
            "expected a decimal number of at most 3 decimals, found 1.0005",
        ),
        (
            "1e309",
            "expected a decimal number of at most 3 decimals, found 1e309",
        ),
        (
            "\"two\"",
            "expected a decimal number of at most 3 decimals, found \"two\"",
        ),
        ("\"0.0\"", "expected 1 to 100000, found 0"),
        (
            "true",
            "expected a decimal number of at most 3 decimals, found true",
        ),
        ("null", "is missing"),
        (
            "99999999999999999999",
            "expected a decimal number of at most 3 decimals, found 99999999999999999999",
        ),
        (
            "9223372036854775807",
            "expected 1 to 100000, found 9223372036854775807",
        ),
        (
            "-9223372036854775808",
            "expected 1 to 100000, found -9223372036854775808",
        ),
    ] {
        let found = problem("\"quantity\":1", &format!("\"quantity\":{quantity}"));
        assert_eq!(found, format!("/lines/0/quantity: {detail}"));
    }
}

#[test]
fn sums_of_excessive_lines_do_not_overflow() {
    let line = r#"{"quantity":100000,"unit_price":"10000000000"}"#;
    let lines = vec![line; 500].join(",");
    let found = problems(&format!(
        r#"{{"currency":"EUR","discount":1,"lines":[{lines}]}}"#
    ));
    let expected = "/lines/98: expected quantity times price to be at most 10000000000.00 EUR";
    assert_eq!(found[98..], [expected, ": and 401 more"]);
}

#[test]
fn amounts_are_exact_or_refused_at_their_place() {
    for (price, detail) in [
        (
            "\"2.505\"",
            "expected a decimal amount in EUR with at most 2 decimal places, found \"2.505\"",
        ),
        (
            "2.505",
            "expected a decimal amount in EUR with at most 2 decimal places, found \"2.505\"",
        ),
        (
            "1e309",
            "expected a decimal amount in EUR with at most 2 decimal places, found \"1e309\"",
        ),
        (
            "\"1,50\"",
            "expected a decimal amount in EUR with at most 2 decimal places, found \"1,50\"",
        ),
        (
            "\"\"",
            "expected a decimal amount in EUR with at most 2 decimal places, found \"\"",
        ),
        (
            "-0.01",
            "expected an amount that is not negative, found -0.01",
        ),
        ("[]", "expected a decimal amount, found a list"),
        ("true", "expected a decimal amount, found true"),
        (
            "10000000000.01",
            "expected at most 10000000000.00, found 10000000000.01",
        ),
    ] {
        let found = problem("\"2.50\"", price);
        assert_eq!(found, format!("/lines/0/unit_price: {detail}"));
    }
    let long = format!("0.{}", "1".repeat(100));
    let found = problem("\"2.50\"", &long);
    assert_eq!(
        found,
        "/lines/0/unit_price: expected a decimal amount, found a number of 102 characters"
    );
}

#[test]
fn minor_units_are_those_of_the_currency() {
    let price = |currency: &str, price: &str| {
        let body = MINIMAL.replace("EUR", currency).replace("\"2.50\"", price);
        read(&body).map(|order| order.lines[0].unit_price)
    };
    assert_eq!(price("JPY", "1200"), Ok(1200));
    assert_eq!(price("JPY", "\"1200.00\""), Ok(1200));
    assert!(price("JPY", "\"1200.5\"").is_err());
    assert_eq!(price("KWD", "\"1.234\""), Ok(1234));
    assert_eq!(price("KWD", "0.1"), Ok(100));
    assert!(price("KWD", "\"1.2345\"").is_err());
}

#[test]
fn unknown_currencies_are_told() {
    for currency in ["ZZZ", "eur", "", "XAU"] {
        let found = problem("EUR", currency);
        assert_eq!(
            found,
            format!("/currency: expected an ISO 4217 currency code, found \"{currency}\"")
        );
    }
}

#[test]
fn a_document_has_1_to_500_lines() {
    let lines = |n: usize| {
        let lines = vec![r#"{"quantity":1,"unit_price":1}"#; n].join(",");
        format!(r#"{{"currency":"EUR","lines":[{lines}]}}"#)
    };
    assert_eq!(
        problems(&lines(0)),
        ["/lines: expected 1 to 500 lines, found 0"]
    );
    assert_eq!(
        problems(&lines(501)),
        ["/lines: expected 1 to 500 lines, found 501"]
    );
    assert_eq!(read(&lines(500)).unwrap().lines.len(), 500);
    let many = problems(&lines(1_000_000));
    assert_eq!(many, ["/lines: expected 1 to 500 lines, found 1000000"]);
}

#[test]
fn names_have_their_limits() {
    let sku = "s".repeat(10_240);
    let found = problem("\"A\"", &format!("\"{sku}\""));
    assert_eq!(
        found,
        "/lines/0/sku: expected 1 to 64 characters, found 10240"
    );
    let twice = line_with(r#""id":"2","quantity":1,"unit_price":1},{"quantity":1,"unit_price":1"#);
    assert_eq!(
        problems(&twice),
        ["/lines/1/id: expected a different id for each line, found \"2\" twice"]
    );
    for key in ["", &"k".repeat(129)] {
        let found = parse(MINIMAL.as_bytes(), "main", key, now()).unwrap_err();
        assert_eq!(
            found.to_string(),
            "expected an Idempotency-Key of 1 to 128 characters"
        );
    }
}

#[test]
fn integers_above_2_to_the_53_have_to_be_text() {
    let id = |id: &str| format!("\"quantity\":1,\"id\":{id}");
    let body = |value: &str| MINIMAL.replace("\"quantity\":1", &id(value));
    let read_id = |value: &str| read(&body(value)).unwrap().lines[0].id.clone();
    assert_eq!(read_id("9007199254740992"), "9007199254740992");
    assert_eq!(read_id("\"820982911946154508\""), "820982911946154508");
    for above in [
        "9007199254740993",
        "820982911946154508",
        "99999999999999999999999",
    ] {
        let found = problem("\"quantity\":1", &id(above));
        let expected = format!(
            "/lines/0/id: expected a text, since integers above 9007199254740992 are rounded on their way: send it in quotes, found {above}"
        );
        assert_eq!(found, expected);
    }
    let number = MINIMAL.replacen('{', r#"{"number":9007199254740993,"#, 1);
    assert!(problems(&number)[0].starts_with("/number: expected a text"));
    let number = MINIMAL.replacen('{', r#"{"number":1.5,"#, 1);
    assert_eq!(problems(&number), ["/number: expected a text, found 1.5"]);
}

#[test]
fn every_problem_is_told_at_once() {
    let found = problems(
        r#"{"curency":"EUR","currency":"EUR","taxes_included":"yes",
        "lines":[{"quantity":0,"unit_price":"1"},7,{"qty":1,"unit_price":"x"}],
        "placed_at":"yesterday","deliver_by":"soon",
        "customer":{"email":"nobody","phone":5},
        "shipping_address":{"name":"A","line1":"1","city":"B","country":"DEU","latitude":91,"longitude":0}}"#,
    );
    let pointers: Vec<&str> = found
        .iter()
        .map(|p| p.split(": ").next().unwrap())
        .collect();
    let expected = [
        "/placed_at",
        "/taxes_included",
        "/lines/1",
        "/lines/2/quantity",
        "/lines/2/unit_price",
        "/lines/2/qty",
        "/customer/email",
        "/customer/phone",
        "/shipping_address/latitude",
        "/deliver_by",
        "/curency",
        "/lines/0/quantity",
        "/shipping_address/country",
    ];
    assert_eq!(pointers, expected, "{found:?}");
    assert!(!found.iter().any(|problem| problem.contains("nobody")));
}

#[test]
fn of_more_problems_than_anybody_reads_the_first_are_told() {
    let with_unknown = |count: usize| {
        let fields: String = (0..count).map(|n| format!(r#""x{n:03}":1,"#)).collect();
        problems(&MINIMAL.replacen('{', &format!("{{{fields}"), 1))
    };
    let all = with_unknown(MAX_PROBLEMS);
    assert_eq!(all.len(), MAX_PROBLEMS);
    assert_eq!(all[99], "/x099: is not a field of this document");
    let more = with_unknown(MAX_PROBLEMS + 1);
    assert_eq!(more[..99], all[..99]);
    assert_eq!(more[99..], [": and 2 more"]);
}

#[test]
fn missing_fields_are_told() {
    assert_eq!(
        problems("{}"),
        ["/currency: is missing", "/lines: is missing"]
    );
    let found = problems(&line_with(""));
    assert_eq!(
        found,
        [
            "/lines/0/quantity: is missing",
            "/lines/0/unit_price: is missing"
        ]
    );
    let body = MINIMAL.replacen(
        '{',
        r#"{"shipping_address":{"latitude":1},"payment":{},"#,
        1,
    );
    let expected = [
        "/payment/status: is missing",
        "/shipping_address/latitude: expected latitude and longitude together, found 1",
        "/shipping_address/name: is missing",
        "/shipping_address/line1: is missing",
        "/shipping_address/city: is missing",
        "/shipping_address/country: is missing",
    ];
    assert_eq!(problems(&body), expected);
}

#[test]
fn a_key_given_twice_is_told() {
    let found = problem("\"quantity\":1", "\"quantity\":1,\"quantity\":2");
    assert_eq!(found, "/lines/0/quantity: expected once, found twice");
    let body = MINIMAL.replacen('{', r#"{"a/b~c":1,"currency":"EUR","#, 1);
    let expected = [
        "/currency: expected once, found twice",
        "/a~1b~0c: is not a field of this document",
    ];
    assert_eq!(problems(&body), expected);
}

#[test]
fn other_shapes_are_told() {
    assert_eq!(problems("[]"), [": expected an object, found a list"]);
    assert_eq!(problems("null"), [": expected an object, found null"]);
    let lines = problem(r#"[{"sku":"A","quantity":1,"unit_price":"2.50"}]"#, "{}");
    assert_eq!(lines, "/lines: expected a list, found an object");
    let surrogate = problem("\"A\"", r#""\ud800""#);
    assert!(surrogate.starts_with("/lines/0/sku: "), "{surrogate}");
}

#[test]
fn unreadable_json_is_told_with_its_position() {
    let syntax = |body: &[u8]| match parse(body, "main", "key-1", now()) {
        Err(Unreadable::Syntax {
            line,
            column,
            detail,
        }) => (line, column, detail),
        other => panic!("expected a syntax error, found {other:?}"),
    };
    assert_eq!(
        syntax(b"{\n  \"currency\": EUR\n}"),
        (2, 15, "expected value".into())
    );
    assert_eq!(syntax(b""), (1, 0, "EOF while parsing a value".into()));
    assert_eq!(syntax(b"{} {}"), (1, 4, "trailing characters".into()));
    assert_eq!(
        syntax(b"{\n\"a\": \"\xff\"}"),
        (2, 7, "expected UTF-8".into())
    );
    let nested = "[".repeat(100_000);
    assert_eq!(syntax(nested.as_bytes()).0, 1, "no overflow of the stack");
}

#[test]
fn depth_is_no_danger() {
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(problems(&nested), [": expected an object, found a list"]);
    let found = problem("\"A\"", &nested);
    assert_eq!(found, "/lines/0/sku: expected a text, found a list");
}
