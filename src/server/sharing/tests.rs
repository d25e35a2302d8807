//! Two clinics, a patient of the first and a doctor of the second, over a real store.

use super::*;
use crate::audit::{ConsentId, Purpose, RoleId};
use crate::consent::{Decider, Secret, Standing};
use crate::identity::{Date, RoleKind};
use crate::note::edit::{NoteEdit, apply};
use crate::note::{MadeBy, Note, SectionCode};
use crate::record::{Act, Change, Draft, Signature};
use crate::speech::transcript::{TRANSCRIPT_SCHEMA, Transcript};
use crate::store::{
    By, Card, ConsentStep, Contact, Erasable, NewPasskey, NewRecording, NewRole, NewSession, Restriction, SeenVisit, Side,
};
use crate::terminology::Lexicon;
use crate::text::PatientText;
use crate::visit::{Encounter, Given, GivenNumber, Patient};

/// The patient's number.
pub(super) const HKID: &str = "A123456(3)";
/// What only the note says.
pub(super) const SENTINEL: &str = "sentinel-of-the-note";

/// A store in a folder, two doctors in two clinics, and a patient of the first one.
pub(super) struct Stage {
    _folder: tempfile::TempDir,
    pub(super) sharing: Sharing,
    /// The doctor of the clinic that has the notes.
    pub(super) a: Actor,
    /// The doctor who asks.
    pub(super) b: Actor,
    pub(super) patient: String,
}

fn system() -> By {
    By::now(Actor::System)
}

impl Stage {
    pub(super) fn by(&self, actor: Actor) -> By {
        By::now(actor)
    }

    pub(super) fn store(&self) -> &Store {
        self.sharing.store()
    }
}

async fn doctor(store: &Store, name: &str, clinic: &str) -> Actor {
    let organisation = store.create_organisation(clinic, None, &system()).await.unwrap().id;
    let card = Card { name: name.into(), phone: None, email: None };
    let person = store.create_person(&card, &system()).await.unwrap().id;
    let new = NewRole { person, organisation, kind: RoleKind::Doctor, starts_at: 0, ends_at: None, department: None };
    let role: RoleId = store.give_role(&new, &system()).await.unwrap();
    store.role(role).await.unwrap().unwrap().actor()
}

/// A stage with a signed note of `lines` lines.
pub(super) async fn stage(lines: usize) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let a = doctor(&store, "Dr Au", "Clinic A").await;
    let b = doctor(&store, "Dr Bo", "Clinic B").await;
    let given = Given {
        name: "CHAN Tai Man",
        identifiers: &[GivenNumber::own("hkid", HKID)],
        born: Some("1961-03-02"),
        ..Given::default()
    };
    let patient = Patient::new(&given, Date::parse("2026-11-26").unwrap()).unwrap();
    let patient = store.create_patient(&patient, 0, &By::now(a)).await.unwrap().id;
    let contact = Contact { phone: Some("+85291234567".into()), mail: None, incapable: false };
    store.set_contact(&patient, &contact, |_| Vec::new(), &By::now(a)).await.unwrap();
    signed_note(&store, &patient, a, lines).await;
    let sharing = Sharing::new(store, None, "http://127.0.0.1:1".into()).unwrap();
    Stage { _folder: folder, sharing, a, b, patient }
}

async fn signed_note(store: &Store, patient: &str, doctor: Actor, lines: usize) {
    let by = By::now(doctor);
    let visit = store.create_encounter(patient, 1_771_000_000, &Encounter::new("Dr Au").unwrap(), &by).await.unwrap();
    let new = NewRecording {
        id: "NOTE0000000000001".into(),
        created_at: "2026-11-26T09:00:00+08:00".into(),
        format: crate::audio::StreamFormat::new(crate::audio::StreamEncoding::PcmS16le, 48_000, 1).unwrap(),
        language: "yue".into(),
        speakers: vec!["doctor".into()],
        token_hash: [3; 32],
    };
    let id = store.create(new, &by).await.unwrap().id;
    store.assign(&id, &visit.id, true, &by).await.unwrap();
    let language = "yue".into();
    let transcript = Transcript { schema: TRANSCRIPT_SCHEMA.into(), language, model: None, audio: None, segments: vec![] };
    let made_by = MadeBy { version: "1".into(), model: None, precision: None, wording: None, lexicon: String::new() };
    let mut note = Note::empty(made_by);
    store.finish(&id, &transcript, &note).await.unwrap();
    let lexicon = Lexicon::builtin().unwrap();
    let text = PatientText::from(vec![SENTINEL; 20].join(" "));
    for _ in 0..lines {
        let typed = NoteEdit::Add { section: SectionCode::O, text: text.clone() };
        note = apply(&note, typed, "Dr Au", "2026-11-26T10:00:00Z", &lexicon).unwrap();
    }
    let change = Change { version: 2, act: Act::Replace, by: "Dr Au".into(), at: "2026-11-26T10:00:00Z".into(), id: None };
    store.save_note(&id, &note, &change, &by).await.unwrap();
    let signature = || Signature::new("Dr Au", "2026-11-26T10:05:00Z").unwrap();
    let reviewed = Draft::new(2, note).review(signature()).unwrap();
    store.save_review(&id, &reviewed, &SeenVisit::Unsaid, &by).await.unwrap();
    store.save_signature(&id, &reviewed.sign(signature()), &SeenVisit::Unsaid, &by).await.unwrap();
}

