//! DNS lists on a name server on loopback: sound ones, ones that list the world, empty ones, ones that refuse.

use std::time::Duration;

use detect::auth;
use detect::dnsbl::Dnsbl;
use domain::finding::Outcome;
use nameserver::{NameServer, Zone};

fn sound(zone: Zone, list: &str) -> Zone {
    zone.address(&format!("2.0.0.127.{list}"), [127, 0, 0, 2].into())
}

async fn ask(server: &NameServer, zones: &[&str], ip: &str) -> (Outcome, String, Vec<String>) {
    let resolver = auth::resolver(Some(server.address)).expect("resolver");
    let zones = zones.iter().map(|zone| (*zone).to_owned()).collect();
    let lists = Dnsbl::new(resolver, zones, Duration::from_secs(1));
    let (report, findings) = lists.examine(ip.parse().expect("ip")).await;
    let shown = findings.iter().map(|one| format!("{}: {}", one.detection, one.evidence)).collect();
    (report.outcome, report.detail, shown)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_list_lists() {
    let zone = sound(sound(Zone::new(), "bl.example"), "other.example")
        .address("9.113.0.203.bl.example", [127, 0, 0, 4].into())
        .address("9.8.7.6.5.4.3.2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example", [127, 0, 0, 3].into());
    let server = NameServer::start(zone);
    let (outcome, detail, found) = ask(&server, &["bl.example", "other.example"], "203.0.113.9").await;
    assert_eq!((outcome, detail.as_str()), (Outcome::Done, ""));
    assert_eq!(found, ["dnsbl:bl.example: 203.0.113.9 is listed (127.0.0.4)"]);
    assert_eq!(ask(&server, &["bl.example"], "203.0.113.10").await.2, Vec::<String>::new());
    assert_eq!(
        ask(&server, &["bl.example"], "::ffff:203.0.113.9").await.2.len(),
        1,
        "a mapped address is that address"
    );
    assert_eq!(ask(&server, &["bl.example"], "2001:db8::1234:5678:9").await.2.len(), 0);
    assert_eq!(ask(&server, &["bl.example"], "10.0.0.1").await.0, Outcome::Skipped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_not_sound_switches_itself_off() {
    let zone = sound(sound(Zone::new(), "world.example"), "refuses.example")
        .address("1.0.0.127.world.example", [127, 0, 0, 2].into())
        .address("9.113.0.203.world.example", [127, 0, 0, 2].into())
        .address("9.113.0.203.empty.example", [127, 0, 0, 2].into())
        .address("9.113.0.203.refuses.example", [127, 255, 255, 254].into())
        .address("2.0.0.127.parked.example", [203, 0, 113, 80].into())
        .silent("dead.example");
    let server = NameServer::start(zone);
    for (list, why) in [
        ("world.example", "lists the world"),
        ("empty.example", "is empty"),
        ("refuses.example", "127.255.255.254"),
        ("parked.example", "which no list does"),
        ("dead.example", "no answer within 1 s"),
    ] {
        let (outcome, detail, found) = ask(&server, &[list], "203.0.113.9").await;
        assert_eq!((outcome, found.len()), (Outcome::Error, 0), "{list}");
        assert!(detail.contains(why), "{list}: {detail}");
    }
    let server = NameServer::start(
        sound(Zone::new().silent("dead.example"), "bl.example")
            .address("9.113.0.203.bl.example", [127, 0, 0, 4].into()),
    );
    let (outcome, _, found) = ask(&server, &["dead.example", "bl.example"], "203.0.113.9").await;
    assert_eq!((outcome, found.len()), (Outcome::Done, 1), "one that is dead takes nothing from the others");
}
