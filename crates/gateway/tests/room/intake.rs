//! What becomes of a message: passed on, held, both, or refused, and what is on record of it.

use std::time::Duration;

use domain::token::FIELD;
use domain::{MailId, ReleaseId, UnitId};
use platform::clock::Clock;
use platform::config::Config;
use platform::outgoing::Outgoing;
use scripted_hop::{AtDot, Listed};
use tokio::time::timeout;

use crate::support::{HOST, Hop, JUNK, MALWARE, OURS, Room, STRANGER, WATCHED, letter};

const SENDER: &str = "a@outside.example";
const ANNA: &str = "anna@ours.example";
const BEN: &str = "ben@ours.example";
const FRIEND: &str = "friend@outside.example";

/// The bytes of the only mail that the hop has taken.
fn taken(room: &Room) -> String {
    let taken = room.hop.taken();
    assert_eq!(taken.len(), 1);
    String::from_utf8(taken[0].bytes.clone()).expect("text")
}

/// The id that a client was told for a mail that is held.
fn id_of(answer: &str) -> MailId {
    answer.rsplit(' ').next().and_then(|id| id.parse().ok()).expect("an id")
}

pub(crate) async fn clean_mail_is_passed_on_with_our_fields_and_the_hop_s_answer() {
    let room = Room::new().await;
    let answers = room.hand_in(STRANGER, SENDER, &[ANNA, BEN], "nothing to see").await;
    assert_eq!(answers.recipients, ["250 2.1.5 The hop takes it"; 2]);
    assert_eq!(answers.message, "250 2.0.0 Ok: it is in the mailbox");
    assert_eq!(room.accounts().await, "delivered 2");
    let record = room.newest().await;
    let mail = taken(&room);
    assert!(mail.starts_with("Received: from client.example ([127.0.0.1])\r\n"), "{mail}");
    assert!(mail.contains(&format!("X-Reprieve-Id: {}\r\nX-Reprieve-Verdict: Clean; Deliver\r\n", record.mail_id)));
    assert!(mail.contains("X-Reprieve-First-Contact: yes\r\n"), "{mail}");
    assert!(!mail.contains("X-Reprieve-Junk") && !mail.contains("X-Reprieve-Detection"), "{mail}");
    assert!(mail.ends_with(&letter(SENDER, "nothing to see")), "not a byte is changed: {mail}");
    assert_eq!((record.blob, record.removed_fields.len()), (None, 0));
    assert_eq!(room.hop.taken()[0].envelope.recipients, [ANNA, BEN]);
}

pub(crate) async fn malware_is_held_before_it_is_answered_and_the_hop_gets_nothing() {
    let room = Room::new().await;
    let answers = room.hand_in(STRANGER, SENDER, &[ANNA, BEN], MALWARE).await;
    let record = room.newest().await;
    assert_eq!(answers.message, format!("250 2.0.0 Ok: taken as {}", record.mail_id));
    assert_eq!(room.accounts().await, "held 2");
    assert_eq!(room.hop.taken(), []);
    let blob = record.blob.expect("its bytes are kept");
    let bytes = room.store.blobs().get(blob).await.expect("reads");
    assert_eq!(bytes.as_slice(), letter(SENDER, MALWARE).as_bytes());
    assert_eq!(record.examination.findings[0].detection.as_str(), "MAL-0001");
    let woken = timeout(Duration::from_secs(5), room.gateway.signals.sentinel.notified()).await;
    assert!(woken.is_ok(), "what has acted is heard");
}

pub(crate) async fn the_same_mail_sent_again_is_held_once() {
    let room = Room::new().await;
    let first = room.hand_in(STRANGER, SENDER, &[ANNA], MALWARE).await;
    let again = room.hand_in(STRANGER, SENDER, &[ANNA], MALWARE).await;
    assert_eq!(first.message, again.message);
    assert_eq!(room.accounts().await, "held 1");
    let other = room.hand_in(STRANGER, SENDER, &[ANNA, BEN], MALWARE).await;
    assert_ne!(id_of(&other.message), id_of(&first.message), "it is new to one of them");
    assert_eq!(room.accounts().await, "held 2");
}

