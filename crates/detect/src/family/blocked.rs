//! Names that run: the extensions that mail programs refuse to open, and what a desktop runs besides. One list, each
//! entry with its source.

use super::name::extension;

/// What a file of some extension does when somebody opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// Something is run, installed, or connected to, whatever the file begins with: an interpreter or a shell reads it.
    Runs,
    /// It is run where it is a program: a picture of that name is none.
    Program,
    /// Mail programs block it, and it is everyday among those who work with it: sources, certificates, databases.
    Listed,
}
use Blocked::{Listed, Program, Runs};

/// Outlook's "Blocked attachments in Outlook" (support.microsoft.com), as of 2026.
const OUTLOOK: u8 = 1;
/// Gmail's "File types blocked in Gmail" (support.google.com), as of 2026.
const GMAIL: u8 = 2;
/// A handler that Windows, macOS or a Linux desktop has for it, or a program that many have.
const DESKTOP: u8 = 4;

/// The list. Not in it are what is opened and looked into instead (`cab`, `dmg`, `img`, `iso`), `url`, which is judged
/// by where it leads, and `com`, the end of many host names that people attach: a program is one by its content.
const ENTRIES: [(&str, Blocked, u8); 183] = [
    ("a3x", Runs, DESKTOP),
    ("accda", Runs, DESKTOP),
    ("accde", Runs, DESKTOP),
    ("accdr", Runs, DESKTOP),
    ("accdu", Runs, DESKTOP),
    ("ade", Runs, OUTLOOK | GMAIL),
    ("adp", Runs, OUTLOOK | GMAIL),
    ("ahk", Runs, DESKTOP),
    ("ani", Program, DESKTOP),
    ("apk", Program, OUTLOOK | GMAIL),
    ("app", Program, OUTLOOK),
    ("appcontent-ms", Runs, OUTLOOK),
    ("appinstaller", Runs, DESKTOP),
    ("applescript", Runs, DESKTOP),
    ("application", Runs, OUTLOOK),
    ("appref-ms", Runs, OUTLOOK),
    ("appx", Program, OUTLOOK | GMAIL),
    ("appxbundle", Program, OUTLOOK | GMAIL),
    ("asp", Listed, OUTLOOK),
    ("aspx", Listed, OUTLOOK),
    ("asx", Listed, OUTLOOK),
    ("au3", Runs, DESKTOP),
    ("ax", Program, DESKTOP),
    ("bas", Listed, OUTLOOK),
    ("bat", Runs, OUTLOOK | GMAIL),
    ("bgi", Runs, OUTLOOK),
    ("cdxml", Runs, DESKTOP),
    ("cer", Listed, OUTLOOK),
    ("chm", Runs, OUTLOOK | GMAIL),
    ("cmd", Runs, OUTLOOK | GMAIL),
    ("cnt", Listed, OUTLOOK),
    ("command", Runs, DESKTOP),
    ("contact", Runs, DESKTOP),
    ("cpl", Program, OUTLOOK | GMAIL),
    ("cpx", Runs, DESKTOP),
    ("crt", Listed, OUTLOOK),
    ("crx", Runs, DESKTOP),
    ("csh", Listed, OUTLOOK),
    ("der", Listed, OUTLOOK),
    ("desktop", Runs, DESKTOP),
    ("diagcab", Runs, OUTLOOK | GMAIL),
    ("diagcfg", Runs, OUTLOOK | GMAIL),
    ("diagpkg", Runs, OUTLOOK | GMAIL),
    ("dll", Program, GMAIL),
    ("dqy", Runs, DESKTOP),
    ("drv", Program, DESKTOP),
    ("elf", Program, DESKTOP),
    ("ex", Listed, GMAIL),
    ("ex_", Listed, GMAIL),
    ("exe", Program, OUTLOOK | GMAIL),
    ("fxp", Runs, OUTLOOK),
    ("gadget", Runs, OUTLOOK),
    ("grp", Runs, OUTLOOK),
    ("hlp", Runs, OUTLOOK),
    ("hpj", Runs, OUTLOOK),
    ("hta", Runs, OUTLOOK | GMAIL),
    ("htc", Runs, OUTLOOK),
    ("inf", Listed, OUTLOOK),
    ("ins", Runs, OUTLOOK | GMAIL),
    ("iqy", Runs, DESKTOP),
    ("isp", Runs, OUTLOOK | GMAIL),
    ("its", Runs, OUTLOOK),
    ("jar", Runs, OUTLOOK | GMAIL),
    ("jnlp", Runs, OUTLOOK | GMAIL),
    ("job", Runs, DESKTOP),
    ("js", Runs, OUTLOOK | GMAIL),
    ("jse", Runs, OUTLOOK | GMAIL),
    ("ksh", Listed, OUTLOOK),
    ("lib", Listed, GMAIL),
    ("library-ms", Runs, OUTLOOK),
    ("lnk", Runs, OUTLOOK | GMAIL),
    ("mad", Runs, OUTLOOK),
    ("maf", Runs, OUTLOOK),
    ("mag", Listed, OUTLOOK),
    ("mam", Runs, OUTLOOK),
    ("maq", Runs, OUTLOOK),
    ("mar", Listed, OUTLOOK),
    ("mas", Listed, OUTLOOK),
    ("mat", Listed, OUTLOOK),
    ("mau", Runs, OUTLOOK),
    ("mav", Runs, OUTLOOK),
    ("maw", Runs, OUTLOOK),
    ("mcf", Runs, OUTLOOK),
    ("mda", Runs, OUTLOOK),
    ("mdb", Listed, OUTLOOK),
    ("mde", Runs, OUTLOOK | GMAIL),
    ("mdt", Runs, OUTLOOK),
    ("mdw", Runs, OUTLOOK),
    ("mdz", Runs, OUTLOOK),
    ("mjs", Listed, GMAIL),
    ("mmc", Runs, DESKTOP),
    ("mof", Runs, DESKTOP),
    ("msc", Runs, OUTLOOK | GMAIL),
    ("msh", Runs, OUTLOOK),
    ("msh1", Runs, OUTLOOK),
    ("msh1xml", Runs, OUTLOOK),
    ("msh2", Runs, OUTLOOK),
    ("msh2xml", Runs, OUTLOOK),
    ("mshxml", Runs, OUTLOOK),
    ("msi", Program, OUTLOOK | GMAIL),
    ("msix", Program, OUTLOOK | GMAIL),
    ("msixbundle", Program, OUTLOOK | GMAIL),
    ("msp", Program, OUTLOOK | GMAIL),
    ("msrcincident", Runs, DESKTOP),
    ("mst", Program, OUTLOOK | GMAIL),
    ("msu", Program, OUTLOOK),
    ("nsh", Runs, GMAIL),
    ("ocx", Program, DESKTOP),
    ("ops", Runs, OUTLOOK),
    ("oqy", Runs, DESKTOP),
    ("osd", Runs, OUTLOOK),
    ("osdx", Runs, DESKTOP),
    ("pcd", Runs, OUTLOOK),
    ("pif", Program, OUTLOOK | GMAIL),
    ("pkg", Runs, DESKTOP),
    ("pl", Listed, OUTLOOK),
    ("plg", Runs, OUTLOOK),
    ("ppkg", Runs, DESKTOP),
    ("prf", Listed, OUTLOOK),
    ("prg", Listed, OUTLOOK),
    ("printerexport", Runs, OUTLOOK),
    ("ps1", Runs, OUTLOOK | GMAIL),
    ("ps1xml", Runs, OUTLOOK),
    ("ps2", Runs, OUTLOOK),
    ("ps2xml", Runs, OUTLOOK),
    ("psc1", Runs, OUTLOOK),
    ("psc2", Runs, OUTLOOK),
    ("psd1", Runs, OUTLOOK),
    ("psdm1", Runs, OUTLOOK),
    ("psm1", Runs, DESKTOP),
    ("pssc", Runs, DESKTOP),
    ("pst", Listed, OUTLOOK),
    ("py", Listed, OUTLOOK),
    ("pyc", Runs, OUTLOOK),
    ("pyo", Runs, OUTLOOK),
    ("pyw", Runs, OUTLOOK),
    ("pyz", Runs, OUTLOOK),
    ("pyzw", Runs, OUTLOOK),
    ("rdp", Runs, DESKTOP),
    ("reg", Runs, OUTLOOK),
    ("rqy", Runs, DESKTOP),
    ("scf", Runs, OUTLOOK),
    ("scpt", Runs, DESKTOP),
    ("scr", Program, OUTLOOK | GMAIL),
    ("sct", Runs, OUTLOOK | GMAIL),
    ("search-connector-ms", Runs, DESKTOP),
    ("search-ms", Runs, OUTLOOK),
    ("searchconnector-ms", Runs, DESKTOP),
    ("settingcontent-ms", Runs, OUTLOOK),
    ("shb", Runs, OUTLOOK | GMAIL),
    ("shs", Runs, OUTLOOK),
    ("slk", Runs, DESKTOP),
    ("sys", Program, GMAIL),
    ("terminal", Runs, DESKTOP),
    ("theme", Runs, OUTLOOK),
    ("themepack", Runs, DESKTOP),
    ("tmp", Listed, OUTLOOK),
    ("tool", Runs, DESKTOP),
    ("u3p", Runs, DESKTOP),
    ("udl", Runs, OUTLOOK),
    ("vb", Runs, OUTLOOK | GMAIL),
    ("vbe", Runs, OUTLOOK | GMAIL),
    ("vbp", Runs, OUTLOOK),
    ("vbs", Runs, OUTLOOK | GMAIL),
    ("vhd", Runs, OUTLOOK | GMAIL),
    ("vhdx", Runs, OUTLOOK),
    ("vsmacros", Runs, OUTLOOK),
    ("vsw", Runs, OUTLOOK),
    ("vxd", Program, GMAIL),
    ("webpnp", Runs, OUTLOOK),
    ("website", Runs, OUTLOOK),
    ("wll", Runs, DESKTOP),
    ("workflow", Runs, DESKTOP),
    ("ws", Runs, OUTLOOK),
    ("wsb", Runs, DESKTOP),
    ("wsc", Runs, OUTLOOK | GMAIL),
    ("wsf", Runs, OUTLOOK | GMAIL),
    ("wsh", Runs, OUTLOOK | GMAIL),
    ("xbap", Runs, OUTLOOK),
    ("xla", Runs, DESKTOP),
    ("xll", Program, OUTLOOK | GMAIL),
    ("xlm", Runs, DESKTOP),
    ("xnk", Runs, OUTLOOK),
];

