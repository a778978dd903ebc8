//! What one mail is about: to whom, from whom, which order, which day. A placeholder gets its value by its name.

use super::day::Day;
use super::language::Language;
use super::seed::Seed;

/// What templates call a person.
const PERSON: [&str; 18] = [
    "name",
    "username",
    "user",
    "fullname",
    "person",
    "customer",
    "login",
    "display",
    "member",
    "owner",
    "author",
    "inviter",
    "sender",
    "nickname",
    "realname",
    "contact",
    "subscriber",
    "handle",
];
/// What templates call a person who is not the recipient.
const SOMEBODY_ELSE: [&str; 19] = [
    "author",
    "actor",
    "inviter",
    "invited",
    "sender",
    "owner",
    "admin",
    "creator",
    "by",
    "invitedby",
    "assignee",
    "commenter",
    "staff",
    "manager",
    "editor",
    "requester",
    "submitter",
    "from",
    "speaker",
];
/// The facts that may have a name besides persons.
const NAMED: [&str; 5] = ["company", "domain", "product", "project", "comment"];
/// What templates call things, each with the fact that is meant; the first that fits.
const THINGS: &[(&[&str], &str)] = &[
    (
        &[
            "count",
            "lives",
            "quantity",
            "qty",
            "minutes",
            "hours",
            "days",
            "seats",
            "num",
            "limit",
            "remaining",
            "n",
            "counter",
            "ttl",
            "lifetime",
            "duration",
            "size",
            "percent",
            "length",
            "hr",
        ],
        "number",
    ),
    (&["protocol", "scheme"], "protocol"),
    (&["url", "link", "href", "uri", "route", "permalink", "webroot", "unsubscribe", "website"], "url"),
    (&["email", "mail", "recipient", "address1mail"], "email"),
    (&["firstname", "first", "given", "givenname", "fname"], "first"),
    (&["lastname", "surname", "family", "lname"], "last"),
    (&["ip", "ipaddress", "remote"], "ip"),
    (&["code", "otp", "pin", "passcode", "onetimecode", "token", "secret"], "code"),
    (
        &[
            "amount",
            "total",
            "price",
            "subtotal",
            "tax",
            "cost",
            "money",
            "balance",
            "fee",
            "paid",
            "discount",
            "shipping",
            "grandtotal",
            "gross",
            "net",
        ],
        "amount",
    ),
    (&["year"], "year"),
    (&["month"], "month"),
    (&["time", "hour", "clock"], "time"),
    (
        &[
            "date",
            "day",
            "expires",
            "expiry",
            "expiration",
            "created",
            "at",
            "deadline",
            "datetime",
            "timestamp",
            "when",
            "until",
            "due",
            "start",
            "end",
            "since",
            "on",
            "modified",
            "updated",
        ],
        "day",
    ),
    (&["device", "browser", "agent", "os", "ua", "client", "platform", "useragent"], "device"),
    (&["city", "location", "town", "region", "locality", "venue", "place"], "city"),
    (&["street", "address", "line1", "address1", "thoroughfare"], "street"),
    (&["country", "state"], "country"),
    (&["phone", "telephone", "mobile"], "phone"),
    (&["number", "reference", "id", "invoice", "increment", "sku", "key", "ref", "pk", "no", "value"], "order"),
    (
        &[
            "company",
            "site",
            "sitename",
            "brand",
            "app",
            "organisation",
            "organization",
            "store",
            "shop",
            "vendor",
            "instance",
            "appname",
            "business",
            "portal",
            "service",
            "realm",
        ],
        "company",
    ),
    (&["domain", "host", "hostname"], "domain"),
    (&["product", "item", "plan", "sku", "variant", "package", "subscription", "membership", "voucher"], "product"),
    (
        &[
            "project",
            "title",
            "topic",
            "event",
            "repo",
            "repository",
            "team",
            "group",
            "list",
            "issue",
            "task",
            "workspace",
            "submission",
            "course",
            "component",
            "board",
            "subject",
            "story",
            "collection",
            "release",
            "document",
            "category",
            "role",
            "newsletter",
            "conference",
            "room",
            "check",
            "thread",
            "page",
        ],
        "project",
    ),
    (
        &[
            "comment",
            "message",
            "reason",
            "note",
            "description",
            "body",
            "summary",
            "excerpt",
            "reply",
            "answer",
            "post",
        ],
        "comment",
    ),
    (&["headline", "heading"], "headline"),
];

/// Who sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Company {
    /// As its mails call it.
    pub(super) name: String,
    /// The domain that it sends from and links to.
    pub(super) domain: String,
}

