//! What a person looks at of a mail: whatever it is made of, it is bounded, and its pages hold tags and pictures of
//! ours alone.

use std::time::Duration;

use detect::limits::Budget;
use detect::preview::{Shown, Wish, show};

/// Characters of base64 of the pictures of one mail, with what is around them.
const DATA_MAX: usize = 13 << 20;

/// Shows the bytes as a mail, in each way that there is.
pub fn preview(bytes: &[u8]) {
    for wish in [Wish::Texts, Wish::Pages, Wish::Pictures] {
        match show(bytes, wish, Budget::starting_now(Duration::from_secs(20))) {
            Shown::Texts(texts) => assert!(texts.iter().all(|text| text.len() <= 100_000)),
            Shown::Pages(pages) => pages.iter().for_each(|page| plain(page)),
            Shown::Pictures(pictures) => {
                let data: usize =
                    pictures.iter().filter_map(|one| one.drawn.as_ref().ok()).map(|one| one.data.len()).sum();
                assert!(data <= DATA_MAX && pictures.iter().all(|one| !one.name.chars().any(char::is_control)));
            }
        }
    }
}

/// Every tag is without attributes, but for pictures, which are `data:` and say nothing else.
fn plain(page: &str) {
    for tag in page.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("what is opened is closed");
        match tag.strip_prefix("img ") {
            Some(picture) => {
                let names: Vec<&str> =
                    picture.split('"').step_by(2).map(|name| name.trim().trim_end_matches('=')).collect();
                assert_eq!(names, ["src", "width", "height", "alt", ""], "{tag:?}");
                assert!(picture.starts_with("src=\"data:image/"), "{tag:?}");
            }
            None => assert!(tag.trim_start_matches('/').bytes().all(|byte| byte.is_ascii_alphanumeric()), "{tag:?}"),
        }
    }
}
