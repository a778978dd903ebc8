//! The explorer: units by a query, newest first, and their sums.
//!
//! The record is looked through backwards in windows of time, each larger than the one before, until a page is full or
//! the time is over: so any query shows its first page soon, and says how far it has looked. Ids begin with their
//! moment, so a window costs nothing to find. What an index answers (a sender, a recipient, a Message-ID, a hash, an
//! address, a detection) is asked for by it, and crosses the record in a few windows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::ledger::Account;
use domain::query::{Field, Pattern, Piece, Query, Test};
use domain::{Direction, DomainName, MailId, Timestamp, fold};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::error::StoreError;
use crate::database::{self, Value, named, parsed};
use crate::explorer::ExplorerStore;
use crate::mail::arrival::unit_id;
use crate::people::scope::Scope;
use crate::rules::version::spellings;

/// Rows of one page at most.
pub const PAGE_MAX: usize = 500;
/// The first window.
const WINDOW_FIRST: Duration = Duration::from_secs(15 * 60);
/// How much smaller or larger a window is than the one before.
const WINDOW_GROWTH: std::ops::RangeInclusive<f64> = 0.25..=1000.0;
/// The largest window: everything.
const WINDOW_MAX: Duration = Duration::from_secs(100 * 366 * 86_400);
/// A window is never believed to have taken less.
const TOOK_MIN: Duration = Duration::from_micros(100);
/// By how much a message's id may lie beside the moment of its arrival.
pub(crate) const SLACK: Duration = Duration::from_secs(3600);
/// Columns over time, of each state, that one sum tells: more than 48 hours and 30 days have.
const GROUPS_MAX: usize = 1_000;

/// One recipient of one message, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Our id of the message.
    pub mail_id: MailId,
    /// The recipient's number in the envelope.
    pub number: u32,
    /// When it came.
    pub received: Timestamp,
    /// Which way it goes.
    pub direction: Direction,
    /// The reverse path.
    pub sender: String,
    /// The recipient.
    pub recipient: String,
    /// The subject.
    pub subject: String,
    /// The category, by name.
    pub category: String,
    /// What was decided.
    pub disposition: String,
    /// Whether that was acted on.
    pub enforced: bool,
    /// Where it is.
    pub account: Account,
    /// Bytes of the message.
    pub size: i64,
    /// The client's address.
    pub ip: String,
    /// The header `Message-ID`.
    pub message_id: Option<String>,
}

/// Where a page ended: the next one goes on behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExploreCursor {
    /// The message.
    pub mail_id: MailId,
    /// The last recipient of it that was shown; none when only the messages before it are left.
    pub number: Option<u32>,
}

impl ExploreCursor {
    /// Reads what [`std::fmt::Display`] writes: a message, or a message and a number behind a slash.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('/') {
            Some((mail, number)) => Some(Self { mail_id: mail.parse().ok()?, number: Some(number.parse().ok()?) }),
            None => Some(Self { mail_id: text.parse().ok()?, number: None }),
        }
    }

    /// Before everything that comes from a moment on.
    pub fn before(at: Timestamp) -> Self {
        Self { mail_id: MailId::new(at, [0; 10]), number: None }
    }
}

impl std::fmt::Display for ExploreCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.number {
            Some(number) => write!(f, "{}/{number}", self.mail_id),
            None => write!(f, "{}", self.mail_id),
        }
    }
}

/// A page of what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The units, newest first.
    pub rows: Vec<Found>,
    /// Where to go on; none when nothing is left.
    pub next: Option<ExploreCursor>,
    /// Whether the page is not full because the time was over.
    pub is_cut: bool,
}

/// Sums over what a query fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Units so far.
    pub units: u64,
    /// By each of [`PIVOTS`], and the value.
    pub by: BTreeMap<Field, BTreeMap<String, u64>>,
    /// By the beginning of each interval and the state.
    pub over_time: BTreeMap<(Timestamp, Account), u64>,
    /// Where to go on; none when everything was counted.
    pub next: Option<MailId>,
}

/// By what is summed up.
pub const PIVOTS: [Field; 4] = [Field::Direction, Field::Category, Field::Disposition, Field::State];

