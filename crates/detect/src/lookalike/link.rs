//! Links of mails as they are: newsletters, shops, meetings, SharePoint, the own network.

use super::Specimen;
use super::letter::Letter;

/// A text around the links, long enough to be one.
const TEXT: &str = "<p>Dear Bert, please have a look at what follows before we meet on Monday.</p>";

fn page(like: &'static [&'static str], name: &'static str, html: &str) -> Specimen {
    Specimen::mail(like, name, &Letter::new("for Monday").page(&format!("{TEXT}{html}")))
}

fn text(like: &'static [&'static str], name: &'static str, text: &str) -> Specimen {
    Specimen::mail(like, name, &Letter::new("for Monday").text(text))
}

/// Innocent, every one.
pub(super) fn innocent() -> Vec<Specimen> {
    [look_alike(), disguised(), mismatched(), addresses(), passed_on(), programs(), shares()].concat()
}

fn look_alike() -> Vec<Specimen> {
    const LIKE: &[&str] = &["URL-0001"];
    vec![
        page(LIKE, "a receipt of the real PayPal", "<a href=\"https://www.paypal.com/activity\">your payment</a>"),
        page(LIKE, "a shop of the same house in another country", "<a href=\"https://www.amazon.de/dp/1\">book</a>"),
        page(LIKE, "a city with an umlaut", "<a href=\"https://www.m\u{fc}nchen.example/\">city</a>"),
        page(LIKE, "a domain in Cyrillic letters throughout", "<a href=\"https://xn--d1acpjx3f.xn--p1ai/\">search</a>"),
        page(
            LIKE,
            "a school whose domain has the name of a product",
            "<a href=\"https://www.excel-office-courses.example/\">course</a>",
        ),
        page(LIKE, "a site with digits in its domain", "<a href=\"https://www.hotel101.example/\">room</a>"),
        text(
            LIKE,
            "a note on a false domain, without a link",
            "The mail of Friday had pay pal with a digit one in it.",
        ),
    ]
}

fn disguised() -> Vec<Specimen> {
    const LIKE: &[&str] = &["URL-0002"];
    let is = |name, html: &str| page(LIKE, name, html);
    let base = "<base href=\"https://www.partner.example/news/\"><a href=\"today.html\">today</a>";
    vec![
        is(
            "a repository with a user before its host",
            "<a href=\"https://max.mustermann@bitbucket.org/a.git\">code</a>",
        ),
        is(
            "a profile of a network with at signs",
            "<a href=\"https://social.example.org/@anna@other.example\">Anna</a>",
        ),
        is("a link with a slash too many", "<a href=\"https:///www.example.org/a\">page</a>"),
        is("a signature with a link that lacks a slash", "<a href=\"https:/www.partner.example/\">partner.example</a>"),
        is("a link with the slashes of another system", "<a href=\"http:\\\\www.example.org\\a\">page</a>"),
        is(
            "links that open in another window",
            "<base target=\"_blank\"><a href=\"https://www.example.org/\">page</a>",
        ),
        is("a newsletter with a base at its sender", base),
        is("a place on a map", "<a href=\"https://maps.example.org/place/@52.52,13.405,12z\">map</a>"),
        is("the page of a printer in the own network", "<a href=\"http:/printer/status\">printer</a>"),
        text(
            LIKE,
            "a text about how links are hidden",
            "Be careful with https://www.paypal.example%40x and with addresses in one number, as http://0x7f.1/ is.",
        ),
    ]
}

fn mismatched() -> Vec<Specimen> {
    const LIKE: &[&str] = &["URL-0003"];
    let is = |name, html: &str| page(LIKE, name, html);
    vec![
        is(
            "a link to the shop of the site that it shows",
            "<a href=\"https://shop.example.org/a\">www.example.org</a>",
        ),
        is("a link that shows words", "<a href=\"https://click.example.net/x\">Read the whole article</a>"),
        is("a link that shows an address of mail", "<a href=\"mailto:anna@partner.example\">anna@partner.example</a>"),
        is("a link that shows a version", "<a href=\"https://www.example.org/release\">2.0.1</a>"),
        is("a link that shows a host and a word", "<a href=\"https://click.example.net/y\">to example.org now</a>"),
        is(
            "a link that shows itself without its scheme",
            "<a href=\"https://www.example.org/a/b\">example.org/a/b</a>",
        ),
        is(
            "a link to a file that is called as a domain could be",
            "<a href=\"https://git.example.org/project/blob/main/README.md\">README.md</a>",
        ),
    ]
}

