use super::super::report::{ColdStart, Measured, RoomsFound, Speed, Used};
use super::super::{Machine, REPORT_SCHEMA, Setting, Spread, Step};
use super::*;
use crate::speech::model::Precision;

fn step(rooms: usize, p50_ms: f64, real_time: bool) -> Step {
    let spread = Some(Spread { count: 9, p50_ms, p95_ms: 2.0 * p50_ms, p99_ms: 3.0 * p50_ms, longest_ms: 3.0 * p50_ms });
    Step {
        rooms,
        seconds: 15.0,
        speech_share: 0.71,
        real_time,
        broken: Vec::new(),
        utterances: 9,
        without_text: 1,
        speech_end_to_final: spread,
        endpoint_to_final: spread,
        speech_start_to_partial: spread,
        without_look: spread,
        growth_ms: 0.0,
        drain_ms: 100.0,
    }
}

/// A report with a model of that name.
fn report(model: &str) -> Report {
    let setting = Setting { model: model.to_owned(), precision: Precision::Balanced, threads: 2 };
    let mut measured = Measured::new(&setting, "00");
    measured.speed = Some(Speed { recordings: 62, seconds: 264.0, real_time_factor: 0.31 });
    measured.cold_start =
        Some(ColdStart { starts: 3, recording_seconds: 5.0, first_text_ms: 1234.0, peak_memory_bytes: Some(350_000_000) });
    measured.rooms = Some(RoomsFound { most: 4, failed: Some(5), exact: true });
    measured.curve = vec![step(1, 210.0, true), step(2, 300.0, true), step(4, 700.0, true), step(5, 4000.0, false)];
    let settings = vec![measured];
    Report {
        schema: REPORT_SCHEMA,
        version: "0.1.0",
        at: "2026-11-25T08:00:00Z".to_owned(),
        took_seconds: 540.0,
        complete: true,
        machine: Machine::describe(),
        device: "cpu",
        recordings: Used { listed: 62, used: 62, seconds: 264.0, language: "yue".into(), transcripts: true, compared: 62 },
        recommendation: super::super::recommend::recommend(&settings),
        settings,
    }
}

/// Each opening tag of a page has its closing one, in order.
fn is_balanced(page: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        let name = tag.split([' ', '/']).next().unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            if open.pop() != Some(closed) {
                return false;
            }
        } else if !tag.ends_with('/') && !tag.starts_with('!') && name != "meta" {
            open.push(name);
        }
    }
    open.is_empty()
}

#[test]
fn a_page_is_whole_and_names_nothing_outside_it() {
    let page = page(&report("whisper-base"));
    assert!(is_balanced(&page), "{page}");
    for outside in ["http:", "https:", "src=", "url(", "<script", "@import", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    for told in ["whisper-base", "rooms at once", "endpoint to final (s)", "4 rooms", "0.310", "350 MB", "1.23 s"] {
        assert!(page.contains(told), "{told}");
    }
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn what_a_name_holds_is_no_markup() {
    let page = page(&report("<b onclick=\"x\">&'"));
    assert!(is_balanced(&page) && !page.contains("<b on"));
    assert!(page.contains("&lt;b onclick=&quot;x&quot;&gt;&amp;&#39;"));
    assert_eq!(escape("a\u{0}b\n<"), "a b &lt;");
}

#[test]
fn a_run_that_was_stopped_at_once_gives_a_page_that_says_so() {
    let mut stopped = report("whisper-base");
    stopped.settings.clear();
    stopped.complete = false;
    stopped.recommendation = None;
    let page = page(&stopped);
    assert!(is_balanced(&page) && page.contains("incomplete") && page.contains("Nothing is recommended"));
}

#[test]
fn every_mark_lies_in_the_plot() {
    let mut wide = report("whisper-base");
    wide.settings[0].curve.extend([step(300, 90_000.0, false), step(512, 0.0, true)]);
    let page = page(&wide);
    for place in page.split("cx=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        let x: f64 = place.parse().unwrap();
        assert!((0.0..=360.0).contains(&x), "{x}");
    }
    for place in page.split("cy=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        let y: f64 = place.parse().unwrap();
        assert!((0.0..=250.0).contains(&y), "{y}");
    }
}

#[test]
fn json_escapes_what_a_name_holds_and_has_no_scores() {
    let text = serde_json::to_string(&report("a\"b\\c\n")).unwrap();
    assert!(text.contains(r#""model":"a\"b\\c\n""#));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["schema"], REPORT_SCHEMA);
    assert_eq!(value["settings"][0]["rooms"]["most"], 4);
    assert_eq!(value["settings"][0]["curve"][3]["real_time"], false);
    assert!(value["settings"][0].get("scores").is_none());
}
