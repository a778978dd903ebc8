//! Entries about what a message looks like: which of it can be blocked, what that would have held, and the entries
//! themselves. What known-good mail shows or says is never blocked.

use std::collections::BTreeSet;
use std::time::Duration;

use api_types::entry::{
    BlockLikeAsk, BlockLikeView, EntryAsk, EntryView, LikeLayoutView, LikePictureView, LikeTextView,
};
use domain::entry::Subject;
use domain::fingerprint::{
    ALONE_PIXELS_MIN, Fingerprints, ICON_PIXELS_MAX, PICTURES_OF_ENTRY_MAX, PictureFingerprint, PictureSet, SeenPicture,
};
use domain::{Digest, MailId};
use store::mail::arrival::Record;
use store::mail::trace::TraceFilter;

use crate::Service;
use crate::access::{Operator, Permission};
use crate::entry;
use crate::error::{ServiceError, ServiceResult};

/// Days back that are compared.
const DAYS: u64 = 7;
/// Delivered mails that are named.
const NAMED_MAX: usize = 10;

/// Says what of a message can be blocked and what that would have held, and makes the entries that are asked for.
///
/// # Errors
/// When the message is not known or out of scope, what is chosen cannot be blocked, or the operator may not.
pub async fn block_like(
    service: &Service,
    operator: &Operator,
    id: &str,
    ask: BlockLikeAsk,
) -> ServiceResult<BlockLikeView> {
    operator.may(Permission::Rules)?;
    let record = record(service, operator, id).await?;
    let looks = looks(service, &record).await?;
    let chosen = chosen(&looks, &ask)?;
    let wanted = if chosen.is_empty() { looks.all() } else { chosen.clone() };
    let since = service.clock.now().before(Duration::from_secs(DAYS * 24 * 3600));
    let is_like = |prints: &Fingerprints| wanted.iter().any(|subject| subject.is_like(prints));
    let found = service.store()?.mail.alike_since(since, &operator.scope, is_like).await?;
    if chosen.is_empty() && !ask.what_if {
        return Err(ServiceError::Bad(
            "say what to block: its pictures, its text, its layout, or several of them".into(),
        ));
    }
    let mut entries = Vec::new();
    for subject in chosen {
        entries.push(make(service, operator, id, &ask, subject).await?);
    }
    Ok(BlockLikeView {
        pictures: looks.picture_views(&record),
        text: looks.text_view(),
        layout: looks.layout_view(),
        entries,
        days: DAYS,
        compared: found.compared,
        is_all: found.is_all,
        alike: found.alike,
        delivered: found.delivered.len() as u64,
        named: found.delivered.iter().take(NAMED_MAX).map(ToString::to_string).collect(),
    })
}

async fn record(service: &Service, operator: &Operator, id: &str) -> Result<Record, ServiceError> {
    let mail_id: MailId = id.parse().map_err(|_| ServiceError::Bad(format!("'{id}' is no id of a message")))?;
    let store = service.store()?;
    let filter = TraceFilter { mail_id: Some(mail_id), ..TraceFilter::default() };
    if store.mail.trace(&filter, &operator.scope).await?.is_empty() {
        return Err(ServiceError::NotFound(format!("no message {id}; `reprieve message trace` finds them")));
    }
    Ok(store.mail.record(mail_id).await?)
}

/// What a message looks like, and which of it known-good mail shows or says as well.
struct Looks {
    prints: Fingerprints,
    good_pictures: BTreeSet<PictureFingerprint>,
    is_good_text: bool,
    is_good_layout: bool,
}