pub(crate) async fn junk_passes_with_a_field_that_asks_for_the_folder() {
    let room = Room::new().await;
    assert!(room.hand_in(STRANGER, SENDER, &[ANNA], JUNK).await.message.starts_with("250"));
    let mail = taken(&room);
    assert!(mail.contains("X-Reprieve-Verdict: Spam; Junk\r\n"), "{mail}");
    assert!(mail.contains("X-Reprieve-Detection: SPA-0001; version="), "{mail}");
    assert!(mail.contains("X-Reprieve-Junk: yes\r\n"), "{mail}");
    assert_eq!(room.accounts().await, "delivered 1");
}

pub(crate) async fn what_a_detection_in_shadow_hits_passes_and_is_on_record() {
    let room = Room::new().await;
    assert!(room.hand_in(STRANGER, SENDER, &[ANNA], WATCHED).await.message.starts_with("250"));
    assert!(taken(&room).contains("X-Reprieve-Verdict: Clean; Deliver\r\n"));
    assert_eq!(room.newest().await.examination.findings.len(), 1);
    let woken = timeout(Duration::from_millis(50), room.gateway.signals.sentinel.notified()).await;
    assert!(woken.is_err(), "nothing has acted");
}

pub(crate) async fn what_is_only_observed_passes_and_says_so() {
    let room = Room::new().await;
    let answers = room.hand_in(OURS, ANNA, &[FRIEND], MALWARE).await;
    assert!(answers.message.starts_with("250"), "{answers:?}");
    let mail = taken(&room);
    assert!(mail.contains("X-Reprieve-Verdict: Malware; Hold; observed\r\n"), "{mail}");
    assert_eq!(room.accounts().await, "delivered 1");
    // The same junk to the outside: nobody is asked to put it into a folder of theirs.
    room.hand_in(OURS, ANNA, &[FRIEND], JUNK).await;
    let second = String::from_utf8(room.hop.taken()[1].bytes.clone()).expect("text");
    assert!(second.contains("Spam; Junk; observed\r\n") && !second.contains("X-Reprieve-Junk"), "{second}");
}

/// One of us to one of us and to the outside: the first is held, the other passes.
async fn mixed(room: &Room) -> String {
    let answers = room.hand_in(OURS, BEN, &[ANNA, FRIEND], MALWARE).await;
    assert_eq!(answers.recipients, ["250 2.1.5 The hop takes it"; 2]);
    answers.message
}

pub(crate) async fn of_a_mixed_mail_each_recipient_has_what_was_decided_for_it() {
    let room = Room::new().await;
    assert_eq!(mixed(&room).await, "250 2.0.0 Ok: it is in the mailbox");
    assert_eq!(room.accounts().await, "delivered 1, held 1");
    assert_eq!(room.hop.taken()[0].envelope.recipients, [FRIEND]);
}

pub(crate) async fn of_a_mixed_mail_that_the_hop_never_takes_nothing_is_held() {
    let room = Room::with_dots([AtDot::Refuse]).await;
    assert_eq!(mixed(&room).await, "554 5.7.1 Never");
    assert_eq!(room.accounts().await, "refused 2");
}

pub(crate) async fn of_a_mixed_mail_that_is_put_off_the_held_part_waits_for_the_next_try() {
    let room = Room::with_dots([AtDot::PutOff]).await;
    assert_eq!(mixed(&room).await, "451 4.3.0 Not now");
    assert_eq!(room.accounts().await, "refused 1, tentative 1");
    assert_eq!(mixed(&room).await, "250 2.0.0 Ok: it is in the mailbox");
    assert_eq!(room.accounts().await, "delivered 1, held 1, refused 1");
}

