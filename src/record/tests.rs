use super::*;
use crate::note::compose::{Language, sections};
use crate::note::edit::{NoteEdit, apply};
use crate::note::extract::extract;
use crate::note::{FindingKind, FindingRef, Note, Provenance, SectionCode, Span};
use crate::speech::Transcript;
use crate::speech::transcript::read;
use crate::terminology::{Concept, Lexicon};

const TALK: &str = "doctor: 今日有咩唔舒服？
patient: 頭暈咗三日，左邊膝頭痛，冇心口痛。
patient: 我有高血鴨同糖尿病，食緊 metformin 500 mg 一日兩次。
patient: 我對盤尼西林敏感。
patient: 隻手指有少少痹同埋個膽好似唔妥。
doctor: 今日血壓145/90。四個星期後覆診。";

const AT: &str = "2026-11-26T09:00:00Z";

struct Desk {
    lexicon: Lexicon,
    transcript: Transcript,
    note: Note,
}

fn desk() -> Desk {
    let (lexicon, transcript) = (Lexicon::builtin().unwrap(), read(TALK.as_bytes()).unwrap());
    let mut note = extract(&transcript, &lexicon);
    note.sections = sections(&note, Language::English);
    Desk { lexicon, transcript, note }
}

impl Desk {
    fn done(&self, note: &Note, edit: NoteEdit) -> Note {
        let changed = apply(note, edit, "Dr Chan", AT, &self.lexicon).unwrap();
        assert_eq!(sections(&changed, Language::English), changed.sections, "the lines are what the findings give");
        assert_eq!(serde_json::from_value::<Note>(serde_json::to_value(&changed).unwrap()).unwrap(), changed);
        changed
    }
}

fn signature() -> Signature {
    Signature::new("Dr Chan", AT).unwrap()
}

fn lines(note: &Note) -> Vec<String> {
    note.sections.iter().flat_map(|section| &section.sentences).map(|line| line.text.reveal().to_owned()).collect()
}

fn doubtful(note: &Note) -> FindingRef {
    open_doubts(note).first().expect("高血鴨 is in doubt").finding
}

fn condition(note: &Note, en: &str) -> FindingRef {
    let index = note.conditions.iter().position(|found| found.display.en == en).unwrap_or_else(|| panic!("no {en}"));
    FindingRef { kind: FindingKind::Condition, index }
}

#[test]
fn what_is_doubtful_is_open_and_keeps_a_note_from_being_signed() {
    let desk = desk();
    let open = open_doubts(&desk.note);
    assert_eq!(open.iter().map(|doubt| (doubt.en.as_str(), doubt.why)).collect::<Vec<_>>(), [("Hypertension", Why::Sound)]);
    assert_eq!(open[0].heard.reveal(), "高血鴨");
    let refused = Draft::new(1, desk.note.clone()).review(signature()).unwrap_err();
    assert_eq!((refused.open, refused.draft.note()), (open, &desk.note));
    for decide in [
        NoteEdit::Accept { finding: doubtful(&desk.note) },
        NoteEdit::Drop { finding: doubtful(&desk.note) },
        NoteEdit::Recode {
            finding: doubtful(&desk.note),
            concept: Concept::Condition { icd10: "E14.9".into(), en: "Diabetes mellitus".into() },
        },
    ] {
        let decided = desk.done(&desk.note, decide);
        let signed = Draft::new(2, decided.clone()).review(signature()).unwrap().sign(signature());
        assert_eq!((signed.note(), signed.version()), (&decided, 2));
    }
}

