//! Each function's role allows what its code does, down to the keys of items, and what its code does not do it does not
//! allow: the sample orders run in the local cloud, and every AWS call is held against the caller's role.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod policy;
mod recorder;

use std::collections::BTreeSet;

use domain::limits::{LEDGER_PAGE, MAX_LEDGER_TAIL};
use domain::replay::Replay;
use http::Method;
use infra_tests::Template;
use jiff::Timestamp;
use local::cloud::{Cloud, Options};
use local::http_client::HttpClient;
use local::{demo, seed};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::policy::{Deed, Grant, Need, grants, needs};

/// What is allowed and does not come about here: a ledger that has no room when the time of a reservation is over.
const RARE: [&str; 1] = ["expire-reservations dynamodb:PutItem StockTable"];

#[tokio::test]
async fn roles_allow_what_the_code_does_and_nothing_else() {
    let template = Template::load().unwrap();
    run_everything().await;
    let calls = recorder::take();
    let needs: Vec<Need> = calls
        .iter()
        .flat_map(|call| needs(&template, call))
        .collect();
    let grants = grants(&template);

    let lacking = lacking(&needs, &grants);
    assert!(lacking.is_empty(), "roles lack {lacking:#?}");

    let done: BTreeSet<&Deed> = needs.iter().map(|need| &need.deed).collect();
    let idle = |grant: &&Grant| !done.contains(&grant.deed) && !about_queues(&grant.deed);
    let idle: BTreeSet<String> = grants
        .iter()
        .filter(idle)
        .map(|grant| grant.deed.to_string())
        .collect();
    assert!(
        idle.iter().all(|deed| RARE.contains(&deed.as_str())),
        "roles allow what no code does: {idle:#?}"
    );

    notices_what_is_wrong(&needs, grants);
}

/// The comparison fails for a key that is not allowed, and for each function without its grants.
fn notices_what_is_wrong(needs: &[Need], mut grants: Vec<Grant>) {
    let put = needs
        .iter()
        .find(|need| need.deed.action == "dynamodb:PutItem")
        .unwrap();
    let elsewhere = Need {
        deed: put.deed.clone(),
        keys: BTreeSet::from(["SECRET#1".to_owned()]),
    };
    assert_eq!(lacking(&[elsewhere], &grants).len(), 1);
    let (deed, all) = (put.deed.clone(), grants.len());
    grants.retain(|grant| grant.deed != deed);
    assert!(grants.len() < all);
    assert!(!lacking(needs, &grants).is_empty());
}

fn lacking(needs: &[Need], grants: &[Grant]) -> BTreeSet<String> {
    let met = |need: &&Need| grants.iter().any(|grant| grant.meets(need));
    let unmet = needs.iter().filter(|need| !met(need));
    unmet
        .map(|need| format!("{} {:?}", need.deed, need.keys))
        .collect()
}

/// Lambda polls a queue in its function's name, and any step may have to remind any other of what an order is owed: that these
/// are allowed is held against the variables elsewhere.
fn about_queues(deed: &Deed) -> bool {
    deed.action.starts_with("sqs:") && deed.on.ends_with("Queue")
}

