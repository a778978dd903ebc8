//! The sending services, as their documentation shows what they add to a mail: header fields, addresses for bounces,
//! domains for clicks.

use super::encode::base64;
use super::facts::Facts;
use super::seed::Seed;

/// The gateway in front of the recipient's mail server.
pub(super) const GATEWAY: &str = "mx.reprieve.example";

/// Who carries the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Service {
    /// Amazon SES.
    Ses,
    /// SendGrid.
    SendGrid,
    /// Mailgun.
    Mailgun,
    /// Postmark.
    Postmark,
    /// Mailchimp.
    Mailchimp,
    /// Microsoft 365.
    Microsoft,
    /// Google Workspace.
    Google,
    /// Shopify's own.
    Shopify,
    /// The sender's own server.
    #[default]
    Own,
}

/// For mail that a program sends.
pub(super) const TRANSACTIONAL: [Service; 8] = [
    Service::Ses,
    Service::Ses,
    Service::SendGrid,
    Service::SendGrid,
    Service::Mailgun,
    Service::Postmark,
    Service::Own,
    Service::Microsoft,
];
/// For newsletters.
pub(super) const BULK: [Service; 6] =
    [Service::Mailchimp, Service::Mailchimp, Service::SendGrid, Service::Ses, Service::Mailgun, Service::Own];

/// What the service adds.
pub(super) struct Trace {
    /// The address for bounces.
    pub(super) envelope: String,
    /// The Message-ID with its angle brackets.
    pub(super) id: String,
    /// The host that hands the mail over, and its address.
    pub(super) host: (String, String),
    /// Further fields.
    pub(super) fields: Vec<(String, String)>,
    /// The domains that sign.
    pub(super) signed: Vec<String>,
}

impl Service {
    /// What it adds to this mail.
    pub(super) fn trace(self, facts: &Facts, seed: &mut Seed) -> Trace {
        let domain = facts.company.domain.trim_start_matches("www.").to_owned();
        match self {
            Self::Ses => ses(facts, &domain, seed),
            Self::SendGrid => sendgrid(facts, &domain, seed),
            Self::Mailgun => mailgun(facts, &domain, seed),
            Self::Postmark => postmark(facts, &domain, seed),
            Self::Mailchimp => mailchimp(facts, &domain, seed),
            Self::Microsoft => microsoft(&domain, seed),
            Self::Google => google(&domain, seed),
            Self::Shopify => shopify(facts, seed),
            Self::Own => own(&domain, facts, seed),
        }
    }

    /// The link through which it counts clicks; none where it does not.
    pub(super) fn click(self, domain: &str, seed: &mut Seed) -> Option<String> {
        let bare = domain.trim_start_matches("www.");
        Some(match self {
            Self::Ses => {
                format!("https://{}.r.eu-west-1.awstrack.me/L0/{}/1/{}", seed.hex(8), seed.token(60), seed.uuid())
            }
            Self::SendGrid if seed.chance(50) => {
                format!("https://u{}.ct.sendgrid.net/ls/click?upn={}", seed.digits(7), seed.token(120))
            }
            Self::SendGrid => format!("https://url{}.{bare}/ls/click?upn={}", seed.digits(4), seed.token(120)),
            Self::Mailgun => format!("https://email.mg.{bare}/c/{}", seed.token(110)),
            Self::Postmark => {
                format!("https://click.pstmrk.it/3s/{bare}%2F{}/{}/{}", seed.token(4), seed.token(8), seed.token(24))
            }
            Self::Mailchimp => format!(
                "https://{}.us{}.list-manage.com/track/click?u={}&id={}&e={}",
                bare.split('.').next().unwrap_or("news"),
                seed.between(2, 21),
                seed.hex(25),
                seed.hex(10),
                seed.hex(10)
            ),
            Self::Shopify => format!("https://{bare}/_t/c/v3/{}", seed.token(90)),
            Self::Own => format!("https://click.{bare}/?qs={}", seed.hex(80)),
            Self::Microsoft | Self::Google => return None,
        })
    }

