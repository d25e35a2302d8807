//! What a decoder's tensors are called, in a checkpoint and in a GGUF file.

/// Parts of a layer, by our names and by llama.cpp's.
const PARTS: [(&str, &str); 11] = [
    ("input_layernorm", "attn_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("post_attention_layernorm", "ffn_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];

/// What a checkpoint calls the tensors of its decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names {
    /// What they begin with.
    pub text: &'static str,
    /// The projection onto the vocabulary, where it is not the embedding.
    pub output: &'static str,
}

impl Names {
    /// What one of the decoder's tensors is called in a file of llama.cpp's; nothing for others.
    #[must_use]
    pub fn in_gguf(self, name: &str) -> Option<String> {
        // A weight is asked for with and without what it is.
        let inside = |prefix: &str| name.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('.'));
        if let Some(rest) = inside(self.output) {
            return Some(format!("output{rest}"));
        }
        let rest = inside(self.text)?.strip_prefix('.')?;
        for (ours, theirs) in [("embed_tokens", "token_embd"), ("norm", "output_norm")] {
            if let Some(rest) = rest.strip_prefix(ours) {
                return Some(format!("{theirs}{rest}"));
            }
        }
        let (index, part) = rest.strip_prefix("layers.")?.split_once('.')?;
        PARTS.iter().find_map(|(ours, theirs)| {
            let rest = part.strip_prefix(ours).filter(|rest| rest.is_empty() || rest.starts_with('.'))?;
            Some(format!("blk.{index}.{theirs}{rest}"))
        })
    }

    /// Whether a tensor of such a file, of a decoder of so many layers, is one of the decoder's.
    #[must_use]
    pub fn is_in_gguf(name: &str, layers: usize) -> bool {
        let Some(name) = name.strip_suffix(".weight") else { return false };
        if ["token_embd", "output_norm", "output"].contains(&name) {
            return true;
        }
        let part = name.strip_prefix("blk.").and_then(|rest| rest.split_once('.'));
        part.is_some_and(|(index, part)| {
            index.parse().is_ok_and(|index: usize| index < layers) && PARTS.iter().any(|(_, theirs)| *theirs == part)
        })
    }
}
