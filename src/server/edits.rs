//! Changes of a note: one at a time, merged with what others changed meanwhile, taken back and done again.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::asked::Body;
use super::caller::{Caller, What};
use super::clock::now;
use super::error::{ApiError, ErrorDocument};
use super::signing::{Desk, desk, kept};
use crate::audit::Action;
use crate::identity::Right;
use crate::note::edit::{NoteEdit, apply};
use crate::note::{FindingRef, Note, Quotes, SectionCode, Span};
use crate::record::{Act, Change, EditId, Rebased, made_before, rebase, steps};
use crate::speech::Transcript;
use crate::store::{KeptRecord, SaveError};
use crate::terminology::Concept;
use crate::text::PatientText;

/// How often a change is put on a note that others change at the same moment.
const TRIES: usize = 5;

/// A change that a person makes.
#[derive(Deserialize, ToSchema)]
#[schema(as = WantedEdit)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The version that the person saw.
    version: u64,
    edit: Edit,
    /// What the client calls this edit, 16 to 64 letters, digits, `-` and `_`, chosen by chance: the same sent again, with the same
    /// version, is made once.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id: Option<EditId>,
}

#[derive(Clone, Deserialize, ToSchema)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
enum Edit {
    Replace {
        #[schema(value_type = String)]
        section: SectionCode,
        index: usize,
        #[schema(value_type = String)]
        text: PatientText,
    },
    Remove {
        #[schema(value_type = String)]
        section: SectionCode,
        index: usize,
    },
    Add {
        #[schema(value_type = String)]
        section: SectionCode,
        #[schema(value_type = String)]
        text: PatientText,
    },
    /// Words of the transcript become a line.
    Phrase {
        #[schema(value_type = String)]
        section: SectionCode,
        /// `segment`, `start` and `end`.
        #[schema(value_type = Object)]
        span: Span,
        /// What the words are, of `/v1/terminology/search`, where the lexicon does not know them.
        #[serde(default)]
        #[schema(value_type = Option<Object>)]
        concept: Option<Concept>,
    },
    /// The unknown words of a person's line (the desk's `term`) are this concept of `/v1/terminology/search`.
    Code {
        #[schema(value_type = String)]
        section: SectionCode,
        index: usize,
        #[schema(value_type = Object)]
        concept: Concept,
    },
    /// A suggestion is right.
    Accept {
        /// `kind` and `index`.
        #[schema(value_type = Object)]
        finding: FindingRef,
    },
    /// A finding is wrong.
    Drop {
        #[schema(value_type = Object)]
        finding: FindingRef,
    },
    /// A finding is this concept of `/v1/terminology/search`.
    Recode {
        #[schema(value_type = Object)]
        finding: FindingRef,
        #[schema(value_type = Object)]
        concept: Concept,
    },
    /// These words of `uncovered` need no line.
    Dismiss {
        #[schema(value_type = Object)]
        span: Span,
    },
}

impl Edit {
    /// As the note takes it, the words of a phrase taken from what was said.
    fn meant(self, transcript: &Transcript) -> Result<NoteEdit, ApiError> {
        Ok(match self {
            Self::Replace { section, index, text } => NoteEdit::Replace { section, index, text },
            Self::Remove { section, index } => NoteEdit::Remove { section, index },
            Self::Add { section, text } => NoteEdit::Add { section, text },
            Self::Phrase { section, span, concept } => {
                let quote = Quotes::new(transcript).get(span);
                let quote = quote.ok_or_else(|| ApiError::Invalid("the transcript has no such words".to_owned()))?;
                NoteEdit::Phrase { section, span, text: quote.text, concept }
            }
            Self::Code { section, index, concept } => NoteEdit::Code { section, index, concept },
            Self::Accept { finding } => NoteEdit::Accept { finding },
            Self::Drop { finding } => NoteEdit::Drop { finding },
            Self::Recode { finding, concept } => NoteEdit::Recode { finding, concept },
            Self::Dismiss { span } => NoteEdit::Dismiss { span },
        })
    }

