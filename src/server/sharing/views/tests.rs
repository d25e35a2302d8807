//! What is open is over within a second of a withdrawal.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::courier::now;
use super::super::tests::{SENTINEL, Stage, in_force, in_force_for, in_force_with_copies, merged_with, signed_in, stage};
use super::super::words::minute;
use super::copies::{copy, pieces};
use super::open::{LONGEST, MOST, Part};
use super::shown::{fetched, within_our_page};
use super::*;

/// What a cut may take.
const SECOND: Duration = Duration::from_secs(1);

/// The record of the stage's only note.
pub(super) async fn record(stage: &Stage, id: ConsentId) -> RecordId {
    let stored = stage.store().consent(id).await.unwrap().unwrap();
    *stored.consent.scope().records.first().unwrap()
}

pub(super) async fn seen(stage: &Stage, id: ConsentId, purpose: Purpose) -> Result<(Held, u64), ApiError> {
    let by = stage.by(stage.b);
    let names = Names::of(stage.store(), stage.b).await?;
    let may = |_: Right, _: &Permit, _| Ok(());
    let wanted = (id, record(stage, id).await, purpose);
    let Seen { held, entry, .. } = see(&stage.sharing, &by, (&names, may), wanted, Language::English).await?;
    Ok((held, entry))
}

#[tokio::test]
async fn without_a_font_nothing_is_shown_and_what_to_install_is_said() {
    let stage = stage(1).await;
    let seen = stage.by(stage.b).did_in_general(Action::View { count: 1 });
    let refused = drawable(stage.store(), &seen, || Err(LetterError::NoFont)).await;
    let Err(ApiError::NoFont(said)) = refused else { panic!("it is shown without its picture") };
    assert!(said.contains("fonts-noto-cjk"), "{said}");
    let last = last_events(&stage, 1).await.remove(0);
    assert_eq!((last.action, last.outcome), (Action::View { count: 1 }, Outcome::Failed));
}

async fn withdraw(stage: &Stage, id: ConsentId) {
    let by = stage.by(Actor::Patient);
    let withdrawn = stage.store().change_consent(id, &by, |consent, _| consent.withdraw(Actor::Patient, by.at).into());
    withdrawn.await.unwrap().unwrap().outcome.unwrap();
}

pub(super) async fn last_events(stage: &Stage, count: usize) -> Vec<Event> {
    let events = stage.store().events(0, 10_000).await.unwrap();
    events[events.len() - count..].iter().map(|bytes| Event::decode(bytes).unwrap()).collect()
}

#[tokio::test]
async fn a_view_is_in_the_log_before_it_is_shown_and_names_its_entry() {
    let stage = stage(3).await;
    let id = in_force(&stage).await;
    let (held, entry) = seen(&stage, id, Purpose::Referral).await.unwrap();
    let last = last_events(&stage, 4).await;
    let actions: Vec<_> = last.iter().map(|event| (event.action, event.outcome)).collect();
    let done = Outcome::Done;
    let permit = (Action::Permit, done);
    assert_eq!(actions, [permit, permit, (Action::Share, done), (Action::View { count: 1 }, done)]);
    assert_eq!(last[2], Event { action: Action::Share, ..last[3].clone() });
    assert_eq!((last[3].consent, last[3].actor, last[3].purpose), (Some(id), stage.b, Some(Purpose::Referral)));
    let bytes = stage.store().events(entry, 1).await.unwrap().remove(0);
    assert_eq!(Event::decode(&bytes).unwrap(), last[3]);
    let page = markup::page(&held, "view-id");
    assert!(page.contains(SENTINEL) && page.contains("unprintable"));
    let mark = format!("Dr Bo · Clinic B · {} HKT · #{entry}", minute(held.view.watermark().at()));
    assert!(page.matches(&mark).count() >= 3, "in the title, at the top and the foot");
}

