//! The report in a few lines of text, for a terminal.

use std::fmt::Write as _;

use super::report::{Measured, Report, RoomsFound};

/// Names of the columns; percentiles are those of one live room.
const HEADER: [&str; 10] =
    ["model", "precision", "threads", "RTF", "CER %", "final p95 ms", "first words p50 ms", "memory MB", "start ms", "rooms"];

/// A line a setting, then what to run. Columns are aligned.
#[must_use]
pub fn summary(report: &Report) -> String {
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(report.settings.iter().map(row));
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADER.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| if column < 2 { format!("{cell:<width$}") } else { format!("{cell:>width$}") });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    for setting in &report.settings {
        if let Some(failure) = &setting.failure {
            let _ = writeln!(text, "{}: not measured further: {failure}", setting.name());
        }
    }
    if !report.complete {
        text.push_str("This run is incomplete.\n");
    }
    match &report.recommendation {
        Some(advice) => {
            let rooms = if advice.rooms == 1 { "1 room".to_owned() } else { format!("{} rooms", advice.rooms) };
            let threads = super::report::threads(advice.threads);
            let _ = writeln!(text, "Recommended: {}, {}, {threads}: {rooms}. {}", advice.model, advice.precision, advice.reason);
            if let Some(otherwise) = &advice.otherwise {
                let _ = writeln!(text, "{otherwise}");
            }
        }
        None => text.push_str("Nothing is recommended: no setting was seen to keep one room real-time. Longer trials (--thorough) judge more finely.\n"),
    }
    text
}

fn row(setting: &Measured) -> [String; 10] {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let whole = |value: f64| format!("{value:.0}");
    let one_room = setting.one_room();
    [
        setting.model.clone(),
        setting.precision.to_owned(),
        setting.threads.to_string(),
        or_dash(setting.speed.map(|speed| format!("{:.3}", speed.real_time_factor))),
        or_dash(setting.accuracy.map(|accuracy| format!("{:.1}", accuracy.error_rate_percent))),
        or_dash(one_room.and_then(|step| step.endpoint_to_final).map(|spread| whole(spread.p95_ms))),
        or_dash(one_room.and_then(|step| step.speech_start_to_partial).map(|spread| whole(spread.p50_ms))),
        or_dash(setting.cold_start.and_then(|start| start.peak_memory_bytes).map(|bytes| whole(bytes as f64 / 1e6))),
        or_dash(setting.cold_start.map(|start| whole(start.first_text_ms))),
        or_dash(setting.rooms.map(rooms)),
    ]
}

/// `8`, or `8+` when more were not tried.
pub(super) fn rooms(found: RoomsFound) -> String {
    if found.exact { found.most.to_string() } else { format!("{}+", found.most) }
}