#[test]
fn an_accepted_suggestion_says_nothing_of_doubt_any_more_and_keeps_its_evidence() {
    let desk = desk();
    let finding = doubtful(&desk.note);
    let before = &desk.note.conditions[finding.index];
    assert!(lines(&desk.note).iter().any(|line| line.contains("?heard")));
    let accepted = desk.done(&desk.note, NoteEdit::Accept { finding });
    let after = &accepted.conditions[finding.index];
    assert_eq!((&after.codes, after.confidence, &after.sounds_like), (&before.codes, 1.0, &None));
    assert_eq!(after.provenance.spans(), before.provenance.spans());
    let Provenance::Heard { edited: Some(edit), .. } = &after.provenance else { panic!("{:?}", after.provenance) };
    assert_eq!((edit.by.as_str(), edit.at.as_str()), ("Dr Chan", AT));
    assert!(edit.was.reveal().contains("高血鴨"), "{}", edit.was.reveal());
    assert!(!lines(&accepted).iter().any(|line| line.contains("?heard")));
    let dropped = desk.done(&desk.note, NoteEdit::Drop { finding });
    assert!(!lines(&dropped).iter().any(|line| line.contains("HT")));
    assert_eq!(dropped.conditions.len() + 1, desk.note.conditions.len());
}

#[test]
fn a_code_is_changed_and_everything_else_of_the_finding_stays() {
    let desk = desk();
    let finding = condition(&desk.note, "Diabetes mellitus");
    let hit = desk.lexicon.search("type 2 diabetes", 1).remove(0);
    let changed = desk.done(&desk.note, NoteEdit::Recode { finding, concept: hit.concept });
    let (was, now) = (&desk.note.conditions[finding.index], &changed.conditions[finding.index]);
    assert_eq!(now.display.en, hit.en);
    assert_eq!((&now.text, now.assertion, now.provenance.spans()), (&was.text, was.assertion, was.provenance.spans()));
    assert!(serde_json::to_value(&now.provenance).unwrap()["edited"]["was"].as_str().unwrap().starts_with("Diabetes mellitus"));
    assert!(lines(&changed).iter().any(|line| line.contains("T2DM")), "{:?}", lines(&changed));
    let drug = FindingRef { kind: FindingKind::Medication, index: 0 };
    let changed = desk.done(&changed, NoteEdit::Recode { finding: drug, concept: Concept::Drug { name: "gliclazide".into() } });
    let told = &changed.medications[0];
    assert_eq!((told.name.as_str(), told.atc.as_deref(), told.times_per_day), ("gliclazide", Some("A10BB09"), Some(2.0)));
    // A drug is no condition, and what nobody knows is nothing.
    for (finding, concept) in [
        (drug, Concept::Condition { icd10: "I10".into(), en: "Hypertension".into() }),
        (finding, Concept::Condition { icd10: "I10".into(), en: "Nothing of the sort".into() }),
        (FindingRef { kind: FindingKind::Medication, index: 99 }, Concept::Drug { name: "gliclazide".into() }),
    ] {
        assert!(apply(&changed, NoteEdit::Recode { finding, concept }, "Dr Chan", AT, &desk.lexicon).is_err());
    }
}

#[test]
fn a_code_that_was_changed_on_a_typed_line_outlasts_other_edits_and_goes_with_the_line() {
    let desk = desk();
    let typed = desk.done(&desk.note, NoteEdit::Add { section: SectionCode::A, text: "Imp: asthma.".into() });
    let finding = condition(&typed, "Asthma");
    let concept = desk.lexicon.search("COPD", 1).remove(0).concept;
    let recoded = desk.done(&typed, NoteEdit::Recode { finding, concept });
    let later = apply(
        &recoded,
        NoteEdit::Add { section: SectionCode::P, text: "FU 1/52.".into() },
        "Dr Chan",
        "2026-11-26T09:00:05Z",
        &desk.lexicon,
    )
    .unwrap();
    assert!(later.conditions.iter().any(|found| found.display.en.contains("COPD") || found.display.en.contains("obstructive")));
    assert!(lines(&later).contains(&"Imp: asthma.".to_owned()));
    let index = later.sections.iter().find(|s| s.code == SectionCode::A).unwrap().sentences.len() - 1;
    let gone = desk.done(&later, NoteEdit::Remove { section: SectionCode::A, index });
    assert!(!gone.conditions.iter().any(|found| found.display.en.contains("obstructive")));
}