fn addresses() -> Vec<Specimen> {
    const LIKE: &[&str] = &["URL-0004"];
    let is = |name, html: &str| page(LIKE, name, html);
    vec![
        is("the router at home", "<a href=\"http://192.168.1.1/\">router</a>"),
        is("a service of the own network with its port", "<a href=\"http://10.0.4.17:8080/job/12\">build</a>"),
        is("a server with a port that many use", "<a href=\"https://cloud.example.org:8443/login\">cloud</a>"),
        is("a server of this computer", "<a href=\"http://127.0.0.1:8080/\">preview</a>"),
        is("a page with an address in its path", "<a href=\"https://status.example.org/host/198.51.100.7\">host</a>"),
        is("a host that begins with numbers", "<a href=\"https://203-0-113-7.static.example.org/\">host</a>"),
    ]
}

fn passed_on() -> Vec<Specimen> {
    const LIKE: &[&str] = &["URL-0005"];
    let is = |name, html: &str| page(LIKE, name, html);
    vec![
        is("a search", "<a href=\"https://www.google.com/search?q=example.org\">search</a>"),
        is("a film", "<a href=\"https://www.youtube.com/watch?v=abc123\">film</a>"),
        is("a profile of a network", "<a href=\"https://www.linkedin.com/in/anna?trk=mail\">profile</a>"),
        is("a table that is shared", "<a href=\"https://docs.google.com/spreadsheets/d/1?usp=sharing\">table</a>"),
        is(
            "a search that leads to its own pages",
            "<a href=\"https://www.google.com/url?q=https://maps.google.com/\">map</a>",
        ),
        is(
            "an article whose address has a link to itself",
            "<a href=\"https://news.example.org/a?from=https://news.example.org/\">a</a>",
        ),
    ]
}

fn programs() -> Vec<Specimen> {
    const LIKE: &[&str] = &["URL-0006"];
    let is = |name, html: &str| page(LIKE, name, html);
    vec![
        is("ways to reach somebody", "<a href=\"tel:+49301234\">call</a> <a href=\"sms:+49301234\">text</a>"),
        is("a meeting of Teams", "<a href=\"msteams:/l/meetup-join/19%3ameeting\">join</a>"),
        is("a meeting of Zoom", "<a href=\"zoommtg://zoom.us/join?confno=123456789\">join</a>"),
        is(
            "a document of SharePoint to be edited in Word",
            "<a href=\"ms-word:ofe|u|https://partner.sharepoint.com/sites/a/plan.docx\">Edit in Word</a>",
        ),
        is("a calendar to subscribe to", "<a href=\"webcal://calendar.example.org/team.ics\">calendar</a>"),
        is("a page that prints itself by a link", "<a href=\"javascript:window.print()\">print</a>"),
        is("a link that does nothing", "<a href=\"javascript:void(0)\">more</a>"),
        text(LIKE, "a note on where a setting is", "Open ms-settings:windowsupdate and press the button."),
    ]
}

fn shares() -> Vec<Specimen> {
    const LIKE: &[&str] = &["URL-0007"];
    let is = |name, html: &str| page(LIKE, name, html);
    vec![
        is("a document of a server of the own network", "<a href=\"file:///\\\\server\\share\\plan.docx\">plan</a>"),
        is("a file of the own computer", "<a href=\"file:///C:/Users/bert/plan.docx\">plan</a>"),
        is("a share at an address of the own network", "<a href=\"file://10.1.2.3/share/plan.docx\">plan</a>"),
        is("a share of a host of ours", "<a href=\"file://fs01.example.com/share/plan.docx\">plan</a>"),
        is("a store at home", "<a href=\"smb://nas.local/photos\">photos</a>"),
        text(LIKE, "the path of a server, typed", "The plan is at \\\\fs01\\projects\\2026\\plan.docx as always."),
    ]
}
