//! How many rooms a machine carries: doubled until it does not, then the gap halved.

/// Most rooms that are ever tried.
const CEILING: usize = 512;

/// A search for the largest number that passes, where a larger one never passes when a smaller one failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    guess: usize,
    passed: usize,
    failed: Option<usize>,
}

impl Search {
    /// A search that tries `guess` first.
    #[must_use]
    pub fn starting_at(guess: usize) -> Self {
        Self { guess: guess.clamp(1, CEILING), passed: 0, failed: None }
    }

    /// What to try next; nothing once the answer is known as exactly as it is wanted: by one up to eight, by an eighth beyond.
    #[must_use]
    pub fn next(&self) -> Option<usize> {
        match (self.passed, self.failed) {
            (0, None) => Some(self.guess),
            (passed, None) => (passed < CEILING).then(|| (passed * 2).max(self.guess).min(CEILING)),
            (passed, Some(failed)) if failed - passed <= (passed / 8).max(1) => None,
            (passed, Some(failed)) => Some(passed + (failed - passed) / 2),
        }
    }

    /// Takes what a trial of so many came to.
    pub fn learn(&mut self, tried: usize, passes: bool) {
        if passes {
            self.passed = self.passed.max(tried);
            // A lucky trial beyond a failed one: the failed one was not the limit.
            self.failed = self.failed.filter(|failed| *failed > self.passed);
        } else {
            let failed = self.failed.map_or(tried, |failed| failed.min(tried));
            self.failed = Some(failed);
            if self.passed >= failed {
                self.passed = 0;
            }
        }
    }

    /// The largest number that passed; 0 when none did.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// The smallest number that failed; nothing when none did.
    #[must_use]
    pub fn failed(&self) -> Option<usize> {
        self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the search on a machine that carries `limit`, and gives what was tried.
    fn search(guess: usize, limit: usize) -> (Search, Vec<usize>) {
        let mut search = Search::starting_at(guess);
        let mut tried = Vec::new();
        while let Some(next) = search.next() {
            assert!(!tried.contains(&next), "{next} was tried twice: {tried:?}");
            tried.push(next);
            search.learn(next, next <= limit);
        }
        (search, tried)
    }

    #[test]
    fn every_small_limit_is_found_from_every_guess() {
        for guess in 1..20 {
            for limit in 0..9 {
                let (found, tried) = search(guess, limit);
                assert_eq!((found.passed(), found.failed()), (limit, Some(limit + 1)), "guess {guess}: {tried:?}");
            }
        }
    }

    #[test]
    fn large_limits_are_found_within_an_eighth_in_few_trials() {
        for limit in [16, 37, 100, 300] {
            let (found, tried) = search(8, limit);
            let failed = found.failed().unwrap();
            assert!(found.passed() <= limit && failed > limit && failed - found.passed() <= found.passed() / 8);
            assert!(tried.len() <= 10, "{tried:?}");
        }
    }

    #[test]
    fn it_doubles_then_halves_the_gap() {
        assert_eq!(search(2, 11).1, [2, 4, 8, 16, 12, 10, 11]);
        assert_eq!(search(8, 0).1, [8, 4, 2, 1]);
    }

    #[test]
    fn a_machine_without_a_limit_ends_the_search_at_the_ceiling() {
        let (found, _) = search(100, usize::MAX);
        assert_eq!((found.passed(), found.failed()), (CEILING, None));
        assert_eq!(Search::starting_at(0).next(), Some(1));
    }

    #[test]
    fn trials_that_contradict_each_other_end_in_an_answer() {
        let mut search = Search::starting_at(4);
        search.learn(4, false);
        search.learn(8, true);
        assert_eq!((search.passed(), search.failed()), (8, None));
        search.learn(6, false);
        assert_eq!((search.passed(), search.failed(), search.next()), (0, Some(6), Some(3)));
    }
}
