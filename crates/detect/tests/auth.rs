//! How mail authenticates, against a name server on loopback: our own mails, signed here with keys made here.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use detect::auth::{Authenticator, Sender, Settings};
use detect::examine::{EnvelopeFacts, Examiner};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::ruleset::Ruleset;
use domain::authentication::{AuthResult, Authentication, DmarcPolicy, Source};
use domain::finding::Outcome;
use mail_auth::arc::ArcSealer;
use mail_auth::common::crypto::{RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use mail_auth::{AuthenticatedMessage, AuthenticationResults, MessageAuthenticator};
use nameserver::{NameServer, Zone};

const HOST: &str = "gw.example";

/// A key with the text of its record.
fn key() -> (Vec<u8>, String) {
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::KeyPair as _;
    use base64::Engine as _;
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("generates");
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("encodes");
    let record = format!("v=DKIM1; k=rsa; p={}", base64::prelude::BASE64_STANDARD.encode(public.as_ref()));
    let private: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().expect("encodes");
    (private.as_ref().to_vec(), record)
}

fn rsa(key: &[u8]) -> RsaKey<Sha256> {
    let der = rustls_pki_types::PrivatePkcs8KeyDer::from(key.to_vec());
    RsaKey::from_key_der(rustls_pki_types::PrivateKeyDer::Pkcs8(der)).expect("a key")
}

fn mail(from: &str) -> Vec<u8> {
    format!(
        "From: Anna <{from}>\r\nTo: b@ours.example\r\nSubject: offer\r\nDate: Mon, 23 Nov 2026 09:30:00 \
        +0000\r\nMessage-ID: <1@x>\r\n\r\nHello Bert\r\n"
    )
    .into_bytes()
}

fn signed(mail: &[u8], key: &[u8], domain: &str) -> Vec<u8> {
    let signer = DkimSigner::from_key(rsa(key)).domain(domain).selector("s").headers(["From", "To", "Subject"]);
    let field = signer.sign(mail).expect("signs").to_header();
    [field.as_bytes(), mail].concat()
}

fn settings(server: &NameServer) -> Settings {
    Settings {
        name_server: Some(server.address),
        authserv_id: HOST.into(),
        timeout: Duration::from_secs(5),
        trusted_sealers: vec!["lists.example".into()],
        trusted_authserv: vec!["mx.up.example".into()],
    }
}

async fn examined(server: &NameServer, mail: &[u8], ip: &str, mail_from: &str) -> Authentication {
    let authenticator = Authenticator::new(settings(server)).expect("resolver");
    let ip = ip.parse().expect("ip");
    let sender = Sender { ip, helo: "mail.partner.example".into(), mail_from: mail_from.into() };
    let (report, authentication) = authenticator.examine(Arc::new(mail.to_vec()), Some(sender)).await;
    assert_eq!(report.outcome, Outcome::Done, "{}", report.detail);
    authentication.expect("found out")
}

/// Which of the detections on authentication hit.
fn hits(mail: &[u8], authentication: Authentication, own: &str) -> BTreeSet<String> {
    let in_force = InForce::only(Ruleset::shipped().expect("loads"));
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let envelope = EnvelopeFacts {
        own_domains: vec![own.into()],
        authentication: Some(authentication),
        ..EnvelopeFacts::default()
    };
    let examination = examiner.examine(mail, &envelope, Budget::starting_now(Duration::from_secs(10)));
    assert!(examination.facts.authentication.is_some(), "it is recorded");
    examination.findings.iter().filter(|one| one.engine == "auth").map(|one| one.detection.to_string()).collect()
}

fn set(codes: &[&str]) -> BTreeSet<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

struct Partner {
    key: Vec<u8>,
    server: NameServer,
}

fn partner(policy: &str) -> Partner {
    let (key, record) = key();
    let zone = Zone::new()
        .txt("partner.example", "v=spf1 ip4:192.0.2.0/24 -all")
        .txt("mail.partner.example", "v=spf1 a -all")
        .address("mail.partner.example", "192.0.2.7".parse().expect("ip"))
        .txt("s._domainkey.partner.example", &record)
        .txt("s._domainkey.lists.example", &record)
        .txt("_dmarc.partner.example", &format!("v=DMARC1; p={policy}"))
        .txt("quiet.example", "v=spf1 -all")
        .silent("dead.example");
    Partner { key, server: NameServer::start(zone) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_domain_vouches_for() {
    let Partner { key, server } = partner("reject");
    let mail = mail("anna@partner.example");
    let said = examined(&server, &signed(&mail, &key, "partner.example"), "192.0.2.9", "anna@partner.example").await;
    assert_eq!((said.spf, said.dmarc, said.source.clone()), (AuthResult::Pass, AuthResult::Pass, Source::Own));
    assert_eq!(
        said.dkim.iter().map(|one| (one.result, one.domain.as_str())).collect::<Vec<_>>(),
        [(AuthResult::Pass, "partner.example")]
    );
    assert_eq!(said.aligned.as_deref(), Some("partner.example"));
    let field = said.field.replace("\r\n\t", " ");
    for result in ["spf=pass", "dkim=pass", "dmarc=pass", "header.from=partner.example"] {
        assert!(field.contains(result), "{result} not in {field}");
    }
    assert_eq!(hits(&mail, said, "ours.example"), set(&[]));
    // Forwarded by a host that keeps the reverse path: SPF fails, and the signature holds.
    let said = examined(&server, &signed(&mail, &key, "partner.example"), "198.51.100.9", "anna@partner.example").await;
    assert_eq!((said.spf, said.dmarc), (AuthResult::Fail, AuthResult::Pass));
    assert_eq!(hits(&mail, said, "ours.example"), set(&["AUT-0005"]));
    // The null sender is asked for by the name in HELO.
    let said = examined(&server, &mail, "192.0.2.7", "").await;
    assert_eq!((said.spf, said.spf_domain.as_str()), (AuthResult::Pass, "mail.partner.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_disowns() {
    for (policy, known, code) in [
        ("reject", DmarcPolicy::Reject, "AUT-0001"),
        ("quarantine", DmarcPolicy::Quarantine, "AUT-0002"),
        ("none", DmarcPolicy::None, "AUT-0003"),
    ] {
        let Partner { key, server } = partner(policy);
        let mail = mail("anna@partner.example");
        let said = examined(&server, &mail, "198.51.100.9", "x@quiet.example").await;
        assert_eq!((said.dmarc, said.dmarc_policy, said.aligned.as_deref()), (AuthResult::Fail, known, None));
        assert_eq!(hits(&mail, said, "ours.example"), set(&[code, "AUT-0005"]));
        // What was signed and changed on the way.
        let mut changed = signed(&mail, &key, "partner.example");
        changed.extend_from_slice(b"-- \r\nfooter of a list\r\n");
        let said = examined(&server, &changed, "198.51.100.9", "x@elsewhere.example").await;
        assert_eq!(said.dkim[0].result, AuthResult::Neutral, "the body is another");
        assert_eq!(hits(&changed, said, "ours.example"), set(&[code, "AUT-0006"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_forwarder_explains_what_broke() {
    let Partner { key, server } = partner("reject");
    // What the list passes on is not signed by its author any more.
    let original = mail("anna@partner.example");
    let asker = MessageAuthenticator::new_cloudflare().expect("no question is asked of it");
    let message = AuthenticatedMessage::parse(&original).expect("parses");
    let chain = asker.verify_arc(&message).await;
    let said = AuthenticationResults::new("lists.example");
    let sealer =
        ArcSealer::from_key(rsa(&key)).domain("lists.example").selector("s").headers(["From", "To", "Subject"]);
    let sealed = sealer.seal(&message, &said, &chain).expect("seals").to_header();
    let forwarded = [sealed.as_bytes(), &original].concat();
    let answer = examined(&server, &forwarded, "198.51.100.9", "list@lists.example").await;
    assert_eq!((answer.arc, answer.arc_sealer.as_str(), answer.arc_trusted), (AuthResult::Pass, "lists.example", true));
    assert_eq!(answer.dmarc, AuthResult::Fail);
    assert_eq!(hits(&forwarded, answer, "ours.example"), set(&[]));
    // A sealer that nobody has named proves nothing.
    let mut strict = settings(&server);
    strict.trusted_sealers = Vec::new();
    let sender = Sender { ip: [198, 51, 100, 9].into(), helo: "x".into(), mail_from: "list@lists.example".into() };
    let asked = Authenticator::new(strict).expect("resolver").examine(Arc::new(forwarded.clone()), Some(sender)).await;
    let answer = asked.1.expect("found out");
    assert_eq!((answer.arc, answer.arc_trusted), (AuthResult::Pass, false));
    assert_eq!(hits(&forwarded, answer, "ours.example"), set(&["AUT-0001"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_of_ours_says_nothing_about_the_sender() {
    let Partner { key, server } = partner("reject");
    let unsigned = mail("anna@partner.example");
    let of = async |mail: &[u8]| {
        let authenticator = Authenticator::new(settings(&server)).expect("resolver");
        authenticator.examine(Arc::new(mail.to_vec()), None).await.1.expect("found out")
    };
    let said = of(&unsigned).await;
    assert_eq!((said.spf, said.dmarc, said.field.as_str()), (AuthResult::None, AuthResult::None, ""));
    assert_eq!(hits(&unsigned, said, "ours.example"), set(&[]), "SPF might have passed");
    let said = of(&signed(&unsigned, &key, "partner.example")).await;
    assert_eq!((said.dmarc, said.aligned.as_deref()), (AuthResult::Pass, Some("partner.example")));
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_name_from_outside() {
    let Partner { server, .. } = partner("reject");
    let mail = mail("boss@ours.example");
    let said = examined(&server, &mail, "198.51.100.9", "x@elsewhere.example").await;
    assert_eq!(hits(&mail, said.clone(), "ours.example"), set(&["AUT-0004"]));
    assert_eq!(hits(&mail, said, "another.example"), set(&[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_no_answer_and_no_verdict() {
    let Partner { server, .. } = partner("reject");
    let mut quick = settings(&server);
    quick.timeout = Duration::from_secs(1);
    let sender = Sender { ip: [192, 0, 2, 9].into(), helo: "x".into(), mail_from: "a@dead.example".into() };
    let authenticator = Authenticator::new(quick).expect("resolver");
    let (report, answer) = authenticator.examine(Arc::new(mail("a@dead.example")), Some(sender)).await;
    assert_eq!((report.outcome, answer), (Outcome::Timeout, None));
    assert!(report.detail.contains("1 s"), "{}", report.detail);
    // With time enough it is an answer: nobody knows.
    let said = examined_for(&server, "a@dead.example", Duration::from_secs(30)).await;
    assert_eq!((said.spf, said.dmarc), (AuthResult::TempError, AuthResult::TempError));
    assert_eq!(hits(&mail("a@dead.example"), said, "dead.example"), set(&[]));
}

async fn examined_for(server: &NameServer, from: &str, timeout: Duration) -> Authentication {
    let authenticator = Authenticator::new(Settings { timeout, ..settings(server) }).expect("resolver");
    let sender = Sender { ip: [192, 0, 2, 9].into(), helo: "x".into(), mail_from: from.into() };
    authenticator.examine(Arc::new(mail(from)), Some(sender)).await.1.expect("found out")
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_trusted_host_has_spoken_nobody_is_asked() {
    let Partner { server, .. } = partner("reject");
    let said = b"Authentication-Results: mx.up.example; spf=pass smtp.mailfrom=partner.example; dmarc=pass \
        header.from=partner.example\r\n";
    let mail = [&said[..], &mail("anna@partner.example")].concat();
    let answer = examined(&server, &mail, "198.51.100.9", "x@quiet.example").await;
    assert_eq!((answer.source, answer.dmarc), (Source::Upstream("mx.up.example".into()), AuthResult::Pass));
    assert_eq!(answer.aligned.as_deref(), Some("partner.example"));
    assert_eq!(answer.field, "", "what we have not found out we do not claim");
    assert_eq!(server.asked(), 0);
}
