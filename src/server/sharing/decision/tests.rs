//! The patient's pages over HTTP, as a telephone asks for them: no script, forms and one cookie.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::courier::now;
use super::super::tests::{HKID, Stage, ask, ask_for, delivered, stage};
use super::*;
use crate::audit::Purpose;

/// A telephone, and where the pages are.
pub(in super::super) struct Phone {
    address: SocketAddr,
    cookie: Option<String>,
}

/// What was answered: the status, the page, and where else to go.
pub(in super::super) struct Answer {
    pub(in super::super) status: u16,
    pub(in super::super) to: Option<String>,
    pub(in super::super) page: String,
}

impl Phone {
    pub(in super::super) async fn new(sharing: &Sharing) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = super::super::pages().with_state(sharing.clone()).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { address, cookie: None }
    }

    /// What it was given to be known by.
    pub(in super::super) fn cookie(&self) -> Option<String> {
        self.cookie.clone()
    }

    /// Another telephone at the same pages.
    pub(in super::super) fn other(&self) -> Self {
        Self { address: self.address, cookie: None }
    }

    pub(in super::super) async fn send(&mut self, method: &str, path: &str, form: &str) -> Answer {
        let cookie = self.cookie.as_ref().map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        let kind = "application/x-www-form-urlencoded";
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{cookie}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let mut stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, page) = answer.split_once("\r\n\r\n").unwrap();
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        if let Some(cookie) = value("set-cookie: ") {
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let is_page = status != 303 && !head.contains("application/fhir+json");
        assert!(!is_page || head.contains("content-security-policy: default-src 'none'"), "{head}");
        assert!(!page.contains("<script"), "a page has a script");
        Answer { status, to: value("location: "), page: page.to_owned() }
    }

    /// Opens a link by its button and looks at the page; its address.
    pub(in super::super) async fn open(&mut self, link: &str) -> (u16, String, String) {
        let path = link.split_once("/d/").map(|(_, path)| format!("/d/{path}")).unwrap();
        let before = self.send("GET", &path, "").await;
        assert!(before.status == 200 && before.page.contains("Clinic A") && !before.page.contains("Dr Bo"));
        let opened = self.send("POST", &path, "").await;
        let Some(to) = opened.to else { return (opened.status, String::new(), opened.page) };
        let page = self.send("GET", &to, "").await.page;
        (opened.status, to, page)
    }
}

/// A request of the stage: its link.
async fn link(stage: &Stage) -> String {
    ask(&stage.sharing, stage.b, HKID).await.unwrap();
    let text = delivered(&stage.sharing).await;
    let (clinic, link) = text.split_once('\n').unwrap();
    assert_eq!(clinic, "Clinic A", "the message has the clinic's name and a link alone");
    link.to_owned()
}

pub(in super::super) async fn code(stage: &Stage) -> String {
    let text = delivered(&stage.sharing).await;
    let digits: String = text.split("Code: ").nth(1).unwrap().chars().take(8).collect();
    assert!(digits.chars().all(|c| c.is_ascii_digit()), "{text}");
    digits
}

#[tokio::test]
async fn a_yes_takes_the_link_and_the_code_and_can_be_taken_back() {
    let stage = stage(1).await;
    let mut phone = Phone::new(&stage.sharing).await;
    let link = link(&stage).await;
    let (status, path, page) = phone.open(&link).await;
    assert_eq!(status, 303);
    for word in ["Dr Bo", "Clinic B", "Clinic A", "轉介", "整份診症記錄", "過敏", "Until", "不可列印"] {
        assert!(page.contains(word), "{word} in {page}");
    }
    assert!(!page.contains("sentinel"), "nothing of the note");
    let code = code(&stage).await;
    let wrong = format!("code={:08}&decider=patient", (code.parse::<u32>().unwrap() + 1) % 100_000_000);
    assert_eq!(phone.send("POST", &format!("{path}/yes"), &wrong).await.to.unwrap(), format!("{path}?wrong"));
    let parent = format!("code={code}&decider=parent");
    assert_eq!(phone.send("POST", &format!("{path}/yes"), &parent).await.to.unwrap(), format!("{path}?entitled"));
    let right = format!("code={code}&decider=patient");
    assert_eq!(phone.send("POST", &format!("{path}/yes"), &right).await.to.unwrap(), path);
    assert_eq!(phone.send("POST", &format!("{path}/yes"), &right).await.to.unwrap(), format!("{path}?used"), "a replay");
    let id = ConsentId::try_from(path.trim_start_matches("/d/").to_owned()).unwrap();
    let by = stage.by(stage.b);
    let attested = stage.store().change_consent(id, &by, |consent, _| consent.attest(stage.b, Purpose::Referral, now()).into());
    attested.await.unwrap().unwrap().outcome.unwrap();
    assert!(phone.send("GET", &path, "").await.page.contains("分享中"));
    let report = phone.send("GET", &format!("{path}/report"), "").await;
    assert!(report.status == 200 && report.page.contains("Dr Bo") && report.page.contains("分享生效"));
    let document = phone.send("GET", &format!("{path}/fhir"), "").await;
    let document: serde_json::Value = serde_json::from_str(&document.page).unwrap();
    assert_eq!((&document["resourceType"], &document["status"]), (&"Consent".into(), &"active".into()));
    // Somebody else who has the address has nothing.
    let mut stranger = phone.other();
    for address in [path.clone(), format!("{path}/report"), format!("{path}/fhir")] {
        assert_eq!(stranger.send("GET", &address, "").await.status, 403);
    }
    assert_eq!(stranger.send("POST", &format!("{path}/withdraw"), "").await.status, 403);
    assert!(!stage.store().consent(id).await.unwrap().unwrap().consent.is_over());
    phone.send("POST", &format!("{path}/withdraw"), "").await;
    assert!(phone.send("GET", &path, "").await.page.contains("已收回同意"));
}

