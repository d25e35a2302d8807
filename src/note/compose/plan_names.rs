//! What an English record calls a test, a service, a treatment or advice that was said in Chinese.

use crate::note::PlanKind;

type Names = [(&'static str, &'static [&'static str])];

/// Investigations.
const TESTS: &Names = &[
    ("CXR", &["胸肺x光", "肺部x光", "肺x光", "照張肺片", "照個肺片", "照肺片", "照肺", "肺片", "胸片"]),
    ("CT", &["電腦掃描", "電腦掃瞄"]),
    ("MRI", &["磁力共振", "核磁共振"]),
    ("echo", &["心臟超聲波", "心臟掃描", "照心臟"]),
    ("USG breast", &["乳房超聲波"]),
    ("USG thyroid", &["甲狀腺超聲波"]),
    ("USG kidneys", &["腎臟超聲波"]),
    ("USG abdomen", &["上腹超聲波", "腹部超聲波"]),
    ("USG pelvis", &["盆腔超聲波"]),
    ("USG", &["超聲波", "超聲"]),
    ("mammogram", &["乳房x光造影", "乳房x光", "乳房造影"]),
    ("treadmill test", &["運動心電圖", "跑步機"]),
    ("Holter", &["二十四小時心電圖", "24小時心電圖", "動態心電圖"]),
    ("ECG", &["心電圖"]),
    ("24-h BP", &["二十四小時血壓", "24小時血壓"]),
    ("spirometry", &["肺功能測試", "肺功能", "吹肺"]),
    ("colonoscopy", &["照大腸鏡", "大腸鏡", "照腸鏡", "腸鏡"]),
    ("OGD", &["照胃鏡", "胃鏡"]),
    ("urea breath test", &["尿素呼氣測試", "幽門螺旋菌吹氣測試", "吹氣測試"]),
    ("Pap smear", &["子宮頸抹片", "柏氏抹片", "抹片"]),
    ("DEXA", &["骨質密度檢查", "骨質密度", "骨密度"]),
    ("FIT", &["大便隱血測試", "大便隱血"]),
    ("stool test", &["大便化驗", "驗大便"]),
    ("MSU C/ST", &["種小便", "小便種菌", "小便培養", "種尿"]),
    ("wound swab C/ST", &["傷口種菌"]),
    ("sputum C/ST", &["痰培養", "驗痰", "種痰"]),
    ("C/ST", &["種菌", "細菌培養"]),
    ("UPT", &["驗孕"]),
    ("urine test", &["小便化驗", "尿常規", "驗小便", "驗尿"]),
    ("CBC", &["血常規", "血全圖", "驗血球"]),
    ("HbA1c", &["糖化血紅素", "糖化"]),
    ("glucose", &["空腹血糖", "血糖", "糖尿"]),
    ("lipids", &["膽固醇", "血脂"]),
    ("LFT", &["肝功能", "肝酵素"]),
    ("RFT", &["腎功能"]),
    ("TFT", &["甲狀腺功能", "甲狀腺抽血"]),
    ("urate", &["尿酸"]),
    ("blood test", &["抽血", "驗血"]),
    ("skin prick test", &["皮膚點刺"]),
    ("allergy test", &["過敏測試", "敏感測試"]),
    ("audiogram", &["聽力測試"]),
    ("fundus photo", &["眼底相", "影眼底", "眼底檢查", "眼底"]),
    ("IOP", &["度眼壓", "眼壓"]),
    ("visual field", &["視野檢查", "視野"]),
    ("NCS", &["神經傳導"]),
    ("EEG", &["腦電圖"]),
    ("sleep study", &["睡眠測試", "睡眠檢查"]),
    ("biopsy", &["抽組織", "活檢"]),
    ("FNAC", &["細針抽吸", "抽針"]),
    ("XR", &["x光", "照片"]),
];

/// Services.
const SERVICES: &Names = &[
    ("physiotherapy", &["物理治療"]),
    ("OT", &["職業治療"]),
    ("speech therapy", &["言語治療"]),
    ("podiatry", &["足病診療", "足療師", "足科"]),
    ("dietitian", &["營養師", "營養科"]),
    ("clinical psychologist", &["臨床心理學家", "臨床心理"]),
    ("MSW", &["醫務社工", "社工"]),
    ("community nurse", &["社區護士", "社康護士"]),
    ("DM nurse", &["糖尿護士"]),
    ("smoking cessation", &["戒煙中心", "戒煙門診"]),
    ("A&E", &["急症室", "急症"]),
    ("eye", &["眼科"]),
    ("dermatology", &["皮膚科"]),
    ("orthopaedics", &["骨科"]),
    ("cardiology", &["心臟科"]),
    ("neurosurgery", &["腦外科", "神經外科"]),
    ("neurology", &["腦神經科", "腦科", "神經科"]),
    ("psychogeriatrics", &["老人精神科"]),
    ("psychiatry", &["精神科"]),
    ("gynaecology", &["婦科"]),
    ("obstetrics", &["產科"]),
    ("urology", &["泌尿科"]),
    ("cardiothoracic surgery", &["心胸外科"]),
    ("vascular surgery", &["血管外科"]),
    ("plastic surgery", &["整形外科"]),
    ("breast surgery", &["乳腺外科", "乳腺科"]),
    ("surgery", &["外科"]),
    ("GI", &["腸胃科", "胃腸科"]),
    ("hepatobiliary", &["肝膽科"]),
    ("endocrine", &["內分泌科", "內分泌"]),
    ("medicine", &["內科"]),
    ("ENT", &["耳鼻喉科"]),
    ("chest", &["胸肺科", "呼吸科"]),
    ("renal", &["腎科"]),
    ("rheumatology", &["風濕科"]),
    ("oncology", &["臨床腫瘤科", "腫瘤科"]),
    ("haematology", &["血液科"]),
    ("infectious disease", &["感染科"]),
    ("allergy", &["免疫及過敏科", "過敏專科", "過敏科", "免疫科"]),
    ("paediatrics", &["兒科"]),
    ("geriatrics", &["老人科"]),
    ("anaesthesia", &["麻醉科"]),
    ("pain clinic", &["疼痛門診", "疼痛科", "痛症科"]),
    ("dental", &["牙科", "牙醫"]),
    ("optometry", &["視光師"]),
    ("memory clinic", &["記憶門診"]),
];

/// Treatments.
const PROCEDURES: &Names = &[
    ("admit", &["收你入院", "收入院", "安排入院", "入院"]),
    ("observation", &["留院觀察", "入院觀察"]),
    ("suture", &["縫針", "縫合"]),
    ("off stitches", &["拆線"]),
    ("dressing", &["洗傷口", "傷口洗", "換藥", "包紮"]),
    ("cast", &["打石膏", "上石膏"]),
    ("splint", &["上夾板", "打夾板", "夾板"]),
    ("I&D", &["切開引流", "放膿"]),
    ("nebuliser", &["霧化", "噴霧治療"]),
    ("IV fluids", &["吊鹽水"]),
    ("transfusion", &["輸血"]),
    ("influenza vaccine", &["打流感針", "流感疫苗", "流感針"]),
    ("pneumococcal vaccine", &["打肺炎針", "肺炎球菌疫苗", "肺炎針"]),
    ("tetanus vaccine", &["打破傷風針", "破傷風針"]),
    ("PCI", &["通波仔"]),
    ("cryotherapy", &["冷凍治療", "液態氮"]),
    ("ear syringing", &["沖耳", "洗耳"]),
];

/// Advice.
const ADVICE: &Names = &[
    ("fluids", &["飲多啲水", "飲多水", "多飲啲水", "多飲水", "飲夠水", "多喝水"]),
    ("rest", &["休息", "多休息"]),
    ("exercise", &["做多啲運動", "做運動", "多運動"]),
    ("weight reduction", &["減肥", "減磅", "減重", "控制體重"]),
    ("stop smoking", &["戒煙"]),
    ("stop alcohol", &["戒酒"]),
    ("less alcohol", &["少飲酒"]),
    ("low salt", &["食少啲鹽", "少鹽", "低鹽", "減鹽"]),
    ("low sugar", &["少甜", "低糖", "戒糖"]),
    ("low fat", &["少油", "低脂"]),
    ("light diet", &["清淡飲食", "食清淡", "清淡"]),
    ("ice", &["冰敷", "敷冰"]),
    ("warm pack", &["熱敷"]),
    ("stretching", &["做拉筋", "拉筋"]),
    ("wear a mask", &["戴好口罩", "戴口罩"]),
    ("hand hygiene", &["勤洗手", "洗手"]),
];

/// What is said beside a name and adds nothing to it.
const BESIDE: [&str; 44] = [
    "幫你", "轉介", "寫信", "安排", "排期", "同你", "俾你", "介紹", "預約", "再", "轉", "去", "你", "佢", "睇", "做", "照", "抽",
    "驗", "影", "個", "張", "枝", "支", "埋", "返", "先", "要", "到", "同", "及", "和", "嗰", "度", "下", "啲", "多", "次",
    "檢查", "專科", "門診", "科", "針", "血",
];

/// Words that turn the name into its opposite, or tie it to something: what was said is quoted then.
const TURNING: [&str; 12] = ["唔", "不", "冇", "未", "咪", "別", "勿", "如果", "除非", "之前", "避免", "停"];

/// The names of all that was said, where they are all of it; nothing where a part has no name, so that the words are quoted.
pub(super) fn english(kind: PlanKind, said: &str) -> Option<String> {
    let table = match kind {
        PlanKind::Investigation => TESTS,
        PlanKind::Referral => SERVICES,
        PlanKind::Procedure => PROCEDURES,
        PlanKind::Lifestyle => ADVICE,
        PlanKind::Prescription | PlanKind::SickLeave | PlanKind::FollowUp => return None,
    };
    let mut rest = said.trim().to_ascii_lowercase();
    if TURNING.iter().any(|word| rest.contains(word)) {
        return None;
    }
    let mut names: Vec<(usize, &str)> = Vec::new();
    for (name, form) in longest_first(table) {
        while let Some(at) = rest.find(form) {
            names.push((at, name));
            // Marks of the same length in bytes, so that places stay.
            rest.replace_range(at..at + form.len(), &";".repeat(form.len()));
        }
    }
    let left = BESIDE.iter().fold(rest, |left, word| left.replace(word, ""));
    if names.is_empty() || left.chars().any(char::is_alphanumeric) {
        return None;
    }
    names.sort_unstable();
    let mut told: Vec<&str> = Vec::new();
    for (_, name) in names {
        if !told.contains(&name) {
            told.push(name);
        }
    }
    Some(told.join(", "))
}

fn longest_first(table: &'static Names) -> Vec<(&'static str, &'static str)> {
    let mut forms: Vec<(&str, &str)> =
        table.iter().flat_map(|(name, forms)| forms.iter().map(move |form| (*name, *form))).collect();
    forms.sort_by_key(|(_, form)| std::cmp::Reverse(form.len()));
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_in_full_by_names_is_named_and_else_quoted() {
        use PlanKind::{Investigation, Lifestyle, Procedure, Referral};
        for (kind, said, wanted) in [
            (Referral, "轉介你去骨科", Some("orthopaedics")),
            (Referral, "轉介物理治療同營養師", Some("physiotherapy, dietitian")),
            (Referral, "寫信轉介你睇內分泌科", Some("endocrine")),
            (Referral, "轉介去骨科睇右膝", None),
            (Investigation, "照個肺片;驗糖尿", Some("CXR, glucose")),
            (Investigation, "抽血驗膽固醇同肝功能", Some("blood test, lipids, LFT")),
            (Investigation, "右膝照X光", None),
            (Investigation, "照X光", Some("XR")),
            (Investigation, "心臟超聲波", Some("echo")),
            (Lifestyle, "多飲水;休息", Some("fluids, rest")),
            (Lifestyle, "唔好做運動", None),
            (Lifestyle, "避免做運動", None),
            (Procedure, "洗傷口", Some("dressing")),
            (Procedure, "入院做手術", None),
            (PlanKind::FollowUp, "骨科覆診", None),
        ] {
            assert_eq!(english(kind, said).as_deref(), wanted, "{said}");
        }
    }

    #[test]
    fn a_form_has_one_name() {
        for table in [TESTS, SERVICES, PROCEDURES, ADVICE] {
            let mut forms: Vec<&str> = table.iter().flat_map(|(_, forms)| forms.iter().copied()).collect();
            let count = forms.len();
            forms.sort_unstable();
            forms.dedup();
            assert_eq!(forms.len(), count);
        }
    }
}
