//! The earlier form of a changed detection is run on what today's form hits, and its word is recorded.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::BTreeMap;
use std::time::Duration;

use detect::examine::{EnvelopeFacts, Examiner};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::ruleset::{Ruleset, load};

const TOML: &str = "code = \"TST-0001\"\ntitle = \"t\"\nengine = \"yara\"\ncategory = \"Malware\"\neffect \
    = \"Hold\"\ntarget = \"text\"\n\
                    scope = \"content\"\nmode = \"Enforce\"\nowner = \"o\"\nsince = \"1\"\n";
const CHECK: &str = "code = \"TST-0002\"\ntitle = \"t\"\nengine = \"structure\"\ncheck = \"executable\"\nrevision = \
    1\ncategory = \"FileTypeBlock\"\n\
                     effect = \"Hold\"\ntarget = \"part:executable\"\nscope = \"content\"\nmode = \"Enforce\"\nowner \
                     = \"o\"\nsince = \"1\"\n";

fn ruleset(rule: &str, plain: &str, check: &str) -> Ruleset {
    let rule = format!("rule TST_0001 {{ strings: $a = \"{rule}\" condition: $a }}");
    let files: [(&str, &str); 4] = [
        ("TST-0001/detection.toml", TOML),
        ("TST-0001/rule.yar", &rule),
        ("TST-0002/detection.toml", check),
        ("plain.yar", plain),
    ];
    let files: BTreeMap<String, Vec<u8>> =
        files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect();
    load::from_files(files).unwrap()
}

fn plain(word: &str) -> String {
    format!(
        "import \"math\"\nprivate rule helper {{ condition: math.abs(filesize) > 3 }}\n\
         global rule Small {{ condition: helper and filesize < 1000000 }}\n\
         rule Plain : tag {{ strings: $a = \"{word}\" nocase condition: helper and $a }}\n"
    )
}

/// What is recorded of each finding: its code, and whether its earlier form hits.
fn look(in_force: &InForce, mail: &str) -> Vec<(String, Option<bool>)> {
    let mut examiner = Examiner::new(in_force, Limits::default());
    let budget = Budget::starting_now(Duration::from_secs(10));
    let examination = examiner.examine(mail.as_bytes(), &EnvelopeFacts::default(), budget);
    let mut found: Vec<_> = examination
        .findings
        .iter()
        // The global rule is a detection itself, and hits all that is small.
        .filter(|finding| finding.detection.as_str() != "Small")
        .map(|finding| (finding.detection.to_string(), finding.previous.as_ref().map(|previous| previous.hit)))
        .collect();
    found.sort();
    found
}

#[test]
fn a_changed_rule_brings_the_word_of_its_earlier_form() {
    let before = ruleset("good evening", &plain("evening"), CHECK);
    let mut live = ruleset("good", &plain("good"), CHECK);
    assert_eq!(live.remember_previous(before.stored()), Vec::<String>::new());
    let live = InForce::only(live);
    let mail = |text: &str| format!("From: a@x.example\r\nSubject: s\r\n\r\n{text}\r\n");
    let both = |hit| vec![("Plain".to_owned(), Some(hit)), ("TST-0001".to_owned(), Some(hit))];
    assert_eq!(look(&live, &mail("a good morning")), both(false), "the mistake is new");
    assert_eq!(look(&live, &mail("a good evening")), both(true), "it was bad before, too");
    assert_eq!(look(&live, &mail("an evening")), [], "what only the earlier form hits is no finding");
}

#[test]
fn what_has_not_changed_has_no_earlier_form() {
    let before = ruleset("good", &plain("good"), CHECK);
    let mut live = ruleset("good", &plain("good"), CHECK);
    assert_eq!(live.remember_previous(before.stored()), Vec::<String>::new());
    let live = InForce::only(live);
    let mail = "Subject: s\r\n\r\na good morning\r\n";
    assert_eq!(look(&live, mail), [("Plain".into(), None), ("TST-0001".into(), None)]);
}

#[test]
fn a_changed_check_is_run_as_it_was() {
    let program = "Subject: s\r\nContent-Type: application/x\r\nContent-Disposition: attachment; filename=a.exe\r\n\
                   Content-Transfer-Encoding: \
                   base64\r\n\r\nTVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAAAAAA\
                   AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAAAAA==\r\n";
    for (earlier, hit) in [("executable", true), ("encrypted-archive", false)] {
        let check = CHECK.replace("executable\"\nrevision", &format!("{earlier}\"\nrevision"));
        let before = ruleset("x", &plain("x"), &check);
        let mut live = ruleset("x", &plain("x"), &CHECK.replace("revision = 1", "revision = 2"));
        assert_eq!(live.remember_previous(before.stored()), Vec::<String>::new());
        assert_eq!(look(&InForce::only(live), program), [("TST-0002".into(), Some(hit))], "{earlier}");
    }
}

#[test]
fn an_earlier_form_that_does_not_load_takes_no_other_with_it() {
    let before = ruleset("good evening", &plain("evening"), CHECK);
    let mut kept = before.stored();
    for (detection, source) in &mut kept {
        if detection.code.as_str() == "Plain" {
            *source = "rule Plain { condition: nonsense".into();
        }
    }
    let mut live = ruleset("good", &plain("good"), CHECK);
    let faults = live.remember_previous(kept);
    assert!(faults.len() == 1 && faults[0].starts_with("Plain: "), "{faults:?}");
    let found = look(&InForce::only(live), "Subject: s\r\n\r\na good morning\r\n");
    assert_eq!(found, [("Plain".into(), None), ("TST-0001".into(), Some(false))]);
}
