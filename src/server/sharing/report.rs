//! Who has seen what of a patient, in Chinese: each line names its entry of the audit log and, in English too, the day of the visit that it
//! is about; and the report the log's signed head.

mod paper;
mod subject;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use subject::{About, Agreed, Subject, Subjects};

use super::words::{self, escaped, minute};
use super::{Names, Sharing};
use crate::audit::{Action, Actor, Addressee, ErasureReason, Event, Outcome, Purpose, RestrictedReason, RoleId};
use crate::identity::{Right, RoleKind};
use crate::server::App;
use crate::server::asked::Asked;
use crate::server::caller::{Caller, What};
use crate::server::error::{ApiError, ErrorDocument};
use crate::server::reports::each_event;
use crate::store::By;
use crate::{fonts, letter};

/// The page runs no script.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One thing that was done with a patient's data.
#[derive(Serialize, ToSchema)]
pub(super) struct Line {
    /// The entry of the audit log, from 0.
    entry: u64,
    /// Day and minute in Hong Kong.
    at: String,
    /// Who, by name where it is known.
    who: String,
    /// Where they work; nothing for the patient and the program.
    organisation: Option<String>,
    /// What, in Chinese.
    what: String,
    /// The visit that it is about; null where it is about none.
    about: Option<About>,
    /// What the consent covers that it rests on; empty where it rests on none.
    domains: Vec<Agreed>,
    /// Why it was refused, in Chinese; nothing where it was done.
    refused: Option<&'static str>,
    /// What for, in Chinese.
    purpose: Option<&'static str>,
    /// The consent that it rests on.
    consent: Option<String>,
}

/// The signed head of the log that the report was made from.
#[derive(Serialize, ToSchema)]
pub(super) struct Head {
    origin: String,
    size: u64,
    root: String,
    /// The signed note itself, as `audit verify` reads it.
    note: String,
}

/// A report for a patient.
#[derive(Serialize, ToSchema)]
pub(super) struct Report {
    /// When it was made: day and minute in Hong Kong.
    made_at: String,
    /// What the log calls the patient.
    pseudonym: String,
    checkpoint: Head,
    /// The newest first.
    lines: Vec<Line>,
}

/// The report of one patient, and of those who are the same person; that it was made is its own last line but one report later.
pub(super) async fn of_patient(sharing: &Sharing, patient: &str, by: &By) -> Result<Report, ApiError> {
    let store = sharing.store();
    let pseudonym = store.pseudonym(patient)?;
    let same = store.same_person(patient).await?;
    let theirs = same.iter().map(|id| store.pseudonym(id)).collect::<Result<HashSet<_>, _>>()?;
    // A report is no treatment, whoever makes it; the patient's own has no purpose but theirs.
    let purpose = by.purpose.map(|_| Purpose::Operations);
    store.keep_event(&Event { purpose, ..by.did_for(Action::Report, pseudonym) }).await?;
    // What is in the log's files is what the head has signed.
    store.write_log().await?;
    let (head, note) = store.signed_head()?;
    let (mut known, mut events) = (HashMap::new(), Vec::new());
    each_event(store, head.size, |entry, event| {
        if event.patient.is_some_and(|patient| theirs.contains(&patient)) {
            events.push((entry, event));
        }
    })
    .await?;
    let subjects = Subjects::of(store, patient, by, events.iter().map(|(_, event)| event)).await?;
    let mut lines = Vec::with_capacity(events.len());
    for (entry, event) in events.iter().rev() {
        lines.push(line(sharing, &mut known, (*entry, event), subjects.about(event)).await?);
    }
    let checkpoint = Head { origin: head.origin, size: head.size, root: head.root.to_string(), note };
    Ok(Report { made_at: minute(by.at), pseudonym: pseudonym.to_string(), checkpoint, lines })
}

