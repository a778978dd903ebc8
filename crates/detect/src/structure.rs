//! The checks that are code: what parts are, against what they say they are. Each yields signals; a
//! detection of the ruleset names the check that it acts on, and says what follows.

use domain::message::{Family, Message, Part};

use crate::family::{Blocked, blocked, extension};
use crate::mime::{Decoded, LimitHit};
use crate::picture;
use crate::unpack::Closed;

/// One thing that a check saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Which check.
    pub check: Check,
    /// In which part; `None` for the message.
    pub part: Option<u32>,
    /// The family of that part.
    pub family: Family,
    /// The byte in the part where it begins, where there is one.
    pub offset: Option<u64>,
    /// What was seen, for people.
    pub evidence: String,
}

impl Signal {
    /// Something about a part as a whole.
    pub fn of_part(check: Check, part: &Part, evidence: String) -> Self {
        Self { check, part: Some(part.number), family: part.family, offset: None, evidence }
    }
}

/// The checks, by the names that a detection's `check =` uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// An attached program, by content.
    Executable,
    /// A program or script whose name or declared type says that it is a document or a picture.
    DisguisedExecutable,
    /// A file name like `invoice.pdf.exe`.
    DoubleExtension,
    /// A file name that a desktop would run.
    RunnableName,
    /// A program or a runnable name inside an archive.
    ExecutableInArchive,
    /// Content, name and declaration do not agree.
    TypeMismatch,
    /// A place that can be read in two ways.
    Ambiguity,
    /// A deterministic limit kept something from being seen.
    Limit,
    /// An encrypted archive.
    EncryptedArchive,
    /// Damaged or of a kind that is not opened.
    NotAnalysed,
    /// An archive of which nothing could be read.
    UnreadArchive,
    /// A file of a type that mail programs block, and that is everyday for some.
    ListedName,
    /// A piece of a mail; only all of them together can be examined.
    PartialMail,
    /// A part whose content is fetched from elsewhere.
    ExternalBody,
    /// A picture by its name, and a document or archive by its content.
    DisguisedDocument,
    /// Something follows the real end of a picture.
    PictureTail,
    /// Much follows it that nothing accounts for.
    PictureTailLarge,
    /// A program or script follows it.
    PictureTailProgram,
    /// An archive or document follows it.
    PictureTailArchive,
    /// A picture that is odd or damaged.
    PictureMalformed,
    /// A JPEG segment of length 0 or 1 (MS04-028).
    PictureMs04028,
    /// Huffman tables that overflow (CVE-2023-4863).
    PictureCve20234863,
    /// A picture that is too large to be decoded.
    PictureLarge,
    /// A picture that declares more than a thousand million pixels.
    PictureHuge,
    /// A program or an acting script in a picture's texts.
    PicturePayload,
    /// Markup with a script in a picture's texts.
    PictureMarkup,
    /// The same, and the picture is served as a page.
    PictureAsPage,
    /// A colour profile whose tags overflow.
    PictureProfile,
    /// An SVG that runs.
    SvgActive,
    /// An SVG that loads something from elsewhere.
    SvgExternal,
    /// An SVG with a foreign object.
    SvgForeign,
    /// An encrypted archive whose password the mail brings itself.
    PasswordInMail,
    /// An encrypted document.
    EncryptedDocument,
    /// A document with macros.
    Macro,
    /// Macros that start by themselves.
    MacroAutomatic,
    /// Macros that start by themselves and reach out of the document.
    MacroActs,
    /// A document that is made from a template, or shows an object, elsewhere.
    DocumentLink,
    /// A document that loads something from a stranger when it is opened.
    DocumentRemote,
    /// A field that asks another program.
    Dde,
    /// A document with files in it.
    DocumentEmbeds,
    /// An object of a class that only exploits use.
    RtfExploit,
    /// A PDF with a script, or that opens another file.
    PdfScript,
    /// A PDF that starts a program.
    PdfLaunch,
    /// A PDF whose script runs by itself and reaches out.
    PdfAutomatic,
    /// A PDF with a script as exploits have.
    PdfExploit,
    /// An attached page that makes a file and hands it over.
    HtmlSmuggling,
    /// An attached page that asks for a password and sends it away.
    HtmlCredentials,
    /// An attached page that writes itself.
    HtmlDecoded,
    /// An attached page that only moves on.
    HtmlRedirect,
    /// An attached page with a program in it.
    HtmlPayload,
    /// A link to a domain that only looks like a known one.
    LinkLookalike,
    /// A link that hides its host.
    LinkDisguised,
    /// A link that shows another domain than it leads to.
    LinkMismatch,
    /// A link to an address or an odd port.
    LinkAddress,
    /// A link through a site that passes on.
    LinkRedirector,
    /// A link that starts a program.
    LinkProgram,
    /// A link to a share of a stranger.
    LinkShare,
    /// A code in a picture that leads somewhere.
    QrCode,
    /// A code that knows whom it was made for.
    QrRecipient,
    /// A sender whose domain only looks like a known one.
    SenderLookalike,
    /// A sender who shows an address of ours as a name.
    SenderName,
    /// Answers go to another domain.
    SenderReplyTo,
    /// A mail that is one picture and no text.
    PictureOnly,
    /// A picture that nobody sees.
    TrackingPixel,
    /// The domain of From disowns the mail and asks for rejection.
    DmarcReject,
    /// The same, and it asks for quarantine.
    DmarcQuarantine,
    /// The same, and it asks for nothing.
    DmarcFail,
    /// A mail from outside that says it is from us, and nothing vouches for it.
    OwnDomainForged,
    /// The domain of the reverse path does not send from there.
    SpfFail,
    /// It is signed, and no signature holds.
    DkimBroken,
}

