//! Built-in scenarios: mistakes of detections that have happened to others, and outbreaks that must not be taken for
//! mistakes. All mail in them is composed by our code.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage};

use domain::Digest;

use crate::few_contents;
use cli::CliError;
use cli::compose::Mail;

/// A built-in scenario.
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// What happened, and to whom.
    pub about: &'static str,
    /// What the detection looks for after the change that was a mistake.
    rule: Rule,
    /// What is expected, and what happens besides the publication.
    plot: Plot,
}

/// A detection as a plain YARA rule, and what it reads.
struct Rule {
    target: &'static str,
    condition: &'static str,
}

/// How it goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plot {
    /// The detection is new; it is contained, then withdrawn.
    Mistake,
    /// The detection was right before; its previous form takes over, and nobody withdraws anything.
    Changed,
    /// It is right, and what it hits is an outbreak.
    Outbreak,
    /// As a mistake, with deaths and a next hop that is down.
    Trouble,
    /// As a mistake, with an engine outside that fails.
    EngineDown,
    /// Many detections come at once, each wrong about one sender's picture.
    Batch,
    /// As a mistake, but it is withdrawn after more than a day: old mail to strangers is not sent without a word of who
    /// wrote it.
    Weekend,
    /// Nothing is remembered; a person withdraws it.
    NoMemory,
    /// It is right, and wrong about six pictures that few people send; it is corrected.
    FewContents,
}

const fn mistake(name: &'static str, about: &'static str, target: &'static str, condition: &'static str) -> Builtin {
    Builtin { name, about, rule: Rule { target, condition }, plot: Plot::Mistake }
}

/// All of them.
pub const SCENARIOS: [Builtin; 19] = [
    mistake(
        "signature-images",
        "every picture is malware, in all three directions (EX873252, August 2024)",
        "part:image",
        "$png at 0 or $jpeg at 0",
    ),
    mistake(
        "reply-logos",
        "small PNG logos in signatures are malware (the small-image rule of many sites)",
        "part:image",
        "$png at 0 and filesize < 4KB",
    ),
    mistake(
        "zip-archives",
        "every archive is malware (Archive.Test.Agent2, June 2022)",
        "part:archive",
        "uint16(0) == 0x4b50",
    ),
    mistake("pdf-documents", "every PDF is an exploit (Win.Exploit.CVE_2019_0903, May 2019)", "part:pdf", "$pdf at 0"),
    mistake("calendar-invitations", "every invitation is held (EX444758, October 2022)", "part:text", "$calendar at 0"),
    mistake("link-shortener", "a link shortener is phishing (EX556056, May 2023)", "text", "$short"),
    mistake(
        "every-link",
        "a rule is corrupted, and every link is phishing (a hosted service, February 2025)",
        "text",
        "$link",
    ),
    mistake("year-of-the-date", "the year in Date looks forged (FH_DATE_PAST_20XX, January 2010)", "header", "$year"),
    mistake("whole-mails", "a rule for parts is run on whole mails, and hits all of them", "raw", "$from"),
    mistake("chance-in-a-picture", "four bytes that are in compressed pictures by chance", "part:image", "$chance"),
    Builtin {
        name: "changed-detection",
        about: "a detection that was right is changed, and hits pictures (a model that was reverted, EX1064599)",
        rule: Rule { target: "part:image", condition: "$png at 0 or $jpeg at 0" },
        plot: Plot::Changed,
    },
    Builtin {
        name: "outbreak-in-threads",
        about: "partners are taken over and answer in their threads with malware: no mistake",
        rule: Rule { target: "part:any", condition: "$campaign" },
        plot: Plot::Outbreak,
    },
    Builtin {
        name: "outbreak-of-pictures",
        about: "a campaign with pictures of its own beside everybody's logo: no mistake",
        rule: Rule { target: "part:image", condition: "$campaign" },
        plot: Plot::Outbreak,
    },
    Builtin {
        name: "a-batch-of-mistakes",
        about: "an update brings two dozen detections, each wrong about one sender's logo: none does enough to be \
            convicted, all of them together do",
        rule: Rule { target: "part:image", condition: "" },
        plot: Plot::Batch,
    },
    Builtin {
        name: "corrected-on-monday",
        about: "the pictures again, corrected after a weekend: what was to go out is old by then, and its senders are \
            asked",
        rule: Rule { target: "part:image", condition: "$png at 0 or $jpeg at 0" },
        plot: Plot::Weekend,
    },
    Builtin {
        name: "no-memory",
        about: "the pictures on the first day: nothing can convict, a person takes it back, and what it held is \
            replayed",
        rule: Rule { target: "part:image", condition: "$png at 0 or $jpeg at 0" },
        plot: Plot::NoMemory,
    },
    Builtin {
        name: "few-contents",
        about: "a rule that is right about malware is wrong about six pictures, one of them in 37 replies and forwards \
            of four senders; it is forced past the gate that has named three of them",
        rule: Rule { target: "part:image", condition: "" },
        plot: Plot::FewContents,
    },
    Builtin {
        name: "engine-down-in-the-replay",
        about: "the pictures again, and the engine outside fails while what was held is examined again",
        rule: Rule { target: "part:image", condition: "$png at 0 or $jpeg at 0" },
        plot: Plot::EngineDown,
    },
    Builtin {
        name: "deaths-and-a-dead-hop",
        about: "the pictures again, with kills in every phase and a next hop that is down",
        rule: Rule { target: "part:image", condition: "$png at 0 or $jpeg at 0" },
        plot: Plot::Trouble,
    },
];

