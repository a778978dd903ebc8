//! How a ruleset comes into force and back: gates, shadow, canary, force, rollback, modes; through the whole program.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Gateway, Sink, Talk, config};

const PATIENCE: Duration = Duration::from_secs(30);
/// A signature logo: a real PNG, in base64.
const LOGO: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
/// A picture of one day.
const PHOTO: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR4nGNgjzoBQQxwFgBBKgb35B83TgAAAABJRU5ErkJggg==";
/// What the mistaken rule looks for: the beginning of every PNG.
const BAD: &str = "rule every_png { strings: $a = { 89 50 4E 47 } condition: $a at 0 }";
const GOOD: &str = "rule one_campaign { strings: $a = \"urgent wire transfer of the campaign\" condition: $a }";

/// A reply with the logo as signature.
fn reply(number: u32) -> Vec<u8> {
    format!(
        "From: anna{number}@partner{number}.example\r\nTo: b@ours.example\r\nSubject: Re: offer \
            {number}\r\nMessage-ID: <r{number}@partner.example>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: \
         text/html\r\n\r\n<p>Thanks {number}</p>\r\n\
         --b\r\nContent-Type: image/png; name=\"image001.png\"\r\nContent-Transfer-Encoding: \
         base64\r\n\r\n{LOGO}\r\n--b--\r\n"
    )
    .into_bytes()
}

/// A reply with the logo, and with a picture that nobody else has sent.
fn reply_with_photo(number: u32) -> Vec<u8> {
    let photo = format!(
        "--b\r\nContent-Type: image/png; name=\"photo.png\"\r\nContent-Transfer-Encoding: \
            base64\r\n\r\n{PHOTO}\r\n--b--\r\n"
    );
    let reply = String::from_utf8(reply(number)).unwrap();
    reply.replace("--b--\r\n", &photo).into_bytes()
}

fn text(number: u32, body: &str) -> Vec<u8> {
    format!(
        "From: c@x.example\r\nTo: b@ours.example\r\nSubject: s{number}\r\nMessage-ID: \
            <t{number}@x.example>\r\n\r\n{body} {number}\r\n"
    )
    .into_bytes()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

struct Site {
    gateway: Gateway,
    sink: Sink,
    sent: u32,
}

impl Site {
    fn start(rollout: &str) -> Self {
        let sink = Sink::start();
        let gateway = Gateway::start(&format!("{}[rollout]\n{rollout}", config(sink.address)));
        let write = |name: &str, rule: &str| std::fs::write(gateway.path(name), rule).unwrap();
        write("bad.yar", BAD);
        write("good.yar", GOOD);
        Self { gateway, sink, sent: 0 }
    }

    fn send(&mut self, mail: &[u8]) -> bool {
        self.sent += 1;
        let reply = Talk::from_outside(self.gateway.mx).send("a@x.example", &["b@ours.example"], mail);
        assert!(reply.starts_with("250"), "{reply}");
        !reply.contains("taken as")
    }

    fn replies(&mut self, from: u32, count: u32) -> usize {
        (from..from + count).filter(|number| self.send(&reply(*number))).count()
    }

    fn status(&self) -> Value {
        self.gateway.json(&["ruleset", "status"])
    }

    fn stage(&self) -> String {
        self.status()["stage"].as_str().unwrap_or_default().to_owned()
    }

    fn learn(&mut self) {
        assert_eq!(self.replies(0, 5), 5, "a signature logo is innocent");
        let known = || self.gateway.json(&["known-good", "status"]);
        until("the logo is kept", || known()["kept"] == 1 && known()["mails"].as_u64().unwrap() >= 1);
    }

    /// Lets the past vouch for what is remembered and fits `filter`: first seen a month ago, carried by enough. Returns
    /// how many.
    fn age(&self, filter: &str) -> u64 {
        let sql = format!(
            "update known_good_part set first_seen_us = first_seen_us - 2592000000000, carriers = 25 where {filter}"
        );
        let done = self::sql(self, async |connection| sqlx::query(sqlx::AssertSqlSafe(sql)).execute(connection).await);
        done.rows_affected()
    }

    fn acts(&self) -> Vec<String> {
        let log = self.gateway.json(&["audit", "list"]);
        log.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn the_gates_stop_a_rule_that_hits_what_is_known_to_be_good() {
    let mut site = Site::start("");
    site.learn();
    let output = site.gateway.cli(&["ruleset", "publish", "bad.yar", "--wait", "--config", "reprieve.toml"]);
    let said = String::from_utf8_lossy(&output.stdout).to_string();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("refused") && said.contains("every_png would hold image001.png"), "{said}");
    assert!(said.contains("every_png holds the innocent 'a plain PNG, as Outlook names it'"), "{said}");
    assert_eq!(site.replies(10, 3), 3, "nothing of it is in force");
    let vault = walk(&site.gateway.path("data/known-good"));
    assert!(!vault.is_empty());
    let is_plain = |file: &Vec<u8>| file.windows(4).any(|window| window == b"\x89PNG" || window == b"From");
    assert!(!vault.iter().any(is_plain), "what is kept is encrypted");
}

fn walk(folder: &Path) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(std::fs::read(path).unwrap());
        }
    }
    files
}

