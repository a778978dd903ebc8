//! What a real browser makes of the console's pages.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "support/browser.rs"]
mod browser;
mod support;
#[path = "support/visitor.rs"]
mod visitor;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use browser::Browser;
use support::{Gateway, Sink, Talk, config};
use visitor::{PAGES, PASSWORD, id_of, invite, two_domains};

/// A GIF of one pixel.
const DOT: &str = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/// A real browser: signing in, looking, releasing with a click; and the page follows an incident by itself.
#[test]
fn in_a_browser() {
    let (gateway, sink) = two_domains();
    let invitation = invite(&gateway, "anna", "admin", &[]);
    let base = format!("http://{}", gateway.api);
    let browser = Browser::start();
    browser.go(&format!("{base}/welcome#{invitation}"));
    browser.until("return document.querySelector('[name=invitation]').value.length === 64");
    assert!(!browser.url().contains('#'), "the secret does not stay in the address");
    browser.type_into("[name=password]", PASSWORD);
    browser.type_into("[name=again]", PASSWORD);
    browser.click("form.card button");
    browser.until("return document.title.startsWith('Overview')");
    // A query with completion.
    browser.click("nav a[href='/explorer']");
    browser.type_into("#q", "stat");
    browser.until("return !document.getElementById('suggestions').hidden");
    browser.type_into("#q", "\u{e015}\u{e007}");
    browser.until("return document.getElementById('q').value === 'state:'");
    browser.type_into("#q", "held recipient:b@ours.example\u{e007}");
    browser.until("return location.search.includes('held') && document.querySelectorAll('tbody tr').length === 1");
    browser.click("td.subject a");
    browser.until("return document.querySelector('h1').textContent === 'one'");
    browser.click("a.button[href$='show=page']");
    browser.until("return document.querySelector('iframe.letter') !== null");
    // A span of the chart, drawn.
    browser.go(&format!("{base}/explorer?q=state:held"));
    browser.drag("figure.chart a:nth-of-type(30)", "figure.chart a:nth-of-type(48)");
    browser.until("return location.search.includes('received') && document.querySelectorAll('tbody tr').length === 2");
    let id = id_of(&gateway, "one");
    browser.go(&format!("{base}/messages/{id}"));
    browser.type_into("section.actions [name=reason]", "asked for");
    browser.click("button[value=release]");
    browser.until("return document.querySelector('h1').textContent === 'Release harmful mail?'");
    browser.look_at("confirm");
    browser.click("button.danger");
    sink.wait(2);
    let began = Instant::now();
    loop {
        browser.go(&format!("{base}/messages/{id}"));
        if browser.run("return document.body.textContent.includes('released')") == true {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "the page does not say that it was released");
        std::thread::sleep(Duration::from_millis(200));
    }
    // Nothing is wider than a narrow window, and each field says what it is.
    browser.resize(500, 800);
    for page in PAGES {
        browser.go(&format!("{base}{page}"));
        assert_eq!(browser.run("return document.documentElement.scrollWidth <= window.innerWidth"), true, "{page}");
        assert_eq!(
            browser.run(
                "return document.querySelectorAll('input:not([type=hidden]):not([aria-label])').length \
            === [...document.querySelectorAll('input:not([type=hidden]):not([aria-label])')].filter(i => \
            i.labels.length > 0).length"
            ),
            true,
            "{page}: each field has a label"
        );
    }
    assert!(browser.text("h1").contains("anna"));
}

