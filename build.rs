//! Says whether this machine has a PostgreSQL, so that the tests that start one are shown as ignored where there is none.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(postgres)");
    println!("cargo::rerun-if-changed=build.rs");
    // They are read by a macro, which is not told of a new one.
    println!("cargo::rerun-if-changed=migrations");
    // Where Debian's package puts it.
    let installed = std::path::Path::new("/usr/lib/postgresql");
    if installed.is_dir() {
        println!("cargo::rerun-if-changed={}", installed.display());
        println!("cargo::rustc-cfg=postgres");
    }
}
