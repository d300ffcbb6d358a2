//! edit-catalog.