impl Summary {
    /// Adds a row of sums, whose slot is `interval` microseconds wide.
    pub(crate) fn add(&mut self, row: &AnyRow, interval: i64) -> Result<(), StoreError> {
        let units = u64::try_from(row.try_get::<i64, _>("units")?).unwrap_or(0);
        let account: Account = named(row, "account", Account::parse)?;
        self.units += units;
        for (field, column) in PIVOTS.into_iter().zip(["direction", "category", "disposition", "account"]) {
            let sums = self.by.entry(field).or_default();
            *sums.entry(row.try_get(column)?).or_default() += units;
        }
        let slot = Timestamp::from_micros(row.try_get::<i64, _>("slot")?.saturating_mul(interval));
        *self.over_time.entry((slot, account)).or_default() += units;
        Ok(())
    }

    /// Of the columns over time only the newest are told.
    pub(crate) fn newest(mut self) -> Self {
        while self.over_time.len() > GROUPS_MAX {
            self.over_time.pop_first();
        }
        self
    }
}

/// Part of the record: messages from the first id on, before the second.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) from: String,
    pub(crate) before: String,
}

/// Walks backwards through the record.
pub(crate) struct Walk {
    /// No message before this one is looked at.
    floor: String,
    /// Before this one; its moment.
    before: (String, Timestamp),
    span: Duration,
    began: Instant,
    budget: Duration,
}

impl Walk {
    /// The next window; none when nothing is left.
    pub(crate) fn next(&mut self) -> Option<Window> {
        let (before, at) = &self.before;
        if *before <= self.floor {
            return None;
        }
        let from_at = at.before(self.span);
        let from = MailId::new(from_at, [0; 10]).to_string().max(self.floor.clone());
        let window = Window { from: from.clone(), before: before.clone() };
        self.before = (from, from_at);
        Some(window)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.before.0 <= self.floor
    }

    /// Where it stands.
    pub(crate) fn at(&self) -> Timestamp {
        self.before.1
    }

    /// After a window that took so long: the next is as large as half of the time that is left should allow. Says
    /// whether there is any.
    pub(crate) fn has_time(&mut self, took: Duration) -> bool {
        let left = self.budget.saturating_sub(self.began.elapsed());
        let growth = left.as_secs_f64() / 2.0 / took.max(TOOK_MIN).as_secs_f64();
        let span = self.span.as_secs_f64() * growth.clamp(*WINDOW_GROWTH.start(), *WINDOW_GROWTH.end());
        self.span = Duration::from_secs_f64(span.clamp(1.0, WINDOW_MAX.as_secs_f64()));
        !left.is_zero()
    }
}