/// The client comes again for the recipient alone whose part is held: nothing is to be delivered, and it becomes ours.
pub(crate) async fn a_part_that_waits_becomes_ours_when_it_is_sent_alone() {
    let room = Room::with_dots([AtDot::PutOff]).await;
    assert_eq!(mixed(&room).await, "451 4.3.0 Not now");
    let first = room.newest().await.mail_id;
    let alone = room.hand_in(OURS, BEN, &[ANNA], MALWARE).await;
    assert_eq!(id_of(&alone.message), first);
    assert_eq!(room.accounts().await, "held 1, refused 1");
}

pub(crate) async fn a_recipient_that_the_hop_does_not_know_is_refused_there_and_then() {
    let room = Room::new().await;
    room.hop.says_of("nobody@ours.example", &[(550, "5.1.1 Nobody of that name")]);
    let answers = room.hand_in(STRANGER, SENDER, &["nobody@ours.example", ANNA], "hello").await;
    assert_eq!(answers.recipients, ["550 5.1.1 Nobody of that name", "250 2.1.5 The hop takes it"]);
    assert_eq!(room.hop.taken()[0].envelope.recipients, [ANNA]);
    assert_eq!(room.newest().await.envelope.recipients.len(), 1);
}

pub(crate) async fn nobody_relays_by_us() {
    let room = Room::new().await;
    let answers = room.hand_in(STRANGER, SENDER, &[FRIEND, ANNA], "hello").await;
    assert_eq!(answers.recipients[0], format!("550 5.7.1 <{FRIEND}>: relaying denied"));
    assert!(answers.recipients[1].starts_with("250") && answers.message.starts_with("250"));
    assert_eq!(room.hop.taken()[0].envelope.recipients, [ANNA]);
}

pub(crate) async fn what_the_hop_says_at_the_dot_is_what_the_client_hears() {
    for (dot, answer, account) in [
        (AtDot::PutOff, "451 4.3.0 Not now", "refused 1"),
        (AtDot::Refuse, "554 5.7.1 Never", "refused 1"),
        (AtDot::Close, "451 4.4.2 The next hop did not answer, try again", "in_doubt_live 1"),
        (AtDot::TakeAndClose, "451 4.4.2 The next hop did not answer, try again", "in_doubt_live 1"),
    ] {
        let room = Room::with_dots([dot]).await;
        let mut client = room.client(STRANGER).await;
        let first = client.hand_in(SENDER, &[ANNA], &letter(SENDER, "hello")).await;
        assert_eq!(first.message, answer, "{dot:?}");
        assert_eq!(room.accounts().await, account, "{dot:?}");
        // The same client goes on, on whatever connection to the hop there is.
        let second = client.hand_in(SENDER, &[ANNA], &letter(SENDER, "more")).await;
        assert_eq!(second.message, "250 2.0.0 Ok: it is in the mailbox", "{dot:?}");
    }
}

pub(crate) async fn an_answer_that_never_comes_is_in_doubt_at_the_deadline() {
    let room =
        Room::with(Hop::stuck(Listed::new([])), |config| config.limits.reply_deadline = Duration::from_millis(700))
            .await;
    let answers = room.hand_in(STRANGER, SENDER, &[ANNA], "hello").await;
    assert_eq!(answers.message, "451 4.4.5 The message took too long, try again");
    assert_eq!(room.accounts().await, "in_doubt_live 1");
}

pub(crate) async fn a_hop_that_does_not_answer_data_in_time_has_nothing() {
    let short = |config: &mut Config| config.limits.reply_deadline = Duration::from_millis(700);
    let room = Room::with(Hop::new(Listed::that_waits()), short).await;
    let answers = room.hand_in(STRANGER, SENDER, &[ANNA], "hello").await;
    assert_eq!(answers.message, "451 4.4.2 The next hop is too slow, try again later");
    assert_eq!(room.accounts().await, "refused 1");
}

