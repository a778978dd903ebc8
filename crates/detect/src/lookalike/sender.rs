//! Who a mail is from, and how it authenticates: lists, services that send for others, forwarders.

use super::Specimen;
use super::letter::Letter;

/// The host whose results are believed of a specimen, as of a fixture.
const HOST: &str = "fixture.example";

/// Innocent, every one.
pub(super) fn innocent() -> Vec<Specimen> {
    [look_alike(), shown_names(), answers(), disowned(), of_ours(), of_the_path(), signed()].concat()
}

fn from(like: &'static [&'static str], name: &'static str, from: &str) -> Specimen {
    Specimen::mail(like, name, &Letter::new("news").from(from).text("Hello Bert, here are the news of this week."))
}

fn look_alike() -> Vec<Specimen> {
    const LIKE: &[&str] = &["SND-0001"];
    vec![
        from(LIKE, "the real Microsoft", "Microsoft <no-reply@microsoft.com>"),
        from(LIKE, "a service that sends for others", "Shop <shop@amazonses.com>"),
        from(LIKE, "a bakery whose domain shares a word with ours", "Bakery <mail@example-bakery.example.net>"),
        from(LIKE, "a sender of a domain with an umlaut", "B\u{fc}cher <news@xn--bcher-kva.example>"),
        from(LIKE, "a sender whose domain has digits", "Radio <studio@radio10.example>"),
        from(LIKE, "a sender of ours below our domain", "Scanner <scan@mail.example.com>"),
    ]
}

fn shown_names() -> Vec<Specimen> {
    const LIKE: &[&str] = &["SND-0002"];
    vec![
        from(LIKE, "a list that says whom it passes on", "\"anna@example.com via list\" <list@lists.example>"),
        from(LIKE, "a sender of ours who shows the own address", "\"bert@example.com\" <bert@example.com>"),
        from(LIKE, "a sender outside who shows the own address", "\"anna@partner.example\" <anna@partner.example>"),
        from(LIKE, "a sender who shows the name of our domain", "\"Anna (example.com)\" <anna@partner.example>"),
        from(LIKE, "a share of a colleague", "\"Bert Example via SharePoint\" <no-reply@sharepointonline.com>"),
        from(LIKE, "a task of a colleague", "\"Bert at example.com (Tracker)\" <tracker@tasks.example>"),
    ]
}

fn answers() -> Vec<Specimen> {
    let is = |name, from: &str, answer: &str| {
        let letter = Letter::new("question").from(from).text("Could you answer until Friday?");
        Specimen::mail(&["SND-0003"], name, &letter.field("Reply-To", answer))
    };
    vec![
        is("answers go to a colleague", "Anna <anna@partner.example>", "team@partner.example"),
        is("answers go to the domain above", "Anna <anna@mail.partner.example>", "anna@partner.example"),
        is("answers go to the same domain in large letters", "Anna <anna@partner.example>", "anna@PARTNER.EXAMPLE"),
        is("answers go to the same domain in other letters", "A <a@xn--bcher-kva.example>", "b@xn--bcher-kva.example"),
        is(
            "answers go to the sender, with a name",
            "Anna <anna@partner.example>",
            "\"Anna Partner\" <anna@partner.example>",
        ),
    ]
}

fn with_results(like: &'static [&'static str], name: &'static str, from: &str, results: &str) -> Specimen {
    let letter = Letter::new("minutes").from(from).text("Hello Bert, the minutes are on the wiki.");
    Specimen::mail(like, name, &letter.field("Authentication-Results", &format!("{HOST}; {results}")))
}

const ANNA: &str = "Anna <anna@partner.example>";

