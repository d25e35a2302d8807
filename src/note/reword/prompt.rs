//! What the model is told.

use crate::note::compose::Language;

/// The most tokens of a reworded line.
pub const LONGEST_ANSWER: usize = 120;

/// What it is to do; a line's own words are the question.
#[must_use]
pub fn system(language: Language) -> &'static str {
    language.pick(ENGLISH, CHINESE)
}

const ENGLISH: &str = "You are given one line of a doctor's note in shorthand. Write the same line as one plain English sentence.
Keep every name, number, unit, side, denial and doubt, in the same order, in digits. Add nothing, leave nothing out, explain nothing.
x 3/7 is for 3 days, x 2/52 is for 2 weeks, x 3/12 is for 3 months. Answer with the sentence alone.

C/O cough x 5/7, sore throat. -> The patient complains of cough for 5 days and sore throat.
No fever, no SOB. -> The patient denies fever and shortness of breath.
PMH: asthma. -> Past medical history of asthma.
On amlodipine 5 mg daily. -> The patient takes amlodipine 5 mg once daily.
FU 2/52. -> Follow up in 2 weeks.";

const CHINESE: &str = "以下是醫生病歷的一行簡寫。請用繁體中文寫成一句通順的句子。
所有名稱、數字、單位、左右側、否認及懷疑都要保留，次序不變，數字用阿拉伯數字。不可增減內容，不可解釋。只回答該句子。

主訴：咳嗽（5 日）、喉嚨痛。 -> 病人主訴咳嗽 5 日及喉嚨痛。
無發燒、無氣促。 -> 病人否認發燒及氣促。";
