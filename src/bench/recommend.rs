//! Which model to run, and how many rooms, with the reason.

use serde::Serialize;

use super::report::{Measured, threads};

/// Error rates this close are taken for equal, in points: few recordings tell no smaller difference.
const EQUAL_POINTS: f64 = 1.0;
/// Share of the rooms found that is recommended: other programs, long talks and fall-backs need the rest.
const SHARE_OF_ROOMS: f64 = 0.8;

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recommendation {
    /// The model's name.
    pub model: String,
    /// `exact`, `balanced` or `fast`.
    pub precision: &'static str,
    /// Threads for one utterance.
    pub threads: usize,
    /// Rooms at once.
    pub rooms: usize,
    /// Why, in a sentence.
    pub reason: String,
    /// What a hospital gives up or gains with another setting, where one carries more rooms.
    pub otherwise: Option<String>,
}

/// The setting with the most rooms among those whose texts are as right as the best; nothing when none carries a room.
pub(super) fn recommend(settings: &[Measured]) -> Option<Recommendation> {
    let rooms = |setting: &Measured| setting.rooms.map_or(0, |rooms| rooms.most);
    let able: Vec<&Measured> = settings.iter().filter(|setting| rooms(setting) > 0).collect();
    let best = able.iter().filter_map(|setting| setting.error_rate()).min_by(f64::total_cmp);
    // What was not scored cannot be as right as what was.
    let right = |setting: &&&Measured| match best {
        Some(best) => setting.error_rate().is_some_and(|rate| rate <= best + EQUAL_POINTS),
        None => true,
    };
    let rate = |setting: &Measured| setting.error_rate().unwrap_or(f64::INFINITY);
    let late = |setting: &Measured| setting.final_p95_ms().unwrap_or(f64::INFINITY);
    let chosen = able.iter().filter(right).copied().reduce(|a, b| {
        let order = rooms(a).cmp(&rooms(b)).then(rate(b).total_cmp(&rate(a))).then(late(b).total_cmp(&late(a)));
        if order.is_ge() { a } else { b }
    })?;
    let most = rooms(chosen);
    let advised = ((most as f64 * SHARE_OF_ROOMS) as usize).max(1);
    let more = able.iter().copied().filter(|other| rooms(other) > most).max_by_key(|other| rooms(other));
    Some(Recommendation {
        model: chosen.model.clone(),
        precision: chosen.precision,
        threads: chosen.threads,
        rooms: advised,
        reason: reason(chosen, best, most, advised),
        otherwise: more.map(|other| {
            let rate = other.error_rate().map_or_else(String::new, |rate| format!(", but gets {rate:.1}% of characters wrong"));
            format!("{} carries {} rooms{rate}.", other.name(), rooms(other))
        }),
    })
}

fn reason(chosen: &Measured, best: Option<f64>, most: usize, advised: usize) -> String {
    let accuracy = match (chosen.error_rate(), best) {
        (Some(rate), Some(best)) if rate <= best => format!("No other gets fewer characters wrong ({rate:.1}%)"),
        (Some(rate), Some(best)) => {
            format!("It gets {rate:.1}% of characters wrong, which is within {EQUAL_POINTS:.0} point of the best ({best:.1}%)")
        }
        _ => "How right the texts are was not measured".to_owned(),
    };
    let carried = if most == 1 { "1 room stays".to_owned() } else { format!("{most} rooms stay") };
    let kept = match most - advised {
        0 => "there is nothing in reserve".to_owned(),
        reserve => format!("{advised} leaves {reserve} in reserve"),
    };
    let searched = if chosen.rooms.is_some_and(|rooms| rooms.exact) { "" } else { " (more were not tried)" };
    format!("{accuracy}, and with {} {carried} real-time at once{searched}; {kept}.", threads(chosen.threads))
}

#[cfg(test)]
mod tests {
    use super::super::Setting;
    use super::super::report::{Accuracy, RoomsFound};
    use super::*;
    use crate::speech::model::Precision;

    fn measured(model: &str, most: usize, rate: Option<f64>) -> Measured {
        let setting = Setting { model: model.into(), precision: Precision::Balanced, threads: 2 };
        let mut measured = Measured::new(&setting, "");
        measured.rooms = Some(RoomsFound { most, failed: Some(most + 1), exact: true });
        measured.accuracy = rate.map(|rate| Accuracy {
            recordings: 1,
            characters: 1,
            error_rate_percent: rate,
            compared_error_rate_percent: Some(rate),
        });
        measured
    }

    #[test]
    fn the_most_rooms_among_the_most_right() {
        let settings =
            [measured("right", 3, Some(20.0)), measured("as-right", 10, Some(20.9)), measured("wrong", 40, Some(45.0))];
        let found = recommend(&settings).unwrap();
        assert_eq!((found.model.as_str(), found.rooms), ("as-right", 8));
        assert!(found.reason.contains("20.9%") && found.reason.contains("2 in reserve"), "{}", found.reason);
        let otherwise = found.otherwise.unwrap();
        assert!(otherwise.contains("wrong") && otherwise.contains("40 rooms") && otherwise.contains("45.0%"), "{otherwise}");
    }

    #[test]
    fn what_carries_no_room_is_never_recommended() {
        let settings = [measured("right-but-slow", 0, Some(5.0)), measured("able", 1, Some(45.0))];
        let found = recommend(&settings).unwrap();
        assert_eq!((found.model.as_str(), found.rooms, found.otherwise), ("able", 1, None));
        assert!(found.reason.contains("1 room stays"), "{}", found.reason);
        assert_eq!(recommend(&settings[..1]), None);
        assert_eq!(recommend(&[]), None);
    }

    #[test]
    fn equals_are_told_apart_by_their_error_rate_and_the_first_wins_in_the_end() {
        let found = |rates: [f64; 2]| recommend(&[measured("a", 4, Some(rates[0])), measured("b", 4, Some(rates[1]))]).unwrap();
        assert_eq!(found([20.5, 20.0]).model, "b");
        assert_eq!(found([20.0, 20.0]).model, "a");
    }

    #[test]
    fn without_transcripts_rooms_decide_and_the_reason_says_so() {
        let found = recommend(&[measured("a", 2, None), measured("b", 4, None)]).unwrap();
        assert_eq!((found.model.as_str(), found.rooms), ("b", 3));
        assert!(found.reason.contains("not measured"), "{}", found.reason);
    }
}
