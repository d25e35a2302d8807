//! A text while its tokens are being looked for.

/// A text in the making.
#[derive(Debug, Clone, Default)]
pub struct Sequence {
    /// Without the end.
    pub tokens: Vec<u32>,
    /// Natural logarithm of each token's probability.
    pub log_probabilities: Vec<f32>,
    /// Of end-of-text, once it came.
    pub end: Option<f32>,
    /// Log-probability that words of a list cost against the likeliest tokens: it does not make a text less believable.
    pub forgiven: f32,
}

impl Sequence {
    /// Over the tokens and end-of-text, as if it had come: as OpenAI's Whisper counts.
    #[must_use]
    pub fn average_log_probability(&self) -> f32 {
        (self.total() + self.forgiven) / (self.tokens.len() + 1) as f32
    }

    /// Natural logarithm of the probability of all of it.
    #[must_use]
    pub fn total(&self) -> f32 {
        self.log_probabilities.iter().sum::<f32>() + self.end.unwrap_or(0.0)
    }

    /// Adds a token of this log-probability, unless it is one that ends a text; tells whether the text goes on.
    pub fn push(&mut self, token: u32, log_probability: f32, ends: &[u32]) -> bool {
        if ends.contains(&token) {
            self.end = Some(log_probability);
            return false;
        }
        self.tokens.push(token);
        self.log_probabilities.push(log_probability);
        true
    }
}
