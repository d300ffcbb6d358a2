//! The document by itself: it has every route and nothing else, its schemas let nothing unnamed pass, its examples keep
//! them, and its limits are the code's.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use domain::limits::*;
use openapi_tests::Document;
use serde_json::Value;

/// Every value of the document with its JSON pointer.
fn walk<'d>(value: &'d Value, pointer: &str, see: &mut impl FnMut(&str, &'d Value)) {
    see(pointer, value);
    let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                walk(member, &format!("{pointer}/{}", escape(name)), see);
            }
        }
        Value::Array(values) => {
            for (n, value) in values.iter().enumerate() {
                walk(value, &format!("{pointer}/{n}"), see);
            }
        }
        _ => {}
    }
}

#[test]
fn it_has_the_routes_of_the_template_and_no_other() {
    let template: Value =
        serde_saphyr::from_str(include_str!("../../../infra/template.yaml")).unwrap();
    let resources = template["Resources"].as_object().unwrap().values();
    let routes = resources.filter(|resource| resource["Type"] == "AWS::ApiGatewayV2::Route");
    let routes: BTreeSet<String> = routes
        .map(|route| route["Properties"]["RouteKey"].as_str().unwrap().to_owned())
        .collect();
    let document = Document::load();
    let described: BTreeSet<String> = document
        .operations()
        .map(|operation| format!("{} {}", operation.method.to_uppercase(), operation.path))
        .collect();
    assert_eq!(described, routes);
}

#[test]
fn operations_are_named_once_and_say_what_they_need() {
    let document = Document::load();
    let mut ids = BTreeSet::new();
    for operation in document.operations() {
        let (id, value) = (operation.id(), operation.value());
        assert!(ids.insert(id), "{id} is there twice");
        assert!(
            value["summary"].is_string() && value["tags"].is_array(),
            "{id}"
        );
        let braced = operation
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{'));
        let named: Vec<&str> = braced.map(|name| name.trim_end_matches('}')).collect();
        let parameters = operation.parameters();
        let in_path = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path");
        let in_path: Vec<&str> = in_path.map(|p| p["name"].as_str().unwrap()).collect();
        assert_eq!(in_path, named, "{id}");
    }
}

#[test]
fn every_component_is_there_and_used() {
    let document = Document::load();
    let mut used = BTreeSet::new();
    walk(document.root(), "", &mut |_, value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            document.resolve(value);
            used.insert(reference.trim_start_matches('#').to_owned());
        }
    });
    for kind in ["parameters", "responses", "schemas"] {
        for name in document.root()["components"][kind]
            .as_object()
            .unwrap()
            .keys()
        {
            let pointer = format!("/components/{kind}/{name}");
            assert!(used.contains(&pointer), "nobody refers to {pointer}");
        }
    }
}

#[test]
fn objects_are_closed() {
    // Put together into closed ones; and a document of somebody else's.
    const OPEN: [&str; 3] = ["OrderFields", "ProblemFields", "ShopifyOrder"];
    let document = Document::load();
    walk(document.root(), "", &mut |pointer, value| {
        let object = value["type"] == "object" || value.get("allOf").is_some();
        let open = OPEN
            .iter()
            .any(|name| pointer.starts_with(&format!("/components/schemas/{name}")));
        // A map's keys are free and its values are not.
        let closed = value["additionalProperties"] == false
            || value["additionalProperties"]["type"].is_string()
            || value["additionalProperties"]["$ref"].is_string()
            || value["unevaluatedProperties"] == false;
        assert!(!object || open || closed, "{pointer} takes any field");
    });
}

