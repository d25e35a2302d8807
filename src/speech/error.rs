//! What can go wrong between samples and a transcript.

use std::path::PathBuf;

use thiserror::Error;

/// A failure to load a model or to run it. No variant carries audio or text that was spoken.
#[derive(Debug, Error)]
pub enum SpeechError {
    /// A file of the model could not be read.
    #[error("cannot read the model file `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file of packed weights could not be written.
    #[error("cannot write the model file `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A JSON file of the model does not hold what its family needs.
    #[error("the model file `{}` is not valid: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is missing or malformed, and where.
        problem: String,
    },
    /// The checkpoint asks for something that this implementation does not do.
    #[error("the model file `{}` asks for `{option}` = `{value}`, which is not supported", path.display())]
    Unsupported {
        /// The configuration file.
        path: PathBuf,
        /// The key in it.
        option: &'static str,
        /// Its value.
        value: String,
    },
    /// A tensor is absent, has another shape or type than the configuration says, or holds values that are not finite.
    #[error("tensor `{tensor}` of `{}`: {problem}", path.display())]
    Tensor {
        /// The weights file.
        path: PathBuf,
        /// The tensor's name in it.
        tensor: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The model has no token for the language.
    #[error("the model knows no language `{0}`")]
    Language(String),
    /// A value outside what the option can be.
    #[error("`{option}` cannot be `{value}`: expected {expected}")]
    Option {
        /// The option.
        option: &'static str,
        /// What was given.
        value: String,
        /// What it can be.
        expected: &'static str,
    },
    /// An utterance is longer than the model's window.
    #[error("an utterance of {samples} samples is longer than the model's window of {longest}")]
    TooLong {
        /// Samples given.
        samples: usize,
        /// Samples that fit.
        longest: usize,
    },
    /// A sample is NaN or infinite.
    #[error("sample {index} of the utterance is not a finite number")]
    NotFinite {
        /// Its place in the utterance.
        index: usize,
    },
    /// A list of words to expect cannot be used. Its words are not told.
    #[error("line {line} of the list {problem}")]
    WordList {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The tables of the built-in script conversion could not be read.
    #[error("cannot read the built-in script tables: {0}")]
    Script(String),
    /// The pool of threads could not be made.
    #[error("cannot start {threads} threads: {problem}")]
    Threads {
        /// Threads asked for; 0 is the machine's own number.
        threads: usize,
        /// What the pool said.
        problem: String,
    },
    /// The GPU that was asked for is not there.
    #[error("no GPU can be used: {problem}")]
    Device {
        /// What is missing.
        problem: String,
    },
    /// A tensor operation failed.
    #[error("the model could not be run: {0}")]
    Compute(#[from] candle_core::Error),
}
