//! What is said to patients and doctors about sharing, in Chinese and English.

use crate::audit::{Purpose, Refusal, RestrictedReason, UnixMillis};
use crate::consent::{Consent, Decider, Domain, Recipient, Uses};
use crate::interop::fhir::Instant;
use crate::server::clock::local;
use crate::store::StoredConsent;

/// A text in English and in Chinese.
pub(super) type Both = (&'static str, &'static str);

pub(super) fn purpose(purpose: Purpose) -> Both {
    match purpose {
        Purpose::Treatment => ("To treat you", "為您治療"),
        Purpose::SecondOpinion => ("For another doctor's opinion", "徵詢另一位醫生的意見"),
        Purpose::Referral => ("To take you over from the doctor who refers you", "轉介：由另一位醫生接手診治"),
        Purpose::Emergency => ("An emergency", "緊急情況"),
        Purpose::Research => ("Research", "研究"),
        Purpose::Education => ("Teaching", "教學"),
        Purpose::Payment => ("Payment and insurance", "付款及保險"),
        Purpose::Operations => ("Running the organisation", "機構運作"),
        Purpose::Marketing => ("Marketing", "推廣"),
    }
}

pub(super) fn domain(domain: Domain) -> Both {
    match domain {
        Domain::Demographics => ("Name, date of birth, sex, how to reach you", "個人資料"),
        Domain::Allergies => ("Allergies", "過敏及藥物不良反應"),
        Domain::DiagnosesAndMedication => ("Diagnoses and medicines", "診斷、醫療程序及藥物"),
        Domain::Encounters => ("Visits and appointments", "就診及預約"),
        Domain::Notes => ("The whole note of the visit", "整份診症記錄"),
        Domain::BirthAndImmunisation => ("Birth and vaccines", "出生及防疫接種記錄"),
        Domain::LaboratoryAndRadiology => ("Laboratory and X-ray results", "化驗及放射結果"),
        Domain::OtherInvestigations => ("Other tests", "其他檢查"),
        Domain::Referrals => ("Referrals", "轉介"),
    }
}

pub(super) fn decider(decider: Decider) -> Both {
    match decider {
        Decider::Patient => ("I am the patient", "我是病人本人"),
        Decider::Parent => ("I am the patient's father or mother", "我是病人的父親或母親"),
        Decider::Guardian => ("I am the patient's guardian", "我是病人的監護人"),
        Decider::Relative => ("I am a relative who accompanies the patient", "我是陪同病人的親屬"),
    }
}

/// What may be done with it beside reading.
pub(super) fn uses(uses: Uses) -> (String, String) {
    let named =
        [(uses.print, "printing", "列印"), (uses.download, "taking a copy", "下載"), (uses.forward, "passing it on", "轉交")];
    let english: Vec<_> = named.iter().filter(|(may, ..)| *may).map(|(_, english, _)| *english).collect();
    let chinese: Vec<_> = named.iter().filter(|(may, ..)| *may).map(|(_, _, chinese)| *chinese).collect();
    if english.is_empty() {
        return (
            "Reading on a screen only; no printing, no copies, no passing on".into(),
            "只可在螢幕閱讀，不可列印、下載或轉交".into(),
        );
    }
    (format!("Reading, and {}", english.join(", ")), format!("閱讀，以及{}", chinese.join("、")))
}

/// For whom it is, as HTML: the one who asks, or all who treat patients where they work.
pub(super) fn recipient(stored: &StoredConsent) -> String {
    let (doctor, organisation) = (escaped(&stored.about.doctor), escaped(&stored.about.organisation));
    match stored.consent.scope().recipient {
        Recipient::Role(_) => format!("{doctor}<br>{organisation}"),
        Recipient::Organisation(_) => format!(
            "{organisation}：所有診治病人的人員（全部醫生及護士），由 {doctor} 要求<br><span lang=\"en\">Everybody who treats patients at \
             {organisation} (all its doctors and nurses); {doctor} asks for it</span>"
        ),
    }
}

/// Whether restricted data are shared too, for the patient.
pub(super) fn restricted(consent: &Consent) -> Both {
    match consent {
        Consent::Active(active) if active.includes_restricted() => ("Included, as you agreed", "包括在內（您已另行同意）"),
        Consent::Ended(_) => ("Nothing is shared any more", "已不再分享"),
        _ => ("Left out, unless you are asked again and say yes", "不包括，除非再徵得您同意"),
    }
}

/// Why a doctor needs restricted data, for the patient.
pub(super) fn restricted_reason(reason: RestrictedReason) -> Both {
    match reason {
        RestrictedReason::Safety => ("A treatment may harm you without them", "不知道這些資料，治療可能對您有害"),
        RestrictedReason::Complaint => ("They concern what you came for", "與您今次求診的病情有關"),
        RestrictedReason::PatientAsked => ("You asked for it", "應您的要求"),
    }
}