/// All checks with the names that a detection's file uses.
const NAMES: [(Check, &str); 70] = [
    (Check::Executable, "executable"),
    (Check::DisguisedExecutable, "disguised-executable"),
    (Check::DoubleExtension, "double-extension"),
    (Check::RunnableName, "runnable-name"),
    (Check::ExecutableInArchive, "executable-in-archive"),
    (Check::TypeMismatch, "type-mismatch"),
    (Check::Ambiguity, "ambiguity"),
    (Check::Limit, "limit"),
    (Check::EncryptedArchive, "encrypted-archive"),
    (Check::NotAnalysed, "not-analysed"),
    (Check::UnreadArchive, "unread-archive"),
    (Check::ListedName, "listed-name"),
    (Check::PartialMail, "partial-mail"),
    (Check::ExternalBody, "external-body"),
    (Check::DisguisedDocument, "disguised-document"),
    (Check::PictureTail, "picture-tail"),
    (Check::PictureTailLarge, "picture-tail-large"),
    (Check::PictureTailProgram, "picture-tail-program"),
    (Check::PictureTailArchive, "picture-tail-archive"),
    (Check::PictureMalformed, "picture-malformed"),
    (Check::PictureMs04028, "picture-ms04-028"),
    (Check::PictureCve20234863, "picture-cve-2023-4863"),
    (Check::PictureLarge, "picture-large"),
    (Check::PictureHuge, "picture-huge"),
    (Check::PicturePayload, "picture-payload"),
    (Check::PictureMarkup, "picture-markup"),
    (Check::PictureAsPage, "picture-as-page"),
    (Check::PictureProfile, "picture-profile"),
    (Check::SvgActive, "svg-active"),
    (Check::SvgExternal, "svg-external"),
    (Check::SvgForeign, "svg-foreign"),
    (Check::PasswordInMail, "password-in-mail"),
    (Check::EncryptedDocument, "encrypted-document"),
    (Check::Macro, "macro"),
    (Check::MacroAutomatic, "macro-automatic"),
    (Check::MacroActs, "macro-acts"),
    (Check::DocumentLink, "document-link"),
    (Check::DocumentRemote, "document-remote"),
    (Check::Dde, "dde"),
    (Check::DocumentEmbeds, "document-embeds"),
    (Check::RtfExploit, "rtf-exploit"),
    (Check::PdfScript, "pdf-script"),
    (Check::PdfLaunch, "pdf-launch"),
    (Check::PdfAutomatic, "pdf-automatic"),
    (Check::PdfExploit, "pdf-exploit"),
    (Check::HtmlSmuggling, "html-smuggling"),
    (Check::HtmlCredentials, "html-credentials"),
    (Check::HtmlDecoded, "html-decoded"),
    (Check::HtmlRedirect, "html-redirect"),
    (Check::HtmlPayload, "html-payload"),
    (Check::LinkLookalike, "link-lookalike"),
    (Check::LinkDisguised, "link-disguised"),
    (Check::LinkMismatch, "link-mismatch"),
    (Check::LinkAddress, "link-address"),
    (Check::LinkRedirector, "link-redirector"),
    (Check::LinkProgram, "link-program"),
    (Check::LinkShare, "link-share"),
    (Check::QrCode, "qr-code"),
    (Check::QrRecipient, "qr-recipient"),
    (Check::SenderLookalike, "sender-lookalike"),
    (Check::SenderName, "sender-name"),
    (Check::SenderReplyTo, "sender-reply-to"),
    (Check::PictureOnly, "picture-only"),
    (Check::TrackingPixel, "tracking-pixel"),
    (Check::DmarcReject, "dmarc-reject"),
    (Check::DmarcQuarantine, "dmarc-quarantine"),
    (Check::DmarcFail, "dmarc-fail"),
    (Check::OwnDomainForged, "own-domain-forged"),
    (Check::SpfFail, "spf-fail"),
    (Check::DkimBroken, "dkim-broken"),
];

