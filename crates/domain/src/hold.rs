//! Legal hold: mail that neither expires nor is deleted until the hold is lifted.
//!
//! A hold is about one message, about everything that a query fits, or about all mail of a person. Which mail that is
//! depends on what is fixed when a mail arrives and on nothing else: so a mail cannot leave a hold but by a person's
//! word, whatever happens to it meanwhile, and what arrives later falls under it by itself.

use crate::query::{Field, Pattern, Piece, Query, Test};
use crate::{Address, MailId, Timestamp};

/// What a hold is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One message, by our id.
    Mail,
    /// What a query of the explorer fits.
    Query,
    /// Mail from or to an address.
    Person,
}

impl Kind {
    /// All kinds, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Mail, Self::Query, Self::Person];

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Query => "query",
            Self::Person => "person",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// That a hold was lifted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifted {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its number; 0 for one that is not made yet.
    pub number: u64,
    /// What it is about.
    pub kind: Kind,
    /// Which: the id of a message, a query, or an address.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub by: String,
    /// When: what a query's relative moments are relative to.
    pub at: Timestamp,
    /// Its end; none while it holds.
    pub lifted: Option<Lifted>,
}

impl Hold {
    /// Which mail it is about.
    ///
    /// # Errors
    /// What is wrong with `what`, for people.
    pub fn query(&self) -> Result<Query, String> {
        match self.kind {
            Kind::Mail => {
                let mail: MailId = self.what.parse().map_err(|error| format!("{error}"))?;
                Ok(Query::Term(Field::Id, Test::Is(Pattern::of(&mail.to_string()))))
            }
            Kind::Query => query(&self.what, self.at),
            Kind::Person => person(&self.what),
        }
    }
}

/// A query that asks only for what stays as it is.
fn query(text: &str, at: Timestamp) -> Result<Query, String> {
    let query = Query::parse(text, at).map_err(|error| error.what)?;
    match changing(&query) {
        None if is_everything(&query) => {
            Err("this query is all mail, whatever it says: if that is meant, write received:>=2000-01-01".into())
        }
        None => Ok(query),
        Some(field) => Err(format!(
            "{} of a mail can change, and a hold is about what stays: ask for sender, recipient, subject, received, \
             file, sha256 and the like, or hold each mail by its id",
            field.as_str()
        )),
    }
}

/// Whether a query fits every mail by its form alone, as an empty one does: `*`, `sender:*`, `a OR *`. What names a
/// bound does not, even where every mail there is lies within it: somebody has meant that.
fn is_everything(query: &Query) -> bool {
    match query {
        Query::All(some) => some.iter().all(is_everything),
        Query::Any(some) => some.iter().any(is_everything),
        Query::Not(one) => is_nothing(one),
        Query::Term(field, Test::Is(pattern)) => pattern.is_any() && has_each(*field),
        Query::Term(_, Test::Within(from, before)) => from.is_none() && before.is_none(),
        Query::Text(pattern) => pattern.is_any(),
    }
}

/// Whether it fits none by its form alone.
fn is_nothing(query: &Query) -> bool {
    match query {
        Query::All(some) => some.iter().any(is_nothing),
        Query::Any(some) => some.iter().all(is_nothing),
        Query::Not(one) => is_everything(one),
        Query::Term(..) | Query::Text(_) => false,
    }
}

/// Whether each mail has such a field, be it empty. A wildcard for another asks for those that have one.
fn has_each(field: Field) -> bool {
    !matches!(
        field,
        Field::MessageId | Field::Login | Field::File | Field::Type | Field::Sha256 | Field::Url | Field::Incident
    )
}

/// Mail from an address, by its envelope or its header, and mail to it.
fn person(text: &str) -> Result<Query, String> {
    let address = Address::parse(text).map_err(|error| format!("'{text}': {error}"))?;
    let (is, inside) = (Pattern::of(address.as_str()), Piece::Text(address.as_str().to_owned()));
    Ok(Query::Any(vec![
        Query::Term(Field::Sender, Test::Is(is.clone())),
        Query::Term(Field::Recipient, Test::Is(is)),
        Query::Term(Field::From, Test::Is(Pattern(vec![Piece::Many, inside, Piece::Many]))),
    ]))
}

