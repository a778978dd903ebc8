//! The vendors: whose templates are rendered, from where, under which licence. The table is `vendors.txt`.

use anyhow::{Context, Result, bail};

const TABLE: &str = include_str!("vendors.txt");

/// One project or company whose templates were written by one hand.
#[derive(Clone, Default)]
pub(super) struct Vendor {
    /// Its name, and that of its folder.
    pub(super) name: String,
    /// A repository and its commit (`github:`), or a package and its version (`pip:`, `npm:`).
    pub(super) from: String,
    /// The licence of the templates.
    pub(super) licence: String,
    /// The language of its templates.
    pub(super) syntax: String,
    /// Name and domain of the service that sends these mails itself, if there is one.
    pub(super) home: Option<(String, String)>,
    /// Files of translations, with `{lang}` for the language.
    pub(super) catalogs: Vec<String>,
    /// Templates, and the genre where the name does not say it.
    pub(super) takes: Vec<(String, String)>,
    /// What is no template though it is among the files.
    pub(super) not: Vec<String>,
    /// What is put around the templates.
    pub(super) layout: String,
    /// How the name of the file with the subject is made of the template's: an end, and what stands instead.
    pub(super) subject: Option<(String, String)>,
    /// Whether the first line of a template is its subject.
    pub(super) subject_first: bool,
    /// Whether what is filled is MJML still.
    pub(super) is_mjml: bool,
    /// Where own texts go in a layout of this vendor: a file, and the marks around the place.
    pub(super) frame: Option<(String, String, String)>,
}

impl Vendor {
    /// The genre of a template.
    pub(super) fn genre(&self, path: &str, given: &str) -> &'static str {
        genre(if given.is_empty() { path } else { given })
    }
}

/// All of the table.
pub(super) fn all() -> Result<Vec<Vendor>> {
    let mut vendors: Vec<Vendor> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let (key, value) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        if key == "vendor" {
            vendors.push(Vendor { name: value.to_owned(), ..Vendor::default() });
            continue;
        }
        let vendor = vendors.last_mut().context("the table begins with a vendor")?;
        read(vendor, key, value).with_context(|| format!("vendors.txt: {line}"))?;
    }
    Ok(vendors)
}

fn read(vendor: &mut Vendor, key: &str, value: &str) -> Result<()> {
    let words: Vec<&str> = value.split_whitespace().collect();
    match (key, words.as_slice()) {
        ("from", [from]) => vendor.from = (*from).to_owned(),
        ("licence", _) => vendor.licence = value.to_owned(),
        ("syntax", [syntax]) => vendor.syntax = (*syntax).to_owned(),
        ("home", [domain, name @ ..]) => vendor.home = Some((name.join(" "), (*domain).to_owned())),
        ("catalog", [path]) => vendor.catalogs.push((*path).to_owned()),
        ("take", [glob]) => vendor.takes.push(((*glob).to_owned(), String::new())),
        ("take", [glob, genre]) => vendor.takes.push(((*glob).to_owned(), (*genre).to_owned())),
        ("not", globs) => vendor.not.extend(globs.iter().map(|glob| (*glob).to_owned())),
        ("layout", [path]) => vendor.layout = (*path).to_owned(),
        ("subject", ["first-line"]) => vendor.subject_first = true,
        ("subject", [end, instead]) => vendor.subject = Some(((*end).to_owned(), (*instead).to_owned())),
        ("render", ["mjml"]) => vendor.is_mjml = true,
        ("frame", [path, ..]) => {
            let marks: Vec<&str> = value.splitn(4, '|').collect();
            let mark = |at: usize| marks.get(at).map(|mark| mark.trim().to_owned()).unwrap_or_default();
            vendor.frame = Some(((*path).to_owned(), mark(1), mark(2)));
        }
        _ => bail!("no such line"),
    }
    Ok(())
}