/// For the courier: a store and a patient of the first clinic.
pub(super) async fn store_with_patient() -> (Stage, Store, String) {
    let stage = stage(1).await;
    let (store, patient) = (stage.store().clone(), stage.patient.clone());
    (stage, store, patient)
}

/// A request that only has its row and its message.
pub(super) async fn asked(store: &Store, patient: Option<&str>) -> ConsentId {
    let stored = store.roles_in(store.organisations().await.unwrap()[1].id).await.unwrap().remove(0);
    let sharing = Sharing::new(store.clone(), None, "http://127.0.0.1:1".into()).unwrap();
    let value = if patient.is_some() { HKID } else { "B123456(6)" };
    ask(&sharing, stored.actor(), value).await.unwrap()
}

/// Asks for everything of the patient of this number.
pub(super) async fn ask(sharing: &Sharing, who: Actor, number: &str) -> Result<ConsentId, ApiError> {
    ask_for(sharing, who, number, serde_json::json!({})).await
}

/// The same, with more that is asked for.
pub(super) async fn ask_for(sharing: &Sharing, who: Actor, number: &str, more: serde_json::Value) -> Result<ConsentId, ApiError> {
    let owner = sharing.store().organisations().await?[0].id;
    let mut wanted = serde_json::json!({
        "organisation": owner.to_string(), "patient": { "kind": "hkid", "value": number },
        "purpose": "referral", "domains": ["notes", "allergies"],
    });
    wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let by = By::now(who);
    let names = Names::of(sharing.store(), who).await?;
    let (id, _) = requests::begin(sharing, &by, names, serde_json::from_value(wanted).unwrap()).await?;
    Ok(id)
}

/// What the newest message of a consent says, once it is handed over.
pub(super) async fn delivered(sharing: &Sharing) -> String {
    for message in sharing.store().messages_due(courier::now(), 100).await.unwrap() {
        assert!(sharing.store().message_handed_over(&message, true, courier::now()).await.unwrap());
    }
    sharing.store().messages(1).await.unwrap().remove(0).message.text.reveal().to_owned()
}

/// Brings a consent into force, by link and code.
pub(super) async fn in_force(stage: &Stage) -> ConsentId {
    in_force_for(stage, HKID).await
}

/// The same for the patient of this number.
pub(super) async fn in_force_for(stage: &Stage, number: &str) -> ConsentId {
    let id = answered(stage, number, if number == HKID { 8 } else { 9 }).await;
    attested(stage, id).await
}

/// The same with all that can be done with a view.
pub(super) async fn in_force_with_copies(stage: &Stage) -> ConsentId {
    let uses = serde_json::json!({ "uses": { "print": true, "forward": true, "download": true } });
    let id = ask_for(&stage.sharing, stage.b, HKID, uses).await.unwrap();
    said_yes(stage, id, 7).await;
    attested(stage, id).await
}

/// A request that the patient of this number has said yes to, on a page of this secret, and the doctor has not attested.
pub(super) async fn answered(stage: &Stage, number: &str, page: u8) -> ConsentId {
    let id = ask(&stage.sharing, stage.b, number).await.unwrap();
    said_yes(stage, id, page).await
}

async fn attested(stage: &Stage, id: ConsentId) -> ConsentId {
    let by = system();
    let attested =
        stage.store().change_consent(id, &by, |consent, _| consent.attest(stage.b, Purpose::Referral, courier::now()).into());
    attested.await.unwrap().unwrap().outcome.unwrap();
    id
}

