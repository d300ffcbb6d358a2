//! The sample retailer and the sample events: sound, and the demo comes out as it says.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on stops"
)]

mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_lambda_events::sqs::SqsEvent;
use channels::{Channel, Delivery, Said, Secret};
use domain::allocation::allocate;
use domain::catalog::Rate;
use domain::order::{FulfillmentStatus, Order};
use domain::restock::{Due, look};
use domain::shipping::{choose_method, weight_g};
use domain::stock::{Changes, Level};
use domain::{Location, Step};
use sample::{Demo, Retailer, events, now, parse, read};

/// The secret of the demo's Shopify account, with which the sample webhook is signed.
const SECRET: &str = "demo-shopify-secret";

/// The demo's orders as accepted, then allocated one after the other.
fn demo(retailer: &Retailer, reversed: bool) -> Vec<(Demo, Order)> {
    let mut listed: Vec<Demo> = read("demo.json");
    if reversed {
        listed.reverse();
    }
    let (mut available, mut changes) = (retailer.available(), Changes::default());
    let orders = listed.into_iter().map(|demo| {
        let (order, _) = retailer.accept(parse(&demo));
        let network = retailer.network();
        let found = allocate(
            &order,
            &network,
            &retailer.products,
            &mut available,
            &mut changes,
            now(),
        );
        let order = found.map_or(order, |allocation| allocation.order);
        (demo, order)
    });
    orders.collect()
}

#[test]
fn the_retailer_is_whole() {
    let retailer = Retailer::read();
    let ids = |names: Vec<&str>| {
        let distinct: BTreeSet<String> = names.iter().map(|n| (*n).to_owned()).collect();
        assert_eq!(distinct.len(), names.len(), "an id occurs twice: {names:?}");
        distinct
    };
    let locations = ids(retailer.locations.iter().map(|l| l.id.as_str()).collect());
    let products = ids(retailer.products.iter().map(|p| p.sku.as_str()).collect());
    let suppliers = ids(retailer.suppliers.iter().map(|s| s.id.as_str()).collect());
    ids(retailer.rates.iter().map(|r| r.id.as_str()).collect());
    assert!(locations.len() >= 4 && products.len() >= 12 && suppliers.len() == 2);
    for location in &retailer.locations {
        assert!(domain::geo::is_country(&location.country));
        assert!(jiff::tz::TimeZone::get(&location.time_zone).is_ok());
    }
    for product in &retailer.products {
        if let Some(supplier) = &product.supplier {
            assert!(suppliers.contains(supplier), "{supplier}");
        }
        assert_eq!(
            product.reorder_point.is_some(),
            product.reorder_quantity.is_some()
        );
    }
    let mut levels = BTreeSet::new();
    for level in &retailer.stock {
        assert!(locations.contains(&level.location) && products.contains(&level.sku));
        assert!(
            levels.insert((&level.sku, &level.location)),
            "{}",
            level.sku
        );
        let point = retailer.product(&level.sku).reorder_point;
        assert!(
            level.quantity > point.unwrap_or_default(),
            "{} opens low",
            level.sku
        );
    }
}

#[test]
fn rates_reach_from_every_warehouse_to_wherever_it_ships() {
    let retailer = Retailer::read();
    for location in &retailer.locations {
        let own: Vec<&Rate> = retailer
            .rates
            .iter()
            .filter(|r| r.from == location.id)
            .collect();
        let everywhere = own.iter().filter(|r| r.to.is_empty());
        assert!(everywhere.count() > 0, "{}", location.id);
        let carriers: BTreeSet<&str> = own.iter().map(|r| r.carrier.as_str()).collect();
        assert!(carriers.len() > 1, "{}", location.id);
        for rate in own {
            let up = |pair: &[domain::catalog::Band]| {
                pair[0].max_weight_g < pair[1].max_weight_g && pair[0].price < pair[1].price
            };
            assert!(rate.bands.windows(2).all(up), "{}", rate.id);
            assert_eq!(
                rate.bands.last().unwrap().max_weight_g,
                30_000,
                "{}",
                rate.id
            );
        }
    }
    let known = |rate: &Rate| retailer.locations.iter().any(|l| l.id == rate.from);
    assert!(retailer.rates.iter().all(known));
}