#[test]
fn forced_taken_back_and_remembered() {
    let mut site = Site::start("");
    site.learn();
    let before = site.gateway.json(&["ruleset", "list"])[0]["id"].clone();
    let bare = site.gateway.cli(&["ruleset", "publish", "bad.yar", "--force", "--config", "reprieve.toml"]);
    assert_eq!(bare.status.code(), Some(2), "force needs a reason");
    let forced =
        site.gateway.json(&["ruleset", "publish", "bad.yar", "--force", "--reason", "the vendor says so", "--wait"]);
    assert_eq!(forced["stage"], "live", "{forced}");
    assert!(forced["note"].as_str().unwrap().contains("forced past the gates that say no"), "{forced}");
    until("the forced rule acts", || site.replies(100, 1) == 0);
    let held = site.gateway.held();
    assert_eq!(held[0]["detection"], "every_png");
    let version = held[0]["detection_version"].clone();
    let shown = site.gateway.json(&["detection", "show", "every_png"]);
    assert_eq!(shown["version"], version, "the verdict names the version that caused it");
    // A restart changes nothing: what was published is in force, not what the program brings.
    site.gateway.stop();
    site.gateway.run();
    assert_eq!(site.replies(200, 1), 0);
    let diff = site.gateway.json(&["ruleset", "diff", before.as_str().unwrap(), "live"]);
    assert_eq!((&diff[0]["code"], &diff[0]["kind"]), (&"every_png".into(), &"added".into()));
    // The verdict is explained: what caused it, what would be without it, what today's ruleset says.
    let id = held[0]["mail_id"].as_str().unwrap();
    let explained = site.gateway.json(&["message", "show", id]);
    let without = &explained["counterfactuals"][0];
    assert_eq!((&without["without"], &without["disposition"]), (&"every_png".into(), &"Deliver".into()), "{explained}");
    assert_eq!(explained["today"]["disposition"], "Hold");
    let back = site.gateway.json(&["ruleset", "rollback", "--reason", "it holds every logo"]);
    assert_eq!(back["stage"], "rolled-back");
    until("the rule acts no more", || site.replies(300, 1) == 1);
    let explained = site.gateway.json(&["message", "show", id]);
    assert_eq!(explained["today"]["disposition"], "Deliver", "{explained}");
    let acts = site.acts();
    for act in ["ruleset.build", "ruleset.publish", "rollout.step", "ruleset.rollback"] {
        assert!(acts.iter().any(|known| known == act), "{act} in {acts:?}");
    }
    assert_eq!(site.gateway.json(&["audit", "verify"])["intact"], true);
    // The version stays loadable: a verdict that names it can be explained for ever.
    let kept = forced["ruleset"].as_str().unwrap();
    assert!(site.gateway.json(&["ruleset", "show", kept])["detections"].as_array().unwrap().len() > 12);
}