/// The patient's yes to what was asked for, on a page of this secret.
async fn said_yes(stage: &Stage, id: ConsentId, page: u8) -> ConsentId {
    let (sharing, store) = (&stage.sharing, stage.store());
    let link = delivered(sharing).await.rsplit('/').next().unwrap().to_owned();
    let (link, page) = (Secret::from_client(link), Secret::of_random([page; 32]));
    let by = system();
    let opened = store.change_consent(id, &by, |consent, _| consent.open(&link, &page, courier::now()).into());
    opened.await.unwrap().unwrap().outcome.unwrap();
    let key = store.code_key().unwrap();
    let issued = store.change_consent(id, &by, |consent, _| consent.issue_code(&key, &page, [5; 16], courier::now()).into());
    let code = issued.await.unwrap().unwrap().outcome.unwrap();
    let handed = store.change_consent(id, &by, |consent, _| consent.code_handed_over(courier::now()).into());
    handed.await.unwrap().unwrap().outcome.unwrap();
    let confirmed = store.change_consent(id, &by, |consent, _| {
        let taken = consent.confirm(&key, &page, code.reveal(), Decider::Patient, courier::now());
        ConsentStep { page: Some((page.clone(), Decider::Patient, courier::now().after(3_600_000))), ..taken.into() }
    });
    confirmed.await.unwrap().unwrap().outcome.unwrap();
    id
}

/// A session of the doctor who asks.
pub(super) async fn signed_in(stage: &Stage) -> String {
    let (store, by) = (stage.store(), stage.by(stage.b));
    let Actor::Staff { person, role, .. } = stage.b else { panic!() };
    let passkey = NewPasskey { credential: vec![1; 20], label: "phone".into(), key: "{}".into() };
    assert!(store.add_passkey(person, (None, None), &passkey, &system()).await.unwrap());
    let credential = store.passkeys_of(person).await.unwrap().remove(0).id;
    let new = NewSession { token_hash: [1; 32], role, credential, ends_at: by.seconds() + 600 };
    store.begin_session(&new, by.seconds(), &by).await.unwrap().unwrap()
}

/// Enters another patient, of this number and day of birth, before the stage's own, and says that they are one person: the merge.
pub(super) async fn merged_with(stage: &Stage, (number, born): (&str, &str)) -> (String, String) {
    let (store, by) = (stage.store(), stage.by(stage.a));
    let given =
        Given { name: "CHAN Tai Man", identifiers: &[GivenNumber::own("hkid", number)], born: Some(born), ..Given::default() };
    let other = Patient::new(&given, Date::parse("2026-11-26").unwrap()).unwrap();
    let other = store.create_patient(&other, -1, &by).await.unwrap().id;
    let merge = store.merge((&other, &stage.patient), true, &by).await.unwrap();
    (other, merge.id)
}

#[tokio::test]
async fn a_child_does_not_come_of_age_by_a_merge() {
    let stage = stage(1).await;
    assert_eq!(requests::standing(stage.store(), Some(&stage.patient)).await.unwrap(), Standing::Decides);
    let (child, merge) = merged_with(&stage, ("B123456(6)", "2020-03-02")).await;
    for id in [&child, &stage.patient] {
        assert!(matches!(requests::standing(stage.store(), Some(id)).await.unwrap(), Standing::Minor { .. }));
    }
    assert!(stage.store().unmerge(&merge, &stage.by(stage.a)).await.unwrap());
    assert_eq!(requests::standing(stage.store(), Some(&stage.patient)).await.unwrap(), Standing::Decides);
}

#[tokio::test]
async fn who_asks_cannot_tell_whether_a_patient_is_known() {
    let stage = stage(1).await;
    let known = ask(&stage.sharing, stage.b, HKID).await.unwrap();
    let unknown = ask(&stage.sharing, stage.b, "B123456(6)").await.unwrap();
    let Actor::Staff { role, .. } = stage.b else { unreachable!() };
    let listed = stage.store().consents(Side::Requester(role)).await.unwrap();
    assert_eq!(listed.iter().map(|stored| stored.consent.id()).collect::<Vec<_>>(), [unknown, known]);
    let faces: Vec<_> = listed.iter().map(|stored| serde_json::to_value(requests::Face::of(stored)).unwrap()).collect();
    for field in ["state", "owner", "doctor", "purpose", "domains", "uses"] {
        assert_eq!(faces[0][field], faces[1][field], "{field}");
    }
    assert_eq!(stage.store().messages(10).await.unwrap().len(), 1, "a message goes to a patient alone");
    let own = ask(&stage.sharing, stage.a, HKID).await;
    assert!(matches!(own, Err(ApiError::Invalid(_))), "its own patients need no consent");
}

#[tokio::test]
async fn what_takes_long_and_what_does_not_end_at_the_same_time() {
    let took = async |work: Duration| {
        let begun = Instant::now();
        evenly(tokio::time::sleep(work)).await;
        begun.elapsed()
    };
    for (work, expected) in [(0, 1), (20, 1), (EVEN.as_millis() * 4 / 5, 1), (EVEN.as_millis() * 6 / 5, 2)] {
        let took = took(Duration::from_millis(u64::try_from(work).unwrap())).await;
        assert!((EVEN * expected..EVEN * expected + EVEN / 2).contains(&took), "{work} ms of work take {took:?}");
    }
}