/// Everybody can use every page, light and dark: names, roles, order, contrast, as far as a program can tell.
#[test]
fn everybody_can_use_every_page() {
    let (gateway, _sink) = two_domains();
    let id = id_of(&gateway, "one");
    gateway.json(&[
        "submission",
        "add",
        &id,
        "--kind",
        "false-positive",
        "--reporter",
        "b@ours.example",
        "--comment",
        "mine",
    ]);
    gateway.json(&["entry", "block", "ip", "203.0.113.99", "--reason", "a test"]);
    let incident = gateway.json(&["incident", "open", "EIC-0001", "--reason", "a test"])["id"].clone();
    let base = format!("http://{}", gateway.api);
    let browser = Browser::start();
    browser.go(&format!("{base}/sign-in"));
    browser.look_at("sign-in");
    let invitation = invite(&gateway, "anna", "admin", &[]);
    browser.go(&format!("{base}/welcome#{invitation}"));
    browser.until("return document.querySelector('[name=invitation]').value.length === 64");
    browser.until("return document.querySelector('output strong')?.textContent === 'anna'");
    browser.look_at("welcome");
    browser.type_into("[name=password]", PASSWORD);
    browser.type_into("[name=again]", PASSWORD);
    browser.click("form.card button");
    browser.until("return document.title.startsWith('Overview')");
    let mut pages: Vec<String> = PAGES.iter().map(|page| (*page).to_owned()).collect();
    pages.extend(["", "/text", "/text?show=page", "/text?show=pictures"].map(|page| format!("/messages/{id}{page}")));
    pages.push(format!("/incidents/{}", incident.as_str().unwrap()));
    pages.extend(
        [
            "/submissions/1",
            "/explorer?by=detection",
            "/explorer?q=nonsense%3A",
            "/bulk/new?verb=release&q=state%3Aheld",
            "/messages/nothing",
            "/detections/anything",
        ]
        .map(str::to_owned),
    );
    for page in pages {
        browser.go(&format!("{base}{page}"));
        browser.look_at(&page.replace(['/', '?', '%'], "-"));
    }
}

/// Where whatever a page loads from elsewhere, or sends there, would arrive.
fn trap() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = count.clone();
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, count)
}

/// What would run, load or send something, if a page let it.
fn payloads(port: u16) -> Vec<String> {
    let act = format!("document.documentElement.dataset.owned=1,fetch('http://127.0.0.1:{port}/x')");
    let load = format!("http://127.0.0.1:{port}/p");
    let bases = [
        format!("<script>{act}</script>"),
        format!("<img src=x onerror=\"{act}\">"),
        format!("<img src={load}>"),
        format!("<svg onload=\"{act}\"></svg>"),
        format!("<svg><script>{act}</script></svg>"),
        format!("<svg><style><img src=x onerror=\"{act}\"></style></svg>"),
        format!("<math><mtext><table><mglyph><style><img src=x onerror=\"{act}\">"),
        format!("<noscript><p title=\"</noscript><img src=x onerror={act}>\">"),
        format!("<iframe srcdoc=\"<script>parent.{act}</script>\"></iframe>"),
        format!("<iframe src=\"javascript:{act}\"></iframe>"),
        format!("<a href=\"javascript:{act}\" autofocus onfocus=\"{act}\">x</a>"),
        format!("<body onload=\"{act}\">"),
        format!("<video><source onerror=\"{act}\"></video>"),
        format!("<audio src=x onerror=\"{act}\"></audio>"),
        format!("<details open ontoggle=\"{act}\">x</details>"),
        format!("<marquee onstart=\"{act}\">x</marquee>"),
        format!("<link rel=stylesheet href={load}>"),
        format!("<style>@import '{load}';</style>"),
        format!("<div style=\"background:url({load})\">x</div>"),
        format!("<meta http-equiv=refresh content=\"0;url={load}\">"),
        format!("<base href={load}><img src=a>"),
        format!(
            "<form action={load}><input autofocus onfocus=\"{act}\"></form><script>document.forms[0].submit()</script>"
        ),
        format!("<object data=\"{load}\"></object>"),
        format!("<embed src=\"{load}\">"),
        format!("<input type=image src={load}>"),
        format!("<table background={load}><tr><td>x</table>"),
        format!("<template><script>{act}</script></template>"),
        format!("<xmp><img src=x onerror=\"{act}\"></xmp>"),
        format!("<!--><img src=x onerror=\"{act}\">-->"),
        format!("<![CDATA[><img src=x onerror=\"{act}\">]]>"),
        format!("<textarea></textarea><img src=x onerror=\"{act}\">"),
        format!("<title></title><img src=x onerror=\"{act}\">"),
    ];
    // Out of an attribute, an element, a script, a style; in other cases; as entities; torn apart.
    let wraps: [fn(&str) -> String; 16] = [
        |p| p.to_owned(),
        |p| format!("\">{p}"),
        |p| format!("'>{p}"),
        |p| format!("</title>{p}"),
        |p| format!("</textarea>{p}"),
        |p| format!("</script>{p}"),
        |p| format!("</style>{p}"),
        |p| format!("--!>{p}"),
        |p| {
            p.to_uppercase()
                .replace("DOCUMENT.DOCUMENTELEMENT.DATASET.OWNED", "document.documentElement.dataset.owned")
                .replace("FETCH", "fetch")
        },
        |p| p.replace('<', "&lt;").replace('>', "&gt;"),
        |p| p.replace('<', "&#60;").replace('>', "&#x3e;"),
        |p| p.replacen('<', "<<", 1),
        |p| p.replace("script", "scr<script>ipt"),
        |p| p.replace(' ', "/"),
        |p| format!("<p title='{p}'>x"),
        |p| format!("javascript:/*--></title></style></textarea></script>{p}"),
    ];
    bases.iter().flat_map(|base| wraps.iter().map(move |wrap| wrap(base))).collect()
}