#[test]
fn a_phrase_becomes_a_line_that_rests_on_its_words() {
    let desk = desk();
    let segment = &desk.transcript.segments[4];
    let text: Vec<char> = segment.text.reveal().chars().collect();
    let phrase = |words: &str| {
        let words: Vec<char> = words.chars().collect();
        let start = text.windows(words.len()).position(|window| window == words).unwrap();
        Span::new(segment.id, start, start + words.len()).unwrap()
    };
    let pick = |words: &str| NoteEdit::Phrase { section: SectionCode::S, span: phrase(words), text: words.into(), concept: None };
    let plain = desk.done(&desk.note, pick("個膽好似唔妥"));
    let line = plain.sections[0].sentences.last().unwrap();
    assert_eq!((line.text.reveal(), line.provenance.spans()), ("個膽好似唔妥", &[phrase("個膽好似唔妥")][..]));
    assert!(matches!(&line.provenance, Provenance::Typed { by, .. } if by == "Dr Chan"));
    assert_eq!(plain.conditions.len(), desk.note.conditions.len(), "what is not understood is no finding");
    let read = NoteEdit::Phrase { section: SectionCode::O, span: phrase("手指"), text: "血壓130/80".into(), concept: None };
    let read = desk.done(&desk.note, read);
    assert!(lines(&read).contains(&"BP 130/80.".to_owned()), "{:?}", lines(&read));
    assert_eq!(read.observations.last().unwrap().provenance.spans(), [phrase("手指")]);
}

#[test]
fn a_phrase_loses_no_words_and_no_warning_that_is_not_all_in_it() {
    const SAID: &str = "血壓145/90，個膽好似唔妥";
    let (lexicon, transcript) = (Lexicon::builtin().unwrap(), read(format!("doctor: {SAID}").as_bytes()).unwrap());
    let mut note = extract(&transcript, &lexicon);
    note.sections = sections(&note, Language::English);
    let desk = Desk { lexicon, transcript, note };
    let listed = desk.note.uncovered.first().expect("what is wrong with the gallbladder led to nothing").span;
    let pick = |section, start: usize, end: usize| {
        let text = SAID.chars().skip(start).take(end - start).collect::<String>().into();
        desk.done(&desk.note, NoteEdit::Phrase { section, span: Span::new(0, start, end).unwrap(), text, concept: None })
    };
    let all = pick(SectionCode::O, 0, SAID.chars().count());
    assert_eq!(lines(&all).last().unwrap(), SAID, "the words that were not understood are in the line");
    assert!(all.observations.iter().any(|found| found.provenance.is_by_a_person()), "and those that were are findings");
    assert_eq!(all.uncovered, []);
    let understood = pick(SectionCode::O, 0, 8);
    assert_eq!(lines(&understood).last().unwrap(), "BP 145/90.");
    assert_eq!(understood.uncovered, desk.note.uncovered);
    let part = pick(SectionCode::O, 0, listed.end() - 1);
    assert_eq!(part.uncovered, desk.note.uncovered, "a word of it is not in the line");
    // What belongs elsewhere is not understood here.
    for text in ["血壓130/80，頭痛", "血壓145/90，大腿有嚿嘢凸起"] {
        let elsewhere =
            NoteEdit::Phrase { section: SectionCode::O, span: Span::new(0, 0, 8).unwrap(), text: text.into(), concept: None };
        assert_eq!(lines(&desk.done(&desk.note, elsewhere)).last().unwrap(), text);
    }
}

#[test]
fn uncovered_words_are_dismissed_or_used_up_by_a_line() {
    let desk = desk();
    let span = desk.note.uncovered.first().expect("something led to nothing").span;
    let dismissed = desk.done(&desk.note, NoteEdit::Dismiss { span });
    assert_eq!(dismissed.uncovered.len() + 1, desk.note.uncovered.len());
    assert!(apply(&dismissed, NoteEdit::Dismiss { span }, "Dr Chan", AT, &desk.lexicon).is_err());
    let used = desk.done(&desk.note, NoteEdit::Phrase { section: SectionCode::S, span, text: "唔妥".into(), concept: None });
    assert!(!used.uncovered.iter().any(|uncovered| uncovered.span == span));
}