#[test]
fn schemas_are_schemas_and_examples_keep_them() {
    let document = Document::load();
    for schema in document.root()["components"]["schemas"]
        .as_object()
        .unwrap()
        .values()
    {
        document.validator(schema);
    }
    let hold = |what: &str, schema: &Value, value: &Value| {
        let faults = document.faults(schema, value);
        assert!(faults.is_empty(), "{what}: {faults:#?}");
    };
    for operation in document.operations() {
        for (name, value) in operation.request_examples() {
            hold(operation.id(), operation.request_schema().unwrap(), value);
            assert!(!name.is_empty());
        }
        for (_, _, content) in operation.answers() {
            for example in content["examples"]
                .as_object()
                .into_iter()
                .flat_map(|e| e.values())
            {
                hold(operation.id(), &content["schema"], &example["value"]);
            }
        }
        for parameter in operation.parameters() {
            let own = parameter.get("example").into_iter();
            let named = parameter["examples"]
                .as_object()
                .into_iter()
                .flat_map(|e| e.values());
            for value in own.chain(named.map(|example| &example["value"])) {
                hold(operation.id(), &parameter["schema"], value);
            }
        }
    }
}

/// What a limit of the document is in the code. A limit that is not here, and not a fact of the world, fails.
fn limits() -> BTreeMap<&'static str, u64> {
    let lines = MAX_LINES as u64;
    let name = MAX_NAME_CHARS as u64;
    let text = MAX_TEXT_CHARS as u64;
    let title = MAX_TITLE_CHARS as u64;
    let per_commit = MAX_LINES_PER_COMMIT as u64;
    let parked = MAX_PARKED as u64;
    BTreeMap::from([
        ("/paths/~1parked/get/parameters/1/schema/maximum", parked),
        (
            "/paths/~1stock~1{sku}~1inbound~1{id}/put/parameters/1/schema/maxLength",
            name,
        ),
        (
            "/paths/~1parked/get/responses/200/content/application~1json/schema/properties/messages/maxItems",
            parked,
        ),
        ("parameters/IdempotencyKey/schema/maxLength", name),
        (
            "schemas/Adjustment/oneOf/1/properties/quantity/maximum",
            MAX_QUANTITY.into(),
        ),
        (
            "schemas/Adjustment/oneOf/1/properties/reason/maxLength",
            text,
        ),
        ("schemas/Faults/maxItems", MAX_PROBLEMS as u64),
        ("schemas/HoldingTime/maximum", MAX_RESERVATION_S as u64),
        ("schemas/NewOrder/properties/reservation/maxLength", name),
        (
            "schemas/NewReservation/properties/lines/maxItems",
            MAX_RESERVED_LEVELS as u64,
        ),
        (
            "schemas/Arrival/properties/quantity/maximum",
            MAX_QUANTITY.into(),
        ),
        ("schemas/LineId/maxLength", name),
        ("schemas/LineId/maximum", MAX_EXACT_JSON_INTEGER),
        ("schemas/MessageId/maxLength", name),
        ("schemas/Name/maxLength", name),
        ("schemas/NewOrder/properties/lines/maxItems", lines),
        (
            "schemas/NewRefund/oneOf/0/properties/lines/maxItems",
            per_commit,
        ),
        ("schemas/NewResolution/properties/note/maxLength", text),
        ("schemas/NewReturn/properties/lines/maxItems", per_commit),
        ("schemas/OrderNumber/maxLength", name),
        ("schemas/OrderNumber/maximum", MAX_EXACT_JSON_INTEGER),
        ("schemas/PackedGoods/properties/lines/maxItems", lines),
        ("schemas/Product/properties/title/maxLength", title),
        ("schemas/Quantity/maximum", MAX_QUANTITY.into()),
        (
            "schemas/Rate/properties/bands/items/properties/price/maximum",
            MAX_MINOR as u64,
        ),
        ("schemas/Reason/maxLength", text),
        ("schemas/Redrive/oneOf/0/properties/ids/maxItems", parked),
        (
            "schemas/ReturnedGoods/properties/lines/maxItems",
            per_commit,
        ),
        (
            "schemas/Product/properties/unit_cost/properties/amount/maximum",
            MAX_MINOR as u64,
        ),
        (
            "schemas/Rehearsal/properties/orders/maximum",
            MAX_REHEARSED_ORDERS as u64,
        ),
        (
            "schemas/Product/properties/decimals/maximum",
            MAX_DECIMALS.into(),
        ),
        (
            "schemas/Product/properties/shares/maximum",
            MAX_SHARES.into(),
        ),
        (
            "schemas/Product/properties/components/maxItems",
            MAX_COMPONENTS as u64,
        ),
        (
            "schemas/Product/properties/safety_stock/additionalProperties/maximum",
            MAX_QUANTITY.into(),
        ),
        (
            "schemas/Product/properties/components/items/properties/quantity/maximum",
            MAX_QUANTITY.into(),
        ),
        ("schemas/RoutingRules/properties/channel/maxLength", name),
        (
            "schemas/RoutingRules/properties/shipment_cost/maximum",
            MAX_MINOR as u64,
        ),
        (
            "schemas/NewInbound/properties/quantity/maximum",
            u64::from(MAX_QUANTITY),
        ),
        (
            "schemas/RoutingRules/properties/buffer/maximum",
            u64::from(MAX_QUANTITY),
        ),
        (
            "schemas/RoutingRules/properties/cool_down_hours/maximum",
            u64::from(MAX_COOL_DOWN_HOURS),
        ),
        ("schemas/ShopifyOrder/properties/line_items/maxItems", lines),
        ("schemas/ShortText/maxLength", name),
        ("schemas/Sku/maxLength", MAX_SKU_CHARS as u64),
        (
            "schemas/StockCount/properties/expected/maximum",
            MAX_COUNTED as u64,
        ),
        (
            "schemas/StockCount/properties/found/maximum",
            MAX_COUNTED as u64,
        ),
        ("schemas/Text/maxLength", text),
        (
            "schemas/NewSubscriber/properties/types/maxItems",
            MAX_SUBSCRIBED_TYPES as u64,
        ),
        (
            "schemas/NewSubscriber/properties/url/maxLength",
            MAX_URL_CHARS as u64,
        ),
        (
            "schemas/Subscriber/properties/types/maxItems",
            MAX_SUBSCRIBED_TYPES as u64,
        ),
        (
            "schemas/Subscriber/properties/url/maxLength",
            MAX_URL_CHARS as u64,
        ),
        (
            "schemas/StoredSubscriber/properties/types/maxItems",
            MAX_SUBSCRIBED_TYPES as u64,
        ),
        (
            "schemas/StoredSubscriber/properties/url/maxLength",
            MAX_URL_CHARS as u64,
        ),
        ("schemas/SubscriberName/maxLength", name),
        ("schemas/Title/maxLength", title),
        ("schemas/Words/maxLength", name),
    ])
}

