//! Which domains have answered one another with the same content, before anybody called it bad: who sent which clean
//! mail, and which clean mail answers it with which content. Seals only: the tables tell nobody who writes to whom.

use std::collections::{BTreeSet, HashMap};

use domain::identity::Establish;
use domain::{Digest, Timestamp};
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, Value, marks, named};
use crate::known_good::KnownGoodStore;
use crate::writer::{Command, Group};

/// Contents that one statement asks for.
const ASKED_MAX: usize = 200;
/// Answers that are looked at for so many contents.
const ANSWERS_MAX: i64 = 20_000;
/// Rows that are kept of each table, the newest.
pub const ROWS_MAX: u64 = 500_000;
/// Rows that one round of forgetting ends.
const FORGET_BATCH: i64 = 500;

/// A clean mail that may be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMail {
    /// The seal over its Message-ID.
    pub message: String,
    /// The seal over who sent it.
    pub identity: String,
    /// The domain behind that.
    pub node: String,
    /// When it came.
    pub at: Timestamp,
}

/// That a content came in a clean mail that answers another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerWith {
    /// The content.
    pub content: Digest,
    /// The seal over the Message-ID of the mail that is answered.
    pub answered: String,
    /// The seal over who answers.
    pub identity: String,
    /// The domain behind that.
    pub node: String,
    /// When the answer came.
    pub at: Timestamp,
}

impl KnownGoodStore {
    /// Remembers clean mails, and what answers them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_conversation(&self, sent: Vec<SentMail>, answers: Vec<AnswerWith>) -> Result<(), StoreError> {
        self.core.writer.write(ConversationWrite::Remember { sent, answers }).await
    }

    /// Which domains have answered which others with each of these contents before `before`, by the word of those alone
    /// whom we know by `rule`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn answers_with(
        &self,
        contents: &[Digest],
        before: Timestamp,
        rule: &Establish,
        now: Timestamp,
    ) -> Result<HashMap<Digest, BTreeSet<(String, String)>>, StoreError> {
        let mut rows = Vec::new();
        for some in contents.chunks(ASKED_MAX) {
            let sql = format!(
                "select a.sha256, a.node as from_node, a.identity as from_identity, m.node as to_node, m.identity as \
                    to_identity from conversation_answer a join conversation_mail m on m.message = a.answered \
                 where a.at_us < $1 and m.at_us < $1 and a.node <> m.node and a.sha256 in ({}) \
                 order by a.sha256, a.node, a.answered limit {ANSWERS_MAX}",
                marks(2, some.len())
            );
            let values = [Value::Int(before.as_micros())].into_iter();
            let values = values.chain(some.iter().map(|one| Value::Text(one.hex()))).collect();
            rows.extend(database::query(sql, values).fetch_all(&self.core.reads).await?);
        }
        let mut people = BTreeSet::new();
        for row in &rows {
            people.insert(row.try_get::<String, _>("from_identity")?);
            people.insert(row.try_get::<String, _>("to_identity")?);
        }
        let people: Vec<String> = people.into_iter().collect();
        let known = self.acquaintances(&people).await?;
        let is_known = |who: &String| known.get(who).is_some_and(|who| who.is_established(rule, now));
        let mut answers: HashMap<Digest, BTreeSet<(String, String)>> = HashMap::new();
        for row in &rows {
            if is_known(&row.try_get("from_identity")?) && is_known(&row.try_get("to_identity")?) {
                let content = named(row, "sha256", |text| Digest::parse(text).ok())?;
                let pair = (row.try_get("from_node")?, row.try_get("to_node")?);
                answers.entry(content).or_default().insert(pair);
            }
        }
        Ok(answers)
    }

    /// Forgets some of what is older than `before`, or beyond the newest `most` of a kind; says whether there may be
    /// more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_conversation(&self, before: Timestamp, most: u64) -> Result<bool, StoreError> {
        let mut more = false;
        for table in ["conversation_mail", "conversation_answer"] {
            // The newest row that is beyond the bound: it and all before it go.
            let sql = format!("select at_us from {table} order by at_us desc limit 1 offset $1");
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let beyond = database::query(sql, vec![most.into()]).fetch_optional(&self.core.reads).await?;
            let beyond: Option<i64> = beyond.map(|row| row.try_get("at_us")).transpose()?;
            let until = beyond.map_or(before, |at| before.max(Timestamp::from_micros(at.saturating_add(1))));
            let sql = format!(
                "select max(at_us) as last_us, count(*) as found from (select at_us from {table} where \
                at_us < $1 order by at_us limit {FORGET_BATCH}) as oldest"
            );
            let row = database::query(sql, vec![until.as_micros().into()]).fetch_one(&self.core.reads).await?;
            let last: Option<i64> = row.try_get("last_us")?;
            more |= row.try_get::<i64, _>("found")? == FORGET_BATCH;
            if let Some(last) = last {
                let last = Timestamp::from_micros(last);
                self.core.writer.write(ConversationWrite::Forget { table, last }).await?;
            }
        }
        Ok(more)
    }
}

/// A write about conversations, as data.
#[derive(Clone, Debug)]
pub(crate) enum ConversationWrite {
    Remember { sent: Vec<SentMail>, answers: Vec<AnswerWith> },
    Forget { table: &'static str, last: Timestamp },
}

impl Command for ConversationWrite {
    type Reply = ();

    fn rows(&self) -> usize {
        match self {
            Self::Remember { sent, answers } => sent.len() + answers.len(),
            Self::Forget { .. } => FORGET_BATCH as usize,
        }
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        match self {
            Self::Remember { sent, answers } => {
                for mail in sent {
                    remember_sent(connection, mail).await?;
                }
                for answer in answers {
                    remember_answer(connection, answer).await?;
                }
                Ok(())
            }
            Self::Forget { table, last } => {
                let sql = format!("delete from {table} where at_us <= $1");
                database::query(sql, vec![last.as_micros().into()]).execute(connection).await?;
                Ok(())
            }
        }
    }
}

/// Whoever comes first has the Message-ID: a second mail of the same name does not take it over.
async fn remember_sent(connection: &mut AnyConnection, mail: &SentMail) -> Result<(), StoreError> {
    let sql = "insert into conversation_mail (message, identity, node, at_us) values ($1, $2, $3, $4) on conflict do \
        nothing";
    let values = vec![
        mail.message.as_str().into(),
        mail.identity.as_str().into(),
        mail.node.as_str().into(),
        mail.at.as_micros().into(),
    ];
    database::query(sql.to_owned(), values).execute(connection).await?;
    Ok(())
}

async fn remember_answer(connection: &mut AnyConnection, answer: &AnswerWith) -> Result<(), StoreError> {
    let sql = "insert into conversation_answer (sha256, node, answered, identity, at_us) values ($1, $2, $3, $4, $5) \
        on conflict do nothing";
    let values = vec![
        answer.content.hex().into(),
        answer.node.as_str().into(),
        answer.answered.as_str().into(),
        answer.identity.as_str().into(),
        answer.at.as_micros().into(),
    ];
    database::query(sql.to_owned(), values).execute(connection).await?;
    Ok(())
}
