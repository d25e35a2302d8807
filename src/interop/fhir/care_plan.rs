//! What will be done.

use serde_json::{Value, json};

use super::bundle::Context;
use crate::note::{PlanItem, PlanKind};

/// One CarePlan of all plan items, none for none.
///
/// A draft whose activities are described, not ordered: a ServiceRequest, an Appointment or a MedicationRequest would say that
/// somebody placed it.
pub(super) fn resource(plan: &[PlanItem], context: &Context<'_>) -> Option<Value> {
    let activities: Vec<Value> = plan.iter().map(|item| activity(item, context)).collect();
    (!activities.is_empty()).then(|| {
        json!({
            "resourceType": "CarePlan",
            "language": context.language().tag(),
            "contained": context.contained(),
            "status": "draft",
            "intent": "plan",
            "subject": context.subject(),
            "created": context.at(),
            "activity": activities,
        })
    })
}

fn activity(item: &PlanItem, context: &Context<'_>) -> Value {
    let (kind, english, chinese) = match item.kind {
        PlanKind::Investigation => (Some("ServiceRequest"), "investigation", "檢查"),
        PlanKind::Referral => (Some("ServiceRequest"), "referral", "轉介"),
        PlanKind::FollowUp => (Some("Appointment"), "follow-up", "覆診"),
        PlanKind::SickLeave => (None, "sick leave", "病假"),
        PlanKind::Lifestyle => (None, "lifestyle advice", "生活建議"),
        PlanKind::Prescription => (Some("MedicationRequest"), "prescription", "處方"),
        PlanKind::Procedure => (Some("ServiceRequest"), "procedure", "治療"),
    };
    json!({
        "extension": context.evidence(&item.provenance),
        "detail": {
            "kind": kind,
            "code": {"text": context.language().pick(english, chinese)},
            "status": "not-started",
            "scheduledString": schedule(item, context),
            "description": item.text.reveal(),
        },
    })
}

fn schedule(item: &PlanItem, context: &Context<'_>) -> Option<String> {
    let days = item.days.filter(|days| days.is_finite() && *days > 0.0)?;
    let (english, chinese) = match item.kind {
        PlanKind::SickLeave => (format!("for {days} days"), format!("{days} 日")),
        _ => (format!("in {days} days"), format!("{days} 日後")),
    };
    Some(context.language().pick(english, chinese))
}