async fn looks(service: &Service, record: &Record) -> Result<Looks, ServiceError> {
    let message = &record.examination.message;
    let prints = message.fingerprints.clone();
    let all: Vec<PictureFingerprint> = prints.pictures.iter().map(|picture| picture.print).collect();
    let mut good_pictures = good_pictures(service, &all).await?;
    // The very same bytes: remembered before pictures were compared by their looks.
    let content = |picture: &SeenPicture| message.part(picture.part).map(|part| part.sha256);
    let contents: Vec<Digest> = prints.pictures.iter().filter_map(content).collect();
    let (known_good, rule) = (&service.store()?.known_good, &service.config.sentinel.establish);
    let vouched = known_good.vouched_for(&contents, rule, service.clock.now()).await?;
    let is_vouched = |picture: &&SeenPicture| content(picture).is_some_and(|content| vouched.contains(&content));
    good_pictures.extend(prints.pictures.iter().filter(is_vouched).map(|picture| picture.print));
    let is_good_text = match &prints.text {
        Some(text) => known_good.is_good_text(text, rule, service.clock.now()).await?,
        None => false,
    };
    let is_good_layout = match &prints.layout {
        Some(layout) => known_good.is_good_layout(layout, rule, service.clock.now()).await?,
        None => false,
    };
    Ok(Looks { prints, good_pictures, is_good_text, is_good_layout })
}

async fn good_pictures(
    service: &Service,
    prints: &[PictureFingerprint],
) -> Result<BTreeSet<PictureFingerprint>, ServiceError> {
    if prints.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rule = &service.config.sentinel.establish;
    Ok(service.store()?.known_good.good_pictures(prints, rule, service.clock.now()).await?)
}

/// Refuses an entry about what known-good mail shows or says.
///
/// # Errors
/// When it is about that.
pub(crate) async fn refuse_known_good(service: &Service, subject: &Subject) -> Result<(), ServiceError> {
    let is_good = match subject {
        Subject::Picture(set) => !good_pictures(service, set.prints()).await?.is_empty(),
        Subject::Text(text) => {
            let rule = &service.config.sentinel.establish;
            service.store()?.known_good.is_good_text(text, rule, service.clock.now()).await?
        }
        Subject::Layout(layout) => {
            let rule = &service.config.sentinel.establish;
            service.store()?.known_good.is_good_layout(layout, rule, service.clock.now()).await?
        }
        _ => false,
    };
    if !is_good {
        return Ok(());
    }
    let what = match subject {
        Subject::Picture(_) => "shows a picture",
        Subject::Layout(_) => "has a layout",
        _ => "says a text",
    };
    Err(ServiceError::Conflict(format!("known-good mail {what} like this: an entry about it would hold good mail")))
}

impl Looks {
    /// Pictures that may be blocked, the largest first.
    fn free_pictures(&self, parts: Option<&[u32]>) -> Vec<SeenPicture> {
        let is_chosen = |picture: &SeenPicture| parts.is_none_or(|parts| parts.contains(&picture.part));
        let is_free = |picture: &&SeenPicture| !self.good_pictures.contains(&picture.print) && is_chosen(picture);
        let mut free: Vec<SeenPicture> = self.prints.pictures.iter().filter(is_free).copied().collect();
        free.sort_by_key(|picture| std::cmp::Reverse(picture.pixels));
        free
    }

    /// An entry about pictures: of those that are alike one, the largest ones.
    fn picture_subject(&self, parts: Option<&[u32]>) -> Result<Subject, ServiceError> {
        let mut distinct: Vec<SeenPicture> = Vec::new();
        for picture in self.free_pictures(parts) {
            if distinct.len() < PICTURES_OF_ENTRY_MAX && !distinct.iter().any(|one| one.print.is_like(&picture.print)) {
                distinct.push(picture);
            }
        }
        if let [alone] = distinct.as_slice()
            && alone.pixels < ALONE_PIXELS_MIN
        {
            return Err(ServiceError::Conflict(format!(
                "one picture alone must have {ALONE_PIXELS_MIN} pixels at least, and this one has {}: it may be a mark \
                 that others use as well",
                alone.pixels
            )));
        }
        if !distinct.is_empty() && distinct.iter().all(|picture| picture.pixels <= ICON_PIXELS_MAX) {
            return Err(ServiceError::Conflict(format!(
                "none of these pictures has over {ICON_PIXELS_MAX} pixels: they may be icons that everybody uses"
            )));
        }
        let set = PictureSet::of(distinct.iter().map(|picture| picture.print));
        set.map(Subject::Picture).ok_or_else(|| {
            ServiceError::Conflict(
                "it has no picture that can be blocked: there is none, it shows too little, known-good mail shows it \
                 as well, or the message came before pictures were compared"
                    .into(),
            )
        })
    }

