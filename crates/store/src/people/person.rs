//! People who may sign in to the console, and their sessions. A secret is never kept: of a password its argon2id hash,
//! of an invitation and of a session the SHA-256.

use domain::{Digest, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, Value};
use crate::notices::alert::NewAlert;
use crate::people::PeopleStore;
use crate::people::scope::Scope;
use crate::writer::{Command, Group};

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name: what they type, and the actor in the audit log.
    pub name: String,
    /// The role's name.
    pub role: String,
    /// Whose units they may see.
    pub scope: Scope,
    /// The password's hash in PHC form; none before they have chosen one.
    pub password: Option<String>,
    /// The secret of their one-time codes, in Base32; none when they use none.
    pub totp: Option<String>,
    /// When their invitation ends, while they have one.
    pub invited_until: Option<Timestamp>,
    /// When they were added.
    pub made: Timestamp,
    /// By whom.
    pub made_by: String,
    /// When they were shut out, if they were.
    pub disabled: Option<Timestamp>,
}

/// A session of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The digest of its secret: its id for lists.
    pub id: String,
    /// Whose.
    pub person: String,
    /// When it began.
    pub began: Timestamp,
    /// When it was last used, to the minute.
    pub seen: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// From where, and with what program.
    pub client: String,
}

/// Whether an act about somebody may take away the last administrator of all domains who can sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastAdmin {
    /// The act is refused unless somebody else is one, with a password of their own.
    StaysByPassword,
    /// The act is refused unless somebody else is one; where an account elsewhere vouches for people, none needs a
    /// password.
    Stays,
    /// The act is done in any case: whoever asks has another way in.
    MayGo,
}

/// What ended when an administrator was let in again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Until when the link holds.
    pub until: Timestamp,
    /// Sessions that ended.
    pub sessions: u64,
    /// Tokens that ended: in their name, or made by them.
    pub tokens: u64,
}

/// An administrator who is let in again, as data.
#[derive(Clone, Debug)]
struct Recover {
    name: String,
    invitation: Digest,
    until: Timestamp,
    alert: NewAlert,
}

/// A write about people, as data.
#[derive(Clone, Debug)]
pub(crate) enum PersonWrite {
    Invite { person: Box<Person>, invitation: Digest, last: LastAdmin },
    Accept { name: String, password: String },
    Totp { name: String, secret: Option<String> },
    Disable { name: String, at: Timestamp, last: LastAdmin },
    Begin(Box<Session>),
    Seen { id: String, at: Timestamp },
    End { id: String },
    Sweep(Timestamp),
}

impl PeopleStore {
    /// Adds somebody, or invites them anew: their password, if any, is forgotten, and their sessions end.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when they are the last administrator and `last` keeps one.
    pub async fn invite(&self, person: Person, invitation: Digest, last: LastAdmin) -> Result<(), StoreError> {
        self.core.writer.write(PersonWrite::Invite { person: Box::new(person), invitation, last }).await
    }

    /// Lets an administrator in again by an invitation that holds until `until`: their password and one-time codes are
    /// forgotten, their sessions and tokens end, and people are called by `alert`, all in one write.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when no administrator who is not shut out has this name.
    pub async fn recover_person(
        &self,
        name: &str,
        invitation: Digest,
        until: Timestamp,
        alert: NewAlert,
    ) -> Result<Recovered, StoreError> {
        self.core.writer.write(Recover { name: name.to_owned(), invitation, until, alert }).await
    }

    /// Somebody has chosen a password; their invitation is used up.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when they are not known.
    pub async fn accept_invitation(&self, name: &str, password: String) -> Result<(), StoreError> {
        self.core.writer.write(PersonWrite::Accept { name: name.to_owned(), password }).await
    }

    /// Sets the secret of somebody's one-time codes, or takes it away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when they are not known.
    pub async fn set_totp(&self, name: &str, secret: Option<String>) -> Result<(), StoreError> {
        self.core.writer.write(PersonWrite::Totp { name: name.to_owned(), secret }).await
    }

    /// Shuts somebody out; their sessions end.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when they are not known, or shut out already; [`StoreError::Refused`] when they are the
    /// last administrator and `last` keeps one.
    pub async fn disable_person(&self, name: &str, at: Timestamp, last: LastAdmin) -> Result<(), StoreError> {
        self.core.writer.write(PersonWrite::Disable { name: name.to_owned(), at, last }).await
    }

