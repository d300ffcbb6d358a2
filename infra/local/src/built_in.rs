//! The functions that run in process.

/// All of them.
pub fn functions() -> Vec<runtime::Function> {
    vec![
        accept_order::function(),
        adjust_stock::function(),
        allocate_warehouse::function(),
        change_order::function(),
        check_restock::function(),
        confirm_fulfillment::function(),
        edit_catalog::function(),
        edit_subscribers::function(),
        expire_reservations::function(),
        fetch_order::function(),
        notify_customer::function(),
        notify_warehouse::function(),
        poll_channel::function(),
        publish_events::function(),
        query_orders::function(),
        reconcile_stock::function(),
        redrive_messages::function(),
        refund_order::function(),
        rehearse_routing::function(),
        reserve_stock::function(),
        resume_deliveries::function(),
        ship_order::function(),
        sweep_orders::function(),
        update_channel::function(),
        update_listings::function(),
        update_stock::function(),
    ]
}
