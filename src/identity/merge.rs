//! Which institutions' patients are one person: merged by a person, and unmerged as if it had never been.

use std::collections::{BTreeMap, BTreeSet};

use super::IdentityError;
use crate::audit::RecordId;

/// Which patients are known as one. Every patient is one of their own until merged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merges {
    /// In the order in which they were made.
    made: Vec<Merge>,
}

/// That two were said to be one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Merge {
    /// One of them.
    pub one: RecordId,
    /// The other.
    pub other: RecordId,
}

impl Merges {
    /// Says that two are one person. Nothing is moved or changed: it can be taken back whole, whatever came after it.
    ///
    /// # Errors
    /// [`IdentityError::Merge`] where they are one already.
    pub fn merge(&mut self, merge: Merge) -> Result<(), IdentityError> {
        if self.same_person(merge.one).contains(&merge.other) {
            return Err(IdentityError::Merge);
        }
        self.made.push(merge);
        Ok(())
    }

    /// Takes a merge back.
    ///
    /// # Errors
    /// [`IdentityError::Merge`] where there is no such merge.
    pub fn unmerge(&mut self, merge: Merge) -> Result<(), IdentityError> {
        let at = self.made.iter().position(|made| *made == merge).ok_or(IdentityError::Merge)?;
        self.made.remove(at);
        Ok(())
    }

    /// All patients who are the same person as this one, this one among them.
    #[must_use]
    pub fn same_person(&self, patient: RecordId) -> BTreeSet<RecordId> {
        let mut neighbours: BTreeMap<RecordId, Vec<RecordId>> = BTreeMap::new();
        for Merge { one, other } in &self.made {
            neighbours.entry(*one).or_default().push(*other);
            neighbours.entry(*other).or_default().push(*one);
        }
        let (mut found, mut open) = (BTreeSet::from([patient]), vec![patient]);
        while let Some(next) = open.pop() {
            open.extend(neighbours.get(&next).into_iter().flatten().filter(|patient| found.insert(**patient)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patient(number: u8) -> RecordId {
        RecordId::from_bytes([number; 16])
    }

    fn merge(one: u8, other: u8) -> Merge {
        Merge { one: patient(one), other: patient(other) }
    }

    #[test]
    fn an_unmerge_restores_everything_but_what_others_said() {
        let mut merges = Merges::default();
        merges.merge(merge(1, 2)).unwrap();
        let before = merges.clone();
        merges.merge(merge(2, 3)).unwrap();
        merges.unmerge(merge(2, 3)).unwrap();
        assert_eq!(merges, before);
        // One that was wrong, and a right one made after it.
        merges.merge(merge(3, 4)).unwrap();
        merges.merge(merge(2, 3)).unwrap();
        assert_eq!(merges.same_person(patient(1)).len(), 4);
        assert_eq!(merges.merge(merge(1, 4)), Err(IdentityError::Merge));
        merges.unmerge(merge(1, 2)).unwrap();
        assert_eq!(merges.same_person(patient(1)), BTreeSet::from([patient(1)]));
        assert_eq!(merges.same_person(patient(2)), [2, 3, 4].map(patient).into());
        assert_eq!(merges.unmerge(merge(1, 2)), Err(IdentityError::Merge));
    }
}
