//! The crate `qwen-asr` as a peer of `scripts/compare-peers`: a line of text for each clip as soon as it is there.
//!
//! usage: qwen-asr-crate FOLDER THREADS TOKENS LANGUAGE CLIP...
//!        qwen-asr-crate check FOLDER THREADS ID,ID,... LANGUAGE CLIP
//!
//! The crate has no limit on tokens of its own below 2,048, and random weights seldom end an answer: the callback that is told of each
//! token leaves the decoding by unwinding when there are TOKENS of them. The next clip begins with an empty cache anyway.
//!
//! It decodes with 8-bit weights, so that its answer is its own. `check` asks its f32 arithmetic, which it has for whole prompts:
//! given an answer's ids, it prints the ids that it would have chosen at each place.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::{Arc, Mutex};

use qwen_asr::config::TOKEN_ASR_TEXT;
use qwen_asr::context::QwenCtx;
use qwen_asr::tokenizer::QwenTokenizer;
use qwen_asr::{audio, decoder, kernels, transcribe};

/// What the callback unwinds with.
struct Enough;

/// The published ids of what the crate's prompt has before the audio and behind it.
const BEFORE: [i32; 9] = [151_644, 8948, 198, 151_645, 198, 151_644, 872, 198, 151_669];
const AFTER: [i32; 6] = [151_670, 151_645, 198, 151_644, 77_091, 198];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect("FOLDER THREADS TOKENS LANGUAGE CLIP...");
    let first = next();
    let checks = first == "check";
    let (folder, threads, tokens, language) = (if checks { next() } else { first }, next(), next(), next());
    kernels::set_threads(threads.parse().expect("THREADS is a number"));
    let mut context = QwenCtx::load(&folder).expect("the checkpoint is loaded");
    if checks {
        let ids: Vec<i32> = tokens.split(',').map(|id| id.parse().expect("ids are numbers")).collect();
        let chosen = check(&mut context, &folder, &language, &next(), &ids);
        println!("{}", chosen.iter().map(usize::to_string).collect::<Vec<_>>().join(","));
    } else {
        context.set_force_language(&language).expect("the language is known");
        hear(&mut context, tokens.parse().expect("TOKENS is a number"), arguments);
    }
}

fn hear(context: &mut QwenCtx, tokens: usize, clips: impl Iterator<Item = String>) {
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
    for clip in clips {
        let outcome = catch_unwind(AssertUnwindSafe(|| transcribe::transcribe(context, &clip)));
        assert!(outcome.is_err_and(|why| why.is::<Enough>()), "the answer to `{clip}` has fewer than {tokens} tokens");
        let text = std::mem::take(&mut *heard.lock().expect("nothing fails while it is held")).concat();
        println!("{}", text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}

fn check(context: &mut QwenCtx, folder: &str, language: &str, clip: &str, ids: &[i32]) -> Vec<usize> {
    let (model, config) = (Arc::clone(&context.model), context.config.clone());
    let width = config.dec_hidden;
    let samples = audio::load_wav(clip).expect("the clip is read");
    let (mel, frames) = audio::mel_spectrogram(&samples).expect("it has a spectrum");
    let (heard, _) = model.encoder.forward(&config, &mel, frames, None).expect("it is encoded");
    let tokenizer = QwenTokenizer::load(&format!("{folder}/vocab.json")).expect("the vocabulary is loaded");
    let header = tokenizer.encode(&format!("language {language}")).expect("the language is spelt");
    let mut rows = Vec::new();
    let embed = |tokens: &[i32], rows: &mut Vec<f32>| {
        for token in tokens {
            let mut row = vec![0.0; width];
            // SAFETY: all ids are below the vocabulary's size.
            unsafe { decoder::tok_embed_bf16_to_f32(&mut row, model.decoder.tok_embeddings_bf16, *token, width) };
            rows.extend(row);
        }
    };
    embed(&BEFORE, &mut rows);
    rows.extend(heard);
    embed(&AFTER, &mut rows);
    embed(&header, &mut rows);
    embed(&[TOKEN_ASR_TEXT], &mut rows);
    let first = rows.len() / width - 1;
    embed(&ids[..ids.len() - 1], &mut rows);
    let count = rows.len() / width;
    let QwenCtx { kv_cache, rope_cache, dec_bufs, .. } = context;
    let logits = decoder::decoder_prefill_logits(&model.decoder, &config, kv_cache, rope_cache, dec_bufs, &rows, count);
    let best = |row: &[f32]| (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).expect("there is a vocabulary");
    logits.chunks(config.vocab_size).skip(first).map(best).collect()
}
