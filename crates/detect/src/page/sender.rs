//! Who a mail says it is from: tricks with names and domains that need no lookup.

use domain::DomainName;
use domain::message::Message;

use super::clipped;
use super::link::imitates;
use super::url::registrable;
use crate::structure::Check;

/// What is said of the sender. `own` are the accepted domains; `name` is the display name of From, `reply_to` the
/// address of Reply-To.
pub fn look(message: &Message, name: &str, reply_to: &str, own: &[String]) -> Vec<(Check, String)> {
    let mut found = Vec::new();
    let from = message.from_domain.as_str();
    if from.is_empty() {
        return found;
    }
    // As people read it: what is imitated is a look.
    let domain = registrable(from);
    let is_own = own
        .iter()
        .any(|one| from == one.trim_start_matches('.') || from.ends_with(&format!(".{}", one.trim_start_matches('.'))));
    if !is_own && let Some(model) = imitates(&domain, own.iter().map(|one| one.trim_start_matches('.'))) {
        found.push((Check::SenderLookalike, format!("{domain} looks like {model}")));
    }
    // An address of ours as the name, another behind it. Lists write "anna@ours.example via list", and that is more
    // than an address.
    let shown = name.trim().trim_matches(['"', '\'', '<', '>']);
    if let Some((_, shown_domain)) = shown.rsplit_once('@')
        && !shown.contains(char::is_whitespace)
        && !is_own
        && own.contains(&DomainName::of(shown_domain).into())
    {
        found.push((Check::SenderName, format!("shows '{}', is {}", clipped(shown), message.from)));
    }
    if let Some((_, reply)) = reply_to.rsplit_once('@') {
        let reply = registrable(&DomainName::of(reply));
        if reply != domain {
            found.push((Check::SenderReplyTo, format!("answers go to {reply}, not to {domain}")));
        }
    }
    found.into_iter().map(|(check, evidence)| (check, crate::mime::clean(&evidence))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime;

    fn checks(from: &str, name: &str, reply_to: &str) -> Vec<Check> {
        let mut message = mime::alone(b"", "", "").message;
        message.from = from.into();
        message.from_domain =
            from.rsplit_once('@').map(|(_, domain)| DomainName::of(domain).into()).unwrap_or_default();
        look(&message, name, reply_to, &["ours.example".to_owned()]).into_iter().map(|(check, _)| check).collect()
    }

    #[test]
    fn senders() {
        use Check as C;
        assert_eq!(checks("anna@partner.example", "Anna", ""), []);
        assert_eq!(checks("anna@ours.example", "anna@ours.example", ""), []);
        assert_eq!(checks("anna@mail.partner.example", "Anna", "anna@partner.example"), []);
        assert_eq!(checks("list@lists.example", "anna@ours.example via list", ""), []);
        assert_eq!(checks("boss@0urs.example", "Boss", ""), [C::SenderLookalike]);
        // A Cyrillic letter, in either kind of labels.
        assert_eq!(checks("boss@оurs.example", "Boss", ""), [C::SenderLookalike]);
        assert_eq!(checks("boss@xn--urs-red.example", "Boss", ""), [C::SenderLookalike]);
        assert_eq!(checks("a@bücher.example", "A", "b@xn--bcher-kva.example"), []);
        assert_eq!(checks("x@freemail.example", "boss@ours.example", ""), [C::SenderName]);
        assert_eq!(checks("anna@partner.example", "Anna", "anna@freemail.example"), [C::SenderReplyTo]);
        assert_eq!(checks("", "", ""), []);
    }
}