async fn line(
    sharing: &Sharing,
    known: &mut HashMap<RoleId, Option<Names>>,
    (entry, event): (u64, &Event),
    Subject { about, agreed }: Subject,
) -> Result<Line, ApiError> {
    let (who, organisation) = match event.actor {
        Actor::Staff { role, .. } => {
            if let std::collections::hash_map::Entry::Vacant(vacant) = known.entry(role) {
                // A role that is not known any more is named by its id.
                vacant.insert(Names::of(sharing.store(), event.actor).await.ok());
            }
            match known.get(&role).cloned().flatten() {
                Some(names) => (names.person, Some(names.organisation)),
                None => (format!("職員 {role}"), None),
            }
        }
        Actor::Patient => ("病人本人".to_owned(), None),
        Actor::SubstituteDecisionMaker => ("代病人作決定的人".to_owned(), None),
        Actor::Device { device, .. } => (format!("裝置 {device}"), None),
        Actor::System => ("系統".to_owned(), None),
        Actor::Unknown => ("未登入的人".to_owned(), None),
    };
    let refused = match event.outcome {
        Outcome::Done => None,
        Outcome::Refused { reason } => Some(refused(reason)),
        Outcome::Failed => Some("未能完成"),
    };
    Ok(Line {
        entry,
        at: minute(event.at),
        who,
        organisation,
        what: what(event.action),
        about,
        domains: agreed,
        refused,
        purpose: event.purpose.map(|purpose| words::purpose(purpose).1),
        consent: event.consent.map(|consent| consent.to_string()),
    })
}

/// An action in Chinese.
fn what(action: Action) -> String {
    match action {
        Action::View { count } => return format!("查看記錄（{count} 份）"),
        Action::Search { count } => return format!("搜尋（找到 {count} 項）"),
        Action::Export { count } => return format!("下載記錄（{count} 份）"),
        Action::Request { count } => return format!("未受理的請求（{count} 個）"),
        _ => {}
    }
    let fixed = match action {
        Action::SignIn => "登入或開啟連結",
        Action::SignOut => "登出",
        Action::Listed => "在名單或搜尋結果中顯示",
        Action::Record => "開始錄音",
        Action::Finish => "寫成記錄",
        Action::Erase => "刪除",
        Action::ErasureDecide { reason: ErasureReason::TermOver } => "私隱主任決定刪除（不再需要，保存期限已過）",
        Action::ErasureDecide { reason: ErasureReason::PatientAsked } => "私隱主任決定刪除（應病人要求）",
        Action::ErasureDecide { reason: ErasureReason::Mistake } => "私隱主任決定刪除（誤入的記錄）",
        Action::ErasureDecide { reason: ErasureReason::Ordered } => "私隱主任決定刪除（法院或私隱專員命令）",
        Action::EraseSound => "保留期滿，刪除聲音",
        Action::HoldPlace => "法律保留：不得刪除",
        Action::HoldLift => "解除法律保留",
        Action::ShareArchive => "封存已結束的分享",
        Action::ShareDestroy => "銷毀已結束的分享",
        Action::Edit => "修改記錄",
        Action::Review => "覆核記錄",
        Action::Sign => "簽署記錄",
        Action::Restrict => "標示為受限制資料",
        Action::Unrestrict => "取消受限制標示",
        Action::RecordingConsent { .. } => "記下是否同意錄音",
        Action::ConsentRequest => "要求分享",
        Action::ConsentCode => "傳送驗證碼",
        Action::ConsentAnswer => "病人回覆要求",
        Action::ConsentAttest => "醫生確認用途",
        Action::ConsentActivate => "分享生效",
        Action::ConsentWithdraw => "收回同意",
        Action::ConsentExpire => "同意或要求到期",
        Action::RestrictedAsk { reason: RestrictedReason::Safety } => "要求受限制資料（用藥或治療安全）",
        Action::RestrictedAsk { reason: RestrictedReason::Complaint } => "要求受限制資料（與病情有關）",
        Action::RestrictedAsk { reason: RestrictedReason::PatientAsked } => "要求受限制資料（應病人要求）",
        Action::RestrictedAnswer => "病人回覆受限制資料的要求",
        Action::PageAsk => "索取個人頁面的連結",
        Action::Permit => "查核是否獲准",
        Action::BreakGlass { .. } => "緊急查閱（未經同意）",
        Action::BreakGlassTell { whom: Addressee::Patient } => "通知病人有緊急查閱",
        Action::BreakGlassTell { whom: Addressee::PrivacyOfficer } => "通知私隱主任有緊急查閱",
        Action::BreakGlassTell { whom: Addressee::Administrator } => "通知管理員有緊急查閱",
        Action::BreakGlassAnnounce => "通知緊急查閱",
        Action::Share => "交出已同意分享的記錄",
        Action::Print => "列印",
        Action::Forward => "轉交",
        Action::KeyUse => "開啟密鑰庫",
        Action::KeyDestroy => "銷毀密鑰",
        Action::KeyRotate => "更換主密鑰",
        Action::Backup => "備份",
        Action::Restore => "還原備份",
        Action::Register => "登記或更改個人資料",
        Action::ContactChange => "登記或更改聯絡方法",
        Action::PatientMerge => "合併病人記錄",
        Action::PatientUnmerge => "還原合併",
        Action::Invite => "邀請加入機構",
        Action::RoleGive { .. } => "給予職務",
        Action::RoleChange { .. } => "更改或終止職務",
        Action::RecoveryOffer { .. } => "讓遺失通行密鑰的人重新登記",
        Action::RecoveryUse { .. } => "重新登記遺失的通行密鑰",
        Action::CredentialAdd { .. } => "登記通行密鑰",
        Action::CredentialRemove { .. } => "移除通行密鑰",
        Action::Administer => "管理設定",
        Action::Report => "製作查閱報告",
        Action::AccessRequest => "要求查閱個人資料",
        Action::AccessAnswer => "答覆查閱要求",
        Action::Start => "啟動程式",
        Action::Stop => "停止程式",
        Action::View { .. } | Action::Search { .. } | Action::Export { .. } | Action::Request { .. } => "",
    };
    fixed.to_owned()
}