/// What was called bad, by its size in bytes.
fn called_bad(site: &Site) -> Vec<i64> {
    sql(site, async |connection| {
        let sql = "select size_bytes from known_good_part where last_bad_us is not null order by size_bytes";
        sqlx::query_scalar(sql).fetch_all(connection).await
    })
}

/// Who forces a version says what of the memory is bad; whatever is not exactly that is refused, and nothing is done.
#[test]
fn who_forces_says_which_contents_are_bad() {
    let mut site = Site::start("");
    site.learn();
    let hash: String = sql(&site, async |connection| {
        sqlx::query_scalar("select sha256 from known_good_part").fetch_one(connection).await
    });
    let refused = |words: &[&str], why: &str| {
        let words = ["ruleset", "publish", "bad.yar", "--reason", "it is malware", "--config", "reprieve.toml"]
            .iter()
            .chain(words)
            .copied()
            .collect::<Vec<_>>();
        let output = site.gateway.cli(&words);
        let said = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(!output.status.success() && said.contains(why), "{words:?}: {said}");
    };
    refused(&["--bad", &hash], "--force");
    refused(&["--force", "--bad", "the logo of us"], "hexadecimal digits");
    refused(&["--force", "--bad", &hash[..11]], "hexadecimal digits");
    refused(&["--force", "--bad", "000000000000"], "no content that is known to be good");
    assert!(called_bad(&site).is_empty() && !site.acts().contains(&"known-good.call-bad".to_owned()));
    let words = ["ruleset", "publish", "bad.yar", "--force", "--reason", "it is malware", "--wait", "--bad"];
    let forced = site.gateway.json(&[&words[..], &[&hash[..12]]].concat());
    assert_eq!(forced["stage"], "live", "{forced}");
    assert_eq!(called_bad(&site), [70], "the logo has left the memory");
    let log = site.gateway.json(&["audit", "list"]);
    let called = log.as_array().unwrap().iter().find(|entry| entry["action"] == "known-good.call-bad").unwrap();
    assert_eq!((&called["object"], &called["reason"]), (&hash.into(), &"it is malware".into()), "{called}");
}

/// What is chosen at a call is done, on record, and once.
#[test]
fn what_is_chosen_at_a_call_is_done_once() {
    let mut site = Site::start("");
    site.learn();
    site.gateway.json(&["ruleset", "publish", "bad.yar", "--force", "--reason", "the vendor says so", "--wait"]);
    until("the forced rule acts", || site.replies(100, 1) == 0);
    let call = |number: i64, kind: &str, subject: &str| {
        let words = format!("{number}, 'test/{number}', {number}, '{kind}', '{subject}', 'choose', ''");
        let text =
            format!("insert into alert (alert, alert_key, at_us, kind, subject, text, seen_by) values ({words})");
        sql(&site, async |connection| sqlx::query(sqlx::AssertSqlSafe(text)).execute(connection).await);
    };
    for (number, kind, subject) in [
        (901, "forced", "every_png"),
        (902, "forced", "every_png"),
        (903, "forced", "every_png"),
        (904, "engine", "clamd"),
    ] {
        call(number, kind, subject);
    }
    let choose = |site: &Site, number: &str, choice: &str| {
        let output = site.gateway.cli(&["alert", "choose", number, choice, "--config", "reprieve.toml", "--json"]);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), said)
    };
    assert_eq!(choose(&site, "901", "delete").0, Some(2), "no such choice");
    assert_ne!(choose(&site, "905", "off").0, Some(0), "no such call");
    let (code, said) = choose(&site, "904", "off");
    assert!(code != Some(0) && said.contains("nothing to choose"), "{said}");
    assert_eq!(site.gateway.json(&["sentinel", "status"])["pinned"].as_array().unwrap().len(), 0);
    let (code, said) = choose(&site, "901", "confirm");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(site.gateway.json(&["sentinel", "status"])["pinned"][0]["detection"], "every_png");
    assert_ne!(choose(&site, "901", "off").0, Some(0), "somebody has chosen");
    assert_eq!(site.replies(110, 1), 0, "it is right, and holds");
    assert_eq!(choose(&site, "902", "contain").0, Some(0));
    let held_back = site.gateway.json(&["sentinel", "status"])["contained"][0].clone();
    assert_eq!((&held_back["level"], held_back["until"].is_string()), (&"contained".into(), true), "{held_back}");
    assert_eq!(choose(&site, "903", "off").0, Some(0));
    until("it does not run", || site.replies(120 + site.sent, 1) == 1);
    let log = site.gateway.json(&["audit", "list"]);
    let said: Vec<String> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {} {}", entry["action"], entry["object"], entry["reason"]).replace('"', ""))
        .collect();
    for wanted in [
        "detection.pin every_png chosen at alert 901",
        "alert.seen 901 confirm: chosen at alert 901",
        "alert.seen 902 contain: chosen at alert 902",
        "alert.seen 903 off: chosen at alert 903",
    ] {
        assert!(said.iter().any(|line| line == wanted), "{wanted} in {said:?}");
    }
    assert_eq!(site.gateway.json(&["audit", "verify"])["intact"], true);
}