/// The rule of the first scenario, as a YARA file: every picture is malware.
pub fn every_picture() -> String {
    rule(&SCENARIOS[0].rule)
}

/// The strings that the rules choose from.
const STRINGS: [(&str, &str); 8] = [
    ("$png", "{ 89 50 4E 47 0D 0A 1A 0A }"),
    ("$jpeg", "{ FF D8 FF }"),
    ("$pdf", "\"%PDF-\""),
    ("$calendar", "\"BEGIN:VCALENDAR\""),
    ("$short", "\"https://sho.rt/\""),
    ("$link", "\"https://\""),
    ("$year", "/Date: [A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} 20[1-9][0-9]/"),
    ("$from", "\"From: \""),
];
const MORE: [(&str, &str); 2] = [("$chance", "{ 49 44 41 54 78 }"), ("$campaign", "\"the payload of the campaign\"")];

/// Partners, and mails of each in the past.
const PARTNERS: u32 = 24;
const MAILS_EACH: u32 = 5;

/// Makes a scenario with its mail and its rules in `folder`; returns its text.
///
/// # Errors
/// When there is none of this name, or the folder cannot be written.
pub fn make(name: &str, folder: &Path) -> Result<String, CliError> {
    let known = || SCENARIOS.iter().map(|one| one.name).collect::<Vec<_>>().join(", ");
    let builtin = SCENARIOS
        .iter()
        .find(|one| one.name == name)
        .ok_or_else(|| CliError::Usage(format!("'{name}' is neither a file nor one of: {}", known())))?;
    let written = write_all(builtin, folder);
    written.map_err(|error| CliError::unreachable(format!("{}: {error}", folder.display())))
}

