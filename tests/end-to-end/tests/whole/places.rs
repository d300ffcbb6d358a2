//! Where an order goes is looked up, unless its channel says.

use std::collections::BTreeSet;

use end_to_end::{Shop, document};
use serde_json::{Value, json};
use store::PostalCode;

async fn place(shop: &Shop, name: &str, address: Value) -> Value {
    let mut document = document(&[("GRD-HAND-40", 1)]);
    document["shipping_address"] =
        json!({"name": "Ada Quist", "line1": "Oderberger Str. 12", "city": "Nowhere"});
    let given = address.as_object().unwrap().clone();
    let known = document["shipping_address"].as_object_mut().unwrap();
    known.extend(given);
    let id = shop.place(name, &document).await;
    let order = shop.order(&id).await;
    let point = shop.stored(&id).await.destination.unwrap().point;
    json!([order["located_by"], order["country"], point])
}

#[tokio::test]
async fn an_address_is_looked_up_by_the_most_exact_that_is_in_it() {
    let shop = Shop::open().await;
    // Somewhere else than the table of cities has it, so that it shows which one was asked.
    let imported = PostalCode {
        country: "DE".into(),
        area: "22765".into(),
        point: (541, 101),
    };
    let left = shop.store.put_postal_codes(&[imported]).await.unwrap();
    assert_eq!(left, []);
    for countries in [["DE"], ["FR"]] {
        let countries: BTreeSet<String> = countries.map(String::from).into();
        shop.store.add_postal_countries(&countries).await.unwrap();
    }
    let hamburg = json!({"country": "DE", "city": "Hamburg", "postal_code": "22 765"});
    let known = place(&shop, "imported", hamburg).await;
    assert_eq!(known, json!(["postal_code", "DE", [541, 101]]));
    let other = json!({"country": "DE", "city": "Hamburg", "postal_code": "20095"});
    let known = place(&shop, "city", other).await;
    assert_eq!(known, json!(["city", "DE", [536, 100]]));
    let given =
        json!({"country": "DE", "postal_code": "22765", "latitude": 52.5, "longitude": 13.4});
    let known = place(&shop, "given", given).await;
    assert_eq!(known, json!(["coordinates", "DE", [525, 134]]));
    let american = json!({"country": "US", "postal_code": "98122-1234"});
    let known = place(&shop, "american", american).await;
    assert_eq!(known, json!(["postal_code", "US", [476, -1223]]));
    let unknown = json!({"country": "FR", "postal_code": "#"});
    let known = place(&shop, "country", unknown).await;
    assert_eq!(known, json!(["country", "FR", null]));
    shop.close().await;
}