#[tokio::test]
async fn a_copy_is_pictures_under_a_mark_that_names_its_own_entry_and_what_was_done() {
    let stage = stage(3).await;
    let id = in_force_with_copies(&stage).await;
    let (held, _) = seen(&stage, id, Purpose::Referral).await.unwrap();
    let bare = pictures(&held.view, String::new(), held.language).await.unwrap();
    for (to, action, how) in [
        (Use::Print, Action::Print, "print"),
        (Use::Download, Action::Export { count: 1 }, "copy"),
        (Use::Forward, Action::Forward, "passed on"),
    ] {
        let by = stage.by(stage.b);
        let page = copy(&stage.sharing, &by, &held, (to, action), |_: Right, _: &Permit, _| Ok(())).await.unwrap();
        let last = last_events(&stage, 1).await.remove(0);
        assert_eq!((last.action, last.outcome, last.consent), (action, Outcome::Done, Some(id)));
        let entry = stage.store().events(0, 10_000).await.unwrap().len() - 1;
        let mark = format!("Dr Bo · Clinic B · {} HKT · #{entry} · {how}", minute(by.at));
        assert!(page.contains(SENTINEL) && page.matches(&mark).count() >= 3, "in the title, and on top and foot of each page");
        assert!(!page.contains(&format!("#{} ", held.view.watermark().entry())), "it names the view's entry");
        // What is seen of it is pictures with the mark over them; no style takes that away, and the words over them are never seen.
        let marked = pictures(&held.view, mark, held.language).await.unwrap();
        let found = page.split("data:image/png;base64,").skip(1);
        let found: Vec<_> = found.map(|rest| STANDARD.decode(rest.split('"').next().unwrap()).unwrap()).collect();
        assert_eq!(found, marked.iter().map(|picture| picture.png.clone()).collect::<Vec<_>>());
        assert!(found.iter().zip(&bare).all(|(png, bare)| *png != bare.png));
        let (_, body) = page.split_once("<body").unwrap();
        assert!(
            !body.contains("<p")
                && !body.contains("<div")
                && body.matches("<text").count() == body.matches("fill=\"transparent\"").count()
        );
        // It loads what is in it and nothing else, wherever it is opened.
        let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let style = format!("style-src 'sha256-{}'; img-src data:;", STANDARD.encode(Sha256::digest(style)));
        assert!(page.contains(&style) && markup::COPY_POLICY.to_str().unwrap().contains(&style), "{style}");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_done_by_the_log() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    let (held, _) = seen(&stage, id, Purpose::Referral).await.unwrap();
    for number in 0..MOST {
        let mut role = [7; 16];
        role[..8].copy_from_slice(&number.to_le_bytes());
        let (role, source, note) = (RoleId::from_bytes(role), held.source.clone(), held.note.clone());
        let (record, purpose, language, view) = (held.record, held.purpose, held.language, held.view.clone());
        let (permits, pictures) = (Vec::new(), Vec::new());
        let other = Held { role, source, note, record, purpose, permits, view, language, uses: Uses::default(), pictures };
        stage.sharing.0.views.keep(other, &Pass::Trial).unwrap();
    }
    let before = stage.store().events(0, 10_000).await.unwrap().len();
    let full = seen(&stage, id, Purpose::Referral).await;
    assert!(matches!(full, Err(ApiError::Denied(Refusal::TooManyTries))));
    let after = stage.store().events(0, 10_000).await.unwrap().len();
    let last = last_events(&stage, after - before).await;
    let outcome = Outcome::Refused { reason: Refusal::TooManyTries };
    assert_eq!(
        last.iter().map(|event| (event.action, event.outcome)).collect::<Vec<_>>(),
        [(Action::View { count: 0 }, outcome)]
    );
    // Where it was there when it was looked for, and is gone when it is kept, the log has both.
    let told =
        [Event { action: Action::Share, ..last[0].clone() }, Event { action: Action::View { count: 1 }, ..last[0].clone() }];
    let refused = hold_open(&stage.sharing, Seen { held, entry: 0, told }, &Pass::Trial).await;
    assert!(matches!(refused, Err(ApiError::Denied(Refusal::TooManyTries))));
    let last: Vec<_> = last_events(&stage, 2).await.iter().map(|event| (event.action, event.outcome)).collect();
    assert_eq!(last, [(Action::Share, Outcome::Failed), (Action::View { count: 1 }, Outcome::Failed)]);
}

#[tokio::test]
async fn a_view_opens_in_no_window_of_its_own() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    let (held, _) = seen(&stage, id, Purpose::Referral).await.unwrap();
    let by = stage.by(stage.b);
    for (dest, is_shown) in [("document", false), ("iframe", true), ("image", true)] {
        let headers = HeaderMap::from_iter([("sec-fetch-dest".parse().unwrap(), dest.parse().unwrap())]);
        assert_eq!(within_our_page(&stage.sharing, &by, &held, &headers).await.is_ok(), is_shown, "{dest}");
    }
    let last = last_events(&stage, 1).await.remove(0);
    assert_eq!((last.action, last.outcome), (Action::View { count: 0 }, Outcome::Refused { reason: Refusal::NotAllowed }));
}

