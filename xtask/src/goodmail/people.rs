//! Mail of people: short business and private mail in eight languages, notes with a file, and mail of lists. What
//! frauds imitate is here as it is written in earnest.

use super::Mail;
use super::attachment;
use super::encode::mailbox;
use super::facts::{Company, Facts, plain};
use super::language::Language;
use super::letter::Letter;
use super::seed::Seed;
use super::service::Service;
use super::text::{Text, all};

const TEXTS: &str = include_str!("texts/people.txt");
const NOTES: &str = include_str!("texts/notes.txt");
/// Mails of one text.
const FILLINGS: usize = 7;
/// Notes of one language.
const NOTES_EACH: usize = 26;
/// Mails of one list.
const OF_A_LIST: usize = 14;
/// Where people have their private addresses.
const FREE: [(&str, &[&str]); 8] = [
    ("en", &["gmail.com", "gmail.com", "outlook.com", "yahoo.com", "icloud.com", "btinternet.com"]),
    ("de", &["gmx.de", "web.de", "t-online.de", "gmail.com", "posteo.de", "freenet.de"]),
    ("fr", &["orange.fr", "free.fr", "gmail.com", "laposte.net", "wanadoo.fr"]),
    ("es", &["gmail.com", "hotmail.com", "telefonica.net", "yahoo.es"]),
    ("pt", &["gmail.com", "uol.com.br", "hotmail.com", "terra.com.br", "sapo.pt"]),
    ("it", &["libero.it", "gmail.com", "virgilio.it", "tiscali.it", "alice.it"]),
    ("nl", &["gmail.com", "ziggo.nl", "kpnmail.nl", "hotmail.nl", "xs4all.nl"]),
    ("pl", &["wp.pl", "onet.pl", "gmail.com", "interia.pl", "o2.pl"]),
];
/// Lists: name, address, software.
const LISTS: [(&str, &str, &str); 8] = [
    ("garden-talk", "garden-talk@lists.kleingarten-netz.org", "Mailman"),
    ("ruderer", "ruderer@listen.ruderverein-ost.de", "Mailman"),
    ("opennav-dev", "opennav-dev@googlegroups.com", "Google Groups"),
    ("parents-4b", "parents-4b@groups.io", "Groups.io"),
    ("bibliothek-l", "BIBLIOTHEK-L@LISTSERV.UNI-NORDMARK.DE", "LISTSERV"),
    ("liste-paysage", "liste-paysage@listes.terroirs.fr", "Sympa"),
    ("tidelog-users", "tidelog-users@lists.tidelog.org", "Mailman"),
    ("kettle", "kettle@lists.sr.ht", "lists.sr.ht"),
];

/// All mail of people.
pub(super) fn mails(languages: &[Language]) -> Vec<Mail> {
    let mut mails = Vec::new();
    for (at, text) in all(TEXTS, ' ').iter().enumerate() {
        for filling in 0..FILLINGS {
            mails.extend(letter(text, languages, Seed::of(&["people", &at.to_string(), &filling.to_string()])));
        }
    }
    for line in NOTES.lines() {
        let Some((code, notes)) = line.split_once('|') else { continue };
        let Some(language) = languages.iter().find(|one| one.code == code) else { continue };
        let notes: Vec<&str> = notes.split('|').collect();
        mails.extend((0..NOTES_EACH).map(|at| note(&notes, language, Seed::of(&["note", code, &at.to_string()]))));
    }
    for list in LISTS {
        mails.extend(
            (0..OF_A_LIST).filter_map(|at| listed(list, languages, Seed::of(&["list", list.0, &at.to_string()]))),
        );
    }
    mails
}

