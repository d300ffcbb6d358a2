//! `infra/watch.env` agrees with the template, and a difference is noticed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use infra_tests::{Template, watch_sets_what_the_template_sets as faults};

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn watch_env_sets_what_the_template_sets() {
    let template = Template::load().unwrap();
    let faults = faults(&template, &read("infra/watch.env"), &read("Cargo.toml"));
    assert!(faults.is_empty(), "\n  {}", faults.join("\n  "));
}

#[test]
fn a_difference_is_noticed() {
    let template = Template::load().unwrap();
    let env = read("infra/watch.env");
    let manifest = read("Cargo.toml");
    for (env, manifest, named) in [
        (
            env.replace("TEAM_EMAIL=", "TEAM_MAIL="),
            manifest.clone(),
            "TEAM_EMAIL of check-restock",
        ),
        (
            env.replace("TEAM_EMAIL=", "TEAM_MAIL="),
            manifest.clone(),
            "TEAM_MAIL is set",
        ),
        (
            env.replace("waybill-stock", "stock"),
            manifest.clone(),
            "STOCK_TABLE of update-stock",
        ),
        (
            env.clone(),
            manifest.replace("ship-order.env", "ship.env"),
            "DEAD_LETTERS_QUEUE of ship-order",
        ),
        (env.replace("LOG=", "LOGS="), manifest, "LOG of all"),
    ] {
        let faults = faults(&template, &env, &manifest);
        assert!(
            faults.iter().any(|fault| fault.starts_with(named)),
            "{named}: {faults:?}"
        );
    }
}
