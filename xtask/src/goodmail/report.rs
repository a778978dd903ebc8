//! Reports of mail servers and programs: not delivered, delayed, delivered (RFC 3464), abuse (RFC 5965), read, and
//! answers of people who are away.

use super::Mail;
use super::facts::{Company, Facts};
use super::language::Language;
use super::letter::{Letter, multipart};
use super::seed::Seed;
use super::service::Service;

/// Reports of one shape.
const EACH: usize = 2;

/// Servers: name, sender, subject, what it says; `{to}` is the recipient who was not reached.
const SERVERS: [(&str, &str, &str, &str); 14] = [
    (
        "postfix",
        "MAILER-DAEMON",
        "Undelivered Mail Returned to Sender",
        "This is the mail system at host {host}.\n\nI'm sorry to have to inform you that your message could not\nbe \
            delivered to one or more recipients. It's attached below.\n\nFor further assistance, please send mail \
            to postmaster.\n\n                   The mail system\n\n<{to}>: host {mx} said: 550 5.1.1 <{to}>: \
            Recipient address rejected: User unknown (in reply to RCPT TO command)",
    ),
    (
        "postfix-delay",
        "MAILER-DAEMON",
        "Delayed Mail (still being retried)",
        "This is the mail system at host \
            {host}.\n\n####################################################################\n# THIS IS A WARNING \
            ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. \
            #\n####################################################################\n\nYour message could not be \
            delivered for more than 4 hour(s).\nIt will be retried until it is 5 day(s) old.\n\n<{to}>: connect to \
            {mx}[192.0.2.15]:25: Connection timed out",
    ),
    (
        "exim",
        "Mailer-Daemon",
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be \
            delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) \
            failed:\n\n  {to}\n    host {mx} [192.0.2.15]\n    SMTP error from remote mail server after RCPT \
            TO:<{to}>:\n    550 No such user here",
    ),
    (
        "exim-delay",
        "Mailer-Daemon",
        "Warning: message delayed 24 hours",
        "This message was created automatically by mail delivery software.\nA message that you sent has not yet \
            been delivered to one or more of its\nrecipients after more than 24 hours on the queue on {host}.\n\nNo \
            action is required on your part. Delivery attempts will continue for\nsome time.",
    ),
    (
        "exchange",
        "postmaster",
        "Undeliverable: {subject}",
        "Delivery has failed to these recipients or groups:\n\n{to}\nThe email address you entered couldn't be \
            found. Please check the recipient's email address and try to resend the message. If the problem \
            continues, please contact your helpdesk.\n\n\nDiagnostic information for administrators:\n\nGenerating \
            server: {host}\n\n{to}\n#550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address \
            lookup ##",
    ),
    (
        "exchange-full",
        "postmaster",
        "Undeliverable: {subject}",
        "Your message to {to} couldn't be delivered.\n\nThe recipient's mailbox is full and can't accept messages \
            now. Please try resending your message later, or contact the recipient directly.\n\nStatus code: 554 \
            5.2.2",
    ),
    (
        "gmail",
        "mailer-daemon",
        "Delivery Status Notification (Failure)",
        "** Address not found **\n\nYour message wasn't delivered to {to} because the address couldn't be found, or \
            is unable to receive mail.\n\nLearn more here: https://support.google.com/mail/answer/6596\n\nThe \
            response was:\n\n550 5.1.1 The email account that you tried to reach does not exist.",
    ),
    (
        "sendmail",
        "MAILER-DAEMON",
        "Returned mail: see transcript for details",
        "The original message was received at {date}\nfrom localhost [127.0.0.1]\n\n   ----- The following \
            addresses had permanent fatal errors -----\n<{to}>\n    (reason: 550 5.1.1 <{to}>... User \
            unknown)\n\n   ----- Transcript of session follows -----\n... while talking to {mx}:\n>>> DATA\n<<< 550 \
            5.1.1 <{to}>... User unknown\n550 5.1.1 <{to}>... User unknown",
    ),
    (
        "qmail",
        "MAILER-DAEMON",
        "failure notice",
        "Hi. This is the qmail-send program at {host}.\nI'm afraid I wasn't able to deliver your message to the \
            following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work \
            out.\n\n<{to}>:\nSorry, no mailbox here by that name. (#5.1.1)",
    ),
    (
        "domino",
        "postmaster",
        "DELIVERY FAILURE: User not listed in public Name & Address Book",
        "Your message\n\n  Subject: {subject}\n\nwas not delivered to:\n\n  {to}\n\nbecause:\n\n  User not listed \
            in public Name & Address Book",
    ),
    (
        "ses",
        "MAILER-DAEMON",
        "Delivery Status Notification (Failure)",
        "An error occurred while trying to deliver the mail to the following recipients:\n{to}",
    ),
    (
        "yahoo",
        "MAILER-DAEMON",
        "Failure Notice",
        "Sorry, we were unable to deliver your message to the following address.\n\n<{to}>:\n552: 1 Requested mail \
            action aborted, mailbox not found",
    ),
    (
        "gmx",
        "mailer-daemon",
        "Mail delivery failed: returning message to sender",
        "Diese Nachricht wurde automatisch erzeugt.\n\nIhre E-Mail konnte nicht an die folgenden Adressen \
            zugestellt werden:\n\n{to}:\nSMTP error from remote server for RCPT TO command, host: {mx} reason: 550 \
            Requested action not taken: mailbox unavailable\n\nFor explanation visit https://postmaster.gmx.net/",
    ),
    (
        "success",
        "postmaster",
        "Relayed: {subject}",
        "Delivery to these recipients or groups is complete, but no delivery notification was sent by the \
            destination server:\n\n{to}",
    ),
];