#[test]
fn the_demo_comes_out_as_it_says_in_whatever_order_it_is_worked_on() {
    let retailer = Retailer::read();
    for reversed in [false, true] {
        let mut currencies = BTreeSet::new();
        for (demo, order) in demo(&retailer, reversed) {
            let name = &demo.file;
            currencies.insert(order.currency.code());
            let parts = match demo.story.as_str() {
                "ship" | "cancel" | "return" => 1,
                "split" => 2,
                "backorder" | "hold" => 0,
                other => panic!("{name}: no such story: {other}"),
            };
            assert_eq!(order.fulfillments.len(), parts, "{name}");
            let holds: Vec<&str> = order.holds.iter().map(|h| h.reason.name()).collect();
            match demo.story.as_str() {
                "hold" => assert_eq!(holds, ["unknown-sku"], "{name}"),
                _ => assert!(holds.is_empty(), "{name}: {holds:?}"),
            }
            let waiting = order.lines.iter().map(|l| l.units.backordered).sum::<u32>();
            assert_eq!(waiting > 0, demo.story == "backorder", "{name}");
            let expected = match demo.story.as_str() {
                "cancel" => "cancelled",
                "return" => "returned",
                "backorder" => "backordered",
                "hold" => "held",
                _ => "delivered",
            };
            assert_eq!(demo.expected, expected, "{name}");
            assert_eq!(demo.key.is_some(), demo.via == "api", "{name}");
            for fulfillment in &order.fulfillments {
                let from: &Location = retailer.location(&fulfillment.location);
                let to = &order.destination.as_ref().unwrap().country;
                let weight = weight_g(&order, fulfillment, &retailer.products);
                let (leaves, by) = (fulfillment.ship_by, order.deliver_by);
                let method = choose_method(&retailer.rates, from, to, weight, leaves, by);
                assert!(method.unwrap().keeps_promise, "{name}");
                assert_eq!(fulfillment.status, FulfillmentStatus::Released);
            }
        }
        assert_eq!(currencies, BTreeSet::from(["EUR", "JPY", "KWD", "USD"]));
    }
}

#[test]
fn the_demo_takes_levels_to_their_reorder_points() {
    let retailer = Retailer::read();
    let mut left: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for level in &retailer.stock {
        left.insert((&level.sku, &level.location), retailer.units(level));
    }
    let orders = demo(&retailer, false);
    for (demo, order) in &orders {
        // Goods of these come back.
        if matches!(demo.story.as_str(), "cancel" | "return") {
            continue;
        }
        for fulfillment in &order.fulfillments {
            for &(place, units) in &fulfillment.units {
                let sku = order.line(place).sku.as_deref().unwrap();
                *left.get_mut(&(sku, fulfillment.location.as_str())).unwrap() -= i64::from(units);
            }
        }
    }
    let low = left.into_iter().filter(|((sku, _), available)| {
        let level = Level {
            available: *available,
            ..Level::default()
        };
        let product = retailer.product(sku);
        let point = product
            .reorder_point
            .map(|point| product.units(point).unwrap());
        look(&level, point, 0, now()).due.contains(&Due::Low)
    });
    let low: Vec<(&str, &str)> = low.map(|(level, _)| level).collect();
    assert_eq!(
        low,
        [("SCL-POCKET-2K", "newark"), ("TIN-AIR-500", "kuwait")]
    );
}

