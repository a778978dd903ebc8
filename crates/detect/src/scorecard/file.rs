//! Marks of what is attached.

use domain::message::{Family, Part};

use super::brand::brand_of_domain;
use super::host;
use super::mark::Mark as M;
use super::marks::Marks;
use super::reading::{Reading, Target};
use crate::mime::Decoded;
use crate::page::link::LinkOrigin;
use crate::structure::Check;

/// Words below which a picture is what the mail says.
const FEW_WORDS: usize = 15;
/// Bytes of a picture below which it is an ornament.
const PICTURE_BYTES_MIN: u64 = 10_000;

pub(super) fn look(mail: &Reading<'_>, marks: &mut Marks) {
    let parts = || mail.message().parts.iter().zip(&mail.parsed.parts);
    let top = || parts().filter(|(part, _)| part.parent.is_none());
    let files: Vec<(&Part, &Decoded<'_>)> = top().filter(|(_, decoded)| decoded.is_attachment).collect();
    marks.add_if(files.is_empty(), M::FileNone);
    for (part, _) in &files {
        one(mail, part, marks);
    }
    let seen = mail.seen;
    marks.add_if(seen.attached_pages > 0, M::FilePage);
    marks.add_if(seen.attached_form_fields > 0, M::FilePageForm);
    marks.add_if(seen.attached_scripts > 0, M::FilePageScript);
    let is_large = |part: &Part| part.family == Family::Image && part.size > PICTURE_BYTES_MIN;
    marks.add_if(mail.text.count < FEW_WORDS && top().any(|(part, _)| is_large(part)), M::FilePictureAlone);
    let in_files =
        || mail.links.iter().filter(|link| matches!(link.origin, LinkOrigin::Document | LinkOrigin::Attachment));
    marks.add_if(in_files().next().is_some(), M::FileLink);
    marks.add_if(in_files().count() == 1, M::FileLinkOne);
    marks.add_if(mail.checks.contains(&Check::QrCode), M::FileCode);
    let declared = |what: &str| parts().any(|(part, _)| part.declared == what);
    let is_signed = declared("application/pkcs7-signature")
        || declared("application/pgp-signature")
        || declared("application/x-pkcs7-signature");
    marks.add_if(is_signed, M::Signed);
    if declared("text/calendar") || files.iter().any(|(part, _)| part.name.to_lowercase().ends_with(".ics")) {
        marks.add(M::Calendar);
        let is_known = |link: &Target| {
            link.domain == mail.from
                || host::is_meeting_service(&link.url.host, &link.url.rest)
                || brand_of_domain(&link.domain).is_some()
        };
        marks.add_if(mail.links.iter().any(|link| !is_known(link)), M::CalendarStranger);
    }
}

fn one(mail: &Reading<'_>, part: &Part, marks: &mut Marks) {
    match part.family {
        Family::Pdf => marks.add(M::FilePdf),
        Family::Office => marks.add(M::FileOffice),
        Family::Archive => marks.add(M::FileArchive),
        Family::Mail => marks.add(M::FileMail),
        Family::Image if part.content_type.contains("svg") => marks.add(M::FileSvg),
        Family::Image => marks.add(M::FilePicture),
        _ => {}
    }
    let name = part.name.to_lowercase();
    let ends = |list: &[&str]| list.iter().any(|end| name.ends_with(end));
    marks.add_if(part.size == 0 && ends(&[".pdf", ".doc", ".docx", ".xls", ".xlsx"]), M::FilePdfEmpty);
    marks.add_if(ends(&[".mobileconfig"]), M::FileProfile);
    let names = |one: &String| {
        let local = one.split('@').next().unwrap_or_default();
        local.len() >= 4 && name.contains(local)
    };
    marks.add_if(mail.recipients.iter().any(names), M::FileRecipient);
    let is_number = |word: &str| word.len() >= 6 && word.bytes().all(|b| b.is_ascii_digit());
    marks.add_if(name.split(|c: char| !c.is_ascii_alphanumeric()).any(is_number), M::FileDigits);
}
