//! The report as one page: no script, nothing outside it, light and dark, from a phone to a screen.

mod curve;
mod figures;
mod markup;
mod table;

use self::markup::{escape, plural};
use super::report::{Report, threads};

const STYLE: &str = include_str!("html/style.css");

/// The whole page.
#[must_use]
pub fn page(report: &Report) -> String {
    let parts = [
        head(report),
        advice(report),
        about(report),
        table::table(report),
        figures::bars(report),
        curve::curves(report),
        method(report),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>cantoscribe bench</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
        parts.concat()
    )
}

fn head(report: &Report) -> String {
    let when = escape(&report.at.replace('T', " ").replace('Z', " UTC"));
    let minutes = report.took_seconds / 60.0;
    let mut text = format!(
        "<h1>What this machine can hear</h1>\n<p class=\"faint\">cantoscribe {} bench, {when}, {minutes:.1} minutes</p>\n",
        escape(report.version)
    );
    if !report.complete {
        text.push_str("<p class=\"card warning\">This run is incomplete: it was stopped, or something failed. What is below was measured.</p>\n");
    }
    if report.machine.was_busy() {
        text.push_str("<p class=\"card warning\">Something else was using this machine: it can do more than is shown.</p>\n");
    }
    text
}

fn advice(report: &Report) -> String {
    let Some(advice) = &report.recommendation else {
        return "<p class=\"card warning\">Nothing is recommended: no setting was seen to keep one room real-time. Longer trials (--thorough) judge more finely.</p>\n"
            .to_owned();
    };
    let otherwise = advice.otherwise.as_deref().map(|text| format!("<p>{}</p>\n", escape(text))).unwrap_or_default();
    format!(
        "<section class=\"card advice\">\n<p><strong>{}, {}, {}: {}</strong></p>\n<p>{}</p>\n{otherwise}</section>\n",
        escape(&advice.model),
        advice.precision,
        threads(advice.threads),
        plural(advice.rooms, "room"),
        escape(&advice.reason)
    )
}

fn about(report: &Report) -> String {
    let (machine, used) = (&report.machine, &report.recordings);
    let memory = machine
        .memory_bytes
        .map_or_else(|| "unknown".to_owned(), |bytes| format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64));
    let sets = if machine.instruction_sets.is_empty() {
        "none that matter here".to_owned()
    } else {
        machine.instruction_sets.join(", ")
    };
    let transcripts = if used.transcripts { "with transcripts" } else { "without transcripts" };
    let all = if used.used < used.listed { format!(" (of {} named)", used.listed) } else { String::new() };
    let rows = [
        ("Processor", machine.processor.clone().unwrap_or_else(|| "unknown".to_owned())),
        ("Cores", machine.cores.to_string()),
        ("Instruction sets", sets),
        ("Memory", memory),
        ("System", machine.system.clone()),
        ("Models ran on", if report.device == "cpu" { "the processor".to_owned() } else { format!("a GPU ({})", report.device) }),
        ("Load before", machine.load_before.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.2} processes"))),
        ("Recordings", format!("{}{all}, {:.0} s, {transcripts}, language {}", used.used, used.seconds, used.language)),
    ];
    let rows: String = rows.iter().map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escape(value))).collect();
    format!("<h2>Machine and recordings</h2>\n<dl>\n{rows}</dl>\n")
}

/// What each figure means, so that a page that is passed on explains itself.
fn method(report: &Report) -> String {
    let share = report.settings.iter().flat_map(|setting| &setting.curve).map(|step| step.speech_share).fold(f64::NAN, f64::min);
    let spoken = if share.is_nan() { String::new() } else { format!(" (here at least {:.0}% of the time)", share * 100.0) };
    format!(
        "<h2>How it was measured</h2>\n\
         <p>A live room is the program's own, in this process: its sound is sent at the speed it is spoken, kept sealed on disk, heard, \
         and erased afterwards. In each, somebody speaks about 70% of the time{spoken}, with what is said in the recordings.</p>\n\
         <p>Rooms <b>stay real-time</b> when of a hundred finals 95 are there within 1.5 s of the endpoint, finals do not come ever later, \
         speech is looked at every 2 s in 95 of a hundred utterances, and all is heard in the end. \
         Utterances that gave no text count too.</p>\n\
         <p><b>Endpoint to final</b> begins when the room has the sound that tells that the utterance is over; <b>end of speech to final</b> \
         begins with its last sound, and holds the pause of 640 ms. <b>Speech to first words</b> begins with its first sound. \
         p50, p95 and p99: so many of a hundred were no longer; with few utterances the upper ones are simply the longest.</p>\n\
         <p><b>Real-time factor</b>: seconds of work for a second of sound, whole recordings, the model being loaded. <b>Error rate</b>: wrong \
         characters for a hundred of the transcripts', Traditional and Simplified taken for the same, without punctuation. <b>Start</b> and \
         <b>memory</b>: a process of its own on one short recording, from its start to its text, the file cache warm; mapped weights \
         count as memory.</p>\n"
    )
}

#[cfg(test)]
mod tests;
