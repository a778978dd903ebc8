//! The name of a brand in a host that the brand does not own: `paypal-secure.example`, `paypal.com.verify.example`,
//! `micr0soft-login.example`.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::brand::{BRANDS, Brand, Spelling, brand_of_domain};
use super::host::{self, Kind};
use super::spelling::{self, Looks, Word};
use super::table::{cells, lines};

/// Where in a host the name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the label of a subdomain: partners and own systems are called so as well.
    Below,
    /// As the registered label, in plain letters, with nothing beside it: it may be a domain of the brand that the
    /// table does not know.
    Alone,
    /// In the registered label, beside other words or in look-alikes.
    Registered,
    /// In front of something that reads like the end of a host: `paypal.com.verify.example`.
    Decoy,
}

/// A brand that a host names.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The brand.
    pub brand: &'static Brand,
    /// Where its name stands.
    pub place: Place,
}

/// Labels of a host that are looked at, from its end.
const LABELS_MAX: usize = 12;
/// Pieces of a label that are joined to a name at most: `bank-of-america`.
const PIECES_MAX: usize = 5;
/// Letters that a name in a host has at least.
const LETTERS_MIN: usize = 3;
/// Letters that a name has at least to count as a piece of a label beside any other piece: shorter ones are the
/// initials of many, and count beside a word that phishing uses.
const LETTERS_AS_PIECE: usize = 4;
/// Letters that a name has at least to count when it is written together with such a word: `paypallogin`.
const LETTERS_IN_PIECE: usize = 5;
/// Such words written together with a name at most.
const LURES_MAX: usize = 3;

/// Ends of hosts that are no words of an own network.
const USUAL_ENDS: [&str; 3] = ["com", "net", "org"];

/// Words beside the name of a brand, as they look.
struct Lures {
    /// Words that phishing writes, and hardly anybody else.
    strong: HashSet<String>,
    /// Words that phishing writes, and shops and partners as well.
    weak: HashSet<String>,
    /// Words of those who are about a brand and do not pretend to be it.
    about: HashSet<String>,
}

static LURES: LazyLock<Lures> = LazyLock::new(|| {
    let of = |kind: &str| {
        let words = lines(include_str!("tables/lure.txt")).map(cells).filter(|[_, its, _]| *its == kind);
        words.map(|[word, ..]| spelling::merged(word)).collect()
    };
    Lures { strong: of("strong"), weak: of("weak"), about: of("about") }
});

/// The brand that a host names and that does not own it, in the place that says most.
pub fn brand_in_domain(host: &str) -> Option<Named> {
    let ascii = host::plain(host);
    if ascii.parse::<std::net::Ipv4Addr>().is_ok() || ascii.starts_with('[') {
        return None;
    }
    let (shown, _) = idna::domain_to_unicode(&ascii);
    let registrable = psl::domain_str(&shown).unwrap_or(&shown);
    let free = host::free_domain(&ascii);
    if free.is_none() && brand_of_domain(registrable).is_some() {
        return None;
    }
    let is_docs = free.is_some() && host::free_host(&ascii) == Some(Kind::Docs);
    let end = match free {
        Some(domain) => domain,
        None => registrable.split_once('.')?.1,
    };
    let before = shown.strip_suffix(end)?.strip_suffix('.')?;
    let labels: Vec<&str> = before.rsplit('.').take(LABELS_MAX).collect();
    let found = labels.iter().enumerate().filter_map(|(at, label)| {
        let found = Label::of(label).brand()?;
        let place = match at {
            0 if is_docs => Place::Below,
            0 if found.is_plain => Place::Alone,
            0 => Place::Registered,
            _ if found.is_whole && is_decoy(&labels, at, &found) => Place::Decoy,
            _ => Place::Below,
        };
        let is_clear = place == Place::Decoy || !found.needs_lure;
        let brand = BRANDS.all.get(found.brand).filter(|brand| is_clear && !brand.owns(registrable))?;
        Some(Named { brand, place })
    });
    found.max_by_key(|named| named.place)
}

/// Whether a name and the labels behind it read like a host of the brand: `ing.de.login.example`, but not
/// `apple.dev.example`. `labels` are from the end of the host.
fn is_decoy(labels: &[&str], at: usize, found: &Found) -> bool {
    let behind = |far: usize| at.checked_sub(far).and_then(|here| labels.get(here)).copied();
    let (Some(name), Some(one)) = (labels.get(at), behind(1)) else { return false };
    let brand = BRANDS.all.get(found.brand);
    let owns = |domain: String| brand.is_some_and(|brand| brand.owns(&domain));
    owns(format!("{name}.{one}"))
        || behind(2).is_some_and(|two| owns(format!("{name}.{one}.{two}")))
        || (USUAL_ENDS.contains(&one) && !found.needs_lure)
}

