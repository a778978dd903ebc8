//! The clients of recent mail, by what the record says of them.

use std::net::IpAddr;

use domain::Timestamp;
use sqlx::Row;

use crate::database::error::StoreError;
use crate::mail::MailStore;

/// Messages that are looked at, from the newest back: so the question costs the same however long the record is.
const LOOKED_AT: i64 = 50_000;

/// One client of recent mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecentClient {
    /// Its address.
    pub ip: IpAddr,
    /// When the first of these mails came.
    pub first: Timestamp,
    /// When the last came.
    pub last: Timestamp,
    /// How many they are.
    pub mails: u64,
}

impl MailStore {
    /// The clients of the newest mail that was clean and that the next hop took.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recent_clients(&self) -> Result<Vec<RecentClient>, StoreError> {
        let sql = "select client_ip, min(received_us) first_us, max(received_us) last_us, count(*) mails from (\
                   select m.client_ip, m.received_us from message m where m.category = 'Clean' and exists (\
                   select 1 from unit u where u.mail_id = m.mail_id and u.account = 'delivered') \
                   order by m.mail_id desc limit $1) recent group by client_ip";
        let rows = sqlx::query(sql).bind(LOOKED_AT).fetch_all(&self.core.reads).await?;
        let mut clients = Vec::with_capacity(rows.len());
        for row in rows {
            let ip: String = row.try_get("client_ip")?;
            let at = |name: &str| row.try_get::<i64, _>(name).map(Timestamp::from_micros);
            let mails = u64::try_from(row.try_get::<i64, _>("mails")?).unwrap_or(0);
            if let Ok(ip) = ip.parse() {
                clients.push(RecentClient { ip, first: at("first_us")?, last: at("last_us")?, mails });
            }
        }
        Ok(clients)
    }
}
