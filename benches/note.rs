//! Extraction of a ten-minute consultation, and how it grows from 1 to 64 times the length, at once and after each segment; and looking
//! up a code while it is typed.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;

use cantoscribe::note::extract::{Talk, extract};
use cantoscribe::speech::Transcript;
use cantoscribe::terminology::Lexicon;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// About a minute of talk: 240 characters are spoken in one.
const MINUTE: [(&str, &str); 8] = [
    ("doctor", "早晨,今次覆診有咩唔舒服?上次開嘅血壓藥食成點,有冇頭暈或者腳腫?"),
    ("patient", "頭暈就冇,但係兩隻腳到夜晚會腫少少,仲有就係成日咳,咳咗差唔多三個禮拜。"),
    ("doctor", "咳有冇痰?有冇發燒、氣促、心口痛?屋企有冇人有哮喘或者肺癆?"),
    ("patient", "冇痰,冇燒冇氣促,阿爸以前有哮喘。我舊年做過膽石手術,之後都冇再痛。"),
    ("doctor", "今日血壓一四二/八十六,心跳七十八,體重六十八公斤,血氧九十八。"),
    ("doctor", "乾咳多數係 perindopril 引起,停咗佢,轉 losartan 五十 mg 一日一次,amlodipine 五 mg 照食。"),
    ("patient", "我對盤尼西林敏感,食完會出疹。我仲可唔可以飲酒㗎?"),
    ("doctor", "少飲啲,少食鹽。抽血睇腎功能同血糖,四個星期後覆診,如果氣促就即刻去急症。"),
];
const MINUTES: usize = 10;

fn talk(times: usize) -> Transcript {
    let turns = MINUTE.iter().cycle().take(MINUTE.len() * MINUTES * times);
    let segments: Vec<_> =
        turns.enumerate().map(|(id, (speaker, text))| serde_json::json!({"id": id, "speaker": speaker, "text": text})).collect();
    let document = serde_json::json!({"schema": "cantoscribe/transcript/1", "language": "yue", "segments": segments});
    serde_json::from_value(document).unwrap()
}

fn extraction(criterion: &mut Criterion) {
    let lexicon = Lexicon::builtin().unwrap();
    let mut group = criterion.benchmark_group("extract");
    for times in [1, 4, 16, 64] {
        let transcript = talk(times);
        group.throughput(Throughput::Elements((MINUTES * times) as u64));
        group.sample_size(if times > 16 { 10 } else { 30 });
        group.bench_with_input(BenchmarkId::new("minutes", MINUTES * times), &transcript, |bencher, transcript| {
            bencher.iter(|| extract(black_box(transcript), &lexicon));
        });
    }
    group.finish();
    // What a room pays after each utterance: one segment read, and the note of all that was said.
    let mut group = criterion.benchmark_group("after a segment");
    for times in [1, 4, 16, 64] {
        let transcript = talk(times);
        let mut read = Talk::default();
        transcript.segments.iter().for_each(|segment| read.push(segment, &lexicon));
        group.sample_size(if times > 16 { 10 } else { 30 });
        group.bench_with_input(BenchmarkId::new("minutes", MINUTES * times), &read, |bencher, read| {
            bencher.iter(|| black_box(read).note(None, &lexicon));
        });
    }
    let segment = talk(1).segments.swap_remove(0);
    group.bench_function("reading it", |bencher| bencher.iter(|| Talk::default().push(black_box(&segment), &lexicon)));
    group.finish();
    criterion.bench_function("lexicon", |bencher| bencher.iter(|| Lexicon::builtin().unwrap()));
}

/// What is typed, and the worst of it: what nothing fits, and what very much does.
fn search(criterion: &mut Criterion) {
    let lexicon = Lexicon::builtin().unwrap();
    let mut group = criterion.benchmark_group("search");
    for query in ["糖尿", "hypert", "I10", "gou hyut", "zzzz", "痛", "a"] {
        group.bench_with_input(BenchmarkId::from_parameter(query), query, |bencher, query| {
            bencher.iter(|| lexicon.search(black_box(query), 20));
        });
    }
    group.finish();
}

criterion_group!(benches, extraction, search);
criterion_main!(benches);
