//! The patient's report as a paper to be printed.

use super::{Line, Report, subject};
use crate::letter::{Block, Letter, Value};
use crate::note::compose::Language;
use crate::text::PatientText;

/// What the numbers are, for who reads it on paper.
const NOTE: &str = "方括號內是稽核日誌的編號，由 0 起。以 `cantoscribe audit verify` 及最後所列的簽署，可核實日誌是否原樣。";

impl Report {
    /// The report as a paper.
    pub(in crate::server::sharing) fn paper(&self) -> Letter {
        let field = |label, value: String| Block::Field { label, value: Value::Stated(PatientText::from(value)) };
        let head = vec![
            field("製作時間", self.made_at.clone()),
            field("病人代號", self.pseudonym.clone()),
            field("稽核日誌", format!("{}，共 {} 項", self.checkpoint.origin, self.checkpoint.size)),
            field("樹根", self.checkpoint.root.clone()),
        ];
        let list =
            |heading, items: Vec<String>| Block::List { heading, items: items.into_iter().map(PatientText::from).collect() };
        let signed = self.checkpoint.note.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        Letter {
            language: Language::TraditionalChinese,
            institution: Vec::new(),
            title: "誰看過我的資料",
            date: self.made_at.chars().take(10).collect(),
            patient: head,
            body: vec![
                Block::Sentence(PatientText::from(NOTE)),
                list("查閱紀錄", self.lines.iter().map(told).collect()),
                list("日誌的簽署", signed),
            ],
            signature: Vec::new(),
            origin: format!("由 cantoscribe {} 按日誌 {} 製作", env!("CARGO_PKG_VERSION"), self.checkpoint.origin),
            left_out: Vec::new(),
        }
    }
}

fn told(line: &Line) -> String {
    let whom =
        line.organisation.as_ref().map_or_else(|| line.who.clone(), |organisation| format!("{}（{organisation}）", line.who));
    let purpose = line.purpose.map(|purpose| format!("，用途：{purpose}")).unwrap_or_default();
    let outcome = line.refused.map_or_else(|| "完成".to_owned(), |why| format!("拒絕：{why}"));
    let more = subject::told(line.about.as_ref(), &line.domains).into_iter();
    let more: String = more.map(|(chinese, english)| format!("，{chinese} ({english})")).collect();
    format!("{} {whom}：{}{more}{purpose}，{outcome} [{}]", line.at, line.what, line.entry)
}