#[tokio::test]
async fn a_report_tells_the_patient_who_did_what_and_under_which_entry() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    let by = By { actor: Actor::Patient, ..system() };
    let report = report::of_patient(&stage.sharing, &stage.patient, &by).await.unwrap();
    let json = serde_json::to_value(&report).unwrap();
    let lines = json["lines"].as_array().unwrap();
    let asked = lines.iter().find(|line| line["what"] == "要求分享").unwrap();
    assert_eq!((&asked["who"], &asked["organisation"]), (&"Dr Bo".into(), &"Clinic B".into()));
    assert_eq!(asked["consent"], id.to_string());
    for line in lines {
        let entry = line["entry"].as_u64().unwrap();
        let bytes = stage.store().events(entry, 1).await.unwrap().remove(0);
        let event = crate::audit::Event::decode(&bytes).unwrap();
        assert_eq!(event.patient, Some(stage.store().pseudonym(&stage.patient).unwrap()));
    }
    assert_eq!(lines[0]["what"], "製作查閱報告");
    assert!(json["checkpoint"]["note"].as_str().unwrap().contains(json["checkpoint"]["root"].as_str().unwrap()));
    let paper = crate::letter::to_html(&[report.paper()]);
    let root = json["checkpoint"]["root"].as_str().unwrap();
    let line = format!("完成 [{}]", asked["entry"]);
    for said in ["誰看過我的資料", "Dr Bo（Clinic B）", &line, root] {
        assert!(paper.contains(said), "{said} is not in {paper}");
    }
    assert!(!paper.contains(SENTINEL) && !paper.contains("CHAN"));
    assert_eq!((&asked["about"], &asked["domains"][0]["chinese"]), (&serde_json::Value::Null, &"過敏及藥物不良反應".into()));
    let html = report.html();
    assert!(html.contains("分享生效") && !html.contains(SENTINEL) && !html.contains("CHAN"));
}

/// The report's line of this name, as its reader gets it.
async fn line_of(stage: &Stage, reader: Actor, what: &str) -> (serde_json::Value, String, String) {
    let report = report::of_patient(&stage.sharing, &stage.patient, &stage.by(reader)).await.unwrap();
    let json = serde_json::to_value(&report).unwrap();
    let line = json["lines"].as_array().unwrap().iter().find(|line| line["what"] == what).unwrap().clone();
    (line, report.html(), crate::letter::to_html(&[report.paper()]))
}

#[tokio::test]
async fn a_report_says_of_which_visit_and_what_was_agreed_in_both_languages() {
    let stage = stage(1).await;
    in_force(&stage).await;
    // 2026-02-13 16:26 UTC is the next day in Hong Kong.
    let (line, html, paper) = line_of(&stage, Actor::Patient, "簽署記錄").await;
    let about = serde_json::json!({
        "state": "kept", "day": "2026-02-14", "chinese": "2026-02-14 的診症", "english": "visit of 2026-02-14",
    });
    assert_eq!(line["about"], about);
    for said in ["2026-02-14 的診症", "visit of 2026-02-14", "整份診症記錄", "The whole note of the visit"] {
        assert!(html.contains(said) && paper.contains(said), "{said}");
    }
    // Marked, the day is on the patient's own page alone.
    let id = "NOTE0000000000001";
    let signature = Signature::new("Dr Au", "2026-11-26T11:00:00Z").unwrap();
    assert!(stage.store().restrict(id, &Restriction { restricted: true, signature }, &stage.by(stage.a)).await.unwrap());
    let (line, html, paper) = line_of(&stage, stage.a, "簽署記錄").await;
    assert_eq!((&line["about"]["state"], &line["about"]["day"]), (&"restricted".into(), &serde_json::Value::Null));
    assert!(html.contains("restricted data (day not shown)") && paper.contains("受限制資料（日期不列出）"));
    assert!(!html.contains("2026-02-14") && !paper.contains("2026-02-14"), "{html}");
    let (line, html, _) = line_of(&stage, Actor::Patient, "簽署記錄").await;
    assert_eq!(line["about"]["day"], "2026-02-14");
    assert!(html.contains("visit of 2026-02-14 (restricted data)"));
    // Erased, no day is known of it.
    stage.store().erase(id, Erasable::Signed, &stage.by(stage.a)).await.unwrap();
    let (line, html, paper) = line_of(&stage, Actor::Patient, "簽署記錄").await;
    assert_eq!((&line["about"]["state"], &line["about"]["day"]), (&"erased".into(), &serde_json::Value::Null));
    assert!(html.contains("a record that was erased since") && paper.contains("其後已刪除的記錄"));
    assert!(!html.contains(SENTINEL) && !html.contains("CHAN") && !paper.contains(SENTINEL));
}