    /// The picture through which it counts who opens.
    pub(super) fn pixel(self, domain: &str, seed: &mut Seed) -> String {
        let bare = domain.trim_start_matches("www.");
        match self {
            Self::Ses => {
                format!("https://{}.r.eu-west-1.awstrack.me/I0/{}/{}", seed.hex(8), seed.uuid(), seed.token(28))
            }
            Self::SendGrid => format!("https://u{}.ct.sendgrid.net/wf/open?upn={}", seed.digits(7), seed.token(90)),
            Self::Mailgun => format!("https://email.mg.{bare}/o/{}", seed.token(90)),
            Self::Postmark => format!("https://spgo.io/o/3s/{}/{}", seed.token(8), seed.token(24)),
            Self::Mailchimp => format!(
                "https://{}.us{}.list-manage.com/track/open.php?u={}&id={}",
                bare.split('.').next().unwrap_or("news"),
                seed.between(2, 21),
                seed.hex(25),
                seed.hex(10)
            ),
            _ => format!("https://{bare}/o/{}.gif", seed.hex(24)),
        }
    }
}

fn field(name: &str, value: String) -> (String, String) {
    (name.to_owned(), value)
}

/// The recipient's address as addresses for bounces carry it (VERP).
fn verp(facts: &Facts) -> String {
    facts.email.replace('@', "=")
}

fn ses(facts: &Facts, domain: &str, seed: &mut Seed) -> Trace {
    let id = format!("0102019{}-{}-000000", seed.hex(9), seed.uuid());
    let (ip, bounce) = (format!("54.240.{}.{}", seed.between(1, 9), seed.between(2, 250)), seed.chance(60));
    let (year, month, day) = facts.day.civil();
    let region = seed.pick(&["eu-west-1", "eu-central-1", "us-east-1"]);
    Trace {
        envelope: if bounce { format!("{id}@bounce.{domain}") } else { format!("{id}@{region}.amazonses.com") },
        id: format!("<{id}@{region}.amazonses.com>"),
        host: (format!("a{}-{}.smtp-out.{region}.amazonses.com", seed.between(1, 9), seed.between(2, 90)), ip.clone()),
        fields: vec![
            field("Feedback-ID", format!("::1.{region}.{}=:AmazonSES", base64(&seed.bytes(32)))),
            field("X-SES-Outgoing", format!("{year}.{:02}.{day:02}-{ip}", month + 1)),
        ],
        signed: vec![domain.to_owned(), "amazonses.com".to_owned()],
    }
}

fn sendgrid(facts: &Facts, domain: &str, seed: &mut Seed) -> Trace {
    let (user, number) = (seed.digits(7), seed.digits(4));
    Trace {
        envelope: format!("bounces+{user}-{}-{}@em{number}.{domain}", seed.hex(4), verp(facts)),
        id: format!("<{}@geopod-ismtpd-{}>", seed.token(22), seed.between(0, 60)),
        host: (
            format!("o{}.ptr{number}.{domain}", seed.between(1, 4)),
            format!("167.89.{}.{}", seed.below(127), seed.between(2, 250)),
        ),
        fields: vec![
            field("X-SG-EID", format!("u001.{}=", base64(&seed.bytes(80)).trim_end_matches('='))),
            field("X-SG-ID", format!("u001.{}", seed.token(60))),
            field("X-Entity-ID", format!("u001.{}==", seed.token(22))),
        ],
        signed: vec![domain.to_owned(), "sendgrid.net".to_owned()],
    }
}

fn mailgun(facts: &Facts, domain: &str, seed: &mut Seed) -> Trace {
    let ip = format!("159.135.{}.{}", seed.between(224, 239), seed.between(2, 250));
    let stamp = facts.day.calendar().replace('T', "");
    Trace {
        envelope: format!("bounce+{}.{}-{}@mg.{domain}", seed.hex(6), seed.hex(6), verp(facts)),
        id: format!("<{stamp}.{}@mg.{domain}>", seed.hex(16)),
        host: (format!("m{}-{}.mailgun.net", seed.between(60, 240), seed.between(2, 60)), ip.clone()),
        fields: vec![
            field("X-Mailgun-Sending-Ip", ip),
            field(
                "X-Mailgun-Sid",
                base64(format!("[\"{}\",\"{}\",\"{}\"]", seed.hex(5), facts.email, seed.hex(6)).as_bytes()),
            ),
            field("X-Mailgun-Tag", seed.pick(&["account", "receipts", "notify", "news"]).to_owned()),
        ],
        signed: vec![format!("mg.{domain}")],
    }
}

