//! Texts as they are searched, kept beside the record where the databases cannot fold them: SQLite knows the case of
//! ASCII only, PostgreSQL that of a locale. New mail has its rows with its record; what is older gets them batch by
//! batch, the newest first (until then it is found by the case of ASCII).

use std::collections::{BTreeSet, HashSet};

use domain::{address, fold};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::database::{self, Marks, Value, marks};
use crate::explorer::ExplorerStore;
use crate::writer::{Command, Group};

/// The table's columns.
pub(crate) const FOLDED: [&str; 4] = ["mail_id", "field", "number", "folded"];
/// Bytes of a folded text that are kept: an index of PostgreSQL takes no more than 2,700, and folding can make a text
/// longer.
const FOLDED_BYTES_MAX: usize = 2_000;
/// Messages of one batch.
const BATCH: i64 = 200;
/// Behind every id of a message: ids are hexadecimal.
const BEHIND_ALL: &str = "g";

/// Rows of the table that are needed.
#[derive(Debug, Default)]
pub(crate) struct Folded(Vec<Vec<Value>>);

impl Folded {
    /// A text of a message.
    pub(crate) fn text(&mut self, mail: &str, field: &str, number: i64, text: &str) {
        self.row(mail, field, number, text, fold::text(text));
    }

    /// An address of a message.
    pub(crate) fn name(&mut self, mail: &str, field: &str, number: i64, name: &str) {
        self.row(mail, field, number, name, fold::name(name));
    }

    /// A recipient: as it is searched, and as mailboxes are compared.
    pub(crate) fn recipient(&mut self, mail: &str, number: i64, recipient: &str) {
        self.name(mail, "recipient", number, recipient);
        self.row(mail, "mailbox", number, recipient, address::normal(recipient));
    }

    fn row(&mut self, mail: &str, field: &str, number: i64, text: &str, folded: String) {
        if fold::differs(text, &folded) {
            let end = folded.floor_char_boundary(folded.len().min(FOLDED_BYTES_MAX));
            self.0.push(vec![mail.into(), field.into(), number.into(), folded[..end].into()]);
        }
    }

    /// The rows, in the order of [`FOLDED`].
    pub(crate) fn rows(self) -> Vec<Vec<Value>> {
        self.0
    }
}

/// A condition on a message row `m`: its sender is this one, whatever the case and the kind of labels. The indexes find
/// it.
pub(crate) fn sender_is(sender: &str, values: &mut Vec<Value>) -> String {
    values.extend([fold::text(sender).into(), fold::name(sender).into()]);
    let (written, shown) = (values.len() - 1, values.len());
    format!(
        "m.mail_id in (select x.mail_id from message x where lower(x.sender) in (${written}, ${shown}) union all \
         select f.mail_id from folded f where f.field = 'sender' and f.folded = ${shown})"
    )
}

/// A condition on a message row `m`: its subject has this in it, whatever the case.
pub(crate) fn subject_contains(text: &str, values: &mut Vec<Value>) -> String {
    values.push(containing(&fold::text(text)).into());
    let mark = values.len();
    format!(
        "(lower(m.subject) like ${mark} escape '\\' or exists (select 1 from folded f where f.mail_id = m.mail_id \
         and f.field = 'subject' and f.folded like ${mark} escape '\\'))"
    )
}

/// A pattern of `like` for "contains", with its own wildcards taken literally.
fn containing(text: &str) -> String {
    let escaped: String =
        text.chars().flat_map(|c| if matches!(c, '%' | '_' | '\\') { vec!['\\', c] } else { vec![c] }).collect();
    format!("%{escaped}%")
}

/// A batch of rows for messages that came before the table, as data.
#[derive(Clone, Debug)]
pub(crate) struct FoldWrite {
    /// Each begins with its message.
    rows: Vec<(String, Vec<Value>)>,
    /// Everything from this message on has its rows; nothing is left when it is empty.
    reach: String,
}