#[test]
fn a_wrong_detection_does_not_take_from_the_past_what_would_convict_it() {
    let mut site = Site::start("");
    site.learn();
    assert!(site.send(&reply_with_photo(50)));
    until("the photo is kept", || site.gateway.json(&["known-good", "status"])["kept"] == 2);
    // The past vouches for the logo, and not for the photo.
    let aged = site.age("size_bytes = 70");
    assert_eq!(aged, 1);
    site.gateway.json(&["ruleset", "publish", "bad.yar", "--force", "--reason", "the vendor says so", "--wait"]);
    until("the forced rule acts", || !site.send(&reply_with_photo(51)));
    until("the photo is called bad", || !called_bad(&site).is_empty());
    assert_eq!(called_bad(&site), [73], "the logo, 70 bytes, still testifies");
    site.gateway.json(&["ruleset", "rollback", "--reason", "it holds every logo"]);
    until("the rule acts no more", || site.send(&reply_with_photo(52)));
    until("the photo is good again", || called_bad(&site).is_empty());
}

#[test]
fn through_shadow_and_canary_to_live() {
    let mut site = Site::start(
        "shadow_messages = 4\nshadow_minutes = 0\ncanary_1_minutes = 0\ncanary_10_minutes = 0\ncanary_50_minutes = 0\n",
    );
    let published = site.gateway.json(&["ruleset", "publish", "good.yar", "--reason", "a campaign", "--wait"]);
    assert_eq!(published["stage"], "shadow", "{published}");
    let campaign = "urgent wire transfer of the campaign";
    // The plan is taken up within a second; until then nobody watches.
    until("the candidate watches", || {
        let number = site.sent;
        site.send(&text(number, campaign));
        let shown = site.gateway.json(&["message", "trace", "--message-id", &format!("<t{number}@x.example>")]);
        // The outcome is written behind the answer.
        assert_ne!(shown[0]["account"], "held", "what is in shadow holds nothing");
        site.status()["stage"] != "shadow" || findings_in_shadow(&site) > 0
    });
    assert!(findings_in_shadow(&site) > 0);
    until("live", || {
        let number = site.sent;
        site.send(&text(number, "nothing of note"));
        std::thread::sleep(Duration::from_millis(300));
        site.stage() == "live"
    });
    until("it acts", || {
        let number = site.sent;
        !site.send(&text(number, campaign))
    });
    let status = site.status();
    let stages: Vec<&str> =
        status["steps"].as_array().unwrap().iter().map(|step| step["to"].as_str().unwrap()).collect();
    assert_eq!(stages, ["shadow", "canary-1", "canary-10", "canary-50", "live"]);
    assert!(!site.sink.got().is_empty());
}