impl Company {
    /// A company of this language: one of its list, or put together of two names.
    pub(super) fn some(language: &Language, seed: &mut Seed) -> Self {
        if seed.chance(25) {
            let (name, domain) = seed.pick(language.list("company")).split_once('|').unwrap_or_default();
            return Self { name: name.to_owned(), domain: domain.to_owned() };
        }
        let stem = seed.pick(language.list("stem"));
        let (kind, domain) = seed.pick(language.list("kind")).split_once('|').unwrap_or_default();
        let is_one_word = kind.starts_with(|letter: char| letter.is_lowercase());
        let joint = if !is_one_word && seed.chance(50) { "-" } else { "" };
        Self {
            name: if is_one_word { format!("{stem}{kind}") } else { format!("{stem} {kind}") },
            domain: format!("{}{joint}{domain}", plain(stem)),
        }
    }
}

/// What one mail is about.
pub(super) struct Facts<'a> {
    /// The language of the fillings.
    pub(super) language: &'a Language,
    /// Who sends.
    pub(super) company: Company,
    /// Who receives: first name.
    pub(super) first: String,
    /// Who receives: last name.
    pub(super) last: String,
    /// Who receives: address.
    pub(super) email: String,
    /// Somebody else: first name.
    pub(super) other_first: String,
    /// Somebody else: last name.
    pub(super) other_last: String,
    /// When it was sent.
    pub(super) day: Day,
    /// The number of an order, an invoice or a booking.
    pub(super) order: String,
    /// A code to sign in with.
    pub(super) code: String,
    /// A sum in hundredths.
    pub(super) amount: usize,
    /// An address of the net.
    pub(super) ip: String,
    /// Something that is sold.
    pub(super) product: String,
    /// Something that is worked at.
    pub(super) project: String,
    /// A place.
    pub(super) city: String,
    /// A road.
    pub(super) street: String,
    /// Another company.
    pub(super) other_company: Company,
    /// The vendor, which uses only a part of our sentences: what two vendors have in common is not our doing.
    pub(super) group: String,
}

impl<'a> Facts<'a> {
    /// The facts of one mail of this company.
    pub(super) fn of(language: &'a Language, company: Company, seed: &mut Seed) -> Self {
        let first = seed.pick(language.list("first")).to_owned();
        let last = seed.pick(language.list("last")).to_owned();
        let site = seed.pick(language.list("site"));
        let local = match seed.below(4) {
            0 => first.clone(),
            1 => format!("{}.{last}", first.chars().next().unwrap_or('a')),
            _ => format!("{first}.{last}"),
        };
        let order = match seed.below(4) {
            0 => seed.digits(6),
            1 => format!("{}-{}", seed.digits(4), seed.digits(5)),
            2 => format!("R{}", seed.digits(9)),
            _ => format!("2026-{}", seed.digits(4)),
        };
        Self {
            language,
            company,
            email: format!("{}@{site}", plain(&local)),
            other_first: another(language.list("first"), &first, seed),
            other_last: another(language.list("last"), &last, seed),
            first,
            last,
            day: Day::some(seed),
            order,
            code: seed.digits(6),
            amount: seed.between(9, 890) * 100 + seed.pick(&[0, 0, 50, 90, 95, 99]),
            ip: format!("{}.{}.{}.{}", seed.between(77, 95), seed.below(256), seed.below(256), seed.between(1, 254)),
            product: seed.pick(language.list("product")).to_owned(),
            project: seed.pick(language.list("project")).to_owned(),
            city: seed.pick(language.list("city")).to_owned(),
            street: seed.pick(language.list("street")).to_owned(),
            other_company: Company::some(language, seed),
            group: String::new(),
        }
    }

    /// First and last name of who receives.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    /// First and last name of somebody else.
    pub(super) fn other(&self) -> String {
        format!("{} {}", self.other_first, self.other_last)
    }

    /// A link of the sender's own, with a token.
    pub(super) fn link(&self, about: &str, seed: &mut Seed) -> String {
        let host = match seed.below(4) {
            0 => self.company.domain.clone(),
            1 => format!("app.{}", self.company.domain.trim_start_matches("www.")),
            _ => format!("www.{}", self.company.domain.trim_start_matches("www.")),
        };
        let path = path_about(about);
        match seed.below(4) {
            0 => format!("https://{host}/{path}"),
            1 => format!("https://{host}/{path}/{}", seed.token(22)),
            2 => format!("https://{host}/{path}?token={}", seed.token(40)),
            _ => format!("https://{host}/{path}?id={}&utm_source=email", seed.digits(7)),
        }
    }

