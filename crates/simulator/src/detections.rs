//! The rulesets of a simulation: malware is found, and one detection is wrong. Its earlier form was right, and so is
//! the one that corrects it.

use std::collections::BTreeMap;

use detect::in_force::InForce;
use detect::ruleset::{Ruleset, load};
use domain::detection::DetectionCode;
use domain::sentinel::Suspect;

/// What the wrong detection takes for phishing: innocent mail has it as well.
pub(crate) const HARMLESS_TEXT: &str = "please find the quarterly figures attached";
/// What malware has in it.
pub(crate) const MALWARE_TEXT: &str = "simulated-malware-0451";
/// What phishing has in it that the wrong detection was made for; no mail of a simulation does.
const PHISHING_TEXT: &str = "simulated-phishing-0452";
/// The detection that is wrong.
const WRONG: &str = "WRO-0001";

/// Which form of the ruleset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Before the mistake.
    Earlier,
    /// With the mistake.
    Wrong,
    /// With the correction.
    Corrected,
}

fn detection(code: &str, title: &str, category: &str) -> String {
    format!(
        "code = \"{code}\"\ntitle = \"{title}\"\nengine = \"yara\"\ncategory = \"{category}\"\neffect = \"Hold\"\n\
         target = \"text\"\nscope = \"content\"\nmode = \"Enforce\"\nowner = \"simulator\"\nsince = \"0.1.0\"\n"
    )
}

fn rule(name: &str, text: &str) -> String {
    format!("rule {name} {{\n  strings:\n    $text = \"{text}\"\n  condition:\n    $text\n}}\n")
}

impl Form {
    /// The ruleset.
    pub(crate) fn ruleset(self) -> Result<Ruleset, String> {
        let wrong = match self {
            Self::Earlier => rule("WRO_0001", PHISHING_TEXT),
            Self::Wrong => rule("WRO_0001", HARMLESS_TEXT),
            Self::Corrected => rule("WRO_0001", &format!("{PHISHING_TEXT} {HARMLESS_TEXT}")),
        };
        let files = [
            ("WRO-0001/detection.toml", detection(WRONG, "A detection that is wrong", "Phish")),
            ("WRO-0001/rule.yar", wrong),
            ("MAL-0001/detection.toml", detection("MAL-0001", "Simulated malware", "Malware")),
            ("MAL-0001/rule.yar", rule("MAL_0001", MALWARE_TEXT)),
        ];
        let files: BTreeMap<String, Vec<u8>> =
            files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes())).collect();
        load::from_files(files).map_err(|error| error.to_string())
    }

    /// What examines mail when this is in force: the earlier form of the wrong detection runs beside it.
    pub(crate) fn in_force(self) -> Result<InForce, String> {
        let mut ruleset = self.ruleset()?;
        if self == Self::Wrong {
            ruleset.remember_previous(Self::Earlier.ruleset()?.stored());
        }
        Ok(InForce::only(ruleset))
    }
}

/// The version of the detection that is wrong.
pub(crate) fn suspect() -> Result<Suspect, String> {
    let code = DetectionCode::parse(WRONG).map_err(|error| error.to_string())?;
    let ruleset = Form::Wrong.ruleset()?;
    let version = ruleset.detections.get(&code).map(|one| one.version.clone());
    Ok(Suspect { code, version: version.ok_or("the wrong detection is not in its ruleset")? })
}
