//! The pages of a whole cloud, as a browser gets them.
#![allow(clippy::unwrap_used)]

mod redrive;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageTag};
use bytes::Bytes;
use domain::catalog::Product;
use domain::delivery::{Attempt, Outcome};
use domain::discrepancy::{Discrepancy, DiscrepancyKind};
use domain::intake::{NewLine, NewOrder};
use domain::order::{Address, Contact, Order, Payment, Source};
use domain::stock::{LevelChange, Movement, MovementKind};
use domain::subscriber::Subscriber;
use domain::{Currency, OrderId};
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use serde_json::json;
use store::{Commit, Store, UnreadableDelivery};

use super::{CALLER, pages};
use crate::built_in;
use crate::client::sdk_config;
use crate::cloud::{Cloud, Options};
use crate::seed::store;
use crate::services::sqs::{MessageAttribute, Outgoing};

const HOSTILE: &str = r#"<script>alert("1")</script>'"><img src=x onerror=alert(1)>"#;

async fn start() -> (Cloud, Store) {
    let mut options = Options::new(
        include_str!("../../../template.yaml"),
        built_in::functions(),
    );
    options.http = Some(0);
    options.pages = Some(pages);
    let cloud = Cloud::start(options).await.unwrap();
    let store = store(&cloud, "test").unwrap();
    (cloud, store)
}

async fn get_as(cloud: &Cloud, host: &str, path: &str) -> (http::response::Parts, String) {
    let address = cloud.http_address().unwrap();
    let request = Request::get(format!("http://{address}{path}")).header("host", host);
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let request = request.body(Empty::new()).unwrap();
    let (head, body) = client.request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head, String::from_utf8(body.to_vec()).unwrap())
}

async fn get(cloud: &Cloud, path: &str) -> (u16, String) {
    let (head, body) = get_as(cloud, "localhost:8080", path).await;
    // The one entity that is written where none is needed.
    (head.status.as_u16(), body.replace("&#x2f;", "/"))
}

/// An order of two units of one article, paid; nobody works on it.
fn order(number: &str, name: &str, placed_at: i64) -> (Order, Contact) {
    let new = NewOrder {
        source: Source {
            channel: "shopify".into(),
            account: "main".into(),
            external_id: format!("x-{number}"),
        },
        number: number.into(),
        placed_at: Timestamp::from_second(placed_at).unwrap(),
        currency: Currency::from_code("EUR").unwrap(),
        taxes_included: true,
        reservation: None,
        lines: vec![NewLine {
            id: "1".into(),
            sku: Some("TEA-1".into()),
            title: name.into(),
            quantity: 2.into(),
            unit_price: 1_250,
            ..NewLine::default()
        }],
        lines_pointer: "/lines",
        discount: 0,
        tax: 0,
        extras: 0,
        stated_total: None,
        payments: vec![Payment::Captured(2_500)],
        paid_through: None,
        contact: Contact {
            email: Some("kim@example.com".into()),
            address: Some(Address {
                name: name.into(),
                line1: "1 Quay".into(),
                city: "Porto".into(),
                country: "PT".into(),
                ..Address::default()
            }),
            titles: vec![name.into()],
            ..Contact::default()
        },
        address_pointer: "/address",
        point: None,
        located: None,
        mailed: true,
        told: false,
        awaited: false,
        deliver_by: None,
        test: false,
        cancelled: false,
        shipped: false,
        as_of: None,
        presentment: None,
        refunds: Vec::new(),
    };
    assert_eq!(new.problems(), []);
    new.accept(&BTreeSet::from(["TEA-1".to_owned()]), Timestamp::now())
}

async fn create(store: &Store, number: &str, name: &str, placed_at: i64) -> OrderId {
    let (order, contact) = order(number, name, placed_at);
    let order = std::sync::Arc::new(order);
    store.create_order(&order, &contact).await.unwrap();
    order.id.clone()
}

