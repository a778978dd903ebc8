//! Invitations to meetings, with answers and cancellations, as calendars send them (RFC 5545, RFC 5546).

use super::Mail;
use super::facts::{Company, Facts, plain};
use super::language::Language;
use super::letter::Letter;
use super::seed::Seed;
use super::service::Service;

/// Invitations in all.
const COUNT: usize = 168;
/// The calendars that send them.
const KINDS: [&str; 5] = ["google", "outlook", "teams", "zoom", "webex"];

/// The words of a language: invitation, accepted, declined, cancelled, "when", "join".
const WORDS: [(&str, [&str; 6]); 8] = [
    ("en", ["Invitation", "Accepted", "Declined", "Canceled", "When", "Join the meeting"]),
    ("de", ["Einladung", "Zugesagt", "Abgelehnt", "Abgesagt", "Wann", "An der Besprechung teilnehmen"]),
    ("fr", ["Invitation", "Accepté", "Refusé", "Annulé", "Quand", "Rejoindre la réunion"]),
    ("es", ["Invitación", "Aceptado", "Rechazado", "Cancelado", "Cuándo", "Unirse a la reunión"]),
    ("pt", ["Convite", "Aceito", "Recusado", "Cancelado", "Quando", "Ingressar na reunião"]),
    ("it", ["Invito", "Accettato", "Rifiutato", "Annullato", "Quando", "Partecipa alla riunione"]),
    ("nl", ["Uitnodiging", "Geaccepteerd", "Geweigerd", "Geannuleerd", "Wanneer", "Deelnemen aan de vergadering"]),
    ("pl", ["Zaproszenie", "Zaakceptowano", "Odrzucono", "Odwołano", "Kiedy", "Dołącz do spotkania"]),
];

/// All of them.
pub(super) fn mails(languages: &[Language]) -> Vec<Mail> {
    (0..COUNT).filter_map(|at| invitation(at, languages)).collect()
}

fn invitation(at: usize, languages: &[Language]) -> Option<Mail> {
    let language = languages.get(if at.is_multiple_of(3) { 0 } else { at % languages.len().max(1) })?;
    let (_, words) = WORDS.iter().find(|(code, _)| *code == language.code)?;
    let kind = KINDS.get(at % KINDS.len()).copied()?;
    let mut seed = Seed::of(&["calendar", &at.to_string()]);
    let mut facts = Facts::of(language, Company::some(language, &mut seed), &mut seed);
    let organizer = format!("{}.{}@{}", plain(&facts.other_first), plain(&facts.other_last), facts.company.domain);
    let (method, status) = match seed.below(10) {
        0 => ("REPLY", "ACCEPTED"),
        1 => ("REPLY", "DECLINED"),
        2 => ("CANCEL", "NEEDS-ACTION"),
        _ => ("REQUEST", "NEEDS-ACTION"),
    };
    let word = match (method, status) {
        ("REPLY", "ACCEPTED") => words[1],
        ("REPLY", _) => words[2],
        ("CANCEL", _) => words[3],
        _ => words[0],
    };
    let join = join(kind, &mut seed);
    let begin = facts.day.after(i64::try_from(seed.between(1, 20)).unwrap_or(3));
    let subject = match (kind, method) {
        ("google", "REQUEST") => format!("{word}: {} @ {} ({})", facts.project, language.day(begin), facts.email),
        ("outlook" | "teams", "REQUEST") => facts.project.clone(),
        (_, "REQUEST") => format!("{} - {}", facts.project, language.short_day(begin)),
        _ => format!("{word}: {}", facts.project),
    };
    let uid = match kind {
        "google" => format!("{}@google.com", seed.token(26).to_lowercase()),
        "outlook" | "teams" => format!("040000008200E00074C5B7101A82E008{}", seed.hex(80).to_uppercase()),
        _ => seed.uuid(),
    };
    let note = if method == "REQUEST" { about(kind, &facts, &join, words, &mut seed) } else { String::new() };
    let calendar = event(kind, method, status, &uid, &organizer, begin, &note, &facts, &mut seed);
    let service = match kind {
        "google" => Service::Google,
        "outlook" | "teams" => Service::Microsoft,
        "zoom" => Service::SendGrid,
        _ => Service::Own,
    };
    let (from, address) = match kind {
        "webex" => (format!("{} via Webex", facts.other()), "messenger@webex.com".to_owned()),
        "google" if method == "REQUEST" => (format!("{} (Google Calendar)", facts.other()), organizer.clone()),
        _ => (facts.other(), organizer.clone()),
    };
    let when = format!("{}: {}, {}", words[4], language.day(begin), language.time(begin));
    let text = format!("{}\n\n{when}\n\n{note}\n", facts.project);
    let html = page(kind, &text, &join, words[5], &facts);
    if kind == "webex" {
        facts.company.domain = "webex.com".to_owned();
    }
    let letter = Letter {
        from,
        address,
        reply_to: if kind == "google" || kind == "webex" { organizer } else { String::new() },
        subject,
        text,
        html,
        both: true,
        calendar: Some((calendar, method)),
        service,
        ..Letter::default()
    };
    let bytes = letter.bytes(&facts, &mut seed);
    Some(Mail {
        vendor: format!("calendar-{kind}"),
        genre: "invite",
        language: language.code,
        source: "calendar.rs".to_owned(),
        bytes,
    })
}

