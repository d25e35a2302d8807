//! Text of the evaluation set, which is written as Hong Kong writes: the conversion must leave it alone.

use cantoscribe::speech::script::HongKongScript;
use libtest_mimic::Trial;

use crate::{Need, guarded, shared};

pub fn tests() -> Vec<Trial> {
    vec![guarded("script_leaves_hong_kong_text_alone", &[Need::Shared("eval/dev.jsonl")], leaves_alone)]
}

fn leaves_alone() {
    let script = HongKongScript::load().unwrap();
    let lines = std::fs::read_to_string(shared("eval/dev.jsonl")).unwrap();
    let mut characters = 0;
    let mut changed = Vec::new();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let item: serde_json::Value = serde_json::from_str(line).unwrap();
        for segment in item["turns"].as_array().expect("turns") {
            let text = segment["text"].as_str().unwrap();
            for (before, after) in text.chars().zip(script.convert(text).chars()) {
                characters += 1;
                if before != after {
                    changed.push((before, after));
                }
            }
        }
    }
    println!("{characters} characters, changed: {changed:?}");
    assert!(characters > 3000, "only {characters} characters were looked at");
    assert!(changed.is_empty(), "changed: {changed:?}");
}
