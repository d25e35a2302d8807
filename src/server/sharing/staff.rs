//! Patients who work where they are treated.

use crate::gateway::Address;
use crate::store::{Card, Contact};
use crate::visit::Patient;

/// Titles that stand before a name and are no part of it.
const TITLES: [&str; 7] = ["dr", "prof", "mr", "mrs", "ms", "miss", "nurse"];

/// Whether a patient is, most likely, the person of this card: by the telephone number, or by the whole name.
pub(in crate::server) fn works_here(patient: &Patient, contact: Option<&Contact>, card: &Card) -> bool {
    let number = |text: &str| match Address::phone(text) {
        Ok(Address::Phone(number)) => Some(number),
        _ => None,
    };
    let own = card.phone.as_deref().and_then(number);
    let theirs = contact.and_then(|contact| contact.phone.as_ref()).and_then(|phone| number(phone.reveal()));
    let named = words(&card.name);
    let names = [Some(&patient.name), patient.chinese_name.as_ref()];
    let same_name = names.into_iter().flatten().any(|name| words(name.reveal()) == named);
    own.is_some() && own == theirs || !named.is_empty() && same_name
}

/// The words of a name in any order, without titles and case.
fn words(name: &str) -> Vec<String> {
    let parts = name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).map(str::to_lowercase);
    let mut words: Vec<String> = parts.filter(|part| !TITLES.contains(&part.as_str())).collect();
    words.sort_unstable();
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::PatientText;

    fn patient(name: &str, chinese: Option<&str>) -> Patient {
        let chinese_name = chinese.map(PatientText::from);
        Patient { name: name.into(), chinese_name, identifiers: Vec::new(), sex: None, born: None, allergies: None }
    }

    #[test]
    fn by_the_number_or_the_whole_name() {
        let card = |name: &str, phone: Option<&str>| Card { name: name.into(), phone: phone.map(str::to_owned), email: None };
        let contact = |phone: &str| Contact { phone: Some(phone.into()), mail: None, incapable: false };
        let chan = patient("CHAN Tai Man", Some("陳大文"));
        assert!(works_here(&chan, None, &card("Dr Tai Man Chan", None)));
        assert!(works_here(&chan, None, &card("陳大文", None)));
        assert!(!works_here(&chan, None, &card("Dr Chan", None)), "a surname alone is many people's");
        assert!(works_here(&chan, Some(&contact("9123 4567")), &card("Dr Au", Some("+852 91234567"))));
        assert!(!works_here(&chan, Some(&contact("9123 4568")), &card("Dr Au", Some("+852 91234567"))));
        assert!(!works_here(&patient("", None), None, &card("Dr", None)));
    }
}