fn postmark(facts: &Facts, domain: &str, seed: &mut Seed) -> Trace {
    let id = seed.uuid();
    let number = seed.digits(8);
    Trace {
        envelope: format!("pm_bounces@pm-bounces.{domain}"),
        id: format!("<{id}@mtasv.net>"),
        host: (
            format!("mta{}c-ord.mtasv.net", seed.between(10, 240)),
            format!("50.31.{}.{}", seed.between(156, 205), seed.between(2, 250)),
        ),
        fields: vec![
            field("X-PM-Message-Id", id),
            field("X-PM-RCPT", format!("|bTB8{}|", base64(facts.email.as_bytes()))),
            field("X-PM-Tag", seed.pick(&["password-reset", "receipt", "welcome", "notification"]).to_owned()),
            field("X-PM-Message-Options", "v1;1.0".to_owned()),
            field("Feedback-ID", format!("s{number}-_:s{number}:a{}:postmark", seed.digits(6))),
            field("X-Complaints-To", "abuse@postmarkapp.com".to_owned()),
            field("X-Job", format!("{}_{number}", seed.digits(6))),
        ],
        signed: vec![domain.to_owned(), "pm.mtasv.net".to_owned()],
    }
}

fn mailchimp(facts: &Facts, domain: &str, seed: &mut Seed) -> Trace {
    let (center, user, campaign) = (seed.between(2, 21), seed.hex(25), seed.hex(10));
    let host = format!("mail{}.{}.rsgsv.net", seed.between(3, 250), seed.pick(&["atl", "suw", "sea"]));
    let name = domain.split('.').next().unwrap_or("news");
    let stamp = facts.day.calendar().replace('T', "");
    Trace {
        envelope: format!("bounce-mc.us{center}_{}.{}-{}@{host}", seed.digits(7), seed.digits(8), seed.hex(10)),
        id: format!("<{user}.{}.{stamp}.{}.{}@{host}>", seed.hex(10), seed.hex(10), seed.hex(8)),
        host: (host, format!("198.2.{}.{}", seed.between(128, 190), seed.between(2, 250))),
        fields: vec![
            field("X-Mailer", format!("Mailchimp Mailer - **CID{campaign}{}**", seed.hex(10))),
            field("X-Campaign", format!("mailchimp{user}.{campaign}")),
            field("X-campaignid", format!("mailchimp{user}.{campaign}")),
            field(
                "X-Report-Abuse",
                format!(
                    "Please report abuse for this campaign here: \
                https://mailchimp.com/contact/abuse/?u={user}&id={campaign}&e={}",
                    seed.hex(10)
                ),
            ),
            field("X-MC-User", user.clone()),
            field("Feedback-ID", format!("{}:{}.{}:us{center}:mc", seed.digits(8), seed.digits(8), seed.digits(7))),
            field("List-ID", format!("{user}mc list <{user}.{}.list-id.mcsv.net>", seed.digits(6))),
            field(
                "List-Unsubscribe",
                format!(
                    "<https://{name}.us{center}.list-manage.com/unsubscribe?u={user}&id={}&t=h&e={}&c={campaign}>, \
                     <mailto:unsubscribe-mc.us{center}_{user}.{campaign}-{}@unsubscribe.mailchimpapp.net\
                     ?subject=unsubscribe>",
                    seed.hex(10),
                    seed.hex(10),
                    seed.hex(10)
                ),
            ),
            field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
            field("x-accounttype", seed.pick(&["pd", "ff"]).to_owned()),
        ],
        signed: vec![domain.to_owned(), "mailchimpapp.net".to_owned()],
    }
}

fn microsoft(domain: &str, seed: &mut Seed) -> Trace {
    let region = seed.pick(&["eurprd01", "eurprd04", "namprd07", "eurprd08"]);
    let site = format!(
        "{}{}PR0{}MB{}",
        seed.pick(&["AM", "DB", "PA", "VI", "FR"]),
        seed.between(3, 9),
        seed.between(1, 8),
        seed.digits(4)
    );
    let site_host = format!("{site}.{region}.prod.outlook.com");
    let class = seed.pick(&["EUR05-DB8", "EUR03-AM7", "EUR02-VI1", "NAM12-BN8"]);
    Trace {
        envelope: String::new(),
        id: format!("<{site}{}@{site_host}>", seed.hex(24).to_uppercase()),
        host: (
            format!("{class}-obe.outbound.protection.outlook.com"),
            format!("52.101.{}.{}", seed.between(60, 200), seed.between(2, 250)),
        ),
        fields: vec![
            field("Thread-Index", format!("Ad{}=", base64(&seed.bytes(20)).trim_end_matches('='))),
            field("Accept-Language", "en-US".to_owned()),
            field("Content-Language", "en-US".to_owned()),
            field("X-MS-Has-Attach", String::new()),
            field("X-MS-TNEF-Correlator", String::new()),
            field("x-ms-publictraffictype", "Email".to_owned()),
            field("x-ms-office365-filtering-correlation-id", seed.uuid()),
            field("X-MS-Exchange-CrossTenant-AuthAs", "Internal".to_owned()),
            field("X-MS-Exchange-CrossTenant-AuthSource", site_host.clone()),
            field("X-MS-Exchange-CrossTenant-id", seed.uuid()),
            field("X-MS-Exchange-Transport-CrossTenantHeadersStamped", site.clone()),
            field("X-OriginatorOrg", domain.to_owned()),
        ],
        signed: vec![domain.to_owned()],
    }
}

