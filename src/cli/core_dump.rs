//! No core dumps: what is in memory, words and keys, is written to no disk by the system.

/// Forbids core dumps of this process, and that other processes of the same user read its memory. A system that does not let it is told of.
pub fn forbid() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        if let Err(error) = setrlimit(Resource::Core, none) {
            eprintln!("cantoscribe: core dumps cannot be forbidden: {error}");
        }
    }
    // A core that is piped to a program is not held up by the limit.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        eprintln!("cantoscribe: core dumps cannot be forbidden: {error}");
    }
}