/// A person of another company or with a private address, who writes.
fn writer(facts: &mut Facts, whose: &str, seed: &mut Seed) -> (String, Service) {
    let free = FREE.iter().find(|(code, _)| *code == facts.language.code).map_or(&[][..], |(_, hosts)| *hosts);
    let (first, last) = (plain(&facts.other_first), plain(&facts.other_last));
    let site = facts.email.rsplit('@').next().unwrap_or_default().to_owned();
    let domain = match whose {
        "free" => seed.pick(free).to_owned(),
        "own" => site,
        "other" if seed.chance(50) => seed.pick(free).to_owned(),
        _ => facts.other_company.domain.clone(),
    };
    let local = match seed.below(5) {
        0 => format!("{}{last}", first.get(..1).unwrap_or_default()),
        1 if whose == "free" => format!("{first}{last}{}", seed.between(60, 99)),
        2 => format!("{first}_{last}"),
        3 => first,
        _ => format!("{first}.{last}"),
    };
    let service = match domain.as_str() {
        "gmail.com" => Service::Google,
        "outlook.com" | "hotmail.com" | "hotmail.nl" => Service::Microsoft,
        _ => seed.pick(&[Service::Microsoft, Service::Google, Service::Own, Service::Own]),
    };
    facts.company = Company { name: facts.other_company.name.clone(), domain: domain.clone() };
    (
        format!("{local}@{domain}"),
        if whose == "free" && service == Service::Microsoft && !domain.contains("o") { Service::Own } else { service },
    )
}

fn letter(text: &Text, languages: &[Language], mut seed: Seed) -> Option<Mail> {
    let [kind, code, whose] = text.head.as_slice() else { return None };
    let language = languages.iter().find(|one| one.code == *code)?;
    let mut facts = Facts::of(language, Company::default(), &mut seed);
    let (address, service) = writer(&mut facts, whose, &mut seed);
    let filled = text.filled(&facts, &mut seed);
    let mut lines: Vec<String> = filled.lines.into_iter().map(|(_, line)| line).collect();
    if *whose == "firm" && seed.chance(70) {
        lines.push(signature(&facts, &address, &mut seed));
    }
    if seed.chance(25) {
        let day = facts.language.short_day(facts.day.after(-1));
        lines.push(format!(
            "{} {day}: {} <{}>\n> {}",
            on(code),
            facts.name(),
            facts.email,
            seed.pick(language.list("comment"))
        ));
    }
    let mut letter = Letter {
        from: facts.other(),
        address,
        subject: filled.subject,
        service,
        text: lines.join("\n\n"),
        ..Letter::default()
    };
    if *kind == "hr" && seed.chance(50) || *kind == "it" && seed.chance(50) {
        letter.from = department(kind, code).to_owned();
    }
    if let Some(file) = filled.file {
        letter.attachments.push(attachment::named(&file, &letter.text, &mut seed));
    }
    page(&mut letter, &mut seed);
    let genre = if *kind == "invoice" { "invoice" } else { "personal" };
    Some(mail("people", genre, language, "texts/people.txt", &letter, &facts, seed))
}

fn mail(
    group: &str,
    genre: &'static str,
    language: &Language,
    source: &str,
    letter: &Letter,
    facts: &Facts,
    mut seed: Seed,
) -> Mail {
    Mail {
        vendor: format!("{group}-{}", language.code),
        genre,
        language: language.code,
        source: source.to_owned(),
        bytes: letter.bytes(facts, &mut seed),
    }
}

/// As programs of people write a text as a page beside it.
fn page(letter: &mut Letter, seed: &mut Seed) {
    let lines: Vec<String> = letter.text.split("\n\n").map(|line| line.replace('\n', "<br>")).collect();
    letter.html = match (letter.service, seed.below(10)) {
        (_, 0..=2) => return,
        (Service::Microsoft, _) => {
            let lines: String = lines
                .iter()
                .map(|line| {
                    format!(
                        "<p class=\"MsoNormal\">{line}<o:p></o:p></p>\n<p class=\"MsoNormal\"><o:p>&nbsp;</o:p></p>\n"
                    )
                })
                .collect();
            format!(
                "<html xmlns:o=\"urn:schemas-microsoft-com:office:office\" \
                    xmlns=\"http://www.w3.org/TR/REC-html40\">\n<head>\n\
                <meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\n<style><!--\np.MsoNormal \
                {{margin:0cm; font-size:11.0pt; \
                font-family:\"Calibri\",sans-serif;}}\n--></style>\n</head>\n<body lang=\"EN-GB\">\n<div \
                class=\"WordSection1\">\n{lines}</div>\n</body>\n</html>\n"
            )
        }
        (Service::Google, _) => {
            format!("<div dir=\"ltr\"><div>{}</div></div>\n", lines.join("</div><div><br></div><div>"))
        }
        _ => format!(
            "<html><head><meta http-equiv=\"content-type\" content=\"text/html; \
                charset=UTF-8\"></head><body><p>{}</p></body></html>\n",
            lines.join("</p>\n<p>")
        ),
    };
    letter.both = true;
}

