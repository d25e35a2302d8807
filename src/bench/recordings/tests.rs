use super::*;

/// A folder with these files.
fn folder_of(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn names(listed: &[Listed]) -> Vec<String> {
    let mut names: Vec<String> = listed.iter().map(|one| one.path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_folder_gives_its_recordings_with_the_texts_beside_them() {
    let folder = folder_of(&[("b.WAV", ""), ("b.txt", "\u{feff}二"), ("a.mp3", ""), ("a.txt", "一\n"), ("notes.pdf", "")]);
    let listed = list(folder.path(), Some(Language::Cantonese), true).unwrap();
    assert_eq!(names(&listed), ["a.mp3", "b.WAV"]);
    let second = listed.iter().find(|one| one.path.ends_with("b.WAV")).unwrap();
    assert_eq!(second.transcript.as_ref().unwrap().reveal(), "二");
    let without = list(folder.path(), None, false).unwrap();
    assert!(without.iter().all(|one| one.transcript.is_none()));
}

#[test]
fn what_a_folder_lacks_is_named() {
    let error = |files: &[(&str, &str)]| list(folder_of(files).path(), None, true).unwrap_err().to_string();
    assert!(error(&[("x.pdf", "")]).contains("no recording"));
    let missing = error(&[("visit.wav", "")]);
    assert!(missing.contains("visit.wav") && missing.contains("visit.txt"), "{missing}");
    assert!(error(&[("visit.wav", ""), ("visit.txt", " \n")]).contains("is empty"));
    let nowhere = list(Path::new("/nowhere/at/all"), None, true).unwrap_err();
    assert!(nowhere.to_string().contains("/nowhere/at/all"));
}

#[test]
fn a_manifest_is_read_by_its_header_and_filtered_by_language() {
    let text = "seconds\tfile\tlanguage\ttranscript\r\n1\ta.wav\tyue\t\"一\r\n\r\n2\tb.wav\ten\tone\r\n3\tc.wav\tyue\t三\r\n";
    let folder = folder_of(&[("manifest.tsv", text)]);
    let cantonese = list(folder.path(), Some(Language::Cantonese), true).unwrap();
    assert_eq!(names(&cantonese), ["a.wav", "c.wav"]);
    assert!(cantonese.iter().all(|one| one.path.parent() == Some(folder.path())));
    // A quotation mark is a character like any other.
    assert!(cantonese.iter().any(|one| one.transcript.as_ref().unwrap().reveal() == "\"一"));
    assert_eq!(list(&folder.path().join("manifest.tsv"), None, true).unwrap().len(), 3);
    let other = list(folder.path(), Some(Language::Mandarin), true).unwrap_err().to_string();
    assert!(other.contains("`zh`"), "{other}");
}

#[test]
fn a_manifest_that_is_none_is_refused_with_its_line() {
    let error = |text: &str| {
        let folder = folder_of(&[("manifest.tsv", text)]);
        list(folder.path(), None, true).unwrap_err().to_string()
    };
    assert!(error("").contains("line 1"));
    assert!(error("file\tlanguage\na\tyue\n").contains("`transcript`"));
    assert!(error("file\ttranscript\n").contains("lists no recording"));
    assert!(error("file\ttranscript\na.wav\tone\n\tone\n").contains("line 3"));
    let empty = error("file\ttranscript\na.wav\t\n");
    assert!(empty.contains("a.wav") && empty.contains("is empty"), "{empty}");
}

#[test]
fn no_transcript_is_in_an_error_or_in_debug() {
    let listed = Listed { path: "a.wav".into(), transcript: Some("朱古力".into()) };
    assert!(!format!("{listed:?}").contains("朱古力"));
    let folder = folder_of(&[("manifest.tsv", "file\ttranscript\n\t朱古力\n")]);
    let error = list(folder.path(), None, true).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("朱古力"));
}

#[test]
fn spreading_loses_none_and_is_the_same_each_time() {
    let listed: Vec<Listed> = (0..10).map(|n| Listed { path: format!("{n}.wav").into(), transcript: None }).collect();
    let spread = spread_out(listed.clone());
    assert_eq!(spread, spread_out(listed.clone()));
    assert_ne!(spread, listed);
    assert_eq!(names(&spread), names(&listed));
}
