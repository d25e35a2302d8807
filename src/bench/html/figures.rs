//! Bars: the settings side by side, one figure at a time.

use super::super::report::{Measured, Report};
use super::super::summary::rooms;
use super::markup::{escape, time};

/// Bars for what can be compared at a glance. A figure that no setting has is left out.
pub(super) fn bars(report: &Report) -> String {
    let over = format!("less is better; over {} recordings", report.recordings.compared);
    let figures = [
        figure(report, "Rooms at once that stay real-time", "more is better", |setting| {
            setting.rooms.map(|found| (found.most as f64, rooms(found)))
        }),
        figure(report, "Character error rate, in %", &over, |setting| {
            setting.error_rate().map(|rate| (rate, format!("{rate:.1}%")))
        }),
        figure(report, "Endpoint to final with one room, p95", "less is better", |setting| {
            setting.final_p95_ms().map(|late| (late, time(late)))
        }),
        figure(report, "Real-time factor: work for a second of sound", "less is better", |setting| {
            setting.speed.map(|speed| (speed.real_time_factor, format!("{:.3}", speed.real_time_factor)))
        }),
        figure(report, "Start of the program to text", "less is better", |setting| {
            setting.cold_start.map(|start| (start.first_text_ms, time(start.first_text_ms)))
        }),
        figure(report, "Peak memory, in MB", "less is better", |setting| {
            let megabytes = setting.cold_start?.peak_memory_bytes? as f64 / 1e6;
            Some((megabytes, format!("{megabytes:.0} MB")))
        }),
    ];
    format!("<h2>Side by side</h2>\n<div class=\"figures\">\n{}</div>\n", figures.concat())
}

fn figure(report: &Report, title: &str, better: &str, value: fn(&Measured) -> Option<(f64, String)>) -> String {
    let values: Vec<(String, f64, String)> =
        report.settings.iter().filter_map(|setting| value(setting).map(|(value, text)| (setting.name(), value, text))).collect();
    let most = values.iter().map(|(_, value, _)| *value).fold(0.0, f64::max);
    if values.is_empty() {
        return String::new();
    }
    let bar = |(name, value, text): &(String, f64, String)| {
        let width = if most > 0.0 { 100.0 * value / most } else { 0.0 };
        format!(
            "<div class=\"bar\"><div class=\"name\"><span>{}</span><span>{}</span></div>\
             <div class=\"track\"><span class=\"fill\" style=\"width:{width:.1}%\"></span></div></div>\n",
            escape(name),
            escape(text)
        )
    };
    let bars: String = values.iter().map(bar).collect();
    format!(
        "<figure>\n<figcaption><h3>{title}</h3><p class=\"faint\">{better}</p></figcaption>\n<div class=\"bars\">\n{bars}</div>\n</figure>\n"
    )
}
