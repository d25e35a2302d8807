//! How often a token goes to the allocator.
#![allow(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Mutex;

use cantoscribe::speech::model::{self, Context, DecodeOptions, LoadOptions, Precision};
use libtest_mimic::Trial;

use super::whisper::{CLIP, clip};
use super::{Need, guarded, model_dir};

/// What a token may cost in the default precision; 469 to 481 were seen. Six or seven are candle's for each of the some seventy tensors
/// that hand a step's values from one operator to the next. A step that gathers, copies or widens anew shows here.
const ALLOCATIONS_A_TOKEN: u64 = 490;

pub fn tests() -> Vec<Trial> {
    let needs = [Need::Model("whisper-base"), Need::Shared("audio")];
    vec![guarded("whisper_tokens_allocate_little", &needs, tokens_allocate_little)]
}

/// The system's allocator, and how often each thread asked it.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

/// How often this thread has asked for memory.
fn asked() -> u64 {
    ASKED.with(Cell::get)
}

fn count() {
    // A thread that ends may free and take memory after its counter is gone.
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
}

// SAFETY: all is done by the system's allocator, with what was asked.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as promised by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as promised by the caller.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn tokens_allocate_little() {
    // With one thread everything is done by the one that asks after each token whether to go on.
    let options = LoadOptions { precision: Precision::Balanced, threads: Some(1), ..LoadOptions::default() };
    let model = model::load(&model_dir("whisper-base"), &options).unwrap();
    let samples = clip(CLIP);
    let mut utterance = model.open(&samples, Context::Speech).unwrap();
    let after_each = Mutex::new(Vec::new());
    let note = |_: &[u32]| {
        let mut after_each = after_each.lock().unwrap();
        after_each.reserve(1000);
        after_each.push(asked());
        false
    };
    utterance.attempt(&DecodeOptions::default(), 0.0, &note).unwrap();
    let after_each = after_each.into_inner().unwrap();
    // The first steps grow what is then kept.
    let between: Vec<u64> = after_each.windows(2).skip(2).map(|pair| pair[1] - pair[0]).collect();
    println!("allocations of each token: {between:?}");
    assert!(between.len() > 3, "too few tokens to tell");
    let most = between.iter().copied().max().unwrap();
    assert!(most > 0, "the steps ran on another thread");
    assert!(most <= ALLOCATIONS_A_TOKEN, "a token asked for memory {most} times");
}
