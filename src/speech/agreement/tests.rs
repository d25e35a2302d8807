use proptest::prelude::*;

use super::*;
use crate::speech::model::HeardWord;

const SECOND: usize = 16_000;

/// A hypothesis whose every character is a word of this probability, a quarter of a second each.
fn hypothesis(text: &str, probability: f32) -> Hypothesis {
    let words = text.chars().filter(|c| !c.is_whitespace()).enumerate().map(|(index, c)| HeardWord {
        text: c.to_string().into(),
        samples: index * SECOND / 4..(index + 1) * SECOND / 4,
        probability,
    });
    Hypothesis { text: text.into(), words: words.collect(), ..Hypothesis::default() }
}

fn settings() -> AgreementSettings {
    AgreementSettings { agreed_for: SECOND, probability: 0.5, surely_within: 20 * SECOND }
}

fn shown(agreement: &Agreement) -> (&str, &str) {
    (agreement.stable().reveal(), agreement.tentative().reveal())
}

/// Stable and tentative text after these hypotheses, each a second longer than the one before.
fn after(texts: &[(&str, f32)]) -> (String, String) {
    let mut agreement = Agreement::new(settings());
    for ((text, probability), second) in texts.iter().zip(1..) {
        agreement.update(&hypothesis(text, *probability), second * SECOND);
    }
    let (stable, tentative) = shown(&agreement);
    (stable.to_owned(), tentative.to_owned())
}

fn both(stable: &str, tentative: &str) -> (String, String) {
    (stable.to_owned(), tentative.to_owned())
}

#[test]
fn what_hypotheses_agree_on_for_long_enough_is_stable() {
    assert_eq!(after(&[("頭暈", 0.9)]), both("", "頭暈"));
    assert_eq!(after(&[("頭暈", 0.9), ("頭痛三日", 0.9)]), both("頭", "痛三日"));
    assert_eq!(after(&[("頭暈", 0.9), ("頭痛三日", 0.9), ("頭痛三日喇", 0.9)]), both("頭痛三日", "喇"));
    let mut agreement = Agreement::new(settings());
    for (text, heard) in [("頭痛", SECOND), ("頭痛", SECOND * 3 / 2), ("頭痛三", 2 * SECOND), ("頭痛三日", SECOND * 5 / 2)]
    {
        agreement.update(&hypothesis(text, 0.9), heard);
    }
    assert_eq!(shown(&agreement), ("頭痛", "三日"));
    // The same hypothesis twice is no agreement: nothing more was heard.
    let mut agreement = Agreement::new(AgreementSettings { agreed_for: 0, ..settings() });
    agreement.update(&hypothesis("頭痛", 0.9), SECOND);
    agreement.update(&hypothesis("頭痛", 0.9), SECOND);
    assert_eq!(shown(&agreement), ("", "頭痛"));
}

#[test]
fn what_the_model_doubts_is_not_stable_nor_is_what_follows_it() {
    let mut doubted = hypothesis("頭痛三日", 0.9);
    doubted.words[2].probability = 0.2;
    let mut agreement = Agreement::new(settings());
    agreement.update(&doubted, SECOND);
    agreement.update(&doubted, 3 * SECOND);
    assert_eq!(shown(&agreement), ("頭痛", "三日"));
}

#[test]
fn no_word_is_cut_and_no_mark_ends_what_is_stable() {
    assert_eq!(after(&[("take panad", 0.9), ("take panadol now", 0.9)]), both("take", " panadol now"));
    assert_eq!(after(&[("頭痛。", 0.9), ("頭痛。", 0.9)]), both("頭痛", "。"));
    assert_eq!(after(&[("頭痛, 三日", 0.9), ("頭痛, 三日", 0.9)]), both("頭痛, 三日", ""));
}

