//! How long finals take with more and more rooms: a plot a setting, all with the same axes.
//!
//! Drawn here and not by a crate: colours must follow the reader's light or dark page, and letters must be as large on a phone as
//! on a screen.

use std::fmt::Write as _;

use super::super::live::LATEST_FINAL;
use super::super::report::{Measured, Report};
use super::super::spread::milliseconds;
use super::super::{Spread, Step};
use super::markup::{escape, plural, time};

/// Size of a plot in its own units: a phone shows about as many pixels.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 250.0;
/// Where the plotted area begins and ends: around it stand the axes' numbers and names.
const LEFT: f64 = 52.0;
const RIGHT: f64 = WIDTH - 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = HEIGHT - 44.0;
/// Between the area's sides and the first and last mark, so that no mark stands on a number.
const INSET: f64 = 12.0;

/// The axes, both logarithmic.
struct Axes {
    most_rooms: f64,
    /// Milliseconds.
    shortest: f64,
    longest: f64,
}

impl Axes {
    /// Wide enough for everything measured, and for the limit.
    fn of(report: &Report) -> Self {
        let steps = || report.settings.iter().flat_map(|setting| &setting.curve);
        let times = || steps().filter_map(|step| step.endpoint_to_final).flat_map(|spread| [spread.p50_ms, spread.p95_ms]);
        let rooms = steps().map(|step| step.rooms).max().unwrap_or(1).max(2);
        Self {
            most_rooms: rooms.next_power_of_two() as f64,
            shortest: times().fold(200.0, f64::min).max(1.0) * 0.8,
            longest: times().fold(2.0 * milliseconds(LATEST_FINAL), f64::max) * 1.2,
        }
    }

    fn x(&self, rooms: usize) -> f64 {
        LEFT + INSET + (RIGHT - LEFT - 2.0 * INSET) * (rooms.max(1) as f64).log2() / self.most_rooms.log2()
    }

    fn y(&self, ms: f64) -> f64 {
        let share = (ms.clamp(self.shortest, self.longest) / self.shortest).ln() / (self.longest / self.shortest).ln();
        BOTTOM - (BOTTOM - TOP) * share
    }

    /// Powers of two; every other one where they would stand too close.
    fn room_ticks(&self) -> impl Iterator<Item = usize> {
        let count = self.most_rooms.log2() as usize;
        let every = if count > 6 { 2 } else { 1 };
        (0..=count).step_by(every).map(|power| 1 << power)
    }

