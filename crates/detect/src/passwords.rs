//! The words that may open what is encrypted: those of the mail in which it is, then those of the mails around it,
//! then those of all others that came together.

use std::collections::{BTreeMap, BTreeSet};

use domain::message::Part;

use crate::mime::Decoded;
use crate::text;

/// Words that are tried on one archive at most.
const WORDS_MAX: usize = 40;

/// A mail among those that are in one: the outermost, or a part that is one.
type Letter = Option<u32>;

/// What each mail says, as the parts of all of them come.
#[derive(Debug, Default)]
pub(crate) struct Passwords {
    /// The mail in which each part is, by its number.
    letters: Vec<Letter>,
    /// The texts of each mail: numbers of parts.
    parts: BTreeMap<Letter, Vec<usize>>,
    /// Texts of a mail that are no parts: its subject, the body of one that Outlook saved.
    others: BTreeMap<Letter, Vec<String>>,
    /// Words that were found so far.
    found: BTreeMap<Letter, Vec<String>>,
}

impl Passwords {
    /// One more part, behind those that came before; of its parent is told whether that is a mail.
    pub(crate) fn part(&mut self, decoded: &Decoded<'_>, parent: Option<(&Part, bool)>) {
        let letter = match parent {
            Some((parent, true)) => Some(parent.number),
            Some((parent, false)) => self.letter(parent.number),
            None => None,
        };
        if decoded.is_text {
            self.parts.entry(letter).or_default().push(self.letters.len());
        }
        self.letters.push(letter);
    }

    /// A text of a mail that is no part of it.
    pub(crate) fn text(&mut self, letter: Letter, text: String) {
        if !text.is_empty() {
            self.others.entry(letter).or_default().push(text);
        }
    }

    /// Whether a part is a mail that has said something.
    pub(crate) fn has_text_of(&self, part: &Part) -> bool {
        self.others.contains_key(&Some(part.number))
    }

    fn letter(&self, number: u32) -> Letter {
        usize::try_from(number).ok().and_then(|at| self.letters.get(at).copied()).flatten()
    }

    /// The words for an archive that is the part of this number, those of its own mail first.
    pub(crate) fn of(&mut self, number: u32, decoded: &[Decoded<'_>]) -> Vec<String> {
        let mut order = Vec::new();
        let mut letter = self.letter(number);
        while let Some(inner) = letter {
            order.push(letter);
            // A mail is a part of another that came before it.
            letter = self.letter(inner).filter(|outer| *outer < inner);
        }
        order.push(None);
        let around = order.len();
        let others = self.parts.keys().chain(self.others.keys()).filter(|other| !order[..around].contains(other));
        let others: BTreeSet<Letter> = others.copied().collect();
        order.extend(others);
        let mut words: Vec<String> = Vec::new();
        for letter in order {
            if words.len() >= WORDS_MAX {
                break;
            }
            for word in self.words(letter, decoded) {
                if words.len() < WORDS_MAX && !words.contains(word) {
                    words.push(word.clone());
                }
            }
        }
        words
    }

    fn words(&mut self, letter: Letter, decoded: &[Decoded<'_>]) -> &[String] {
        let Self { parts, others, found, .. } = self;
        found.entry(letter).or_insert_with(|| {
            let parts = parts.get(&letter).into_iter().flatten().filter_map(|at| decoded.get(*at));
            let others = others.get(&letter).into_iter().flatten().map(String::as_str);
            let texts = parts.filter_map(|part| std::str::from_utf8(&part.bytes).ok());
            text::passwords(&texts.chain(others).collect::<Vec<_>>())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};
    use std::time::Duration;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use zip::write::SimpleFileOptions;

    use crate::limits::{Budget, Limits};
    use crate::take_apart::parts_of_mail;

    fn zipped(name: &str, password: &str) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().with_aes_encryption(zip::AesMode::Aes128, password);
        writer.start_file(name, options).expect("a zip in memory takes a file");
        writer.write_all(b"it is open").expect("a zip in memory takes bytes");
        writer.finish().expect("a zip in memory can be finished").into_inner()
    }

    /// A mail with a text and files.
    fn mail(subject: &str, text: &str, files: &[(&str, &str, Vec<u8>)]) -> Vec<u8> {
        let boundary = format!("b{}", subject.len() + 7 * text.len() + files.len());
        let mut mail = format!(
            "From: a@partner.example\r\nTo: b@example.com\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: \
             multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
        );
        for (name, declared, bytes) in files {
            let encoded = STANDARD.encode(bytes);
            mail.push_str(&format!(
                "--{boundary}\r\nContent-Type: {declared}; name=\"{name}\"\r\nContent-Disposition: attachment; \
                 filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n"
            ));
        }
        mail.push_str(&format!("--{boundary}--\r\n"));
        mail.into_bytes()
    }

    /// The names of what could be opened.
    fn opened(mail: &[u8]) -> Vec<String> {
        let budget = Budget::starting_now(Duration::from_secs(20));
        let parts = parts_of_mail(mail, &Limits::default(), budget);
        let open = parts.into_iter().filter(|(part, _)| part.size == 10 && part.parent.is_some());
        open.map(|(part, _)| part.name).collect()
    }

    const OCTETS: &str = "application/octet-stream";

    #[test]
    fn the_password_is_in_the_mail_or_around_it() {
        let archive = |password| ("a.zip", "application/zip", zipped("in.txt", password));
        let inner = |text: &str, password| mail("inner", text, &[archive(password)]);
        for declared in [OCTETS, "message/rfc822"] {
            for (outer, text, password) in [
                ("see below", "The password is: Inner77", "Inner77"),
                ("The password is: Outer88", "see attached", "Outer88"),
                ("Password: wrong", "Password: Inner77", "Inner77"),
            ] {
                let whole = mail("outer", outer, &[("mail.eml", declared, inner(text, password))]);
                assert_eq!(opened(&whole), ["in.txt"], "{declared} {outer} {text}");
            }
        }
        let alone = mail("outer", "see below", &[("mail.eml", OCTETS, inner("see attached", "Nowhere9"))]);
        assert_eq!(opened(&alone), [""; 0]);
    }

    #[test]
    fn subjects_and_mails_beside_one_another() {
        let archive = |name, password| ("a.zip", "application/zip", zipped(name, password));
        let subject = mail("Password: Subject66", "see attached", &[archive("in.txt", "Subject66")]);
        assert_eq!(opened(&subject), ["in.txt"]);
        let letters: Vec<(&str, &str, Vec<u8>)> = [("one.txt", "First11"), ("two.txt", "Second22")]
            .into_iter()
            .map(|(name, password)| {
                let text = format!("Password: {password}");
                ("mail.eml", OCTETS, mail(name, &text, &[archive(name, password)]))
            })
            .collect();
        let mut names = opened(&mail("outer", "two mails", &letters));
        names.sort();
        assert_eq!(names, ["one.txt", "two.txt"]);
    }
}
