//! Attention: over all positions of something that was heard, and over the tokens so far.

use std::sync::Arc;

use candle_core::Tensor;

use super::{Arithmetic, with_rows};
use crate::speech::kernels::{self, Kernels, KeysAndValues, Queries};
use crate::speech::model::softmax;

/// Keys and values of positions that any number of queries attend to: made once.
pub struct Heard {
    operator: Keys,
    heads: usize,
}

enum Keys {
    Dense {
        /// (heads, head width, positions), contiguous: transposed once, not at every step.
        key: Tensor,
        /// (heads, positions, head width)
        value: Tensor,
        /// Whether all heads attend at once, which a GPU is kept busy with. On the processor one does at a time, so that no more than
        /// (rows, positions) scores exist at once.
        at_once: bool,
    },
    Packed(KeysAndValues, Arc<Kernels>),
}

impl Heard {
    /// Over keys and values (positions, heads x width), which may be columns of a wider matrix.
    ///
    /// # Errors
    /// When their shapes differ or are no multiple of `heads`.
    pub fn new(key: &Tensor, value: &Tensor, heads: usize, arithmetic: &Arithmetic) -> candle_core::Result<Self> {
        let (positions, all) = key.dims2()?;
        if value.dims2()? != (positions, all) || heads == 0 || !all.is_multiple_of(heads) || key.stride() != value.stride() {
            candle_core::bail!("{heads} heads cannot share keys {:?} and values {:?}", key.shape(), value.shape());
        }
        let operator = if let Some(kernels) = arithmetic.kernels() {
            let packed = with_rows(key, |key, stride| {
                with_rows(value, |value, _| KeysAndValues::pack(kernels, (key, value), stride, (positions, heads, all / heads)))
            })??;
            Keys::Packed(packed, Arc::clone(kernels))
        } else {
            let key = key.t()?.contiguous()?.reshape((heads, all / heads, positions))?;
            Keys::Dense { key, value: split_heads(value, heads)?, at_once: !arithmetic.device().is_cpu() }
        };
        Ok(Self { operator, heads })
    }

    /// Positions there are.
    #[must_use]
    pub fn positions(&self) -> usize {
        match &self.operator {
            Keys::Dense { key, .. } => key.dims().last().copied().unwrap_or_default(),
            Keys::Packed(packed, _) => packed.positions(),
        }
    }

    /// `softmax(q k) v` of scaled queries: (rows, heads x width) to the same.
    ///
    /// # Errors
    /// When the widths differ.
    pub fn attend(&self, query: &Tensor) -> candle_core::Result<Tensor> {
        let (rows, all) = query.dims2()?;
        match &self.operator {
            Keys::Dense { key, value, at_once: true } => {
                let scores = softmax::over_last_dimension(split_heads(query, self.heads)?.matmul(key)?)?;
                scores.matmul(value)?.transpose(0, 1)?.reshape((rows, all))
            }
            Keys::Dense { key, value, at_once: false } => {
                let query = split_heads(query, self.heads)?;
                let heads = (0..self.heads).map(|head| {
                    let scores = softmax::over_last_dimension(query.get(head)?.matmul(&key.get(head)?)?)?;
                    scores.matmul(&value.get(head)?)
                });
                Tensor::stack(&heads.collect::<candle_core::Result<Vec<_>>>()?, 1)?.reshape((rows, all))
            }
            Keys::Packed(packed, kernels) => {
                let attended = with_rows(query, |query, stride| packed.attend(kernels, query, stride, rows))?;
                Tensor::from_vec(attended, (rows, all), query.device())
            }
        }
    }

    /// Scores of one head before the softmax: (rows, heads x width) to (rows, positions).
    ///
    /// # Errors
    /// A head that is not there, or another width.
    pub fn scores(&self, query: &Tensor, head: usize) -> candle_core::Result<Tensor> {
        let (rows, all) = query.dims2()?;
        if head >= self.heads {
            candle_core::bail!("head {head} of {}", self.heads);
        }
        match &self.operator {
            Keys::Dense { key, .. } => {
                let width = all / self.heads;
                query.narrow(1, head * width, width)?.contiguous()?.matmul(&key.get(head)?)
            }
            Keys::Packed(packed, kernels) => {
                let scores = with_rows(query, |query, stride| packed.scores(kernels, query, stride, rows, head))?;
                Tensor::from_vec(scores, (rows, packed.positions()), query.device())
            }
        }
    }
}

/// Keys and values of one layer's tokens so far, for each sequence of a batch.
#[derive(Clone)]
pub struct Past {
    operator: Kept,
    /// Of queries.
    heads: usize,
    /// Of keys, and of values.
    key_heads: usize,
}

#[derive(Clone)]
enum Kept {
    /// (sequences, key heads, tokens, head width) each; nothing before the first step.
    Dense(Option<(Tensor, Tensor)>),
    Rows(Vec<kernels::Past>, Arc<Kernels>),
}

