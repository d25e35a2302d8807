//! Tokens of sessions. One gives way to another after minutes of use; one that comes back after its time ends the session, for two have it.
//!
//! The next token is offered with an answer and comes into use when it is first shown, so that an answer that is lost, or overtaken by another,
//! shuts nobody out: until then the old one is good and each answer offers one, up to [`OFFERS`] of them. From then on those that were in use
//! are good for [`GRACE`], for requests under way and other tabs. Each offer is another token: two who have the same one part ways with the next.

use sqlx::FromRow;

use super::database::Upkeep;
use super::sessions::{COLUMNS, Row as SessionRow, StoredSession, record};
use super::{By, Store, StoreError};
use crate::audit::{Action, Event, Outcome, Refusal};

/// Seconds of use after which a token gives way: half of what a session may rest, so that a stolen one is worth little, and rare enough that
/// nobody notices.
const FRESH: i64 = 15 * 60;
/// Seconds for which the old token is good still: longer than a request is under way.
const GRACE: i64 = 60;
/// Tokens that are offered in the place of one: more answers than a network loses. A client that takes none of them gets no more.
const OFFERS: i64 = 16;

/// What a token is that somebody shows.
#[derive(Debug)]
pub enum Shown {
    /// No open session's.
    Nobodys,
    /// This session's.
    Good {
        /// Whose.
        session: Box<StoredSession>,
        /// Whether another is to be offered in its place.
        is_due: bool,
    },
    /// So many were offered in its place that none will be taken: the session is ended.
    RanOut,
    /// It was in use before: the session is ended, and the audit log has it.
    CameBack,
}

#[derive(FromRow)]
struct Row {
    shown: i64,
    taken_at: Option<i64>,
    current: Vec<u8>,
    generation: i64,
    token_since: i64,
    offered_at: Option<i64>,
    offers: i64,
    #[sqlx(flatten)]
    session: SessionRow,
}

/// How a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is in use.
    InUse { is_due: bool },
    /// It was offered, and is shown for the first time.
    New,
    /// It was in use a moment ago.
    JustBefore,
    /// As many as there are were offered in its place, the first of them long ago, and nobody took one.
    RanOut,
    /// It was in use before another that came into use.
    CameBack,
}

impl Row {
    fn stands(&self, hash: &[u8; 32], at: i64) -> Standing {
        if self.current == hash {
            let is_long_ago = self.offered_at.is_some_and(|offered| at >= offered.saturating_add(GRACE));
            let is_over = is_long_ago && self.offers >= OFFERS;
            let is_due = self.offered_at.is_some() || at >= self.token_since.saturating_add(FRESH);
            return if is_over { Standing::RanOut } else { Standing::InUse { is_due } };
        }
        // Of those that were offered in one's place another may have been shown first: answers overtake each other.
        if self.taken_at.is_none() && self.shown >= self.generation {
            return Standing::New;
        }
        let is_last = self.shown.saturating_add(1) >= self.generation;
        if is_last && at < self.token_since.saturating_add(GRACE) { Standing::JustBefore } else { Standing::CameBack }
    }
}

impl Store {
    /// What this token is now. One that was offered comes into use; one that comes back after its time ends its session.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and when it cannot be read or written.
    pub async fn show_token(&self, hash: &[u8; 32], by: &By) -> Result<Shown, StoreError> {
        let at = by.seconds();
        let Some(row) = self.token(hash).await? else { return Ok(Shown::Nobodys) };
        let standing = row.stands(hash, at);
        if standing == Standing::New {
            // Where another came into use meanwhile this one may when it is shown next.
            self.take(hash, &row, at).await?;
        }
        let Some(session) = self.session_of(Some(row.session)).await? else { return Ok(Shown::Nobodys) };
        Ok(match standing {
            Standing::InUse { is_due } => Shown::Good { session: Box::new(session), is_due },
            Standing::New | Standing::JustBefore => Shown::Good { session: Box::new(session), is_due: false },
            Standing::RanOut => {
                self.end_session(&session.id, &By { actor: session.role.actor(), ..*by }).await?;
                Shown::RanOut
            }
            Standing::CameBack if self.end_stolen(&session, by).await? => Shown::CameBack,
            Standing::CameBack => Shown::Nobodys,
        })
    }

