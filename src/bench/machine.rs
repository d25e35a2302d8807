//! Which machine it is, as far as it tells.

use std::fs;
use std::thread;

use serde::Serialize;

/// Instruction sets that decide how fast the models run, by Linux's names.
const TELLING: [&str; 10] =
    ["avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimd", "asimddp", "i8mm"];

/// What the figures were measured on.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Machine {
    /// The processor's name for itself.
    pub processor: Option<String>,
    /// Cores that this process may use.
    pub cores: usize,
    /// Of the instruction sets that decide how fast the models run, those that it has.
    pub instruction_sets: Vec<String>,
    /// Main memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Operating system and kernel.
    pub system: String,
    /// Processes that wanted a core in the minute before, on average: above 0 something else was running.
    pub load_before: Option<f64>,
}

impl Machine {
    /// Asks the machine. What only Linux tells is absent elsewhere.
    #[must_use]
    pub fn describe() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let (processor, instruction_sets) = processor(&read("/proc/cpuinfo"));
        Self {
            processor,
            cores: cores(),
            instruction_sets,
            memory_bytes: memory(&read("/proc/meminfo")),
            system: system(&read("/etc/os-release"), &read("/proc/sys/kernel/osrelease")),
            load_before: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()),
        }
    }

    /// Whether something else used so much of the processor that the figures are too low.
    #[must_use]
    pub fn was_busy(&self) -> bool {
        self.load_before.is_some_and(|load| load > 0.3 * self.cores as f64)
    }
}

/// Cores that this process may use.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Name and telling instruction sets, from `/proc/cpuinfo`.
fn processor(cpuinfo: &str) -> (Option<String>, Vec<String>) {
    let value = |keys: &[&str]| {
        let field = |line: &str| line.split_once(':').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
        cpuinfo.lines().filter_map(field).find(|(key, _)| keys.contains(&key.as_str())).map(|(_, value)| value)
    };
    let flags = value(&["flags", "Features"]).unwrap_or_default();
    let has = |set: &&str| flags.split(' ').any(|flag| flag == *set);
    (value(&["model name", "Model"]), TELLING.into_iter().filter(has).map(str::to_owned).collect())
}

/// Bytes, from `/proc/meminfo`.
fn memory(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// From `/etc/os-release` and the kernel's release; without them what the program was built for.
fn system(os_release: &str, kernel: &str) -> String {
    let name = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let name = name.map_or(std::env::consts::OS, |name| name.trim_matches('"'));
    let architecture = std::env::consts::ARCH;
    match kernel.trim() {
        "" => format!("{name}, {architecture}"),
        kernel => format!("{name}, kernel {kernel}, {architecture}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_files_are_read() {
        let cpuinfo =
            "processor\t: 0\nmodel name\t: AMD EPYC 7B13\nflags\t\t: fpu avx2 avx512_vnni avx512f sse\n\nprocessor\t: 1\n";
        let (name, sets) = processor(cpuinfo);
        assert_eq!(name.as_deref(), Some("AMD EPYC 7B13"));
        assert_eq!(sets, ["avx2", "avx512f", "avx512_vnni"]);
        assert_eq!(memory("MemTotal:       16384 kB\nMemFree: 1 kB\n"), Some(16_777_216));
        let described = system("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n", "6.1.0\n");
        assert!(described.starts_with("Debian GNU/Linux 12, kernel 6.1.0, "), "{described}");
    }

    #[test]
    fn a_machine_that_tells_nothing_is_described_all_the_same() {
        assert_eq!(processor(""), (None, Vec::new()));
        assert_eq!(memory("MemTotal: many"), None);
        assert!(!system("", "").is_empty());
        assert!(Machine::describe().cores >= 1);
        assert!(!Machine::default().was_busy());
    }
}
