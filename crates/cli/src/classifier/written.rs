//! A trained model as the folder of a detection.

use std::path::Path;

use detect::classifier::Model;
use detect::classifier::train::{Trained, sum};
use detect::ruleset::load::WEIGHTS;
use domain::detection::{Category, DetectionCode};

use super::shown::INNOCENT;
use super::train::share;

/// A detection to write.
pub(super) struct Detection<'a> {
    pub(super) code: &'a DetectionCode,
    /// What the mail is like that it was trained on.
    pub(super) category: Category,
    pub(super) trained: &'a Trained,
    /// The model, with the threshold of this detection.
    pub(super) model: &'a Model,
}

impl Detection<'_> {
    /// Writes the folder. `hit` is a mail that it hits.
    pub(super) fn write(&self, out: &Path, hit: &[u8]) -> std::io::Result<()> {
        let folder = out.join(self.code.as_str());
        std::fs::create_dir_all(&folder)?;
        for (name, text) in [
            ("detection.toml", self.settings().into_bytes()),
            (WEIGHTS, self.model.to_text().into_bytes()),
            ("page.md", self.page().into_bytes()),
            ("hit.eml", hit.to_vec()),
            ("miss.eml", INNOCENT.as_bytes().to_vec()),
        ] {
            std::fs::write(folder.join(name), text)?;
        }
        Ok(())
    }

    fn holds(&self) -> bool {
        self.model.head.conjunction
    }

    fn title(&self) -> String {
        let kind = if self.category == Category::Phish { "phishing" } else { "spam" };
        let besides = if self.holds() { ", and a fact about its sender, links or files" } else { "" };
        format!("Text like that of {kind}{besides}")
    }

    /// Words alone make a mail Spam, which goes to the junk folder, whatever they are like.
    fn settings(&self) -> String {
        let category = if self.holds() { self.category } else { Category::Spam };
        let (code, title, category) = (self.code, self.title(), category.as_str());
        format!(
            "code = \"{code}\"\ntitle = \"{title}\"\nengine = \"text\"\ncategory = \"{category}\"\neffect \
                = \"Hold\"\ntarget = \"text\"\n\
             scope = \"message\"\nmode = \"Enforce\"\nowner = \"this site\"\nsince = \"{}\"\n",
            env!("CARGO_PKG_VERSION")
        )
    }

    fn page(&self) -> String {
        let (caught, wrong) = (sum(&self.trained.caught), sum(&self.trained.wrong));
        let of = |one: &detect::classifier::train::Count| if self.holds() { one.held } else { one.tagged };
        let acts = if self.holds() {
            "It holds a mail only where a hard fact stands beside the score (a brand's name and another's domain, a \
             shortener, a page that anybody makes for nothing) and nothing vouches for the sender."
        } else {
            "It tags: its category is Spam, which the standard policy puts into the junk folder."
        };
        format!(
            "# {}: {}\n\nA model trained on {} good and {} bad mails of this site. Of mail whose senders and threads a \
             model had not seen in training (a fifth at a time) it caught {} bad ones, and would have acted on {} good \
             ones; the brackets have the share and its 95 % interval. It acts from a score (logarithm of the odds) of \
             {:.2} on; the evidence names the heaviest terms. {acts}\n\n## Looks like it, but is not\n\nGood mail of a \
             kind that it has not been trained on. Train it again with such mail among the good.\n",
            self.code,
            self.title(),
            wrong.mails,
            caught.mails,
            share(of(&caught), caught.mails),
            share(of(&wrong), wrong.mails),
            self.model.head.threshold
        )
    }
}