fn write_all(builtin: &Builtin, folder: &Path) -> std::io::Result<String> {
    for (number, mail) in history().into_iter().enumerate() {
        put(&folder.join("history"), &format!("{number:04}.eml"), &mail)?;
    }
    for (number, mail) in traffic().into_iter().enumerate() {
        put(&folder.join("traffic"), &format!("{number:04}.eml"), &mail)?;
    }
    let is_few = builtin.plot == Plot::FewContents;
    let evil = if is_few { few_contents::bad() } else { bad(builtin.plot == Plot::Outbreak) };
    for (number, mail) in evil.into_iter().enumerate() {
        put(&folder.join("bad"), &format!("{number:04}.eml"), &mail)?;
    }
    if is_few {
        // Between the others, from first to last.
        let (few, all) = (few_contents::history(), history().len());
        for (number, mail) in few.iter().enumerate() {
            put(&folder.join("history"), &format!("{:04}-few-{number:04}.eml", number * all / few.len()), mail)?;
        }
        for (number, mail) in few_contents::traffic().into_iter().enumerate() {
            put(&folder.join("few"), &format!("{number:04}.eml"), &mail)?;
        }
        put(&folder.join("corrected"), "rule.yar", few_contents::rule(true).as_bytes())?;
        put(&folder.join("corrected"), "ruleset.toml", settings(&builtin.rule).as_bytes())?;
    }
    let published = match builtin.plot {
        Plot::Batch => batch(),
        Plot::FewContents => few_contents::rule(false),
        _ => rule(&builtin.rule),
    };
    put(&folder.join("published"), "rule.yar", published.as_bytes())?;
    put(&folder.join("published"), "ruleset.toml", settings(&builtin.rule).as_bytes())?;
    if builtin.plot == Plot::Changed {
        let right = Rule { target: builtin.rule.target, condition: "$campaign" };
        put(&folder.join("before"), "rule.yar", rule(&right).as_bytes())?;
        put(&folder.join("before"), "ruleset.toml", settings(&right).as_bytes())?;
    }
    let text = scenario(builtin);
    put(folder, "scenario.toml", text.as_bytes())?;
    Ok(text)
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(name), bytes)
}

fn rule(rule: &Rule) -> String {
    let used = STRINGS.iter().chain(&MORE).filter(|(name, _)| rule.condition.contains(name));
    let strings: String = used.map(|(name, text)| format!("    {name} = {text}\n")).collect();
    let strings = if strings.is_empty() { strings } else { format!("  strings:\n{strings}") };
    format!("rule drill_detection {{\n{strings}  condition:\n    {}\n}}\n", rule.condition)
}

/// A detection for the logo of each partner.
fn batch() -> String {
    let one = |number: u32| {
        let logo = Digest::of(&picture(number, 60, 24, ImageFormat::Png));
        format!("rule drill_logo_{number} {{ condition: hash.sha256(0, filesize) == \"{}\" }}\n", logo.hex())
    };
    format!("import \"hash\"\n{}", (0..PARTNERS).map(one).collect::<String>())
}

fn settings(rule: &Rule) -> String {
    format!("[plain_yara]\ntarget = \"{}\"\n", rule.target)
}

fn scenario(builtin: &Builtin) -> String {
    let before = if builtin.plot == Plot::Changed { "ruleset = \"before\"\n" } else { "" };
    let history = if builtin.plot == Plot::NoMemory {
        ""
    } else {
        "[history]\nmail = [\"history\"]\nspan = \"30d\"\nestablish_after = { messages = 3, days = 7 }\ncorrespond = \
            true\n"
    };
    let head = format!(
        "name = \"{}\"\naccepted_domains = [\"ours.example\"]\ntrust_from = true\n{before}{history}[[traffic]]\nmail = \
            [\"traffic\"]\nlabel = \"good\"\nper_hour = 600\n\
         [[traffic]]\nmail = [\"bad\"]\nlabel = \"bad\"\nper_hour = 120\n\
         [[event]]\nat = \"msg:20\"\ndo = \"publish\"\npath = \"published\"\nforce = true\n",
        builtin.name
    );
    let withdrawn = "[[event]]\nat = \"contained+20m\"\ndo = \"withdraw\"\n";
    let taken_back = "[expect]\ncontained = true\nresolved = true\nwrong_holds_before_containment_max = \
        5\nrestored_min_percent = 100.0\n\
                      duplicates_max = 0\nbad_let_out_max = 0\nlost_max = 0\n";
    head + &match builtin.plot {
        Plot::FewContents => format!(
            "[[traffic]]\nmail = [\"few\"]\nlabel = \"good\"\nper_hour = 240\n\
             [[event]]\nat = \"contained+20m\"\ndo = \"publish\"\npath = \"corrected\"\nforce = true\n{taken_back}\
             wrongly_held_total_max = 5\nlost_catch_max = 0\n"
        ),
        Plot::Mistake | Plot::Batch => format!("{withdrawn}{taken_back}"),
        Plot::Changed => taken_back.to_owned(),
        Plot::Weekend => {
            "[[event]]\nat = \"contained+60h\"\ndo = \"withdraw\"\n[expect]\ncontained = true\nresolved = true\n\
             wrong_holds_before_containment_max = 5\nduplicates_max = 0\nbad_let_out_max = 0\nlost_max = 0\n"
                .to_owned()
        }
        Plot::NoMemory => {
            "[[event]]\nat = \"time:20m\"\ndo = \"withdraw\"\n[expect]\ncontained = false\nresolved = true\n\
                           restored_min_percent = 100.0\nduplicates_max = 0\nbad_let_out_max = 0\nlost_max = 0\n"
                .to_owned()
        }
        Plot::EngineDown => format!(
            "[[event]]\nat = \"contained+19m\"\ndo = \"engine-down\"\n{withdrawn}\
             [[event]]\nat = \"contained+40m\"\ndo = \"engine-up\"\n{taken_back}"
        ),
        Plot::Trouble => format!(
            "[[event]]\nat = \"msg:30\"\ndo = \"crash\"\n[[event]]\nat = \"contained+10m\"\ndo = \"crash\"\n\
             [[event]]\nat = \"contained+19m\"\ndo = \"next-hop-down\"\n{withdrawn}\
             [[event]]\nat = \"contained+25m\"\ndo = \"crash\"\n[[event]]\nat = \"contained+40m\"\ndo \
             = \"next-hop-up\"\n{taken_back}"
        ),
        Plot::Outbreak => {
            "[expect]\ncontained = false\nbad_let_out_max = 0\nlost_max = 0\nlost_catch_max = 0\n".to_owned()
        }
    }
}