/// Where the meeting is joined.
fn join(kind: &str, seed: &mut Seed) -> String {
    match kind {
        "google" => format!(
            "https://meet.google.com/{}-{}-{}",
            seed.token(3).to_lowercase(),
            seed.token(4).to_lowercase(),
            seed.token(3).to_lowercase()
        ),
        "outlook" | "teams" => format!(
            "https://teams.microsoft.com/l/meetup-join/19%3ameeting_{}%40thread.v2/0\
             ?context=%7b%22Tid%22%3a%22{}%22%2c%22Oid%22%3a%22{}%22%7d",
            seed.token(48),
            seed.uuid(),
            seed.uuid()
        ),
        "zoom" => {
            format!("https://us0{}web.zoom.us/j/{}?pwd={}.1", seed.between(2, 6), seed.digits(11), seed.token(30))
        }
        _ => format!(
            "https://meet{}.webex.com/meet{}/j.php?MTID=m{}",
            seed.between(1, 99),
            seed.between(1, 99),
            seed.hex(32)
        ),
    }
}

fn about(kind: &str, facts: &Facts, join: &str, words: &[&str; 6], seed: &mut Seed) -> String {
    let comment = seed.pick(facts.language.list("comment"));
    match kind {
        "google" => format!("{comment}\n\n{}: {join}\n", words[5]),
        "teams" | "outlook" => format!(
            "{comment}\n________________________________________________________________________________\nMicrosoft \
                Teams\n{}: {join}\n\
             Meeting ID: {} {} {}\nPasscode: \
             {}\n________________________________________________________________________________",
            words[5],
            seed.digits(3),
            seed.digits(3),
            seed.digits(3),
            seed.token(6)
        ),
        "zoom" => format!(
            "{} is inviting you to a scheduled Zoom meeting.\n\n{}\n{join}\n\nMeeting ID: {} {} {}\nPasscode: {}\n\
            One tap mobile\n+13462487799,,{}# US",
            facts.other(),
            words[5],
            seed.digits(3),
            seed.digits(4),
            seed.digits(4),
            seed.digits(6),
            seed.digits(11)
        ),
        _ => format!(
            "{} invites you to join this Webex meeting.\nMeeting number (access code): {} {} {}\nMeeting password: \
                {}\n{}\n{join}",
            facts.other(),
            seed.digits(4),
            seed.digits(3),
            seed.digits(4),
            seed.token(11),
            words[5]
        ),
    }
}