pub(crate) async fn what_the_hop_says_to_data_is_what_the_client_hears_unless_it_makes_no_sense() {
    for (code, answer) in
        [(452, "452 4.3.1 Full"), (552, "552 4.3.1 Full"), (250, "451 4.4.0 Odd answer of the next hop")]
    {
        let room = Room::new().await;
        room.hop.says_to_data(code, "4.3.1 Full");
        let answers = room.hand_in(STRANGER, SENDER, &[ANNA], "hello").await;
        assert_eq!(answers.message, answer);
        assert_eq!(room.accounts().await, "refused 1");
    }
}

pub(crate) async fn a_hop_that_hangs_up_during_the_scan_is_called_again() {
    let room = Room::new().await;
    let mut client = room.client(STRANGER).await;
    client.introduces(SENDER, &[ANNA, BEN]).await;
    room.hop.hang_up(1);
    assert_eq!(client.data(&letter(SENDER, "hello")).await, "250 2.0.0 Ok: it is in the mailbox");
    assert_eq!(room.hop.taken()[0].envelope.recipients, [ANNA, BEN]);
    assert_eq!(room.accounts().await, "delivered 2");
}

pub(crate) async fn a_hop_that_keeps_hanging_up_is_left_alone_and_the_client_keeps_the_mail() {
    let room = Room::new().await;
    let mut client = room.client(STRANGER).await;
    client.introduces(SENDER, &[ANNA]).await;
    room.hop.hang_up(20);
    assert_eq!(
        client.data(&letter(SENDER, "hello")).await,
        "451 4.4.2 The next hop closed the connection, try again later"
    );
    assert_eq!(room.accounts().await, "refused 1");
}

pub(crate) async fn a_recipient_that_the_hop_has_changed_its_mind_about_ends_the_transaction() {
    let room = Room::new().await;
    room.hop.says_of(ANNA, &[(250, "2.1.5 Yes"), (550, "5.1.1 No more")]);
    let mut client = room.client(STRANGER).await;
    assert_eq!(client.introduces(SENDER, &[ANNA]).await, ["250 2.1.5 Yes"]);
    room.hop.hang_up(1);
    let answer = client.data(&letter(SENDER, "hello")).await;
    assert_eq!(answer, "451 4.4.0 The next hop changed its answer about a recipient, try again");
    assert_eq!((room.accounts().await.as_str(), room.hop.taken().len()), ("refused 1", 0));
}

pub(crate) async fn a_hop_that_is_not_there_is_a_temporary_answer() {
    let room = Room::set(|config| {
        // Nobody listens on the first port of all.
        config.hops.values_mut().for_each(|hop| hop.address = "127.0.0.1:1".into());
    })
    .await;
    let mut client = room.client(STRANGER).await;
    let answers = client.introduces(SENDER, &[ANNA]).await;
    assert_eq!(answers, ["451 4.4.1 The next hop cannot be reached, try again later"]);
    client.says("DATA", "554 5.5.1 No valid recipients").await;
}

pub(crate) async fn a_recipient_that_goes_another_way_is_asked_to_come_again() {
    let other = scripted_hop::listen(std::sync::Arc::new(Hop::new(Listed::new([])))).await.expect("a port");
    let room = Room::set(|config| {
        config.hops.get_mut(&domain::Direction::Outbound).expect("is there").address = other.to_string();
    })
    .await;
    let mut client = room.client(OURS).await;
    let answers = client.introduces(BEN, &[ANNA, FRIEND, ANNA]).await;
    assert!(answers[0].starts_with("250") && answers[2].starts_with("250"), "{answers:?}");
    assert_eq!(answers[1], "452 4.5.3 This recipient goes another way, send it in a transaction of its own");
}