fn disowned() -> Vec<Specimen> {
    let mut all = Vec::new();
    for (like, policy, names) in [
        (
            &["AUT-0001"][..],
            "reject",
            [
                "a list that changes nothing (policy reject)",
                "a gateway that broke a signature, from where the domain sends (policy reject)",
                "a domain whose records could not be asked for (policy reject)",
                "a service with a signature of its own and one of the domain (policy reject)",
                "a mail below the domain of its signature (policy reject)",
            ],
        ),
        (
            &["AUT-0002"][..],
            "quarantine",
            [
                "a list that changes nothing (policy quarantine)",
                "a gateway that broke a signature, from where the domain sends (policy quarantine)",
                "a domain whose records could not be asked for (policy quarantine)",
                "a service with a signature of its own and one of the domain (policy quarantine)",
                "a mail below the domain of its signature (policy quarantine)",
            ],
        ),
        (
            &["AUT-0003"][..],
            "none",
            [
                "a list that changes nothing (policy none)",
                "a gateway that broke a signature, from where the domain sends (policy none)",
                "a domain whose records could not be asked for (policy none)",
                "a service with a signature of its own and one of the domain (policy none)",
                "a mail below the domain of its signature (policy none)",
            ],
        ),
    ] {
        let results = [
            ("fail smtp.mailfrom=lists.example", "pass header.d=partner.example", "pass"),
            ("pass smtp.mailfrom=partner.example", "fail header.d=partner.example", "pass"),
            ("temperror smtp.mailfrom=partner.example", "temperror header.d=partner.example", "temperror"),
            ("pass smtp.mailfrom=bounce.service.example", "pass header.d=partner.example", "pass"),
            ("none smtp.mailfrom=relay.example", "pass header.d=mail.partner.example", "pass"),
        ];
        all.extend(names.into_iter().zip(results).map(|(name, (spf, dkim, dmarc))| {
            let said =
                format!("spf={spf}; dkim={dkim}; dmarc={dmarc} header.from=partner.example policy.dmarc={policy}");
            with_results(like, name, ANNA, &said)
        }));
    }
    all
}

fn of_ours() -> Vec<Specimen> {
    let is = |name, from: &str, results: &str| with_results(&["AUT-0004"], name, from, results);
    let bert = "Bert <bert@example.com>";
    vec![
        is(
            "a service of ours outside that SPF names",
            bert,
            "spf=pass smtp.mailfrom=example.com; dkim=none; dmarc=none header.from=example.com",
        ),
        is(
            "a service of ours outside that signs",
            bert,
            "spf=fail smtp.mailfrom=tickets.example; dkim=pass header.d=example.com; dmarc=none",
        ),
        is(
            "a mail of ours that a list brings back whole",
            bert,
            "spf=pass smtp.mailfrom=lists.example; dkim=pass header.d=example.com; dmarc=pass header.from=example.com",
        ),
        is(
            "a mail of a domain that shares a word with ours",
            "Bert <bert@example.company>",
            "spf=none smtp.mailfrom=example.company; dkim=none; dmarc=none header.from=example.company",
        ),
        is(
            "a mail of ours when names could not be asked for",
            bert,
            "spf=temperror smtp.mailfrom=example.com; dkim=none; dmarc=temperror header.from=example.com",
        ),
    ]
}

fn of_the_path() -> Vec<Specimen> {
    let is = |name, spf: &str| {
        let said =
            format!("spf={spf} smtp.mailfrom=partner.example; dkim=none; dmarc=none header.from=partner.example");
        with_results(&["AUT-0005"], name, ANNA, &said)
    };
    vec![
        is("a domain that is still making its list (softfail)", "softfail"),
        is("a domain that says nothing of others (neutral)", "neutral"),
        is("a domain without a list of senders", "none"),
        is("a list of senders that could not be asked for", "temperror"),
        is("a list of senders with a slip in it", "permerror"),
        is("a mail from where its domain sends", "pass"),
    ]
}

fn signed() -> Vec<Specimen> {
    let is = |name, dkim: &str| {
        let said = format!("spf=pass smtp.mailfrom=partner.example; {dkim}; dmarc=pass header.from=partner.example");
        with_results(&["AUT-0006"], name, ANNA, &said)
    };
    vec![
        is("a mail without a signature", "dkim=none"),
        is("a mail whose signature holds", "dkim=pass header.d=partner.example"),
        is(
            "a mail with a broken signature and one that holds",
            "dkim=fail header.d=lists.example; dkim=pass header.d=partner.example",
        ),
        is("a mail whose key could not be asked for", "dkim=temperror header.d=partner.example"),
        is("a mail that two have signed", "dkim=pass header.d=partner.example; dkim=pass header.d=service.example"),
    ]
}
