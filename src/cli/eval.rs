//! `cantoscribe eval notes`: the figures of the shared set's scorer, and what was missed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use super::output::print;
use crate::note::evaluate::{Figures, Item, Listed, Miss, PARTS, Share, listed_when_unknown, score, speakers};
use crate::note::extract::extract;
use crate::terminology::Lexicon;

/// Arguments of `cantoscribe eval`.
#[derive(Args)]
pub struct EvalArguments {
    #[command(subcommand)]
    of: Of,
}

#[derive(Subcommand)]
enum Of {
    /// Notes against a set of consultations, one JSON object a line
    Notes(NotesArguments),
}

#[derive(Args)]
struct NotesArguments {
    /// The sets: what was said and what a careful coder would write down
    #[arg(required = true, value_name = "SET.jsonl")]
    sets: Vec<PathBuf>,
    /// Keep the figures and all misses here, for a later `--baseline`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Show what is worse than in this file, and exit 1 if anything is
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Leave out the list of what was missed
    #[arg(long)]
    brief: bool,
    /// Measure, too, how often the words of what the lexicon does not know are listed as uncovered, each finding left out in turn (minutes)
    #[arg(long)]
    uncovered: bool,
}

/// Runs `cantoscribe eval`.
///
/// # Errors
/// A set or baseline that does not read, or an output that cannot be written.
pub fn run(arguments: &EvalArguments) -> anyhow::Result<ExitCode> {
    let Of::Notes(arguments) = &arguments.of;
    let mut items = Vec::new();
    for set in &arguments.sets {
        items.extend(read_set(set)?);
    }
    if items.is_empty() {
        bail!("the sets hold no consultation");
    }
    let lexicon = Lexicon::builtin()?;
    let mut figures = Figures::default();
    let (mut guessed, mut turns) = (Share::default(), 0);
    for item in &items {
        score(item, &extract(&item.transcript(), &lexicon), &mut figures);
        let (right, of) = speakers(item);
        guessed.join(right);
        turns += of;
    }
    let mut text = table(&figures);
    text += &format!("speakers       {:.3} of {} guesses right, where {turns} turns hide theirs\n", guessed.value(), guessed.of);
    if arguments.uncovered {
        for (part, share) in uncovered(&items)?.parts() {
            text +=
                &format!("uncovered      {:.3} of {} {part} that the lexicon did not know are listed\n", share.value(), share.of);
        }
    }
    if !arguments.brief {
        text += &figures.misses.iter().map(line).collect::<String>();
    }
    let mut worse = false;
    if let Some(path) = &arguments.baseline {
        let before = fs::read_to_string(path).with_context(|| format!("baseline {}", path.display()))?;
        let before: Figures = serde_json::from_str(&before).with_context(|| format!("baseline {}", path.display()))?;
        let regressions = figures.regressions(&before);
        worse = !regressions.is_empty();
        text += &format!("{} regressions\n", regressions.len());
        text += &regressions.into_iter().map(line).collect::<String>();
    }
    if let Some(path) = &arguments.json {
        fs::write(path, serde_json::to_string_pretty(&figures)? + "\n").with_context(|| format!("writing {}", path.display()))?;
    }
    print(&text)?;
    Ok(if worse { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The consultations of a set.
fn read_set(path: &Path) -> anyhow::Result<Vec<Item>> {
    let text = fs::read_to_string(path).with_context(|| format!("set {}", path.display()))?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            let mut reader = serde_json::Deserializer::from_str(line);
            serde_path_to_error::deserialize(&mut reader).map_err(|error| {
                // The parser's own message may quote the line; a field that is missing has a name of ours.
                let message = error.inner().to_string();
                let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')).map(|(name, _)| name);
                let what = match (missing, error.path().to_string()) {
                    (Some(name), path) if path == "." => format!("`{name}` is missing"),
                    (Some(name), path) => format!("`{path}.{name}` is missing"),
                    (None, path) if path == "." => "it is no consultation in JSON".to_owned(),
                    (None, path) => format!("`{path}` does not read"),
                };
                anyhow::anyhow!("set {} line {}: {what}", path.display(), number + 1)
            })
        })
        .collect()
}

fn table(figures: &Figures) -> String {
    let mut text = format!("{} items\n", figures.items);
    let mut row = |name: &str, tally: crate::note::evaluate::Tally| {
        let (f1, precision, recall) = (tally.f1(), tally.precision(), tally.recall());
        text += &format!("{name:14} F1 {f1:.3}  precision {precision:.3}  recall {recall:.3}\n");
    };
    for part in PARTS {
        row(part, figures.parts.get(part).copied().unwrap_or_default());
    }
    for (class, tally) in &figures.classes {
        row(&format!("  {class}"), *tally);
    }
    let bad = figures.must_not_code;
    text += &format!("must-not-code  {} asserted of {} traps\n", bad.count, bad.of);
    text += &format!("evidence       {:.3} valid\n", figures.evidence.value());
    let grounded = figures.grounded.value();
    text + &format!("grounded       {grounded:.3} of the conditions got right rest on the words that the gold names\n")
}

fn line(miss: &Miss) -> String {
    format!("{} {}: {}\n", miss.item, miss.part, miss.what)
}

/// How often the words of what the lexicon does not know are listed as uncovered.
fn uncovered(items: &[Item]) -> anyhow::Result<Listed> {
    let mut listed = Listed::default();
    for item in items {
        listed.add(&listed_when_unknown(item)?);
    }
    Ok(listed)
}
