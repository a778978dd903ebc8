//! The names of the file that a part is. Where two parameters or two fields give different names, mail programs differ
//! in which one they take, so each of them counts.

use mail_parser::{HeaderName, MessagePart, MimeHeaders};

use super::clean_name;
use crate::field_text::{self, Charset};

/// Names of one part that are looked at.
const NAMES_MAX: usize = 20;

/// The names of one part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// The one that is shown; empty if none.
    pub shown: String,
    /// Those that other programs show.
    pub others: Vec<String>,
}

impl Names {
    /// The first of `found` is shown; of equal ones one is kept.
    pub(super) fn of(found: impl IntoIterator<Item = String>) -> Self {
        let mut names = Self::default();
        for name in found {
            names.add(&name);
        }
        names
    }

    fn add(&mut self, name: &str) {
        let name = clean_name(name);
        if name.is_empty() || name == self.shown || self.others.contains(&name) {
            return;
        }
        if self.shown.is_empty() {
            self.shown = name;
        } else if self.others.len() < NAMES_MAX {
            self.others.push(name);
        }
    }
}

/// The names of a part. `texts` are those in which its header may stand.
pub(super) fn of_part(part: &MessagePart<'_>, texts: &[&[u8]], charset: Charset) -> Names {
    let mut names = Names::of(shown(part, texts, charset));
    for header in &part.headers {
        let parameter = match header.name {
            HeaderName::ContentDisposition => "filename",
            HeaderName::ContentType => "name",
            _ => continue,
        };
        let Some(bytes) = field_text::raw_of(header, texts) else { continue };
        for name in field_text::parameter_readings(bytes, parameter, charset) {
            names.add(&name);
        }
    }
    names
}

/// The name that most programs show: of Content-Disposition before that of Content-Type.
fn shown(part: &MessagePart<'_>, texts: &[&[u8]], charset: Charset) -> Option<String> {
    let plain = part.attachment_name()?;
    let of = |field: HeaderName<'_>, parameter: &str| {
        let header = part.headers.iter().rev().find(|header| header.name == field)?;
        let bytes = field_text::raw_of(header, texts).filter(|bytes| field_text::is_coded(bytes))?;
        field_text::parameter(bytes, parameter, charset)
    };
    let has =
        |kind: Option<&mail_parser::ContentType<'_>>, name: &str| kind.is_some_and(|kind| kind.has_attribute(name));
    let decoded = if has(part.content_disposition(), "filename") {
        of(HeaderName::ContentDisposition, "filename")
    } else {
        of(HeaderName::ContentType, "name")
    };
    Some(decoded.unwrap_or_else(|| plain.to_owned()))
}
