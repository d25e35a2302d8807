//! `bench` from end to end, on two clips and with a tiny budget: that every figure is there, not how large it is.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::{Need, guarded, model_dir, shared};

pub fn tests() -> Vec<Trial> {
    let needs = [Need::Model("silero-vad"), Need::Model("whisper-base"), Need::Shared("audio/manifest.tsv")];
    vec![guarded("bench_measures_every_figure_and_leaves_nothing_behind", &needs, measures_every_figure)]
}

fn measures_every_figure() {
    let folder = tempfile::tempdir().unwrap();
    let clips = [("cv_zh-HK_22921554", "聽朝早餐想食乜"), ("cv_zh-HK_22265957", "造成腳臭")];
    for (name, said) in clips {
        let clip = shared("audio").join(format!("{name}.wav"));
        std::fs::copy(clip, folder.path().join(format!("{name}.wav"))).unwrap();
        std::fs::write(folder.path().join(format!("{name}.txt")), said).unwrap();
    }
    let [json, html, data] = ["report.json", "report.html", "data/rooms"].map(|name| folder.path().join(name));
    let run = Command::new(env!("CARGO_BIN_EXE_cantoscribe"))
        .arg("--models")
        .arg(model_dir("whisper-base").parent().unwrap())
        .args(["bench", "--precision", "balanced", "--threads", "1", "--minutes", "0.1", "--step-seconds", "5"])
        .args(["--model", "whisper-base", "--recordings"])
        .arg(folder.path())
        .args(["--json".as_ref(), json.as_os_str(), "--html".as_ref(), html.as_os_str(), "--data".as_ref(), data.as_os_str()])
        .env("CANTOSCRIBE_LOG", "trace")
        .output()
        .unwrap();
    let told = String::from_utf8(run.stdout).unwrap() + &String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(0), "{told}");

    let report: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(report["schema"], "cantoscribe/bench/1");
    assert_eq!(report["complete"], true);
    assert_eq!(report["recordings"]["used"], 2);
    let [setting] = report["settings"].as_array().unwrap().as_slice() else { panic!("one setting: {report}") };
    assert!(setting["speed"]["real_time_factor"].as_f64().unwrap() > 0.0);
    assert!(setting["accuracy"]["characters"].as_u64().unwrap() > 0);
    assert!(setting["cold_start"]["first_text_ms"].as_f64().unwrap() > 0.0);
    if cfg!(target_os = "linux") {
        assert!(setting["cold_start"]["peak_memory_bytes"].as_u64().unwrap() > 1 << 20);
    }
    assert!(setting["rooms"]["most"].is_u64());
    let one_room = &setting["curve"][0];
    assert_eq!(one_room["rooms"], 1);
    assert!(one_room["utterances"].as_u64().unwrap() > 0);
    let [ended, known] = ["speech_end_to_final", "endpoint_to_final"].map(|name| one_room[name]["p50_ms"].as_f64().unwrap());
    assert!(ended > known, "the pause is part of the first: {ended}, {known}");

    let page = std::fs::read_to_string(&html).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("<svg"));
    for (_, said) in clips {
        for text in [told.as_str(), &page, &report.to_string()] {
            assert!(!text.contains(said), "what was said is in the report or the log");
        }
    }
    let left: Vec<_> = std::fs::read_dir(data.parent().unwrap()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