fn partner(number: u32) -> String {
    format!("anna@partner{number}.example")
}

/// A picture that depends on `seed` alone.
pub(crate) fn picture(seed: u32, width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let shade = |value: u32| u8::try_from(value % 256).unwrap_or(255);
    let image = RgbImage::from_fn(width, height, |x, y| {
        Rgb([shade(x * 3 + seed * 17), shade(y * 5 + seed * 29), shade((x ^ y) + seed * 7)])
    });
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).expect("a picture of our own is written to memory");
    out.into_inner()
}

fn zipped(seed: u32) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let text = format!("figures of {seed};1;2;3\n").repeat(20);
    writer
        .start_file(format!("figures-{seed}.csv"), options)
        .and_then(|()| Ok(writer.write_all(text.as_bytes())?))
        .expect("an archive in memory");
    writer.finish().expect("an archive in memory").into_inner()
}

fn document(seed: u32) -> Vec<u8> {
    format!(
        "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 \
            >>\nendobj\n\
         % offer {seed}\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
    )
    .into_bytes()
}

fn invitation(seed: u32) -> Vec<u8> {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//drill//EN\r\nBEGIN:VEVENT\r\nUID:{seed}@partner.example\r\n\
         DTSTAMP:20260101T000000Z\r\n\
         DTSTART:20260112T100000Z\r\nSUMMARY:Meeting {seed}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    .into_bytes()
}

/// A mail with the sender's signature, and what people attach.
fn mail(from: &str, to: &str, number: u32, signature: u32, attached: u32) -> Vec<u8> {
    let text = format!("Dear all,\n\nplease see https://partner.example/offer/{number} and https://sho.rt/{number}.\n");
    let html = format!("<p>{}</p><p>Kind regards<br><img src=\"cid:logo\"></p>", text.trim_end());
    let mail = Mail::new(from, to, &format!("Re: Offer {number}"))
        .field("Date", "Mon, 5 Jan 2026 09:00:00 +0000")
        .field("Message-ID", &format!("<{number}.{signature}@drill.example>"))
        .text(&text)
        .html(&html)
        .inline("image001.png", "image/png", "logo", &picture(signature, 60, 24, ImageFormat::Png));
    let mail = match attached % 5 {
        0 => mail.attach("photo.jpg", "image/jpeg", &picture(attached + 1000, 320, 240, ImageFormat::Jpeg)),
        1 => mail.attach("figures.zip", "application/zip", &zipped(attached)),
        2 => mail.attach("offer.pdf", "application/pdf", &document(attached)),
        3 => mail.attach("invite.ics", "text/calendar", &invitation(attached)),
        _ => mail,
    };
    mail.build()
}