pub(crate) async fn an_engine_that_fails_defers_and_the_attempt_is_on_record() {
    let room = Room::set(|config| {
        let nowhere = "[engine.clamd]\naddress = \"127.0.0.1:1\"\n";
        config.engines.clamd = with_engine(nowhere).engines.clamd;
    })
    .await;
    let answers = room.hand_in(STRANGER, SENDER, &[ANNA, BEN], "hello").await;
    assert_eq!(answers.message, "451 4.7.1 The message could not be examined, try again later");
    assert_eq!((room.accounts().await.as_str(), room.hop.taken().len()), ("refused 2", 0));
    assert_eq!(room.newest().await.blob, None);
}

/// A configuration with an engine beside our own.
fn with_engine(section: &str) -> Config {
    let text = format!(
        "data_dir = \"data\"\nhostname = \"x.example\"\naccepted_domains = [\"ours.example\"]\n[[listener]]\n\
         address = \"127.0.0.1:0\"\n[next_hop.inbound]\naddress = \"127.0.0.1:1\"\n{section}"
    );
    Config::parse(&text, std::path::Path::new(".")).expect("a right one")
}

pub(crate) async fn at_bypass_mail_passes_unexamined_and_unrecorded() {
    let room = Room::with_dots([AtDot::Take, AtDot::Refuse, AtDot::Close]).await;
    room.panic_switch("bypass").await;
    let answers = room.hand_in(STRANGER, SENDER, &[ANNA, BEN], MALWARE).await;
    assert_eq!(answers.message, "250 2.0.0 Ok: it is in the mailbox");
    let mail = taken(&room);
    assert!(mail.starts_with("Received: from client.example") && mail.contains("X-Reprieve-Verdict: Bypassed\r\n"));
    assert!(mail.ends_with(&letter(SENDER, MALWARE)));
    assert_eq!(room.accounts().await, "");
    assert_eq!(room.hand_in(STRANGER, SENDER, &[ANNA], "no").await.message, "554 5.7.1 Never");
    let unanswered = room.hand_in(STRANGER, SENDER, &[ANNA], "lost").await.message;
    assert_eq!(unanswered, "451 4.4.2 The next hop did not answer, try again");
}

pub(crate) async fn at_bypass_a_late_answer_is_told_as_one() {
    let short = |config: &mut Config| config.limits.reply_deadline = Duration::from_millis(400);
    let room = Room::with(Hop::stuck(Listed::that_waits()), short).await;
    room.panic_switch("bypass").await;
    let slow = async {
        room.hop.listed.asked().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        room.hop.listed.go_on(1);
    };
    let (answers, ()) = tokio::join!(room.hand_in(STRANGER, SENDER, &[ANNA], "hello"), slow);
    assert_eq!(answers.message, "451 4.4.5 The message took too long, try again");
}

pub(crate) async fn a_closed_gateway_takes_nothing() {
    let room = Room::new().await;
    room.panic_switch("tempfail-all").await;
    let mut client = room.client(STRANGER).await;
    client.says("MAIL FROM:<a@outside.example>", "451 4.7.1 The gateway is closed").await;
}

pub(crate) async fn a_volume_without_room_takes_nothing() {
    let room = Room::new().await;
    room.gateway.readiness.room.look(room.folder(), u64::MAX);
    let mut client = room.client(STRANGER).await;
    client.says("MAIL FROM:<a@outside.example>", "452 4.3.1 Not enough room").await;
}

pub(crate) async fn a_mail_that_goes_round_is_refused() {
    let room = Room::new().await;
    let mut client = room.client(STRANGER).await;
    let received = |times| "Received: from x by y; Fri, 27 Nov 2026 09:00:00 +0000\r\n".repeat(times);
    let own = |times| format!("Received: from x by {HOST} (Reprieve) with SMTP\r\n").repeat(times);
    for (fields, code) in [(received(100), "250"), (received(101), "554 5.4.6"), (own(2), "250"), (own(3), "554 5.4.6")]
    {
        let answers = client.hand_in(SENDER, &[ANNA], &(fields + &letter(SENDER, "round"))).await;
        assert!(answers.message.starts_with(code), "{answers:?}");
    }
    assert_eq!(room.accounts().await, "delivered 2", "what is refused is not on record");
}

