//! Roles and rights: readable policies (`policies.cedar`), deny by default, deny on any error.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};

use super::IdentityError;
use crate::audit::{OrganisationId, PolicyId, RecordId, RoleId};
use crate::consent::Permit;

const POLICIES: &str = include_str!("policies.cedar");
const SCHEMA: &str = include_str!("schema.cedarschema");

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As the policies write it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

named!(
    /// What a role is.
    RoleKind {
        /// Treats patients and signs their notes.
        Doctor = "doctor",
        /// Treats patients.
        Nurse = "nurse",
        /// Keeps the index of patients.
        Registrar = "registrar",
        /// Looks after accounts, devices and keys.
        Administrator = "administrator",
        /// Watches over the log.
        PrivacyOfficer = "privacy_officer",
        /// Watches over the log from outside.
        Auditor = "auditor",
    }
);

named!(
    /// What somebody wants to do.
    Right {
        /// Read a record.
        View = "view",
        /// Change a note.
        Edit = "edit",
        /// Sign a note.
        Sign = "sign",
        /// Record a consultation.
        Record = "record",
        /// Look for patients.
        Search = "search",
        /// Ask for a consent.
        RequestConsent = "request_consent",
        /// See a record without consent, in an emergency.
        BreakGlass = "break_glass",
        /// Take a copy out.
        Export = "export",
        /// Say that two patients are one.
        Merge = "merge",
        /// Read the audit log.
        ViewLog = "view_log",
        /// Report from the audit log.
        Report = "report",
        /// Manage accounts and roles.
        ManageAccounts = "manage_accounts",
        /// Manage devices and programs.
        ManageDevices = "manage_devices",
        /// Rotate and destroy keys.
        UseKeys = "use_keys",
        /// Forbid that something is erased, and lift that.
        Hold = "hold",
        /// Destroy what is signed, or a patient.
        Erase = "erase",
        /// Decide, for a reason that is kept, that what is signed or a patient is destroyed.
        DecideErasure = "decide_erasure",
    }
);

/// Who acts: one role of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Session {
    /// The role.
    pub role: RoleId,
    /// What it is.
    pub kind: RoleKind,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Whether it has ended.
    pub ended: bool,
}

/// What is acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// Its id.
    pub id: RecordId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The roles that treat the patient it belongs to.
    pub treating: Vec<RoleId>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Ruling {
    /// Whether it may be done.
    pub allowed: bool,
    /// The ids of the policies that decided; none where nothing permits it, or something failed.
    pub reasons: Vec<PolicyId>,
}

impl Ruling {
    /// Nothing where it may be done; else the policies that decided.
    ///
    /// # Errors
    /// The policies; none of them where nothing permits it.
    pub fn checked(self) -> Result<(), Vec<PolicyId>> {
        if self.allowed { Ok(()) } else { Err(self.reasons) }
    }

    /// What every error ends in.
    fn denied() -> Self {
        Self { allowed: false, reasons: Vec::new() }
    }
}

/// The policies, held against their schema.
#[derive(Debug)]
pub struct Rights {
    policies: PolicySet,
    schema: Schema,
}

impl Rights {
    /// The policies that the program is shipped with.
    ///
    /// # Errors
    /// [`IdentityError::Policies`] when they are no policies or do not fit the schema. Then nothing may start.
    pub fn shipped() -> Result<Self, IdentityError> {
        Self::of(POLICIES.parse().map_err(|_| IdentityError::Policies)?)
    }

    fn of(policies: PolicySet) -> Result<Self, IdentityError> {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|_| IdentityError::Policies)?;
        let found = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if found.validation_passed() { Ok(Self { policies, schema }) } else { Err(IdentityError::Policies) }
    }

    /// Whether this session may do this to that. `permit` is the consent's, where there is one for this record and this role.
    pub fn rule(&self, session: &Session, right: Right, thing: &Thing, permit: Option<&Permit>) -> Ruling {
        let permitted = permit.is_some_and(|permit| permit.is_for(session.role, thing.id));
        self.ask(session, right, thing, permitted).unwrap_or_else(Ruling::denied)
    }

    /// The answer, or nothing where the question could not be put.
    fn ask(&self, session: &Session, right: Right, thing: &Thing, permitted: bool) -> Option<Ruling> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let principal = uid("Session", &session.role.to_string())?;
        let resource = uid("Thing", &thing.id.to_string())?;
        let treating: Option<Vec<_>> = thing.treating.iter().map(|role| uid("Session", &role.to_string())).collect();
        let treating = treating?.into_iter().map(RestrictedExpression::new_entity_uid);
        let acting = HashMap::from([
            ("kind".to_owned(), text(session.kind.as_str())),
            ("organisation".to_owned(), text(&session.organisation.to_string())),
            ("ended".to_owned(), RestrictedExpression::new_bool(session.ended)),
        ]);
        let acted_on = HashMap::from([
            ("organisation".to_owned(), text(&thing.organisation.to_string())),
            ("treating".to_owned(), RestrictedExpression::new_set(treating)),
        ]);
        let entities = [
            Entity::new(principal.clone(), acting, HashSet::new()).ok()?,
            Entity::new(resource.clone(), acted_on, HashSet::new()).ok()?,
        ];
        let entities = Entities::from_entities(entities, Some(&self.schema)).ok()?;
        let context = Context::from_pairs([("permitted".to_owned(), RestrictedExpression::new_bool(permitted))]).ok()?;
        let request = Request::new(principal, uid("Action", right.as_str())?, resource, context, Some(&self.schema)).ok()?;
        let response = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        // Cedar leaves out a policy that fails, were it one that forbids. Here an error is no.
        if response.diagnostics().errors().next().is_some() {
            return None;
        }
        let name = |id| self.policies.annotation(id, "id").map_or_else(|| id.to_string(), str::to_owned);
        let named = response.diagnostics().reason().map(name);
        let mut reasons: Vec<_> = named.filter_map(|name| PolicyId::try_from(name).ok()).collect();
        reasons.sort_unstable();
        Some(Ruling { allowed: response.decision() == Decision::Allow, reasons })
    }
}

fn uid(kind: &str, id: &str) -> Option<EntityUid> {
    let kind: EntityTypeName = kind.parse().ok()?;
    Some(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

#[cfg(test)]
mod tests;
