//! The whole table of rights, and that each policy is needed for it.

use cedar_policy::PolicySet;

use super::*;

const TABLE: &str = include_str!("table.tsv");

/// Own patient, a colleague's, another organisation's, another's with a permit.
const CASES: [char; 4] = ['o', 'c', 'f', 's'];

fn session(kind: RoleKind) -> Session {
    Session { role: RoleId::from_bytes([1; 16]), kind, organisation: OrganisationId::from_bytes([2; 16]), ended: false }
}

fn thing(case: char) -> Thing {
    let organisation = if matches!(case, 'o' | 'c') { 2 } else { 3 };
    // A role treats patients of its own organisation alone; that another names it makes no difference.
    let treating = if case == 'o' { 1 } else { 9 };
    Thing {
        id: RecordId::from_bytes([4; 16]),
        organisation: OrganisationId::from_bytes([organisation; 16]),
        treating: vec![RoleId::from_bytes([treating; 16])],
    }
}

fn rule(rights: &Rights, session: &Session, right: Right, case: char) -> Ruling {
    rights.ask(session, right, &thing(case), case == 's').unwrap_or_else(Ruling::denied)
}

/// Every cell of the table: role, right, case and whether it is allowed.
fn cells() -> Vec<(RoleKind, Right, char, bool)> {
    let mut lines = TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t'));
    let roles: Vec<&str> = lines.next().unwrap().skip(1).collect();
    assert_eq!(roles, RoleKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    let mut cells = Vec::new();
    for (mut line, right) in lines.zip(Right::ALL) {
        assert_eq!(line.next(), Some(right.as_str()));
        for (cell, kind) in line.zip(RoleKind::ALL) {
            assert_eq!(cell.len(), CASES.len(), "{cell}");
            cells.extend(cell.chars().zip(CASES).map(|(letter, case)| (*kind, *right, case, letter == case)));
        }
    }
    assert_eq!(cells.len(), RoleKind::ALL.len() * Right::ALL.len() * CASES.len());
    cells
}

/// How many cells are not as the table says; a role that has ended may do nothing.
fn wrong(rights: &Rights) -> Vec<String> {
    let mut wrong = Vec::new();
    for (kind, right, case, allowed) in cells() {
        let ruling = rule(rights, &session(kind), right, case);
        if ruling.allowed != allowed || ruling.reasons.is_empty() == allowed {
            wrong.push(format!("{} {} {case}: {ruling:?}", kind.as_str(), right.as_str()));
        }
        if rule(rights, &Session { ended: true, ..session(kind) }, right, case).allowed {
            wrong.push(format!("{} {} {case}, ended", kind.as_str(), right.as_str()));
        }
    }
    wrong
}

#[test]
fn all_combinations_are_as_the_table_says() {
    let found = wrong(&Rights::shipped().unwrap());
    println!("{} combinations, and as many of roles that have ended", cells().len());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn without_any_one_policy_the_table_is_broken() {
    let all: PolicySet = POLICIES.parse().unwrap();
    assert_eq!(all.policies().count(), 13);
    for policy in all.policies() {
        let rest = PolicySet::from_policies(all.policies().filter(|other| other.id() != policy.id()).cloned()).unwrap();
        assert!(!wrong(&Rights::of(rest).unwrap()).is_empty(), "{:?} is not needed", policy.annotation("id"));
    }
}

#[test]
fn the_reason_is_the_policys_name() {
    let rights = Rights::shipped().unwrap();
    let ruling = rule(&rights, &session(RoleKind::Doctor), Right::Sign, 'o');
    assert_eq!(ruling, Ruling { allowed: true, reasons: vec!["doctors-sign-and-export".to_owned().try_into().unwrap()] });
    let ended = Session { ended: true, ..session(RoleKind::Doctor) };
    assert_eq!(
        rule(&rights, &ended, Right::Sign, 'o').reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["role-ended"]
    );
    assert_eq!(rule(&rights, &session(RoleKind::Nurse), Right::Sign, 'o').reasons, []);
}

#[test]
fn a_policy_that_fails_denies_and_one_that_does_not_fit_keeps_the_program_from_starting() {
    // It forbids nothing here, but a sum too large is an error.
    let failing = format!("{POLICIES}\nforbid (principal, action, resource) when {{ 9223372036854775807 + 1 == 0 }};");
    let rights = Rights::of(failing.parse().unwrap()).unwrap();
    assert!(!rule(&rights, &session(RoleKind::Doctor), Right::View, 'o').allowed);
    for wrong in [
        "permit (principal, action, resource) when { principal.shoe_size > 40 };",
        "permit (principal, action == Action::\"fly\", resource);",
    ] {
        assert!(matches!(Rights::of(wrong.parse().unwrap()), Err(IdentityError::Policies)), "{wrong}");
    }
}

#[test]
fn a_permit_counts_for_its_own_record_and_role_alone() {
    let rights = Rights::shipped().unwrap();
    let doctor = session(RoleKind::Doctor);
    let permit = crate::consent::test_permit(doctor.role, thing('s').id, crate::consent::Domain::Notes);
    assert!(rights.rule(&doctor, Right::View, &thing('s'), Some(&permit)).allowed);
    assert!(!rights.rule(&doctor, Right::View, &thing('s'), None).allowed);
    let another = Thing { id: RecordId::from_bytes([5; 16]), ..thing('s') };
    assert!(!rights.rule(&doctor, Right::View, &another, Some(&permit)).allowed);
    let colleague = Session { role: RoleId::from_bytes([7; 16]), ..doctor };
    assert!(!rights.rule(&colleague, Right::View, &thing('s'), Some(&permit)).allowed);
    assert!(!rights.rule(&doctor, Right::Edit, &thing('s'), Some(&permit)).allowed);
}