impl Check {
    /// All checks.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(check, _)| check)
    }

    /// The name in a detection's file.
    pub fn as_str(self) -> &'static str {
        NAMES.into_iter().find(|(check, _)| *check == self).map_or("", |(_, name)| name)
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        NAMES.into_iter().find(|(_, name)| *name == text).map(|(check, _)| check)
    }
}

/// Extensions of what people open without a thought.
const INNOCENT: [&str; 24] = [
    "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "rtf", "txt", "csv", "jpg", "jpeg", "png", "gif", "bmp",
    "tif", "tiff", "webp", "svg", "mp3", "mp4", "htm", "html",
];

/// Looks at all parts of a message. `members` says which parts came out of an archive.
pub fn look(message: &Message, decoded: &[Decoded<'_>], members: &[bool]) -> Vec<Signal> {
    let mut signals = Vec::new();
    for ((part, decoded), is_member) in message.parts.iter().zip(decoded).zip(members) {
        if *is_member || decoded.is_attachment || part.family == Family::Executable {
            look_at_file(part, decoded, *is_member, &mut signals);
        }
        if part.parent.and_then(|parent| message.part(parent)).is_some_and(|parent| parent.content_type == NOTE) {
            in_note(part, &mut signals);
        }
        left_out(part, &decoded.declarations, &mut signals);
        type_mismatch(part, &mut signals);
        if picture::is_disguise(part) {
            let evidence =
                format!("{} named '{}' and declared {}", part.content_type, part.name, or_none(&part.declared));
            signals.push(Signal::of_part(Check::DisguisedDocument, part, evidence));
        }
    }
    for ambiguity in &message.ambiguities {
        let evidence = ambiguity.as_str().to_owned();
        signals.push(Signal { check: Check::Ambiguity, part: None, family: Family::Mail, offset: None, evidence });
    }
    signals
}

fn look_at_file(part: &Part, decoded: &Decoded<'_>, is_member: bool, signals: &mut Vec<Signal>) {
    let mut add = |check, evidence: String| signals.push(Signal::of_part(check, part, evidence));
    let is_program = part.family == Family::Executable;
    let declared = || std::iter::once(&part.declared).chain(&decoded.declarations);
    if is_program && (decoded.names().any(has_innocent_end) || declared().any(|declared| says_innocent(declared))) {
        add(
            Check::DisguisedExecutable,
            format!("{} named '{}' and declared {}", part.content_type, part.name, or_none(&part.declared)),
        );
    }
    let runs = decoded.names().find(|name| runs(name, part.family));
    if let Some(name) = runs
        && let (Some(inner), Some(extension)) = (inner_extension(name), extension(name))
    {
        add(Check::DoubleExtension, format!("'{name}' ends in .{extension} behind .{inner}"));
    }
    let name = runs.unwrap_or(&part.name);
    match (is_program, runs.is_some(), is_member) {
        (true, _, true) | (_, true, true) => {
            add(Check::ExecutableInArchive, format!("{} '{name}' inside an archive", part.content_type));
        }
        (true, _, false) => add(Check::Executable, format!("{} '{name}'", part.content_type)),
        (false, true, false) => add(Check::RunnableName, format!("'{name}' runs when it is opened")),
        (false, false, _) => {
            if let Some(name) = decoded.names().find(|name| blocked(name) == Some(Blocked::Listed)) {
                add(Check::ListedName, format!("'{name}'"));
            }
        }
    }
}

/// A section of OneNote.
const NOTE: &str = "application/onenote";

/// What lies in a section of OneNote without a name that could be read: a page or a script is there to be run by a
/// double click on the picture above it.
fn in_note(part: &Part, signals: &mut Vec<Signal>) {
    if part.name.is_empty() && matches!(part.family, Family::Html | Family::Script) {
        let evidence = format!("{} without a name in a OneNote section", part.content_type);
        signals.push(Signal::of_part(Check::ExecutableInArchive, part, evidence));
    }
}

/// Whether a file of this name runs when it is opened. What a program is needed for does not run if it is a picture.
fn runs(name: &str, family: Family) -> bool {
    match blocked(name) {
        Some(Blocked::Runs) => true,
        Some(Blocked::Program) => !matches!(family, Family::Image | Family::Pdf | Family::Media),
        Some(Blocked::Listed) | None => false,
    }
}

fn has_innocent_end(name: &str) -> bool {
    extension(name).is_some_and(|extension| INNOCENT.contains(&extension.as_str()))
}

/// What is not in the mail: a piece of a mail (RFC 2046 section 5.2.2), or something that lies elsewhere (5.2.3).
fn left_out(part: &Part, declarations: &[String], signals: &mut Vec<Signal>) {
    let is = |kind: &str| part.declared == kind || declarations.iter().any(|declared| declared == kind);
    if is("message/partial") {
        signals.push(Signal::of_part(Check::PartialMail, part, "a piece of a mail".into()));
    }
    if is("message/external-body") {
        signals.push(Signal::of_part(Check::ExternalBody, part, "content that lies elsewhere".into()));
    }
}

fn or_none(declared: &str) -> &str {
    if declared.is_empty() { "nothing" } else { declared }
}

fn says_innocent(declared: &str) -> bool {
    declared.starts_with("image/")
        || declared.starts_with("text/")
        || declared.starts_with("audio/")
        || declared.starts_with("video/")
        || declared == "application/pdf"
}

/// The innocent extension before the last one: `pdf` in `invoice.pdf.exe`.
fn inner_extension(name: &str) -> Option<String> {
    let (stem, _) = name.trim_end_matches(['.', ' ']).rsplit_once('.')?;
    // Blanks push the real extension out of sight.
    extension(stem.trim_end()).filter(|inner| INNOCENT.contains(&inner.as_str()))
}

/// What a part declares against what its bytes show; a fact, because phones and mail clients do it all day.
fn type_mismatch(part: &Part, signals: &mut Vec<Signal>) {
    let declared = match part.declared.split('/').next().unwrap_or_default() {
        "image" => Some(Family::Image),
        "audio" | "video" => Some(Family::Media),
        _ if part.declared == "application/pdf" => Some(Family::Pdf),
        _ => None,
    };
    let mismatch = declared.is_some_and(|declared| declared != part.family) || image_kinds_differ(part);
    if mismatch && part.size > 0 {
        let evidence = format!("declared {}, content {}", part.declared, part.content_type);
        signals.push(Signal::of_part(Check::TypeMismatch, part, evidence));
    }
}

fn image_kinds_differ(part: &Part) -> bool {
    let kind = |text: &str| match text {
        "image/jpg" | "image/pjpeg" => "image/jpeg".to_owned(),
        other => other.to_owned(),
    };
    part.declared.starts_with("image/")
        && part.family == Family::Image
        && kind(&part.declared) != kind(&part.content_type)
}

/// The signal of a limit hit while parsing.
pub fn of_limit(hit: LimitHit) -> Signal {
    Signal { check: Check::Limit, part: hit.part, family: hit.family, offset: None, evidence: hit.what }
}

/// Archives of old programs, which nobody opens and many unpackers do.
const NEVER_OPENED: [&str; 10] = [
    "application/x-ace",
    "application/x-apple-diskimage",
    "application/x-alz",
    "application/x-arj",
    "application/x-compress",
    "application/x-egg",
    "application/x-lzh",
    "application/x-ms-wim",
    "application/x-xar",
    "application/zstd",
];
/// What is opened as an archive and is none to its reader: where it holds nothing that can be read, there is nothing to
/// run either.
const NO_ARCHIVES: [&str; 3] = ["application/pkcs7-mime", "application/ms-tnef", "application/onenote"];

/// The signals of what was not seen of an archive. `has_members`: something was. What there was no time for is not
/// unreadable: the same bytes must lead to the same verdict on a machine that is faster.
pub fn of_archive(closed: Vec<Closed>, part: &Part, has_members: bool) -> Vec<Signal> {
    let kind = part.content_type.as_str();
    let not_analysed = closed.iter().find_map(|one| match one {
        Closed::NotAnalysed(why) => Some(why.clone()),
        _ => None,
    });
    let why = match (NEVER_OPENED.contains(&kind), has_members) {
        _ if closed.contains(&Closed::OutOfTime) || closed.contains(&Closed::Volume) => None,
        (true, false) => Some(not_analysed.unwrap_or_else(|| format!("nothing in the {kind} could be read"))),
        (false, false) if NO_ARCHIVES.contains(&kind) => None,
        (true, true) | (false, false) => not_analysed,
        (false, true) => None,
    };
    let unread = why.map(|why| Signal::of_part(Check::UnreadArchive, part, why));
    closed.into_iter().map(|one| of_closed(one, part)).chain(unread).collect()
}

/// The signal of something inside an archive that was not seen.
pub fn of_closed(closed: Closed, part: &Part) -> Signal {
    let (check, evidence) = match closed {
        Closed::Limit(what) => (Check::Limit, what),
        Closed::Volume => {
            let why = format!("'{}' is one of several volumes, which only together can be opened", part.name);
            (Check::UnreadArchive, why)
        }
        Closed::Encrypted => (Check::EncryptedArchive, format!("'{}' is encrypted", part.name)),
        Closed::OpenedWithPassword => {
            (Check::PasswordInMail, format!("'{}' opens with a password that is in the mail", part.name))
        }
        Closed::NotAnalysed(why) => (Check::NotAnalysed, why),
        Closed::OutOfTime => (Check::NotAnalysed, "no time left".to_owned()),
    };
    Signal::of_part(check, part, evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Digest;
    use domain::message::Tail;

    fn check(name: &str, family: Family, declared: &str, is_member: bool, expected: &[Check]) {
        let part = Part {
            number: 0,
            parent: None,
            sha256: Digest::of(b""),
            size: 10,
            family,
            content_type: "image/png".into(),
            declared: declared.into(),
            name: name.into(),
            tail: Tail::NotWalked,
        };
        let mut signals = Vec::new();
        let parsed = crate::mime::alone(b"", name, declared);
        look_at_file(&part, &parsed.parts[0], is_member, &mut signals);
        let seen: Vec<Check> = signals.into_iter().map(|signal| signal.check).collect();
        assert_eq!(seen, expected, "{name}");
    }

    #[test]
    fn files_by_content_and_name() {
        use Check as C;
        check("setup.exe", Family::Executable, "application/octet-stream", false, &[C::Executable]);
        check("photo.jpg", Family::Executable, "image/jpeg", false, &[C::DisguisedExecutable, C::Executable]);
        check("invoice.pdf.exe", Family::Executable, "", false, &[C::DoubleExtension, C::Executable]);
        check("invoice.pdf      .js", Family::Script, "", false, &[C::DoubleExtension, C::RunnableName]);
        check("macro.vbs", Family::Script, "text/plain", false, &[C::RunnableName]);
        check("tool.exe", Family::Executable, "", true, &[C::ExecutableInArchive]);
        check("script.js", Family::Text, "", true, &[C::ExecutableInArchive]);
        check("www.example.com", Family::Text, "text/plain", false, &[]);
        check("image001.png", Family::Image, "image/png", false, &[]);
        check("cursor.ani", Family::Image, "image/png", false, &[]);
        check("picture.js", Family::Image, "image/gif", false, &[C::RunnableName]);
        check("remote.rdp", Family::Text, "text/plain", false, &[C::RunnableName]);
        check("patch.py", Family::Script, "text/x-python", false, &[C::ListedName]);
        check("report.pdf", Family::Pdf, "application/pdf", false, &[]);
        check("v1.2.docx", Family::Archive, "application/zip", false, &[]);
    }

    #[test]
    fn an_archive_is_unread_for_what_it_is_and_not_for_want_of_time() {
        let mut part = crate::mime::alone(b"", "a.zip", "").message.parts.remove(0);
        let mut checks = |kind: &str, closed: Closed, has_members: bool| -> Vec<Check> {
            part.content_type = kind.to_owned();
            of_archive(vec![closed], &part, has_members).into_iter().map(|signal| signal.check).collect()
        };
        let damaged = || Closed::NotAnalysed("damaged".into());
        assert_eq!(checks("application/zip", damaged(), false), [Check::NotAnalysed, Check::UnreadArchive]);
        assert_eq!(checks("application/zip", damaged(), true), [Check::NotAnalysed]);
        assert_eq!(checks("application/x-ace", damaged(), true), [Check::NotAnalysed, Check::UnreadArchive]);
        assert_eq!(checks("application/pkcs7-mime", damaged(), false), [Check::NotAnalysed], "encrypted mail");
        assert_eq!(checks("application/x-archive-volume", Closed::Volume, false), [Check::UnreadArchive]);
        assert_eq!(checks("application/vnd.rar", Closed::Volume, true), [Check::UnreadArchive]);
        for kind in ["application/zip", "application/x-ace"] {
            assert_eq!(checks(kind, Closed::OutOfTime, false), [Check::NotAnalysed], "{kind}");
        }
    }

    #[test]
    fn check_names_read_back() {
        for check in Check::all() {
            assert_eq!(Check::parse(check.as_str()), Some(check));
        }
    }
}
