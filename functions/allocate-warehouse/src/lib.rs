//! allocate-warehouse.