    /// 1, 2, 5, 10 and so on, in milliseconds; powers of ten alone where they would stand too close.
    fn time_ticks(&self) -> Vec<f64> {
        let wide = self.longest / self.shortest > 300.0;
        let leading: &[f64] = if wide { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all = (0..6).flat_map(|power| leading.iter().map(move |digit| digit * 10_f64.powi(power)));
        all.filter(|ms| (self.shortest..=self.longest).contains(ms)).collect()
    }
}

/// The plots of all settings that were tried live.
pub(super) fn curves(report: &Report) -> String {
    let axes = Axes::of(report);
    let plots: String =
        report.settings.iter().filter(|setting| !setting.curve.is_empty()).map(|setting| plot(setting, &axes)).collect();
    if plots.is_empty() {
        return String::new();
    }
    let key = [
        ("<path class=\"middle\" d=\"M1 7H33\"/><circle class=\"middle mark\" cx=\"17\" cy=\"7\" r=\"4\"/>", "p50"),
        ("<path class=\"tail\" d=\"M1 7H33\"/><rect class=\"tail mark\" x=\"13\" y=\"3\" width=\"8\" height=\"8\"/>", "p95"),
        ("<line class=\"limit\" x1=\"1\" y1=\"7\" x2=\"33\" y2=\"7\"/>", "limit for p95"),
        (
            "<circle class=\"middle mark missed\" cx=\"9\" cy=\"7\" r=\"4\"/><rect class=\"tail mark missed\" x=\"20\" y=\"3\" width=\"8\" height=\"8\"/>",
            "hollow: did not stay real-time",
        ),
    ];
    let key: String = key
        .iter()
        .map(|(drawn, name)| format!("<li><svg viewBox=\"0 0 34 14\" aria-hidden=\"true\">{drawn}</svg>{name}</li>\n"))
        .collect();
    format!(
        "<h2>Rooms against waiting</h2>\n<p class=\"faint\">From the endpoint of an utterance to its final text, with more and more rooms at \
         once.</p>\n<ul class=\"key\">\n{key}</ul>\n<div class=\"figures\">\n{plots}</div>\n"
    )
}

fn plot(setting: &Measured, axes: &Axes) -> String {
    let name = escape(&setting.name());
    let found = match setting.rooms {
        None => String::new(),
        Some(found) if found.exact => format!("{} at once stay real-time", plural(found.most, "room")),
        Some(found) => format!("{} at once stay real-time; more were not tried", plural(found.most, "room")),
    };
    let mut drawn = grid(axes);
    drawn += &line(axes, &setting.curve, "middle", |spread| spread.p50_ms);
    drawn += &line(axes, &setting.curve, "tail", |spread| spread.p95_ms);
    for step in &setting.curve {
        drawn += &marks(axes, step);
    }
    format!(
        "<figure>\n<figcaption><h3>{name}</h3><p class=\"faint\">{found}</p></figcaption>\n\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{name}: waiting time by number of rooms\">\n{drawn}</svg>\n</figure>\n"
    )
}

fn grid(axes: &Axes) -> String {
    let mut drawn = String::new();
    for rooms in axes.room_ticks() {
        let x = axes.x(rooms);
        let _ = writeln!(drawn, "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{BOTTOM}\"/>");
        let _ = writeln!(drawn, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{rooms}</text>", BOTTOM + 16.0);
    }
    for ms in axes.time_ticks() {
        let y = axes.y(ms);
        let _ = writeln!(drawn, "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>");
        let _ = writeln!(drawn, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 5.0, y + 4.0, seconds(ms));
    }
    let limit = axes.y(milliseconds(LATEST_FINAL));
    let _ = writeln!(drawn, "<line class=\"limit\" x1=\"{LEFT}\" y1=\"{limit:.1}\" x2=\"{RIGHT}\" y2=\"{limit:.1}\"/>");
    let (across, down) = ((LEFT + RIGHT) / 2.0, (TOP + BOTTOM) / 2.0);
    let _ = writeln!(drawn, "<text x=\"{across}\" y=\"{}\" text-anchor=\"middle\">rooms at once</text>", HEIGHT - 8.0);
    let _ = writeln!(
        drawn,
        "<text x=\"12\" y=\"{down}\" text-anchor=\"middle\" transform=\"rotate(-90 12 {down})\">endpoint to final (s)</text>"
    );
    drawn
}

/// Seconds, without needless zeros.
fn seconds(ms: f64) -> String {
    format!("{}", ms / 1000.0)
}

fn line(axes: &Axes, steps: &[Step], class: &str, value: fn(Spread) -> f64) -> String {
    let points: Vec<String> = steps
        .iter()
        .filter_map(|step| Some(format!("{:.1} {:.1}", axes.x(step.rooms), axes.y(value(step.endpoint_to_final?)))))
        .collect();
    if points.len() < 2 { String::new() } else { format!("<path class=\"{class}\" d=\"M{}\"/>\n", points.join("L")) }
}

/// The two marks of a trial, with the figures for whoever points at them.
fn marks(axes: &Axes, step: &Step) -> String {
    let Some(spread) = step.endpoint_to_final else { return String::new() };
    let missed = if step.real_time { "" } else { " missed" };
    let why: Vec<&str> = step.broken.iter().map(|limit| limit.explain()).collect();
    let why = if why.is_empty() { String::new() } else { format!(": {}", why.join(", ")) };
    let x = axes.x(step.rooms);
    let title = |name: &str, ms: f64| {
        format!("<title>{}, {name} {} of {} utterances{why}</title>", plural(step.rooms, "room"), time(ms), spread.count)
    };
    let (middle, tail) = (axes.y(spread.p50_ms), axes.y(spread.p95_ms));
    format!(
        "<circle class=\"middle mark{missed}\" cx=\"{x:.1}\" cy=\"{middle:.1}\" r=\"4\">{}</circle>\n\
         <rect class=\"tail mark{missed}\" x=\"{:.1}\" y=\"{:.1}\" width=\"8\" height=\"8\">{}</rect>\n",
        title("p50", spread.p50_ms),
        x - 4.0,
        tail - 4.0,
        title("p95", spread.p95_ms)
    )
}