#[expect(clippy::too_many_arguments, reason = "an event has so many fields")]
fn event(
    kind: &str,
    method: &str,
    status: &str,
    uid: &str,
    organizer: &str,
    begin: super::day::Day,
    note: &str,
    facts: &Facts,
    seed: &mut Seed,
) -> String {
    let product = match kind {
        "google" => "-//Google Inc//Google Calendar 70.9054//EN",
        "outlook" | "teams" => "Microsoft Exchange Server 2010",
        "zoom" => "-//zoom.us//iCalendar Event//EN",
        _ => "-//Microsoft Corporation//Outlook 10.0 MIMEDIR//EN",
    };
    let minutes = seed.pick(&[30, 45, 60, 90]);
    let end = begin.later(minutes * 60);
    let escaped = note.replace('\\', "\\\\").replace(',', "\\,").replace(';', "\\;").replace('\n', "\\n");
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        format!("METHOD:{method}"),
        format!("PRODID:{product}"),
        "VERSION:2.0".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("ORGANIZER;CN={}:mailto:{organizer}", facts.other()),
        format!("ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT={status};RSVP=TRUE;CN={}:mailto:{}", facts.name(), facts.email),
        format!("DESCRIPTION:{escaped}"),
        format!("UID:{uid}"),
        format!("SUMMARY:{}", facts.project),
        format!("DTSTART:{}Z", begin.calendar()),
        format!("DTEND:{}Z", end.calendar()),
        format!("DTSTAMP:{}Z", facts.day.calendar()),
        format!("SEQUENCE:{}", seed.below(3)),
        format!("STATUS:{}", if method == "CANCEL" { "CANCELLED" } else { "CONFIRMED" }),
        format!("LOCATION:{}", seed.pick(&["Microsoft Teams Meeting", "Room 2.14", "Online", "Zoom", ""])),
        "BEGIN:VALARM".to_owned(),
        "ACTION:DISPLAY".to_owned(),
        "DESCRIPTION:REMINDER".to_owned(),
        "TRIGGER;RELATED=START:-PT15M".to_owned(),
        "END:VALARM".to_owned(),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    lines.iter().map(|line| folded(line)).collect()
}

/// Lines of at most 75 octets, continued by a blank (RFC 5545 section 3.1).
fn folded(line: &str) -> String {
    let (mut out, mut width) = (String::new(), 0);
    for letter in line.chars() {
        if width + letter.len_utf8() > 74 {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(letter);
        width += letter.len_utf8();
    }
    out + "\r\n"
}

fn page(kind: &str, text: &str, join: &str, word: &str, facts: &Facts) -> String {
    let lines = text.replace('\n', "<br>\n").replace(join, &format!("<a href=\"{join}\">{join}</a>"));
    match kind {
        "google" => format!(
            "<html><body><div style=\"font-family:Roboto,sans-serif\"><a href=\"{join}\">{word}</a><p>{lines}</p>\
             <p>Invitation from <a href=\"https://calendar.google.com/calendar/\">Google Calendar</a></p><p \
             style=\"font-size:12px\">You are receiving this email \
             because you are an attendee on the event. Forwarding this invitation could allow any recipient to send \
             a response to the organizer.</p></div></body></html>\n"
        ),
        "outlook" | "teams" => format!(
            "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; \
                charset=utf-8\"></head><body><div>{lines}</div><div>\
             <a href=\"https://aka.ms/JoinTeamsMeeting\">Need help?</a> | <a \
             href=\"https://teams.microsoft.com/meetingOptions/?organizerId={}\">Meeting options</a>\
             </div></body></html>\n",
            facts.order
        ),
        _ => format!(
            "<html><body><p>{lines}</p><p><a href=\"{join}\" style=\"background:#0e71eb;color:#fff;padding:10px \
                20px\">{word}</a></p></body></html>\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_calendar_are_folded() {
        let text = folded(&format!("DESCRIPTION:{}", "\u{e9}".repeat(100)));
        assert!(text.split("\r\n").all(|line| line.len() <= 75));
        assert_eq!(text.replace("\r\n ", "").trim_end(), format!("DESCRIPTION:{}", "\u{e9}".repeat(100)));
    }
}
