//! The body of a request, with a message's number, words and id in their places.

use super::GatewayError;

/// How the words are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyKind {
    /// Inside strings of JSON.
    #[default]
    Json,
    /// As values of a form (`application/x-www-form-urlencoded`).
    Form,
}

impl BodyKind {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }

    fn escape(self, value: &str) -> String {
        match self {
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
            }
            Self::Form => form(value),
        }
    }
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    To,
    Text,
    Id,
}

/// A template that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    kind: BodyKind,
    pieces: Vec<Piece>,
}

impl Template {
    /// A template with `{{to}}`, `{{text}}` and, if the gateway takes one, `{{id}}`.
    ///
    /// # Errors
    /// When the number or the words have no place, a place is unknown, or what results is not of the kind.
    pub(super) fn parse(text: &str, kind: BodyKind) -> Result<Self, GatewayError> {
        let wrong = |what| GatewayError::Setting { field: "sms.body", what };
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, behind) = after.split_once("}}").ok_or(wrong("a `{{` has no `}}`"))?;
            pieces.push(Piece::Literal(before.to_owned()));
            pieces.push(match name.trim() {
                "to" => Piece::To,
                "text" => Piece::Text,
                "id" => Piece::Id,
                _ => return Err(wrong("the places are {{to}}, {{text}} and {{id}}, and no others")),
            });
            rest = behind;
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        let template = Self { kind, pieces };
        for (place, what) in [(Piece::To, "the number has no place: {{to}}"), (Piece::Text, "the words have no place: {{text}}")]
        {
            if !template.pieces.contains(&place) {
                return Err(wrong(what));
            }
        }
        if kind == BodyKind::Json && serde_json::from_str::<serde_json::Value>(&template.fill("+1", "\"", "x")).is_err() {
            return Err(wrong("it is no JSON: places belong inside of strings"));
        }
        Ok(template)
    }

    pub(super) fn kind(&self) -> BodyKind {
        self.kind
    }

    pub(super) fn fill(&self, to: &str, text: &str, id: &str) -> String {
        let value = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::To => self.kind.escape(to),
            Piece::Text => self.kind.escape(text),
            Piece::Id => self.kind.escape(id),
        };
        self.pieces.iter().map(value).collect()
    }
}

/// A value of a form: letters, digits and `*-._` stand for themselves, a space is `+`, all else is `%` and two digits a byte (URL
/// Standard, application/x-www-form-urlencoded).
fn form(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, FORM).to_string().replace("%20", "+")
}

const FORM: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');
