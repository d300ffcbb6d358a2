//! The project's template keeps every rule, and every rule notices when it is broken.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod breaks;

use std::collections::BTreeSet;

use breaks::BREAKS;
use infra_tests::{self as rules, Rule, Template};

/// One test for each rule.
macro_rules! rules {
    ($($rule:ident)*) => {
        const RULES: &[(&str, Rule)] = &[$((stringify!($rule), rules::$rule)),*];

        $(
            #[test]
            fn $rule() {
                let faults = rules::$rule(&Template::load().unwrap());
                assert!(faults.is_empty(), "\n  {}", faults.join("\n  "));
            }
        )*
    };
}

rules! {
    access_logs_name_nobody
    every_dead_letter_queue_has_an_alarm
    every_dead_letter_queue_has_its_queue
    every_function_has_an_alarm
    every_function_has_its_own_role
    every_function_is_started
    every_queue_feeds_its_function
    every_queue_has_an_alarm_on_age
    every_queue_has_dead_letters
    every_route_reaches_a_function
    folders_and_functions_agree
    functions_are_named_after_their_folders
    functions_receive_from_their_own_queue
    items_are_limited_by_key
    logs_are_kept_for_a_time
    mail_is_limited_to_its_sender
    mappings_have_bounds
    mappings_report_single_failures
    messages_stay_hidden_long_enough
    no_action_is_a_pattern
    no_resource_is_a_pattern
    no_variable_is_a_secret
    nothing_of_the_api_is_idle
    parameters_have_use_and_default
    properties_are_known
    queues_are_encrypted
    references_lead_somewhere
    requests_are_throttled
    roles_and_variables_agree
    routes_are_distinct
    schedules_start_functions
    statements_only_allow
    tables_are_encrypted
    tables_are_on_demand
    tables_can_be_restored
    tables_expire_by_one_attribute
    tables_have_the_usual_keys
    tables_survive_the_stack
    variables_point_to_what_they_name
}

#[test]
fn every_rule_notices_when_it_is_broken() {
    let sound = Template::load().unwrap();
    let mut silent = Vec::new();
    for broken in BREAKS {
        let mut template = sound.clone();
        (broken.by)(&mut template);
        let (_, rule) = RULES
            .iter()
            .find(|(name, _)| *name == broken.rule)
            .expect(broken.rule);
        let faults = rule(&template);
        if !faults.iter().any(|fault| fault.contains(broken.names)) {
            silent.push(format!(
                "{}: nothing about {} in {faults:?}",
                broken.rule, broken.names
            ));
        }
    }
    assert!(silent.is_empty(), "\n  {}", silent.join("\n  "));
}

#[test]
fn every_rule_is_broken_once() {
    let all: BTreeSet<&str> = RULES.iter().map(|(name, _)| *name).collect();
    let tried: BTreeSet<&str> = BREAKS.iter().map(|broken| broken.rule).collect();
    assert_eq!(all, tried);
}