/// Hostile text in every field that a mail has, and hostile HTML in bodies, in a real browser: nothing runs, nothing is
/// loaded, nothing is sent.
#[test]
fn hostile_mail_in_a_browser() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let (port, caught) = trap();
    let payloads = payloads(port);
    assert!(payloads.len() >= 500, "{}", payloads.len());
    let eicar = "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=";
    let mut talk = Talk::from_outside(gateway.mx);
    for (n, some) in payloads.chunks(16).enumerate() {
        let word = |text: &str| format!("=?utf-8?B?{}?=", STANDARD.encode(text));
        let mut mail = format!(
            "From: {} <a@x.example>\r\nTo: b@ours.example\r\nSubject: {}\r\nMessage-ID: <{}@x.example>\r\nX-Odd: \
                {}\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=BB\r\n\r\n",
            word(&some[0]),
            some.iter().take(4).map(|one| word(one)).collect::<Vec<_>>().join("\r\n "),
            some[1].replace(['\r', '\n', '>'], ""),
            some[2].replace(['\r', '\n'], "")
        );
        for (at, payload) in some.iter().enumerate() {
            mail.push_str(&format!(
                "--BB\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n\
                 --BB\r\nContent-Type: text/plain; name=\"{}\"\r\nContent-Disposition: attachment; \
                 filename=\"{}\"\r\n\r\n{payload}\r\n",
                lines(&STANDARD.encode(format!("<html><body>{payload} <p>part {at}</p></body></html>"))),
                word(payload).replace("\r\n ", ""),
                payload.replace(['"', '\\', '\r', '\n'], "'"),
            ));
        }
        // A picture of the mail's own, which its page names; and one that is a program to a browser.
        let alt = some[3].replace('"', "&quot;");
        mail.push_str(&format!(
            "--BB\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n\
             --BB\r\nContent-Type: image/gif; name=\"{}\"\r\nContent-ID: <l@x>\r\nContent-Transfer-Encoding: \
             base64\r\n\r\n{DOT}\r\n\
             --BB\r\nContent-Type: image/svg+xml; name=a.svg\r\nContent-ID: <v@x>\r\n\r\n<svg \
             xmlns=\"http://www.w3.org/2000/svg\" onload=\"document.documentElement.dataset.owned=1\">{}</svg>\r\n",
            lines(&STANDARD.encode(format!("<img src=\"cid:l@x\" onerror=1 alt=\"{alt}\"><img src=\"cid:v@x\">"))),
            word(&some[3]).replace("\r\n ", ""),
            some[4].replace(['\r', '\n'], ""),
        ));
        mail.push_str(&format!(
            "--BB\r\nContent-Type: application/octet-stream; name=e.com\r\nContent-Transfer-Encoding: \
                base64\r\n\r\n{eicar}\r\n--BB--\r\n"
        ));
        let said = talk.send("a@x.example", &["b@ours.example"], mail.as_bytes());
        assert!(said.starts_with("250"), "{n}: {said}");
    }
    let held = gateway.held();
    assert_eq!(held.len(), payloads.len().div_ceil(16));
    let browser = Browser::start();
    let base = format!("http://{}", gateway.api);
    let invitation = invite(&gateway, "anna", "admin", &[]);
    browser.go(&format!("{base}/welcome#{invitation}"));
    browser.type_into("[name=password]", PASSWORD);
    browser.type_into("[name=again]", PASSWORD);
    browser.click("form.card button");
    browser.until("return document.title.startsWith('Overview')");
    let check = |page: &str| {
        browser.go(&format!("{base}{page}"));
        assert_eq!(browser.run("return document.documentElement.dataset.owned === undefined"), true, "{page}");
        assert_eq!(browser.run("return document.querySelectorAll('script').length"), 1, "{page}");
        assert!(browser.url().starts_with(&base), "{page} leads to {}", browser.url());
    };
    for page in ["/", "/explorer", "/explorer?q=state%3Aheld", "/explorer?q=%3Cscript%3E", "/audit"] {
        check(page);
    }
    for one in &held {
        let id = one["id"].as_str().unwrap();
        for page in ["", "/text", "/text?show=page", "/text?show=pictures", "/html"] {
            if page == "/html" {
                browser.go(&format!("{base}/messages/{id}{page}"));
                assert_eq!(
                    browser.run(
                        "return document.querySelectorAll('script, iframe, svg, style, link, form, \
                    [onerror], [onload], [href], [src]:not(img), [srcset], [style]').length"
                    ),
                    0,
                    "{id}"
                );
                assert_eq!(
                    browser
                        .run("return [...document.images].map(i => i.src.split(',')[0] + ' ' + i.naturalWidth).join()"),
                    "data:image/png;base64 1",
                    "{id}"
                );
            } else {
                check(&format!("/messages/{id}{page}"));
            }
            if page.ends_with("pictures") {
                assert_eq!(
                    browser
                        .run("return [...document.querySelectorAll('.pictures img')].map(i => i.naturalWidth).join()"),
                    "1",
                    "{id}"
                );
            }
        }
    }
    // What takes its time to run or load has had it.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(caught.load(Ordering::SeqCst), 0, "something came from a page");
}

