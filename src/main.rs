//! The binary `cantoscribe`: parse, run, exit code.

fn main() {}