/// A label of a host.
struct Label<'h> {
    text: &'h str,
    /// Its pieces between hyphens as they look.
    pieces: Looks,
}

/// A brand in a label.
struct Found {
    brand: usize,
    /// Whether the label is nothing but the name.
    is_whole: bool,
    /// Whether it is, in plain letters.
    is_plain: bool,
    /// Whether it counts only beside a word that phishing uses, and has none.
    needs_lure: bool,
}

impl<'h> Label<'h> {
    fn of(text: &'h str) -> Self {
        let pieces = Looks::read(text.split(['-', '_']).filter(|piece| !piece.is_empty()));
        Self { text, pieces }
    }

    /// The brand with the longest name in the label that counts.
    fn brand(&self) -> Option<Found> {
        if self.pieces.iter().any(|piece| LURES.about.contains(piece.merged)) {
            return None;
        }
        let runs = self.runs().filter_map(|(at, count)| self.whole(at, count));
        let inside = (0..self.pieces.len()).filter_map(|at| self.inside(at));
        runs.chain(inside).max_by_key(|(letters, found)| (!found.needs_lure, *letters)).map(|(_, found)| found)
    }

    fn runs(&self) -> impl Iterator<Item = (usize, usize)> {
        let pieces = self.pieces.len();
        (0..pieces).flat_map(move |at| (1..=PIECES_MAX.min(pieces - at)).map(move |count| (at, count)))
    }

    /// A name that one or more pieces are, with its letters.
    fn whole(&self, at: usize, count: usize) -> Option<(usize, Found)> {
        let run = self.pieces.run(at, count)?;
        let spelling = BRANDS.by_letters.get(run.merged).filter(|spelling| spelling.is_near(run.plain))?;
        let letters = count_of_letters(spelling)?;
        let is_whole = count == self.pieces.len();
        let others = || self.pieces.iter().enumerate().filter(move |(here, _)| *here < at || *here >= at + count);
        let has_lure = others().any(|(_, piece)| is_lure(piece.merged));
        let has_strong_lure = others().any(|(_, piece)| is_strong_lure(piece.merged));
        let has_strange = others().any(|(_, piece)| !is_lure(piece.merged));
        let brand = BRANDS.all.get(spelling.brand)?;
        let needs_lure = if spelling.is_bare {
            !has_strong_lure || has_strange
        } else if brand.has_local_houses {
            !has_strong_lure
        } else {
            letters < LETTERS_AS_PIECE && !is_whole && !has_lure
        };
        let is_plain = is_whole && self.text.replace('-', "") == spelling.letters;
        Some((letters, Found { brand: spelling.brand, is_whole, is_plain, needs_lure }))
    }

    /// A name that a piece begins or ends with, when the rest of it is words that phishing uses.
    fn inside(&self, at: usize) -> Option<(usize, Found)> {
        let Word { plain, merged: piece } = self.pieces.get(at)?;
        let splits = piece.char_indices().map(|(split, _)| split).skip(1);
        let found = splits.flat_map(|split| {
            let (before, behind) = piece.split_at(split);
            // One letter stands for one in both forms.
            let (plain_before, plain_behind) = plain.split_at(split);
            [(before, plain_before, behind), (behind, plain_behind, before)]
        });
        let known = found.filter_map(|(name, plain, rest)| {
            let spelling = BRANDS.by_letters.get(name).filter(|one| !one.is_bare && one.is_near(plain))?;
            let letters = count_of_letters(spelling).filter(|letters| *letters >= LETTERS_IN_PIECE)?;
            lures_only(rest).then_some((letters, spelling.brand))
        });
        let (letters, brand) = known.max_by_key(|(letters, _)| *letters)?;
        Some((letters, Found { brand, is_whole: false, is_plain: false, needs_lure: false }))
    }
}

/// The letters of a spelling; none where it is too short for a host.
fn count_of_letters(spelling: &Spelling) -> Option<usize> {
    // `m` looks like `rn` and counts as one.
    let letters = spelling.plain.replace("rn", "m").chars().count();
    (letters >= LETTERS_MIN).then_some(letters)
}