/// What departments call themselves.
fn department(kind: &str, code: &str) -> &'static str {
    match (kind, code) {
        ("it", _) => "IT Service Desk",
        (_, "de") => "Personalabteilung",
        (_, "fr") => "Ressources humaines",
        (_, "es") => "Recursos Humanos",
        (_, "pt") => "RH",
        (_, "it") => "Risorse umane",
        (_, "nl") => "P&O",
        (_, "pl") => "Kadry",
        _ => "HR Team",
    }
}

fn on(code: &str) -> &'static str {
    match code {
        "de" => "Am",
        "pl" => "Dnia",
        "fr" => "Le",
        "es" => "El",
        "it" => "Il",
        "pt" => "Em",
        "nl" => "Op",
        _ => "On",
    }
}

fn signature(facts: &Facts, address: &str, seed: &mut Seed) -> String {
    let company = &facts.other_company;
    let mut lines = vec!["--".to_owned(), facts.other(), company.name.clone()];
    lines.push(format!("{} {}, {}", facts.street, seed.between(1, 80), facts.city));
    lines.push(facts.fill("Tel. {phone}", seed));
    lines.push(format!("{address} | www.{}", company.domain));
    if seed.chance(30) {
        lines.push(
            "This e-mail may contain confidential information. If you are not the intended recipient, please \
            delete it."
                .to_owned(),
        );
    }
    lines.join("\n")
}

/// One line and a file.
fn note(notes: &[&str], language: &Language, mut seed: Seed) -> Mail {
    let mut facts = Facts::of(language, Company::default(), &mut seed);
    let whose = seed.pick(&["free", "firm", "own", "other"]);
    let (address, service) = writer(&mut facts, whose, &mut seed);
    let line = seed.pick(notes);
    let stem = plain(seed.pick(language.list("project")).split(' ').next_back().unwrap_or("plan"));
    let file = match seed.below(6) {
        0 => format!("IMG_{}.jpg", seed.digits(4)),
        1 => format!("Scan_{}.pdf", facts.day.calendar().get(..8).unwrap_or_default()),
        2 => format!("{stem}.docx"),
        3 => format!("{stem}_v{}.docx", seed.between(2, 7)),
        4 => format!("{}.pdf", facts.order),
        _ => format!("{stem}_{}.pdf", plain(&facts.other_last)),
    };
    let subject = match seed.below(5) {
        0 => file.clone(),
        1 => line.trim_end_matches('.').to_owned(),
        2 => format!("Re: {}", facts.project),
        3 => format!("{} {}", facts.project, facts.language.short_day(facts.day)),
        _ => format!("Fwd: {}", facts.project),
    };
    let text = match seed.below(4) {
        0 => format!("{line}\n\n{}", facts.other_first),
        1 => format!("{}\n\n{line}\n\n{}", facts.first, facts.other_first),
        2 => format!(
            "{line}\n\n{}",
            facts.fill(seed.pick(&["Sent from my iPhone", "Sent from Outlook for iOS", "-- \n{other}"]), &mut seed)
        ),
        _ => line.to_owned(),
    };
    let inner = format!("{}\n{}\n{}", facts.project, facts.order, seed.pick(language.list("sentence")));
    let attachments = vec![attachment::named(&file, &inner, &mut seed)];
    let mut letter = Letter { from: facts.other(), address, subject, service, text, attachments, ..Letter::default() };
    page(&mut letter, &mut seed);
    mail("notes", "note", language, "texts/notes.txt", &letter, &facts, seed)
}

