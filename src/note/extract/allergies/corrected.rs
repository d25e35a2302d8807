//! What was told or asked a moment ago is taken back, and another stands in its place.

use std::ops::Range;

use super::super::utterance::Utterance;
use super::{Told, evidence_of, put, substance, substance_named};
use crate::note::AllergyStatus;
use crate::terminology::{Found, Lexicon, TermKind};

/// Words for a slip (folded): 寫錯咗, 講錯.
const SLIPS: [&str; 9] = ["写错", "讲错", "搞错", "记错", "弄错", "打错", "入错", "错咗", "错左"];

/// How many segments back what is corrected was said.
const RECENT: u64 = 2;

/// 病歷寫 aspirin 敏感。寫錯咗,係 ibuprofen; 唔係頭孢,係紅黴素; 唔係對 X 過敏係對 Y 過敏. `asked`: the names that were just asked about.
pub(super) fn corrected(utterance: &Utterance, lexicon: &Lexicon, asked: &[String], all: &mut Vec<Told>) {
    let whole = 0..utterance.chars.len();
    let Some(back) = taken_back(utterance, lexicon, whole.clone()) else { return };
    let instead = utterance
        .within(back.end..whole.end)
        .iter()
        .find(|hit| substance_named(utterance, lexicon, hit) && asserted(utterance, lexicon, hit, back.end));
    let Some(instead) = instead else { return withdrawn(utterance, lexicon, &back, all) };
    let names = |range: Range<usize>| -> Vec<String> {
        utterance.within(range).iter().filter_map(|hit| substance(utterance, hit, lexicon)).map(|name| name.name).collect()
    };
    let recent = |told: &Told| told.evidence.spans().iter().any(|span| utterance.id.saturating_sub(span.segment()) <= RECENT);
    let mut old = names(back.start..instead.start);
    if old.is_empty() {
        old.extend_from_slice(asked);
    }
    if old.is_empty() {
        old.extend(all.iter().rfind(|told| recent(told)).map(|told| told.substance.name.clone()));
    }
    let spoken_of = |name: &String| asked.contains(name) || all.iter().any(|told| told.substance.name == *name && recent(told));
    let of_allergy = utterance.has(lexicon, whole, &[TermKind::Allergy]);
    let (Some(name), Some(evidence)) =
        (substance(utterance, instead, lexicon), evidence_of(utterance, instead.start..instead.end))
    else {
        return;
    };
    if old.is_empty() || !of_allergy && !old.iter().any(spoken_of) {
        return;
    }
    // 蝦食得㗎: what else was said of it holds.
    all.retain(|told| {
        let wrong = old.contains(&told.substance.name) && told.substance.name != name.name;
        !wrong || told.status == AllergyStatus::None && !asked.contains(&told.substance.name)
    });
    put(all, name, AllergyStatus::Present, evidence);
}

/// 病歷話你對盤尼西林敏感。冇呀,搞錯咗: a slip and a denial, and nothing stands in its place.
fn withdrawn(utterance: &Utterance, lexicon: &Lexicon, back: &Range<usize>, all: &mut Vec<Told>) {
    let first = utterance.clauses().first().map(|clause| clause.range.clone()).unwrap_or_default();
    let denied = utterance.has(lexicon, first.clone(), &[TermKind::Negation, TermKind::NotSo]);
    let slip: String = utterance.folded(back.clone()).iter().collect();
    let named = utterance.found.iter().any(|hit| substance_named(utterance, lexicon, hit));
    let before = |told: &&Told| told.evidence.spans().iter().any(|span| span.segment() + 1 == utterance.id);
    let told = all.iter().rfind(before).map(|told| (told.substance.clone(), told.status, told.evidence.clone()));
    let Some((name, AllergyStatus::Present, mut evidence)) = told else { return };
    if !denied || named || !SLIPS.contains(&slip.as_str()) {
        return;
    }
    if let Some(more) = evidence_of(utterance, first.start..back.end) {
        evidence.merge(&more);
    }
    put(all, name, AllergyStatus::None, evidence);
}

/// The words that take something back: a slip, or 唔係 before a name or alone in its clause.
fn taken_back(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> Option<Range<usize>> {
    let slip = range.clone().find_map(|at| {
        SLIPS
            .iter()
            .find(|slip| {
                utterance.chars.iter().skip(at).zip(slip.chars()).filter(|(a, b)| **a == *b).count() == slip.chars().count()
            })
            .map(|slip| at..at + slip.chars().count())
    });
    let denies = |hit: &&Found| {
        let clause = utterance.clause(hit.start).range;
        let rest = utterance.folded(hit.end..clause.end);
        let alone = rest.iter().all(|c| "呀啊喎㗎啦喇嘅 ".contains(*c));
        let words = rest.iter().take_while(|c| matches!(c, '对' | '食' | '系' | ' ')).count();
        let named = utterance.within(hit.end..hit.end + words + 1).iter().any(|next| substance_named(utterance, lexicon, next));
        alone || named
    };
    let denied = utterance.terms(lexicon, range, TermKind::NotSo).find(denies).map(|hit| hit.start..hit.end);
    // No, it's ibuprofen.
    let no = utterance.found.first().filter(|hit| hit.start == 0 && utterance.folded(0..hit.end) == ['n', 'o']);
    let denied = denied.or(no.map(|hit| hit.start..hit.end));
    [slip, denied].into_iter().flatten().min_by_key(|range| range.start)
}

/// 係 Y, 係對 Y 過敏, 應該係 Y: what stands right before the name, behind a place, says that it is so.
fn asserted(utterance: &Utterance, lexicon: &Lexicon, hit: &Found, behind: usize) -> bool {
    let lead = utterance.folded(behind..hit.start);
    if ["it's ", "it is ", "it was "].iter().any(|is| lead.iter().collect::<String>().ends_with(is)) {
        return true;
    }
    let skipped = lead.iter().rev().take_while(|c| matches!(c, ' ' | '对' | '嗰' | '只' | '叫')).count();
    let Some(at) = hit.start.checked_sub(skipped + 1).filter(|at| *at >= behind) else { return false };
    let is = matches!(utterance.chars.get(at), Some('系'));
    let other = [TermKind::NotSo, TermKind::Question];
    let of_other = |other: &Found| other.start <= at && at < other.end;
    is && !other.iter().any(|kind| utterance.terms(lexicon, at.saturating_sub(3)..at + 1, *kind).any(of_other))
}