fn is_lure(look: &str) -> bool {
    is_word(look) || is_number(look)
}

fn is_word(look: &str) -> bool {
    LURES.strong.contains(look) || LURES.weak.contains(look)
}

fn is_strong_lure(look: &str) -> bool {
    LURES.strong.contains(look)
}

/// Digits; `0` and `1` have become the letters that they look like.
fn is_number(look: &str) -> bool {
    look.chars().any(|c| c.is_ascii_digit()) && look.chars().all(|c| c.is_ascii_digit() || matches!(c, 'o' | 'l'))
}

/// Whether letters are words that phishing uses, one behind the other.
fn lures_only(mut letters: &str) -> bool {
    for _ in 0..LURES_MAX {
        if letters.is_empty() || is_number(letters) {
            return true;
        }
        let ends = letters.char_indices().map(|(at, c)| at + c.len_utf8()).rev();
        let longest = ends.filter_map(|end| letters.split_at_checked(end)).find(|(word, _)| is_word(word));
        let Some((_, rest)) = longest else { return false };
        letters = rest;
    }
    letters.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(host: &str) -> Option<(&'static str, Place)> {
        brand_in_domain(host).map(|named| (named.brand.name, named.place))
    }

    #[test]
    fn hosts_that_name_a_brand() {
        for (host, brand, place) in [
            ("paypal-secure.example", "PayPal", Place::Registered),
            ("www.secure-paypal.example", "PayPal", Place::Registered),
            ("paypal.com.verify.example", "PayPal", Place::Decoy),
            ("www.ing.de.login.example", "ING", Place::Decoy),
            ("amazon.co.uk.login.example", "Amazon", Place::Decoy),
            ("paypa1.com.login.example", "PayPal", Place::Decoy),
            ("micr0soft-login.example", "Microsoft", Place::Registered),
            ("rnicrosoft.example", "Microsoft", Place::Registered),
            ("paypai.example", "PayPal", Place::Registered),
            ("p\u{430}ypal.example", "PayPal", Place::Registered),
            ("xn--pypal-4ve.example", "PayPal", Place::Registered),
            ("paypal.example", "PayPal", Place::Alone),
            ("paypal.partner.example", "PayPal", Place::Below),
            ("dhl-tracking.example", "DHL", Place::Registered),
            ("ups-redelivery-fee.example", "UPS", Place::Registered),
            ("my-ebay.example", "eBay", Place::Registered),
            ("apple-id-verify.example", "Apple", Place::Registered),
            ("chase-secure-login.example", "Chase", Place::Registered),
            ("bank-of-america-alerts.example", "Bank of America", Place::Registered),
            ("paypalaccountverify.example", "PayPal", Place::Registered),
            ("loginmicrosoft365.example", "Microsoft", Place::Registered),
            ("sparkasse-sicherheit.example", "Sparkasse", Place::Registered),
            ("netflix-billing.web.app", "Netflix", Place::Registered),
            ("netflix-billing.weebly.com", "Netflix", Place::Registered),
        ] {
            assert_eq!(found(host), Some((brand, place)), "{host}");
        }
    }

    #[test]
    fn hosts_that_only_look_as_if() {
        for host in [
            "shipping.example",
            "groups.example",
            "marketing.example",
            "www.paypal.com",
            "outlook.office365.com",
            "deutsche-bank-stiftung.example",
            "deutsche-bank-stiftung.de",
            "purchase.example",
            "revolution.example",
            "orange-county-library.example",
            "target-shooting.example",
            "chase-miller.example",
            "san-francisco.example",
            "sparkasse-musterstadt.example",
            "volksbank-musterland.example",
            "siemens-bkk.example",
            "ups-batterien.example",
            "visa-service-berlin.example",
            "casa-dell-arte.example",
            "tim-bell.example",
            "apple-orchard.example",
            "wisely.example",
            "ingenieure.example",
            "203.0.113.9",
            "[2001:db8::1]",
            "microsoft.sharepoint.com",
            "apple.dev.company.example",
            "sky.dev.company.example",
            "example",
            "",
        ] {
            assert_eq!(found(host), None, "{host}");
        }
    }

    proptest! {
        #[test]
        fn any_host_is_read(host in "\\PC{0,60}", pieces in "([a-z0-9]{0,4}[-.]){0,40}") {
            brand_in_domain(&host);
            brand_in_domain(&pieces);
        }
    }
}