/// Answers that programs give for people: language, subject, text.
const AWAY: [(&str, &str, &str); 16] = [
    (
        "en",
        "Automatic reply: {subject}",
        "Thank you for your message. I am out of the office until {later} with limited access to email. In urgent \
            cases please contact {other} on {phone}.",
    ),
    (
        "en",
        "Out of office: {subject}",
        "I'm on annual leave and back on {later}. Your message will not be forwarded. For invoices please write to \
            accounts@{otherdomain}.",
    ),
    (
        "en",
        "Re: {subject} [Ticket #{digits}]",
        "Hello,\n\nthank you for contacting {othercompany} support. We have received your request and given it the \
            number {digits}. We will reply within one working day.\n\nPlease keep the number in the subject when \
            you answer.",
    ),
    (
        "en",
        "We have received your application",
        "Dear {name},\n\nthank you for your application. We will look at it carefully and come back to you within \
            two weeks. Please do not reply to this automatic message.",
    ),
    (
        "de",
        "Automatische Antwort: {subject}",
        "Vielen Dank f\u{fc}r Ihre Nachricht. Ich bin bis zum {later} nicht im Haus. In dringenden F\u{e4}llen \
            wenden Sie sich bitte an {other}, {phone}. Ihre E-Mail wird nicht weitergeleitet.",
    ),
    (
        "de",
        "Abwesenheitsnotiz: {subject}",
        "Guten Tag, ich bin im Urlaub und ab dem {later} wieder erreichbar. Rechnungen senden Sie bitte an \
            rechnung@{otherdomain}.",
    ),
    (
        "de",
        "Ihre Anfrage [#{digits}]",
        "Guten Tag,\n\nvielen Dank f\u{fc}r Ihre Anfrage. Wir haben sie unter der Nummer {digits} erfasst und \
            melden uns so schnell wie m\u{f6}glich.\n\nIhr Kundendienst von {othercompany}",
    ),
    (
        "fr",
        "R\u{e9}ponse automatique : {subject}",
        "Bonjour, je suis absent(e) jusqu'au {later}. En cas d'urgence, merci de contacter {other} au {phone}.",
    ),
    (
        "fr",
        "Votre demande n\u{b0} {digits}",
        "Bonjour,\n\nnous avons bien re\u{e7}u votre demande et vous r\u{e9}pondrons sous 48 heures.\n\nLe service \
            client de {othercompany}",
    ),
    (
        "es",
        "Respuesta autom\u{e1}tica: {subject}",
        "Estoy fuera de la oficina hasta el {later}. Para asuntos urgentes, escriban a {other}.",
    ),
    (
        "pt",
        "Resposta autom\u{e1}tica: {subject}",
        "Estou de f\u{e9}rias at\u{e9} {later}. Em caso de urg\u{ea}ncia, fale com {other}, {phone}.",
    ),
    (
        "it",
        "Risposta automatica: {subject}",
        "Sono fuori ufficio fino al {later}. Per urgenze contattare {other} al numero {phone}.",
    ),
    (
        "nl",
        "Automatisch antwoord: {subject}",
        "Ik ben afwezig tot {later}. Neem voor dringende zaken contact op met {other}.",
    ),
    (
        "pl",
        "Automatyczna odpowied\u{17a}: {subject}",
        "Jestem poza biurem do {later}. W pilnych sprawach prosz\u{119} o kontakt: {other}, {phone}.",
    ),
    ("en", "Read: {subject}", "Your message\n\n   To: {other}\n   Subject: {subject}\n\nwas read on {day}."),
    ("de", "Gelesen: {subject}", "Ihre Nachricht an {other} mit dem Betreff \"{subject}\" wurde am {day} gelesen."),
];

