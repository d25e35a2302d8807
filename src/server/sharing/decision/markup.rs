//! The HTML of the patient's pages. All that is not ours is escaped.

use super::super::Sharing;
use super::super::courier::now;
use super::super::restricted::restricted_notes;
use super::super::words::{self, Both, escaped, minute};
use crate::audit::Refusal;
use crate::consent::{Consent, Decider, End, Standing};
use crate::interop::fhir::Instant;
use crate::server::clock::local;
use crate::server::error::ApiError;
use crate::store::StoredConsent;

/// What is asked for beside what the consent itself says: the visits whose notes they are, and those that are restricted.
pub(super) struct Asked {
    notes: Vec<String>,
    restricted: Vec<String>,
}

impl Asked {
    pub(super) async fn of(sharing: &Sharing, stored: &StoredConsent) -> Result<Self, ApiError> {
        let marked = restricted_notes(sharing.store(), stored).await?;
        let (mut notes, mut restricted) = (Vec::new(), Vec::new());
        for id in &stored.about.notes {
            // A note that was erased since is shared no more.
            let Ok(Some(kept)) = sharing.store().record(id).await else { continue };
            if let Some((_, signature)) = kept.signed.last() {
                let day = Instant::parse(&signature.at).map(|at| local(&at).as_str().chars().take(10).collect::<String>())?;
                let note = format!("{day} {}", signature.by);
                restricted.extend(marked.contains(id).then(|| note.clone()));
                notes.push(note);
            }
        }
        Ok(Self { notes, restricted })
    }
}

/// A page to be written.
pub(super) struct Page<'a> {
    pub(super) consent: &'a str,
    pub(super) stored: &'a StoredConsent,
    pub(super) asked: &'a Asked,
    /// The code was given: it is the patient who looks.
    pub(super) is_mine: bool,
    /// The page is that of a link which waits for an answer.
    pub(super) is_asked: bool,
    pub(super) problem: Option<Refusal>,
}

pub(in super::super) fn whole(title: Both, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"zh-Hant-HK\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<meta name=\"robots\" content=\"noindex\">\n<title>{1} {0}</title>\n<link rel=\"stylesheet\" \
         href=\"/assets/decision.css\">\n</head>\n<body>\n<main>\n<h1>{1}<br><span lang=\"en\">{0}</span></h1>\n{body}</main>\n</body>\n</html>\n",
        title.0, title.1
    )
}

pub(in super::super) fn both((english, chinese): (&str, &str)) -> String {
    format!("{chinese}<br><span lang=\"en\">{english}</span>")
}

pub(in super::super) fn paragraph(text: Both) -> String {
    format!("<p>{}</p>\n", both(text))
}

/// Before the link is opened.
pub(super) fn landing(clinic: &str, action: &str) -> String {
    let body = format!(
        "<p class=\"clinic\">{}</p>\n{}<form method=\"post\" action=\"{}\"><button type=\"submit\">{}</button></form>\n",
        escaped(clinic),
        paragraph((
            "The clinic has a question for you. Opening this sends a code to your phone. The link opens once.",
            "診所有一項事情需要您決定。開啟後，驗證碼會傳送到您的電話。此連結只可開啟一次。"
        )),
        escaped(action),
        both(("Open", "開啟"))
    );
    whole(("Your decision", "請您決定"), &body)
}

/// Why nothing can be shown.
pub(in crate::server::sharing) fn problem(text: Both) -> String {
    let link = both(("Have a link to your own page sent", "索取個人頁面的連結"));
    let body = format!("{}<p><a href=\"/mine\">{link}</a></p>\n", paragraph(text));
    whole(("This cannot be opened", "未能開啟"), &body)
}

/// After a no.
pub(super) fn said_no(stored: &StoredConsent) -> String {
    let told = match stored.consent {
        Consent::Active(_) => (
            "You said no. Restricted data stay left out; the rest is shared as before.",
            "您已拒絕。受限制資料不會分享，其餘照舊。",
        ),
        _ => ("You said no. Nothing is shared.", "您已拒絕，不會分享任何資料。"),
    };
    let body = format!("<p class=\"clinic\">{}</p>\n{}", escaped(&stored.about.owner_name), paragraph(told));
    whole(("Refused", "已拒絕"), &body)
}

