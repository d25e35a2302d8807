//! What the user is told while a model comes.

/// Hears of progress. Everything goes to people, nothing to programs.
pub trait Report {
    /// One line of news, such as a source that is passed over.
    fn line(&self, text: &str);
    /// A long step begins: what, and how many bytes it has if that is known.
    fn begin(&self, what: &str, total: Option<u64>);
    /// So many bytes of the step are done.
    fn at(&self, done: u64);
    /// The step is over, well or badly.
    fn end(&self);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Report for Silent {
    fn line(&self, _text: &str) {}
    fn begin(&self, _what: &str, _total: Option<u64>) {}
    fn at(&self, _done: u64) {}
    fn end(&self) {}
}