#[test]
fn lines_are_marked_by_what_is_easily_misheard() {
    let mut desk = desk();
    let marks = |desk: &Desk, words: &str| {
        let marked = marked_lines(&desk.note, &desk.transcript, &desk.lexicon);
        assert_eq!(marked.len(), lines(&desk.note).len());
        let at =
            lines(&desk.note).iter().position(|line| line.contains(words)).unwrap_or_else(|| panic!("{:?}", lines(&desk.note)));
        marked[at].marks.clone()
    };
    assert_eq!(marks(&desk, "C/O"), [Mark::Side]);
    assert_eq!(marks(&desk, "No CP"), [Mark::Negation]);
    assert_eq!(marks(&desk, "metformin"), [Mark::Dose]);
    assert_eq!(marks(&desk, "Imp"), [Mark::Doubt]);
    assert_eq!(marks(&desk, "BP"), []);
    let marked = marked_lines(&desk.note, &desk.transcript, &desk.lexicon);
    let mut said: Vec<FindingRef> = marked.into_iter().flat_map(|line| line.findings).collect();
    said.sort_unstable();
    said.dedup();
    assert_eq!(said, desk.note.findings(), "every finding is said by a line");
    let segment = &mut desk.transcript.segments[5];
    let word =
        |text: &str, confidence| crate::speech::Word { text: text.into(), start_ms: 0, end_ms: 1, confidence: Some(confidence) };
    segment.words = Some(vec![word("今日", 0.2), word("血壓", 0.9), word("145/90", 0.4)]);
    assert_eq!(marks(&desk, "BP"), [Mark::Unsure]);
    assert_eq!(marks(&desk, "FU"), []);
}

#[test]
fn a_dose_told_in_words_alone_and_a_side_in_the_plan_are_marked() {
    let lexicon = Lexicon::builtin().unwrap();
    let transcript = read("doctor: insulin 朝早十六度夜晚八度。轉介骨科睇右膝。轉介皮膚科。".as_bytes()).unwrap();
    let mut note = extract(&transcript, &lexicon);
    note.sections = sections(&note, Language::English);
    let marked = marked_lines(&note, &transcript, &lexicon);
    let marks: Vec<(String, Vec<Mark>)> = lines(&note).into_iter().zip(marked.into_iter().map(|line| line.marks)).collect();
    let of = |words: &str| marks.iter().find(|(line, _)| line.contains(words)).map(|(_, marks)| marks.as_slice());
    assert_eq!(of("Insulin"), Some([Mark::Dose].as_slice()), "{marks:?}");
    assert_eq!(of("右膝"), Some([Mark::Side].as_slice()), "{marks:?}");
    assert_eq!(of("dermatology"), Some([].as_slice()), "{marks:?}");
}

#[test]
fn a_signed_note_is_frozen_and_an_addendum_is_a_version_on() {
    let desk = desk();
    let note = desk.done(&desk.note, NoteEdit::Accept { finding: doubtful(&desk.note) });
    let signed = Draft::new(2, note.clone()).review(signature()).unwrap().sign(signature());
    assert!(matches!(Record::Signed(signed.clone()).editable(), Err(RecordError::Frozen { version: 2 })));
    let later = Signature::new("Dr Lee", "2026-11-27T09:00:00Z").unwrap();
    let added = signed.addendum(&[(SectionCode::P, "FU 1/52.".into())], later.clone(), &desk.lexicon).unwrap();
    assert_eq!((added.version(), added.signature(), signed.note()), (3, &later, &note));
    assert_eq!(lines(added.note()).last().unwrap(), "FU 1/52.");
    assert!(lines(&note).iter().all(|line| lines(added.note()).contains(line)));
    assert!(matches!(signed.addendum(&[], later.clone(), &desk.lexicon), Err(RecordError::NothingAdded)));
    assert!(signed.addendum(&[(SectionCode::P, " ".into())], later, &desk.lexicon).is_err());
    // As it was kept, and never signed without a review.
    let kept = Record::restored(2, note.clone(), Some(signature()), Some(signature())).unwrap();
    assert_eq!(kept, Record::Signed(signed));
    assert!(Record::restored(2, note.clone(), None, Some(signature())).is_err());
    assert_eq!(Record::restored(2, note.clone(), Some(signature()), None).unwrap().stage(), Stage::Reviewed);
    assert!(Record::restored(2, note.clone(), None, None).unwrap().signed().is_err());
    assert!(Record::restored(2, note, Some(signature()), None).unwrap().editable().unwrap().review(signature()).is_ok());
}