    /// A sentence of our own with the facts in place of `{first}` and the like.
    pub(super) fn fill(&self, text: &str, seed: &mut Seed) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                rest = after;
                continue;
            };
            out.push_str(&self.fact(name, seed));
            rest = behind;
        }
        out.push_str(rest);
        out
    }

    /// A sentence of a list, of the part that this vendor uses.
    pub(super) fn sentence(&self, list: &str, seed: &mut Seed) -> String {
        let all = self.language.list(list);
        let is_ours = |one: &&&str| self.group.is_empty() || Seed::of(&[&self.group, one]).chance(34);
        let ours: Vec<&str> = all.iter().filter(is_ours).copied().collect();
        seed.pick(if ours.is_empty() { all } else { &ours }).to_owned()
    }

    fn fact(&self, name: &str, seed: &mut Seed) -> String {
        let list = |name: &str, seed: &mut Seed| seed.pick(self.language.list(name)).to_owned();
        match name {
            "first" => self.first.clone(),
            "last" => self.last.clone(),
            "name" => self.name(),
            "email" => self.email.clone(),
            "other" => self.other(),
            "otherfirst" => self.other_first.clone(),
            "otherlast" => self.other_last.clone(),
            "company" => self.company.name.clone(),
            "domain" => self.company.domain.clone(),
            "order" => self.order.clone(),
            "code" => self.code.clone(),
            "amount" => self.language.money(self.amount),
            "part" => self.language.money(self.amount / 5),
            "day" => self.language.day(self.day),
            "short" => self.language.short_day(self.day),
            "later" => self.language.day(self.day.after(9)),
            "laterday" => self.language.short_day(self.day.after(5)),
            "soon" => self.language.day(self.day.after(2)),
            "month" => {
                let (year, month, _) = self.day.civil();
                format!("{} {year}", self.language.list("months").get(month).copied().unwrap_or_default())
            }
            "year" => self.day.civil().0.to_string(),
            "time" => self.language.time(self.day),
            "ip" => self.ip.clone(),
            "city" => self.city.clone(),
            "street" => format!("{} {}", self.street, seed.between(1, 98)),
            "road" => self.street.clone(),
            "othercompany" => self.other_company.name.clone(),
            "otherdomain" => self.other_company.domain.clone(),
            "otheremail" => format!("{}@{}", plain(&self.other_first), self.other_company.domain),
            "otherlogin" => {
                format!("{}{}", plain(&self.other_first), plain(&self.other_last).get(..1).unwrap_or_default())
            }
            "login" => plain(&self.first),
            "slug" => slug(&self.project),
            "slug2" => slug(&list("project", seed)),
            "greet" => {
                let greeting = list("greeting", seed);
                self.fill(&greeting, seed)
            }
            "support" => format!("support@{}", self.company.domain.trim_start_matches("www.")),
            "country" => list("country", seed),
            "product" => self.product.clone(),
            "product2" => list("product", seed),
            "project" => self.project.clone(),
            "headline" => list("headline", seed),
            "sentence" => self.sentence("sentence", seed),
            "comment" => self.sentence("comment", seed),
            "device" => list("device", seed),
            "card" => seed.digits(4),
            "phone" => format!("+{} {} {}", seed.pick(&[44, 49, 33, 34, 39, 31]), seed.digits(3), seed.digits(7)),
            "url" => self.link("account", seed),
            "protocol" => "https".to_owned(),
            "number" => seed.between(2, 9).to_string(),
            "digits" => seed.digits(6),
            "tracking" => format!("00{}", seed.digits(18)),
            other => other.to_owned(),
        }
    }

    /// The value of a placeholder by its name, as templates of others call theirs.
    pub(super) fn named(&self, expression: &str, seed: &mut Seed) -> String {
        let words = Words::of(expression);
        if PERSON.contains(&words.last()) && !words.main(&["firstname", "lastname", "filename"]) {
            if words.any(&SOMEBODY_ELSE) {
                return self.other();
            }
            for (names, fact) in THINGS.iter().filter(|(_, fact)| NAMED.contains(fact)) {
                if words.any(names) {
                    return self.fact(fact, seed);
                }
            }
            return if words.any(&["username", "login", "handle", "nickname"]) {
                plain(&self.first)
            } else {
                self.name()
            };
        }
        if words.main(&["email", "mail"]) && words.any(&["support", "contact", "from", "sender", "admin", "help"]) {
            return self.fact("support", seed);
        }
        for (names, fact) in THINGS {
            if words.main(names) {
                return match *fact {
                    "url" => self.link(&words.joined(), seed),
                    "amount" => self.language.money(seed.between(400, 29_900)),
                    fact => self.fact(fact, seed),
                };
            }
        }
        for (names, fact) in THINGS {
            if words.any(names) {
                return if *fact == "url" { self.link(&words.joined(), seed) } else { self.fact(fact, seed) };
            }
        }
        String::new()
    }
}

/// The words of an expression: those of its last name, and all.
struct Words {
    main: Vec<String>,
    all: Vec<String>,
}