/// Limits that no constant of `domain::limits` has: the calls at their edges hold these to the code.
const ELSEWHERE: [&str; 21] = [
    // Degrees, 32 bits, RFC 5321, and more than there are countries.
    "/latitude/maximum",
    "/longitude/maximum",
    "Count/maximum",
    // The last of the shares.
    "share/maximum",
    "Email/maxLength",
    "serves/maxItems",
    "working_days/maxItems",
    "closed_on/maxItems",
    "handling_days/maximum",
    "objective/maxItems",
    // Those of rehearse-routing.
    "warehouses/maxItems",
    "without/maxItems",
    "rates/maxItems",
    "rules/maxItems",
    "stock/maxItems",
    "differences/maxItems",
    "to/maxItems",
    // Those of edit-catalog and query-orders.
    "put/requestBody/content/application~1json/schema/oneOf/1/maxItems",
    "bands/maxItems",
    "transit_days/maximum",
    "EventPage/properties/events/maxItems",
];

#[test]
fn limits_are_those_of_the_code() {
    let document = Document::load();
    let mut left = limits();
    walk(document.root(), "", &mut |pointer, value| {
        let limit = ["/maximum", "/maxLength", "/maxItems"]
            .iter()
            .any(|end| pointer.ends_with(end));
        let Some(number) = value.as_u64().filter(|_| limit) else {
            return;
        };
        let name = pointer.trim_start_matches("/components/");
        match left.remove(name) {
            Some(constant) => assert_eq!(number, constant, "{name}"),
            None => assert!(
                ELSEWHERE.iter().any(|end| name.ends_with(end)),
                "{name} is unheard of"
            ),
        }
    });
    assert!(left.is_empty(), "the document lacks {left:?}");
    for (field, least) in [
        (
            "Adjustment/oneOf/1/properties/quantity",
            -i64::from(MAX_QUANTITY),
        ),
        ("StockCount/properties/expected", -MAX_COUNTED),
    ] {
        let minimum = format!("/components/schemas/{field}/minimum");
        assert_eq!(document.root().pointer(&minimum).unwrap(), least);
    }
}