impl ExplorerStore {
    /// A page of the units that fit a query, newest first, behind `after`. It ends when it has `limit` units, nothing
    /// is left, or `budget` is over.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn explore(
        &self,
        query: &Query,
        scope: &Scope,
        after: Option<ExploreCursor>,
        limit: usize,
        budget: Duration,
    ) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, PAGE_MAX);
        let mut walk = self.walk(query, after.map(|place| place.mail_id), budget).await?;
        let mut page = Page::default();
        // What is left of the message at which the page before has ended.
        if let Some(ExploreCursor { mail_id, number: Some(number) }) = after {
            let window = Window { from: mail_id.to_string(), before: successor(mail_id) };
            let rows = self.rows_in(query, scope, &window, limit + 1).await?;
            page.rows.extend(rows.into_iter().filter(|row| row.number > number));
        }
        while page.rows.len() <= limit {
            let Some(window) = walk.next() else { break };
            let began = Instant::now();
            page.rows.extend(self.rows_in(query, scope, &window, limit + 1 - page.rows.len()).await?);
            if !walk.has_time(began.elapsed()) && page.rows.len() <= limit {
                page.is_cut = !walk.is_over();
                page.next = page.is_cut.then(|| place_of(&walk.before.0)).flatten();
                return Ok(page);
            }
        }
        if page.rows.len() > limit {
            page.rows.truncate(limit);
            page.next = page.rows.last().map(|row| ExploreCursor { mail_id: row.mail_id, number: Some(row.number) });
        }
        Ok(page)
    }

    /// Sums over the units that fit a query: by the roll-up where it covers the query (see [`crate::explorer::flow`]),
    /// and without `before`; else from messages before `before` on backwards, until `budget` is over. `interval` is the
    /// width of a column of the chart, in microseconds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn summarise(
        &self,
        query: &Query,
        scope: &Scope,
        before: Option<MailId>,
        interval: i64,
        budget: Duration,
    ) -> Result<Summary, StoreError> {
        if before.is_none()
            && let Some(summary) = self.summarise_flow(query, scope, interval).await?
        {
            return Ok(summary.newest());
        }
        let mut walk = self.walk(query, before, budget).await?;
        let mut summary = Summary::default();
        while let Some(window) = walk.next() {
            let began = Instant::now();
            self.add_up(query, scope, &window, interval, &mut summary).await?;
            if !walk.has_time(began.elapsed()) {
                summary.next = place_of(&walk.before.0).filter(|_| !walk.is_over()).map(|place| place.mail_id);
                break;
            }
        }
        Ok(summary.newest())
    }

    pub(crate) async fn walk(
        &self,
        query: &Query,
        before: Option<MailId>,
        budget: Duration,
    ) -> Result<Walk, StoreError> {
        let began = Instant::now();
        // Each by itself is the end of an index; both in one are a walk over all of it.
        let sql = "select (select min(mail_id) from message) as oldest, (select max(mail_id) from message) as newest";
        let row = sqlx::query(sql).fetch_one(&self.core.reads).await?;
        let end = |column: &str| {
            let id: Option<String> = row.try_get(column)?;
            id.map(|id| id.parse::<MailId>().map_err(|error| StoreError::Unreadable(error.to_string()))).transpose()
        };
        let (from, until) = span_of(query);
        let id = |at: Timestamp| MailId::new(at, [0; 10]).to_string();
        let (Some(oldest), Some(newest)) = (end("oldest")?, end("newest")?) else {
            let nothing = (String::new(), Timestamp::from_micros(0));
            return Ok(Walk { floor: String::new(), before: nothing, span: WINDOW_FIRST, began, budget });
        };
        let floor = from.map_or(oldest.to_string(), |at| id(at.before(SLACK)).max(oldest.to_string()));
        let end = (successor(newest), newest.at());
        let until = until.map(|at| (id(at.after(SLACK)), at.after(SLACK)));
        let before = before.map(|mail| (mail.to_string(), mail.at()));
        let before = [until, before].into_iter().flatten().fold(end, std::cmp::min);
        Ok(Walk { floor, before, span: WINDOW_FIRST, began, budget })
    }

    async fn rows_in(
        &self,
        query: &Query,
        scope: &Scope,
        window: &Window,
        limit: usize,
    ) -> Result<Vec<Found>, StoreError> {
        let mut sql = Conditions::new(window);
        let holds = sql.whole(query, scope);
        let limit = sql.value(i64::try_from(limit).unwrap_or(i64::MAX));
        let text = format!(
            "select u.mail_id, u.unit_no, u.recipient, u.direction, u.disposition, u.is_enforced, u.account, \
                m.received_us, m.sender, \
             m.subject, m.category, m.size_bytes, m.client_ip, m.message_id from unit u join message m on m.mail_id = \
             u.mail_id \
             where {holds} order by u.mail_id desc, u.unit_no limit {limit}"
        );
        database::query(text, sql.values).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    pub(crate) async fn add_up(
        &self,
        query: &Query,
        scope: &Scope,
        window: &Window,
        interval: i64,
        summary: &mut Summary,
    ) -> Result<(), StoreError> {
        let mut sql = Conditions::new(window);
        let interval = interval.max(1);
        let width = sql.value(interval);
        let holds = sql.whole(query, scope);
        let text = format!(
            "select direction, category, disposition, account, slot, count(*) as units from \
             (select u.direction, m.category, u.disposition, u.account, m.received_us / {width} as slot \
             from unit u join message m on m.mail_id = u.mail_id where {holds}) as fitting \
             group by direction, category, disposition, account, slot"
        );
        for row in database::query(text, sql.values).fetch_all(&self.core.reads).await? {
            summary.add(&row, interval)?;
        }
        Ok(())
    }
}

/// The id behind this one.
pub(crate) fn successor(mail: impl std::fmt::Display) -> String {
    format!("{mail}~")
}

fn place_of(before: &str) -> Option<ExploreCursor> {
    Some(ExploreCursor { mail_id: before.parse().ok()?, number: None })
}