    fn act(&self) -> Act {
        match self {
            Self::Replace { .. } => Act::Replace,
            Self::Remove { .. } => Act::Remove,
            Self::Add { .. } => Act::Add,
            Self::Phrase { .. } => Act::Phrase,
            Self::Code { .. } => Act::Code,
            Self::Accept { .. } => Act::Accept,
            Self::Drop { .. } => Act::Drop,
            Self::Recode { .. } => Act::Recode,
            Self::Dismiss { .. } => Act::Dismiss,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Changed {
    version: u64,
    /// `cantoscribe/note/1`
    #[schema(value_type = Object)]
    note: Note,
    /// Whether others had changed the note since the version that was named, elsewhere in it.
    merged: bool,
    desk: Desk,
}

/// Changes a note. A change that was meant for an older version is put on the newest where what it meant is untouched.
#[utoipa::path(
    post,
    path = "/v1/recordings/{id}/note/edits",
    params(("id" = String, Path, description = "The recording's id")),
    request_body = Wanted,
    responses((status = 200, description = "The note as it is now", body = Changed), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn edit(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Changed>, ApiError> {
    caller.may(&app, Right::Edit, What::Recording(&id)).await?;
    let Wanted { version, edit, id: called } = wanted;
    for _ in 0..TRIES {
        let kept = kept(&app, &id).await?;
        let merged = version != kept.record.version();
        if let Some(made) = called.as_ref().and_then(|called| made_before(&kept.changes, version, called)) {
            // Its answer was lost: what is told of the note now is read once more.
            caller.reads(&app, Action::View { count: 1 }, &id).await?;
            return changed(&app, &caller, &id, made != version + 1 || made != kept.record.version()).await;
        }
        let meant = edit.clone().meant(&kept.transcript)?;
        let meant = if merged { rebased(&app, &caller, &id, (version, meant), &kept).await? } else { meant };
        let before = kept.record.editable()?;
        let at = now();
        let note = apply(before.note(), meant, &caller.name, at.as_str(), app.rooms.lexicon())?;
        if note == *before.note() {
            // Nothing is changed: what is told of the note was read all the same.
            caller.reads(&app, Action::View { count: 1 }, &id).await?;
            return changed(&app, &caller, &id, merged).await;
        }
        if save(&app, &id, &note, (before.version(), edit.act(), called.clone()), &caller).await? {
            return changed(&app, &caller, &id, merged).await;
        }
    }
    Err(conflict(&app, &caller, &id, &kept(&app, &id).await?).await)
}

async fn rebased(
    app: &App,
    caller: &Caller,
    id: &str,
    (version, edit): (u64, NoteEdit),
    kept: &KeptRecord,
) -> Result<NoteEdit, ApiError> {
    let known = version < kept.record.version();
    let base = if known { app.rooms.store().note_version(id, version).await? } else { None };
    match base.map(|base| rebase(edit, &base, kept.record.note())) {
        Some(Rebased::Clean(edit)) => Ok(edit),
        Some(Rebased::Asks) | None => Err(conflict(app, caller, id, kept).await),
    }
}

/// Keeps the next version; false when somebody else was faster.
async fn save(
    app: &App,
    id: &str,
    note: &Note,
    (before, act, called): (u64, Act, Option<EditId>),
    caller: &Caller,
) -> Result<bool, ApiError> {
    let (by, at) = (caller.name.to_string(), now().as_str().to_owned());
    let change = Change { version: before + 1, act, by, at, id: called };
    match app.rooms.store().save_note(id, note, &change, &caller.by).await {
        Ok(_) => Ok(true),
        Err(SaveError::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn changed(app: &App, caller: &Caller, id: &str, merged: bool) -> Result<Json<Changed>, ApiError> {
    let kept = kept(app, id).await?;
    let desk = desk(app, caller, id, &kept).await?;
    Ok(Json(Changed { version: kept.record.version(), note: kept.record.note().clone(), merged, desk }))
}

/// What stands in the way, with the note as it is now: that is a reading of it.
pub(super) async fn conflict(app: &App, caller: &Caller, id: &str, kept: &KeptRecord) -> ApiError {
    match caller.reads(app, Action::View { count: 1 }, id).await {
        Ok(()) => ApiError::Conflict { version: kept.record.version(), note: Box::new(kept.record.note().clone()) },
        Err(error) => error.into(),
    }
}

/// The version that a person saw.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    pub(super) version: u64,
}

/// Takes the last change back that is not taken back.
#[utoipa::path(
    post,
    path = "/v1/recordings/{id}/note/undo",
    params(("id" = String, Path, description = "The recording's id")),
    request_body = Seen,
    responses((status = 200, description = "The note as it is now", body = Changed), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn undo(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(seen): Body<Seen>,
) -> Result<Json<Changed>, ApiError> {
    step(&app, &id, (seen.version, Act::Undo), &caller).await
}

/// Does again what was taken back last.
#[utoipa::path(
    post,
    path = "/v1/recordings/{id}/note/redo",
    params(("id" = String, Path, description = "The recording's id")),
    request_body = Seen,
    responses((status = 200, description = "The note as it is now", body = Changed), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn redo(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(seen): Body<Seen>,
) -> Result<Json<Changed>, ApiError> {
    step(&app, &id, (seen.version, Act::Redo), &caller).await
}

async fn step(app: &App, id: &str, (seen, act): (u64, Act), caller: &Caller) -> Result<Json<Changed>, ApiError> {
    caller.may(app, Right::Edit, What::Recording(id)).await?;
    let kept = kept(app, id).await?;
    if kept.record.version() != seen {
        return Err(conflict(app, caller, id, &kept).await);
    }
    let steps = steps(&kept.changes);
    let back_to = if act == Act::Undo { steps.undo } else { steps.redo };
    kept.record.editable()?;
    let back_to = back_to.ok_or(ApiError::NothingToUndo)?;
    let note = app.rooms.store().note_version(id, back_to).await?.ok_or(ApiError::NothingToUndo)?;
    if save(app, id, &note, (seen, act, None), caller).await? {
        return changed(app, caller, id, false).await;
    }
    Err(conflict(app, caller, id, &self::kept(app, id).await?).await)
}
