//! notify-warehouse.