fn lines(text: &str) -> String {
    text.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\r\n")
}

/// Takes the pictures of the guide, of the demo's story, into the folder that `REPRIEVE_PICTURES` names: `cargo xtask
/// pictures`.
#[test]
#[ignore = "a tool and no test: `cargo xtask pictures` runs it"]
fn pictures() {
    let folder = std::env::var("REPRIEVE_PICTURES").unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_reprieve")).arg("demo").stdout(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(demo.stdout.take().unwrap()).lines();
    let config =
        told.find_map(|line| line.unwrap().split_once("--config ").map(|(_, path)| path.trim().to_owned())).unwrap();
    let socket = std::path::Path::new(&config).parent().unwrap().join("data/api.sock");
    // Where its pages are: whoever shows the socket may ask.
    let invited = Command::new(env!("CARGO_BIN_EXE_reprieve"))
        .args(["person", "invite", "--name", "anna", "--role", "admin", "--json", "--config", &config])
        .output()
        .unwrap();
    let invited: serde_json::Value = serde_json::from_slice(&invited.stdout).unwrap();
    assert!(socket.exists());
    let listening = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let ports = listening
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().nth(1)?.split(':').nth(1).map(str::to_owned));
    let ports = ports.filter_map(|hex| u16::from_str_radix(&hex, 16).ok());
    let base = ports.map(|port| format!("127.0.0.1:{port}")).find(|host| has_pages(host)).unwrap();
    let browser = Browser::start();
    browser.go(&format!("http://{base}/welcome#{}", invited["invitation"].as_str().unwrap()));
    browser.type_into("[name=password]", PASSWORD);
    browser.type_into("[name=again]", PASSWORD);
    browser.click("form.card button");
    browser.until("return document.title.startsWith('Overview')");
    let take = |name: &str, path: &str| {
        browser.go(&format!("http://{base}{path}"));
        std::fs::write(format!("{folder}/console-{name}.png"), browser.picture()).unwrap();
    };
    take("overview", "/");
    take("explorer", "/explorer?q=state%3A%28held%20OR%20released%29%20direction%3AInbound");
    take("incident", "/incidents/INC-2026-0001");
    browser.go(&format!("http://{base}/explorer?q=state%3Aheld%20category%3AFileTypeBlock"));
    let message = browser.run("return document.querySelector('td.subject a').getAttribute('href')");
    take("message", message.as_str().unwrap());
    Command::new("kill").arg(demo.id().to_string()).status().unwrap();
    demo.wait().unwrap();
}

