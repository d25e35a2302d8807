//! Times that never go back.

/// Times as a forced aligner tells them, mended (`qwen_asr/inference/qwen3_forced_aligner.py`, `fix_timestamp`): the longest
/// subsequence that never falls stays; what stands between is moved, one or two to the nearer neighbour, more evenly between both.
#[must_use]
pub fn in_order(given: &[f64]) -> Vec<f64> {
    let kept = longest_rise(given);
    let mut mended: Vec<f64> = Vec::with_capacity(given.len());
    while mended.len() < given.len() {
        let place = mended.len();
        let wrong = kept.iter().skip(place).take_while(|kept| !**kept).count();
        let (before, after) = (mended.last().copied(), given.get(place + wrong).copied());
        mended.extend((1..=wrong).map(|step| between((before, after), step, wrong)));
        mended.extend(after);
    }
    mended
}

/// The `step`th of so many wrong times between two right ones, from 1 on.
fn between(neighbours: (Option<f64>, Option<f64>), step: usize, wrong: usize) -> f64 {
    match neighbours {
        (Some(before), Some(after)) if wrong <= 2 => {
            if 2 * step <= wrong + 1 {
                before
            } else {
                after
            }
        }
        (Some(before), Some(after)) => before + (after - before) / (wrong + 1) as f64 * step as f64,
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => 0.0,
    }
}

/// Whether each time is one of the longest subsequence that never falls: of equally long ones that which ends first.
fn longest_rise(given: &[f64]) -> Vec<bool> {
    // Of each place the length of the longest that ends there, and the place before it.
    let mut ends: Vec<(usize, Option<usize>)> = Vec::with_capacity(given.len());
    for time in given {
        let mut best = (1, None);
        for (place, (earlier, (length, _))) in given.iter().zip(&ends).enumerate() {
            if earlier <= time && *length >= best.0 {
                best = (length + 1, Some(place));
            }
        }
        ends.push(best);
    }
    let longest = ends.iter().map(|end| end.0).max();
    let mut next = ends.iter().position(|end| Some(end.0) == longest);
    let mut kept = vec![false; given.len()];
    while let Some(place) = next {
        if let Some(kept) = kept.get_mut(place) {
            *kept = true;
        }
        next = ends.get(place).and_then(|end| end.1);
    }
    kept
}
