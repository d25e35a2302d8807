//! The crate `qwen-asr` as a peer of `scripts/compare-peers`: a line of text for each clip as soon as it is there.
//!
//! usage: qwen-asr-crate FOLDER THREADS TOKENS LANGUAGE CLIP...
//!
//! The crate has no limit on tokens of its own below 2,048, and random weights seldom end an answer: the callback that is told of each
//! token leaves the decoding by unwinding when there are TOKENS of them. The next clip begins with an empty cache anyway.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::{Arc, Mutex};

use qwen_asr::context::QwenCtx;
use qwen_asr::{kernels, transcribe};

/// What the callback unwinds with.
struct Enough;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect("FOLDER THREADS TOKENS LANGUAGE CLIP...");
    let (folder, threads, tokens, language) = (next(), next(), next(), next());
    kernels::set_threads(threads.parse().expect("THREADS is a number"));
    let tokens: usize = tokens.parse().expect("TOKENS is a number");
    let mut context = QwenCtx::load(&folder).expect("the checkpoint is loaded");
    context.set_force_language(&language).expect("the language is known");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&heard);
    context.token_cb = Some(Box::new(move |piece| {
        let mut heard = told.lock().expect("nothing fails while it is held");
        heard.push(piece.to_owned());
        if heard.len() >= tokens {
            drop(heard);
            panic_any(Enough);
        }
    }));
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |why| {
        if !why.payload().is::<Enough>() {
            others(why);
        }
    }));
    for clip in arguments {
        let outcome = catch_unwind(AssertUnwindSafe(|| transcribe::transcribe(&mut context, &clip)));
        assert!(outcome.is_err_and(|why| why.is::<Enough>()), "the answer to `{clip}` has fewer than {tokens} tokens");
        let text = std::mem::take(&mut *heard.lock().expect("nothing fails while it is held")).concat();
        println!("{}", text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}
