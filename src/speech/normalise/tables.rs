//! The words that decide how a number is written.

/// Numbers in these are no numbers, or are better known in words.
pub(super) const IDIOMS: [&str; 26] = [
    "萬一",
    "十二指腸",
    "五十肩",
    "二十四味",
    "廿四味",
    "二十四孝",
    "三十六計",
    "七十二家房客",
    "三百六十行",
    "十三點",
    "七十後",
    "八十後",
    "九十後",
    "一千零一夜",
    "五十步笑百步",
    "十個八個",
    "十日八日",
    "十次八次",
    "十年八年",
    "十分一",
    "一二三木頭人",
    "十字",
    "十分",
    "十足",
    "十全",
    "百分百",
];

/// Before or after a number they make it a rough one: 幾百二, 數十萬.
pub(super) const SEVERAL: &str = "幾几數数";

/// After 十, 廿 and 卅 they say that something is counted.
pub(super) const COUNTERS: [&str; 48] = [
    "日", "號", "歲", "年", "個", "月", "粒", "片", "次", "點", "磅", "公斤", "斤", "度", "級", "倍", "層", "樓", "滴", "包",
    "支", "條", "隻", "劑", "針", "張", "位", "人", "蚊", "元", "步", "週", "周", "星期", "禮拜", "小時", "分鐘", "秒", "間",
    "杯", "碗", "支", "排", "盒", "吋", "呎", "毫", "公分",
];

/// Between two numbers they join them: both are written in digits, or neither.
pub(super) const JOINING: [&str; 5] = ["月", "年", "點", "至", "到"];

/// Before a number they make a time of what looks like a decimal.
pub(super) const DAYTIME: [&str; 13] =
    ["朝早", "上晝", "下晝", "晏晝", "凌晨", "夜晚", "今晚", "聽晚", "琴晚", "尋晚", "聽朝", "今朝", "半夜"];

/// So do these after it.
pub(super) const CLOCK: [&str; 4] = ["鐘", "分", "半", "點"];

/// After these, digits said one by one may be two pressures.
pub(super) const PRESSURE: [&str; 5] = ["血壓", "上壓", "下壓", "bp", "pressure"];

/// Stands before a percentage.
pub(super) const LEAD: &str = "百分之";

/// Stand after one.
pub(super) const PERCENT: [&str; 6] = ["個巴仙", "巴仙", "percent", "per cent", "%", "％"];

/// Units by their names, and the sign that is written for them.
const NAMED: [(&str, &str); 31] = [
    ("毫克", "mg"),
    ("微克", "mcg"),
    ("毫升", "mL"),
    ("公斤", "kg"),
    ("厘米", "cm"),
    ("公分", "cm"),
    ("毫米", "mm"),
    ("毫米汞柱", "mmHg"),
    ("毫米水銀柱", "mmHg"),
    ("水銀柱", "mmHg"),
    ("克", "g"),
    ("milligram", "mg"),
    ("milligrams", "mg"),
    ("microgram", "mcg"),
    ("micrograms", "mcg"),
    ("gram", "g"),
    ("grams", "g"),
    ("kilogram", "kg"),
    ("kilograms", "kg"),
    ("kilo", "kg"),
    ("kilos", "kg"),
    ("millilitre", "mL"),
    ("millilitres", "mL"),
    ("milliliter", "mL"),
    ("milliliters", "mL"),
    ("centimetre", "cm"),
    ("centimetres", "cm"),
    ("centimeter", "cm"),
    ("centimeters", "cm"),
    ("millimetre", "mm"),
    ("millimetres", "mm"),
];

/// Units that are said by their signs.
const SIGNS: [&str; 20] = [
    "mg", "mcg", "ug", "g", "kg", "ml", "cc", "cm", "mm", "mmol", "mmol/l", "umol", "umol/l", "mmhg", "iu", "unit", "units",
    "g/dl", "mg/dl", "mg/ml",
];

/// Every unit as it may be said, and its sign where that is another.
pub(super) fn units() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    NAMED.iter().map(|(said, sign)| (*said, Some(*sign))).chain(SIGNS.iter().map(|sign| (*sign, None)))
}
