//! The minimal view of one note for one person.

use std::collections::BTreeSet;

use super::{SharingError, Watermark, only};
use crate::audit::{RecordId, RoleId, UnixMillis};
use crate::consent::{Domain, Permit, Use};
use crate::note::SectionCode;
use crate::note::compose::{Language, sections};
use crate::record::Signed;
use crate::text::PatientText;

/// What of a note belongs to one domain.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The domain.
    pub domain: Domain,
    /// Its lines, each with the section that it stands in.
    pub lines: Vec<(SectionCode, PatientText)>,
}

/// What one person sees of one signed note.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    record: RecordId,
    signed_by: String,
    signed_at: String,
    parts: Vec<Part>,
    watermark: Watermark,
}

impl View {
    /// What `viewer` sees of this note: the domains of the permits and nothing else. A domain of which the note has nothing is in
    /// it, empty: that there is nothing is an answer too.
    ///
    /// # Errors
    /// When there is no permit, or one of them is not for this person, this record and reading it, or is over: then nothing is
    /// shown, not the rest.
    pub fn of(
        signed: &Signed,
        record: RecordId,
        viewer: RoleId,
        permits: &[Permit],
        watermark: Watermark,
        language: Language,
        at: UnixMillis,
    ) -> Result<Self, SharingError> {
        if permits.is_empty() {
            return Err(SharingError::NoPermit);
        }
        let mut domains = BTreeSet::new();
        for permit in permits {
            if !permit.is_for(viewer, record) || permit.ask().to != Use::View {
                return Err(SharingError::OtherPermit);
            }
            if at >= permit.until() {
                return Err(SharingError::Over);
            }
            domains.insert(permit.ask().domain);
        }
        let parts = domains.into_iter().map(|domain| Part { domain, lines: lines(signed, domain, language) }).collect();
        let signature = signed.signature();
        Ok(Self { record, signed_by: signature.by.clone(), signed_at: signature.at.clone(), parts, watermark })
    }

    /// The same once this entry of the log says that it is seen: the mark names it. All that can fail does so before.
    #[must_use]
    pub fn entered(self, entry: u64) -> Self {
        Self { watermark: self.watermark.again(self.watermark.at(), entry), ..self }
    }

    /// Of which note.
    #[must_use]
    pub fn record(&self) -> RecordId {
        self.record
    }

    /// Who signed the note, and when (RFC 3339).
    #[must_use]
    pub fn signature(&self) -> (&str, &str) {
        (&self.signed_by, &self.signed_at)
    }

    /// What is shown, in the order of the domains.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// For whom.
    #[must_use]
    pub fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}

fn lines(signed: &Signed, domain: Domain, language: Language) -> Vec<(SectionCode, PatientText)> {
    let part = only(signed.note(), domain);
    // What was signed is shown as it was signed: lines that people wrote cannot be rendered in another language.
    let sections = if domain == Domain::Notes { part.sections } else { sections(&part, language) };
    let lines = sections.into_iter().flat_map(|section| section.sentences.into_iter().map(move |line| (section.code, line.text)));
    lines.collect()
}