/// Why an answer was not taken, for the patient.
pub(super) fn refusal(refusal: Refusal) -> Both {
    match refusal {
        Refusal::WrongCode => ("That is not the code. Please look at the message again.", "驗證碼不正確，請再看一次短訊。"),
        Refusal::Expired => ("The time for this is over.", "已經過期。"),
        Refusal::NotYet => ("The code has not been sent yet. Please wait a moment.", "驗證碼尚未發出，請稍候。"),
        Refusal::TooManyTries => {
            ("Too many tries. Ask for another code, or call the clinic.", "嘗試次數過多，請重新索取驗證碼或致電診所。")
        }
        Refusal::AlreadyUsed => ("This was answered or opened before.", "此請求或連結已經使用過。"),
        Refusal::NotEntitled => ("You cannot decide this for the patient.", "您不能代病人作此決定。"),
        Refusal::NotSignedIn => (
            "This link is not good, or was opened elsewhere. Ask the clinic for another.",
            "此連結無效，或已在別處開啟，請向診所查詢。",
        ),
        _ => ("This could not be done. Please call the clinic.", "未能完成，請致電診所。"),
    }
}

/// Why somebody sees nothing, for a doctor.
pub(in crate::server) fn reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NotSignedIn => "nobody is signed in",
        Refusal::NotAllowed => "this role may not do that",
        Refusal::NoConsent => "there is no consent in force",
        Refusal::SaidNo => "the patient said no",
        Refusal::Expired => "its time is over",
        Refusal::NotYet => "it is not in force yet",
        Refusal::Withdrawn => "the consent was withdrawn",
        Refusal::OtherRecipient => "the consent is for somebody else",
        Refusal::OtherPatient => "the consent is of another patient",
        Refusal::OtherPurpose => "the consent is for another purpose",
        Refusal::PurposeNotCovered => "a consent to treatment does not cover this purpose",
        Refusal::OtherRecord => "the consent does not name this note",
        Refusal::OtherDomain => "the consent leaves these data out",
        Refusal::Restricted => "restricted data need an extra consent",
        Refusal::UseNotGranted => "the consent does not allow this use",
        Refusal::WrongCode => "the code was wrong",
        Refusal::AlreadyUsed => "it was answered or ended before",
        Refusal::TooManyTries => "there were too many tries",
        Refusal::OnHold => "it is on legal hold",
        Refusal::Merged => "the patient is merged with another",
        Refusal::Changed => "it has changed since it was shown",
        Refusal::NotEntitled => "who answers may not decide for this patient",
        Refusal::Malformed => "the request could not be read",
        Refusal::TooLarge => "the request was too large",
        Refusal::Foreign => "the request came from another site",
        Refusal::OwnContact => "who asks has set how the patient is reached within the last 30 days: somebody else has to ask",
        Refusal::ClockBackwards => "the clock is behind what was recorded",
        Refusal::Error => "something failed, so the answer is no",
    }
}

/// Day and minute in Hong Kong: `2026-11-26 18:30`.
pub(in crate::server) fn minute(at: UnixMillis) -> String {
    local(&Instant::from_unix_millis(at.0)).as_str().chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// What stands in the first message: the clinic's name and the link, and nothing else.
pub(super) fn link_message(clinic: &str, link: &str) -> String {
    format!("{clinic}\n{link}")
}

/// What stands in the second one.
pub(super) fn code_message(clinic: &str, code: &str) -> String {
    format!("{clinic}\n驗證碼 Code: {code}\n5 分鐘內有效，切勿告訴他人。Valid for 5 minutes; tell nobody.")
}

/// What the patient is told when somebody has opened their record in an emergency: no name, no reason, for others may read it.
pub(super) fn emergency_message(clinic: &str, link: &str) -> String {
    format!(
        "{clinic}\n有醫生在緊急情況下未經您同意查閱了您的記錄。可在此查看是誰及原因：\n\
         A doctor opened your record in an emergency, without asking you. See who did:\n{link}"
    )
}

/// What the number or mailbox that was known before is told when another takes its place: nothing of a visit, and not the new one.
pub(super) fn contact_message(clinic: &str) -> String {
    format!(
        "{clinic}\n您在本機構登記的聯絡方法已更改。如非您本人要求，請立即聯絡我們。\n\
         The number or address by which we reach you was changed. If you did not ask for this, please call us at once."
    )
}

/// What a privacy officer is told then.
pub(super) fn officer_message(clinic: &str, link: &str) -> String {
    format!(
        "{clinic}\n有病人記錄在緊急情況下未經同意被查閱，請跟進。\nA record was opened in an emergency without consent. Please look into it:\n{link}"
    )
}

/// What an administrator is told where no privacy officer can be.
pub(super) fn administrator_message(clinic: &str, link: &str) -> String {
    format!(
        "{clinic}\n有病人記錄在緊急情況下未經同意被查閱，而貴機構沒有可通知的私隱主任。請委任一位跟進。\nA record was opened in an emergency without \
         consent, and none of your privacy officers could be told. Please appoint one to look into it:\n{link}"
    )
}

/// Text within HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