/// Whether this console answers there.
fn has_pages(host: &str) -> bool {
    let Ok(mut socket) = TcpStream::connect(host) else { return false };
    let _ = socket.set_read_timeout(Some(Duration::from_secs(1)));
    let _ = socket.write_all(format!("GET /assets/style.css HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes());
    let mut answer = [0; 64];
    matches!(socket.read(&mut answer), Ok(read) if answer[..read].starts_with(b"HTTP/1.0 200"))
}

/// A browser in which anna, an administrator, has signed in.
fn signed_in(gateway: &Gateway) -> Browser {
    let browser = Browser::start();
    browser.go(&format!("http://{}/welcome#{}", gateway.api, invite(gateway, "anna", "admin", &[])));
    browser.until("return document.querySelector('[name=invitation]').value.length === 64");
    browser.type_into("[name=password]", PASSWORD);
    browser.type_into("[name=again]", PASSWORD);
    browser.click("form.card button");
    browser.until("return document.title.startsWith('Overview')");
    browser
}

/// The fields that somebody writes into on a page, of forms that do something; each by a selector.
const FIELDS: &str = "const found = []; [...document.forms].forEach((form, at) => { if (form.method !== 'post') \
    return; \
    [...form.elements].forEach((field, number) => { if (field.matches('input:not([type=hidden]):not([hidden])')) \
    found.push(at + ' ' + number); }); }); return found;";

/// Whoever writes into a field and presses Enter has done nothing: on no page, with scripts and without.
#[test]
fn enter_in_a_field_does_nothing_to_mail() {
    let (gateway, sink) = two_domains();
    let mut talk = Talk::from_outside(gateway.mx);
    let bad = support::bad("both");
    assert!(talk.send("a@x.example", &["b@ours.example", "c@ours.example"], &bad).contains("taken as"));
    gateway.json(&["entry", "block", "ip", "203.0.113.99", "--reason", "a test"]);
    let incident = gateway.json(&["incident", "open", "EIC-0001", "--reason", "a test"])["id"].clone();
    invite(&gateway, "ben", "analyst", &[]);
    let base = format!("http://{}", gateway.api);
    let browser = signed_in(&gateway);
    let state = || {
        let acts = gateway.json(&["audit", "list"]);
        // Looking at mail is recorded, and is all that may be.
        let looks = ["quarantine.preview", "quarantine.headers", "quarantine.show"];
        let acts: Vec<String> =
            acts.as_array().unwrap().iter().map(|act| act["action"].as_str().unwrap().to_owned()).collect();
        let acts: Vec<String> = acts.into_iter().filter(|act| !looks.contains(&act.as_str())).collect();
        (["held", "releasing", "released", "denied", "deleted"].map(|account| gateway.account(account)), acts)
    };
    let before = state();
    assert_eq!(before.0[0], 4);
    // Every page that links lead to, from the first on.
    let mut pages = vec![
        "/".to_owned(),
        "/bulk/new?verb=release&q=state%3Aheld".to_owned(),
        format!("/incidents/{}", incident.as_str().unwrap()),
    ];
    let (mut at, mut tried, mut forms) = (0, 0, std::collections::BTreeSet::new());
    while at < pages.len() && at < 60 {
        let page = pages[at].clone();
        at += 1;
        browser.go(&format!("{base}{page}"));
        let links =
            browser.run("return [...document.querySelectorAll('a[href^=\"/\"]')].map(a => a.getAttribute('href'))");
        for link in links.as_array().unwrap().iter().filter_map(|link| link.as_str()) {
            let shape = |path: &str| {
                path.split('?').next().unwrap().chars().filter(|c| !c.is_ascii_digit()).collect::<String>()
            };
            let is_page = !["/metrics", "/api/", "/readyz", "/status", "/explorer/export", "/submissions/", "/assets"]
                .iter()
                .any(|other| link.starts_with(other));
            let like = pages.iter().filter(|known| shape(known) == shape(link)).count();
            if is_page
                && !link.contains("/report")
                && !link.contains("/text")
                && like < 3
                && !pages.iter().any(|known| known == link)
            {
                pages.push(link.to_owned());
            }
        }
        let fields = browser.run(FIELDS);
        for field in fields.as_array().unwrap().iter().filter_map(|field| field.as_str()) {
            let (form, field) = field.split_once(' ').unwrap();
            let find = format!("const form = document.forms[{form}]; const field = form.elements[{field}]");
            let action = browser.run(&format!("{find}; return form.getAttribute('action')"));
            let action = action.as_str().unwrap().to_owned();
            // What is kept for oneself is no act on mail: a name for a query, which columns, codes of one's own.
            if ["/explorer/keep", "/explorer/columns", "/me/act"].contains(&action.as_str()) {
                continue;
            }
            // The form is filled as well as it can be, so that nothing but Enter itself is in the way.
            browser.run(&format!(
                "{find}; [...form.elements].forEach(one => {{ if (one.type === 'checkbox') one.checked = true; else if \
                    (one.type === 'email') one.value = 'b@ours.example'; \
                 else if (one.type === 'text') one.value = one.name === 'password' ? 'infected' : one.name === 'value' \
                 ? '203.0.113.7' : 'x'; }}); \
                 document.querySelectorAll('details').forEach(one => one.open = true); \
                 document.querySelectorAll('[data-tried]').forEach(one => delete one.dataset.tried); \
                 field.dataset.tried = '1'; window.stays = true;"
            ));
            let kind = browser.run(&format!("{find}; return field.type"));
            let text = if kind == "checkbox" || kind == "number" { "\u{e007}" } else { "looks bad, will deny\u{e007}" };
            browser.type_into("[data-tried]", text);
            std::thread::sleep(Duration::from_millis(60));
            // The page of an incident is drawn anew when its stage changes; whatever else were sent would be in the
            // audit log.
            let is_here = browser.run("return window.stays === true") == true || browser.url().ends_with(&page);
            assert!(is_here, "{page} {action}: Enter leads to {}", browser.url());
            tried += 1;
            forms.insert(action.chars().filter(|c| !c.is_ascii_digit()).collect::<String>());
        }
    }
    assert!(tried >= 40 && forms.len() >= 9, "{tried} fields of {forms:?} on {pages:?}");
    assert_eq!(state(), before);
    // The same by the form alone.
    let id = id_of(&gateway, "both");
    browser.go(&format!("{base}/messages/{id}"));
    browser.without_scripts(true);
    browser.go(&format!("{base}/messages/{id}"));
    browser.type_into("section.actions [name=reason]", "looks bad, will deny\u{e007}");
    browser.go(&format!("{base}/explorer?q=state%3Aheld"));
    browser.click("td input[type=checkbox]");
    browser.type_into("td input[type=checkbox]", "\u{e007}");
    let said = browser.text("[role=alert]");
    assert!(said.contains("Enter does nothing here"), "{said}");
    assert_eq!(state(), before);
    browser.type_into("fieldset.act [name=reason]", "looks bad, will deny\u{e007}");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(state(), before);
    assert_eq!(sink.got().len(), 1, "what was clean");
}

/// Completion takes what fits what is written when a key is pressed, however late and in whatever order answers come.
#[test]
fn completion_takes_what_fits_what_is_written() {
    let (gateway, _sink) = two_domains();
    let browser = signed_in(&gateway);
    browser.go(&format!("http://{}/explorer", gateway.api));
    // Answers to shorter texts come later than those to longer ones, and none at once.
    browser.run(
        "const asked = window.fetch; window.late = (q) => Math.max(100, 900 - 120 * q.length); window.fetch = (url, \
            more) => { \
         const q = new URL(url, location).searchParams.get('q'); \
         return q === null ? asked(url, more) : new Promise(done => setTimeout(() => done(asked(url, more)), \
         window.late(q))); };",
    );
    let value = "return document.getElementById('q').value";
    browser.type_into("#q", "state:h\u{e015}\u{e007}");
    browser.until("return document.getElementById('q').value === 'state:held '");
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(browser.run(value), "state:held ", "an answer that came later changes nothing");
    assert!(!browser.url().contains("q="), "Enter chose, and did not send");
    browser.until("return document.getElementById('suggestions').hidden");
    // The other way round: the newest answer is the last.
    browser.run("window.late = (q) => 100 + 60 * q.length; document.getElementById('q').value = ''");
    browser.type_into("#q", "cat\u{e015}\u{e007}");
    browser.until("return document.getElementById('q').value === 'category:'");
    browser.until("return !document.getElementById('suggestions').hidden");
    browser.type_into("#q", "Malw\u{e015}\u{e007}");
    browser.until("return document.getElementById('q').value === 'category:Malware '");
    // Without a choice, Enter sends what is written, at once.
    browser.type_into("#q", "state:h\u{e007}");
    browser.until("return new URLSearchParams(location.search).get('q') === 'category:Malware state:h'");
}

/// A release is seen to end: the page that began it says so by itself, and leaves alone what somebody writes meanwhile.
#[test]
fn a_release_is_seen_to_end_without_a_reload() {
    let is_open = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let gate = is_open.clone();
    let sink = Sink::answering(move |_| {
        while !gate.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(20));
        }
        support::Answer::Say("250 2.0.0 Ok: sunk")
    });
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    for subject in ["one", "two"] {
        assert!(talk.send("a@x.example", &["b@ours.example"], &support::bad(subject)).contains("taken as"));
    }
    let base = format!("http://{}", gateway.api);
    let browser = signed_in(&gateway);
    let release = |id: &str| {
        browser.go(&format!("{base}/messages/{id}"));
        browser.type_into("section.actions [name=reason]", "asked for");
        browser.click("button[value=release]");
        browser.until("return document.querySelector('h1').textContent.includes('harmful mail')");
        browser.click("button.danger");
        browser.until("return document.querySelector('[data-unit]')?.textContent === 'releasing'");
    };
    let said = "return document.querySelector('.facts .chip').textContent === 'released'";
    let one = id_of(&gateway, "one");
    release(&one);
    browser.look_at("releasing");
    browser.run("window.stays = true; document.querySelector('section.actions [name=reason]').value = 'I write'");
    let list = Browser::start();
    list.go(&format!("{base}/sign-in"));
    list.type_into("[name=name]", "anna");
    list.type_into("[name=password]", PASSWORD);
    list.click("form.card button");
    list.until("return document.title.startsWith('Overview')");
    list.go(&format!("{base}/explorer"));
    list.until("return document.querySelector('[data-unit]')?.textContent === 'releasing'");
    is_open.store(true, Ordering::SeqCst);
    browser.until(said);
    assert_eq!(
        browser.run("return window.stays === true && document.querySelector('section.actions [name=reason]').value"),
        "I write"
    );
    list.until(
        "return document.querySelectorAll('[data-unit]').length === 0 && \
        [...document.querySelectorAll('.chip')].some(one => one.textContent === 'released')",
    );
    // Where nobody writes, the page is drawn anew, with what can be done now.
    is_open.store(false, Ordering::SeqCst);
    release(&id_of(&gateway, "two"));
    is_open.store(true, Ordering::SeqCst);
    browser.until(said);
    browser.until("return document.querySelector('button[value=release]') === null");
}
