//! The words beside names and numbers that a line may have, and what each of them claims.
//!
//! What is not here (adverbs, other verbs and times, relatives, advice, `not`, `or` where nothing is denied) may not be written: a line
//! that has it is dropped, however true it may be.

/// What is claimed by words, and the words, in lower case; those of [`NOTHING`] claim nothing.
pub(super) type Words = (&'static str, &'static [&'static str]);

/// What small words claim.
pub(super) const NOTHING: &str = "";
/// What a denial claims.
pub(super) const DENIAL: &str = "no";
/// Stands between what is denied.
pub(super) const OR: &str = "or";

/// English.
pub(super) const ENGLISH: &[Words] = &[
    (NOTHING, &["the patient", "patient", "pt", "a", "an", "the", "and", "has", "have", "is", "are", "there is", "there are"]),
    (DENIAL, &["no", "denies", "denied", "nil", "without", "denies any", "reports no"]),
    (OR, &["or", "nor"]),
    ("possible", &["?", "possible", "possibly", "suspected"]),
    (
        "complaint",
        &["c/o", "complains of", "complained of", "complaining of", "complaint of", "complaints of", "presents with", "reports"],
    ),
    ("history", &["pmh", "pmhx", "past medical history", "past medical history of", "history of", "past history of"]),
    ("family", &["fhx", "family history", "family history of"]),
    ("taken", &["on", "takes", "taking", "is on", "currently on", "currently takes", "currently taking", "is currently taking"]),
    ("stopped", &["off", "stop", "stopped", "discontinue", "discontinued"]),
    ("allergy", &["allergy", "allergies", "allergy to", "allergies to", "allergic to"]),
    ("no allergy", &["no allergy to", "no allergies to", "not allergic to", "no known allergy to", "denies allergy to"]),
    ("no drug allergy", &["nkda", "no known drug allergy", "no known drug allergies", "no drug allergy", "no drug allergies"]),
    ("impression", &["imp", "impression", "impression of", "diagnosis", "diagnoses", "diagnosis of"]),
    ("follow-up", &["fu", "follow up", "follow-up"]),
    ("sick leave", &["sl", "sick leave"]),
    ("becomes", &["->", "→"]),
    ("left", &["left"]),
    ("right", &["right"]),
    ("bilateral", &["bilateral"]),
    ("as needed", &["prn", "as needed", "when needed", "as required", "when required"]),
    ("once a day", &["daily", "once daily", "once a day", "every day"]),
    ("twice a day", &["bd", "bid", "twice daily", "twice a day"]),
    ("thrice a day", &["tds", "tid", "three times daily", "three times a day", "3 times daily", "3 times a day"]),
    ("four times a day", &["qid", "qds", "four times daily", "four times a day", "4 times daily", "4 times a day"]),
    ("times a day", &["times a day", "times daily"]),
    ("alternate days", &["alternate days", "on alternate days", "every other day"]),
    ("weekly", &["weekly", "once weekly", "once a week", "every week"]),
    ("every", &["every"]),
    ("mg", &["mg", "milligram", "milligrams"]),
    ("g", &["g", "gram", "grams"]),
    ("mcg", &["mcg", "microgram", "micrograms"]),
    ("mL", &["ml", "millilitre", "millilitres"]),
    ("puff", &["puff", "puffs"]),
    ("drop", &["drop", "drops"]),
    ("tablet", &["tab", "tabs", "tablet", "tablets"]),
    ("unit", &["unit", "units"]),
    ("%", &["%"]),
];

/// Traditional Chinese. Simplified characters are other ones, and not here.
pub(super) const CHINESE: &[Words] = &[
    (NOTHING, &["病人", "患者", "的", "及", "和", "與", "有", "為", "是", "並"]),
    (DENIAL, &["無", "沒有", "否認", "否認有", "並無"]),
    (OR, &["或"]),
    ("possible", &["懷疑", "可能", "疑似", "懷疑有"]),
    ("complaint", &["主訴", "主訴有"]),
    ("history", &["既往病史", "過往病史", "病史"]),
    ("family", &["家族史", "家族病史"]),
    ("taken", &["現用藥物", "現正服用", "正服用", "現服用"]),
    ("stopped", &["停用", "停服"]),
    ("allergy", &["過敏"]),
    ("no allergy", &["否認過敏", "無過敏", "沒有過敏"]),
    ("no drug allergy", &["無藥物過敏", "沒有藥物過敏", "並無藥物過敏"]),
    ("impression", &["診斷", "診斷為"]),
    ("prescribed", &["處方"]),
    ("follow-up", &["覆診"]),
    ("sick leave", &["病假"]),
    ("becomes", &["->", "→"]),
    ("left", &["左側", "左邊"]),
    ("right", &["右側", "右邊"]),
    ("bilateral", &["雙側", "兩側", "兩邊"]),
    ("as needed", &["需要時", "有需要時"]),
    ("once a day", &["每日一次", "每天一次"]),
    ("twice a day", &["每日兩次", "每天兩次"]),
    ("thrice a day", &["每日三次", "每天三次"]),
    ("four times a day", &["每日四次", "每天四次"]),
    ("alternate days", &["隔日一次", "隔天一次"]),
    ("weekly", &["每星期一次", "每週一次"]),
    ("every", &["每"]),
    ("times", &["次"]),
    ("once", &["一次"]),
    ("mg", &["mg", "毫克"]),
    ("g", &["g", "克"]),
    ("mcg", &["mcg", "微克"]),
    ("mL", &["ml", "毫升"]),
    ("puff", &["下"]),
    ("drop", &["滴"]),
    ("tablet", &["粒"]),
    ("unit", &["單位"]),
    ("%", &["%"]),
];

/// Units of time, each with how it is written; the first with a slash is a record's shorthand.
pub(super) const TIMES: &[Words] = &[
    ("hour", &["/24", "hours", "hour", "小時"]),
    ("day", &["/7", "days", "day", "日", "天"]),
    ("week", &["/52", "weeks", "week", "星期", "個星期", "週"]),
    ("month", &["/12", "months", "month", "個月"]),
    ("year", &["years", "year", "yr", "年"]),
];

/// What may stand before a length of time, and nowhere else.
pub(super) const BEFORE_TIME: &[&str] = &["x", "for", "in", "持續"];

/// Marks between words that claim nothing.
pub(super) const PUNCTUATION: &[char] = &['.', ',', ';', ':', '(', ')', '/', '。', '，', '、', '；', '：', '（', '）'];
