//! Nothing is left out silently: what the lexicon does not know is still listed as having led to nothing.

use std::fs::read_to_string;
use std::thread;

use cantoscribe::note::evaluate::{Item, Listed, listed_when_unknown};
use libtest_mimic::Trial;

use super::{Need, guarded, shared};

const SET: &str = "eval/dev.jsonl";
/// The share of each part that must be listed.
const AT_LEAST: f64 = 0.6;

pub fn tests() -> Vec<Trial> {
    let name = "uncovered::the_words_of_a_finding_left_out_of_the_lexicon_are_listed";
    vec![guarded(name, &[Need::Shared(SET)], the_words_of_a_finding_left_out_of_the_lexicon_are_listed)]
}

fn the_words_of_a_finding_left_out_of_the_lexicon_are_listed() {
    let set = read_to_string(shared(SET)).unwrap();
    let items: Vec<Item> = set.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let part = items.len().div_ceil(thread::available_parallelism().map_or(1, usize::from));
    let mut listed = Listed::default();
    thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(part)
            .map(|items| scope.spawn(|| items.iter().map(|item| listed_when_unknown(item).unwrap()).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).for_each(|other| listed.add(&other));
    });
    for ((part, share), of) in listed.parts().into_iter().zip([150, 50, 8, 25]) {
        println!("{} of {} {part} that the lexicon did not know are listed: {:.3}", share.count, share.of, share.value());
        assert!(share.of >= of && share.value() >= AT_LEAST, "{part}: {} of {}", share.count, share.of);
    }
}