/// A look into, or a change of, the database beside the running gateway.
fn sql<T: Send + 'static>(
    site: &Site,
    work: impl AsyncFnOnce(&mut sqlx::AnyConnection) -> Result<T, sqlx::Error>,
) -> T {
    let path = site.gateway.path("data/reprieve.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = store::database::connect(&store::database::sqlite_url(&path)).await.unwrap();
        work(&mut connection).await.unwrap()
    })
}

/// Findings that are recorded and not acted on.
fn findings_in_shadow(site: &Site) -> i64 {
    sql(site, async |connection| {
        sqlx::query_scalar("select count(*) from finding where mode = 'Shadow'").fetch_one(connection).await
    })
}

#[test]
fn a_candidate_that_hits_known_good_content_is_taken_back_by_itself() {
    let mut site = Site::start("shadow_messages = 1000\nshadow_minutes = 60\n");
    // Nothing is known yet, so the gates cannot stop it; the look-alike pack would, so this one hits what only this
    // site has.
    let own = "rule own_logo { strings: $a = { 49 44 41 54 78 DA 63 64 60 F8 5F 0F 00 02 87 01 80 } condition: $a }";
    std::fs::write(site.gateway.path("own.yar"), own).unwrap();
    let published = site.gateway.json(&["ruleset", "publish", "own.yar", "--wait"]);
    assert_eq!(published["stage"], "shadow", "{published}");
    site.learn();
    site.age("true");
    until("taken back", || {
        let number = 1000 + site.sent;
        assert_eq!(site.replies(number, 1), 1, "in shadow nothing is held");
        std::thread::sleep(Duration::from_millis(300));
        site.stage() == "rolled-back"
    });
    let note = site.status()["note"].as_str().unwrap().to_owned();
    assert!(note.contains("well known to be good"), "{note}");
}

#[test]
fn a_mode_that_is_set_holds_for_its_time_and_no_longer() {
    let mut site = Site::start("");
    let eicar = support::bad("1");
    assert!(!site.send(&eicar));
    let off = site.gateway.json(&["detection", "off", "EIC-0001", "--reason", "a drill", "--hours", "1"]);
    assert_eq!(off["set"]["mode"], "Off");
    let mut number = 1;
    let mut passes = |site: &mut Site| {
        number += 1;
        site.send(&support::bad(&number.to_string()))
    };
    until("off", || passes(&mut site));
    site.gateway.json(&["detection", "shadow", "EIC-0001", "--reason", "a drill"]);
    assert!(passes(&mut site));
    site.gateway.json(&["detection", "own", "EIC-0001"]);
    until("its own mode again", || !passes(&mut site));
    let none = site.gateway.cli(&["detection", "off", "NOPE-1", "--reason", "x", "--config", "reprieve.toml"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&none.stderr).contains("no detection is or was called NOPE-1"));
}

#[test]
fn a_new_key_takes_over() {
    let mut site = Site::start("");
    site.learn();
    let before = site.gateway.json(&["known-good", "status"])["keys"][0].clone();
    let rotated = site.gateway.json(&["known-good", "rotate-key", "--reason", "a test"]);
    assert_eq!(rotated["keys"].as_array().unwrap().len(), 2);
    assert_ne!(rotated["keys"][0], before);
    // The retention reconciler encrypts anew; it begins with the process.
    site.gateway.stop();
    site.gateway.run();
    until("the old key is gone", || {
        site.gateway.json(&["known-good", "status"])["keys"].as_array().unwrap().len() == 1
    });
    assert_eq!(site.gateway.json(&["known-good", "status"])["keys"][0], rotated["keys"][0]);
    let output = site.gateway.cli(&["ruleset", "publish", "bad.yar", "--wait", "--config", "reprieve.toml"]);
    assert_eq!(output.status.code(), Some(1), "what is kept can still be read");
}