    fn text_subject(&self) -> Result<Subject, ServiceError> {
        if self.is_good_text {
            return Err(ServiceError::Conflict(
                "known-good mail says a text like this: an entry about it would hold good mail".into(),
            ));
        }
        self.prints.text.map(Subject::Text).ok_or_else(|| {
            ServiceError::Conflict(
                "its text says too little to be known again, or the message came before texts were compared".into(),
            )
        })
    }

    fn layout_subject(&self) -> Result<Subject, ServiceError> {
        if self.is_good_layout {
            return Err(ServiceError::Conflict(
                "known-good mail has a layout like this: an entry about it would hold good mail".into(),
            ));
        }
        self.prints.layout.map(Subject::Layout).ok_or_else(|| {
            ServiceError::Conflict(
                "its pages have too few elements to be known again, or the message came before layouts were compared"
                    .into(),
            )
        })
    }

    /// All that could be blocked.
    fn all(&self) -> Vec<Subject> {
        self.picture_subject(None).into_iter().chain(self.text_subject()).chain(self.layout_subject()).collect()
    }

    fn picture_views(&self, record: &Record) -> Vec<LikePictureView> {
        let name = |part: u32| record.examination.message.part(part).map(|part| part.name.clone());
        let view = |picture: &SeenPicture| LikePictureView {
            part: picture.part,
            name: name(picture.part).unwrap_or_default(),
            pixels: picture.pixels,
            fingerprint: picture.print.to_string(),
            is_known_good: self.good_pictures.contains(&picture.print),
        };
        self.prints.pictures.iter().map(view).collect()
    }

    fn text_view(&self) -> Option<LikeTextView> {
        let view = |text: &domain::fingerprint::TextFingerprint| LikeTextView {
            fingerprint: text.to_string(),
            is_known_good: self.is_good_text,
        };
        self.prints.text.as_ref().map(view)
    }

    fn layout_view(&self) -> Option<LikeLayoutView> {
        let view = |layout: &domain::fingerprint::LayoutFingerprint| LikeLayoutView {
            fingerprint: layout.to_string(),
            is_known_good: self.is_good_layout,
        };
        self.prints.layout.as_ref().map(view)
    }
}

/// What is asked for.
fn chosen(looks: &Looks, ask: &BlockLikeAsk) -> Result<Vec<Subject>, ServiceError> {
    let mut chosen = Vec::new();
    if ask.pictures || ask.parts.is_some() {
        let parts = ask.parts.as_deref();
        let is_there = |part: &&u32| looks.free_pictures(None).iter().any(|picture| picture.part == **part);
        if let Some(missing) = parts.unwrap_or_default().iter().find(|part| !is_there(part)) {
            return Err(ServiceError::Conflict(format!(
                "part {missing} is no picture that can be blocked: it shows too little, or known-good mail shows it as \
                 well"
            )));
        }
        chosen.push(looks.picture_subject(parts)?);
    }
    if ask.text {
        chosen.push(looks.text_subject()?);
    }
    if ask.layout {
        chosen.push(looks.layout_subject()?);
    }
    Ok(chosen)
}

