//! infra-tests.