/// For a month partners have written; what one attaches, another passes on.
pub fn history() -> Vec<Vec<u8>> {
    let mut mails = Vec::new();
    for round in 0..MAILS_EACH {
        for number in 0..PARTNERS {
            let id = round * PARTNERS + number;
            mails.push(mail(&partner(number), "bert@ours.example", id, number, number * 5 + round));
            let other = (number + 1) % PARTNERS;
            mails.push(mail(&partner(other), "bert@ours.example", 10_000 + id, number, number * 5 + round));
        }
    }
    mails
}

/// A day: partners answer, and so do those of ours; what they attach is partly known and partly new.
pub fn traffic() -> Vec<Vec<u8>> {
    let mut mails = Vec::new();
    for at in 0..120 {
        let number = at % PARTNERS;
        let attached = if at % 2 == 0 { number * 5 + at % MAILS_EACH } else { 5000 + at };
        let (from, to) = match at % 6 {
            4 => ("bert@ours.example".to_owned(), "carla@ours.example".to_owned()),
            5 => ("carla@ours.example".to_owned(), partner(number)),
            _ => (partner(number), "bert@ours.example".to_owned()),
        };
        mails.push(mail(&from, &to, 20_000 + at, if at % 3 == 0 { 300 + at } else { number }, attached));
    }
    mails
}

/// What every ruleset takes for a program.
pub(crate) fn setup_program() -> Vec<u8> {
    let mut program = vec![0; 512];
    program[..2].copy_from_slice(b"MZ");
    program[0x3c] = 0x80;
    program[0x80..0x84].copy_from_slice(b"PE\0\0");
    program
}

/// Real malware of the same hour; in an outbreak, answers of partners who were taken over.
pub fn bad(is_outbreak: bool) -> Vec<Vec<u8>> {
    let program = setup_program();
    let bad = |at: u32| {
        let from = if is_outbreak { partner(at % PARTNERS) } else { format!("x{at}@stranger.example") };
        let mail = Mail::new(&from, "bert@ours.example", &format!("Re: Offer {at}"))
            .field("Date", "Mon, 5 Jan 2026 09:00:00 +0000")
            .field("Message-ID", &format!("<bad-{at}@drill.example>"))
            .text("Please look at once.\n")
            .html("<p>Please look at once.<img src=\"cid:logo\"></p>")
            .inline("image001.png", "image/png", "logo", &picture(at % PARTNERS, 60, 24, ImageFormat::Png));
        if is_outbreak {
            let mut image = picture(7000 + at, 40, 40, ImageFormat::Png);
            // Behind the end of the picture, where a walker finds it and a rule on the part does.
            image.extend_from_slice(format!("the payload of the campaign {at}").as_bytes());
            mail.attach("photo.png", "image/png", &image).build()
        } else {
            mail.attach("setup.exe", "application/octet-stream", &program).build()
        }
    };
    (0..24).map(bad).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn every_scenario_can_be_read_and_its_rule_loads() {
        for one in &SCENARIOS {
            let folder = std::env::temp_dir().join(format!("reprieve-library-{}-{}", std::process::id(), one.name));
            let text = make(one.name, &folder).expect("it is written");
            let scenario = Scenario::parse(&text, &folder);
            let loaded = detect::ruleset::load::from_folder(&folder.join("published"));
            fs::remove_dir_all(&folder).expect("it is there");
            assert_eq!(scenario.expect("it can be read").name, one.name);
            let detections = if one.plot == Plot::Batch { PARTNERS as usize } else { 1 };
            assert_eq!(loaded.expect("it loads").detections.len(), detections, "{}", one.name);
        }
        assert!(matches!(make("nonsense", Path::new("/nowhere")), Err(CliError::Usage(_))));
    }
}