pub(crate) async fn forged_fields_of_ours_are_not_passed_on_and_a_strange_token_opens_nothing() {
    let room = Room::new().await;
    let forged = format!(
        "X-Reprieve-Verdict: Clean\r\n{FIELD}: v=1; id=x; exp=9999999999; mac=00\r\n{}",
        letter(SENDER, MALWARE)
    );
    let mut client = room.client(STRANGER).await;
    assert!(client.hand_in(SENDER, &[ANNA], &forged).await.message.contains("taken as"));
    assert_eq!(room.accounts().await, "held 1");
    assert_eq!(room.newest().await.removed_fields, ["X-Reprieve-Verdict", FIELD]);
}

pub(crate) async fn what_we_have_released_passes_for_its_own_recipient_alone() {
    let room = Room::new().await;
    let body = letter(SENDER, MALWARE);
    let unit = UnitId { mail: room.clock.mail_id(), number: 0 };
    let recipient = domain::Address::parse(ANNA).expect("an address");
    let expires = room.clock.now().after(Duration::from_secs(60));
    let outgoing = Outgoing::new(body.as_bytes(), HOST, None);
    let signed = outgoing.token(&room.key, &ReleaseId::of(unit), &recipient, expires) + &body;
    let mut client = room.client(STRANGER).await;
    assert!(client.hand_in(SENDER, &[BEN], &signed).await.message.contains("taken as"), "another's");
    assert!(client.hand_in(SENDER, &[ANNA, BEN], &signed).await.message.contains("taken as"), "not it alone");
    assert_eq!(client.hand_in(SENDER, &[ANNA], &signed).await.message, "250 2.0.0 Ok: it is in the mailbox");
    let mail = taken(&room);
    assert!(mail.contains(FIELD), "the token stays: {mail}");
    assert!(mail.contains("X-Reprieve-Verdict: Malware; Deliver\r\n"), "{mail}");
    assert!(!mail.contains("X-Reprieve-Detection"), "no detection has decided: {mail}");
    room.clock.advance(Duration::from_secs(61));
    assert!(client.hand_in(SENDER, &[ANNA], &signed).await.message.contains("taken as"), "its time is over");
}

pub(crate) async fn what_engines_say_of_themselves_is_on_record_once() {
    let room = Room::new().await;
    for text in ["one", "two"] {
        room.hand_in(STRANGER, SENDER, &[ANNA], text).await;
    }
    let engines = room.store.rules.engine_versions().await.expect("reads");
    assert!(engines.iter().any(|one| one.engine == "yara"), "{engines:?}");
    let first = engines.iter().map(|one| one.first_seen).max();
    room.clock.advance(Duration::from_secs(60));
    room.hand_in(STRANGER, SENDER, &[ANNA], "three").await;
    let engines = room.store.rules.engine_versions().await.expect("reads");
    assert_eq!(engines.iter().map(|one| one.first_seen).max(), first, "nothing new was said");
}

/// A text of a size that is worth remembering.
fn with_attachment(content: &str) -> String {
    let mail = letter(SENDER, "see below");
    let (head, _) = mail.split_once("\r\n\r\n").expect("a head");
    format!(
        "{head}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
         Content-Type: text/plain\r\n\
         \r\nsee below\r\n--b\r\nContent-Type: text/plain; name=figures.txt\r\nContent-Disposition: attachment; \
         filename=figures.txt\r\n\r\n{}\r\n{content}\r\n--b--\r\n",
        "figures of the quarter ".repeat(20)
    )
}

