//! The binary as a user meets it: results, exit codes and messages, without any model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs the binary without models and tables, and with this text on standard input.
fn cantoscribe(arguments: &[&str], input: &[u8]) -> Output {
    cantoscribe_with(tempfile::tempdir().unwrap().path(), arguments, input)
}

/// The same with this folder of a hospital's tables.
fn cantoscribe_with(tables: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let empty = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cantoscribe"))
        .args(arguments)
        .env("CANTOSCRIBE_MODELS", empty.path())
        .env("CANTOSCRIBE_TERMINOLOGY", tables)
        .env("CANTOSCRIBE_LOG", "trace")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments may end before it reads.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

const CONSULTATION: &str = "doctor: 今日血壓一百四十五/九十，有冇頭痛?\npatient: 冇頭痛,但係頭暈咗三日。\n";

#[test]
fn a_plain_text_becomes_a_note_whose_every_line_has_evidence() {
    let output = cantoscribe(&["note", "--format", "json", "-"], CONSULTATION.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", error(&output));
    let note: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(note["schema"], "cantoscribe/note/1");
    let segments: Vec<Vec<char>> = CONSULTATION.lines().map(|line| line.split_once(": ").unwrap().1.chars().collect()).collect();
    let mut spans = 0;
    for part in ["conditions", "medications", "allergies", "observations", "plan", "social"] {
        for finding in note[part].as_array().unwrap() {
            assert_eq!(finding["origin"], "heard");
            for span in finding["evidence"].as_array().unwrap() {
                let segment = &segments[usize::try_from(span["segment"].as_u64().unwrap()).unwrap()];
                let start = usize::try_from(span["start"].as_u64().unwrap()).unwrap();
                let end = usize::try_from(span["end"].as_u64().unwrap()).unwrap();
                assert!(start < end && end <= segment.len());
                spans += 1;
            }
        }
    }
    assert!(spans >= 4, "headache denied, dizziness and two pressures rest on {spans} spans");
    for section in note["sections"].as_array().unwrap() {
        for sentence in section["sentences"].as_array().unwrap() {
            assert!(!sentence["evidence"].as_array().unwrap().is_empty());
        }
    }
}

/// Random weights write nothing that the checker lets through: the note is byte for byte the one without them.
#[test]
fn a_model_rewords_only_where_it_is_named() {
    for format in ["json", "text"] {
        let arguments = ["note", "--format", format, "-"];
        let plain = cantoscribe(&arguments, CONSULTATION.as_bytes());
        assert_eq!(error(&plain).matches("reworded").count(), 0);
        let model = ["--reword", "tests/fixtures/qwen3-text/model.gguf"];
        let reworded = cantoscribe(&[&arguments[..], &model].concat(), CONSULTATION.as_bytes());
        assert_eq!(reworded.status.code(), Some(0), "{}", error(&reworded));
        assert_eq!(reworded.stdout, plain.stdout);
        assert!(error(&reworded).contains("`a small Qwen3 of random weights` reworded 0 of"), "{}", error(&reworded));
    }
    let output = cantoscribe(&["note", "--reword", "tests/fixtures/tone.mp3", "-"], CONSULTATION.as_bytes());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(error(&output).contains("tests/fixtures/tone.mp3") && error(&output).contains("GGUF"), "{}", error(&output));
}

#[test]
fn nothing_said_is_in_a_log_or_an_error() {
    let marker = "朱古力西多士";
    let said = format!("doctor: {marker}頭痛\n");
    let broken =
        format!(r#"{{"schema":"cantoscribe/transcript/1","language":"yue","segments":[{{"id":"{marker}","text":"{marker}"}}]}}"#);
    let twisted = format!(r#"{{"schema":"{marker}","language":"yue","segments":"{marker}"}}"#);
    for input in [said.as_str(), &broken, &twisted, &broken[..broken.len() - 3]] {
        let output = cantoscribe(&["note", "--format", "json", "-"], input.as_bytes());
        assert!(!error(&output).contains(marker), "{}", error(&output));
        assert!(!error(&output).contains("朱古力"), "{}", error(&output));
    }
}

#[test]
fn a_missing_field_is_named_by_its_path() {
    let input = r#"{"schema":"cantoscribe/transcript/1","language":"yue","segments":[{"id":0,"text":"x"},{"id":1}]}"#;
    let output = cantoscribe(&["note", "-"], input.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(error(&output).contains("segments[1]") && error(&output).contains("text"), "{}", error(&output));
}

#[test]
fn the_command_line_is_checked() {
    for arguments in [
        &["transcribe"][..],
        &["transcribe", "--format", "pdf", "a.wav"],
        &["transcribe", "--precision", "double", "a.wav"],
        &["transcribe", "--threads", "0", "a.wav"],
        &["note"],
        &["serve", "--addr", "0.0.0.0:8080"],
        &["serve", "--tls-local"],
        &["serve", "--trial", "--public-url", "https://clinic.example"],
        &["serve", "--public-url", "https://clinic.example", "--tls-key", "key.pem"],
        &["serve", "--public-url", "https://clinic.example", "--trusted-proxy", "proxy"],
        &["serve", "--trial", "--addr", "0.0.0.0:8080"],
        &["serve", "--trial", "--addr", "192.168.1.5:8080"],
        &["serve", "--trial", "--addr", "here"],
        &["models", "pull"],
    ] {
        let output = cantoscribe(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", error(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_microphone_and_the_processor_have_options_of_their_own() {
    let output = cantoscribe(&["listen", "--list-devices", "--compute", "cpu"], b"");
    assert!(!error(&output).contains("internal error"), "{}", error(&output));
    assert_ne!(output.status.code(), Some(2), "{}", error(&output));
}

#[test]
fn a_model_that_is_not_there_is_asked_for_by_its_command() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("tone.wav");
    File::create(&recording).unwrap().write_all(b"RIFF").unwrap();
    for (more, command) in [(&[][..], "models pull auto"), (&["--model", "whisper-base"], "models pull whisper-base")] {
        let output = cantoscribe(&[&["transcribe", recording.to_str().unwrap()], more].concat(), b"");
        assert_eq!(output.status.code(), Some(1));
        assert!(error(&output).contains(&format!("cantoscribe {command}")), "{}", error(&output));
        assert_eq!(error(&output).trim_end().lines().count(), 1, "{}", error(&output));
    }
}

#[test]
fn a_full_disk_is_an_error_and_not_half_a_note() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cantoscribe"))
        .args(["note", "--format", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(File::options().write(true).open("/dev/full").unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(CONSULTATION.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error(&output).contains("standard output"), "{}", error(&output));
}

#[test]
fn bench_says_what_recordings_it_needs() {
    let none = cantoscribe(&["bench"], b"");
    assert_eq!(none.status.code(), Some(2));
    assert!(error(&none).contains("--recordings"), "{}", error(&none));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let empty = cantoscribe(&["bench", "--recordings", path], b"");
    assert_eq!(empty.status.code(), Some(1));
    assert!(error(&empty).contains(path) && error(&empty).contains("no recording"), "{}", error(&empty));
    File::create(folder.path().join("visit.wav")).unwrap();
    let untold = cantoscribe(&["bench", "--recordings", path], b"");
    assert!(error(&untold).contains("visit.txt"), "{}", error(&untold));
    let data = folder.path().join("data").join("rooms");
    let alone = ["bench", "--speed-only", "--recordings", path, "--data", data.to_str().unwrap()];
    let without_models = cantoscribe(&alone, b"");
    assert_eq!(without_models.status.code(), Some(1));
    assert!(error(&without_models).contains("models pull"), "{}", error(&without_models));
}

#[test]
fn bench_refuses_what_it_cannot_measure() {
    for (arguments, told) in [
        (["--precision", "quick"], "exact, balanced or fast"),
        (["--minutes", "0"], "more than 0 minutes"),
        (["--threads", "0"], "--threads"),
        (["--step-seconds", "1"], "--step-seconds"),
    ] {
        let output = cantoscribe(&["bench", "--recordings", "x", arguments[0], arguments[1]], b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(error(&output).contains(told), "{}", error(&output));
    }
}

/// What FunASR's code makes of these samples with the checkpoint of random weights (`scripts/sense-voice-reference`).
#[test]
fn parity_sense_voice_from_the_command_line() {
    let checkpoint = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sense-voice");
    let bytes = std::fs::read(checkpoint.join("reference.safetensors")).unwrap();
    let reference = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let samples = reference.tensor("samples").unwrap().data();
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("recording.wav");
    let mut wav = cantoscribe::audio::wav_header(16_000, samples.len() as u64 / 2).to_vec();
    wav.extend(samples);
    std::fs::write(&recording, wav).unwrap();
    let (checkpoint, recording) = (checkpoint.to_str().unwrap(), recording.to_str().unwrap());
    let hear = |language: &str| {
        let options = ["transcribe", "--raw", "--precision", "exact", "--format", "json", "--language", language];
        cantoscribe(&[&options[..], &["--model", checkpoint, recording]].concat(), b"")
    };
    for language in ["yue", "zh", "en", "auto"] {
        let output = hear(language);
        assert_eq!(output.status.code(), Some(0), "{}", error(&output));
        let transcript: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ids: Vec<u32> = serde_json::from_value(transcript["segments"][0]["tokens"].clone()).unwrap();
        let expected = reference.tensor(&format!("ids.{language}")).unwrap();
        let expected: Vec<u32> = expected.data().as_chunks().0.iter().map(|four| u32::from_le_bytes(*four)).collect();
        assert_eq!(ids, expected, "{language}");
    }
    let refused = cantoscribe(&["transcribe", "--prompt", "panadol", "--model", checkpoint, recording], b"");
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
    assert!(error(&refused).contains("--prompt"), "{}", error(&refused));
    let aligner = ["--aligner", checkpoint];
    let refused = cantoscribe(&[&["transcribe", "--raw"], &aligner[..], &["--model", checkpoint, recording]].concat(), b"");
    assert_eq!(refused.status.code(), Some(2), "{}", error(&refused));
}

#[test]
fn a_hospitals_own_words_and_codes_stand_in_the_note() {
    let (tables, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = |name: &str, text: &str| {
        std::fs::write(files.path().join(name), text).unwrap();
        files.path().join(name).to_str().unwrap().to_owned()
    };
    let words = file("words.tsv", "icd10\ticpc2\tflags\ten\tzh\tforms\nJ00\tR74\t-\tCold\t傷風\t打風病\n");
    let map = file("map.tsv", "icd10\ticpc2\tsystem\tcode\nJ00\tR74\ticd-9-cm\t460\nJ00\t-\turn:x-hospital\tH-17\n");
    let output = cantoscribe_with(tables.path(), &["terminology", "import", &words, &map], b"");
    assert_eq!(output.status.code(), Some(0), "{}", error(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "words.tsv: 1 lines\nmap.tsv: 2 lines\n");

    let said = "patient: 我有打風病。\n".as_bytes();
    let output = cantoscribe_with(tables.path(), &["note", "--format", "json", "-"], said);
    let note: Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes: Vec<(&str, &str)> = note["conditions"][0]["codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| (code["system"].as_str().unwrap().rsplit('/').next().unwrap(), code["code"].as_str().unwrap()))
        .collect();
    assert_eq!(codes, [("icd-10", "J00"), ("icpc-2", "R74"), ("icd-9-cm", "460"), ("urn:x-hospital", "H-17")]);

    let wrong = file("wrong.tsv", "icd10\ticpc2\tflags\ten\tzh\tforms\nJ01.9\tR75\t-\tSinusitis\t鼻竇炎\t打風病\n");
    let output = cantoscribe_with(tables.path(), &["terminology", "import", &wrong], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(error(&output).contains("forms: `打風病` stands in"), "{}", error(&output));
    let output = cantoscribe_with(tables.path(), &["terminology", "remove", "words.tsv", "map.tsv"], b"");
    assert_eq!(output.status.code(), Some(0), "{}", error(&output));
    let output = cantoscribe_with(tables.path(), &["terminology", "list"], b"");
    assert!(output.stdout.is_empty(), "the wrong table was not installed");
}

/// What the `qwen-asr` package's code makes of these samples with the checkpoint of random weights (`scripts/qwen3-asr-reference`).
#[test]
fn parity_qwen3_asr_from_the_command_line() {
    let checkpoint = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/qwen3-asr");
    let bytes = std::fs::read(checkpoint.join("reference.safetensors")).unwrap();
    let reference = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let samples = reference.tensor("samples").unwrap().data();
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("recording.wav");
    let mut wav = cantoscribe::audio::wav_header(16_000, samples.len() as u64).to_vec();
    // The upper bytes of 16-bit samples.
    wav.extend(samples.iter().flat_map(|sample| [0, *sample]));
    std::fs::write(&recording, wav).unwrap();
    for language in ["yue", "zh", "en", "auto"] {
        let options = ["transcribe", "--raw", "--precision", "exact", "--format", "json", "--language", language];
        let model = ["--model", checkpoint.to_str().unwrap(), recording.to_str().unwrap()];
        let output = cantoscribe(&[&options[..], &model].concat(), b"");
        assert_eq!(output.status.code(), Some(0), "{}", error(&output));
        let transcript: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ids: Vec<u32> = serde_json::from_value(transcript["segments"][0]["tokens"].clone()).unwrap();
        let expected = reference.tensor(&format!("ids.{language}")).unwrap();
        let expected: Vec<u32> = expected.data().as_chunks().0.iter().map(|four| u32::from_le_bytes(*four)).collect();
        assert_eq!(ids, expected, "{language}");
        let text = &metadata.metadata().as_ref().unwrap()[&format!("text.{language}")];
        assert_eq!(transcript["segments"][0]["text"].as_str(), Some(text.as_str()), "{language}");
    }
}

/// Before any model is looked for; and no word of it is told, for it may be a patient's.
#[test]
fn a_list_of_words_that_cannot_be_used_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clinic.txt");
    let long: String = (0..100_000).map(|number| format!("secret{number}\n")).collect();
    for (list, told) in [(long.as_bytes(), "line 10001 of the list"), (b"secret\n\xff\n", "line 2 of the list"), (b"", "line 1")]
    {
        std::fs::write(&path, list).unwrap();
        let output = cantoscribe(&["transcribe", "--bias", path.to_str().unwrap(), "recording.wav"], b"");
        let message = error(&output);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{message}");
        assert!(message.contains(told) && message.contains("clinic.txt") && !message.contains("secret"), "{message}");
    }
    let output = cantoscribe(&["transcribe", "--bias", "/nowhere/list.txt", "recording.wav"], b"");
    assert!(output.status.code() == Some(1) && error(&output).contains("/nowhere/list.txt"), "{}", error(&output));
}

/// Ends a program by a signal that makes a core dump, where nothing forbids it, in a folder of its own. Says whether there was one.
#[cfg(target_os = "linux")]
fn dumps_core(program: &str, arguments: &[&str], is_ready: impl Fn(u32) -> bool) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh", program]).args(arguments).current_dir(folder.path());
    let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begin = std::time::Instant::now();
    while !is_ready(child.id()) {
        assert!(begin.elapsed().as_secs() < 30, "`{program}` does not get ready");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(6));
    status.core_dumped() || std::fs::read_dir(folder.path()).unwrap().next().is_some()
}

#[test]
#[cfg(target_os = "linux")]
fn the_memory_of_a_program_that_breaks_down_is_written_nowhere() {
    let limits = |process: u32| std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = |process| limits(process).lines().find(|line| line.starts_with("Max core file size")).unwrap().to_owned();
    let forbidden =
        |process| line(process).split_whitespace().nth(4) == Some("0") && line(process).split_whitespace().nth(5) == Some("0");
    // What the limits forbid shows that the program has got so far; whether this system would have dumped anything is another matter.
    let system_does = dumps_core("sleep", &["60"], |process| {
        std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap().trim() == "sleep" && !forbidden(process)
    });
    println!("a program without our care {} a core dump here", if system_does { "leaves" } else { "leaves no" });
    assert!(!dumps_core(env!("CARGO_BIN_EXE_cantoscribe"), &["note", "-"], forbidden));
}