/// The genres, each with what the names of its templates have in them; the first that fits.
const GENRES: [(&str, &[&str]); 17] = [
    (
        "dunning",
        &[
            "dunning",
            "payment_fail",
            "payment-fail",
            "card-expir",
            "billing_expired",
            "trial-expir",
            "past_due",
            "expired",
            "expiring",
            "overdue",
        ],
    ),
    (
        "code",
        &[
            "passcode",
            "login_code",
            "logincode",
            "otp",
            "one-time",
            "two_factor_token",
            "2fa_token",
            "unblock_code",
            "_code",
            "-code",
            "otc",
            "magic",
            "twofactoremail",
        ],
    ),
    (
        "signin",
        &[
            "new_device",
            "new-device",
            "newdevice",
            "unrecognized",
            "new_login",
            "login",
            "logged",
            "unknown_account",
            "sign_in",
            "signin",
        ],
    ),
    ("reset", &["reset", "recover", "forgot", "lost_password", "password_request", "password"]),
    ("survey", &["survey", "feedback", "review_request", "rating"]),
    ("invoice", &["invoice", "billing", "bill"]),
    ("shipping", &["ship", "fulfil", "deliver", "dispatch", "carton", "tracking"]),
    (
        "receipt",
        &[
            "receipt",
            "order",
            "payment",
            "purchase",
            "checkout",
            "refund",
            "donation",
            "subscription_",
            "creditmemo",
            "gift",
        ],
    ),
    ("booking", &["booking", "reserv", "ticket"]),
    ("invitation", &["invit", "invite", "referral", "share"]),
    ("welcome", &["welcome", "onboard", "getting-started", "registered", "activated", "signup"]),
    ("confirmation", &["verif", "confirm", "activ", "optin", "opt-in", "validate", "email_change", "change_email"]),
    (
        "alert",
        &[
            "security",
            "alert",
            "changed",
            "removed",
            "added",
            "two-factor",
            "two_factor",
            "mfa",
            "api_key",
            "token",
            "credential",
            "totp",
            "webauthn",
            "change",
            "delete",
            "disabled",
        ],
    ),
    ("newsletter", &["newsletter", "digest", "news", "drip", "letter", "weekly", "issue_published"]),
    ("marketing", &["marketing", "promo", "sale", "campaign", "hero", "product", "abandon", "coupon"]),
    ("notification", &["notif", "comment", "mention", "reply", "report", "status", "issue", "task"]),
    ("notification", &[""]),
];

fn genre(path: &str) -> &'static str {
    let path = path.to_lowercase();
    let file = path.rsplit('/').take(2).collect::<Vec<_>>().join("/");
    if let Some((name, _)) = GENRES.iter().find(|(name, _)| *name == path) {
        return name;
    }
    let fits = |text: &str| GENRES.iter().find(|(_, words)| words.iter().any(|word| text.contains(word)));
    fits(&file).map_or("notification", |(name, _)| name)
}

/// Whether a path fits a pattern in which `*` stands for anything.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    let mut rest = path;
    let pieces: Vec<&str> = pattern.split('*').collect();
    for (at, piece) in pieces.iter().enumerate() {
        let found = match at {
            0 => rest.starts_with(piece).then_some(0),
            _ if at + 1 == pieces.len() => rest.ends_with(piece).then(|| rest.len() - piece.len()),
            _ => rest.find(piece),
        };
        let Some(found) = found else { return false };
        rest = rest.get(found + piece.len()..).unwrap_or_default();
    }
    pieces.len() > 1 || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_every_vendor_says_where_it_is_from() {
        let vendors = all().expect("the table");
        assert!(vendors.len() >= 40, "{}", vendors.len());
        for vendor in &vendors {
            assert!(vendor.from.contains(['@', '=']) && !vendor.licence.is_empty(), "{}", vendor.name);
            assert!(!vendor.takes.is_empty() && !vendor.syntax.is_empty(), "{}", vendor.name);
        }
    }

    #[test]
    fn every_vendor_stands_with_its_licence_in_the_document() {
        let document = include_str!("../../../docs/goodmail.md");
        for vendor in all().expect("the table") {
            let row = format!("| {} | {} | {} |", vendor.name, vendor.from, vendor.licence);
            assert!(document.contains(&row), "docs/goodmail.md lacks {row}");
        }
    }

    #[test]
    fn what_is_kept_for_judging_is_not_in_the_table() {
        for kept in ["react-email", "kitinerary", "sublime"] {
            assert!(!TABLE.contains(kept), "{kept}");
        }
    }

    #[test]
    fn names_say_the_genre_and_patterns_the_path() {
        assert_eq!(genre("email/password-reset/body.html"), "reset");
        assert_eq!(genre("orders/created.blade.php"), "receipt");
        assert_eq!(genre("newsletter"), "newsletter");
        assert!(fits("a/*/body.html", "a/b/c/body.html") && !fits("a/*/body.html", "a/b/body.txt"));
        assert!(fits("a.html", "a.html") && !fits("a.html", "a.html.x"));
    }
}
