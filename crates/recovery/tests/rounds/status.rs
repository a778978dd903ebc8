//! What the public is told lies as files.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use domain::incident::{IncidentStep, Stage};
use platform::reconciler::Reconciler;
use recovery::status::{CHECKPOINT, FEED, FOLDER, ISSUES, PAGE};
use serde_json::Value;
use store::audit::Act;
use store::incident::IncidentChange;
use tokio::sync::watch;

use crate::site::{BEN, HARMLESS, MALWARE, Site, round};

fn folder(site: &Site) -> PathBuf {
    site.parts.shared.config.data_dir.join(FOLDER)
}

fn file(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect("it is there")
}

fn issues(folder: &Path) -> Vec<Value> {
    let told: Value = serde_json::from_str(&file(folder, ISSUES)).expect("JSON");
    told["value"].as_array().expect("a list").clone()
}

pub(crate) async fn without_an_incident_it_says_so() {
    let site = Site::new().await;
    round(&site.parts.publisher()).await;
    let folder = folder(&site);
    let page = file(&folder, PAGE);
    assert!(
        page.contains("No incident is open.") && page.contains("Mail protection of gateway.ours.example"),
        "{page}"
    );
    assert!(!page.contains("Past incidents"));
    assert_eq!(issues(&folder).len(), 0);
    assert!(file(&folder, FEED).contains("<updated>1970-01-01T00:00:00"));
}

pub(crate) async fn an_incident_is_told_from_its_beginning_to_its_end() {
    let site = Site::new().await;
    site.hold(HARMLESS, &[BEN]).await;
    site.hold(&format!("{HARMLESS} {MALWARE}"), &[BEN]).await;
    let incident = site.open_incident().await;
    round(&site.parts.incident_worker()).await;
    let at = site.parts.shared.clock.now();
    let public = IncidentChange {
        is_public: true,
        public_text: Some("We are <sorry>.".into()),
        ..IncidentChange::note(&incident, at, "a person", "Somebody looks into it.")
    };
    site.store.incidents.change(public).await.expect("is told");
    round(&site.parts.publisher()).await;
    let folder = folder(&site);
    let page = file(&folder, PAGE);
    assert!(!page.contains("No incident is open.") && page.contains(&incident), "{page}");
    assert!(page.contains("<li><time>") && page.contains("Somebody looks into it."), "{page}");
    assert!(page.contains("We are &lt;sorry&gt;.") && !page.contains("<sorry>"), "{page}");
    assert!(page.contains("0 of 2 units are accounted for (0 %)") && page.contains("Next update by"), "{page}");
    let told = &issues(&folder)[0];
    assert_eq!((told["id"].as_str(), told["isResolved"].as_bool()), (Some(incident.as_str()), Some(false)));
    let detail = |told: &Value, name: &str| {
        let all = told["details"].as_array().expect("a list").clone();
        let one = all.into_iter().find(|one| one["name"] == name).expect("is told");
        one["value"].as_str().expect("text").to_owned()
    };
    assert_eq!((detail(told, "units"), detail(told, "accountedFor")), ("2".to_owned(), "0".to_owned()));
    assert!(file(&folder, FEED).contains("Somebody looks into it."));
    site.correct(true).await;
    round(&site.parts.incident_worker()).await;
    for _ in 0..2 {
        round(&site.parts.replayer()).await;
    }
    round(&site.parts.publisher()).await;
    let told = &issues(&folder)[0];
    assert_eq!((detail(told, "accountedFor"), detail(told, "percent")), ("1".to_owned(), "50".to_owned()));
    assert!(file(&folder, PAGE).contains("aria-valuenow=\"50\""));
    assert_eq!(site.stage(&incident).await, Stage::Releasing);
    let now = site.parts.shared.clock.now();
    let stands = site.incident(&incident).await;
    let end = IncidentChange::step(&stands, IncidentStep::Resolved, now, "a person", "It is over.");
    site.store.incidents.change(end).await.expect("ends");
    round(&site.parts.publisher()).await;
    let page = file(&folder, PAGE);
    assert!(page.contains("No incident is open.") && page.contains("<h2>Past incidents</h2>"), "{page}");
    assert_eq!(issues(&folder)[0]["isResolved"].as_bool(), Some(true));
}

pub(crate) async fn what_says_the_same_is_not_written_again() {
    let site = Site::new().await;
    let (publisher, folder) = (site.parts.publisher(), folder(&site));
    let (_stops, stop) = watch::channel(false);
    let mut known = None;
    publisher.round(&mut known, &stop).await.expect("a round");
    std::fs::remove_file(folder.join(PAGE)).expect("removes");
    publisher.round(&mut known, &stop).await.expect("a round");
    assert!(!folder.join(PAGE).exists(), "nothing has changed");
    site.open_incident().await;
    publisher.round(&mut known, &stop).await.expect("a round");
    assert!(file(&folder, PAGE).contains("investigating"));
}

pub(crate) async fn the_checkpoint_of_the_audit_log_lies_beside_it_with_its_tiles() {
    let site = Site::new().await;
    let (publisher, folder) = (site.parts.publisher(), folder(&site));
    round(&publisher).await;
    assert!(!folder.join(CHECKPOINT).exists(), "nothing is on record yet");
    site.open_incident().await;
    let act = |n| Act {
        at: site.parts.shared.clock.now(),
        actor: "anna".into(),
        action: "test".into(),
        object: format!("{n}"),
        reason: String::new(),
        detail: String::new(),
    };
    site.store.audit.record_acts((0..300).map(act).collect()).await.expect("writes");
    round(&publisher).await;
    let checkpoint = file(&folder, CHECKPOINT);
    let size: u64 = checkpoint.lines().nth(1).and_then(|size| size.parse().ok()).expect("a size");
    assert!(size >= 300, "{checkpoint}");
    let tile = |path: &str| std::fs::read(folder.join(path)).map(|bytes| bytes.len());
    assert_eq!(tile("tile/0/000").expect("the first tile is full"), 256 * 32);
    let partial = format!("tile/0/001.p/{}", size - 256);
    assert_eq!(tile(&partial).expect("the second is not"), (size as usize - 256) * 32);
    assert_eq!(tile("tile/1/000.p/1").expect("one hash above them"), 32);
    // A minute later at the earliest it is written anew.
    std::fs::write(folder.join(CHECKPOINT), "kept").expect("writes");
    round(&publisher).await;
    assert_eq!(file(&folder, CHECKPOINT), "kept");
    let old = SystemTime::now() - Duration::from_secs(61);
    std::fs::File::options().write(true).open(folder.join(CHECKPOINT)).expect("opens").set_modified(old).expect("sets");
    round(&publisher).await;
    assert_eq!(file(&folder, CHECKPOINT), checkpoint);
}
