//! Rooms of several patients at once, each with the words of its own.

use std::path::Path;
use std::sync::Arc;

use cantoscribe::audio::{StreamEncoding, StreamFormat};
use cantoscribe::audit::{Action, Event, Outcome, Refusal};
use cantoscribe::engine::{Engine, Models};
use cantoscribe::identity::Date;
use cantoscribe::interop::fhir::Instant;
use cantoscribe::room::{Asking, Beginning, Hold, RoomError, Rooms};
use cantoscribe::speech::endpoint::EndpointSettings;
use cantoscribe::speech::model::silero_vad::SileroVad;
use cantoscribe::speech::model::{self, DecodeOptions, LoadOptions};
use cantoscribe::speech::script::HongKongScript;
use cantoscribe::speech::{ModelIdentity, Numbers, Writing};
use cantoscribe::store::{By, Erasable, Held, Store, StoreError, TRIAL, TRIAL_ORGANISATION};
use cantoscribe::terminology::Lexicon;
use cantoscribe::visit::{Encounter, Given, Patient};
use libtest_mimic::Trial;

use super::signals::clip;
use super::{Need, guarded, model_dir};

pub fn tests() -> Vec<Trial> {
    let needs = [Need::Model("whisper-base"), Need::Model("silero-vad"), Need::Shared("audio")];
    vec![
        guarded("rooms_hear_each_with_the_words_of_its_own_patient", &needs, words_of_its_own_patient),
        guarded("rooms_erase_what_is_on_hold_only_where_its_patient_stops_it", &needs[..2], stopped_on_hold),
    ]
}

/// Two clips, and a name that is said in each and written otherwise without a list. To the store a name is what the patient cannot take.
const SAID: [(&str, &str); 2] = [("cv_zh-HK_20450648.wav", "車公廟"), ("cv_zh-HK_22395677.wav", "方舟")];
/// Bytes of a frame.
const FRAME: usize = 32_000;

fn engine() -> Arc<Engine> {
    let load = LoadOptions { threads: Some(2), ..LoadOptions::default() };
    let engine = Engine::start(Models {
        identity: ModelIdentity { name: "whisper-base".into(), sha256: String::new(), device: None },
        precision: "balanced",
        recognizer: Arc::from(model::load(&model_dir("whisper-base"), &load).unwrap()),
        options: DecodeOptions::default(),
        endpoint: EndpointSettings::default(),
        detector: Arc::new(SileroVad::load(&model_dir("silero-vad")).unwrap()),
        writing: Arc::new(Writing::new(HongKongScript::load().unwrap(), Numbers::Said)),
        words: None,
    });
    let engine = engine.unwrap();
    engine.fix_rooms(3);
    engine
}

/// Both clips, with a pause after each, as 16-bit samples.
fn talk() -> Vec<u8> {
    let spoken = SAID.iter().flat_map(|(name, _)| clip(name).into_iter().chain(vec![0.0; 16_000]));
    spoken.flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect()
}

async fn visit(store: &Store, cannot_take: &str, by: &By) -> String {
    let given = Given { name: "CHAN", allergies: Some(&[cannot_take.to_owned()]), ..Given::default() };
    let patient = Patient::new(&given, Date::parse("2026-11-26").unwrap()).unwrap();
    let patient = store.create_patient(&patient, 1, by).await.unwrap();
    store.create_encounter(&patient.id, 1, &Encounter::new("Dr Chan").unwrap(), by).await.unwrap().id
}

async fn send(hold: &Hold, talk: &[u8]) {
    for frame in talk.chunks(FRAME) {
        assert!(hold.audio(frame.len() as u64 / 2, frame.to_vec()).await);
    }
}

async fn heard(hold: &Hold) -> String {
    hold.live().finish().await.unwrap();
    let mut view = hold.live().view();
    let view = view.wait_for(|view| view.end.is_some() || view.failed.is_some()).await.unwrap();
    let end = view.end.as_ref().unwrap();
    end.transcript.segments.iter().map(|segment| segment.text.reveal()).collect()
}

async fn opened(folder: &Path, engine: &Arc<Engine>, lexicon: &Arc<Lexicon>) -> Arc<Rooms> {
    let store = Store::open(folder).await.unwrap();
    Rooms::new(Arc::clone(engine), store, Arc::clone(lexicon), 0, Asking::Nobody).await.unwrap()
}

fn beginning(encounter: Option<String>) -> Beginning {
    Beginning {
        format: StreamFormat::new(StreamEncoding::PcmS16le, 16_000, 1).unwrap(),
        language: "yue".into(),
        speakers: Vec::new(),
        encounter,
        at: Instant::from_unix_seconds(1),
    }
}