/// What the name of a file says of opening it; none where no mail program minds.
pub fn blocked(name: &str) -> Option<Blocked> {
    let extension = extension(name)?;
    let at = ENTRIES.binary_search_by(|(one, ..)| (*one).cmp(extension.as_str())).ok()?;
    Some(ENTRIES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is looked into, or judged otherwise.
    const ELSEWHERE: [&str; 6] = ["cab", "com", "dmg", "img", "iso", "url"];
    const OF_OUTLOOK: &str = "ade adp apk app appcontent-ms application appref-ms appx appxbundle asp aspx asx \
        bas bat bgi cab cer chm cmd cnt com cpl crt csh der diagcab diagcfg diagpkg exe \
        fxp gadget grp hlp hpj hta htc inf ins isp its jar jnlp js jse ksh library-ms \
        lnk mad maf mag mam maq mar mas mat mau mav maw mcf mda mdb mde mdt mdw mdz msc \
        msh msh1 msh2 mshxml msh1xml msh2xml msi msix msixbundle msp mst msu ops osd pcd \
        pif pl plg prf prg printerexport ps1 ps1xml ps2 ps2xml psc1 psc2 psd1 psdm1 pst \
        py pyc pyo pyw pyz pyzw reg scf scr sct search-ms settingcontent-ms shb shs \
        theme tmp udl url vb vbe vbp vbs vhd vhdx vsmacros vsw webpnp website ws wsc wsf \
        wsh xbap xll xnk";
    const OF_GMAIL: &str = "ade adp apk appx appxbundle bat cab chm cmd com cpl diagcab diagcfg diagpkg dll \
        dmg ex ex_ exe hta img ins iso isp jar jnlp js jse lib lnk mde mjs msc msi msix \
        msixbundle msp mst nsh pif ps1 scr sct shb sys vb vbe vbs vhd vxd wsc wsf wsh \
        xll";

    #[test]
    fn the_published_lists_are_covered() {
        for (source, published) in [(OUTLOOK, OF_OUTLOOK), (GMAIL, OF_GMAIL)] {
            for one in published.split(' ') {
                let entry = ENTRIES.iter().find(|(extension, ..)| *extension == one);
                assert!(
                    entry.is_some_and(|(.., sources)| sources & source != 0) || ELSEWHERE.contains(&one),
                    "{one} is missing"
                );
            }
        }
        for (extension, _, sources) in ENTRIES {
            let published = [(OUTLOOK, OF_OUTLOOK), (GMAIL, OF_GMAIL)];
            for (source, published) in published.into_iter().filter(|(source, _)| sources & source != 0) {
                assert!(published.split(' ').any(|one| one == extension), "{extension} is not from {source}");
            }
            assert_ne!(sources, 0, "{extension}");
            assert!(sources & DESKTOP == 0 || sources == DESKTOP, "{extension} is on a list");
        }
        assert!(ENTRIES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn names_that_run() {
        for name in ["a.rdp", "x.Library-MS", "invoice.pdf.appref-ms ", "a.settingcontent-ms", "b.iqy", "c.pyw"] {
            assert_eq!(blocked(name), Some(Runs), "{name}");
        }
        assert_eq!(blocked("a.exe"), Some(Program));
        assert_eq!(blocked("a.py"), Some(Listed));
        for name in ["a.txt", "www.example.com", "a.docx", "Smith", "a.url", "a.iso", "notes.md"] {
            assert_eq!(blocked(name), None, "{name}");
        }
    }
}
