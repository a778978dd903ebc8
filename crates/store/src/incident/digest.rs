//! Whom an incident has kept mail from, and what each of them is told: one mail a person and incident.

use std::collections::BTreeMap;

use domain::{Account, Direction, Timestamp, UnitId};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::database::{self, Marks, Value, named};
use crate::incident::IncidentStore;
use crate::mail::arrival::unit_id;
use crate::notices::claim::{self, NoticeClaim};
use crate::people::scope::MAILBOX;
use crate::writer::{Command, Group};

/// Rows that one write forgets.
const FORGET_BATCH: i64 = 500;

/// What of an incident's units somebody of ours has to know: what was held by mistake and came late to them, and what
/// of theirs went out late or has not gone. What was held rightly, or released before anybody knew, is no mistake of
/// ours. Whom it is for depends on the direction.
fn affected() -> String {
    format!(
        "select case when u.direction = 'Outbound' then lower(m.sender) else {MAILBOX} end as address, \
         u.mail_id, u.unit_no, u.direction, u.recipient, u.account, u.moved_us, m.sender, m.subject, m.received_us \
         from incident_unit i join unit u on u.mail_id = i.mail_id and u.unit_no = i.unit_no \
         join message m on m.mail_id = i.mail_id \
         where i.incident = $1 and (i.outcome = 'asked' or (i.outcome = 'cleared' and u.account = 'released'))"
    )
}

/// A message that an incident kept from somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// The unit.
    pub unit: UnitId,
    /// Which way it went.
    pub direction: Direction,
    /// From whom.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// About what.
    pub subject: String,
    /// When it came to us.
    pub received: Timestamp,
    /// When it went on; none when it has not, and waits for its sender's word.
    pub released: Option<Timestamp>,
}

/// Somebody who was told.
#[derive(Clone, Debug)]
pub struct Digested {
    /// The right to tell them.
    pub claim: NoticeClaim,
    /// The incident.
    pub incident: String,
    /// Who.
    pub address: String,
    /// When.
    pub at: Timestamp,
    /// What their mailbox server said, or why nobody was told.
    pub reply: String,
}

impl IncidentStore {
    /// Up to `most` people who have not been told what this incident kept from them, with all of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn people_not_yet_told(
        &self,
        incident: &str,
        most: i64,
    ) -> Result<BTreeMap<String, Vec<Late>>, StoreError> {
        let affected = affected();
        let sql = format!(
            "select distinct address from ({affected}) as affected where address <> '' and not exists \
             (select 1 from incident_digest d where d.incident = $2 and d.address = affected.address) order by address \
             limit $3"
        );
        let values = vec![incident.into(), incident.into(), most.into()];
        let rows = database::query(sql, values).fetch_all(&self.core.reads).await?;
        let addresses: Vec<String> = rows.iter().map(|row| row.try_get("address")).collect::<Result<_, _>>()?;
        if addresses.is_empty() {
            return Ok(BTreeMap::new());
        }
        let marks: Vec<String> = (2..addresses.len() + 2).map(|number| format!("${number}")).collect();
        let sql = format!(
            "select * from ({affected}) as affected where address in ({}) order by address, mail_id, unit_no",
            marks.join(",")
        );
        let values = [incident.into()].into_iter().chain(addresses.iter().map(|one| Value::from(one.as_str())));
        let mut late: BTreeMap<String, Vec<Late>> = BTreeMap::new();
        for row in database::query(sql, values.collect()).fetch_all(&self.core.reads).await? {
            late.entry(row.try_get("address")?).or_default().push(read(&row)?);
        }
        Ok(late)
    }

    /// Remembers that somebody was told, or that there is nobody to tell.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the claim is another's meanwhile; or when the store fails.
    pub async fn record_person_told(&self, told: Digested) -> Result<(), StoreError> {
        self.core.writer.write(told).await
    }

    /// Forgets some of those who were told before `before`; says whether there may be more. Nobody may still be asking
    /// about their incidents.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_people_told(&self, before: Timestamp) -> Result<bool, StoreError> {
        self.core.writer.write(ForgetDigests { before }).await
    }
}

fn read(row: &AnyRow) -> Result<Late, StoreError> {
    let account: Account = named(row, "account", Account::parse)?;
    let moved = Timestamp::from_micros(row.try_get("moved_us")?);
    Ok(Late {
        unit: unit_id(row)?,
        direction: named(row, "direction", Direction::parse)?,
        sender: row.try_get("sender")?,
        recipient: row.try_get("recipient")?,
        subject: row.try_get("subject")?,
        received: Timestamp::from_micros(row.try_get("received_us")?),
        released: (account == Account::Released).then_some(moved),
    })
}

impl Command for Digested {
    type Reply = ();

    fn rows(&self) -> usize {
        2
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let Self { claim, incident, address, at, reply } = self;
        claim::settle(group.connection, claim, *at).await?;
        let mut marks = Marks::of(group.connection);
        let sql = format!(
            "insert into incident_digest (incident, address, told_us, reply) values {} on conflict do nothing",
            marks.rows(1, 4)
        );
        let values =
            vec![incident.as_str().into(), address.as_str().into(), at.as_micros().into(), reply.as_str().into()];
        database::query(sql, values).execute(&mut *group.connection).await?;
        Ok(())
    }
}

/// The end of some of those that were told before a moment, as data.
#[derive(Clone, Debug)]
struct ForgetDigests {
    before: Timestamp,
}

impl Command for ForgetDigests {
    /// Whether there may be more.
    type Reply = bool;

    fn rows(&self) -> usize {
        FORGET_BATCH as usize
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<bool, StoreError> {
        let sql = "delete from incident_digest where (incident, address) in (select incident, address from \
            incident_digest where told_us < $1 order by incident, address limit $2)";
        let values = vec![self.before.as_micros().into(), FORGET_BATCH.into()];
        let done = database::query(sql.to_owned(), values).execute(&mut *group.connection).await?;
        Ok(i64::try_from(done.rows_affected()).is_ok_and(|count| count == FORGET_BATCH))
    }
}