pub(crate) async fn only_what_went_through_clean_is_learned_and_makes_its_network_known() {
    let room = Room::set(|config| {
        config.limits.known.mails = 1;
        config.limits.known.age = Duration::ZERO;
    })
    .await;
    let knows = |ip: &str| room.gateway.known.knows(ip.parse().expect("an address"), room.clock.now());
    let contents = async || {
        room.gateway.learner.written().await;
        room.store.known_good.known_good_status(room.clock.now()).await.expect("reads").contents
    };
    room.client("127.0.1.1").await.hand_in(SENDER, &[ANNA], &with_attachment(JUNK)).await;
    assert_eq!((contents().await, knows("127.0.1.1")), (0, false), "junk vouches for nothing");
    room.client("127.0.1.1").await.hand_in(SENDER, &[ANNA], &with_attachment(MALWARE)).await;
    assert_eq!((contents().await, knows("127.0.1.1")), (0, false), "nor does what is held");
    room.client("127.0.2.1").await.hand_in(SENDER, &[ANNA], &with_attachment("")).await;
    assert_eq!((contents().await, knows("127.0.2.1")), (1, true));
    assert!(knows("127.0.2.77") && !knows("127.0.1.1"), "its network, and no other");
}

pub(crate) async fn what_the_hop_refuses_teaches_nothing() {
    let room = Room::with(Hop::new(Listed::new([AtDot::PutOff])), |config| {
        config.limits.known.mails = 1;
        config.limits.known.age = Duration::ZERO;
    })
    .await;
    room.client(STRANGER).await.hand_in(SENDER, &[ANNA], &with_attachment("")).await;
    room.gateway.learner.written().await;
    let status = room.store.known_good.known_good_status(room.clock.now()).await.expect("reads");
    let knows = room.gateway.known.knows(STRANGER.parse().expect("an address"), room.clock.now());
    assert_eq!((status.contents, knows), (0, false));
}

pub(crate) async fn who_has_written_before_is_no_first_contact() {
    let room = Room::new().await;
    room.hand_in(STRANGER, SENDER, &[ANNA], "one").await;
    room.gateway.learner.written().await;
    room.hand_in(STRANGER, SENDER, &[ANNA], "two").await;
    let mails: Vec<String> =
        room.hop.taken().into_iter().map(|one| String::from_utf8(one.bytes).expect("text")).collect();
    let is_first = |mail: &String| mail.contains("X-Reprieve-First-Contact: yes\r\n");
    assert_eq!(mails.iter().map(is_first).collect::<Vec<_>>(), [true, false]);
}

pub(crate) async fn what_is_known_of_a_sender_is_on_record_where_something_acts() {
    let room = Room::new().await;
    room.hand_in(STRANGER, SENDER, &[ANNA], MALWARE).await;
    let facts = room.newest().await.examination.facts;
    assert_eq!(facts.sender.map(|one| (one.established, one.internal)), Some((false, false)));
    let room = Room::set(|config| config.known_good.is_on = false).await;
    room.hand_in(STRANGER, SENDER, &[ANNA], MALWARE).await;
    let facts = room.newest().await.examination.facts;
    assert_eq!((facts.sender, facts.first_contact), (None, None), "nothing is remembered, so nobody asks");
}

pub(crate) async fn what_a_stop_finds_unanswered_is_doubted_before_it_closes() {
    let room = Room::with(Hop::stuck(Listed::new([])), |config| config.limits.drain = Duration::from_millis(300)).await;
    let mut client = room.client(STRANGER).await;
    client.introduces(SENDER, &[ANNA]).await;
    client.says("DATA", "354").await;
    client.send(letter(SENDER, "hello").as_bytes()).await;
    client.send(b".\r\n").await;
    while room.store.mail.newest(1).await.expect("reads").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    room.stop.send(true).expect("somebody listens");
    client.hears("451 4.3.2 Shutting down before the next hop answered").await;
    let mut connections = room.connections;
    while connections.join_next().await.is_some() {}
    room.gateway.finish(tokio::time::Instant::now() + Duration::from_secs(5)).await;
    let balance = room.store.upkeep.check_ledger(false).await.expect("checks");
    assert_eq!(balance.accounts.get("in_doubt_live"), Some(&1), "{balance:?}");
}
