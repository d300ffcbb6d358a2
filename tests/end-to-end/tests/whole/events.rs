//! Other systems hear of what happens to orders: signed, in sequence, again if they do not take it, and of nobody whom
//! they may not know.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::Duration;

use channels::Secret;
use domain::OrderId;
use domain::delivery::{Delivery, SCHEDULE_S};
use domain::limits::{MAX_THANKS_BYTES, MAX_THANKS_S};
use domain::replay::Replay;
use end_to_end::{PATIENCE, Shop, document};
use http::Method;
use jiff::Timestamp;
use local::seed::{DEMO_KEY, set_signing_secrets};
use serde_json::{Value, json};
use wiremock::matchers::{path, path_regex};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const NEWER: &str = "whsec_bmV3ZXItc2VjcmV0";
const OLDER: &str = "whsec_b2xkZXItc2VjcmV0";
/// What nobody hears who may not know who bought.
const PERSONAL: [&str; 5] = ["Ada Quist", "ada.quist", "Oderberger", "5550 0199", "10435"];

/// Asks as the operator.
async fn ask(shop: &Shop, method: Method, path: &str, body: Value) -> (u16, Value) {
    let bearer = format!("Bearer {DEMO_KEY}");
    let headers = [("authorization", bearer.as_str())];
    shop.send(method, path, &headers, body.to_string()).await
}

/// Enters a subscriber that listens at a path of its name, with more said of it.
async fn subscribe(shop: &Shop, listener: &MockServer, id: &str, more: Value) {
    let mut wish = json!({"url": format!("{}/{id}", listener.uri())});
    let members = more.as_object().unwrap().clone();
    wish.as_object_mut().unwrap().extend(members);
    let path = format!("/subscribers/{id}");
    let (status, answer) = ask(shop, Method::PUT, &path, wish).await;
    assert_eq!(status, 200, "{answer}");
    set_signing_secrets(&shop.cloud, id, &[NEWER, OLDER]);
}

async fn answers(listener: &MockServer, id: &str, answer: ResponseTemplate) {
    let mock = Mock::given(path(format!("/{id}"))).respond_with(answer);
    mock.mount(listener).await;
}

