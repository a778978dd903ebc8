//! Mail that versions on probation delay: found, noted and decided about once, and no more let out than may be.

use domain::detection::{DetectionCode, DetectionVersion};
use domain::finding::SenderFact;
use domain::sentinel::Suspect;
use domain::sentinel::probation::{LET_OUT_MAX, Stage, Step};
use domain::{MailId, UnitId};
use store::evidence::probation::Decision;
use store::mail::arrival::Arrival;
use store::mail::completion::{Completion, Occasion};
use store::{Store, StoreError};

use super::{Account, Arc, arrival, at, check_balanced};

/// A version of its own, so that nothing else of the story is hit by it.
fn suspect() -> Suspect {
    let code = DetectionCode::parse("PRO-0001").expect("a code");
    Suspect { code, version: DetectionVersion::of(&[b"forced"]) }
}

/// A mail of this test alone.
fn id(n: u8) -> MailId {
    MailId::new(at(i64::from(n)), [n, 7, 7, 7, 7, 7, 7, 7, 7, 7])
}

fn hit(n: u8, is_known: bool, account: Account) -> Arrival {
    let one = arrival(n, &[n, 7, 7], &[("p@ours.example", account), ("q@ours.example", account)]);
    let mut examination = one.examination.as_ref().clone();
    for finding in &mut examination.findings {
        (finding.detection, finding.detection_version) = (suspect().code, suspect().version);
    }
    examination.facts.sender = Some(SenderFact { established: is_known, internal: false });
    Arrival { mail_id: id(n), examination: Arc::new(examination), ..one }
}

fn decision(mail: MailId, step: Step, units: Vec<UnitId>) -> Decision {
    let reason = "so it is".to_owned();
    Decision { suspect: suspect(), mail, step, reason, completion: None, units, at: at(900) }
}

fn units(n: u8) -> Vec<UnitId> {
    (0..2).map(|number| UnitId { mail: id(n), number }).collect()
}

pub(crate) async fn story(store: &Store) {
    let delayed = [(240, true, Account::Held), (241, true, Account::Held)];
    let others = [(242, false, Account::Held), (243, true, Account::Forwarding)];
    for (n, is_known, account) in delayed.into_iter().chain(others) {
        store.mail.record_arrival(hit(n, is_known, account)).await.expect("records");
    }
    let held = &store.containments;
    let found = held.mail_to_delay(&suspect(), None, 10).await.expect("reads");
    assert_eq!(found, [id(240), id(241)], "held, and of somebody whom we know");
    assert_eq!(held.mail_to_delay(&suspect(), Some(id(241)), 10).await.expect("reads"), [id(241)]);
    assert_eq!(held.note_delayed(&suspect(), found.clone(), at(800)).await.expect("notes"), 2);
    assert_eq!(held.note_delayed(&suspect(), found, at(801)).await.expect("notes"), 0, "once");
    assert_eq!(held.mail_to_delay(&suspect(), None, 10).await.expect("reads"), []);
    assert!(held.versions_that_delayed().await.expect("reads").contains(&suspect()));
    assert_eq!(held.delayed_mail(id(240).at(), 10).await.expect("reads").len(), 1, "the other is too young");

    // One leaves, with its new examination and one request for each unit; the other stays.
    let whole = hit(240, true, Account::Held);
    let verdicts = (0..).zip(whole.units.iter().map(|unit| unit.verdict.clone())).collect();
    let (examination, occasion) = (whole.examination.clone(), Occasion::Probation);
    let completion = Some(Completion { mail_id: id(240), examination, verdicts, at: at(900), occasion });
    let leaves = Decision { completion, ..decision(id(240), Step::LetOut, units(240)) };
    held.decide_delayed(leaves.clone()).await.expect("decides");
    assert!(matches!(held.decide_delayed(leaves).await, Err(StoreError::Refused(_))), "once");
    held.decide_delayed(decision(id(241), Step::Keep, units(241))).await.expect("decides");
    for (n, account, releases) in [(240, Account::Releasing, 2), (241, Account::Held, 0), (242, Account::Held, 0)] {
        let accounts = store.quarantine.accounts_of(id(n)).await.expect("reads");
        assert!(accounts.iter().all(|(_, stands)| *stands == account), "{n}: {accounts:?}");
        assert_eq!(store.releases.releases_of(id(n)).await.expect("reads").len(), releases);
    }
    let stands = held.probations_of_mail(id(241)).await.expect("reads");
    assert_eq!(stands, [(suspect(), Stage::Kept, "so it is".to_owned())]);
    assert_eq!(held.probations_of_mail(id(242)).await.expect("reads"), []);

    // As many as may be, and not one more, whoever asks.
    let many: Vec<MailId> = (0..=LET_OUT_MAX)
        .map(|number| MailId::new(at(700), [9, 9, 9, 9, 9, 9, 0, 0, (number / 256) as u8, (number % 256) as u8]))
        .collect();
    held.note_delayed(&suspect(), many.clone(), at(800)).await.expect("notes");
    let mut refused = 0;
    for mail in many {
        match held.decide_delayed(decision(mail, Step::LetOut, Vec::new())).await {
            Ok(()) => {}
            Err(StoreError::Refused(_)) => {
                refused += 1;
                held.decide_delayed(decision(mail, Step::Settle, Vec::new())).await.expect("it is not let out");
            }
            Err(error) => panic!("{error}"),
        }
    }
    let counts = held.probation_counts(&suspect()).await.expect("reads");
    let counted = Stage::ALL.map(|stage| counts.of(stage));
    assert_eq!((refused, counted), (2, [0, u64::from(LET_OUT_MAX), 1, 2]));
    assert_eq!(counts.all(), u64::from(LET_OUT_MAX) + 3);
    check_balanced(store).await;
}