#[test]
fn limits_that_are_told_in_words_are_those_of_the_code() {
    let document = Document::load();
    let told = |pointer: &str, words: String| {
        let text = document.root().pointer(pointer).unwrap().as_str().unwrap();
        assert!(text.contains(&words), "{pointer} does not say {words:?}");
    };
    let info = "/info/description";
    let large = format!("the body has more than {MAX_BODY_BYTES} bytes");
    told(info, large);
    told(
        info,
        format!("within {RETURN_WINDOW_DAYS} days of shipping"),
    );
    told(info, format!("at most {MAX_MINOR} of the smallest unit"));
    let returns = "/paths/~1orders~1{id}~1returns/post/description";
    told(returns, format!("Within {RETURN_WINDOW_DAYS} days"));
    let large = format!("more than {MAX_BODY_BYTES} bytes");
    told("/components/schemas/TooLarge/description", large);
    for path in ["~1parked/get", "~1parked~1redrive/post"] {
        let looked_at = format!("looks at up to {MAX_PARKED} messages");
        told(&format!("/paths/{path}/description"), looked_at);
    }
    let put = "/paths/~1subscribers~1{id}/put/description";
    told(put, format!("at most {MAX_SUBSCRIBERS} of them"));
    let kept = format!("Kept for {ATTEMPTS_KEPT_DAYS} days");
    told(
        "/paths/~1subscribers~1{id}~1deliveries/get/description",
        kept,
    );
    let event = "/webhooks/event/post/description";
    told(event, format!("within {MAX_THANKS_S} seconds"));
    told(event, format!("at most {MAX_THANKS_BYTES} bytes"));
    let promise = format!("{DEFAULT_PROMISE_DAYS} days after it was placed");
    told(
        "/components/schemas/NewOrder/properties/deliver_by/description",
        promise,
    );
}

#[test]
fn its_table_of_problems_has_all_of_them() {
    let document = Document::load();
    let schemas = document.root()["components"]["schemas"]
        .as_object()
        .unwrap()
        .values();
    let types = schemas.filter_map(|schema| {
        let kind = schema.pointer("/properties/type/const")?.as_str()?;
        let kind = kind.strip_prefix("urn:waybill:problem:")?;
        Some(format!(
            "| `{kind}` | {} |",
            schema["properties"]["status"]["const"]
        ))
    });
    let types: BTreeSet<String> = types.collect();
    let text = document.root()["info"]["description"].as_str().unwrap();
    let (_, table) = text.split_once("## Errors").unwrap();
    let rows = table
        .lines()
        .filter(|line| line.starts_with("| `") && line.matches('|').count() == 4);
    let rows = rows.filter(|line| !line.contains("after"));
    let rows: BTreeSet<String> = rows
        .map(|row| row.split_inclusive('|').take(3).collect())
        .collect();
    assert_eq!(rows, types);
}