/// What a subscriber was sent so far.
async fn heard(listener: &MockServer, id: &str) -> Vec<Request> {
    let all = listener.received_requests().await.unwrap();
    let of = |request: &Request| request.url.path() == format!("/{id}");
    all.into_iter().filter(of).collect()
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    let value = request.headers.get(name);
    value.and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// A subscriber's log, the newest first, once there are so many entries.
async fn log(shop: &Shop, id: &str, entries: usize) -> Vec<Value> {
    let wait = async {
        loop {
            let log = shop.get(&format!("/subscribers/{id}/deliveries")).await;
            let log = log["deliveries"].as_array().unwrap().clone();
            if log.len() >= entries {
                return log;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap()
}

#[tokio::test]
async fn everything_is_heard_in_sequence_signed_and_of_nobody_who_is_not_to_be_known() {
    let shop = Shop::open().await;
    let listener = MockServer::start().await;
    let before = shop.place("before", &document(&[("GRD-HAND-40", 1)])).await;
    assert_eq!(shop.stored(&before).await.published, None, "nobody listens");
    // Another process accepts: this one believes for a minute that nobody listens.
    shop.close().await;
    let shop = Shop::open().await;
    for id in ["erp", "crm", "some"] {
        answers(&listener, id, ResponseTemplate::new(204)).await;
    }
    subscribe(&shop, &listener, "erp", json!({})).await;
    subscribe(&shop, &listener, "crm", json!({"personal_data": true})).await;
    let types = json!({"types": ["order.accepted", "order.cancelled"]});
    subscribe(&shop, &listener, "some", types).await;
    let id = shop.place("order", &document(&[("GRD-HAND-40", 2)])).await;
    // What people write may tell of a person.
    let why = json!({"reason": "Ada Quist wrote from ada.quist@example.com"}).to_string();
    shop.post(&format!("/orders/{id}/cancel"), "", why).await;
    let told = shop.get(&format!("/orders/{id}/events")).await;
    let told = told["events"].as_array().unwrap();
    assert!(told.len() > 3, "{told:?}");
    for name in ["erp", "crm", "some"] {
        let heard = heard(&listener, name).await;
        let mut seen = BTreeSet::new();
        let first = heard
            .iter()
            .filter(|request| seen.insert(header(request, "webhook-id").to_owned()));
        let first: Vec<&Request> = first.collect();
        let wanted = told.iter().filter(|event| {
            name != "some"
                || ["order.accepted", "order.cancelled"].contains(&event["type"].as_str().unwrap())
        });
        let wanted: Vec<&Value> = wanted.collect();
        assert_eq!(first.len(), wanted.len(), "{name}");
        for (request, event) in first.iter().zip(wanted) {
            assert_eq!(header(request, "webhook-id"), event["id"], "{name}");
            let body = body(request);
            assert_eq!(
                (&body["type"], &body["timestamp"]),
                (&event["type"], &event["at"])
            );
            let data = &body["data"];
            assert_eq!(data["order"], id.as_str());
            assert_eq!(
                (&data["sequence"], &data["number"]),
                (&event["sequence"], &json!("order"))
            );
            assert_eq!(
                (&data["channel"], &data["external_id"]),
                (&json!("api"), &json!("order"))
            );
            let text = String::from_utf8(request.body.clone()).unwrap();
            if name == "crm" {
                assert_eq!(&data["event"], event, "as the API tells it");
                assert_eq!(data["customer"]["email"], "ada.quist@example.com");
                assert_eq!(data["customer"]["address"]["city"], "Berlin");
            } else {
                assert!(data.get("customer").is_none());
                for personal in PERSONAL {
                    assert!(
                        !text.contains(personal),
                        "{name} is told {personal}: {text}"
                    );
                }
            }
            for secret in [NEWER, OLDER] {
                assert!(is_signed(request, secret), "{text}");
            }
            assert!(!is_signed(request, "whsec_b3RoZXI="));
        }
    }
    assert_eq!(shop.stored(&id).await.published, Some(told.len() as u64));
    shop.close().await;
}

/// Whether our own reader of Standard Webhooks would take it.
/// Through EventBridge: the same events, under the same ids, and nothing is signed.
#[tokio::test]
async fn events_are_put_on_the_event_bus() {
    let shop = Shop::open().await;
    for (wish, pointer) in [
        (json!({}), "/url"),
        (
            json!({"url": "https://erp.example/", "event_bus": true}),
            "/url",
        ),
        (json!({"event_bus": "waybill"}), "/event_bus"),
    ] {
        let (status, answer) = ask(&shop, Method::PUT, "/subscribers/bi", wish).await;
        assert_eq!(status, 422, "{answer}");
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{answer}");
    }
    let types = ["order.accepted", "order.cancelled"];
    let wish = json!({"event_bus": true, "types": types});
    let (status, answer) = ask(&shop, Method::PUT, "/subscribers/bi", wish).await;
    assert_eq!((status, &answer["secret"]), (200, &Value::Null), "{answer}");
    let id = shop.place("order", &document(&[("GRD-HAND-40", 2)])).await;
    let why = json!({"reason": "Ada Quist wrote from ada.quist@example.com"}).to_string();
    shop.post(&format!("/orders/{id}/cancel"), "", why).await;
    let log = log(&shop, "bi", 2).await;
    assert!(
        log.iter().all(|attempt| attempt["outcome"] == "delivered"),
        "{log:?}"
    );
    let events = shop.cloud.services().events.events();
    let kinds: Vec<&str> = events.iter().map(|event| &*event.detail_type).collect();
    assert_eq!(kinds, types);
    let told = shop.get(&format!("/orders/{id}/events")).await;
    for event in &events {
        assert_eq!((&*event.bus, &*event.source), ("waybill", "waybill"));
        assert_eq!(event.detail["order"], id.as_str());
        let mut told = told["events"].as_array().unwrap().iter();
        let same = told.find(|told| told["id"] == event.detail["event"]["id"]);
        let same = same.unwrap();
        assert_eq!(
            (&same["type"], &same["at"]),
            (&json!(event.detail_type), &json!(event.time))
        );
        let text = event.detail.to_string();
        assert!(
            PERSONAL.iter().all(|personal| !text.contains(personal)),
            "{text}"
        );
    }
}

fn is_signed(request: &Request, secret: &str) -> bool {
    let delivery = channels::Delivery {
        method: "POST",
        url: "",
        headers: &|name: &str| {
            let value = request.headers.get(name)?;
            value.to_str().ok()
        },
        query: &|_| None,
        raw_body: &request.body,
    };
    let reader = channels::by_name("generic").unwrap();
    reader.verify(&delivery, &[Secret::read(secret)], Timestamp::now())
}

#[tokio::test]
async fn what_is_not_taken_is_told_again_and_who_is_gone_is_left_alone() {
    let shop = Shop::open().await;
    let listener = MockServer::start().await;
    let accepted = json!({"types": ["order.accepted"]});
    let once = |status: u16| {
        let mock = Mock::given(path("/busy")).respond_with(ResponseTemplate::new(status));
        mock.up_to_n_times(1)
    };
    once(500).mount(&listener).await;
    answers(&listener, "busy", ResponseTemplate::new(200)).await;
    answers(&listener, "gone", ResponseTemplate::new(410)).await;
    answers(&listener, "well", ResponseTemplate::new(202)).await;
    for id in ["busy", "gone", "well"] {
        subscribe(&shop, &listener, id, accepted.clone()).await;
    }
    let id = shop.place("order", &document(&[("GRD-HAND-40", 1)])).await;
    // One that does not take it does not keep it from others.
    assert_eq!(log(&shop, "well", 1).await[0]["outcome"], "delivered");
    let log_of_gone = log(&shop, "gone", 1).await;
    assert_eq!(
        (&log_of_gone[0]["outcome"], &log_of_gone[0]["status"]),
        (&json!("gone"), &json!(410))
    );
    let gone = shop.get("/subscribers/gone").await;
    assert_eq!(gone["enabled"], false);
    assert!(gone["gone_at"].is_string(), "{gone}");
    let entries = log(&shop, "busy", 2).await;
    let told = |n: usize| {
        let entry = &entries[n];
        (
            entry["outcome"].clone(),
            entry["status"].clone(),
            entry["attempt"].clone(),
        )
    };
    assert_eq!(told(1), (json!("failed"), json!(500), json!(1)));
    assert_eq!(told(0), (json!("delivered"), json!(200), json!(2)));
    let at = |n: usize| {
        entries[n]["at"]
            .as_str()
            .unwrap()
            .parse::<Timestamp>()
            .unwrap()
    };
    let waited = at(0).duration_since(at(1)).as_secs_f64();
    assert!(waited >= SCHEDULE_S[1] as f64 - 1.0, "{waited}");
    let requests = heard(&listener, "busy").await;
    assert_eq!(
        header(&requests[0], "webhook-id"),
        header(&requests[1], "webhook-id")
    );
    // Entered again it is on.
    subscribe(&shop, &listener, "gone", accepted).await;
    let back = shop.get("/subscribers/gone").await;
    assert_eq!(
        (&back["enabled"], back.get("gone_at")),
        (&json!(true), None)
    );
    // What waits for longer than a message can is found on a schedule.
    let order = OrderId::parse(&id).unwrap();
    let story = shop.store.load_story(&order).await.unwrap().unwrap();
    let of_busy = story
        .deliveries
        .iter()
        .find(|d| d.subscriber == "busy")
        .unwrap();
    let due = Delivery {
        delivered: 0,
        due_at: Some(Timestamp::now()),
        ..of_busy.clone()
    };
    let due = due.turned();
    assert!(shop.store.save_delivery(&due).await.unwrap());
    let resumed = shop
        .cloud
        .invoke("resume-deliveries", json!({}))
        .await
        .unwrap();
    assert_eq!(resumed, json!({"resumed": 1, "replayed": 0}));
    assert_eq!(log(&shop, "busy", 3).await[0]["outcome"], "delivered");
    let deleted = ask(&shop, Method::DELETE, "/subscribers/busy", Value::Null).await;
    assert_eq!(deleted, (200, json!({"deleted": "busy"})));
    shop.close().await;
}

#[tokio::test]
async fn who_does_not_answer_is_left_alone_and_keeps_nobody_waiting() {
    let shop = Shop::open().await;
    let listener = MockServer::start().await;
    answers(&listener, "erp", ResponseTemplate::new(204)).await;
    let accepted = json!({"types": ["order.accepted"]});
    subscribe(&shop, &listener, "erp", accepted).await;
    // Nobody listens where somebody did.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    let more = json!({"types": ["order.accepted"], "url": url});
    subscribe(&shop, &listener, "gone", more).await;
    let place = async |name: &str| {
        let order = document(&[("GRD-HAND-40", 1)]).to_string();
        let (status, receipt) = shop.try_post("/orders", name, order).await;
        assert_eq!(status, 201, "{receipt}");
    };
    for n in 1..=3 {
        place(&format!("order-{n}")).await;
        log(&shop, "gone", n).await;
    }
    place("order-4").await;
    let log = log(&shop, "gone", 4).await;
    let alone = |entry: &&Value| entry["error"].as_str().unwrap().starts_with("not sent: ");
    assert!(log.iter().filter(alone).count() >= 1, "{log:?}");
    assert!(log.iter().all(|entry| entry["outcome"] == "failed"));
    let wait = async {
        while heard(&listener, "erp").await.len() < 4 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
    // Nobody waits for the end of the schedule.
    let (status, _) = ask(&shop, Method::DELETE, "/subscribers/gone", Value::Null).await;
    assert_eq!(status, 200);
    shop.close().await;
}

#[tokio::test]
async fn an_answer_has_its_bounds() {
    let shop = Shop::open().await;
    let listener = MockServer::start().await;
    let accepted = json!({"types": ["order.accepted"]});
    let of = |bytes: usize| ResponseTemplate::new(200).set_body_bytes(vec![b' '; bytes]);
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(MAX_THANKS_S + 2));
    for (id, answer) in [
        ("full", of(MAX_THANKS_BYTES)),
        ("over", of(MAX_THANKS_BYTES + 1)),
        ("late", late),
        (
            "moved",
            ResponseTemplate::new(301).insert_header("location", "/full"),
        ),
        ("unsigned", of(0)),
    ] {
        answers(&listener, id, answer).await;
        subscribe(&shop, &listener, id, accepted.clone()).await;
    }
    set_signing_secrets(&shop.cloud, "unsigned", &["whsec_%"]);
    // Without waiting for all that follows: one takes its time.
    let order = document(&[("GRD-HAND-40", 1)]).to_string();
    let (_, receipt) = shop.try_post("/orders", "order", order).await;
    let id = receipt["id"].as_str().unwrap().to_owned();
    let first = async |id: &str| log(&shop, id, 1).await.pop().unwrap();
    assert_eq!(first("full").await["outcome"], "delivered");
    let over = first("over").await;
    let why = format!("it answers with more than {MAX_THANKS_BYTES} bytes");
    assert_eq!(
        (&over["outcome"], &over["error"]),
        (&json!("failed"), &json!(why))
    );
    let late = first("late").await;
    let why = format!("no answer within {MAX_THANKS_S} s");
    assert_eq!(
        (&late["outcome"], &late["error"]),
        (&json!("failed"), &json!(why))
    );
    assert!(late["duration_ms"].as_u64().unwrap() >= MAX_THANKS_S * 1_000);
    let moved = first("moved").await;
    assert_eq!(
        (&moved["outcome"], &moved["status"]),
        (&json!("failed"), &json!(301))
    );
    let unsigned = first("unsigned").await;
    assert_eq!(
        unsigned["error"],
        "it has no secret that can be signed with"
    );
    assert_eq!(heard(&listener, "unsigned").await.len(), 0);
    // What comes again is taken at once.
    listener.reset().await;
    let any = Mock::given(path_regex(".*"));
    any.respond_with(ResponseTemplate::new(200))
        .mount(&listener)
        .await;
    // The order counts as published: what is left is each subscriber's own.
    let wait = async {
        while shop.stored(&id).await.is_unpublished() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
    for id in ["over", "late", "moved", "unsigned"] {
        ask(
            &shop,
            Method::DELETE,
            &format!("/subscribers/{id}"),
            Value::Null,
        )
        .await;
    }
    shop.close().await;
}

/// A walk as if it had been asked for long ago, with more said of it; and what the run of the schedule comes to.
async fn walked(shop: &Shop, change: impl FnOnce(&mut Replay)) -> Value {
    let mut replay = shop.store.replays().await.unwrap().remove(0);
    replay.asked_at = Timestamp::UNIX_EPOCH;
    replay.turn += 1;
    change(&mut replay);
    assert!(shop.store.save_replay(&replay).await.unwrap());
    resume(shop).await
}

async fn resume(shop: &Shop) -> Value {
    let resumed = shop.cloud.invoke("resume-deliveries", json!({})).await;
    resumed.unwrap()
}

/// The ids of all events of orders that a subscriber has been sent, once there are so many.
async fn ids(listener: &MockServer, id: &str, many: usize) -> Vec<String> {
    let wait = async {
        loop {
            let heard = heard(listener, id).await;
            if heard.len() >= many {
                let ids = heard.iter().map(|request| header(request, "webhook-id"));
                return ids.map(str::to_owned).collect();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap()
}

#[tokio::test]
async fn what_has_been_is_heard_again_by_who_asks_and_by_nobody_else() {
    let shop = Shop::open().await;
    let listener = MockServer::start().await;
    let mut orders = Vec::new();
    for name in ["one", "two"] {
        orders.push(shop.place(name, &document(&[("GRD-HAND-40", 1)])).await);
    }
    for id in ["erp", "crm"] {
        answers(&listener, id, ResponseTemplate::new(204)).await;
        subscribe(&shop, &listener, id, json!({})).await;
    }
    let from = json!({"from": "2026-01-01T00:00:00.5Z"});
    let path = "/subscribers/erp/replays";
    let (status, asked) = ask(&shop, Method::POST, path, from.clone()).await;
    assert_eq!(
        (status, &asked["from"]),
        (202, &json!("2026-01-01T00:00:00Z"))
    );
    assert_eq!(shop.get(path).await["replays"], json!([asked]));
    // Not at once: who accepts orders may not know of the subscriber.
    let none = json!({"resumed": 0, "replayed": 0});
    assert_eq!(resume(&shop).await, none);
    let all = json!({"resumed": 0, "replayed": 2});
    assert_eq!(walked(&shop, |_| ()).await, all);
    let shown = shop.get(path).await["replays"][0].clone();
    assert_eq!(
        (&shown["orders_seen"], &shown["orders_told"]),
        (&json!(2), &json!(2))
    );
    assert!(shown["done_at"].is_string(), "{shown}");
    let mut events = Vec::new();
    for id in &orders {
        let told = shop.get(&format!("/orders/{id}/events")).await;
        events.push(told["events"].as_array().unwrap().len());
    }
    let sum = events.iter().sum::<usize>();
    let first = ids(&listener, "erp", sum).await;
    for (id, events) in orders.iter().zip(&events) {
        let of = first.iter().filter(|event| event.starts_with(id));
        let expected = (1..=*events).map(|n| format!("{id}-E{n}"));
        assert!(of.cloned().eq(expected), "{id}: {first:?}");
    }
    // From here on it is as if somebody had always listened.
    shop.settle().await;
    assert_eq!(resume(&shop).await, none);
    // One order, from an event on.
    let event = json!({"from": {"order": orders[1], "sequence": 2}});
    assert_eq!(
        ask(&shop, Method::POST, path, event.clone()).await,
        (202, event["from"].clone())
    );
    assert_eq!(resume(&shop).await, json!({"resumed": 1, "replayed": 0}));
    let more = ids(&listener, "erp", sum + events[1] - 1).await;
    let expected = (2..=events[1]).map(|n| format!("{}-E{n}", orders[1]));
    assert!(more[sum..].iter().cloned().eq(expected), "{more:?}");
    shop.settle().await;
    assert_eq!(heard(&listener, "crm").await.len(), 0, "it has not asked");
    // A walk goes on where another has stopped; it rests while its subscriber is off.
    let (seen, _) = shop.store.scan_orders(None).await.unwrap();
    let after = (store::key::order(&seen[0].id), store::key::ORDER.to_owned());
    assert_eq!(ask(&shop, Method::POST, path, from).await.0, 202);
    subscribe(&shop, &listener, "erp", json!({"enabled": false})).await;
    assert_eq!(walked(&shop, |walk| walk.after = Some(after)).await, none);
    subscribe(&shop, &listener, "erp", json!({})).await;
    assert_eq!(resume(&shop).await, json!({"resumed": 0, "replayed": 1}));
    let place = orders
        .iter()
        .position(|id| *id == seen[1].id.as_str())
        .unwrap();
    let rest = ids(&listener, "erp", more.len() + events[place]).await;
    assert!(
        rest[more.len()..]
            .iter()
            .all(|event| event.starts_with(&orders[place]))
    );
    // Whoever it is that is entered under the name has not asked.
    ask(&shop, Method::DELETE, "/subscribers/erp", Value::Null).await;
    assert_eq!(shop.store.replays().await.unwrap(), []);
    shop.close().await;
}
