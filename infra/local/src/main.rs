//! The local cloud on the command line.

fn main() {}
