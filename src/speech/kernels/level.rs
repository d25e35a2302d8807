//! Which instructions the operators use.

use std::fmt;
use std::sync::OnceLock;

use super::tiles;

/// An instruction set that this processor has. There is no way to make one that it lacks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Level(Set);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Set {
    /// Whatever the compiler makes for any processor of the architecture.
    Plain,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F, BW, DQ, VL, VNNI and BF16.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Names an upper bound: `plain`, `avx2` or `avx512`. To measure and to test, not to tune.
const VARIABLE: &str = "CANTOSCRIBE_KERNELS";

impl Level {
    /// The best that this processor has, up to what the environment variable `CANTOSCRIBE_KERNELS` (`plain`, `avx2`, `avx512`) allows.
    ///
    /// Its sums are compared with those of plain Rust first: a processor, or a machine that imitates one, may claim more than it does.
    #[must_use]
    pub fn best() -> Self {
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| {
            let wanted = std::env::var(VARIABLE).ok();
            let levels = Self::available();
            let bound = levels.iter().rposition(|level| wanted.as_deref() == Some(level.name())).unwrap_or(levels.len() - 1);
            let checked = |level: &&Self| {
                let agrees = tiles::agree_with_plain(**level);
                if !agrees {
                    tracing::warn!(?level, "these instructions give wrong sums on this processor and are not used");
                }
                agrees
            };
            levels.iter().take(bound + 1).rev().find(checked).copied().unwrap_or(Self(Set::Plain))
        })
    }

    /// All that this processor has, the plainest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut levels = vec![Self(Set::Plain)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Self(Set::Avx2));
            }
            let features = [
                is_x86_feature_detected!("avx512f"),
                is_x86_feature_detected!("avx512bw"),
                is_x86_feature_detected!("avx512dq"),
                is_x86_feature_detected!("avx512vl"),
                is_x86_feature_detected!("avx512vnni"),
                is_x86_feature_detected!("avx512bf16"),
            ];
            if features.into_iter().all(|has| has) {
                levels.push(Self(Set::Avx512));
            }
        }
        levels
    }

    /// As the environment variable has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Plain => "plain",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
        }
    }

    pub(super) fn set(self) -> Set {
        self.0
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Defines a function that is compiled once for each instruction set from one body, an `#[inline(always)]` function, and runs the one
/// of its first argument, a [`Level`].
macro_rules! for_each_level {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? = $body:path;) => {
        $(#[$attribute])*
        $visibility fn $name(level: $crate::speech::kernels::Level, $($argument: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512($($argument: $type),*) $(-> $result)? {
                $body($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) $(-> $result)? {
                $body($($argument),*)
            }
            match level.set() {
                $crate::speech::kernels::level::Set::Plain => $body($($argument),*),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: a `Level` of this set exists only where the processor has its features.
                #[allow(unsafe_code, reason = "calling a function compiled for instructions that were found")]
                $crate::speech::kernels::level::Set::Avx2 => unsafe { avx2($($argument),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                #[allow(unsafe_code, reason = "calling a function compiled for instructions that were found")]
                $crate::speech::kernels::level::Set::Avx512 => unsafe { avx512($($argument),*) },
            }
        }
    };
}
pub(super) use for_each_level;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_set_is_always_there_and_first() {
        let levels = Level::available();
        assert_eq!(levels[0].name(), "plain");
        assert!(levels.windows(2).all(|pair| pair[0].set() < pair[1].set()));
    }
}
