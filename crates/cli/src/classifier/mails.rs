//! The mails of folders, as models see them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use detect::classifier::example::Origin;
use detect::classifier::{Asked, ForModels};
use detect::examine::{EnvelopeFacts, Examiner};
use detect::limits::Budget;
use detect::scorecard::host::is_free_mail;
use detect::text::organisation;
use domain::{Digest, header};

use crate::{CliError, mailbox};

/// Time for one mail.
pub(super) const MAIL_TIME: Duration = Duration::from_secs(10);
/// Mails of each kind that are read.
const MAILS_MAX: usize = 20_000;

/// One mail.
pub(super) struct Read {
    /// Its file.
    pub(super) file: PathBuf,
    /// Its place in it, from 1 on.
    pub(super) number: usize,
    /// Where it comes from.
    pub(super) origin: Origin,
    /// What models see of it.
    pub(super) mail: ForModels,
}

/// Hands over the mails below `paths`, each once. A source is a path that was given, or the sender's domain where only
/// one was.
///
/// # Errors
/// When something cannot be read, there are too many, or the taker says no.
pub(super) fn each(
    examiner: &mut Examiner<'_>,
    paths: &[PathBuf],
    asked: Asked,
    is_bad: bool,
    mut take: impl FnMut(Read) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut known = BTreeSet::new();
    for path in paths {
        for file in mailbox::files(std::slice::from_ref(path)).map_err(CliError::unreachable)? {
            let bytes = mailbox::read(&file).map_err(CliError::unreachable)?;
            if !mailbox::is_mail(&bytes) {
                continue;
            }
            for (raw, number) in mailbox::mails(&file, &bytes).into_iter().zip(1..) {
                let digest = Digest::of(&raw);
                if !known.insert(digest) {
                    continue;
                }
                if known.len() > MAILS_MAX {
                    return Err(CliError::Usage(format!("more than {MAILS_MAX} messages; give fewer")));
                }
                let source = (paths.len() > 1).then_some(path.as_path());
                let origin = origin(&raw, &digest, source, is_bad);
                let budget = Budget::starting_now(MAIL_TIME);
                let mail = examiner.read_for_models(&raw, &EnvelopeFacts::default(), asked, budget);
                take(Read { file: file.clone(), number, origin, mail })?;
            }
        }
    }
    Ok(())
}

fn origin(raw: &[u8], digest: &Digest, source: Option<&Path>, is_bad: bool) -> Origin {
    let from = header::fields(raw).find(|field| field.is("From")).map(|field| field.unfolded()).unwrap_or_default();
    let address = header::addresses(&from).first().map(ToString::to_string).unwrap_or(from).to_lowercase();
    let domain = organisation(&address).unwrap_or_default();
    let sender = if domain.is_empty() || is_free_mail(&domain) { address } else { domain.clone() };
    let source = source.map_or(domain, |path| path.display().to_string());
    let key = digest.as_bytes().iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte));
    Origin { is_bad, source, sender, group: thread(raw, digest), key }
}

/// What the mails of one thread or campaign have in common: their subject, without what is put before it and without
/// numbers.
fn thread(mail: &[u8], digest: &Digest) -> String {
    let subject = header::fields(mail).find(|field| field.is("Subject")).map(|field| field.unfolded().to_lowercase());
    let subject = subject.unwrap_or_default();
    let mut rest = subject.trim();
    while let Some((_, behind)) = rest.split_once(':').filter(|(before, _)| before.chars().count() <= 4) {
        rest = behind.trim_start();
    }
    let plain: String = rest.chars().filter(|c| c.is_alphabetic()).collect();
    if plain.is_empty() { digest.hex() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mail: &str) -> Origin {
        origin(mail.as_bytes(), &Digest::of(mail.as_bytes()), None, false)
    }

    #[test]
    fn a_thread_is_its_subject() {
        let thread = |subject: &str| of(&format!("From: a@b.c\r\nSubject: {subject}\r\n\r\nx\r\n")).group;
        assert_eq!(thread("Re: AW: Invoice 4711 of March"), thread("invoice 99 of march"));
        assert_ne!(thread("Invoice"), thread("Offer"));
        assert_ne!(thread(""), of("Subject:\r\n\r\nother\r\n").group, "without a subject each is alone");
    }

    #[test]
    fn a_sender_is_an_organisation_or_a_mailbox_that_anybody_gets() {
        let sender = |from: &str| of(&format!("From: {from}\r\n\r\nx\r\n")).sender;
        assert_eq!(sender("Anna <anna@mail.partner.example>"), "partner.example");
        assert_eq!(sender("Anna <Anna@GMAIL.com>"), "anna@gmail.com");
        assert_eq!(of("From: a@mail.partner.example\r\n\r\nx\r\n").source, "partner.example");
    }
}