    async fn token(&self, hash: &[u8; 32]) -> Result<Option<Row>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS}, session_tokens.generation AS shown, session_tokens.taken_at, sessions.token_hash AS current, \
            sessions.generation, sessions.token_since, sessions.offered_at, \
            (SELECT count(*) FROM session_tokens AS others WHERE others.session = sessions.id \
                AND others.generation = sessions.generation + 1) AS offers FROM session_tokens \
            JOIN sessions ON sessions.id = session_tokens.session JOIN roles ON roles.id = sessions.role \
            WHERE session_tokens.token_hash = $1"
        );
        let row = self.reader().one::<Row>(sqlx::query_as(&query).bind(hash.as_slice())).await;
        row.map_err(StoreError::database("read a session's token"))
    }

    /// Brings a token into use, unless another was meanwhile.
    async fn take(&self, hash: &[u8; 32], row: &Row, at: i64) -> Result<(), StoreError> {
        let failed = || StoreError::database("change a session's token");
        let take = "UPDATE sessions SET token_hash = $1, generation = $2, token_since = $3, offered_at = NULL \
            WHERE id = $4 AND token_hash = $5";
        let take = sqlx::query(take).bind(hash.as_slice()).bind(row.shown).bind(at).bind(&row.session.id).bind(&row.current);
        if self.database().keep_up(Upkeep::Token, take).await.map_err(failed())? == 0 {
            return Ok(());
        }
        let note = sqlx::query("UPDATE session_tokens SET taken_at = $1 WHERE token_hash = $2").bind(at).bind(hash.as_slice());
        self.database().keep_up(Upkeep::Token, note).await.map(drop).map_err(failed())
    }

    /// Offers a token in the place of one that is in use; false where that is not, or enough were offered.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn offer_token(&self, current: &[u8; 32], next: &[u8; 32], at: i64) -> Result<bool, StoreError> {
        let failed = || StoreError::database("offer a session's token");
        let insert = "INSERT INTO session_tokens (token_hash, session, generation) \
            SELECT $1, sessions.id, sessions.generation + 1 FROM sessions WHERE sessions.token_hash = $2 AND \
            (SELECT count(*) FROM session_tokens AS others WHERE others.session = sessions.id \
                AND others.generation = sessions.generation + 1) < $3";
        let insert = sqlx::query(insert).bind(next.as_slice()).bind(current.as_slice()).bind(OFFERS);
        if self.database().keep_up(Upkeep::Token, insert).await.map_err(failed())? == 0 {
            return Ok(false);
        }
        let note = sqlx::query("UPDATE sessions SET offered_at = $1 WHERE token_hash = $2 AND offered_at IS NULL");
        let note = note.bind(at).bind(current.as_slice());
        self.database().keep_up(Upkeep::Token, note).await.map_err(failed())?;
        Ok(true)
    }

    /// Ends a session of which two have tokens: whoever shows which one, nobody can tell whose it is. False where it is ended.
    async fn end_stolen(&self, session: &StoredSession, by: &By) -> Result<bool, StoreError> {
        let by = By { actor: session.role.actor(), ..*by };
        let mut act = self.begin("end a session").await?;
        if act.execute(sqlx::query("DELETE FROM sessions WHERE id = $1").bind(&session.id)).await? == 0 {
            return act.abandon().await.map(|()| false);
        }
        let tried = Event { record: record(&session.id), ..by.did_in_general(Action::SignIn) };
        act.enter(&Event { outcome: Outcome::Refused { reason: Refusal::AlreadyUsed }, ..tried }).await?;
        act.commit(&Event { record: record(&session.id), ..by.did_in_general(Action::SignOut) }).await.map(|_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, by, events, on_both};
    use super::super::{Card, NewPasskey, NewRole, NewSession};
    use super::*;
    use crate::audit::UnixMillis;
    use crate::identity::RoleKind;

    /// A session whose token is `[0; 32]`, and when it began.
    struct Open {
        store: Store,
        id: String,
        begun: i64,
    }

    impl Open {
        async fn new(site: &Site) -> Self {
            let store = site.open().await;
            let organisation = store.create_organisation("Clinic", None, &by()).await.unwrap().id;
            let card = Card { name: "Dr Au".into(), phone: None, email: None };
            let person = store.create_person(&card, &by()).await.unwrap().id;
            let begun = by().seconds();
            let role =
                NewRole { person, organisation, department: None, kind: RoleKind::Doctor, starts_at: begun, ends_at: None };
            let role = store.give_role(&role, &by()).await.unwrap();
            let passkey = NewPasskey { credential: vec![1; 20], label: "phone".into(), key: "{}".into() };
            store.add_passkey(person, (None, None), &passkey, &by()).await.unwrap();
            let credential = store.passkeys_of(person).await.unwrap().remove(0).id;
            let new = NewSession { token_hash: [0; 32], role, credential, ends_at: begun + 12 * 3600 };
            let id = store.begin_session(&new, begun, &by()).await.unwrap().unwrap();
            Self { store, id, begun }
        }

        async fn show(&self, token: u8, after: i64) -> Shown {
            let at = UnixMillis(u64::try_from(self.begun + after).unwrap() * 1000);
            self.store.show_token(&[token; 32], &By { at, ..by() }).await.unwrap()
        }

        /// Whether it is good, and whether another is to be offered.
        async fn is_due(&self, token: u8, after: i64) -> Option<bool> {
            match self.show(token, after).await {
                Shown::Good { session, is_due } => {
                    assert_eq!(session.id, self.id);
                    Some(is_due)
                }
                _ => None,
            }
        }

        async fn offer(&self, current: u8, next: u8, after: i64) -> bool {
            self.store.offer_token(&[current; 32], &[next; 32], self.begun + after).await.unwrap()
        }

        async fn is_open(&self) -> bool {
            self.store.session(&self.id).await.unwrap().is_some()
        }
    }

    async fn a_token_gives_way_and_the_old_one_is_good_for_a_moment(site: Site) {
        let open = Open::new(&site).await;
        assert_eq!((open.is_due(0, 0).await, open.is_due(0, FRESH - 1).await), (Some(false), Some(false)));
        assert_eq!(open.is_due(0, FRESH).await, Some(true));
        assert!(open.offer(0, 1, FRESH).await);
        assert_eq!(open.is_due(0, FRESH + GRACE - 1).await, Some(true), "the answer may have been lost");
        assert_eq!(open.is_due(1, FRESH + 10).await, Some(false), "it is in use from now on");
        assert_eq!(open.is_due(0, FRESH + 10 + GRACE - 1).await, Some(false), "a request under way, another tab");
        assert!(!open.offer(0, 9, FRESH + 20).await, "an old one has no successor any more");
        assert_eq!(open.is_due(1, 2 * FRESH + 9).await, Some(false));
        assert_eq!(open.is_due(1, 2 * FRESH + 10).await, Some(true), "and so on");
        assert!(open.offer(1, 2, 2 * FRESH + 10).await && open.is_due(2, 5 * FRESH).await == Some(false));
        assert_eq!(open.store.session(&open.id).await.unwrap().unwrap().started_at, open.begun, "it is the same session");
        assert!(matches!(open.show(9, 0).await, Shown::Nobodys));
    }

    async fn an_old_token_that_comes_back_ends_the_session_and_is_an_event(site: Site) {
        for (generations, token, after) in [(1, 0, FRESH + GRACE), (2, 0, 2 * FRESH + 1), (2, 1, 2 * FRESH + GRACE)] {
            let site = if site.url.is_some() { Site::postgres() } else { Site::sqlite() };
            let open = Open::new(&site).await;
            for next in 1..=generations {
                assert!(open.offer(next - 1, next, i64::from(next) * FRESH).await);
                assert_eq!(open.is_due(next, i64::from(next) * FRESH).await, Some(false));
            }
            let before = events(&open.store).await.len();
            assert!(matches!(open.show(token, after).await, Shown::CameBack), "{generations} {token}");
            assert!(!open.is_open().await);
            for gone in 0..=generations {
                assert!(matches!(open.show(gone, after).await, Shown::Nobodys), "all its tokens are nobody's");
            }
            let told: Vec<_> = events(&open.store).await.split_off(before);
            let told: Vec<_> = told.iter().map(|event| (event.action, event.outcome, event.record)).collect();
            let (session, refused) = (record(&open.id), Outcome::Refused { reason: Refusal::AlreadyUsed });
            assert_eq!(told, [(Action::SignIn, refused, session), (Action::SignOut, Outcome::Done, session)]);
        }
    }

    async fn what_nobody_takes_ends_the_session_without_an_alarm(site: Site) {
        let open = Open::new(&site).await;
        for next in 1..=16 {
            assert!(open.offer(0, next, FRESH + i64::from(next)).await);
        }
        assert!(!open.offer(0, 17, FRESH + 20).await, "enough were offered");
        assert!(open.is_due(0, FRESH + GRACE).await.is_some());
        let before = events(&open.store).await.len();
        assert!(matches!(open.show(0, FRESH + GRACE + 1).await, Shown::RanOut) && !open.is_open().await);
        assert!(matches!(open.show(0, FRESH + GRACE + 1).await, Shown::Nobodys));
        let told = events(&open.store).await.split_off(before);
        assert_eq!(
            told.iter().map(|event| (event.action, event.outcome)).collect::<Vec<_>>(),
            [(Action::SignOut, Outcome::Done)]
        );
    }

    async fn answers_that_are_lost_shut_nobody_out(site: Site) {
        let open = Open::new(&site).await;
        for next in 1..=3 {
            assert!(open.offer(0, next, FRESH + i64::from(next)).await, "an answer that never comes");
        }
        assert_eq!(open.is_due(0, FRESH + 10 * GRACE).await, Some(true), "the network was away");
        assert!(open.offer(0, 4, FRESH + 10 * GRACE).await && open.is_due(4, FRESH + 10 * GRACE).await == Some(false));
        assert!(matches!(open.show(0, FRESH + 12 * GRACE).await, Shown::CameBack));
    }

    async fn what_is_offered_waits_and_answers_may_overtake_each_other(site: Site) {
        let open = Open::new(&site).await;
        assert!(open.offer(0, 1, FRESH).await && open.offer(0, 2, FRESH).await);
        assert_eq!(open.is_due(1, 2 * FRESH).await, Some(false), "who got it rested meanwhile");
        assert_eq!(open.is_due(2, 2 * FRESH + GRACE + 1).await, Some(false), "the browser kept the one that came last");
        assert_eq!(open.is_due(1, 2 * FRESH + GRACE + 2).await, Some(false), "a request under way");
        assert!(matches!(open.show(1, 2 * FRESH + 3 * GRACE).await, Shown::CameBack), "two have one each");
    }

    async fn whoever_has_a_copy_of_a_token_is_found_out(site: Site) {
        // Both are offered one; whichever comes into use last, the other comes back.
        let open = Open::new(&site).await;
        assert!(open.offer(0, 1, FRESH).await && open.offer(0, 2, FRESH + 1).await);
        assert!(open.is_due(1, FRESH + 2).await.is_some() && open.is_due(2, FRESH + 3).await.is_some());
        assert!(matches!(open.show(1, FRESH + 3 + GRACE).await, Shown::CameBack));
        assert!(matches!(open.show(2, FRESH + 4 + GRACE).await, Shown::Nobodys));
    }

    async fn many_at_once_at_the_moment_of_the_change_are_all_answered(site: Site) {
        let open = Open::new(&site).await;
        let together = async |tokens: Vec<u8>, after| {
            let each = tokens.into_iter().map(|token| open.is_due(token, after));
            futures_util::future::join_all(each).await
        };
        assert_eq!(together(vec![0; 8], FRESH).await, [Some(true); 8]);
        let offers = (1..=8).map(|next| open.offer(0, next, FRESH));
        assert_eq!(futures_util::future::join_all(offers).await, [true; 8]);
        let shown = together((0..=8).chain(0..=8).collect(), FRESH + 1).await;
        assert!(shown.iter().all(Option::is_some), "{shown:?}");
        assert!(open.is_open().await);
    }

    async fn an_ended_session_leaves_no_token(site: Site) {
        let open = Open::new(&site).await;
        assert!(open.offer(0, 1, FRESH).await && open.store.end_session(&open.id, &by()).await.unwrap());
        assert!(!open.offer(0, 2, FRESH).await);
        let left = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM session_tokens").fetch_one(open.store.database().pool());
        assert_eq!(left.await.unwrap(), 0);
    }

    on_both! {
        a_token_gives_way_and_the_old_one_is_good_for_a_moment,
        an_old_token_that_comes_back_ends_the_session_and_is_an_event,
        what_nobody_takes_ends_the_session_without_an_alarm,
        answers_that_are_lost_shut_nobody_out,
        what_is_offered_waits_and_answers_may_overtake_each_other,
        whoever_has_a_copy_of_a_token_is_found_out,
        many_at_once_at_the_moment_of_the_change_are_all_answered,
        an_ended_session_leaves_no_token,
    }
}
