//! `bench` from end to end, on two clips and with a tiny budget: that every figure is there, not how large it is, and that nothing stays
//! behind.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::{Need, guarded, model_dir, shared};

pub fn tests() -> Vec<Trial> {
    let needs = [Need::Model("silero-vad"), Need::Model("whisper-base"), Need::Shared("audio/manifest.tsv")];
    vec![
        guarded("bench_measures_every_figure_and_leaves_nothing_behind", &needs, measures_every_figure),
        guarded("bench_tries_the_rooms_it_is_told", &needs, tries_the_rooms),
        guarded("bench_keeps_what_is_measured_when_it_is_stopped", &needs, keeps_what_is_measured),
    ]
}

const CLIPS: [(&str, &str); 2] = [("cv_zh-HK_22921554", "聽朝早餐想食乜"), ("cv_zh-HK_22265957", "造成腳臭")];

/// A folder with two clips and their texts, and `bench` of them, which writes `report.json` there and keeps its rooms in `data`.
fn bench() -> (tempfile::TempDir, Command) {
    let folder = tempfile::tempdir().unwrap();
    for (name, said) in CLIPS {
        let clip = shared("audio").join(format!("{name}.wav"));
        std::fs::copy(clip, folder.path().join(format!("{name}.wav"))).unwrap();
        std::fs::write(folder.path().join(format!("{name}.txt")), said).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_cantoscribe"));
    command
        .arg("--models")
        .arg(model_dir("whisper-base").parent().unwrap())
        .args(["bench", "--precision", "balanced", "--threads", "1", "--model", "whisper-base", "--recordings"])
        .arg(folder.path())
        .args(["--json".as_ref(), folder.path().join("report.json").as_os_str()])
        .args(["--data".as_ref(), folder.path().join("data/rooms").as_os_str()]);
    (folder, command)
}

fn report(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("report.json")).unwrap()).unwrap()
}

fn assert_nothing_is_left(folder: &Path) {
    let left: Vec<_> = std::fs::read_dir(folder.join("data")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

fn tries_the_rooms() {
    let (folder, mut command) = bench();
    let run = command.args(["--rooms", "2,1", "--minutes", "0.1", "--step-seconds", "5"]).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    let report = report(folder.path());
    let setting = &report["settings"][0];
    let rooms: Vec<u64> = setting["curve"].as_array().unwrap().iter().map(|step| step["rooms"].as_u64().unwrap()).collect();
    assert_eq!(rooms, [1, 2]);
    assert_eq!(setting["rooms"]["exact"], false);
    assert_nothing_is_left(folder.path());
}

fn keeps_what_is_measured() {
    let (folder, mut command) = bench();
    let mut run = command.args(["--rooms", "1", "--step-seconds", "3600"]).spawn().unwrap();
    // The trial of an hour has begun when its rooms' folder is there.
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::fs::read_dir(folder.path().join("data")).map_or(0, Iterator::count) == 0 {
        assert!(Instant::now() < deadline, "no trial began");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(2));
    assert!(Command::new("kill").arg(run.id().to_string()).status().unwrap().success());
    assert_eq!(run.wait().unwrap().code(), Some(0));
    let report = report(folder.path());
    assert_eq!(report["complete"], false);
    assert_nothing_is_left(folder.path());
}

fn measures_every_figure() {
    let (folder, mut command) = bench();
    let html = folder.path().join("report.html");
    let run = command
        .args(["--minutes", "0.1", "--step-seconds", "5"])
        .args(["--html".as_ref(), html.as_os_str()])
        .env("CANTOSCRIBE_LOG", "trace")
        .output()
        .unwrap();
    let told = String::from_utf8(run.stdout).unwrap() + &String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(0), "{told}");

    let report = report(folder.path());
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
    for (_, said) in CLIPS {
        for text in [told.as_str(), &page, &report.to_string()] {
            assert!(!text.contains(said), "what was said is in the report or the log");
        }
    }
    assert_nothing_is_left(folder.path());
}