#[test]
fn an_addendum_with_something_doubtful_is_not_signed() {
    let desk = desk();
    let note = desk.done(&desk.note, NoteEdit::Accept { finding: doubtful(&desk.note) });
    let signed = Draft::new(2, note).review(signature()).unwrap().sign(signature());
    let add = |lines: &[(SectionCode, &str)]| {
        let lines: Vec<_> = lines.iter().map(|(section, text)| (*section, (*text).into())).collect();
        signed.addendum(&lines, Signature::new("Dr Lee", "2026-11-27T09:00:00Z").unwrap(), &desk.lexicon)
    };
    let refused = add(&[(SectionCode::P, "FU 1/52."), (SectionCode::P, "Start tammy flu 75 mg BD.")]).unwrap_err();
    assert!(!refused.to_string().contains("tammy"), "{refused}");
    let RecordError::Open { open } = refused else { panic!("{refused:?}") };
    assert_eq!(open.iter().map(|doubt| (doubt.en.as_str(), doubt.why)).collect::<Vec<_>>(), [("oseltamivir", Why::Sound)]);
    let added = add(&[(SectionCode::P, "FU 1/52."), (SectionCode::P, "Start oseltamivir 75 mg BD.")]).unwrap();
    assert!(open_doubts(added.note()).is_empty());
}

#[test]
fn an_allergy_that_only_sounds_like_a_drug_is_accepted_or_dropped_before_the_note_is_signed() {
    let (lexicon, transcript) = (Lexicon::builtin().unwrap(), read("patient: 我對 penicilin 敏感。".as_bytes()).unwrap());
    let mut note = extract(&transcript, &lexicon);
    note.sections = sections(&note, Language::English);
    let open = open_doubts(&note);
    assert_eq!(
        open.iter().map(|doubt| (doubt.en.as_str(), doubt.heard.reveal(), doubt.why)).collect::<Vec<_>>(),
        [("allergy to penicillin", "penicilin", Why::Sound)]
    );
    let finding = open[0].finding;
    assert_eq!(Draft::new(1, note.clone()).review(signature()).unwrap_err().open, open);
    let accepted = apply(&note, NoteEdit::Accept { finding }, "Dr Lee", AT, &lexicon).unwrap();
    assert!(open_doubts(&accepted).is_empty());
    let Provenance::Heard { edited: Some(edited), .. } = &accepted.allergies[0].provenance else {
        panic!("not marked as accepted")
    };
    assert_eq!(edited.was.reveal(), "penicillin (?heard 「penicilin」)");
    let signed = Draft::new(1, accepted).review(signature()).unwrap().sign(signature());
    assert_eq!(lines(signed.note()), ["Allergy: penicillin."]);
    let dropped = apply(&note, NoteEdit::Drop { finding }, "Dr Lee", AT, &lexicon).unwrap();
    assert_eq!((dropped.allergies.len(), lines(&dropped)), (0, vec![]));
}

