use super::write_numbers;
use proptest::prelude::*;

use crate::text::numerals::{in_cantonese, in_english};

#[test]
fn as_a_clinician_writes_them() {
    for (said, written) in [
        ("今日血壓一百四十五 over 九十。", "今日血壓145/90。"),
        ("血壓一三六比八八", "血壓136/88"),
        ("BP one forty five over ninety two", "BP 145/92"),
        ("血壓145 over 90", "血壓145/90"),
        ("血壓一三六/八十八", "血壓136/88"),
        ("HbA1c 七點二", "HbA1c 7.2"),
        ("HbA1c 七點二巴仙", "HbA1c 7.2%"),
        ("食五百毫克一日三次", "食500 mg 一日三次"),
        ("metformin 五百mg 一日兩次", "metformin 500 mg 一日兩次"),
        ("食五毫克,早晚各半粒", "食5 mg,早晚各半粒"),
        ("廿三號覆診", "23號覆診"),
        ("三月廿三號覆診", "3月23號覆診"),
        ("二零二六年十二月廿三號", "2026年12月23號"),
        ("卅五歲", "35歲"),
        ("十四日後覆診", "14日後覆診"),
        ("十日後覆診", "10日後覆診"),
        ("五至十日", "5至10日"),
        ("體溫三十八度五", "體溫38.5度"),
        ("三十七度半", "37.5度"),
        ("一百七十公分,八十二公斤", "170 cm,82 kg"),
        ("一百七十公分高", "170 cm 高"),
        ("血糖百二", "血糖120"),
        ("兩千五百", "2500"),
        ("白血球一萬二", "白血球12000"),
        ("一億二千萬", "120000000"),
        ("百分之五點五", "5.5%"),
        ("百分之百", "100%"),
        ("五個巴仙", "5%"),
        ("維他命B十二", "維他命B12"),
        ("電話九一二三四五六七", "電話91234567"),
        ("電話九一二三 四五六七", "電話9123 4567"),
        ("call nine one two three four five six seven", "call 91234567"),
        ("身份證A一二三四五六括號三", "身份證A123456(3)"),
        ("身份證 E 三六四九一二五", "身份證 E364912(5)"),
        ("AB九八七六五四 bracket 三 close", "AB987654(3) close"),
        // The check digit is wrong: the digits as heard, and no claim that it is a card's number.
        ("身份證A一二三四五六七", "身份證A1234567"),
        ("身份證A一二三四五六括號四", "身份證A123456括號四"),
        ("seven point two five", "7.25"),
        ("five hundred milligrams twice a day", "500 mg twice a day"),
        ("a hundred and twenty days", "120 days"),
        ("two units of insulin", "2 units of insulin"),
        ("on twenty-three May", "on 23 May"),
        ("十二導聯心電圖", "12導聯心電圖"),
        ("三點十五分", "3點15分"),
        ("零點五毫克", "0.5 mg"),
        ("第十二日", "第12日"),
        ("二十多萬", "20多萬"),
    ] {
        assert_eq!(write_numbers(said), written, "{said}");
    }
}

#[test]
fn what_is_no_number_or_reads_as_well_stays() {
    for said in [
        "一定係",
        "三文魚",
        "十分痛",
        "一齊去",
        "千祈唔好",
        "萬一有事",
        "一啲都唔痛",
        "一般",
        "一樣",
        "一直",
        "一陣",
        "一路",
        "第一",
        "七上八落",
        "百合",
        "千里",
        "萬能",
        "千萬唔好",
        "百萬富翁",
        "五官",
        "四肢",
        "三叉神經",
        "二尖瓣",
        "十二指腸潰瘍",
        "五十肩",
        "百日咳",
        "廿四味",
        "十五十六",
        "一五一十",
        "唔理三七二十一",
        "四四六六",
        "十三點",
        "七七八八",
        "三三兩兩",
        "十拿九穩",
        "一日三次",
        "半粒",
        "兩粒半",
        "個半月",
        "十幾歲",
        "七八日",
        "三五日",
        "三四五日",
        "幾十",
        "幾百二",
        "數十萬",
        "一百三十幾",
        "點五毫克",
        "二型糖尿",
        "三高",
        "禮拜三",
        "兩個月",
        "三分之一",
        "十字韌帶",
        "百分百",
        "百分之三十幾",
        "下晝三點二",
        "八點半",
        "八點九點食",
        "三點鐘",
        "G六PD",
        "血壓一三六八八",
        "一百四十五九十",
        "十個八個",
        "數一二三",
        "5百毫克",
        "9十",
        "三七二十一",
        "one tablet",
        "no one",
        "two thirty",
        "twenty twenty vision",
        "nineteen ninety seven",
        "fifty fifty",
        "oh no",
        "point five mg",
        "145/90",
        "7.2%",
        "A123456(3)",
        "9123 4567",
        "B12",
        "",
    ] {
        assert_eq!(write_numbers(said), said);
    }
}

#[test]
fn every_number_to_a_hundred_thousand_comes_back() {
    for value in 10..=100_000_u64 {
        assert_eq!(write_numbers(&format!("{}歲", in_cantonese(value))), format!("{value}歲"));
    }
    for value in 10..=20_000_u64 {
        assert_eq!(write_numbers(&in_english(value)), value.to_string());
    }
}

#[test]
fn to_write_them_twice_changes_nothing_more() {
    let said = "血壓一百四十五 over 九十,食五百毫克一日三次,HbA1c 七點二,A一二三四五六括號三,三十八度五,百分之五";
    let written = write_numbers(said);
    assert_eq!(write_numbers(&written), written);
}

proptest! {
    #[test]
    fn numbers_come_back(value in 0_u64..=99_999_999) {
        // With a unit, even a single digit is written.
        prop_assert_eq!(write_numbers(&format!("{}毫克", in_cantonese(value))), format!("{value} mg"));
        prop_assert_eq!(write_numbers(&format!("{} milligrams", in_english(value))), format!("{value} mg"));
    }

    #[test]
    fn decimals_come_back(value in 0_u64..=99_999_999, decimals in "[0-9]{1,6}") {
        let digits = |of: fn(u64) -> String, between: &str| {
            decimals.chars().map(|c| of(u64::from(c.to_digit(10).unwrap()))).collect::<Vec<_>>().join(between)
        };
        let cantonese = format!("{}點{}", in_cantonese(value), digits(in_cantonese, ""));
        let english = format!("{} point {}", in_english(value), digits(in_english, " "));
        prop_assert_eq!(write_numbers(&cantonese), format!("{value}.{decimals}"));
        prop_assert_eq!(write_numbers(&english), format!("{value}.{decimals}"));
    }

    #[test]
    fn any_text_goes_through(text in "[零一二兩三十百千萬億廿點半個幾度日號,。 0-9a-zA-Z/]{0,40}") {
        let written = write_numbers(&text);
        prop_assert_eq!(text.contains("，"), written.contains("，"));
    }
}