/// All of them.
pub(super) fn mails(languages: &[Language]) -> Vec<Mail> {
    let mut mails = Vec::new();
    for at in 0..EACH {
        for (shape, server) in SERVERS.iter().enumerate() {
            let code = if server.0 == "gmx" { "de" } else { "en" };
            let language = languages.iter().find(|one| one.code == code);
            mails.extend(language.map(|language| {
                undelivered(server, language, Seed::of(&["report", &shape.to_string(), &at.to_string()]))
            }));
        }
        for (shape, away) in AWAY.iter().enumerate() {
            let language = languages.iter().find(|one| one.code == away.0);
            mails.extend(
                language.map(|language| {
                    away_answer(away, language, Seed::of(&["away", &shape.to_string(), &at.to_string()]))
                }),
            );
        }
        for at in 0..6 {
            let language = languages.first();
            mails.extend(
                language
                    .map(|language| abuse(language, Seed::of(&["abuse", &at.to_string(), &mails.len().to_string()]))),
            );
        }
    }
    mails
}

fn undelivered(server: &(&str, &str, &str, &str), language: &Language, mut seed: Seed) -> Mail {
    let (name, local, subject, says) = *server;
    let mut facts = Facts::of(language, Company::some(language, &mut seed), &mut seed);
    let host = format!("mail.{}", facts.company.domain);
    let to = format!("{}@{}", super::facts::plain(&facts.other_last), facts.other_company.domain);
    let mx = format!("mx1.{}", facts.other_company.domain);
    let about = facts.project.clone();
    let filled = |text: &str| {
        text.replace("{host}", &host)
            .replace("{to}", &to)
            .replace("{mx}", &mx)
            .replace("{subject}", &about)
            .replace("{date}", &facts.day.field("+0000"))
    };
    let (action, status) = match name {
        "postfix-delay" | "exim-delay" => ("delayed", "4.4.1"),
        "success" => ("relayed", "2.1.5"),
        "exchange-full" => ("failed", "5.2.2"),
        _ => ("failed", "5.1.1"),
    };
    let delivery = format!(
        "Reporting-MTA: dns; {host}\r\nArrival-Date: {}\r\n\r\nFinal-Recipient: rfc822; {to}\r\nAction: \
            {action}\r\nStatus: {status}\r\n\
         Remote-MTA: dns; {mx}\r\nDiagnostic-Code: smtp; 550 {status} User unknown\r\n",
        facts.day.field("+0000")
    );
    let original = format!(
        "Received: by {host} id {}; {}\r\nFrom: {}\r\nTo: {to}\r\nSubject: {about}\r\nMessage-ID: \
            <{}@{host}>\r\nDate: {}\r\n",
        seed.hex(10),
        facts.day.field("+0000"),
        facts.email,
        seed.hex(20),
        facts.day.field("+0000")
    );
    let parts = [
        format!(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
            filled(says).replace('\n', "\r\n")
        ),
        format!("Content-Type: message/delivery-status\r\n\r\n{delivery}"),
        format!("Content-Type: text/rfc822-headers\r\n\r\n{original}"),
    ];
    let body = match name {
        "qmail" | "yahoo" | "domino" => None,
        _ => Some(multipart("report; report-type=delivery-status", &parts, &mut seed)),
    };
    let letter = Letter {
        from: seed
            .pick(&[
                "Mail Delivery System",
                "Mail Delivery Subsystem",
                "Microsoft Outlook",
                "Mail Delivery \
                Subsystem",
            ])
            .to_owned(),
        address: format!("{local}@{host}"),
        subject: filled(subject),
        text: filled(says),
        raw: body,
        fields: vec![("Auto-Submitted".to_owned(), "auto-replied".to_owned())],
        service: Service::Own,
        ..Letter::default()
    };
    facts.company.domain = host;
    made("reports", "report", &letter, &facts, seed)
}