#[tokio::test]
async fn everything_else_is_refused_and_kept() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    let other = seen(&stage, id, Purpose::Treatment).await;
    assert!(matches!(other, Err(ApiError::Denied(Refusal::OtherPurpose))));
    let last = last_events(&stage, 1).await.remove(0);
    assert_eq!((last.action, last.outcome), (Action::Permit, Outcome::Refused { reason: Refusal::OtherPurpose }));
    let names = Names::of(stage.store(), stage.a).await.unwrap();
    let by = stage.by(stage.a);
    let wanted = (id, record(&stage, id).await, Purpose::Referral);
    let colleague = see(&stage.sharing, &by, (&names, |_: Right, _: &Permit, _| Ok(())), wanted, Language::English).await;
    assert!(matches!(colleague, Err(ApiError::NoConsent)), "to somebody else it is not there");
    let last = last_events(&stage, 1).await.remove(0);
    assert_eq!(last.outcome, Outcome::Refused { reason: Refusal::OtherRecipient });
    let (held, _) = seen(&stage, id, Purpose::Referral).await.unwrap();
    for (to, action) in
        [(Use::Print, Action::Print), (Use::Download, Action::Export { count: 1 }), (Use::Forward, Action::Forward)]
    {
        let taken = copy(&stage.sharing, &stage.by(stage.b), &held, (to, action), |_: Right, _: &Permit, _| Ok(())).await;
        assert!(matches!(taken, Err(ApiError::Denied(Refusal::UseNotGranted))), "{to:?}");
        let last = last_events(&stage, 1).await.remove(0);
        assert_eq!((last.action, last.outcome), (action, Outcome::Refused { reason: Refusal::UseNotGranted }));
    }
}

#[tokio::test]
async fn an_open_view_ends_within_a_second_of_a_withdrawal() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    let (held, _) = seen(&stage, id, Purpose::Referral).await.unwrap();
    let view = stage.sharing.0.views.keep(held, &Pass::Trial).unwrap();
    let by = stage.by(stage.b);
    let changes = stage.store().consent_changes();
    let held = holding(&stage.sharing, (&by, &Pass::Trial), &view).await.unwrap_or_else(|_| panic!("it holds"));
    let store = stage.store().clone();
    let watching = tokio::spawn(async move { (held.ended(&store, changes).await, Instant::now()) });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!watching.is_finished());
    let begun = Instant::now();
    withdraw(&stage, id).await;
    let (refusal, at) = watching.await.unwrap();
    assert_eq!(refusal, Refusal::Withdrawn);
    assert!(at - begun < SECOND, "{:?}", at - begun);
    // What was decided before is decided anew.
    let again = holding(&stage.sharing, (&By { at: now(), ..by }, &Pass::Trial), &view).await;
    assert!(matches!(again, Err(ApiError::Denied(Refusal::Withdrawn))));
    assert!(matches!(seen(&stage, id, Purpose::Referral).await, Err(ApiError::Denied(Refusal::Withdrawn))));
}

#[tokio::test]
async fn a_copy_half_way_breaks_off_when_the_consent_is_withdrawn() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    breaks_off(&stage, id, Pass::Trial, withdraw(&stage, id)).await;
}

#[tokio::test]
async fn a_copy_half_way_breaks_off_when_the_session_ends() {
    let stage = stage(1).await;
    let (id, session) = (in_force(&stage).await, signed_in(&stage).await);
    let ends = async { assert!(stage.store().end_session(&session, &stage.by(stage.b)).await.unwrap()) };
    breaks_off(&stage, id, Pass::Session(session.clone()), ends).await;
}

/// A copy that is under way breaks off within a second of this.
async fn breaks_off(stage: &Stage, id: ConsentId, pass: Pass, ends: impl Future<Output = ()>) {
    let (held, _) = seen(stage, id, Purpose::Referral).await.unwrap();
    let (held, sharing) = (Arc::new(held), stage.sharing.clone());
    let whole = 64 << 20;
    let route = get(move || async move { pieces(sharing, (held, pass), "x".repeat(whole)) });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", route)).await });
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut buffer = vec![0; 32 << 10];
    let mut read = stream.read(&mut buffer).await.unwrap();
    let begun = Instant::now();
    ends.await;
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(more) => read += more,
        }
    }
    assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());
    assert!(read < whole / 2, "{read} bytes");
}