fn google(domain: &str, seed: &mut Seed) -> Trace {
    let host = format!(
        "mail-{}{}-f{}.google.com",
        seed.pick(&["wm1", "ej1", "lf1", "yb1", "pj1"]),
        seed.pick(&["", "x"]),
        seed.between(40, 180)
    );
    Trace {
        envelope: String::new(),
        id: format!("<CA{}={}@mail.gmail.com>", seed.token(36), seed.token(10)),
        host: (host, format!("209.85.{}.{}", seed.between(128, 221), seed.between(2, 250))),
        fields: vec![
            field(
                "X-Google-DKIM-Signature",
                format!(
                    "v=1; a=rsa-sha256; c=relaxed/relaxed; d=1e100.net; s=20230601; \
                        h=to:subject:message-id:date:from; bh={}=; b={}",
                    seed.token(43),
                    seed.token(60)
                ),
            ),
            field("X-Gm-Message-State", format!("AOJu0{}", seed.token(70))),
            field("X-Google-Smtp-Source", format!("AGHT+{}", seed.token(60))),
        ],
        signed: vec![if domain == "gmail.com" || seed.chance(70) {
            domain.to_owned()
        } else {
            format!("{}.20230601.gappssmtp.com", domain.replace('.', "-"))
        }],
    }
}

fn shopify(facts: &Facts, seed: &mut Seed) -> Trace {
    let bounce = format!("bounces+{}-{}-{}@em.shopifyemail.com", seed.digits(8), seed.hex(4), verp(facts));
    Trace {
        envelope: bounce,
        id: format!("<{}@geopod-ismtpd-{}>", seed.token(22), seed.between(0, 60)),
        host: (
            format!("o{}.mta.shopifyemail.com", seed.between(1, 90)),
            format!("159.183.{}.{}", seed.below(250), seed.between(2, 250)),
        ),
        fields: vec![
            field("X-Shopify-Shop-Id", seed.digits(11)),
            field("X-SG-EID", format!("u001.{}=", base64(&seed.bytes(80)).trim_end_matches('='))),
            field("Feedback-ID", format!("{}:shopify-notifications:{}:shopify", seed.digits(11), seed.digits(5))),
        ],
        signed: vec![facts.company.domain.clone(), "shopifyemail.com".to_owned()],
    }
}

fn own(domain: &str, facts: &Facts, seed: &mut Seed) -> Trace {
    let name = seed.pick(&["mail", "smtp", "mta1", "out", "web03", "relay"]);
    let stamp = facts.day.calendar().replace('T', "");
    let id = match seed.below(3) {
        0 => format!("<{}@{domain}>", seed.hex(32)),
        1 => format!("<{stamp}.{}@{name}.{domain}>", seed.digits(6)),
        _ => format!("<{}.{}.{}@{name}>", seed.digits(9), seed.digits(1), facts.day.unix()),
    };
    let mut fields = Vec::new();
    if seed.chance(40) {
        let programs = [
            "PHPMailer 6.9.1 (https://github.com/PHPMailer/PHPMailer)",
            "Symfony Mailer",
            "Microsoft Outlook 16.0",
            "nodemailer (6.9.13)",
        ];
        fields.push(field("X-Mailer", seed.pick(&programs).to_owned()));
    }
    if seed.chance(50) {
        fields.push(field("Auto-Submitted", "auto-generated".to_owned()));
    }
    Trace {
        envelope: if seed.chance(50) { format!("bounce@{domain}") } else { String::new() },
        id,
        host: (
            format!("{name}.{domain}"),
            format!("{}.{}.{}.{}", seed.between(78, 94), seed.below(250), seed.below(250), seed.between(2, 250)),
        ),
        fields,
        signed: vec![domain.to_owned()],
    }
}
