//! `cantoscribe note --reword`: a language model that only rewrites wording.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::note::Note;
use crate::note::compose::Language;
use crate::note::reword::{LONGEST_ANSWER, Outcome, reword, system};
use crate::speech::model::{Conversation, LoadOptions, Qwen3Text};
use crate::terminology::Lexicon;

/// A whole note takes no longer: what is left by then stays in our own words.
const LONGEST_NOTE: Duration = Duration::from_secs(120);
/// Nor does one line.
const LONGEST_LINE: Duration = Duration::from_secs(20);

/// A model that was told what to do.
pub(super) struct Rewording {
    model: Qwen3Text,
    conversation: Conversation,
    language: Language,
}

impl Rewording {
    /// Loads the model of a file.
    ///
    /// # Errors
    /// A file that cannot be used, with the field or the tensor that is wrong.
    pub(super) fn open(path: &Path, language: Language) -> anyhow::Result<Self> {
        let unusable = || format!("cannot reword with `{}`", path.display());
        let model = Qwen3Text::load(path, &LoadOptions::default()).with_context(unusable)?;
        let conversation = model.begin(system(language)).with_context(unusable)?;
        Ok(Self { model, conversation, language })
    }

    /// Rewords a note's lines and says on standard error what came of them.
    ///
    /// # Errors
    /// A failing computation.
    pub(super) fn run(&self, note: &mut Note, lexicon: &Lexicon) -> anyhow::Result<()> {
        let begin = Instant::now();
        let outcome = reword(note, (self.language, lexicon), self.model.name(), |line| {
            let asked = Instant::now();
            let give_up = || asked.elapsed() >= LONGEST_LINE || begin.elapsed() >= LONGEST_NOTE;
            self.model.answer(&self.conversation, line, LONGEST_ANSWER, &give_up)
        })?;
        eprintln!("cantoscribe: {}", told(outcome, self.model.name(), begin.elapsed()));
        Ok(())
    }
}

fn told(outcome: Outcome, model: &str, time: Duration) -> String {
    let Outcome { reworded, dropped, unchanged, unanswered, not_asked } = outcome;
    format!(
        "`{model}` reworded {reworded} of {} lines in {:.1} s; in our own words stay {dropped} that it wrote otherwise, {unchanged} that it \
         gave back, {unanswered} without an answer in time, and {not_asked} that it was not asked about",
        outcome.lines(),
        time.as_secs_f32(),
    )
}