/// Runs the sample orders, and then what of the functions they do not touch.
async fn run_everything() {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/template.yaml");
    let template = std::fs::read_to_string(template).unwrap();
    let options = Options {
        http: Some(0),
        ..Options::new(template, recorder::functions())
    };
    let cloud = Cloud::start(options).await.unwrap();
    seed::sample_retailer(&cloud).await.unwrap();
    // The sample event's order goes to a country whose postal codes are imported.
    let store = seed::store(&cloud, "test").unwrap();
    let countries = BTreeSet::from(["DE".to_owned()]);
    store.add_postal_countries(&countries).await.unwrap();
    // One that is told of the first order, and is gone.
    let listener = MockServer::start().await;
    let gone = ResponseTemplate::new(410);
    Mock::given(method("POST"))
        .respond_with(gone)
        .mount(&listener)
        .await;
    let subscriber = json!({"id": "erp", "url": listener.uri()});
    let subscriber = serde_json::from_value(subscriber).unwrap();
    store.put_subscriber(&subscriber).await.unwrap();
    let on_the_bus = serde_json::from_value(json!({"id": "bi", "event_bus": true})).unwrap();
    store.put_subscriber(&on_the_bus).await.unwrap();
    seed::set_signing_secrets(&cloud, "erp", &["whsec_c2VjcmV0"]);
    let endings = demo::run(&cloud, |_| {}).await.unwrap();
    assert!(endings.iter().all(|ending| ending.ok), "{endings:?}");

    let http = HttpClient::new(cloud.http_address().unwrap());
    let bearer = format!("Bearer {}", seed::DEMO_KEY);
    let call = async |method: Method, path: &str, body: Value| {
        let headers = [
            ("authorization", bearer.as_str()),
            ("idempotency-key", path),
        ];
        http.send(method, path, &headers, body.to_string())
            .await
            .unwrap()
            .0
    };
    for (list, path) in [
        ("warehouses", "/warehouses"),
        ("products", "/products"),
        ("suppliers", "/suppliers"),
        ("rates", "/rates"),
        ("rules", "/routing/rules"),
    ] {
        let documents = sample(&format!("retailer/{list}"));
        assert_eq!(call(Method::PUT, path, documents).await, 200);
        assert_eq!(call(Method::GET, path, Value::Null).await, 200);
    }
    // A kit of what is in the catalogue already.
    let mut kits = sample("retailer/products");
    let products = kits.as_array_mut().unwrap();
    products.retain(|product| !product["components"].is_null());
    assert_eq!(call(Method::PUT, "/products", kits).await, 200);
    let rehearsal = json!({"orders": 10, "without": ["newark"]});
    assert_eq!(
        call(Method::POST, "/routing/rehearsals", rehearsal).await,
        200
    );
    let order = format!("/orders/{}", endings[0].id);
    for path in [
        &order,
        &format!("{order}/events"),
        &format!("{order}/routing"),
        "/orders?channel=shopify&number=1001",
        "/stock/KTL-GOOSE-09",
        "/stock/KTL-GOOSE-09/why?location=newark",
    ] {
        assert_eq!(call(Method::GET, path, Value::Null).await, 200);
    }
    assert_eq!(call(Method::GET, "/stock/NONE", Value::Null).await, 404);
    let wish = json!({"url": listener.uri()});
    assert_eq!(call(Method::PUT, "/subscribers/erp", wish).await, 200);
    let replays = "/subscribers/erp/replays";
    let event = json!({"from": {"order": endings[0].id, "sequence": 1}});
    assert_eq!(call(Method::POST, replays, event).await, 202);
    let all = json!({"from": "2026-01-01T00:00:00Z"});
    assert_eq!(call(Method::POST, replays, all).await, 202);
    for path in ["/subscribers", "/subscribers/erp/deliveries", replays] {
        assert_eq!(call(Method::GET, path, Value::Null).await, 200);
    }
    // As if it had been asked for long ago: it walks.
    let asked = store.replays().await.unwrap().remove(0);
    let long_ago = Replay {
        asked_at: Timestamp::UNIX_EPOCH,
        turn: asked.turn + 1,
        ..asked
    };
    assert!(store.save_replay(&long_ago).await.unwrap());
    let resumed = cloud.invoke("resume-deliveries", json!({})).await.unwrap();
    assert!(resumed["replayed"].as_u64() > Some(0), "{resumed}");
    assert_eq!(
        call(Method::DELETE, "/subscribers/erp", Value::Null).await,
        200
    );
    // A product whose levels are split into shares.
    let mut split = sample("retailer/products")[0].clone();
    split["sku"] = json!("SPLIT");
    (split["shares"], split["reorder_point"]) = (json!(2), json!(100));
    assert_eq!(call(Method::PUT, "/products", split).await, 200);
    // Goods that an order waits for arrive, and others run low.
    for (sku, kind, quantity) in [
        ("SPLIT", "receive", 9),
        ("KTL-COPPER-12", "receive", 50),
        ("KTL-GOOSE-09", "adjust", -32),
    ] {
        let body =
            json!({"location": "newark", "kind": kind, "quantity": quantity, "reason": "counted"});
        assert_eq!(
            call(Method::POST, &format!("/stock/{sku}/adjustments"), body).await,
            202
        );
    }
    let coming = json!({"location": "newark", "quantity": 9, "expected_on": "2099-01-01"});
    let path = "/stock/KTL-COPPER-12/inbound/PO-7-1";
    assert_eq!(call(Method::PUT, path, coming).await, 200);
    let come = json!({"location": "newark", "kind": "receive", "quantity": 1, "inbound": "PO-7-1"});
    let path = "/stock/KTL-COPPER-12/adjustments?n=inbound";
    assert_eq!(call(Method::POST, path, come).await, 202);
    let path = "/stock/KTL-COPPER-12/atp";
    assert_eq!(call(Method::GET, path, Value::Null).await, 200);
    let counted = json!({"location": "newark", "found": 49});
    let path = "/stock/KTL-COPPER-12/counts";
    assert_eq!(call(Method::POST, path, counted).await, 202);
    let sent = json!({"from": "newark", "to": "hamburg", "quantity": 2});
    let path = "/stock/KTL-COPPER-12/transfers";
    assert_eq!(call(Method::POST, path, sent).await, 202);
    let id = domain::id::derived(&["KTL-COPPER-12", path]);
    let (path, arrived) = (format!("{path}/{id}/received"), json!({"quantity": 1}));
    assert_eq!(call(Method::POST, &path, arrived).await, 202);
    cloud.idle().await;
    assert_eq!(
        call(Method::GET, "/stock/discrepancies", Value::Null).await,
        200
    );
    let found = domain::id::derived(&["transfer", "KTL-COPPER-12", &id]);
    let path = format!("/stock/discrepancies/{found}/resolved");
    assert_eq!(
        call(Method::POST, &path, json!({"note": "fell off the lorry"})).await,
        200
    );
    // So many movements that whoever reserves moves a page of the ledger.
    for n in 0..LEDGER_PAGE {
        let path = format!("/stock/KTL-COPPER-12/adjustments?n=box-{n}");
        let come = json!({"location": "newark", "kind": "receive", "quantity": 1});
        assert_eq!(call(Method::POST, &path, come).await, 202);
    }
    cloud.idle().await;
    // Carts: one is taken up in part, one is given up, and the time of one is over, with an order that waits.
    let cart = |units: u32, time: u32| {
        json!({
            "lines": [{"sku": "KTL-COPPER-12", "quantity": units, "location": "newark"}],
            "expires_in_s": time,
        })
    };
    let mut kept = Vec::new();
    for (n, time) in [(0, 60), (1, 60), (2, 1)] {
        let path = format!("/reservations?n={n}");
        assert_eq!(call(Method::POST, &path, cart(3, time)).await, 201);
        kept.push(domain::id::derived(&["reservation", &path]));
    }
    let longer = json!({"expires_in_s": 90});
    let path = format!("/reservations/{}/extended", kept[0]);
    assert_eq!(call(Method::POST, &path, longer).await, 200);
    let path = format!("/reservations/{}/released", kept[1]);
    assert_eq!(call(Method::POST, &path, Value::Null).await, 200);
    let path = format!("/reservations/{}", kept[1]);
    assert_eq!(call(Method::GET, &path, Value::Null).await, 200);
    let mut taken = sample("accept-order");
    taken["headers"]["idempotency-key"] = json!("taken-up");
    let order = taken["body"].as_str().unwrap();
    let order = order.replace("FLT-PAPER-100", "KTL-COPPER-12");
    taken["body"] = json!(order.replacen('{', &format!(r#"{{"reservation":"{}","#, kept[0]), 1));
    let answer = cloud.invoke("accept-order", taken).await.unwrap();
    assert_eq!(answer["statusCode"], 201, "{answer}");
    cloud.idle().await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let expired = cloud
        .invoke("expire-reservations", json!({}))
        .await
        .unwrap();
    assert_eq!(expired["expired"], 1);
    // More leaves than there is, and more often than the level has room for.
    for n in 0..=MAX_LEDGER_TAIL {
        let path = format!("/stock/KTL-COPPER-12/transfers?n={n}");
        let sent = json!({"from": "newark", "to": "hamburg", "quantity": 20});
        assert_eq!(call(Method::POST, &path, sent).await, 202);
    }
    cloud.idle().await;
    let now = json!({"now": true});
    cloud.invoke("check-restock", now).await.unwrap();
    let reconciled = cloud.invoke("reconcile-stock", json!({})).await.unwrap();
    assert_eq!(reconciled["done"], true);
    // More than there is: the sweeper looks whether goods have come.
    let mut waiting = sample("accept-order");
    waiting["headers"]["idempotency-key"] = json!("waiting");
    let order = waiting["body"].as_str().unwrap();
    let order = order.replace("FLT-PAPER-100", "KTL-COPPER-12");
    let order = order.replace(
        r#""quantity":2,"unit_price":"5.90""#,
        r#""quantity":200,"unit_price":"0.10""#,
    );
    waiting["body"] = json!(order.replace("16.70", "24.90"));
    let taken = cloud.invoke("accept-order", waiting).await.unwrap();
    assert_eq!(taken["statusCode"], 201, "{taken}");
    cloud.idle().await;
    // One that was paid through a payment provider, which pays it back.
    let stripe = MockServer::start().await;
    let refund = json!({"id": "re_1", "amount": 1, "currency": "eur", "status": "succeeded"});
    Mock::given(wiremock::matchers::path("/v1/refunds"))
        .respond_with(ResponseTemplate::new(200).set_body_json(refund))
        .mount(&stripe)
        .await;
    let access = json!({"url": stripe.uri(), "key": "sk_1"}).to_string();
    seed::add_access(&cloud, "stripe", "main", &access)
        .await
        .unwrap();
    let mut paid = sample("accept-order");
    paid["headers"]["idempotency-key"] = json!("paid-through");
    let order = paid["body"].as_str().unwrap();
    let through = r#""status":"paid","provider":"stripe","account":"main","reference":"pi_1""#;
    paid["body"] = json!(order.replace(r#""status":"paid""#, through));
    let taken = cloud.invoke("accept-order", paid).await.unwrap();
    assert_eq!(taken["statusCode"], 201, "{taken}");
    let id = domain::OrderId::of("api", "default", "paid-through");
    let cancelled = call(Method::POST, &format!("/orders/{id}/cancel"), json!({})).await;
    assert_eq!(cancelled, 200);
    cloud.idle().await;
    assert_eq!(stripe.received_requests().await.unwrap().len(), 1);
    // An order's batch waits to be filled when the sweeper comes; on a busy machine it may come too late.
    let mut event = sample("accept-order");
    for n in 0.. {
        assert!(n < 20, "the sweeper never finds an order");
        event["headers"]["idempotency-key"] = json!(format!("swept-{n}"));
        cloud.invoke("accept-order", event.clone()).await.unwrap();
        let swept = cloud
            .invoke("sweep-orders", json!({"older_than_s": 0}))
            .await
            .unwrap();
        if swept["orders"] != 0 {
            break;
        }
    }
    cloud.idle().await;
    from_channels(&cloud).await;
    // The orders that these are about do not exist: the messages go to the dead letters.
    for function in recorder::functions() {
        if function.variables.contains(&"DEAD_LETTERS_QUEUE") {
            let mut event = sample(function.name);
            if function.name == "fetch-order" {
                // Without an access it is kept for a person; of no channel it is parked.
                cloud.invoke(function.name, event.clone()).await.unwrap();
                let body = &mut event["Records"][0]["body"];
                *body = body.as_str().unwrap().replace("square", "nobody").into();
            }
            cloud.invoke(function.name, event).await.unwrap();
        }
    }
    // What sends them back does all that it may with each of the queues.
    assert_eq!(call(Method::GET, "/parked", Value::Null).await, 200);
    let all = json!({"all": true});
    assert_eq!(call(Method::POST, "/parked/redrive", all).await, 200);
    cloud.idle().await;
    cloud.stop().await;
}

/// A channel is told that goods of its order have left.
async fn told(cloud: &Cloud, vendor: &MockServer) {
    let taken = Mock::given(method("PUT")).and(path("/wp-json/wc/v3/orders/9301"));
    let taken = taken.respond_with(ResponseTemplate::new(200));
    taken.expect(1..).mount(vendor).await;
    let store = seed::store(cloud, "test").unwrap();
    let id = domain::OrderId::of("woocommerce", "demo", "9301");
    let order = store.load_order(&id).await.unwrap().unwrap();
    assert!(order.told);
    let http = HttpClient::new(cloud.http_address().unwrap());
    let bearer = format!("Bearer {}", seed::DEMO_KEY);
    let headers = [("authorization", bearer.as_str())];
    for f in &order.fulfillments {
        let path = format!("/fulfillments/{id}-{}/packed", f.n);
        let packed = http.send(Method::POST, &path, &headers, String::new());
        assert_eq!(packed.await.unwrap().0, 200);
    }
    cloud.idle().await;
    vendor.verify().await;
}

/// A channel is told how much there is of what it lists.
async fn shown(cloud: &Cloud, vendor: &MockServer) {
    let http = HttpClient::new(cloud.http_address().unwrap());
    let bearer = format!("Bearer {}", seed::DEMO_KEY);
    let headers = [("authorization", bearer.as_str())];
    let call = async |method: Method, path: &str, body: Value| {
        let sent = http.send(method, path, &headers, body.to_string());
        assert_eq!(sent.await.unwrap().0, 200, "{path}");
    };
    let listings = "/listings/woocommerce/demo";
    call(Method::PUT, listings, json!([{"sku": "KTL-GOOSE-09"}])).await;
    let found = json!([{"id": 7, "sku": "KTL-GOOSE-09", "parent_id": 0}]);
    let found = ResponseTemplate::new(200).set_body_json(found);
    let products = "/wp-json/wc/v3/products";
    let asked = Mock::given(method("GET")).and(path(products));
    asked.respond_with(found).mount(vendor).await;
    let taken = ResponseTemplate::new(200).set_body_json(json!({"update": [{"id": 7}]}));
    let said = Mock::given(method("POST")).and(path(format!("{products}/batch")));
    said.respond_with(taken).mount(vendor).await;
    let told = cloud.invoke("update-listings", json!({})).await.unwrap();
    assert_eq!(told["told"], 1, "{told}");
    call(Method::GET, listings, Value::Null).await;
    let one = format!("{listings}/KTL-GOOSE-09");
    call(Method::DELETE, &one, Value::Null).await;
}

/// An order that a channel says has changed, and one that nobody says anything of, which is found twice.
async fn from_channels(cloud: &Cloud) {
    let vendor = MockServer::start().await;
    let answer = |at: &str, body: Value| {
        let answer = ResponseTemplate::new(200).set_body_json(body);
        let asked = Mock::given(method("GET")).and(path(at.to_owned()));
        asked.respond_with(answer).mount(&vendor)
    };
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S");
    let mut order = sample("channels/woocommerce");
    order["date_modified_gmt"] = now.to_string().into();
    let listed = json!([{"id": 9301, "date_modified_gmt": now.to_string()}]);
    answer("/wp-json/wc/v3/orders", listed).await;
    answer("/wp-json/wc/v3/orders/9301", order).await;
    let access = json!({"url": vendor.uri(), "key": "k", "secret": "s"}).to_string();
    local::seed::add_access(cloud, "woocommerce", "demo", &access)
        .await
        .unwrap();
    local::seed::tell(cloud, "woocommerce", "demo")
        .await
        .unwrap();
    for _ in 0..2 {
        let polled = cloud.invoke("poll-channel", json!({})).await.unwrap();
        assert_eq!(polled["handed_on"], 1, "{polled}");
        cloud.idle().await;
    }
    told(cloud, &vendor).await;
    shown(cloud, &vendor).await;
    local::seed::add_account(cloud, "bigcommerce", "demo", "demo-bigcommerce-secret")
        .await
        .unwrap();
    let said = sample("accept-order-bigcommerce");
    let answer = cloud.invoke("accept-order", said).await.unwrap();
    assert_eq!(answer["body"], r#"{"status":"noted"}"#);
    cloud.idle().await;
}

fn sample(name: &str) -> Value {
    let path = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