/// Makes an entry as any other, because of this message: when its verdict is taken back, so is the entry.
async fn make(
    service: &Service,
    operator: &Operator,
    id: &str,
    ask: &BlockLikeAsk,
    subject: Subject,
) -> ServiceResult<EntryView> {
    let reason = if ask.what_if && ask.reason.trim().is_empty() { "not said yet" } else { ask.reason.as_str() };
    let ask = EntryAsk {
        action: "block".to_owned(),
        kind: subject.kind().to_owned(),
        value: subject.value(),
        reason: reason.to_owned(),
        caused_by: Some(id.to_owned()),
        domain: ask.domain.clone(),
        recipient: ask.recipient.clone(),
        hours: ask.hours,
        clears_malware: false,
        actor: ask.actor.clone(),
        what_if: ask.what_if,
    };
    entry::add(service, operator, ask).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(seed: u64) -> PictureFingerprint {
        let word = |n: u64| (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ n).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        PictureFingerprint::new([word(1), word(2), word(3), word(4)], 128)
    }

    fn looks(pictures: &[(u32, u64)], good: &[u64]) -> Looks {
        let seen = (0_u32..).zip(pictures).map(|(part, (pixels, seed))| SeenPicture {
            part,
            pixels: *pixels,
            print: print(*seed),
        });
        Looks {
            prints: Fingerprints { pictures: seen.collect(), text: None, layout: None },
            good_pictures: good.iter().map(|seed| print(*seed)).collect(),
            is_good_text: false,
            is_good_layout: false,
        }
    }

    fn prints(subject: Result<Subject, ServiceError>) -> Option<Vec<PictureFingerprint>> {
        match subject {
            Ok(Subject::Picture(set)) => Some(set.prints().to_vec()),
            _ => None,
        }
    }

    #[test]
    fn what_known_good_mail_shows_is_left_out() {
        let mail = looks(&[(2_000, 1), (90_000, 2), (5_000, 3)], &[1]);
        assert_eq!(prints(mail.picture_subject(None)), Some(vec![print(2), print(3)]), "the largest first");
        let ask = |parts: &[u32]| BlockLikeAsk { parts: Some(parts.to_vec()), ..BlockLikeAsk::default() };
        assert!(matches!(chosen(&mail, &ask(&[0])), Err(ServiceError::Conflict(_))), "a known-good one was named");
        assert!(matches!(chosen(&mail, &ask(&[9])), Err(ServiceError::Conflict(_))), "no such part");
        assert_eq!(chosen(&mail, &ask(&[1])).map(|chosen| chosen.len()).ok(), Some(1));
    }

    #[test]
    fn one_small_picture_alone_is_too_little() {
        assert_eq!(prints(looks(&[(39_999, 1)], &[]).picture_subject(None)), None);
        assert_eq!(prints(looks(&[(40_000, 1)], &[]).picture_subject(None)), Some(vec![print(1)]));
        assert_eq!(prints(looks(&[(900, 1), (900, 1)], &[]).picture_subject(None)), None, "one, shown twice");
        assert_eq!(prints(looks(&[(900, 1), (5_001, 2)], &[]).picture_subject(None)).map(|set| set.len()), Some(2));
        assert_eq!(prints(looks(&[(900, 1), (5_000, 2)], &[]).picture_subject(None)), None, "icons");
    }

    #[test]
    fn of_many_pictures_the_largest_are_taken() {
        let many: Vec<(u32, u64)> = (1..=20).map(|n| (n * 1000, u64::from(n))).collect();
        let taken = prints(looks(&many, &[20]).picture_subject(None));
        assert_eq!(taken, Some((14..=19).rev().map(print).collect()));
    }

    #[test]
    fn nothing_is_chosen_unless_it_is_said() {
        let mail = looks(&[(90_000, 2)], &[]);
        assert_eq!(chosen(&mail, &BlockLikeAsk::default()).map(|chosen| chosen.len()).ok(), Some(0));
        let text = BlockLikeAsk { text: true, ..BlockLikeAsk::default() };
        assert!(matches!(chosen(&mail, &text), Err(ServiceError::Conflict(_))), "there is no text");
    }
}
