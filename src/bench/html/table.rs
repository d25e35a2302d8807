//! All figures, a row a setting; on a phone a card a setting.

use super::super::Spread;
use super::super::report::{Measured, Report};
use super::super::summary::rooms;
use super::markup::{escape, time};

/// What fills a cell; nothing where it was not measured.
type Cell = fn(&Measured) -> Option<String>;

/// The columns after the setting's name.
const COLUMNS: [(&str, Cell); 8] = [
    ("Rooms real-time", |setting| setting.rooms.map(rooms)),
    ("Error rate", |setting| {
        setting.accuracy.map(|accuracy| format!("{:.1}% ({})", accuracy.error_rate_percent, accuracy.recordings))
    }),
    ("Real-time factor", |setting| setting.speed.map(|speed| format!("{:.3}", speed.real_time_factor))),
    ("Endpoint to final, p50 / p95 / p99", |setting| spread(setting.one_room()?.endpoint_to_final)),
    ("End of speech to final, p50 / p95 / p99", |setting| spread(setting.one_room()?.speech_end_to_final)),
    ("Speech to first words, p50 / p95 / p99", |setting| spread(setting.one_room()?.speech_start_to_partial)),
    ("Start to text", |setting| setting.cold_start.map(|start| time(start.first_text_ms))),
    ("Peak memory", |setting| setting.cold_start?.peak_memory_bytes.map(|bytes| format!("{:.0} MB", bytes as f64 / 1e6))),
];

/// The table, with what could not be measured below it.
pub(super) fn table(report: &Report) -> String {
    let header: String = COLUMNS.iter().map(|(name, _)| format!("<th scope=\"col\">{name}</th>")).collect();
    let rows: String = report.settings.iter().map(row).collect();
    let failures: String = report
        .settings
        .iter()
        .filter_map(|setting| Some((setting, setting.failure.as_ref()?)))
        .map(|(setting, failure)| format!("<p class=\"card warning\">{}: {}</p>\n", escape(&setting.name()), escape(failure)))
        .collect();
    format!(
        "<h2>All settings</h2>\n<p class=\"faint\">The three times are those of one live room. A number in brackets says how many recordings \
         or utterances a figure rests on; a + that more rooms were not tried.</p>\n<table>\n<thead><tr><th scope=\"col\">Setting</th>{header}\
         </tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n{failures}"
    )
}

fn row(setting: &Measured) -> String {
    let cells: String = COLUMNS
        .iter()
        .map(|(name, value)| {
            let value = value(setting).unwrap_or_else(|| "–".to_owned());
            format!("<td data-label=\"{name}\">{}</td>", escape(&value))
        })
        .collect();
    format!("<tr><td>{}</td>{cells}</tr>\n", escape(&setting.name()))
}

fn spread(spread: Option<Spread>) -> Option<String> {
    let Spread { count, p50_ms, p95_ms, p99_ms, .. } = spread?;
    Some(format!("{p50_ms:.0} / {p95_ms:.0} / {p99_ms:.0} ms ({count})"))
}
