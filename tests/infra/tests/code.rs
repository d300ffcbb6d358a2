//! The template sets the variables that the code reads, and no others.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::{BTreeMap, BTreeSet};

use infra_tests::Template;
type Variables = BTreeMap<String, BTreeSet<String>>;

fn set(template: &Template) -> Variables {
    template
        .functions()
        .map(|(name, _, function)| {
            let variables = Template::variables(function).map(|(name, _)| name.to_owned());
            (name, variables.collect())
        })
        .collect()
}

fn read() -> Variables {
    local::built_in::functions()
        .iter()
        .map(|function| {
            let variables = function.variables.iter().map(|name| (*name).to_owned());
            (function.name.to_owned(), variables.collect())
        })
        .collect()
}

#[test]
fn every_variable_that_a_function_reads_is_set_and_the_reverse() {
    assert_eq!(set(&Template::load().unwrap()), read());
}

/// Whoever tells more than one step of an order may have to tell any of them: what it is owed says which.
#[test]
fn whoever_tells_the_steps_of_an_order_can_tell_them_all() {
    let queues = runtime::outbox::STEP_QUEUES.into_iter();
    // No state of an order calls for it.
    let queues: BTreeSet<&str> = queues
        .filter(|queue| *queue != "FETCH_ORDER_QUEUE")
        .collect();
    let mut tellers = 0;
    for (name, variables) in read() {
        let told = queues.iter().filter(|queue| variables.contains(**queue));
        let told = told.count();
        if told > 1 {
            tellers += 1;
            assert_eq!(told, queues.len(), "{name}");
        }
    }
    assert!(tellers > 9, "{tellers}");
}

/// The alarms on metrics that the code writes into its logs, by those metrics' own names.
#[test]
fn what_the_code_counts_rings() {
    let template = Template::load().unwrap();
    for gauge in [runtime::log::DISCREPANCIES, runtime::log::UNDELIVERED] {
        let dimension = serde_json::json!([{"Name": "step", "Value": gauge.step}]);
        let mut alarms = template.resources("AWS::CloudWatch::Alarm");
        assert!(alarms.any(|(_, alarm)| {
            alarm["Namespace"] == "Waybill"
                && alarm["MetricName"] == gauge.name
                && alarm["Dimensions"] == dimension
                && alarm["AlarmActions"].is_array()
        }));
        assert!(
            local::built_in::functions()
                .iter()
                .any(|f| f.name == gauge.step)
        );
    }
}

/// What is to arrive when a step has ended is on its way for longer than one may run.
#[test]
fn hints_outlive_who_sends_them() {
    let template = Template::load().unwrap();
    let default = &template.value["Globals"]["Function"]["Timeout"];
    let outlived_s = u64::try_from(runtime::outbox::OUTLIVED_S).unwrap();
    let mut functions = template.functions();
    // Nobody else sends any.
    let sender = domain::Step::AllocateWarehouse.name();
    let (_, _, function) = functions.find(|(name, _, _)| name == sender).unwrap();
    let timeout_s = function.get("Timeout").unwrap_or(default).as_u64();
    assert!(timeout_s.unwrap() < outlived_s);
}

/// Whoever takes over a claim finds that its holder has ended.
#[test]
fn claims_outlive_who_holds_them() {
    let template = Template::load().unwrap();
    let default = &template.value["Globals"]["Function"]["Timeout"];
    let lease_s = u64::try_from(runtime::claim::LEASE_S).unwrap();
    let tellers = [
        "notify-warehouse",
        "notify-customer",
        "update-channel",
        "refund-order",
    ];
    let mut found = 0;
    for (name, _, function) in template.functions() {
        if tellers.contains(&&*name) {
            found += 1;
            let timeout_s = function.get("Timeout").unwrap_or(default).as_u64();
            assert!(timeout_s.unwrap() < lease_s, "{name}");
        }
    }
    assert_eq!(found, tellers.len());
}

/// Whoever goes on telling an account how much there is finds that who was at it has ended; and a channel shows something
/// else for no longer than is said.
#[test]
fn listings_are_told_by_one_at_a_time_and_in_time() {
    use domain::limits::{LISTINGS_LEASE_S, MAX_STALE_S};
    let template = Template::load().unwrap();
    let mut functions = template.functions();
    let (_, _, function) = functions
        .find(|(name, _, _)| name == "update-listings")
        .unwrap();
    let timeout_s = function["Timeout"].as_i64().unwrap();
    assert!(timeout_s < LISTINGS_LEASE_S);
    let mut schedules = template.resources("AWS::Scheduler::Schedule");
    let (_, schedule) = schedules
        .find(|(id, _)| *id == "UpdateListingsSchedule")
        .unwrap();
    assert_eq!(schedule["ScheduleExpression"], "rate(1 minute)");
    assert_eq!(MAX_STALE_S, LISTINGS_LEASE_S + 60 + timeout_s);
}

#[test]
fn a_missing_and_a_spare_variable_are_noticed() {
    for (id, change) in [("ShipOrder", "ORDERS_TABLE"), ("EditCatalog", "SPARE")] {
        let mut template = Template::load().unwrap();
        let variables = template
            .value
            .pointer_mut(&format!("/Resources/{id}/Properties/Environment/Variables"))
            .unwrap()
            .as_object_mut()
            .unwrap();
        if variables.remove(change).is_none() {
            variables.insert(change.to_owned(), "x".into());
        }
        assert_ne!(set(&template), read());
    }
}