/// Why something was refused, in Chinese.
fn refused(reason: crate::audit::Refusal) -> &'static str {
    use crate::audit::Refusal;
    match reason {
        Refusal::NotSignedIn => "未證明身分",
        Refusal::NotAllowed => "職務不容許",
        Refusal::NoConsent => "沒有生效的同意",
        Refusal::SaidNo => "病人拒絕",
        Refusal::Expired => "已過期",
        Refusal::NotYet => "尚未生效",
        Refusal::Withdrawn => "同意已收回",
        Refusal::OtherRecipient => "同意不是給此人",
        Refusal::OtherPatient => "同意屬另一病人",
        Refusal::OtherPurpose => "用途不同",
        Refusal::PurposeNotCovered => "不在同意用途之內",
        Refusal::OtherRecord => "不在同意記錄之內",
        Refusal::OtherDomain => "不在同意內容之內",
        Refusal::Restricted => "受限制資料",
        Refusal::UseNotGranted => "不容許列印、下載或轉交",
        Refusal::WrongCode => "驗證碼錯誤",
        Refusal::AlreadyUsed => "已使用或已完結",
        Refusal::TooManyTries => "嘗試過多",
        Refusal::OnHold => "法律保留中",
        Refusal::Merged => "與另一病人合併中",
        Refusal::Changed => "內容已有變更",
        Refusal::NotEntitled => "無權代作決定",
        Refusal::Malformed => "請求格式不正確",
        Refusal::TooLarge => "請求過大",
        Refusal::Foreign => "來自其他網站的請求",
        Refusal::OwnContact => "要求者近日更改過病人的聯絡方法",
        Refusal::ClockBackwards => "時鐘有誤",
        Refusal::Error => "發生錯誤，因此拒絕",
    }
}

