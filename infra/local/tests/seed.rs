//! The sample retailer, put in by a start that may be killed.
#![allow(clippy::unwrap_used)]

use domain::catalog::Location;
use local::cloud::{Cloud, Options};
use local::{built_in, seed};

#[tokio::test]
async fn what_a_killed_start_has_not_put_in_the_next_one_does() {
    let template = include_str!("../../template.yaml");
    let options = Options::new(template, built_in::functions());
    let cloud = Cloud::start(options).await.unwrap();
    let store = seed::store(&cloud, "test").unwrap();
    let warehouses = include_str!("../../../events/retailer/warehouses.json");
    let warehouses: Vec<Location> = serde_json::from_str(warehouses).unwrap();
    store.put_location(&warehouses[0]).await.unwrap();
    for start in ["the next", "the one after that"] {
        seed::sample_retailer(&cloud).await.unwrap();
        let known = store.locations().await.unwrap().len();
        assert_eq!(known, warehouses.len(), "{start}");
        let levels = store.levels_of("GRD-HAND-40").await.unwrap();
        let hamburg = levels.iter().find(|level| level.location == "hamburg");
        let hamburg = hamburg.map(|level| (level.on_hand, level.movements));
        assert_eq!(hamburg, Some((60, 1)), "{start}");
    }
    cloud.stop().await;
}