/// The moments that a query can fit at all: what it demands of the time of arrival.
pub(crate) fn span_of(query: &Query) -> (Option<Timestamp>, Option<Timestamp>) {
    match query {
        Query::All(all) => all.iter().map(span_of).fold((None, None), |(from, until), (more_from, more_until)| {
            // `None` is less than any moment, which is right for a beginning and not for an end.
            let until = [until, more_until].into_iter().flatten().min();
            (from.max(more_from), until)
        }),
        Query::Term(Field::Received, Test::Within(from, until)) => {
            (from.map(Timestamp::from_micros), until.map(Timestamp::from_micros))
        }
        _ => (None, None),
    }
}

/// Conditions on a unit row `u` and its message row `m`, with their values; or on a row of sums `u`, which has no
/// window.
pub(crate) struct Conditions<'w> {
    window: Option<&'w Window>,
    pub(crate) values: Vec<Value>,
}

impl<'w> Conditions<'w> {
    pub(crate) fn new(window: &'w Window) -> Self {
        Self { window: Some(window), values: Vec::new() }
    }

    /// On rows of sums, of which only a query may be asked that they cover.
    pub(crate) fn of_sums() -> Self {
        Self { window: None, values: Vec::new() }
    }

    /// The mark of a value.
    pub(crate) fn value(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// The query, within the window and the scope.
    pub(crate) fn whole(&mut self, query: &Query, scope: &Scope) -> String {
        let (window, scope) = (self.in_window("u"), scope.condition(&mut self.values));
        format!("{window} and {scope} and {}", self.query(query))
    }

    fn in_window(&mut self, table: &str) -> String {
        let Some(window) = self.window else { return "1 = 1".into() };
        let (from, before) = (self.value(window.from.as_str()), self.value(window.before.as_str()));
        format!("{table}.mail_id >= {from} and {table}.mail_id < {before}")
    }

    pub(crate) fn query(&mut self, query: &Query) -> String {
        match query {
            Query::All(all) if all.is_empty() => "1 = 1".into(),
            Query::All(all) => format!("({})", all.iter().map(|one| self.query(one)).collect::<Vec<_>>().join(" and ")),
            Query::Any(any) => format!("({})", any.iter().map(|one| self.query(one)).collect::<Vec<_>>().join(" or ")),
            Query::Not(one) => format!("not {}", self.query(one)),
            Query::Text(pattern) => {
                let (subject, sender) = (self.subject(pattern), self.in_message("sender", "sender", pattern));
                format!("({subject} or {sender} or {})", self.recipient(pattern))
            }
            Query::Term(field, Test::Within(from, until)) => self.within(*field, *from, *until),
            Query::Term(field, Test::Is(pattern)) => self.is(*field, pattern),
        }
    }

    fn within(&mut self, field: Field, from: Option<i64>, until: Option<i64>) -> String {
        if self.window.is_none() {
            // Sums are of whole hours, which were chosen by it.
            return "1 = 1".into();
        }
        let column = if field == Field::Size { "m.size_bytes" } else { "m.received_us" };
        let from = from.map(|from| format!("{column} >= {}", self.value(from)));
        let until = until.map(|until| format!("{column} < {}", self.value(until)));
        let both: Vec<String> = from.into_iter().chain(until).collect();
        format!("({})", both.join(" and "))
    }

    fn is(&mut self, field: Field, pattern: &Pattern) -> String {
        match field {
            Field::Id => self.fits("u.mail_id", &with_case_folded(pattern)),
            Field::Sender if pattern.literal().is_some() => self.named_by_index("message", "sender", pattern),
            Field::Sender => self.in_message("sender", "sender", pattern),
            Field::Recipient if pattern.literal().is_some() => {
                let by_index = self.named_by_index("unit", "recipient", pattern);
                format!("({by_index} and {})", self.recipient(pattern))
            }
            Field::Recipient => self.recipient(pattern),
            Field::MessageId => self.indexed("x.message_id", "message", pattern),
            Field::Ip => self.indexed("x.client_ip", "message", pattern),
            Field::From => self.in_message("from", "header_from", pattern),
            Field::FromDomain => self.domain("lower(m.from_domain)", pattern),
            Field::Domain => self.domain("u.domain", pattern),
            Field::Subject => self.subject(pattern),
            Field::Direction => self.fits("u.direction", pattern),
            Field::Category => {
                let row = if self.window.is_some() { "m" } else { "u" };
                self.fits(&format!("{row}.category"), pattern)
            }
            Field::Disposition => self.fits("u.disposition", pattern),
            Field::State => self.fits("u.account", pattern),
            Field::Ruleset => self.fits("m.ruleset", &with_case_folded(pattern)),
            Field::Login => {
                let stored = self.fits("lower(coalesce(m.login, ''))", pattern);
                self.or_folded(&stored, "login", &with_case_folded(pattern))
            }
            Field::Detection => self.of_detection(pattern),
            Field::DetectionVersion => self.among("finding", "lower(x.detection_version)", pattern),
            Field::Engine => self.among("finding", "lower(x.engine)", pattern),
            Field::File => {
                let stored = self.among("part", "lower(x.name)", pattern);
                self.or_folded(&stored, "file", &with_case_folded(pattern))
            }
            Field::Type => {
                let family = self.among("part", "lower(x.family)", pattern);
                format!("({family} or {})", self.among("part", "lower(x.content_type)", pattern))
            }
            Field::Sha256 => {
                let pattern = &with_case_folded(pattern);
                let message = self.indexed("x.sha256", "message", pattern);
                format!("({message} or {})", self.indexed("x.sha256", "part", pattern))
            }
            Field::Url => {
                // A list of names in JSON: each stands in quotes.
                let quoted = [Piece::Many, Piece::Text("\"".into())].into_iter().chain(pattern.0.clone());
                let quoted = Pattern(quoted.chain([Piece::Text("\"".into()), Piece::Many]).collect());
                self.domain("lower(m.url_domains_json)", &quoted)
            }
            Field::Incident => {
                let fits = self.fits("i.incident", &upper(pattern));
                format!(
                    "exists (select 1 from incident_unit i where i.mail_id = u.mail_id and i.unit_no = u.unit_no and \
                        {fits})"
                )
            }
            // Their tests are ranges.
            Field::Size | Field::Received => "1 = 1".into(),
        }
    }

    /// A finding of a detection, in whatever case its code is written. The index knows codes as they are kept, so the
    /// spellings that are known are looked up first; they are few.
    fn of_detection(&mut self, pattern: &Pattern) -> String {
        let Some(code) = pattern.literal() else { return self.among("finding", "lower(x.detection)", pattern) };
        let (exact, lowered) = (self.value(code), self.value(code.to_lowercase()));
        let window = self.in_window("x");
        format!(
            "u.mail_id in (select x.mail_id from finding x where x.detection in \
             (select cast({exact} as text) union {}) and {window})",
            spellings(&lowered)
        )
    }

    /// A condition that an index answers when it names one value; its column is one of `x`.
    fn indexed(&mut self, column: &str, table: &str, pattern: &Pattern) -> String {
        if pattern.literal().is_some() || matches!(table, "finding" | "part") {
            return self.among(table, column, pattern);
        }
        self.fits(&column.replace("x.", "m."), pattern)
    }

    /// The message is one of those with such a row.
    fn among(&mut self, table: &str, column: &str, pattern: &Pattern) -> String {
        let fits = self.fits(column, pattern);
        let window = self.in_window("x");
        format!("u.mail_id in (select x.mail_id from {table} x where {fits} and {window})")
    }

    fn subject(&mut self, pattern: &Pattern) -> String {
        let stored = self.fits("lower(m.subject)", pattern);
        self.or_folded(&stored, "subject", &with_case_folded(pattern))
    }

    /// A column of the message with an address; `field` is its name in the table of folded texts.
    fn in_message(&mut self, field: &str, column: &str, pattern: &Pattern) -> String {
        let stored = self.name(&format!("lower(m.{column})"), pattern);
        self.or_folded(&stored, field, &with_u_labels(pattern))
    }

    /// The unit's own recipient.
    fn recipient(&mut self, pattern: &Pattern) -> String {
        let stored = self.name("lower(u.recipient)", pattern);
        if pattern.is_any() {
            return stored;
        }
        let fits = self.fits("f.folded", &with_u_labels(pattern));
        let window = self.in_window("f");
        format!(
            "({stored} or (u.mail_id, u.unit_no) in \
             (select f.mail_id, f.number from folded f where f.field = 'recipient' and {fits} and {window}))"
        )
    }

    /// The message has one address, found by the indexes of the stored and of the folded text.
    fn named_by_index(&mut self, table: &str, field: &str, pattern: &Pattern) -> String {
        let stored = self.name(&format!("lower(x.{field})"), pattern);
        let folded = self.fits("f.folded", &with_u_labels(pattern));
        let (of_stored, of_folded) = (self.in_window("x"), self.in_window("f"));
        format!(
            "u.mail_id in (select x.mail_id from {table} x where {stored} and {of_stored} union all \
             select f.mail_id from folded f where f.field = '{field}' and {folded} and {of_folded})"
        )
    }

    /// What fits where lower case is enough, or where another form is kept beside it.
    fn or_folded(&mut self, stored: &str, field: &str, pattern: &Pattern) -> String {
        if pattern.is_any() {
            return stored.to_owned();
        }
        let fits = self.fits("f.folded", pattern);
        let window = self.in_window("f");
        format!(
            "({stored} or u.mail_id in (select f.mail_id from folded f where f.field = '{field}' and {fits} and \
                {window}))"
        )
    }

    /// A column with an address in lower case, by either kind of labels.
    fn name(&mut self, column: &str, pattern: &Pattern) -> String {
        let (written, shown) = (with_case_folded(pattern), with_u_labels(pattern));
        let fits = self.fits(column, &written);
        if shown == written { fits } else { format!("({fits} or {})", self.fits(column, &shown)) }
    }

    /// A column with domains in lower case, which have A-labels since they are compared by them.
    fn domain(&mut self, column: &str, pattern: &Pattern) -> String {
        let (written, ascii) = (with_case_folded(pattern), with_a_labels(pattern));
        let fits = self.fits(column, &ascii);
        if written == ascii { fits } else { format!("({fits} or {})", self.fits(column, &written)) }
    }

    /// A column that fits a pattern, whatever the case where the column is made lower.
    fn fits(&mut self, column: &str, pattern: &Pattern) -> String {
        let pattern = if column.starts_with("lower(") { with_case_folded(pattern) } else { pattern.clone() };
        match pattern.literal() {
            Some(text) => format!("{column} = {}", self.value(text)),
            None if pattern.is_any() => format!("{column} <> ''"),
            None => format!("{column} like {} escape '\\'", self.value(like(&pattern))),
        }
    }
}

fn upper(pattern: &Pattern) -> Pattern {
    changed(pattern, |text| text.to_ascii_uppercase())
}

/// As texts are folded for searching.
fn with_case_folded(pattern: &Pattern) -> Pattern {
    changed(pattern, fold::text)
}

/// As addresses are folded for searching.
fn with_u_labels(pattern: &Pattern) -> Pattern {
    changed(pattern, fold::name)
}

/// As domains are compared. A label with a wildcard in it is compared as it is written.
fn with_a_labels(pattern: &Pattern) -> Pattern {
    let label = |label: &str| if label.is_ascii() { label.to_ascii_lowercase() } else { DomainName::of(label).into() };
    changed(pattern, |text| text.split('.').map(label).collect::<Vec<_>>().join("."))
}

fn changed(pattern: &Pattern, change: impl Fn(&str) -> String) -> Pattern {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => Piece::Text(change(text)),
        other => other.clone(),
    };
    Pattern(pattern.0.iter().map(piece).collect())
}

/// As a pattern of `like`, its own signs taken literally.
fn like(pattern: &Pattern) -> String {
    let mut out = String::new();
    for piece in &pattern.0 {
        match piece {
            Piece::Many => out.push('%'),
            Piece::One => out.push('_'),
            Piece::Text(text) => {
                for c in text.chars() {
                    if matches!(c, '%' | '_' | '\\') {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
        }
    }
    out
}

fn read(row: &AnyRow) -> Result<Found, StoreError> {
    Ok(Found {
        mail_id: parsed(row, "mail_id")?,
        number: unit_id(row)?.number,
        received: Timestamp::from_micros(row.try_get("received_us")?),
        direction: named(row, "direction", Direction::parse)?,
        sender: row.try_get("sender")?,
        recipient: row.try_get("recipient")?,
        subject: row.try_get("subject")?,
        category: row.try_get("category")?,
        disposition: row.try_get("disposition")?,
        enforced: row.try_get::<i64, _>("is_enforced")? == 1,
        account: named(row, "account", Account::parse)?,
        size: row.try_get("size_bytes")?,
        ip: row.try_get("client_ip")?,
        message_id: row.try_get("message_id")?,
    })
}
