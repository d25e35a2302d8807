//! Nothing is left out silently: what the lexicon does not know is still listed as having led to nothing.

use std::fs::read_to_string;
use std::thread;

use cantoscribe::note::evaluate::{Item, listed_when_unknown};
use libtest_mimic::Trial;

use super::{Need, guarded, shared};

const SET: &str = "eval/dev.jsonl";
/// The share that must be listed; 0.735 of 189 were on 26 November 2026.
const AT_LEAST: f64 = 0.6;

pub fn tests() -> Vec<Trial> {
    let name = "uncovered::the_words_of_a_condition_left_out_of_the_lexicon_are_listed";
    vec![guarded(name, &[Need::Shared(SET)], the_words_of_a_condition_left_out_of_the_lexicon_are_listed)]
}

fn the_words_of_a_condition_left_out_of_the_lexicon_are_listed() {
    let set = read_to_string(shared(SET)).unwrap();
    let items: Vec<Item> = set.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let part = items.len().div_ceil(thread::available_parallelism().map_or(1, usize::from));
    let shares: Vec<_> = thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(part)
            .map(|items| scope.spawn(|| items.iter().map(|item| listed_when_unknown(item).unwrap()).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    let (count, of) = shares.iter().fold((0, 0), |(count, of), share| (count + share.count, of + share.of));
    let reached = count as f64 / of as f64;
    println!("{count} of {of} conditions that the lexicon did not know are listed: {reached:.3}");
    assert!(of >= 150 && reached >= AT_LEAST, "{count} of {of}: {reached:.3}");
}