impl Past {
    /// Before the first token; so many heads of queries, and of keys and values, of which neighbours share one where there are fewer.
    #[must_use]
    pub fn new((heads, key_heads): (usize, usize), arithmetic: &Arithmetic) -> Self {
        let operator = match arithmetic.kernels() {
            Some(kernels) => Kept::Rows(Vec::new(), Arc::clone(kernels)),
            None => Kept::Dense(None),
        };
        Self { operator, heads, key_heads }
    }

    /// Makes sequence `i` a copy of what was sequence `sequences[i]`.
    ///
    /// # Errors
    /// A sequence that is not there.
    pub fn select(&mut self, sequences: &[u32]) -> candle_core::Result<()> {
        match &mut self.operator {
            Kept::Dense(Some((key, value))) => {
                let sequences = Tensor::new(sequences, key.device())?;
                (*key, *value) = (key.index_select(&sequences, 0)?, value.index_select(&sequences, 0)?);
            }
            Kept::Dense(None) => {}
            Kept::Rows(rows, _) => {
                let unchanged = rows.len() == sequences.len() && sequences.iter().copied().eq((0..).take(rows.len()));
                if !unchanged && !rows.is_empty() {
                    let selected = sequences.iter().map(|sequence| usize::try_from(*sequence).ok().and_then(|at| rows.get(at)));
                    let Some(selected) = selected.map(|row| row.cloned()).collect() else {
                        candle_core::bail!("a sequence beyond the batch of {}", rows.len())
                    };
                    *rows = selected;
                }
            }
        }
        Ok(())
    }

    /// Attends from the new tokens of each sequence to them and all before: `qkv` (sequences x new, (heads + 2 x key heads) x width)
    /// of scaled queries, keys and values to (sequences x new, heads x width). Keys and values are kept.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn attend(&mut self, qkv: &Tensor, sequences: usize) -> candle_core::Result<Tensor> {
        let (rows, columns) = qkv.dims2()?;
        let (heads, key_heads, new) = (self.heads, self.key_heads, rows / sequences.max(1));
        let width = columns / (heads + 2 * key_heads).max(1);
        let (all, kept_width) = (heads * width, key_heads * width);
        match &mut self.operator {
            Kept::Rows(past, kernels) => {
                past.resize(sequences, kernels::Past::default());
                let attended = with_rows(&qkv.contiguous()?, |values, _| {
                    let rows = values.get(..rows * columns).unwrap_or_default();
                    kernels::look_back(kernels, Queries { rows, heads, key_heads, width, new }, past)
                })?;
                Tensor::from_vec(attended, (rows, all), qkv.device())
            }
            Kept::Dense(kept) => {
                let split = |begin: usize, heads: usize| {
                    let part = qkv.narrow(1, begin, heads * width)?.reshape((sequences, new, heads, width))?;
                    part.transpose(1, 2)?.contiguous()
                };
                let (query, key, value) = (split(0, heads)?, split(all, key_heads)?, split(all + kept_width, key_heads)?);
                // Those that share a key stand together, as if they were more tokens.
                let query = query.reshape((sequences, key_heads, heads / key_heads.max(1) * new, width))?;
                let (key, value) = match kept.take() {
                    Some((old_key, old_value)) => (Tensor::cat(&[&old_key, &key], 2)?, Tensor::cat(&[&old_value, &value], 2)?),
                    None => (key, value),
                };
                let mut scores = query.matmul(&key.transpose(2, 3)?)?;
                let shared = scores.shape().clone();
                if new > 1 {
                    let seen = key.dim(2)?;
                    scores = scores.reshape((sequences, heads, new, seen))?.broadcast_add(&mask(seen - new, new, qkv)?)?;
                }
                let scores = softmax::over_last_dimension(scores)?;
                let attended = scores.reshape(&shared)?.matmul(&value)?.reshape((sequences, heads, new, width))?;
                let attended = attended.transpose(1, 2)?.reshape((rows, all))?;
                *kept = Some((key, value));
                Ok(attended)
            }
        }
    }
}

/// Minus infinity where a new token would see a later one: (new, old + new).
fn mask(old: usize, new: usize, like: &Tensor) -> candle_core::Result<Tensor> {
    let seen = |row: usize, column: usize| if column > old + row { f32::NEG_INFINITY } else { 0.0 };
    let mask: Vec<f32> = (0..new).flat_map(|row| (0..old + new).map(move |column| seen(row, column))).collect();
    Tensor::from_vec(mask, (new, old + new), like.device())
}

/// (rows, heads x width) to (heads, rows, width), contiguous.
fn split_heads(x: &Tensor, heads: usize) -> candle_core::Result<Tensor> {
    let (rows, width) = x.dims2()?;
    x.contiguous()?.reshape((rows, heads, width / heads.max(1)))?.transpose(0, 1)?.contiguous()
}