impl ExplorerStore {
    /// Makes the folded texts of some messages that came before there were any; says whether there are more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fold_older_texts(&self) -> Result<bool, StoreError> {
        let row = sqlx::query("select before_mail from folded_reach").fetch_optional(&self.core.reads).await?;
        let before = row.map(|row| row.try_get("before_mail")).transpose()?.unwrap_or_else(|| BEHIND_ALL.to_owned());
        if before.is_empty() {
            return Ok(false);
        }
        let sql = "select mail_id, subject, sender, header_from, login from message where mail_id < $1 order by \
            mail_id desc limit $2";
        let messages = sqlx::query(sql).bind(before).bind(BATCH).fetch_all(&self.core.reads).await?;
        let mut folded = Folded::default();
        let mut mails: Vec<String> = Vec::new();
        for row in &messages {
            let mail: String = row.try_get("mail_id")?;
            // What cannot be read of a message is not found by its text, and keeps no older message from being found.
            let column = |name: &str| {
                row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default).unwrap_or_else(|error| {
                    tracing::warn!(%error, mail, column = name, "it cannot be read, and is not found by it");
                    String::new()
                })
            };
            folded.text(&mail, "subject", 0, &column("subject"));
            folded.name(&mail, "sender", 0, &column("sender"));
            folded.name(&mail, "from", 0, &column("header_from"));
            folded.text(&mail, "login", 0, &column("login"));
            mails.push(mail);
        }
        self.fold_below(&mails, &mut folded).await?;
        let is_full = messages.len() as i64 == BATCH;
        let reach = mails.pop().filter(|_| is_full).unwrap_or_default();
        let of_mail = |row: Vec<Value>| match &row[0] {
            Value::Text(mail) => Some((mail.clone(), row)),
            _ => None,
        };
        let rows = folded.rows().into_iter().filter_map(of_mail).collect();
        self.core.writer.write(FoldWrite { rows, reach }).await?;
        Ok(is_full)
    }

    /// The units and parts of these messages.
    async fn fold_below(&self, mails: &[String], folded: &mut Folded) -> Result<(), StoreError> {
        if mails.is_empty() {
            return Ok(());
        }
        let list = marks(1, mails.len());
        let ids = || mails.iter().map(|mail| mail.as_str().into()).collect::<Vec<Value>>();
        let sql = format!("select mail_id, unit_no, recipient from unit where mail_id in ({list})");
        let read = |row: &AnyRow| {
            Ok((row.try_get::<String, _>("mail_id")?, row.try_get("unit_no")?, row.try_get::<String, _>("recipient")?))
        };
        for (mail, number, recipient) in
            database::readable(&database::query(sql, ids()).fetch_all(&self.core.reads).await?, read)
        {
            folded.recipient(&mail, number, &recipient);
        }
        let sql = format!("select mail_id, part_no, name from part where name <> '' and mail_id in ({list})");
        let read = |row: &AnyRow| {
            Ok((row.try_get::<String, _>("mail_id")?, row.try_get("part_no")?, row.try_get::<String, _>("name")?))
        };
        for (mail, number, name) in
            database::readable(&database::query(sql, ids()).fetch_all(&self.core.reads).await?, read)
        {
            folded.text(&mail, "file", number, &name);
        }
        Ok(())
    }
}

impl Command for FoldWrite {
    type Reply = ();

    fn rows(&self) -> usize {
        1 + self.rows.len()
    }

    // A message that was purged meanwhile gets no row.
    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        let mut there = HashSet::new();
        let mails: BTreeSet<&str> = self.rows.iter().map(|(mail, _)| mail.as_str()).collect();
        for some in mails.into_iter().collect::<Vec<_>>().chunks(500) {
            let sql = format!("select mail_id from message where mail_id in ({})", marks(1, some.len()));
            let ids = some.iter().map(|mail| (*mail).into()).collect();
            for row in database::query(sql, ids).fetch_all(&mut *connection).await? {
                there.insert(row.try_get::<String, _>("mail_id")?);
            }
        }
        let rows = self.rows.iter().filter(|(mail, _)| there.contains(mail)).map(|(_, row)| row.clone()).collect();
        for group in database::in_groups(rows, FOLDED.len()) {
            let mut marks = Marks::of(connection);
            let sql = format!(
                "insert into folded ({}) values {} on conflict do nothing",
                FOLDED.join(","),
                marks.rows(group.len(), FOLDED.len())
            );
            database::query(sql, group.into_iter().flatten().collect()).execute(&mut *connection).await?;
        }
        let sql = "insert into folded_reach (one, before_mail) values (1, $1) on conflict (one) do update set \
            before_mail = excluded.before_mail";
        sqlx::query(sql).bind(self.reach.clone()).execute(connection).await?;
        Ok(())
    }
}
