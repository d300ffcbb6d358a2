//! 64 clients at once against the real binary.

use binary::attack::{ATTACKS, run};

macro_rules! attacks {
    ($($test:ident: $name:literal,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let attack = ATTACKS.iter().find(|attack| attack.name == $name);
                println!("{}", run(attack.unwrap()).await);
            }
        )*

        #[test]
        fn every_attack_is_a_test() {
            let names: Vec<&str> = ATTACKS.iter().map(|attack| attack.name).collect();
            assert_eq!(names, [$($name),*]);
        }
    };
}

attacks! {
    sixty_four_buyers_of_the_last_ten_units: "buy-the-last-ten",
    sixty_four_webhooks_for_the_last_ten_units: "buy-the-last-ten-by-webhook",
    one_order_sixty_four_times_at_once: "same-order",
    one_return_sixty_four_times_at_once: "same-return",
    returns_of_more_than_was_shipped: "return-more-than-shipped",
    one_return_that_arrives_sixty_four_times: "receive-twice",
    the_whole_amount_back_sixty_four_times: "refund-everything",
    refunds_in_parts_never_exceed_what_was_captured: "refund-in-parts",
    cancelled_and_packed_at_once: "cancel-and-pack",
    cancelled_and_packed_short_at_once: "cancel-and-pack-short",
    rejected_and_packed_at_once: "reject-and-pack",
    shipped_twice_at_once: "ship-twice",
    one_receipt_sixty_four_times_at_once: "same-receipt",
    receipts_counts_and_orders_at_once: "count-and-buy",
}
