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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::compose::sections;
    use crate::note::extract::extract;
    use crate::speech::{Segment, TRANSCRIPT_SCHEMA, Transcript};

    /// From the file to the note and back: random weights write what no checker lets through, and all is what it was without them.
    #[test]
    fn a_model_that_writes_nonsense_changes_nothing() {
        let lexicon = Lexicon::builtin().unwrap();
        let (id, start_ms, end_ms, confidence, words, tokens) = (0, None, None, None, None, None);
        let (speaker, text) = (Some("patient".to_owned()), "我頭暈咗三日，冇心口痛。我對盤尼西林敏感。".into());
        let segments = vec![Segment { id, start_ms, end_ms, speaker, text, confidence, words, tokens }];
        let (schema, language) = (TRANSCRIPT_SCHEMA.to_owned(), "yue".to_owned());
        let mut note = extract(&Transcript { schema, language, model: None, audio: None, segments }, &lexicon);
        note.sections = sections(&note, Language::English);
        let before = note.clone();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/qwen3-text/model.gguf");
        // The small model can read no more than 512 tokens, of which the real instructions are more.
        let model = Qwen3Text::load(&file, &LoadOptions { threads: Some(2), ..LoadOptions::default() }).unwrap();
        let conversation = model.begin("Reword.").unwrap();
        let rewording = Rewording { model, conversation, language: Language::English };
        rewording.run(&mut note, &lexicon).unwrap();
        assert_eq!(note, before);
        assert!(note.sections.iter().any(|section| !section.sentences.is_empty()));
    }

    #[test]
    fn a_file_that_is_none_is_named() {
        for file in ["nowhere.gguf", "Cargo.toml"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let message = format!("{:#}", Rewording::open(&path, Language::English).err().unwrap());
            assert!(message.contains("cannot reword with") && message.contains(file), "{message}");
        }
    }
}