impl Report {
    /// The report in a form; a page is answered as `page` does.
    pub(super) async fn answer(self, format: Format, page: impl FnOnce(String) -> Response) -> Result<Response, ApiError> {
        Ok(match format {
            Format::Json => Json(self).into_response(),
            Format::Html => page(self.html()),
            Format::Pdf => {
                let papers = vec![self.paper()];
                let written = tokio::task::spawn_blocking(move || letter::to_pdf(&papers, &fonts::for_letters(&papers)?)).await;
                let written = written.map_err(|error| ApiError::internal(&error))??;
                let name = "inline; filename=\"report.pdf\"";
                ([(header::CONTENT_TYPE, "application/pdf"), (header::CONTENT_DISPOSITION, name)], written).into_response()
            }
        })
    }

    /// The report as a page.
    pub(super) fn html(&self) -> String {
        let mut rows = String::new();
        for line in &self.lines {
            let who = match &line.organisation {
                Some(organisation) => format!("{}<br>{}", escaped(&line.who), escaped(organisation)),
                None => escaped(&line.who),
            };
            let outcome = line.refused.map_or_else(|| "完成".to_owned(), |why| format!("拒絕：{why}"));
            let more = subject::told(line.about.as_ref(), &line.domains).into_iter();
            let more: String = more
                .map(|(chinese, english)| format!("<br>{}<br><span lang=\"en\">{}</span>", escaped(&chinese), escaped(&english)))
                .collect();
            // Writing into a String cannot fail.
            let _ = writeln!(
                rows,
                "<tr><td>{}</td><td>{}</td><td>{who}</td><td>{}{more}</td><td>{}</td><td>{outcome}</td></tr>",
                line.entry,
                line.at,
                escaped(&line.what),
                line.purpose.unwrap_or_default()
            );
        }
        format!(
            "<!doctype html>\n<html lang=\"zh-Hant-HK\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>誰看過我的資料</title>\n<link rel=\"stylesheet\" href=\"/assets/decision.css\">\n</head>\n<body>\n<main>\n<h1>誰看過我的資料</h1>\n\
             <p>製作時間 {}。「記錄」一欄是稽核日誌的編號。<a href=\"?format=pdf\">PDF</a> <a href=\"?format=json\">JSON</a></p>\n<table><thead><tr><th>記錄</th><th>時間</th><th>誰</th><th>做了甚麼</th><th>用途</th><th>結果</th></tr></thead>\n<tbody>\n{rows}</tbody></table>\n\
             <p>稽核日誌 {}，共 {} 項，樹根 {}。</p>\n<pre>{}</pre>\n</main>\n</body>\n</html>\n",
            self.made_at,
            escaped(&self.checkpoint.origin),
            self.checkpoint.size,
            escaped(&self.checkpoint.root),
            escaped(&self.checkpoint.note)
        )
    }
}

/// In which form a report is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    Json,
    Html,
    Pdf,
}

/// In which form a report is taken.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    #[serde(default)]
    pub(super) format: Option<Format>,
}

/// Who has seen what of a patient, for the clinic that treats them to hand over.
#[utoipa::path(
    get,
    path = "/v1/patients/{id}/report",
    params(("id" = String, Path, description = "The patient's id"), ("format" = Option<String>, Query, description = "`json`, `html` or `pdf`; `json` when not said")),
    responses((status = 200, description = "The report", content((Report = "application/json"), (String = "text/html"), (Vec<u8> = "application/pdf"))), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn show(
    State(app): State<App>,
    State(sharing): State<Sharing>,
    caller: Caller,
    Path(patient): Path<String>,
    Asked(form): Asked<Form>,
) -> Result<Response, ApiError> {
    // Who treats the patient, or watches over the log.
    let watches = matches!(caller.session.kind, RoleKind::PrivacyOfficer | RoleKind::Auditor);
    caller.may(&app, if watches { Right::Report } else { Right::View }, What::Patient(&patient)).await?;
    let report = of_patient(&sharing, &patient, &caller.by).await?;
    let page = |html| ([(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))], Html(html)).into_response();
    report.answer(form.format.unwrap_or(Format::Json), page).await
}
