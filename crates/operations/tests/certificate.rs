//! Who is called when for a certificate: over the real store and a clock of its own.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::token::TokenKey;
use operations::certificate_watch::{CertificateWatcher, Watched};
use platform::certificates::Certificates;
use platform::clock::{Clock, ManualClock};
use platform::reconciler::Reconciler;
use platform::signals::Signals;
use store::Store;
use store::notices::alert::AlertKind;
use tempfile::TempDir;
use tokio::sync::watch;

const DAY: Duration = Duration::from_secs(86_400);

struct Room {
    folder: TempDir,
    clock: Arc<ManualClock>,
    watcher: CertificateWatcher,
    watched: Watched,
}

impl Room {
    /// With a certificate that is valid until the beginning of 2030.
    async fn at(moment: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let clock = Arc::new(ManualClock::new(Timestamp::parse(moment).expect("a moment")));
        let store =
            Store::open_embedded(folder.path(), "n", &TokenKey::new([7; 32]), clock.now()).await.expect("opens");
        write(folder.path(), 2030);
        let certificates = Certificates::default();
        let files = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        certificates.of(&files).expect("a pair");
        let (notices, signals) = (store.notices.clone(), Signals::default());
        let watcher = CertificateWatcher { certificates, notices, clock: clock.clone(), signals };
        Self { folder, clock, watcher, watched: Watched::default() }
    }

    /// Makes a round after some time; returns what people have been called for, the newest first.
    async fn after(&mut self, span: Duration) -> Vec<String> {
        self.clock.advance(span);
        let (_stop, stopping) = watch::channel(false);
        self.watcher.round(&mut self.watched, &stopping).await.expect("a round");
        let alerts = self.watcher.notices.alerts(true, 100).await.expect("alerts");
        assert!(alerts.iter().all(|alert| alert.kind == AlertKind::Certificate));
        alerts.into_iter().map(|alert| alert.text).collect()
    }
}

fn write(folder: &Path, until: i32) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(["mx.example.org".to_owned()]).expect("parameters");
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let certificate = params.self_signed(&key).expect("a certificate");
    fs::write(folder.join("cert.pem"), certificate.pem()).expect("written");
    fs::write(folder.join("key.pem"), key.serialize_pem()).expect("written");
}

#[tokio::test]
async fn the_end_of_a_certificate_is_called_out_three_times() {
    let mut room = Room::at("2029-12-01T00:00:00Z").await;
    assert!(room.after(DAY).await.is_empty(), "a month before");
    let told = room.after(DAY * 17).await;
    assert!(told.len() == 1 && told[0].contains("valid until 2030-01-01T00:00:00Z only"), "{told:?}");
    assert_eq!(room.after(DAY).await.len(), 1, "once");
    assert_eq!(room.after(DAY * 10).await.len(), 2, "three days before");
    let told = room.after(DAY * 3).await;
    assert!(told.len() == 3 && told[0].contains("has expired"), "{told:?}");
    write(room.folder.path(), 2031);
    assert_eq!(room.after(DAY).await.len(), 3, "a new one needs nobody");
}

#[tokio::test]
async fn files_that_do_not_fit_have_a_minute() {
    let mut room = Room::at("2029-01-01T00:00:00Z").await;
    let second = Duration::from_secs(1);
    let before = fs::read(room.folder.path().join("cert.pem")).expect("read");
    write(room.folder.path(), 2031);
    fs::write(room.folder.path().join("cert.pem"), before).expect("written");
    assert!(room.after(second).await.is_empty());
    assert!(room.after(second * 50).await.is_empty(), "a renewal may be under way");
    let told = room.after(second * 15).await;
    assert!(told.len() == 1 && told[0].contains("do not fit"), "{told:?}");
    assert!(told[0].contains("stays until 2030-01-01"), "{told:?}");
    assert_eq!(room.after(DAY).await.len(), 1, "once");
    write(room.folder.path(), 2031);
    assert_eq!(room.after(second).await.len(), 1);
    // Another fault is another call.
    fs::remove_file(room.folder.path().join("key.pem")).expect("removed");
    assert_eq!(room.after(second).await.len(), 1);
    let told = room.after(second * 61).await;
    assert!(told.len() == 2 && told[0].contains("key.pem"), "{told:?}");
}