#[test]
fn every_order_file_is_in_the_demo_once() {
    let demo: Vec<Demo> = read("demo.json");
    let mut listed: Vec<String> = demo.into_iter().map(|d| d.file).collect();
    listed.sort();
    let files = fs::read_dir(events().join("orders")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.map(|file| format!("orders/{file}")).collect();
    files.sort();
    assert_eq!(listed, files);
}

#[test]
fn shopify_orders_all_have_one_time_and_exact_ids() {
    let demo: Vec<Demo> = read("demo.json");
    for demo in demo.iter().filter(|d| d.via == "shopify") {
        let body: serde_json::Value = read(&demo.file);
        for field in ["created_at", "processed_at", "updated_at"] {
            assert_eq!(body[field], "2026-11-23T09:30:00+01:00", "{}", demo.file);
        }
        let id = body["id"].as_u64().unwrap();
        assert!((1_000_000_000_000..1 << 53).contains(&id), "{}", demo.file);
        assert_eq!(
            body["admin_graphql_api_id"],
            format!("gid://shopify/Order/{id}")
        );
    }
}

#[test]
fn every_function_has_an_event_of_its_kind() {
    let queued: Vec<&str> = Step::ALL.iter().map(|step| step.name()).collect();
    let http = [
        ("accept-order", "POST /orders"),
        ("adjust-stock", "POST /stock/{sku}/adjustments"),
        ("change-order", "POST /orders/{id}/cancel"),
        ("confirm-fulfillment", "POST /fulfillments/{id}/{report}"),
        ("edit-catalog", "PUT /products"),
        ("edit-subscribers", "PUT /subscribers/{id}"),
        ("query-orders", "GET /orders/{id}"),
        ("redrive-messages", "GET /parked"),
        ("rehearse-routing", "POST /routing/rehearsals"),
        ("reserve-stock", "POST /reservations"),
    ];
    let webhooks = channels::CHANNELS.iter().map(|channel| channel.name());
    // Its notifications come by a queue.
    let webhooks = webhooks.filter(|channel| *channel != "amazon");
    let providers = domain::payment::Provider::ALL.map(|provider| provider.name());
    let webhooks = webhooks.chain(providers);
    let webhooks = webhooks.map(|channel| format!("accept-order-{channel}"));
    let route_of_webhooks = "POST /webhooks/{channel}/{account}";
    let http: Vec<(String, &str)> = http
        .into_iter()
        .map(|(name, route)| (name.to_owned(), route))
        .chain(webhooks.map(|name| (name, route_of_webhooks)))
        .collect();
    for (name, route) in &http {
        let route = *route;
        let event: ApiGatewayV2httpRequest = read(&format!("{name}.json"));
        assert_eq!(event.route_key.as_deref(), Some(route));
        let path = event.raw_path.unwrap();
        let mut expected = route.split_once(' ').unwrap().1.to_owned();
        for (parameter, value) in &event.path_parameters {
            expected = expected.replace(&format!("{{{parameter}}}"), value);
        }
        assert_eq!(path, expected, "{name}");
    }
    for name in &queued {
        let event: SqsEvent = read(&format!("{name}.json"));
        let [record] = event.records.as_slice() else {
            panic!("{name}: one record");
        };
        let body = match *name {
            "fetch-order" => {
                r#"{"channel":"square","account":"main","external_id":"CAISENgvlJ6jLWAzERDzjyHVybY"}"#
            }
            _ => r#"{"order":"AD4OVS4KRET6JAPB"}"#,
        };
        assert_eq!(record.body.as_deref(), Some(body));
        let arn = record.event_source_arn.as_deref().unwrap();
        assert!(arn.ends_with(name), "{arn}");
    }
    let clock = [
        "check-restock",
        "expire-reservations",
        "poll-channel",
        "reconcile-stock",
        "resume-deliveries",
        "sweep-orders",
        "update-listings",
    ];
    for name in clock {
        let event: serde_json::Value = read(&format!("{name}.json"));
        assert_eq!(event["detail-type"], "Scheduled Event", "{name}");
    }
    let samples = fs::read_dir(events()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_str().unwrap().ends_with(".json") && name != "demo.json"
    });
    assert_eq!(samples.count(), http.len() + queued.len() + clock.len());
}

#[test]
fn the_sample_orders_can_be_accepted() {
    let retailer = Retailer::read();
    let event: ApiGatewayV2httpRequest = read("accept-order.json");
    let key = event.headers["idempotency-key"].to_str().unwrap();
    let new = channels::api::parse(event.body.unwrap().as_bytes(), "default", key, now());
    let (order, _) = retailer.accept(new.unwrap());
    assert_eq!((order.holds.len(), order.total()), (0, 1670));

    let event: ApiGatewayV2httpRequest = read("accept-order-shopify.json");
    let body = event.body.unwrap();
    let header = |name: &str| {
        let header = event.headers.get(name);
        header.and_then(|value| value.to_str().ok())
    };
    let delivery = Delivery {
        method: "POST",
        url: "",
        headers: &header,
        query: &|_| None,
        raw_body: body.as_bytes(),
    };
    let shopify = channels::shopify::Shopify;
    let passes = |secret| shopify.verify(&delivery, &[Secret::read(secret)], now());
    assert!(passes(SECRET) && !passes("another"));
    assert!(matches!(
        shopify.read(&delivery, "demo"),
        Ok(Said::Order(_))
    ));
    let (order, _) = retailer.accept(shopify.parse(body.as_bytes(), "demo").unwrap());
    assert!(order.holds.is_empty() && order.mailed);
}