/// A mail of a list.
fn listed((name, address, software): (&str, &str, &str), languages: &[Language], mut seed: Seed) -> Option<Mail> {
    let code = match name {
        "ruderer" | "bibliothek-l" => "de",
        "liste-paysage" => "fr",
        _ => "en",
    };
    let language = languages.iter().find(|one| one.code == code)?;
    let mut facts = Facts::of(language, Company::default(), &mut seed);
    let (writer, _) = writer(&mut facts, "free", &mut seed);
    let host = address.rsplit('@').next().unwrap_or_default().to_lowercase();
    let comments = [language.list("comment"), language.list("sentence")].concat();
    let lines: Vec<&str> = (0..seed.between(2, 5)).map(|_| seed.pick(&comments)).collect();
    let is_answer = seed.chance(60);
    let mut text = lines.join("\n\n");
    if is_answer {
        text = format!(
            "{} {}, {} wrote:\n> {}\n\n{text}",
            on(code),
            facts.language.day(facts.day.after(-1)),
            facts.name(),
            seed.pick(&comments)
        );
    }
    text.push_str(&format!("\n\n{}\n", facts.other_first));
    let base = format!("https://{host}");
    let (foot, fields) = match software {
        "Google Groups" => (
            format!(
                "-- \nYou received this message because you are subscribed to the Google Groups \"{name}\" \
                    group.\nTo unsubscribe from this group and \
                stop receiving emails from it, send an email to {name}+unsubscribe@googlegroups.com.\n"
            ),
            vec![
                ("List-ID", format!("<{name}.googlegroups.com>")),
                ("X-Google-Group-Id", seed.digits(12)),
                ("List-Unsubscribe", format!("<mailto:{name}+unsubscribe@googlegroups.com>")),
            ],
        ),
        "Groups.io" => (
            format!(
                "-=-=-=-=-=-=-=-=-=-=-=-\nGroups.io Links: You receive all messages sent to this group.\nView/Reply \
                    Online (#{}): https://groups.io/g/{name}/message\n-=-=-=-=-=-=-=-=-=-=-=-\n",
                seed.between(10, 900)
            ),
            vec![
                ("List-Id", format!("<{name}.groups.io>")),
                ("List-Unsubscribe", format!("<https://groups.io/g/{name}/unsub>")),
            ],
        ),
        "LISTSERV" => (
            String::new(),
            vec![
                ("List-Owner", format!("<mailto:{name}-request@{host}>")),
                ("List-Unsubscribe", format!("<mailto:{name}-unsubscribe-request@{host}>")),
            ],
        ),
        "Sympa" => (
            String::new(),
            vec![
                ("List-Id", format!("<{address}>")),
                ("X-Loop", address.to_owned()),
                ("List-Unsubscribe", format!("<mailto:sympa@{host}?subject=unsubscribe%20{name}>")),
            ],
        ),
        "lists.sr.ht" => (
            String::new(),
            vec![
                ("List-ID", format!("~tea/{name} <~tea/{name}.lists.sr.ht>")),
                ("Archived-At", format!("<{base}/~tea/{name}>")),
            ],
        ),
        _ => (
            format!(
                "_______________________________________________\n{name} mailing \
                    list\n{address}\n{base}/mailman/listinfo/{name}\n"
            ),
            vec![
                ("List-Id", format!("<{name}.{host}>")),
                ("X-Mailman-Version", "2.1.39".to_owned()),
                (
                    "List-Unsubscribe",
                    format!("<{base}/mailman/options/{name}>, <mailto:{name}-request@{host}?subject=unsubscribe>"),
                ),
                ("List-Post", format!("<mailto:{address}>")),
            ],
        ),
    };
    let mut fields: Vec<(String, String)> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    fields.push(("Precedence".to_owned(), "list".to_owned()));
    fields.push(("Sender".to_owned(), mailbox(name, &format!("{name}-bounces@{host}"))));
    let subject = format!("{}[{name}] {}", if is_answer { "Re: " } else { "" }, facts.project);
    facts.company.domain = host;
    let letter = Letter {
        from: format!("{} via {name}", facts.other()),
        address: if seed.chance(50) { address.to_lowercase() } else { writer },
        subject,
        text: format!("{text}\n{foot}"),
        fields,
        service: Service::Own,
        ..Letter::default()
    };
    let mut mail = mail("list", "list", language, "lists of ours", &letter, &facts, seed);
    mail.vendor = format!("list-{name}");
    Some(mail)
}