/// Three rooms at once: a patient's, another's and nobody's. Half-way the program ends and starts again, and one patient is given other
/// allergies meanwhile: a recording is heard with the words that it began with.
fn words_of_its_own_patient() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (engine, lexicon, folder) = (engine(), Arc::new(Lexicon::builtin().unwrap()), tempfile::tempdir().unwrap());
    let (talk, by) = (talk(), By::now(TRIAL));
    let half = talk.len() / FRAME / 2 * FRAME;
    runtime.block_on(async {
        let rooms = opened(folder.path(), &engine, &lexicon).await;
        rooms.store().enter_trial("Dr Chan", &by).await.unwrap();
        let mut visits = Vec::new();
        for (_, name) in SAID {
            visits.push(Some(visit(rooms.store(), name, &by).await));
        }
        visits.push(None);
        let (mut ids, mut tokens) = (Vec::new(), Vec::new());
        for encounter in &visits {
            let (hold, _, token) = rooms.begin(beginning(encounter.clone()), &by).await.unwrap();
            send(&hold, &talk[..half]).await;
            ids.push(hold.live().id().to_owned());
            tokens.push(token);
        }
        rooms.close().await;
        let first = rooms.store().encounter(visits[0].as_ref().unwrap()).await.unwrap().unwrap();
        let mut known = rooms.store().patient(&first.patient).await.unwrap().unwrap();
        known.patient.allergies = Some(vec![SAID[1].1.into()]);
        rooms.store().change_patient(&known.id, known.version, &known.patient, &by).await.unwrap();
        rooms.store().clone().close().await;
        drop(rooms);

        let rooms = opened(folder.path(), &engine, &lexicon).await;
        let mut texts = Vec::new();
        for (id, token) in ids.iter().zip(&tokens) {
            assert_eq!(rooms.store().expected(id).await.unwrap().is_empty(), id == &ids[2]);
            let (hold, safe) = rooms.resume(id, token, &by).await.unwrap();
            send(&hold, &talk[safe.samples as usize * 2..]).await;
            texts.push(heard(&hold).await);
            assert!(rooms.store().expected(id).await.unwrap().is_empty(), "its words are gone with it");
        }
        let names = |text: &str| SAID.map(|(_, name)| text.contains(name));
        assert_eq!(names(&texts[0]), [true, false], "the first patient's");
        assert_eq!(names(&texts[1]), [false, true], "the second patient's");
        assert_eq!(names(&texts[2]), [false, false], "nobody's");
        rooms.close().await;
    });
}

/// A patient on hold may have a recording stopped and erased while it is made, and in no other moment; nobody may where it is held itself.
fn stopped_on_hold() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (engine, lexicon, folder) = (engine(), Arc::new(Lexicon::builtin().unwrap()), tempfile::tempdir().unwrap());
    let by = By::now(TRIAL);
    runtime.block_on(async {
        let rooms = opened(folder.path(), &engine, &lexicon).await;
        let store = rooms.store();
        store.enter_trial("Dr Chan", &by).await.unwrap();
        let visit = visit(store, "-", &by).await;
        let (hold, _, token) = rooms.begin(beginning(Some(visit.clone())), &by).await.unwrap();
        let id = hold.live().id().to_owned();
        send(&hold, &vec![0; FRAME]).await;
        let refused = async |erased: Result<u64, RoomError>, times: usize| {
            assert!(matches!(erased, Err(RoomError::Store(StoreError::OnHold))), "{erased:?}");
            let events = store.events(0, 1_000).await.unwrap();
            let events = events.iter().map(|bytes| Event::decode(bytes).unwrap());
            let on_hold = (Action::Erase, Outcome::Refused { reason: Refusal::OnHold });
            assert_eq!(events.filter(|event| (event.action, event.outcome) == on_hold).count(), times);
        };
        let on_itself = store.place_hold(Held::Recording(id.clone()), "a claim", "Ms Ho", &by).await.unwrap();
        refused(rooms.stop_and_erase(&id, Erasable::Unsigned, &by).await, 1).await;
        // It goes on as it was, and nobody's yes is taken back.
        send(&hold, &vec![0; FRAME]).await;
        store.lift_hold(&on_itself.id, TRIAL_ORGANISATION, &by).await.unwrap();
        let patient = store.encounter(&visit).await.unwrap().unwrap().patient;
        store.place_hold(Held::Patient(patient), "a claim", "Ms Ho", &by).await.unwrap();
        refused(rooms.erase(&id, Erasable::Unsigned, &by).await, 2).await;
        drop(hold);
        refused(rooms.stop_and_erase(&id, Erasable::Unsigned, &by).await, 3).await;
        let (hold, safe) = rooms.resume(&id, &token, &by).await.unwrap();
        assert_eq!(safe.samples as usize * 2, 2 * FRAME, "all of it is there");
        rooms.stop_and_erase(&id, Erasable::Unsigned, &by).await.unwrap();
        assert!(store.recording(&id).await.unwrap().is_none());
        drop(hold);
        let (hold, ..) = rooms.begin(beginning(Some(visit)), &by).await.unwrap();
        let id = hold.live().id().to_owned();
        hold.live().finish().await.unwrap();
        refused(rooms.stop_and_erase(&id, Erasable::Unsigned, &by).await, 4).await;
        drop(hold);
        rooms.close().await;
    });
}