impl Words {
    fn of(expression: &str) -> Self {
        let expression = expression.split('|').next().unwrap_or_default();
        let head = expression.split(['(', '?', ',']).next().unwrap_or_default().trim();
        let last = head.rsplit(['.', '>', ':', '@', '$', ' ', '"', '\'']).find(|part| !part.is_empty());
        let useful = |part: &&str| !matches!(*part, "to_s" | "html" | "get" | "str" | "format" | "value" | "escape");
        let last = match last {
            Some(last) if useful(&last) => last,
            _ => head,
        };
        Self { main: words(last), all: words(expression) }
    }

    fn main(&self, of: &[&str]) -> bool {
        self.main.iter().any(|word| of.contains(&word.as_str()))
    }

    /// The last word of the last name; the words end with all of them as one.
    fn last(&self) -> &str {
        let at = self.main.len().saturating_sub(if self.main.len() > 1 { 2 } else { 1 });
        self.main.get(at).map_or("", String::as_str)
    }

    fn any(&self, of: &[&str]) -> bool {
        self.all.iter().any(|word| of.contains(&word.as_str()))
    }

    fn joined(&self) -> String {
        self.main.join("-")
    }
}

/// The words of a name in any of the usual ways to write one.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        if !letter.is_ascii_alphanumeric() || (letter.is_ascii_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = letter.is_ascii_lowercase();
        if let (true, Some(word)) = (letter.is_ascii_alphanumeric(), words.last_mut()) {
            word.push(letter.to_ascii_lowercase());
        }
    }
    let mut words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let whole = words.concat();
    if words.len() > 1 {
        words.push(whole);
    }
    words
}

/// The path that a link about something has.
fn path_about(about: &str) -> String {
    let said: Vec<&str> =
        about.split('-').filter(|word| !matches!(*word, "url" | "link" | "href" | "get" | "uri" | "")).collect();
    let path: String = said.iter().take(2).copied().collect::<Vec<_>>().join("/");
    let safe = !path.is_empty() && path.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '/');
    if safe { path } else { "account".to_owned() }
}

/// One of a list that is not the given one.
fn another(list: &[&str], given: &str, seed: &mut Seed) -> String {
    let others: Vec<&str> = list.iter().copied().filter(|one| *one != given).collect();
    seed.pick(&others).to_owned()
}

/// The first word of a name, as programs use it in addresses of projects.
fn slug(name: &str) -> String {
    plain(name.split(' ').next_back().unwrap_or(name))
}

/// Lower case and without accents, for addresses.
pub(super) fn plain(name: &str) -> String {
    let mut out = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            '\u{e4}' => out.push_str("ae"),
            '\u{f6}' | '\u{153}' => out.push_str("oe"),
            '\u{fc}' => out.push_str("ue"),
            '\u{df}' => out.push_str("ss"),
            '\u{e0}'..='\u{e5}' | '\u{105}' => out.push('a'),
            '\u{e7}' | '\u{107}' | '\u{10d}' => out.push('c'),
            '\u{e8}'..='\u{eb}' | '\u{119}' => out.push('e'),
            '\u{ec}'..='\u{ef}' | '\u{131}' => out.push('i'),
            '\u{f1}' | '\u{144}' => out.push('n'),
            '\u{f2}'..='\u{f5}' => out.push('o'),
            '\u{f9}'..='\u{fb}' => out.push('u'),
            '\u{142}' => out.push('l'),
            '\u{15b}' | '\u{15f}' => out.push('s'),
            '\u{17a}' | '\u{17c}' => out.push('z'),
            'a'..='z' | '0'..='9' | '.' | '-' => out.push(letter),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_gets_a_value_by_its_name() {
        let languages = Language::all();
        let german = languages.iter().find(|one| one.code == "de").expect("one of ours");
        let mut seed = Seed::of(&["facts"]);
        let company = Company { name: "Nordlicht".to_owned(), domain: "nordlicht.de".to_owned() };
        let facts = Facts::of(german, company, &mut seed);
        let mut named = |name: &str| facts.named(name, &mut seed);
        assert_eq!(named("user.get_full_name()"), facts.name());
        assert_eq!(named("order.customer.firstName"), facts.first);
        assert_eq!(named("@invitation.inviter.name"), facts.other());
        assert_eq!(named("site_name"), "Nordlicht");
        assert!(named("reset_password_url").contains("nordlicht.de/reset/password"));
        assert!(named("$order->grand_total").ends_with('\u{20ac}'));
        assert_eq!(named("loginCode"), facts.code);
        assert_eq!(named("quux"), "");
    }

    #[test]
    fn sentences_of_ours_are_filled() {
        let languages = Language::all();
        let german = languages.iter().find(|one| one.code == "de").expect("one of ours");
        let mut seed = Seed::of(&["fill"]);
        let facts = Facts::of(german, Company::some(german, &mut seed), &mut seed);
        let text = facts.fill("Hallo {first}, Nummer {order}.", &mut seed);
        assert_eq!(text, format!("Hallo {}, Nummer {}.", facts.first, facts.order));
    }
}