fn away_answer(away: &(&str, &str, &str), language: &Language, mut seed: Seed) -> Mail {
    let (_, subject, says) = *away;
    let mut facts = Facts::of(language, Company::default(), &mut seed);
    facts.company = facts.other_company.clone();
    let about = facts.project.clone();
    let filled = |text: &str, seed: &mut Seed| facts.fill(&text.replace("{subject}", &about), seed);
    let service = seed.pick(&[Service::Microsoft, Service::Google, Service::Own]);
    let subject = filled(subject, &mut seed);
    let text = filled(says, &mut seed);
    let letter = Letter {
        from: facts.other(),
        address: format!(
            "{}.{}@{}",
            super::facts::plain(&facts.other_first),
            super::facts::plain(&facts.other_last),
            facts.company.domain
        ),
        subject,
        text,
        fields: vec![
            ("Auto-Submitted".to_owned(), "auto-replied".to_owned()),
            ("X-Auto-Response-Suppress".to_owned(), "All".to_owned()),
            (
                "In-Reply-To".to_owned(),
                format!("<{}@{}>", seed.hex(24), facts.email.rsplit('@').next().unwrap_or_default()),
            ),
        ],
        service,
        ..Letter::default()
    };
    made("away", "report", &letter, &facts, seed)
}

/// A report of abuse by a provider whose user pressed "this is spam" (ARF).
fn abuse(language: &Language, mut seed: Seed) -> Mail {
    let mut facts = Facts::of(language, Company::some(language, &mut seed), &mut seed);
    let provider = seed.pick(&["abuse.comcast.net", "feedback.yahoo.example", "fbl.mail.ru", "arf.freenet.de"]);
    let site = facts.email.rsplit('@').next().unwrap_or_default().to_owned();
    let says = "This is an email abuse report for an email message received from your network. For more information \
        about this format please see https://www.rfc-editor.org/rfc/rfc5965";
    let parts = [
        format!("Content-Type: text/plain; charset=us-ascii\r\n\r\n{says}\r\n"),
        format!(
            "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: FBL/1.0\r\nVersion: \
                1\r\nSource-IP: {}\r\nReported-Domain: {site}\r\n",
            facts.ip
        ),
        format!(
            "Content-Type: message/rfc822\r\n\r\nFrom: news@{site}\r\nTo: undisclosed\r\nSubject: {}\r\nDate: \
                {}\r\n\r\n{}\r\n",
            seed.pick(language.list("headline")),
            facts.day.field("+0000"),
            seed.pick(language.list("sentence"))
        ),
    ];
    let body = multipart("report; report-type=feedback-report", &parts, &mut seed);
    let letter = Letter {
        from: "Feedback Loop".to_owned(),
        address: format!("staff@{provider}"),
        subject: format!("Abuse report, {}", facts.language.short_day(facts.day)),
        text: says.to_owned(),
        raw: Some(body),
        service: Service::Own,
        ..Letter::default()
    };
    facts.company.domain = provider.to_owned();
    made("reports", "report", &letter, &facts, seed)
}

fn made(group: &str, genre: &'static str, letter: &Letter, facts: &Facts, mut seed: Seed) -> Mail {
    Mail {
        vendor: group.to_owned(),
        genre,
        language: facts.language.code,
        source: "report.rs".to_owned(),
        bytes: letter.bytes(facts, &mut seed),
    }
}
