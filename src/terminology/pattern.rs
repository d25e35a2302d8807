//! Forms with gaps: `{foot}…{swollen}` is found in "兩隻腳到夜晚腫".

/// Number of a class of interchangeable words.
pub type ClassId = usize;

/// A condition's form of several elements, each a class, with a few characters allowed between them.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// The condition it stands for.
    pub condition: usize,
    /// Its elements in order, at least two.
    pub elements: Vec<ClassId>,
}

/// Splits a form into its elements: literals and `{names}`; one element when the form is a plain literal.
#[must_use]
pub fn elements(form: &str) -> Vec<Element<'_>> {
    let mut found = Vec::new();
    for piece in form.split('…') {
        let mut rest = piece.trim();
        while let Some((before, after)) = rest.split_once('{') {
            if !before.is_empty() {
                found.push(Element::Literal(before));
            }
            let (name, tail) = after.split_once('}').unwrap_or((after, ""));
            found.push(Element::Class(name));
            rest = tail;
        }
        if !rest.is_empty() {
            found.push(Element::Literal(rest));
        }
    }
    found
}

/// One element of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element<'a> {
    /// These very words.
    Literal(&'a str),
    /// Any word of the class with this name.
    Class(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_split() {
        assert_eq!(elements("氣促"), vec![Element::Literal("氣促")]);
        assert_eq!(elements("{foot}…{swollen}"), vec![Element::Class("foot"), Element::Class("swollen")]);
        assert_eq!(elements("瘦咗…磅"), vec![Element::Literal("瘦咗"), Element::Literal("磅")]);
        assert_eq!(elements("{foot}腫"), vec![Element::Class("foot"), Element::Literal("腫")]);
    }
}
