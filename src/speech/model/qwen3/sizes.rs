//! The sizes of a network, whatever file says them.

/// No size of a network is above this: larger ones could not be computed with.
pub const LARGEST: usize = 1 << 20;

/// The sizes of a decoder, by the keys of `config.json`.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// Tokens there are.
    pub vocab_size: usize,
    /// Width of every layer's rows.
    pub hidden_size: usize,
    /// Inner width of the feed-forward layers.
    pub intermediate_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Heads of queries.
    pub num_attention_heads: usize,
    /// Heads of keys and of values.
    pub num_key_value_heads: usize,
    /// Width of a head: not `hidden_size` over `num_attention_heads`.
    pub head_dim: usize,
    /// Of every normalisation.
    pub rms_norm_eps: f32,
    /// Base of the rotary positions. They are plain ones: the three positions that the multimodal ones know of are equal where there
    /// is nothing but audio and text.
    pub rope_theta: f64,
    /// Whether the projections of attention have biases.
    pub attention_bias: bool,
    /// Whether the embedding is the projection onto the vocabulary too.
    pub tie_word_embeddings: bool,
}

impl Sizes {
    /// Looks whether there can be such a network; `called` is what the file calls a size.
    ///
    /// # Errors
    /// What cannot be.
    pub fn check(&self, called: impl Fn(&'static str) -> String) -> Result<(), String> {
        if let Some((size, value)) = self.all().into_iter().find(|(_, value)| !(1..=LARGEST).contains(value)) {
            return Err(format!("`{}` cannot be {value}", called(size)));
        }
        let heads = (self.num_attention_heads, self.num_key_value_heads);
        if !heads.0.is_multiple_of(heads.1) {
            let [of, factor] = ["num_attention_heads", "num_key_value_heads"].map(&called);
            return Err(format!("`{of}` = {} is no multiple of `{factor}` = {}", heads.0, heads.1));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(format!("`{}` = {} is no multiple of 2", called("head_dim"), self.head_dim));
        }
        Ok(())
    }

    fn all(&self) -> [(&'static str, usize); 7] {
        [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.num_key_value_heads),
            ("head_dim", self.head_dim),
        ]
    }
}
