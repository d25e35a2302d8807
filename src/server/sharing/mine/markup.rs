//! The HTML of the patient's own page and of the way to it. All that is not ours is escaped.

use super::super::decision::markup::{both, code_entry, paragraph, whole};
use super::super::requests::state;
use super::super::words::{self, escaped, minute};
use crate::audit::Refusal;
use crate::consent::{Consent, Standing};
use crate::store::StoredConsent;

/// Where the number is typed in.
pub(super) fn form() -> String {
    let body = format!(
        "{}<form method=\"post\" action=\"/mine\">\n<label for=\"number\">{}</label>\n\
         <input id=\"number\" name=\"number\" type=\"text\" autocomplete=\"tel\" maxlength=\"100\" required>\n\
         <button type=\"submit\" class=\"yes\">{}</button></form>\n",
        paragraph((
            "See what you share, who has seen it, and take it back. A link is sent to the number that your clinic has.",
            "查看您分享了甚麼、誰看過，並可收回同意。連結會傳送到診所記錄的號碼。"
        )),
        both(("Your telephone number, or e-mail", "您的電話號碼或電郵")),
        both(("Send me a link", "傳送連結"))
    );
    whole(("Your own page", "您的個人頁面"), &body)
}

/// After the number was sent: the same whether it is known or not.
pub(super) fn asked() -> String {
    let text = paragraph((
        "If a clinic here knows this number, a message with a link is on its way. Otherwise ask the clinic.",
        "如診所記錄了此號碼，您將收到附有連結的短訊。如收不到，請向診所查詢。",
    ));
    whole(("Please look at your messages", "請查看短訊"), &text)
}

/// Before the link is opened.
pub(super) fn landing(clinic: &str, action: &str) -> String {
    let body = format!(
        "<p class=\"clinic\">{}</p>\n{}<form method=\"post\" action=\"{}\"><button type=\"submit\">{}</button></form>\n",
        escaped(clinic),
        paragraph((
            "This link leads to your own page. Opening it sends a code to your phone. It opens once.",
            "此連結通往您的個人頁面。開啟後，驗證碼會傳送到您的電話。連結只可開啟一次。"
        )),
        escaped(action),
        both(("Open", "開啟"))
    );
    whole(("Your own page", "您的個人頁面"), &body)
}

/// The question for the code.
pub(super) fn code(way: &str, clinic: &str, standing: Standing, problem: Option<Refusal>) -> String {
    let action = escaped(&format!("/m/{way}"));
    let body = format!(
        "{}<p class=\"clinic\">{}</p>\n{}<form method=\"post\" action=\"{action}/code\"><button type=\"submit\" class=\"quiet\">{}</button></form>\n",
        told(problem),
        escaped(clinic),
        code_entry(&format!("{action}/enter"), standing, ("Go on", "繼續")),
        both(("Send another code", "重新傳送驗證碼")),
    );
    whole(("Your own page", "您的個人頁面"), &body)
}

fn told(problem: Option<Refusal>) -> String {
    problem
        .map(|refusal| format!("<p class=\"problem\" role=\"alert\">{}</p>\n", both(words::refusal(refusal))))
        .unwrap_or_default()
}

/// All that a patient shares or was asked for, with what they can do.
pub(super) fn own(way: &str, consents: &[StoredConsent], problem: Option<Refusal>) -> String {
    let way = escaped(way);
    let mut body = told(problem);
    if consents.is_empty() {
        body.push_str(&paragraph(("Nothing was asked for or shared.", "沒有任何分享或要求。")));
    }
    for stored in consents {
        let (about, scope, id) = (&stored.about, stored.consent.scope(), stored.consent.id());
        let rows = [
            (("State", "狀態"), both(state_words(&stored.consent))),
            (("From", "來自"), escaped(&about.owner_name)),
            (("To", "分享給"), words::recipient(stored)),
            (("What for", "用途"), both(words::purpose(scope.purpose))),
            (("Until", "結束"), minute(scope.end())),
            (("Restricted data", "受限制資料"), both(words::restricted(&stored.consent))),
        ];
        let rows: String = rows.iter().map(|(label, value)| format!("<dt>{}</dt><dd>{value}</dd>\n", both(*label))).collect();
        body.push_str(&format!("<dl>\n{rows}</dl>\n"));
        if let Some((label, class)) = ending(&stored.consent) {
            let label = both(label);
            let action = format!("/m/{way}/withdraw/{id}");
            body.push_str(&format!(
                "<form method=\"post\" action=\"{action}\"><button type=\"submit\" class=\"{class}\">{label}</button></form>\n"
            ));
        }
        let label = both(("This consent as a FHIR document", "下載同意書（FHIR 格式）"));
        body.push_str(&format!("<p><a href=\"/m/{way}/consents/{id}\">{label}</a></p>\n"));
    }
    let label = both(("Who has seen what", "誰看過我的資料"));
    body.push_str(&format!("<p><a href=\"/m/{way}/report\">{label}</a></p>\n"));
    whole(("What you share", "您的分享"), &body)
}

/// What the patient can do to end it, and how the button looks; nothing where it is over.
fn ending(consent: &Consent) -> Option<(words::Both, &'static str)> {
    match consent {
        Consent::Requested(_) | Consent::Attested(_) => Some((("Say no to it now", "立即拒絕要求"), "no")),
        Consent::Answered(_) => Some((("Take your yes back now", "立即收回同意"), "stop")),
        Consent::Active(_) => Some((("Take it back now", "立即收回同意"), "stop")),
        Consent::Ended(_) => None,
    }
}

fn state_words(consent: &Consent) -> words::Both {
    match state(consent) {
        "active" => ("Shared now", "分享中"),
        "answered" => ("You said yes; the doctor has yet to confirm the purpose", "您已同意，待醫生確認用途"),
        "refused" => ("Refused", "已拒絕"),
        "withdrawn" => ("Taken back", "已收回"),
        "expired" => ("Over", "已過期"),
        _ => ("Asked for; not answered", "有人要求，未答覆"),
    }
}
