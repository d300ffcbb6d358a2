//! check-restock.