#[test]
fn text_that_was_stable_stays_and_goes_on_where_a_later_hypothesis_is_most_like_it() {
    let beginning = [("頭痛咗三", 0.9), ("頭痛咗三日", 0.9)];
    assert_eq!(after(&beginning), both("頭痛咗三", "日"));
    let contradicted = [beginning[0], beginning[1], ("頭暈咗三日喇", 0.9)];
    assert_eq!(after(&contradicted), both("頭痛咗三", "日喇"));
    let went_on = [contradicted[0], contradicted[1], contradicted[2], ("頭暈咗三日喇", 0.9)];
    assert_eq!(after(&went_on), both("頭痛咗三日喇", ""));
    // Nothing in common: it is shown, and never stable.
    let other = [beginning[0], beginning[1], ("食早餐未呀你", 0.9), ("食早餐未呀你", 0.9)];
    assert_eq!(after(&other).0, "頭痛咗三");
}

#[test]
fn what_may_be_cut_off_is_not_stable_until_it_is_complete() {
    let long: String = "頭痛".repeat(50);
    let mut agreement = Agreement::new(settings());
    agreement.update(&hypothesis(&long, 0.9), 25 * SECOND);
    agreement.update(&hypothesis(&long, 0.9), 26 * SECOND);
    assert_eq!(agreement.stable().chars(), 80);
    let untimed = Hypothesis { text: long.as_str().into(), ..Hypothesis::default() };
    let mut without_times = Agreement::new(settings());
    without_times.update(&untimed, 25 * SECOND);
    without_times.update(&untimed, 26 * SECOND);
    assert_eq!(without_times.stable().chars(), 0);
    agreement.complete(&hypothesis(&long, 0.9));
    assert_eq!(shown(&agreement), (long.as_str(), ""));
}

#[test]
fn nothing_shows_in_debug_output() {
    let mut agreement = Agreement::new(settings());
    agreement.update(&hypothesis("頭", 0.9), SECOND);
    assert!(!format!("{agreement:?}").contains('頭'));
}

/// Texts that are much alike, as hypotheses are, and some that are not.
fn texts() -> impl Strategy<Value = Vec<(String, f32)>> {
    let text = prop::collection::vec(prop::sample::select(vec!['頭', '痛', 'a', 'b', ' ', ',']), 0..12);
    prop::collection::vec((text.prop_map(String::from_iter), 0.0_f32..1.0), 1..12)
}

proptest! {
    #[test]
    fn stable_only_ever_grows_by_appending(texts in texts(), step in 1_usize..20_000, complete in any::<bool>()) {
        let mut agreement = Agreement::new(settings());
        let mut before = String::new();
        for ((text, probability), heard) in texts.iter().zip((step..).step_by(step)) {
            agreement.update(&hypothesis(text, *probability), heard);
            let (stable, tentative) = shown(&agreement);
            prop_assert!(stable.starts_with(&before));
            prop_assert!(text.ends_with(tentative));
            before = stable.to_owned();
        }
        if complete {
            let text = &texts[0].0;
            agreement.complete(&hypothesis(text, 0.1));
            prop_assert!(shown(&agreement).0.starts_with(&before));
            prop_assert!(!before.is_empty() || shown(&agreement) == (text.as_str(), ""));
        }
    }

    #[test]
    fn the_same_text_again_and_again_becomes_stable_whole(text in "[頭痛a ]{0,10}[頭痛]") {
        let mut agreement = Agreement::new(settings());
        for second in 1..4 {
            agreement.update(&hypothesis(&text, 0.9), second * SECOND);
        }
        prop_assert_eq!(shown(&agreement), (text.as_str(), ""));
    }

    #[test]
    fn the_most_alike_beginning_is_found(a in "[ab]{0,6}", b in "[abc]{0,8}") {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        let (edits, end) = most_alike(&a, &b);
        let plain = |b: &[char]| {
            let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
            for (i, x) in a.iter().enumerate() {
                let mut row = vec![i + 1];
                for (j, y) in b.iter().enumerate() {
                    row.push((rows[i][j + 1] + 1).min(row[j] + 1).min(rows[i][j] + usize::from(x != y)));
                }
                rows.push(row);
            }
            rows[a.len()][b.len()]
        };
        let all: Vec<usize> = (0..=b.len()).map(|end| plain(&b[..end])).collect();
        prop_assert_eq!(edits, *all.iter().min().unwrap());
        prop_assert_eq!(end, all.iter().rposition(|found| *found == edits).unwrap());
    }
}