/// What is asked for, with the forms that its state allows.
pub(super) fn decision(page: &Page<'_>) -> String {
    let Page { consent, stored, is_mine, problem, .. } = page;
    let problem = problem.map(|refusal| format!("<p class=\"problem\" role=\"alert\">{}</p>\n", both(words::refusal(refusal))));
    let mut body = problem.unwrap_or_default();
    body.push_str(&terms(page));
    let title = match &stored.consent {
        Consent::Requested(_) | Consent::Attested(_) => {
            body.push_str(&answer(consent, stored.consent.scope().standing, ("Yes, share it", "同意分享")));
            ("May this be shared?", "是否同意分享？")
        }
        Consent::Answered(_) => {
            body.push_str(&paragraph((
                "You said yes. It begins when the doctor has confirmed the purpose.",
                "您已同意。待醫生確認用途後便會生效。",
            )));
            body.push_str(&form(consent, "no", ("Take it back", "收回同意"), "quiet"));
            ("You said yes", "您已同意")
        }
        Consent::Active(active) if page.is_asked && active.asks_restricted(now()).is_some() => {
            body.push_str(&paragraph((
                "The rest is shared as before, whatever you answer.",
                "無論您如何決定，其餘資料照舊分享。",
            )));
            body.push_str(&answer(consent, active.scope().standing, ("Yes, share these too", "同意一併分享")));
            if *is_mine {
                body.push_str(&form(consent, "withdraw", ("Take everything back now", "立即收回全部同意"), "stop"));
            }
            ("May restricted data be shared too?", "是否同意一併分享受限制資料？")
        }
        Consent::Active(active) => {
            if active.asks_restricted(now()).is_some() {
                body.push_str(&paragraph((
                    "The doctor asks for restricted data too. Please open the link in the newest message to answer.",
                    "醫生要求一併查看受限制資料。請開啟最新短訊中的連結答覆。",
                )));
            }
            body.push_str(&paragraph((
                "It is shared now. You can take it back at any time; then nobody there can see it from that moment on.",
                "資料現正分享。您可隨時收回同意，收回後對方即時不能再查看。",
            )));
            if *is_mine {
                body.push_str(&form(consent, "withdraw", ("Take it back now", "立即收回同意"), "stop"));
            }
            ("Shared", "分享中")
        }
        Consent::Ended(ended) => match ended.how() {
            End::Refused => ("Refused: nothing is shared", "已拒絕，不會分享"),
            End::Withdrawn => ("Taken back: nothing is shared", "已收回同意，不再分享"),
            End::Expired => ("Over: nothing is shared", "已經過期，不再分享"),
        },
    };
    if *is_mine {
        let link = both(("Who has seen what", "誰看過我的資料"));
        body.push_str(&format!("<p><a href=\"/d/{}/report\">{link}</a></p>\n", escaped(consent)));
        let link = both(("This consent as a FHIR document", "下載同意書（FHIR 格式）"));
        body.push_str(&format!("<p><a href=\"/d/{}/fhir\">{link}</a></p>\n", escaped(consent)));
    }
    whole(title, &body)
}

/// Recipient, purpose, data and end, and what is restricted and why it is asked for.
fn terms(page: &Page<'_>) -> String {
    let (about, scope) = (&page.stored.about, page.stored.consent.scope());
    let list =
        |items: Vec<String>| format!("<ul>{}</ul>", items.iter().map(|item| format!("<li>{item}</li>")).collect::<String>());
    let (english, chinese) = words::uses(scope.uses);
    let rows = [
        (("From", "來自"), escaped(&about.owner_name)),
        (("To", "分享給"), words::recipient(page.stored)),
        (("What for", "用途"), both(words::purpose(scope.purpose))),
        (("Notes of", "診症記錄"), list(page.asked.notes.iter().map(|note| escaped(note)).collect())),
        (("What of them", "內容"), list(scope.domains.iter().map(|domain| both(words::domain(*domain))).collect())),
        (("What they may do", "對方可以"), both((&english, &chinese))),
        (("From when", "開始"), minute(scope.from)),
        (("Until", "結束"), minute(scope.end())),
        (("Restricted data", "受限制資料"), both(words::restricted(&page.stored.consent))),
    ];
    let asked = match &page.stored.consent {
        Consent::Active(active) if page.is_asked => active.asks_restricted(now()),
        _ => None,
    };
    let restricted = page.asked.restricted.iter().map(|note| escaped(note)).collect();
    let asked = asked.map(|reason| {
        [
            (("The restricted notes", "受限制的記錄"), list(restricted)),
            (("Why the doctor needs them", "醫生需要的原因"), both(words::restricted_reason(reason))),
        ]
    });
    let rows = rows.into_iter().chain(asked.into_iter().flatten()).collect::<Vec<_>>();
    let rows: String = rows.iter().map(|(label, value)| format!("<dt>{}</dt><dd>{value}</dd>\n", both(*label))).collect();
    format!("<dl>\n{rows}</dl>\n")
}

fn form(consent: &str, act: &str, label: Both, class: &str) -> String {
    format!(
        "<form method=\"post\" action=\"/d/{}/{act}\"><button type=\"submit\" class=\"{class}\">{}</button></form>\n",
        escaped(consent),
        both(label)
    )
}

/// The code and who gives it; no takes no code.
fn answer(consent: &str, standing: Standing, yes: Both) -> String {
    let consent = escaped(consent);
    format!(
        "{}{}{}",
        code_entry(&format!("/d/{consent}/yes"), standing, yes),
        form(&consent, "no", ("No", "不同意"), "no"),
        form(&consent, "code", ("Send another code", "重新傳送驗證碼"), "quiet")
    )
}

/// Where the code is typed in, and who does.
pub(in super::super) fn code_entry(action: &str, standing: Standing, label: Both) -> String {
    let choices: &[Decider] = match standing {
        Standing::Decides => &[Decider::Patient],
        Standing::Minor { .. } => &[Decider::Parent, Decider::Guardian],
        Standing::Incapable => &[Decider::Relative, Decider::Guardian, Decider::Parent],
    };
    let choice = |(index, decider): (usize, &Decider)| {
        let checked = if index == 0 { " checked" } else { "" };
        let value = serde_json::to_value(decider).ok();
        let value = value.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        format!(
            "<label class=\"choice\"><input type=\"radio\" name=\"decider\" value=\"{value}\"{checked}> {}</label>\n",
            both(words::decider(*decider))
        )
    };
    let choices: String = choices.iter().enumerate().map(choice).collect();
    format!(
        "<form method=\"post\" action=\"{action}\">\n<fieldset><legend>{}</legend>\n{choices}</fieldset>\n<label for=\"code\">{}</label>\n\
         <input id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" maxlength=\"16\" required>\n\
         <button type=\"submit\" class=\"yes\">{}</button></form>\n",
        both(("Who answers", "由誰決定")),
        both(("The code from the message: 8 digits", "短訊中的 8 位數字驗證碼")),
        both(label)
    )
}
