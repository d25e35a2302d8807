//! How deep and how large what a pickle builds would be, reckoned before it is built: a few bytes can nest a million tuples, which no
//! thread's stack can take apart again, or copy a value from the memo until no memory is left.

use std::collections::HashMap;

/// Weights are nested about ten deep, a training's whole state a little more.
const DEEPEST: usize = 64;
/// Values, copies with them. A checkpoint has some fifty a tensor.
const MOST: usize = 2 << 20;

/// Bytes of a text that count as a value: a copy of a text takes its length.
const TEXT: usize = 16;

/// Of one value: how many it is nested deep, and of how many it is made.
#[derive(Debug, Clone, Copy)]
struct Extent {
    depth: usize,
    values: usize,
}

const LEAF: Extent = Extent { depth: 1, values: 1 };

/// What is on the reader's stack; nothing for a mark.
#[derive(Default)]
pub struct Extents {
    stack: Vec<Option<Extent>>,
    memo: HashMap<u32, Extent>,
    /// Built or copied so far.
    values: usize,
}

impl Extents {
    /// Follows one instruction, which `rest` begins with, as candle's reader carries it out. What it would refuse anyway is its own to
    /// refuse.
    ///
    /// # Errors
    /// When what it builds is too deep or too large.
    pub fn follow(&mut self, rest: &[u8]) -> Result<(), String> {
        let made = match *rest {
            [b'(', ..] => {
                self.stack.push(None);
                return self.count(1);
            }
            [b'X', a, b, c, d, ..] => text(usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX)),
            // Candle's reader takes `d`, too, for an empty dictionary.
            [b'c' | b'K' | b'M' | b'J' | b'G' | b'N' | 0x88 | 0x89 | 0x8a | b')' | b']' | b'}' | b'd', ..] => LEAF,
            [b't', ..] => around(self.since_mark()),
            [b'Q' | 0x85, ..] => around(self.last(1)),
            [0x86 | b'R' | b'b' | 0x81, ..] => around(self.last(2)),
            [0x87, ..] => around(self.last(3)),
            [b'a', ..] => self.grow_last(|stack| stack.last(1)),
            [b's', ..] => self.grow_last(|stack| stack.last(2)),
            [b'e' | b'u', ..] => self.grow_last(Self::since_mark),
            [b'h', id, ..] => self.memo.get(&u32::from(id)).copied().unwrap_or(LEAF),
            [b'j', a, b, c, d, ..] => self.memo.get(&u32::from_le_bytes([a, b, c, d])).copied().unwrap_or(LEAF),
            [b'q', id, ..] => return self.keep(u32::from(id)),
            [b'r', a, b, c, d, ..] => return self.keep(u32::from_le_bytes([a, b, c, d])),
            _ => return Ok(()),
        };
        if made.depth > DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        self.stack.push(Some(made));
        let copied = if matches!(*rest, [b'h' | b'j' | b'X', ..]) { made.values } else { 1 };
        self.count(copied)
    }

    /// The memo has a copy of what was built last.
    fn keep(&mut self, id: u32) -> Result<(), String> {
        let kept = self.stack.last().copied().flatten().unwrap_or(LEAF);
        self.memo.insert(id, kept);
        self.count(kept.values)
    }

    fn count(&mut self, values: usize) -> Result<(), String> {
        self.values = self.values.saturating_add(values);
        if self.values > MOST { Err(format!("it builds more than {MOST} values")) } else { Ok(()) }
    }

    fn last(&mut self, count: usize) -> Vec<Option<Extent>> {
        self.stack.split_off(self.stack.len().saturating_sub(count))
    }

    fn since_mark(&mut self) -> Vec<Option<Extent>> {
        let mark = self.stack.iter().rposition(Option::is_none).unwrap_or_default();
        let parts = self.stack.split_off((mark + 1).min(self.stack.len()));
        self.stack.pop();
        parts
    }

    /// The value below the parts, with them in it.
    fn grow_last(&mut self, parts: impl FnOnce(&mut Self) -> Vec<Option<Extent>>) -> Extent {
        let parts = around(parts(self));
        let whole = self.stack.pop().flatten().unwrap_or(LEAF);
        Extent { depth: whole.depth.max(parts.depth), values: whole.values.saturating_add(parts.values - 1) }
    }
}

fn text(bytes: usize) -> Extent {
    Extent { values: 1 + bytes / TEXT, ..LEAF }
}

/// Of a value that holds these.
fn around(parts: Vec<Option<Extent>>) -> Extent {
    parts.into_iter().map(|part| part.unwrap_or(LEAF)).fold(LEAF, |whole, part| Extent {
        depth: whole.depth.max(part.depth + 1),
        values: whole.values.saturating_add(part.values),
    })
}