#[tokio::test]
async fn what_a_customer_wrote_is_text_and_nothing_else() {
    let (cloud, store) = start().await;
    let id = create(&store, HOSTILE, HOSTILE, 1_000).await;
    for path in ["/".to_owned(), format!("/console/orders/{id}")] {
        let (status, page) = get(&cloud, &path).await;
        assert_eq!(status, 200);
        assert!(page.contains("&lt;script&gt;alert("), "{page}");
        assert!(!page.contains("<script>alert"), "{page}");
        assert!(!page.contains("<img"), "{page}");
    }
    let query: String = form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    let (_, page) = get(&cloud, &format!("/?q={query}&status={query}&after={query}")).await;
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
    cloud.stop().await;
}

#[tokio::test]
async fn an_order_tells_where_it_is_and_why() {
    let (cloud, store) = start().await;
    let id = create(&store, "1001", "Kim Quay", 1_000).await;
    let (status, page) = get(&cloud, &format!("/console/orders/{id}")).await;
    assert_eq!(status, 200);
    for text in [
        "Order 1001",
        "the step allocate-warehouse",
        "2 open",
        "25.00 EUR",
        "accepted and stored",
        "Kim Quay",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    cloud.stop().await;
}

#[tokio::test]
async fn orders_are_listed_newest_first_by_fifty_and_found_by_what_people_call_them() {
    let (cloud, store) = start().await;
    for n in 0..51 {
        create(&store, &format!("N{n:02}"), "Kim", 1_000 + n).await;
    }
    let (_, page) = get(&cloud, "/").await;
    assert!(page.find(">N50<").unwrap() < page.find(">N01<").unwrap());
    assert!(!page.contains(">N00<"));
    let older = page
        .split("href=\"")
        .find(|link| link.starts_with("/?after="));
    let older = older.unwrap().split('"').next().unwrap();
    let (_, page) = get(&cloud, older).await;
    assert!(page.contains(">N00<") && !page.contains(">N01<"));

    let id = OrderId::of("shopify", "main", "x-N07");
    for text in ["N07", "%23n07", "x-N07", &format!("{id}-R1")] {
        let (_, page) = get(&cloud, &format!("/?q={text}")).await;
        assert!(page.contains(">N07<") && !page.contains(">N08<"), "{text}");
    }
    let (_, page) = get(&cloud, "/?q=TEA-1&status=accepted").await;
    assert!(page.contains("1–50 of 51"));
    let (_, page) = get(&cloud, "/?status=held").await;
    assert!(page.contains("Show all 51"));
    cloud.stop().await;
}

#[tokio::test]
async fn only_this_machines_own_names_are_answered() {
    let (cloud, _) = start().await;
    for host in [
        "localhost",
        "LOCALHOST:8080",
        "127.0.0.1:8080",
        "[::1]:8080",
    ] {
        let (head, _) = get_as(&cloud, host, "/").await;
        assert_eq!(head.status, 200, "{host}");
        assert!(head.headers.contains_key("content-security-policy"));
    }
    for host in [
        "evil.example",
        "localhost.evil.example:8080",
        "127.0.0.1.evil.example",
        "10.0.0.7",
    ] {
        for path in [
            "/",
            "/console/mail",
            "/console/orders/x",
            "/console/anything",
        ] {
            let (head, _) = get_as(&cloud, host, path).await;
            assert_eq!(head.status, 403, "{host} {path}");
        }
        // The API has keys of its own.
        let (head, _) = get_as(&cloud, host, "/warehouses").await;
        assert_eq!(head.status, 401, "{host}");
    }
    cloud.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_kindly() {
    let (cloud, _) = start().await;
    for path in [
        "/console/orders/AAAAAAAAAAAAAAAA",
        "/console/orders/nonsense",
        "/console/mail/0",
        "/console/anything",
    ] {
        let (status, page) = get(&cloud, path).await;
        assert_eq!(status, 404, "{path}");
        assert!(page.contains("There is no such thing here") && page.contains("All orders"));
    }
    for path in [
        "/",
        "/console/mail",
        "/console/stock",
        "/console/subscribers",
        "/console/dead-letters",
    ] {
        let (status, page) = get(&cloud, path).await;
        assert_eq!(status, 200, "{path}");
        assert!(page.contains("class=\"empty\""), "{path}: {page}");
    }
    cloud.stop().await;
}

#[tokio::test]
async fn who_hears_is_shown_with_what_came_of_it() {
    let (cloud, store) = start().await;
    let subscriber = |document| serde_json::from_value::<Subscriber>(document).unwrap();
    for document in [
        json!({"id": "bi", "event_bus": true}),
        json!({"id": "erp", "url": HOSTILE, "enabled": false, "gone_at": "2026-11-23T08:30:00Z"}),
    ] {
        store.put_subscriber(&subscriber(document)).await.unwrap();
    }
    let id = create(&store, "1001", "Kim", 1_000).await;
    let attempt = |outcome, status, error: Option<&str>| Attempt {
        subscriber: "erp".into(),
        event: format!("{id}-E1"),
        at: Timestamp::now(),
        attempt: 2,
        outcome,
        status,
        error: error.map(str::to_owned),
        duration_ms: 37,
    };
    let failed = attempt(Outcome::Failed, None, Some("nobody there"));
    store.log_attempts(&id, &[failed]).await.unwrap();
    let client = aws_sdk_eventbridge::Client::new(&sdk_config(cloud.services(), "test"));
    let entry = PutEventsRequestEntry::builder()
        .source("waybill")
        .detail_type("order.accepted")
        .detail(json!({"order": HOSTILE}).to_string());
    let put = client.put_events().entries(entry.build()).send().await;
    assert_eq!(put.unwrap().failed_entry_count(), 0);
    let (status, page) = get(&cloud, "/console/subscribers").await;
    assert_eq!(status, 200, "{page}");
    for shown in [
        "bi <small>the event bus</small>",
        "It has been told nothing yet",
        "gone, ",
        "attempt 2, nobody there, 37 ms",
        &format!("/console/orders/{id}"),
        "order.accepted",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("<script>alert"), "{page}");
    cloud.stop().await;
}

#[tokio::test]
async fn the_console_counts_under_its_own_name() {
    let (cloud, _) = start().await;
    let functions = || {
        let ours = |name: &str| cloud.template().functions.contains_key(name);
        let counters = &cloud.services().counters;
        counters.total(|call| ours(&call.caller))
    };
    let before = functions();
    get(&cloud, "/").await;
    get(&cloud, "/console/stock").await;
    assert_eq!(functions(), before);
    let counters = &cloud.services().counters;
    assert!(counters.total(|call| &*call.caller == CALLER).calls > 0);
    cloud.stop().await;
}

#[tokio::test]
async fn a_mail_is_shown_in_a_frame_that_may_do_nothing() {
    let (cloud, store) = start().await;
    let id = create(&store, "1001", "Kim", 1_000).await;
    let content = |text: &str| Content::builder().data(text).build().unwrap();
    let body = Body::builder()
        .html(content(HOSTILE))
        .text(content("plain words"));
    let message = Message::builder()
        .subject(content("Your order"))
        .body(body.build());
    let tag = MessageTag::builder()
        .name("waybill-key")
        .value(format!("{id}-confirmed"));
    aws_sdk_sesv2::Client::new(&sdk_config(cloud.services(), "test"))
        .send_email()
        .from_email_address("shop@example.com")
        .destination(
            Destination::builder()
                .to_addresses("kim@example.com")
                .build(),
        )
        .content(EmailContent::builder().simple(message.build()).build())
        .email_tags(tag.build().unwrap())
        .send()
        .await
        .unwrap();
    let mail = cloud.services().ses.mails().remove(0).id;
    let (_, page) = get(&cloud, &format!("/console/mail/{mail}")).await;
    assert!(
        page.contains("<iframe sandbox srcdoc=\"&lt;script&gt;"),
        "{page}"
    );
    assert!(!page.contains("<script>alert"));
    assert!(page.contains("plain words"));
    assert!(page.contains(&format!("/console/orders/{id}")));
    for path in ["/console/mail".to_owned(), format!("/console/orders/{id}")] {
        let (_, page) = get(&cloud, &path).await;
        assert!(
            page.contains(&format!("/console/mail/{mail}")),
            "{path}: {page}"
        );
    }
    cloud.stop().await;
}

#[tokio::test]
async fn stock_is_listed_and_what_is_low_is_marked() {
    let (cloud, store) = start().await;
    let product = Product {
        sku: "TEA-1".into(),
        title: "Tea <b>".into(),
        weight_g: 250,
        length_mm: 100,
        width_mm: 100,
        height_mm: 100,
        reorder_point: Some(10.into()),
        ..Product::default()
    };
    store.put_product(&product).await.unwrap();
    for (location, quantity) in [("porto", 10), ("lagos", 11)] {
        let movement = Movement {
            kind: MovementKind::Receive,
            quantity,
            cause: "count".into(),
            at: Timestamp::now(),
        };
        let change = LevelChange {
            sku: product.sku.clone(),
            location: location.into(),
            share: 0,
            shares: 0,
            movements: vec![movement],
            kept: 0,
        };
        let commit = Commit {
            changes: vec![change],
            ..Commit::default()
        };
        store.transact(commit).await.unwrap();
    }
    let found = Discrepancy {
        id: "D1".into(),
        kind: DiscrepancyKind::Count,
        sku: product.sku.clone(),
        location: "lagos".into(),
        expected: 11,
        found: 9,
        cause: "count".into(),
        at: Timestamp::now(),
        resolved: None,
    };
    assert!(store.note_discrepancy(&found).await.unwrap());
    let (_, page) = get(&cloud, "/console/stock").await;
    assert!(page.contains("Tea &lt;b&gt;"));
    assert!(page.contains("9 counted where 11 were expected"));
    assert_eq!(page.matches("class=\"is-low\"").count(), 1);
    assert!(page.contains("1 at or under the reorder point"));
    cloud.stop().await;
}

#[tokio::test]
async fn what_was_given_up_on_is_shown_and_left_where_it_is() {
    let (cloud, store) = start().await;
    let sqs = &cloud.services().sqs;
    let queue = sqs.queue("waybill-ship-order-dead-letters").unwrap();
    let text = |value: &str| MessageAttribute {
        data_type: "String".into(),
        string_value: Some(value.into()),
        binary_value: None,
    };
    let attributes = BTreeMap::from([
        ("step".to_owned(), text("ship-order")),
        ("reason".to_owned(), text("no <tariff>")),
        ("attempt".to_owned(), text("3")),
    ]);
    let outgoing = Outgoing {
        body: r#"{"order":"AD4OVS4KRET6JAPB"}"#.into(),
        attributes,
        ..Outgoing::default()
    };
    sqs.send(&queue, outgoing).unwrap();
    let delivery = UnreadableDelivery {
        channel: "shopify",
        account: "main",
        topic: "orders/create",
        reason: "a quantity is missing",
        body: b"{\"hostile\": \"<script>\"}",
    };
    store
        .keep_unreadable(delivery, Timestamp::now())
        .await
        .unwrap();
    for _ in 0..2 {
        let (_, page) = get(&cloud, "/console/dead-letters").await;
        for text in [
            "no &lt;tariff&gt;",
            "attempt 3",
            "/console/orders/AD4OVS4KRET6JAPB",
            "shopify/main",
            "a quantity is missing",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("\"<script>\""));
    }
    assert_eq!(queue.depth().visible, 1);
    let (_, page) = get(&cloud, "/").await;
    assert!(page.contains("1 delivery could not be understood"));
    cloud.stop().await;
}