#[tokio::test]
async fn a_merge_that_is_taken_back_ends_what_was_shared_of_somebody_else() {
    let stage = stage(1).await;
    let (store, by) = (stage.store().clone(), stage.by(stage.a));
    let (other, merge) = merged_with(&stage, ("B123456(6)", "1961-03-02")).await;
    // Both stand under the other, who was entered first; a consent is of who was named.
    let theirs = in_force(&stage).await;
    assert_eq!(store.consent(theirs).await.unwrap().unwrap().patient.as_ref(), Some(&stage.patient));
    let (kept, _) = seen(&stage, theirs, Purpose::Referral).await.unwrap();
    let id = in_force_for(&stage, "B123456(6)").await;
    assert_eq!(store.consent(id).await.unwrap().unwrap().patient, Some(other));
    let (held, _) = seen(&stage, id, Purpose::Referral).await.unwrap();
    let changes = store.consent_changes();
    let watched = store.clone();
    let watching = tokio::spawn(async move { (held.ended(&watched, changes).await, Instant::now()) });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!watching.is_finished());
    let begun = Instant::now();
    assert!(store.unmerge(&merge, &by).await.unwrap());
    assert_eq!(kept.still(&store, now()).await, Ok(()), "what is shared of the patient themselves goes on");
    let (refusal, at) = watching.await.unwrap();
    assert_eq!(refusal, Refusal::OtherPatient);
    assert!(at - begun < SECOND, "{:?}", at - begun);
    assert!(matches!(seen(&stage, id, Purpose::Referral).await, Err(ApiError::NoConsent)));
}

#[tokio::test]
async fn who_may_take_no_copies_gets_none_whatever_the_consent_says() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    let (by, names) = (stage.by(stage.b), Names::of(stage.store(), stage.b).await.unwrap());
    let reads = |right: Right, _: &Permit, _| if right == Right::View { Ok(()) } else { Err(Vec::new()) };
    let wanted = (id, record(&stage, id).await, Purpose::Referral);
    let Seen { mut held, .. } =
        see(&stage.sharing, &by, (&names, reads), wanted, Language::English).await.unwrap_or_else(|_| panic!());
    assert_eq!(held.uses, Uses::default());
    // A use that this consent allows.
    held.uses = Uses { print: true, ..Uses::default() };
    let taken = copy(&stage.sharing, &by, &held, (Use::View, Action::Print), reads).await;
    assert!(matches!(taken, Err(ApiError::NotAllowed)));
    let last = last_events(&stage, 1).await.remove(0);
    assert_eq!((last.action, last.outcome), (Action::Print, Outcome::Refused { reason: Refusal::NotAllowed }));
}

#[tokio::test]
async fn a_view_is_its_sessions_and_ends_when_nobody_watches_it() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    let (by, views) = (stage.by(stage.b), &stage.sharing.0.views);
    let Actor::Staff { role, .. } = stage.b else { panic!() };
    let pass = |id: &str| Pass::Session(id.to_owned());
    let view = views.keep(seen(&stage, id, Purpose::Referral).await.unwrap().0, &pass("one")).unwrap();
    assert!(holding(&stage.sharing, (&by, &pass("one")), &view).await.is_ok());
    for other in [pass("two"), Pass::Trial] {
        let another = holding(&stage.sharing, (&by, &other), &view).await;
        assert!(matches!(another, Err(ApiError::NoConsent)), "another session of the same role");
    }
    // Nobody watches: it is over after minutes, and for good.
    let later = |after| Instant::now() + after;
    assert!(views.find_at(&view, role, &pass("one"), later(UNWATCHED - SECOND)).is_some());
    assert!(views.find_at(&view, role, &pass("one"), later(UNWATCHED)).is_none());
    assert!(views.find(&view, role, &pass("one")).is_none());
    // Watched it stays, for an hour at most: then its mark would be of long ago.
    let view = views.keep(seen(&stage, id, Purpose::Referral).await.unwrap().0, &pass("one")).unwrap();
    assert!(views.watch(&view) > LONGEST - SECOND);
    views.end_unwatched(&view);
    assert!(views.find_at(&view, role, &pass("one"), later(LONGEST - SECOND)).is_some());
    assert!(views.find_at(&view, role, &pass("one"), later(LONGEST)).is_none());
    assert_eq!(views.watch(&view), Duration::ZERO, "what is over is not watched");
}

#[tokio::test]
async fn what_is_fetched_again_is_an_event_again() {
    let stage = stage(1).await;
    let id = in_force(&stage).await;
    let (by, views) = (stage.by(stage.b), &stage.sharing.0.views);
    let view = views.keep(seen(&stage, id, Purpose::Referral).await.unwrap().0, &Pass::Trial).unwrap();
    let held = holding(&stage.sharing, (&by, &Pass::Trial), &view).await.unwrap_or_else(|_| panic!("it holds"));
    let before = stage.store().events(0, 10_000).await.unwrap().len();
    let opened = last_events(&stage, 1).await.remove(0);
    for _ in 0..10 {
        for part in [Part::Page, Part::Picture(0)] {
            fetched(&stage.sharing, &by, (&view, &held), part).await.unwrap();
        }
    }
    let kept = last_events(&stage, stage.store().events(0, 10_000).await.unwrap().len() - before).await;
    assert_eq!(kept.len(), 18, "the first page and the first picture are the opening's");
    for event in kept {
        assert_eq!(event, Event { at: by.at, ..opened.clone() });
    }
}