    /// Somebody by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn person(&self, name: &str) -> Result<Option<Person>, StoreError> {
        let row = sqlx::query("select * from person where name = $1").bind(name.to_owned());
        row.fetch_optional(&self.core.reads).await?.as_ref().map(read).transpose()
    }

    /// Everybody, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn people(&self) -> Result<Vec<Person>, StoreError> {
        sqlx::query("select * from person order by name limit 10000")
            .fetch_all(&self.core.reads)
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// Whose invitation this is, if it holds at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn person_invited_by(&self, invitation: Digest, now: Timestamp) -> Result<Option<Person>, StoreError> {
        let sql =
            "select * from person where invitation_sha256 = $1 and invitation_until_us > $2 and disabled_us is null";
        let row =
            sqlx::query(sql).bind(invitation.hex()).bind(now.as_micros()).fetch_optional(&self.core.reads).await?;
        row.as_ref().map(read).transpose()
    }

    /// Begins a session.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin_session(&self, session: Session) -> Result<(), StoreError> {
        self.core.writer.write(PersonWrite::Begin(Box::new(session))).await
    }

    /// The session with this secret and whose it is, if it holds at `now` and they are not shut out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session(&self, secret: Digest, now: Timestamp) -> Result<Option<(Session, Person)>, StoreError> {
        let sql = "select s.*, p.* from session s join person p on p.name = s.person \
                   where s.session_sha256 = $1 and s.until_us > $2 and p.disabled_us is null";
        let row = sqlx::query(sql).bind(secret.hex()).bind(now.as_micros()).fetch_optional(&self.core.reads).await?;
        row.as_ref().map(|row| Ok((read_session(row)?, read(row)?))).transpose()
    }

    /// The sessions of somebody that hold at `now`, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sessions_of(&self, person: &str, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let sql = "select * from session where person = $1 and until_us > $2 order by began_us desc";
        let rows = sqlx::query(sql).bind(person.to_owned()).bind(now.as_micros()).fetch_all(&self.core.reads).await?;
        rows.iter().map(read_session).collect()
    }

    /// A session was used.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_session_use(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(PersonWrite::Seen { id: id.to_owned(), at }).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_session(&self, id: &str) -> Result<(), StoreError> {
        self.core.writer.write(PersonWrite::End { id: id.to_owned() }).await
    }

    /// Forgets sessions and invitations that have ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sweep_sessions(&self, now: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(PersonWrite::Sweep(now)).await
    }
}

fn read(row: &AnyRow) -> Result<Person, StoreError> {
    let moment = |column: &str| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros));
    Ok(Person {
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        scope: Scope::read(row)?,
        password: row.try_get("password")?,
        totp: row.try_get("totp")?,
        invited_until: moment("invitation_until_us")?,
        made: Timestamp::from_micros(row.try_get("made_us")?),
        made_by: row.try_get("made_by")?,
        disabled: moment("disabled_us")?,
    })
}

fn read_session(row: &AnyRow) -> Result<Session, StoreError> {
    let moment = |column: &str| Ok::<_, StoreError>(Timestamp::from_micros(row.try_get(column)?));
    Ok(Session {
        id: row.try_get("session_sha256")?,
        person: row.try_get("person")?,
        began: moment("began_us")?,
        seen: moment("seen_us")?,
        until: moment("until_us")?,
        client: row.try_get("client")?,
    })
}

impl Command for PersonWrite {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        match self {
            Self::Invite { person, invitation, last } => {
                keep_an_admin(connection, &person.name, *last).await?;
                end_sessions(connection, &person.name).await?;
                invite(connection, person, *invitation).await
            }
            Self::Accept { name, password } => {
                let sql = "update person set password = $1, invitation_sha256 = null, invitation_until_us = null \
                    where name = $2";
                known(connection, name, sql, vec![password.as_str().into(), name.as_str().into()]).await
            }
            Self::Totp { name, secret } => {
                let sql = "update person set totp = $1 where name = $2";
                known(connection, name, sql, vec![secret.clone().into(), name.as_str().into()]).await
            }
            Self::Disable { name, at, last } => {
                keep_an_admin(connection, name, *last).await?;
                end_sessions(connection, name).await?;
                let sql = "update person set disabled_us = $1 where name = $2 and disabled_us is null";
                known(connection, name, sql, vec![at.as_micros().into(), name.as_str().into()]).await
            }
            Self::Begin(session) => {
                let columns = ["session_sha256", "person", "began_us", "seen_us", "until_us", "client"];
                let row = vec![
                    session.id.as_str().into(),
                    session.person.as_str().into(),
                    session.began.as_micros().into(),
                    session.seen.as_micros().into(),
                    session.until.as_micros().into(),
                    session.client.as_str().into(),
                ];
                database::insert(connection, "session", &columns, vec![row]).await
            }
            Self::Seen { id, at } => {
                let sql = "update session set seen_us = $1 where session_sha256 = $2";
                run(connection, sql, vec![at.as_micros().into(), id.as_str().into()]).await
            }
            Self::End { id } => {
                run(connection, "delete from session where session_sha256 = $1", vec![id.as_str().into()]).await
            }
            Self::Sweep(now) => {
                run(connection, "delete from session where until_us <= $1", vec![now.as_micros().into()]).await
            }
        }
    }
}