/// A field that a query asks for and that may be another tomorrow. The query language bounds how deep a query goes.
fn changing(query: &Query) -> Option<Field> {
    match query {
        Query::All(some) | Query::Any(some) => some.iter().find_map(changing),
        Query::Not(one) => changing(one),
        Query::Term(field, _) => Some(*field).filter(|field| changes(*field)),
        Query::Text(_) => None,
    }
}

/// Whether a field may change after a mail has come: by a move, a new examination, an incident.
fn changes(field: Field) -> bool {
    use Field as F;
    match field {
        F::Category
        | F::Disposition
        | F::State
        | F::Detection
        | F::DetectionVersion
        | F::Engine
        | F::Ruleset
        | F::Incident => true,
        F::Id
        | F::Sender
        | F::From
        | F::FromDomain
        | F::Recipient
        | F::Domain
        | F::Subject
        | F::MessageId
        | F::Direction
        | F::File
        | F::Type
        | F::Sha256
        | F::Url
        | F::Ip
        | F::Login
        | F::Size
        | F::Received => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(kind: Kind, what: &str) -> Hold {
        let at = Timestamp::from_micros(1_795_000_000_000_000);
        Hold { number: 0, kind, what: what.into(), reason: "r".into(), by: "anna".into(), at, lifted: None }
    }

    #[test]
    fn a_hold_is_about_what_stays() {
        let taken =
            ["subject:offer", "sender:*@x.example received:>=-7d", "-ip:192.0.2.1", "a OR (file:*.docm size:>1k)"];
        for text in taken {
            assert!(hold(Kind::Query, text).query().is_ok(), "{text}");
        }
        for text in
            ["state:held", "sender:a (category:Malware OR subject:x)", "-detection:IMG-*", "incident:INC-1", "", " "]
        {
            assert!(hold(Kind::Query, text).query().is_err(), "{text}");
        }
        let wrong = hold(Kind::Query, "state:held").query().expect_err("it changes");
        assert!(wrong.contains("state"), "{wrong}");
    }

    #[test]
    fn all_mail_is_held_only_by_who_says_so() {
        for text in ["*", "**", "sender:*", "* *", "subject:a OR *", "recipient:* direction:*"] {
            let query = hold(Kind::Query, text).query();
            assert!(query.is_err(), "{text}: {query:?}");
        }
        for text in ["received:>=2000-01-01", "file:*", "login:*", "* subject:a", "sender:*@x.example", "-sender:a"] {
            assert!(hold(Kind::Query, text).query().is_ok(), "{text}");
        }
    }

    #[test]
    fn a_person_is_one_address_and_a_mail_is_one_id() {
        let mail = MailId::new(Timestamp::from_micros(1_795_000_000_000_000), [1; 10]).to_string();
        assert!(hold(Kind::Mail, &mail).query().is_ok() && hold(Kind::Mail, "x").query().is_err());
        assert!(hold(Kind::Person, "anna").query().is_err() && hold(Kind::Person, "").query().is_err());
        let Ok(Query::Any(ways)) = hold(Kind::Person, "anna@ours.example").query() else { panic!("three ways") };
        assert_eq!(ways.len(), 3);
    }

    #[test]
    fn relative_moments_stay_where_they_were() {
        let one = hold(Kind::Query, "received:>=-7d");
        assert_eq!(one.query(), one.query());
        let Ok(Query::Term(Field::Received, Test::Within(Some(from), None))) = one.query() else { panic!("a range") };
        assert_eq!(one.at.as_micros() - from, 7 * 86_400 * 1_000_000);
    }

    #[test]
    fn names_read_back() {
        assert!(Kind::ALL.into_iter().all(|kind| Kind::parse(kind.as_str()) == Some(kind)));
    }
}