#[test]
fn undo_and_redo_lead_back_and_forth_until_something_else_is_done() {
    let change = |version, act| Change { version, act, by: "Dr Chan".into(), at: AT.into(), id: None };
    let acts = |acts: &[Act]| -> Vec<Change> { (2..).zip(acts).map(|(version, act)| change(version, *act)).collect() };
    let at = |all: &[Act]| (steps(&acts(all)).undo, steps(&acts(all)).redo);
    use Act::{Accept, Add, Addendum, Redo, Replace, Undo};
    assert_eq!(at(&[]), (None, None));
    assert_eq!(at(&[Replace]), (Some(1), None));
    assert_eq!(at(&[Replace, Add]), (Some(2), None));
    assert_eq!(at(&[Replace, Add, Undo]), (Some(1), Some(3)));
    assert_eq!(at(&[Replace, Add, Undo, Undo]), (None, Some(4)));
    assert_eq!(at(&[Replace, Add, Undo, Undo, Redo]), (Some(5), Some(3)));
    assert_eq!(at(&[Replace, Add, Undo, Accept]), (Some(4), None));
    assert_eq!(at(&[Replace, Addendum]), (None, None));
}

#[test]
fn a_change_is_found_by_its_id_since_the_version_that_was_seen() {
    let id = |text: &str| EditId::try_from(text.to_owned());
    let (one, other) = (id("0123456789-abcDEF_").unwrap(), id("another-change-16").unwrap());
    let change =
        |version, id: Option<&EditId>| Change { version, act: Act::Add, by: "Dr Chan".into(), at: AT.into(), id: id.cloned() };
    let changes = [change(2, None), change(3, Some(&one)), change(4, None)];
    assert_eq!((made_before(&changes, 1, &one), made_before(&changes, 2, &one)), (Some(3), Some(3)));
    assert_eq!((made_before(&changes, 3, &one), made_before(&changes, 1, &other)), (None, None));
    let kept: Change = serde_json::from_str(&serde_json::to_string(&changes[1]).unwrap()).unwrap();
    assert_eq!(kept, changes[1]);
    // As it was kept before changes had ids.
    let old = format!(r#"{{"version":2,"act":"add","by":"Dr Chan","at":"{AT}"}}"#);
    assert_eq!(serde_json::to_string(&changes[0]).unwrap(), old);
    assert_eq!(serde_json::from_str::<Change>(&old).unwrap(), changes[0]);
    let long = "a".repeat(64);
    assert!(id(&long).is_ok() && id(&format!("{long}a")).is_err());
    for wrong in ["", "fifteen-letters", "sixteen letters!", "陳大文陳大文陳大文陳大文", "sixteen\n-letters", "sixteen'-letters"]
    {
        assert!(matches!(id(wrong), Err(RecordError::NoEditId)), "{wrong:?}");
        assert!(serde_json::from_value::<EditId>(wrong.into()).is_err());
    }
}

#[test]
fn differences_say_from_what_to_what() {
    let desk = desk();
    assert_eq!(differences(&desk.note, &desk.note), []);
    let text = |text: &Option<crate::text::PatientText>| text.as_ref().map(|text| text.reveal().to_owned());
    let changed = desk.done(&desk.note, NoteEdit::Accept { finding: doubtful(&desk.note) });
    let found = differences(&desk.note, &changed);
    let line = found.iter().find(|one| one.place == Place::Line(SectionCode::A)).unwrap();
    assert!(text(&line.was).unwrap().contains("?heard") && !text(&line.now).unwrap().contains("?heard"));
    let claim = found.iter().find(|one| one.place == Place::Finding(FindingKind::Condition)).unwrap();
    assert_eq!((text(&claim.was).unwrap().chars().next(), text(&claim.now).unwrap().chars().next()), (Some('?'), Some('H')));
    let added = desk.done(&desk.note, NoteEdit::Add { section: SectionCode::S, text: "Likes opera.".into() });
    let found = differences(&desk.note, &added);
    assert_eq!(
        found.iter().map(|one| (text(&one.was), text(&one.now))).collect::<Vec<_>>(),
        [(None, Some("Likes opera.".into()))]
    );
    let back = differences(&added, &desk.note);
    assert_eq!(
        back.iter().map(|one| (text(&one.was), text(&one.now))).collect::<Vec<_>>(),
        [(Some("Likes opera.".into()), None)]
    );
}

#[test]
fn edits_of_different_lines_meet_and_those_of_one_line_ask() {
    let desk = desk();
    let base = &desk.note;
    let other = desk.done(base, NoteEdit::Remove { section: SectionCode::S, index: 0 });
    let mine = NoteEdit::Replace { section: SectionCode::S, index: 1, text: "No chest pain at all.".into() };
    let Rebased::Clean(moved) = rebase(mine.clone(), base, &other) else { panic!("another line") };
    assert_eq!(moved, NoteEdit::Replace { section: SectionCode::S, index: 0, text: "No chest pain at all.".into() });
    let both = desk.done(&other, moved);
    assert_eq!(lines(&both)[0], "No chest pain at all.");
    assert_eq!(rebase(NoteEdit::Remove { section: SectionCode::S, index: 0 }, base, &other), Rebased::Asks);
    let theirs = desk.done(base, NoteEdit::Replace { section: SectionCode::S, index: 1, text: "No CP today.".into() });
    assert_eq!(rebase(mine.clone(), base, &theirs), Rebased::Asks);
    assert!(matches!(rebase(NoteEdit::Add { section: SectionCode::P, text: "x".into() }, base, &theirs), Rebased::Clean(_)));
    let finding = doubtful(base);
    assert_eq!(
        rebase(NoteEdit::Accept { finding }, base, &theirs),
        Rebased::Clean(NoteEdit::Accept { finding: doubtful(&theirs) })
    );
    let accepted = desk.done(base, NoteEdit::Accept { finding });
    assert_eq!(rebase(NoteEdit::Drop { finding }, base, &accepted), Rebased::Asks);
    // What re-renders a line is in the way of who edits it.
    let a = NoteEdit::Replace { section: SectionCode::A, index: 0, text: "Imp: HT.".into() };
    assert_eq!(rebase(a, base, &accepted), Rebased::Asks);
    assert_eq!(
        rebase(NoteEdit::Dismiss { span: base.uncovered[0].span }, base, &theirs),
        Rebased::Clean(NoteEdit::Dismiss { span: base.uncovered[0].span })
    );
}

#[test]
fn an_edit_of_a_typed_line_asks_where_a_finding_of_it_was_decided_meanwhile() {
    let desk = desk();
    let base = desk.done(&desk.note, NoteEdit::Add { section: SectionCode::A, text: "Imp: asthma.".into() });
    let index = base.sections.iter().find(|section| section.code == SectionCode::A).unwrap().sentences.len() - 1;
    let finding = condition(&base, "Asthma");
    let concept = desk.lexicon.search("COPD", 1).remove(0).concept;
    let mine = [
        NoteEdit::Replace { section: SectionCode::A, index, text: "Imp: asthma, mild.".into() },
        NoteEdit::Remove { section: SectionCode::A, index },
    ];
    for theirs in [NoteEdit::Recode { finding, concept }, NoteEdit::Drop { finding }, NoteEdit::Accept { finding }] {
        let current = apply(&base, theirs.clone(), "Dr Lee", "2026-11-26T09:05:00Z", &desk.lexicon).unwrap();
        let touched = current.conditions != base.conditions;
        assert!(touched || matches!(theirs, NoteEdit::Accept { .. }), "{theirs:?}");
        for edit in &mine {
            let rebased = rebase(edit.clone(), &base, &current);
            assert_eq!(rebased, if touched { Rebased::Asks } else { Rebased::Clean(edit.clone()) }, "{theirs:?}");
        }
    }
    // What was done to another line is in nobody's way.
    let elsewhere = desk.done(&base, NoteEdit::Accept { finding: doubtful(&base) });
    assert_eq!(rebase(mine[0].clone(), &base, &elsewhere), Rebased::Clean(mine[0].clone()));
}