impl Command for Recover {
    type Reply = Recovered;

    async fn apply(&self, group: &mut Group<'_>) -> Result<Recovered, StoreError> {
        let Self { name, invitation, until, alert } = self;
        let name = || Value::from(name.as_str());
        let sql = "update person set password = null, totp = null, invitation_sha256 = $1, invitation_until_us = $2 \
                   where name = $3 and role = 'admin' and disabled_us is null";
        let values = vec![invitation.hex().into(), until.as_micros().into(), name()];
        known(group.connection, &self.name, sql, values).await?;
        let ended = database::query("delete from session where person = $1".to_owned(), vec![name()]);
        let sessions = ended.execute(&mut *group.connection).await?.rows_affected();
        let sql = "update api_token set revoked_us = $1 where (name = $2 or created_by = $2) and revoked_us is null \
                   and expires_us > $1";
        let ended = database::query(sql.to_owned(), vec![alert.at.as_micros().into(), name()]);
        let tokens = ended.execute(&mut *group.connection).await?.rows_affected();
        alert.apply(group).await?;
        Ok(Recovered { until: *until, sessions, tokens })
    }
}

async fn run(connection: &mut AnyConnection, sql: &str, values: Vec<Value>) -> Result<(), StoreError> {
    database::query(sql.to_owned(), values).execute(connection).await?;
    Ok(())
}

async fn known(connection: &mut AnyConnection, name: &str, sql: &str, values: Vec<Value>) -> Result<(), StoreError> {
    match database::query(sql.to_owned(), values).execute(connection).await?.rows_affected() {
        0 => Err(StoreError::NotFound(format!("{name} among those who may sign in"))),
        _ => Ok(()),
    }
}

/// Refuses what would leave nobody who can sign in as an administrator of all domains.
///
/// The rows of all administrators are locked first: on PostgreSQL two processes that shut out one another's last
/// administrator would otherwise each still see the other.
async fn keep_an_admin(connection: &mut AnyConnection, name: &str, last: LastAdmin) -> Result<(), StoreError> {
    let able = match last {
        LastAdmin::StaysByPassword => "domains_json is null and disabled_us is null and password is not null",
        LastAdmin::Stays => "domains_json is null and disabled_us is null",
        LastAdmin::MayGo => return Ok(()),
    };
    run(connection, "update person set role = role where role = 'admin'", Vec::new()).await?;
    let sql = format!("select name from person where role = 'admin' and {able} order by name limit 2");
    let rows = database::query(sql, Vec::new()).fetch_all(connection).await?;
    let names: Vec<String> = rows.iter().map(|row| row.try_get("name")).collect::<Result<_, _>>()?;
    if names == [name] {
        let why = format!(
            "{name} is the last administrator who can sign in; make somebody else one first, who then signs in once"
        );
        return Err(StoreError::Refused(why));
    }
    Ok(())
}

async fn end_sessions(connection: &mut AnyConnection, name: &str) -> Result<(), StoreError> {
    run(connection, "delete from session where person = $1", vec![name.into()]).await
}

async fn invite(connection: &mut AnyConnection, person: &Person, invitation: Digest) -> Result<(), StoreError> {
    run(connection, "delete from person where name = $1", vec![person.name.as_str().into()]).await?;
    let columns = ["name", "role", "domains_json", "invitation_sha256", "invitation_until_us", "made_us", "made_by"];
    let row = vec![
        person.name.as_str().into(),
        person.role.as_str().into(),
        person.scope.column()?,
        invitation.hex().into(),
        person.invited_until.map(Timestamp::as_micros).into(),
        person.made.as_micros().into(),
        person.made_by.as_str().into(),
    ];
    database::insert(connection, "person", &columns, vec![row]).await
}