#[tokio::test]
async fn what_is_for_a_whole_organisation_says_so_before_the_yes() {
    let stage = stage(1).await;
    let mut phone = Phone::new(&stage.sharing).await;
    for (whole, said) in [(true, true), (false, false)] {
        let id = ask_for(&stage.sharing, stage.b, HKID, serde_json::json!({ "whole_organisation": whole })).await.unwrap();
        let text = delivered(&stage.sharing).await;
        let (_, _, page) = phone.open(text.split_once('\n').unwrap().1).await;
        for words in
            ["Clinic B：所有診治病人的人員（全部醫生及護士），由 Dr Bo 要求", "Everybody who treats patients at Clinic B"]
        {
            assert_eq!(page.contains(words), said, "{words} in {page}");
        }
        let stored = stage.store().consent(id).await.unwrap().unwrap();
        let face = serde_json::to_value(super::super::requests::Face::of(&stored)).unwrap();
        assert_eq!(face["whole_organisation"], said);
        let resource = crate::interop::fhir::consent(&stored.consent, &std::collections::BTreeSet::new()).unwrap();
        let named = &resource["provision"]["actor"][0]["reference"];
        assert_eq!(named["type"], if said { "Organization" } else { "PractitionerRole" });
        assert_eq!(named["display"].as_str().is_some_and(|text| text.starts_with("Everybody who treats")), said);
    }
}

#[tokio::test]
async fn a_link_that_was_passed_on_opens_once_and_is_not_enough() {
    let stage = stage(1).await;
    let mut phone = Phone::new(&stage.sharing).await;
    let mut thief = phone.other();
    let link = link(&stage).await;
    let (_, path, page) = thief.open(&link).await;
    assert!(page.contains("Dr Bo"), "who opens it first sees what is asked for, and no more");
    let (status, ..) = phone.open(&link).await;
    assert_eq!(status, 403, "the patient sees that it was opened before");
    let code = code(&stage).await;
    for guess in ["00000000", "11111111", "22222222", "33333333", "44444444"] {
        let guessed = thief.send("POST", &format!("{path}/yes"), &format!("code={guess}&decider=patient")).await;
        assert_eq!(guessed.to.unwrap(), format!("{path}?wrong"));
    }
    let late = thief.send("POST", &format!("{path}/yes"), &format!("code={code}&decider=patient")).await;
    assert_eq!(late.to.unwrap(), format!("{path}?many"));
    // The code without the page's secret is nothing either.
    let bare = phone.send("POST", &format!("{path}/yes"), &format!("code={code}&decider=patient")).await;
    assert_eq!(bare.status, 403);
    for _ in 0..3 {
        assert_eq!(thief.send("POST", &format!("{path}/code"), "").await.to.unwrap(), path);
    }
    assert_eq!(
        thief.send("POST", &format!("{path}/code"), "").await.to.unwrap(),
        format!("{path}?many"),
        "four codes and no more"
    );
}

#[tokio::test]
async fn a_no_takes_no_code_and_ends_it() {
    let stage = stage(1).await;
    let mut phone = Phone::new(&stage.sharing).await;
    let link = link(&stage).await;
    let (_, path, _) = phone.open(&link).await;
    let said = phone.send("POST", &format!("{path}/no"), "").await;
    assert!(said.status == 200 && said.page.contains("您已拒絕"));
    assert_eq!(phone.send("GET", &path, "").await.status, 403);
    let (status, ..) = phone.open(&link).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn what_is_no_link_shows_nothing_and_an_address_that_tries_too_often_waits() {
    let stage = stage(1).await;
    let mut phone = Phone::new(&stage.sharing).await;
    let unknown = ConsentId::from_bytes([1; 16]);
    for path in [format!("/d/{unknown}/secret"), "/d/no/secret".to_owned()] {
        assert_eq!(phone.send("GET", &path, "").await.status, 200);
        assert_eq!(phone.send("POST", &path, "").await.status, 403);
    }
    let mut last = 0;
    for _ in 0..super::super::ANSWERS.0 {
        last = phone.send("POST", &format!("/d/{unknown}/secret"), "").await.status;
    }
    assert_eq!(last, 429);
    let link = link(&stage).await;
    let wrong = format!("{}x", &link[..link.len() - 1]);
    assert_eq!(phone.send("POST", wrong.split_once("http://127.0.0.1:1").unwrap().1, "").await.status, 429);
    assert_eq!(phone.open(&link).await.0, 303, "the right link opens all the same");
}
